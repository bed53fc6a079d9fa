package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// number reads a file with one number; 0 while there is none.
func number(name string) int {
	text, _ := os.ReadFile(name)
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || !strings.HasSuffix(string(text), "\n") {
		return 0
	}
	return n
}

// running reports whether a process runs; one that has ended and waits for its
// parent does not.
func running(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !strings.Contains(string(stat), ") Z ")
}

// TestCommandOutputKilled kills the program of an output with SIGKILL, again
// and again and most likely in the middle of a record: with answers nothing is
// lost, and what it has answered does not come again.
func TestCommandOutputKilled(t *testing.T) {
	t.Parallel()
	const records, kills = 20_000, 5
	dir := t.TempDir()
	appendLines(t, filepath.Join(dir, "in.jsonl"), 0, records)
	write(t, filepath.Join(dir, "take.sh"), `echo $$ > pid.new; mv pid.new pid
while IFS= read -r l; do printf '%s\n' "$l" >> out.jsonl; echo ok; done
`)
	write(t, filepath.Join(dir, "pipeline.hcl"), `
pipeline "p" {
  retry_max = "10ms"
  input "file" "in" {
    path = "in.jsonl"
  }
  output "command" "out" {
    command       = ["sh", "take.sh"]
    confirm       = "ack"
    restart_pause = "1ms"
  }
}
`)
	out, pid := filepath.Join(dir, "out.jsonl"), filepath.Join(dir, "pid")
	p := startFlow(t, dir, "run", "pipeline.hcl")
	last := 0
	for k := range kills {
		size := int64((k + 1) * records * lineLen / (kills + 2))
		waitFor(t, "the next moment to kill", func() bool { return fileSize(out) > size && number(pid) != last })
		last = number(pid)
		if err := syscall.Kill(last, syscall.SIGKILL); err != nil {
			t.Fatalf("kill %d: %v\n%s", k, err, p.stderr.String())
		}
	}
	p.wait(t)
	if n := strings.Count(p.stderr.String(), "signal (killed)"); n == 0 {
		t.Errorf("flow has not noticed that its program was killed\n%s", p.stderr.String())
	}
	y := checkFile(t, out, records)
	if y.duplicates > kills {
		t.Errorf("%d records came twice after %d kills, each of which can only repeat the record without an answer", y.duplicates, kills)
	}
}

// TestCommandsOfKilledFlow: on Linux no program outlives a flow that is killed;
// after the stop of a flow none does anywhere, even one that ignores SIGTERM.
func TestCommandsOfKilledFlow(t *testing.T) {
	t.Parallel()
	for _, how := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
		t.Run(how.String(), func(t *testing.T) {
			t.Parallel()
			if how == syscall.SIGKILL && runtime.GOOS != "linux" {
				t.Skip("only Linux ends programs with their parent")
			}
			dir := t.TempDir()
			write(t, filepath.Join(dir, "pipeline.hcl"), `
pipeline "p" {
  input "command" "in" {
    command    = ["sh", "-c", "trap '' TERM; echo $$ > in.pid; echo 1; while :; do sleep 0.05; done"]
    stop_grace = "100ms"
  }
  output "command" "out" {
    command    = ["sh", "-c", "trap '' TERM; echo $$ > out.pid; while :; do read l; sleep 0.05; done"]
    confirm    = "written"
    stop_grace = "100ms"
  }
}
`)
			p := startFlow(t, dir, "run", "pipeline.hcl")
			pids := make([]int, 2)
			waitFor(t, "the programs", func() bool {
				pids[0], pids[1] = number(filepath.Join(dir, "in.pid")), number(filepath.Join(dir, "out.pid"))
				return pids[0] > 0 && pids[1] > 0
			})
			for _, pid := range pids {
				if !running(pid) {
					t.Fatalf("program %d does not run", pid)
				}
			}
			if err := p.cmd.Process.Signal(how); err != nil {
				t.Fatal(err)
			}
			<-p.exited
			for _, pid := range pids {
				waitFor(t, "the end of the program", func() bool { return !running(pid) })
			}
		})
	}
}
