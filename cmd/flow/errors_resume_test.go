package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestErrorsReplayKilled kills replays in the middle: none of the records is
// lost, and the next replay does not begin anew.
func TestErrorsReplayKilled(t *testing.T) {
	t.Parallel()
	const records = 30000
	dir := t.TempDir()
	config := `pipeline "p" {
  commit_interval = "5ms"
  input "file" "in" {
    path = "in.jsonl"
  }
  processor "map" "total" {
    set = { total = "value.price * 2" }
  }
  processor "rate_limit" "slow" {
    records = 30000
    per     = "1s"
    burst   = 100
  }
  output "file" "out" {
    path = "out.jsonl"
  }
  output "file" "dead" {
    from   = [errors]
    path   = "dead.jsonl"
    format = "envelope"
  }
}
`
	var in strings.Builder
	for i := range records {
		fmt.Fprintf(&in, "{\"id\":%d,\"price\":\"x\"}\n", i)
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("in.jsonl", in.String())
	write("p.hcl", config)
	flow := flowCommand(t)
	command := func(args ...string) *exec.Cmd {
		c := exec.Command(flow, args...)
		c.Dir = dir
		return c
	}
	if out, err := command("run", "p.hcl").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	write("p.hcl", strings.Replace(config, "value.price * 2", "0", 1))
	size := func() int64 {
		info, err := os.Stat(filepath.Join(dir, "out.jsonl"))
		if err != nil {
			return 0
		}
		return info.Size()
	}
	for range 3 {
		before := size()
		c := command("errors", "replay", "--yes", "p.hcl")
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { _ = c.Wait(); close(ended) }()
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for size() < before+100<<10 {
			select {
			case <-ended:
				t.Fatal("the replay ended before it could be killed")
			case <-tick.C:
			}
		}
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-ended
	}
	out, err := command("errors", "list", "--limit", "1", "p.hcl").Output()
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(bytes.SplitN(out, []byte("\n"), 3)[1]), " ")
	if all, err := command("errors", "replay", "--yes", "p.hcl").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, all)
	}
	if first == "1" {
		t.Error("three replays were killed, and nothing of them is known")
	}
	data, err := os.ReadFile(filepath.Join(dir, "out.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for line := range strings.Lines(string(data)) {
		seen[line] = true
	}
	if len(seen) != records {
		t.Errorf("%d different records were replayed, want %d", len(seen), records)
	}
	t.Logf("%d records more than once, %s was the first left", strings.Count(string(data), "\n")-records, first)
}
