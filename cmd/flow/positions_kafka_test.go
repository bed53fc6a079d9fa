package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/flowrecords/flow/internal/servers"
)

// TestPositionsInKafka: flow positions on what lies in a topic, of both
// deliveries, and on a group that is in use.
func TestPositionsInKafka(t *testing.T) {
	t.Parallel()
	c := servers.SharedKafka(t)
	flow := flowCommand(t)
	positions := func(dir string, args ...string) (string, error) {
		cmd := exec.Command(flow, append([]string{"positions"}, args...)...)
		cmd.Dir = dir
		text, err := cmd.CombinedOutput()
		return string(text), err
	}
	must := func(t *testing.T, dir, want string, args ...string) {
		t.Helper()
		text, err := positions(dir, args...)
		if err != nil || !regexp.MustCompile(want).MatchString(text) {
			t.Fatalf("flow positions %s: %v, want %s in\n%s", strings.Join(args, " "), err, want, text)
		}
	}
	mustNot := func(t *testing.T, dir, want string, args ...string) {
		t.Helper()
		text, err := positions(dir, args...)
		if err == nil || !regexp.MustCompile(want).MatchString(text) {
			t.Fatalf("flow positions %s: %v, want %s in\n%s", strings.Join(args, " "), err, want, text)
		}
	}
	const some = 200
	const size = some * lineLen
	for _, delivery := range []string{"at_least_once", "exactly_once"} {
		t.Run(delivery, func(t *testing.T) {
			t.Parallel()
			dir, name, target := t.TempDir(), servers.UniqueName(t), c.Topic(t, 1)
			name = strings.ReplaceAll(name, "/", "-")
			config := func(settings, mode string) {
				write(t, filepath.Join(dir, "p.hcl"), fmt.Sprintf(`
connection "kafka" "main" {
  brokers         = [%s]
  positions_topic = %q
}
pipeline %q {
  commit_interval = "100ms"
  %s
  input "file" "in" {
    path = "in.jsonl"
    mode = %q
    poll_interval = "10ms"
  }
  output "kafka" "out" {
    connection = connection.kafka.main
    topic      = %q
  }
}
`, quoted(c.Addrs()), name+"-positions", name, settings, mode, target))
			}
			// The folder has positions, too, which the topic was filled from.
			config("", "batch")
			appendLines(t, filepath.Join(dir, "in.jsonl"), 0, some)
			startFlow(t, dir, "run", "p.hcl").wait(t)
			must(t, dir, fmt.Sprintf(`input.file.in +in.jsonl +byte %d of %d +- +\d+s ago +.flow`, size, size), "p.hcl")
			config(fmt.Sprintf("checkpoint = connection.kafka.main\n  delivery = %q", delivery), "batch")
			appendLines(t, filepath.Join(dir, "in.jsonl"), some, some)
			startFlow(t, dir, "run", "p.hcl").wait(t)
			in := regexp.QuoteMeta("topic " + name + "-positions of ")
			must(t, dir, fmt.Sprintf(`input.file.in +in.jsonl +byte %d of %d +- +\d+s ago +%s`, 2*size, 2*size, in), "p.hcl")
			must(t, dir, fmt.Sprintf(`in.jsonl +%d +forgotten .*\.flow(.|\n)*in.jsonl +%d +forgotten .*%s`, size, 2*size, in), "reset", "--yes", "p.hcl", "in")
			must(t, dir, `^No positions are stored.\n$`, "p.hcl")
			startFlow(t, dir, "run", "p.hcl").wait(t)
			if n := len(servers.ConsoleConsume(t, c, target, true)); n != 4*some {
				t.Errorf("%d records, want %d: all once more", n, 4*some)
			}

			// A process that stores positions is left alone.
			text, err := os.ReadFile(filepath.Join(dir, "p.hcl"))
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, "p.hcl"), strings.Replace(string(text), `"batch"`, `"tail"`, 1))
			p := startFlow(t, dir, "run", "p.hcl")
			issued, feeding := 2*some, make(chan struct{})
			go func() {
				defer close(feeding)
				for len(p.exited) == 0 {
					appendLines(t, filepath.Join(dir, "in.jsonl"), issued, 1)
					issued++
				}
			}()
			waitFor(t, "the process to store positions", func() bool {
				text, err := positions(dir, "reset", "--yes", "p.hcl", "in")
				return err != nil && strings.Contains(text, "a process stores positions of this pipeline in topic")
			})
			if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			<-feeding
			p.wait(t)
		})
	}
	t.Run("group", func(t *testing.T) {
		t.Parallel()
		r := newCopier(t, c, c.Topic(t, 1), c.Addrs(), "")
		r.produce(some)
		r.start()
		r.until(some)
		must(t, r.dir, fmt.Sprintf(`copy +input.kafka.in +%s/0 +%d +0 `, r.topic, some), "pipeline.hcl")
		mustNot(t, r.dir, `consumer group .* is in use: 1 of its members are at work: .*; stop it first`, "reset", "--yes", "--to", "50", "pipeline.hcl", "in")
		r.stop()
	})
}
