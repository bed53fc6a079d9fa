package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/flowrecords/flow/engine/checkpoint"
)

// The crash tests kill the flow process at random moments, start it again,
// and look at what arrived. Records are lines of one length with a sequence
// number, so that a position in bytes is a record.
const (
	lineLen      = 100
	roundRecords = 20_000
	shortRounds  = 5
	crashRounds  = 50
)

func rounds() int {
	if testing.Short() {
		return shortRounds
	}
	return crashRounds
}

// appendLines adds n records to a file, beginning with number from.
func appendLines(t *testing.T, name string, from, n int) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(lines(from, n)); err != nil {
		t.Fatal(err)
	}
}

func lines(from, n int) []byte {
	b := make([]byte, 0, n*lineLen)
	for i := range n {
		start := len(b)
		b = fmt.Appendf(b, `{"seq":%d,"pad":"`, from+i)
		for len(b)-start < lineLen-3 {
			b = append(b, 'x')
		}
		b = append(b, "\"}\n"...)
	}
	return b
}

// seqOf reads the number of a record.
func seqOf(line []byte) (int, error) {
	var n int
	_, err := fmt.Sscanf(string(line), `{"seq":%d,`, &n)
	return n, err
}

// process is a flow that is to be killed.
type process struct {
	cmd    *exec.Cmd
	stderr lockedBuffer
	exited chan error
}

func startFlow(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(flowCommand(t), args...), exited: make(chan error, 1)}
	p.cmd.Dir = dir
	p.cmd.Stderr = &p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.exited <- p.cmd.Wait() }()
	return p
}

// killWhen kills the process once ready says so, looked at every millisecond.
// It returns false if the process ended by itself before.
func (p *process) killWhen(t *testing.T, ready func() bool) bool {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(time.Minute)
	for {
		select {
		case err := <-p.exited:
			if err != nil {
				t.Fatalf("flow ended by itself: %v\n%s", err, p.stderr.String())
			}
			return false
		case <-deadline:
			_ = p.cmd.Process.Kill()
			t.Fatalf("nothing happened for a minute\n%s", p.stderr.String())
		case <-tick.C:
			if !ready() {
				continue
			}
			if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
				t.Fatal(err)
			}
			return p.killed(t, <-p.exited)
		}
	}
}

// killed reports whether the process died of SIGKILL, the fault of these tests.
func (p *process) killed(t *testing.T, err error) bool {
	t.Helper()
	if err == nil {
		return false
	}
	var ee *exec.ExitError
	if !errors.As(err, &ee) {
		t.Fatal(err)
	}
	status, ok := ee.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() || status.Signal() != syscall.SIGKILL {
		t.Fatalf("flow ended with %v, not by the kill\n%s", err, p.stderr.String())
	}
	return true
}

func (p *process) wait(t *testing.T) {
	t.Helper()
	select {
	case err := <-p.exited:
		if err != nil {
			t.Fatalf("flow: %v\n%s", err, p.stderr.String())
		}
	case <-time.After(2 * time.Minute):
		_ = p.cmd.Process.Kill()
		t.Fatalf("flow did not end\n%s", p.stderr.String())
	}
}

func fileSize(name string) int64 {
	info, err := os.Stat(name)
	if err != nil {
		return 0
	}
	return info.Size()
}

// tally is what arrived: every record at least once, in order but for steps
// back to what was not confirmed.
type tally struct {
	next, duplicates, longest int
	// resumed lists the record at each step back.
	resumed []int
}

// check takes the numbers in the order of arrival.
func (y *tally) check(seq int) error {
	switch {
	case seq == y.next:
		y.next++
	case seq < y.next:
		back := y.next - seq
		y.duplicates += back
		y.resumed = append(y.resumed, seq)
		y.longest = max(y.longest, back)
		y.next = seq + 1
	default:
		return fmt.Errorf("record %d follows %d: %d lost", seq, y.next-1, seq-y.next)
	}
	return nil
}

const fileToFile = `
pipeline "crash" {
  commit_interval = "20ms"
  max_in_flight   = "256KiB"
  input "file" "in" {
    path = "in.jsonl"
  }
  processor "filter" "all" {
    where = "value.seq >= 0"
  }
  output "file" "out" {
    path = "out.jsonl"
  }
}
`

// TestCrashFileToFile: kill -9 at random moments loses nothing, keeps order,
// leaves whole records only, and what comes twice is what was written after
// the last stored position.
func TestCrashFileToFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "pipeline.hcl"), fileToFile)
	in, out := filepath.Join(dir, "in.jsonl"), filepath.Join(dir, "out.jsonl")
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))

	issued, kills := 0, 0
	var restarts []int // the record at the stored position after each kill
	for kills < rounds() {
		appendLines(t, in, issued, roundRecords)
		issued += roundRecords
		target := fileSize(out) + int64(rnd.IntN(roundRecords*lineLen*9/10))
		p := startFlow(t, dir, "run", "pipeline.hcl")
		if !p.killWhen(t, func() bool { return fileSize(out) > target }) {
			continue // it was faster than the kill: no round
		}
		kills++
		stored := storedOffset(t, dir)
		if stored%lineLen != 0 {
			t.Fatalf("position %d is within a record", stored)
		}
		restarts = append(restarts, int(stored/lineLen))
	}
	p := startFlow(t, dir, "run", "pipeline.hcl")
	p.wait(t)

	y := checkFile(t, out, issued)
	t.Logf("%d records, %d kills, %s", issued, kills, y)
	y.checkRestarts(t, kills)
	// What comes twice is what was in flight: each run goes on exactly at the
	// position that the one before had stored.
	for _, seq := range y.resumed {
		i := slices.Index(restarts, seq)
		if i < 0 {
			t.Errorf("a run went on at record %d, where no position was stored", seq)
			continue
		}
		restarts = restarts[i+1:]
	}
}

func (y *tally) String() string {
	return fmt.Sprintf("%d duplicates in %d steps back, the longest %d", y.duplicates, len(y.resumed), y.longest)
}

// checkRestarts: only a kill makes records come twice.
func (y *tally) checkRestarts(t *testing.T, kills int) {
	t.Helper()
	if len(y.resumed) > kills {
		t.Errorf("%d steps back for %d kills", len(y.resumed), kills)
	}
}

// checkFile reads whole records only and returns the tally of issued ones.
func checkFile(t *testing.T, name string, issued int) *tally {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) == 0 || data[len(data)-1] != '\n' {
		t.Fatalf("%s ends within a record", name)
	}
	y := &tally{}
	for line := range bytes.Lines(data) {
		if len(line) != lineLen {
			t.Fatalf("torn record %q", line)
		}
		seq, err := seqOf(line)
		if err != nil {
			t.Fatalf("record %q: %v", line, err)
		}
		if err := y.check(seq); err != nil {
			t.Fatal(err)
		}
	}
	if y.next != issued {
		t.Fatalf("%d records arrived, %d were issued", y.next, issued)
	}
	return y
}

// storedOffset opens the checkpoint as the next run will.
func storedOffset(t *testing.T, dir string) int64 {
	t.Helper()
	store, err := checkpoint.OpenDir(filepath.Join(dir, ".flow"), "crash")
	if err != nil {
		t.Fatalf("opening the checkpoint after a kill: %v", err)
	}
	defer store.Close()
	positions, err := store.Load(context.Background())
	if err != nil {
		t.Fatalf("loading the checkpoint after a kill: %v", err)
	}
	var offset int64
	for _, p := range positions {
		offset = p.Offset
	}
	return offset
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
