package main

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

const endless = `
pipeline "p" {
  drain_timeout   = "1m"
  commit_interval = "10ms"
  max_in_flight   = "64KiB"
  input "file" "in" {
    path          = "in.jsonl"
    mode          = "tail"
    poll_interval = "1ms"
  }
  processor "filter" "all" {
    where = "value.seq >= 0"
  }
  output "OUT" "out" {
    OPTIONS
  }
}
`

func exitCode(t *testing.T, err error) int {
	t.Helper()
	if err == nil {
		return 0
	}
	var ee *exec.ExitError
	if !errors.As(err, &ee) {
		t.Fatal(err)
	}
	return ee.ExitCode()
}

// TestSignalDrains: one SIGTERM in the middle of the work ends the process
// with status 0, everything that was read is written once, and the next run
// goes on behind it.
func TestSignalDrains(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "pipeline.hcl"), strings.NewReplacer("OUT", "file", "OPTIONS", `path = "out.jsonl"`).Replace(endless))
	in, out := filepath.Join(dir, "in.jsonl"), filepath.Join(dir, "out.jsonl")
	const records, stops = 50_000, 5
	issued := records
	appendLines(t, in, 0, issued)
	for range stops {
		before := fileSize(out)
		p := startFlow(t, dir, "run", "pipeline.hcl")
		waitFor(t, "some output", func() bool { return fileSize(out) > before })
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if code := exitCode(t, <-p.exited); code != 0 {
			t.Fatalf("exit status %d after one signal\n%s", code, p.stderr.String())
		}
		appendLines(t, in, issued, records)
		issued += records
	}
	p := startFlow(t, dir, "run", "pipeline.hcl")
	waitFor(t, "the rest", func() bool { return fileSize(out) >= int64(issued)*lineLen })
	_ = p.cmd.Process.Signal(syscall.SIGINT)
	if code := exitCode(t, <-p.exited); code != 0 {
		t.Fatalf("exit status %d\n%s", code, p.stderr.String())
	}
	if y := checkFile(t, out, issued); y.duplicates != 0 {
		t.Errorf("clean stops made %d records come twice", y.duplicates)
	}
}

// TestSecondSignalAborts: while the output hangs, the first signal drains and
// gets nowhere; the second one ends the process with status 3. What was not
// confirmed is read again.
func TestSecondSignalAborts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "pipeline.hcl"), strings.NewReplacer("OUT", "stdout", "OPTIONS", "").Replace(endless))
	const records = 20_000
	appendLines(t, filepath.Join(dir, "in.jsonl"), 0, records)
	cmd := exec.Command(flowCommand(t), "run", "pipeline.hcl")
	cmd.Dir = dir
	var stderr lockedBuffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// Nobody reads standard output beyond the first record: the pipe fills up.
	first := make([]byte, lineLen)
	if _, err := io.ReadFull(stdout, first); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	waitFor(t, "the drain", func() bool { return strings.Contains(stderr.String(), "draining") })
	_ = cmd.Process.Signal(syscall.SIGTERM)
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if code := exitCode(t, err); code != 3 {
			t.Fatalf("exit status %d after two signals, want 3\n%s", code, stderr.String())
		}
	case <-time.After(30 * time.Second):
		_ = cmd.Process.Kill()
		t.Fatalf("the second signal did not end the process\n%s", stderr.String())
	}
	if !strings.Contains(stderr.String(), "output.stdout.out") {
		t.Errorf("nobody said who held the records:\n%s", stderr.String())
	}

	// Nothing is lost: a run with a reader brings everything from the stored
	// position on, which is not beyond what was read.
	again := exec.Command(flowCommand(t), "run", "pipeline.hcl")
	again.Dir = dir
	out, err := again.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, lineLen)
	if _, err := io.ReadFull(out, line); err != nil {
		t.Fatal(err)
	}
	seq, err := seqOf(line)
	if err != nil {
		t.Fatal(err)
	}
	const pipe = 64 << 10 // what the system holds, beside what the test has read
	if seq > 1+pipe/lineLen {
		t.Errorf("the next run begins at record %d, which nobody had read", seq)
	}
	for next := seq + 1; next < records; next++ {
		if _, err := io.ReadFull(out, line); err != nil {
			t.Fatal(err)
		}
		if got, err := seqOf(line); err != nil || got != next {
			t.Fatalf("record %d (%v), want %d", got, err, next)
		}
	}
	_ = again.Process.Signal(syscall.SIGTERM)
	if code := exitCode(t, again.Wait()); code != 0 {
		t.Errorf("exit status %d", code)
	}
}

// TestTerminal looks at what a person sees: progress with a bar while it
// runs, and the table at the end, in a terminal of 120 columns.
func TestTerminal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const records = 10_000
	appendLines(t, filepath.Join(dir, "in.jsonl"), 0, records)
	write(t, filepath.Join(dir, "pipeline.hcl"), `
pipeline "p" {
  input "file" "in" {
    path = "in.jsonl"
  }
  processor "filter" "even" {
    where = "value.seq % 2 == 0 && sum(map(1..1000, # + value.seq)) > 0" # slow on purpose
  }
  output "file" "out" {
    path = "out.jsonl"
  }
}
`)
	cmd := exec.Command(flowCommand(t), "run", "pipeline.hcl")
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), "TERM=xterm-256color")
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 40, Cols: 120})
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	var screen bytes.Buffer
	_, _ = io.Copy(&screen, tty) // ends with EIO when the process has ended
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, screen.Bytes())
	}
	text := screen.String()
	for _, want := range []string{
		"PIPELINE  ELEMENT", "input.file.in", "processor.filter.even", "output.file.out",
		"10,000", "5,000", "976.6 KiB",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the screen has no %q", want)
		}
	}
	if !regexp.MustCompile(`[█░]{20} +\d+%`).MatchString(text) {
		t.Error("no progress bar was drawn")
	}
	for line := range strings.SplitSeq(ansi.ReplaceAllString(text, ""), "\n") {
		if n := len([]rune(strings.TrimRight(line, "\r"))); n > 120 {
			t.Errorf("a line of %d columns: %q", n, line)
		}
	}
	if t.Failed() {
		t.Logf("%s", text)
	}
}

var ansi = regexp.MustCompile("\x1b\\[[0-9;?]*[A-Za-z]")

// TestMetrics asks the endpoints of a running process.
func TestMetrics(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	appendLines(t, filepath.Join(dir, "in.jsonl"), 0, 1000)
	write(t, filepath.Join(dir, "pipeline.hcl"), strings.NewReplacer("OUT", "file", "OPTIONS", `path = "out.jsonl"`).Replace(endless))
	cmd := exec.Command(flowCommand(t), "run", "pipeline.hcl", "--metrics-addr", "127.0.0.1:0")
	cmd.Dir = dir
	var stderr lockedBuffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address := regexp.MustCompile(`msg="serving metrics" address=(\S+)`)
	waitFor(t, "the address", func() bool { return address.MatchString(stderr.String()) })
	base := "http://" + address.FindStringSubmatch(stderr.String())[1]
	get := func(path string) (int, string) {
		t.Helper()
		res, err := http.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(body)
	}
	waitFor(t, "readiness", func() bool { code, _ := get("/readyz"); return code == http.StatusOK })
	if code, body := get("/healthz"); code != http.StatusOK {
		t.Errorf("/healthz: %d %s", code, body)
	}
	want := `flow_records_in_total{element="processor.filter.all",pipeline="p"} 1000`
	waitFor(t, want, func() bool { _, body := get("/metrics"); return strings.Contains(body, want) })
	_ = cmd.Process.Signal(syscall.SIGTERM)
	if code := exitCode(t, cmd.Wait()); code != 0 {
		t.Errorf("exit status %d\n%s", code, stderr.String())
	}
}
