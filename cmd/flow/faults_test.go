package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// buildFlow compiles flow without the race detector, for tests that look at
// memory.
var buildFlow = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "flow-plain")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "flow")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("building flow: %w\n%s", err, out)
	}
	return bin, nil
})

// peakMemory is the most resident memory of a running process in bytes.
func peakMemory(t *testing.T, pid int) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	t.Fatal("no VmHWM")
	return 0
}

// TestOverload: an output that is far slower than its input holds memory
// below 150 MiB with the default limits, and loses nothing.
func TestOverload(t *testing.T) {
	t.Parallel()
	const (
		records = 1_000_000 // 100 MB
		limit   = 150 << 20
		slow    = 8 << 20 // bytes that are read slowly
	)
	bin, err := buildFlow()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "in.jsonl"), string(lines(0, records)))
	write(t, filepath.Join(dir, "pipeline.hcl"), `
pipeline "p" {
  input "file" "in" {
    path = "in.jsonl"
  }
  processor "map" "m" {
    set = { twice = "value.seq * 2" }
  }
  output "stdout" "out" {}
}
`)
	cmd := exec.Command(bin, "run", "pipeline.hcl")
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReaderSize(stdout, 64<<10)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	next := 0
	for read := 0; ; {
		line, err := r.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		seq, err := seqOf(line)
		if err != nil || seq != next || !strings.Contains(string(line), fmt.Sprintf(`"twice":%d}`, 2*seq)) {
			t.Fatalf("record %d is %q", next, line)
		}
		next++
		if before := read; read < slow {
			read += len(line)
			if before>>16 != read>>16 {
				<-tick.C // 64 KiB each 5 ms: 13 MB/s
			}
			if read >= slow {
				if peak := peakMemory(t, cmd.Process.Pid); peak > limit {
					t.Errorf("%d MiB resident while the output was slow, want below %d", peak>>20, limit>>20)
				} else {
					t.Logf("%d MiB resident at most while the output was slow", peak>>20)
				}
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if next != records {
		t.Errorf("%d records arrived, want %d", next, records)
	}
}

// TestBrokerAway: the broker stops for ten seconds in the middle of a load
// and comes back: everything arrives, in order.
func TestBrokerAway(t *testing.T) {
	t.Parallel()
	away := 10 * time.Second
	if testing.Short() {
		away = 2 * time.Second
	}
	b := startBroker(t)
	b.createTopic(t, "away", 1)
	dir := t.TempDir()
	const records = 300_000
	appendLines(t, filepath.Join(dir, "in.jsonl"), 0, records)
	write(t, filepath.Join(dir, "pipeline.hcl"), fmt.Sprintf(`
connection "kafka" "main" {
  brokers = [%q]
}
pipeline "p" {
  input "file" "in" {
    path = "in.jsonl"
  }
  output "kafka" "out" {
    connection = connection.kafka.main
    topic      = "away"
  }
}
`, b.addr))
	adm := kadm.NewClient(b.client(t))
	p := startFlow(t, dir, "run", "pipeline.hcl")
	waitFor(t, "the first records", func() bool { return b.ends(t, adm, "away") > 0 })
	b.stop()
	select {
	case err := <-p.exited:
		t.Fatalf("flow ended while the broker was away: %v\n%s", err, p.stderr.String())
	case <-time.After(away):
	}
	b.start(t)
	if n := b.ends(t, kadm.NewClient(b.client(t)), "away"); n == 0 || n >= records {
		t.Fatalf("%d of %d records were there when the broker came back: it was not away in the middle", n, records)
	}
	p.wait(t)
	y := &tally{}
	for _, r := range b.consume(t, "away", b.ends(t, kadm.NewClient(b.client(t)), "away")) {
		seq, err := seqOf(r.Value)
		if err != nil {
			t.Fatal(err)
		}
		if err := y.check(seq); err != nil {
			t.Fatal(err)
		}
	}
	if y.next != records {
		t.Errorf("%d records arrived, want %d", y.next, records)
	}
	t.Logf("%d duplicates", y.duplicates)
}

// waitFor looks every few milliseconds until ready says so.
func waitFor(t *testing.T, what string, ready func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(time.Minute)
	for !ready() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s did not come within a minute", what)
		}
	}
}

// TestDiskFull: on a full disk the output waits, and after space has come
// back every record is there once; with on_full = "stop" the error is clear.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	for _, onFull := range []string{"retry", "stop"} {
		t.Run(onFull, func(t *testing.T) {
			t.Parallel()
			dir, disk := t.TempDir(), t.TempDir()
			if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=4m"); err != nil {
				t.Skipf("a small disk needs the right to mount (the file output's own tests inject the error): %v", err)
			}
			t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
			const records = 100_000 // 10 MB on a disk of 4
			appendLines(t, filepath.Join(dir, "in.jsonl"), 0, records)
			out := filepath.Join(disk, "out.jsonl")
			write(t, filepath.Join(dir, "pipeline.hcl"), fmt.Sprintf(`
pipeline "p" {
  retry_max = "50ms"
  input "file" "in" {
    path = "in.jsonl"
  }
  output "file" "out" {
    path    = %q
    on_full = %q
  }
}
`, out, onFull))
			p := startFlow(t, dir, "run", "pipeline.hcl")
			if onFull == "stop" {
				err := <-p.exited
				if err == nil || !strings.Contains(p.stderr.String(), "no space left") || !strings.Contains(p.stderr.String(), "output.file.out") {
					t.Fatalf("flow ended with %v\n%s", err, p.stderr.String())
				}
				return
			}
			waitFor(t, "the word that the disk is full", func() bool {
				return strings.Contains(p.stderr.String(), "no space left")
			})
			if err := syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT, "size=64m"); err != nil {
				t.Fatal(err)
			}
			p.wait(t)
			if y := checkFile(t, out, records); y.duplicates > 0 {
				t.Errorf("%d records came twice", y.duplicates)
			}
		})
	}
}
