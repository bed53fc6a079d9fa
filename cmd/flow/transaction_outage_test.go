package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/flowrecords/flow/internal/servers"
)

// TestTransactionOutage: brokers take a transaction back that stays open for too
// long, be it that the process stood still or that it could not reach them, and
// fence its producer. With nobody in its place, the process goes on by itself,
// and each line of the file is in the topic once.
func TestTransactionOutage(t *testing.T) {
	t.Parallel()
	c := servers.Kafka(t, servers.KafkaOptions{Proxied: true, Properties: map[string]string{
		"transaction.abort.timed.out.transaction.cleanup.interval.ms": "200",
	}})
	net := c.Network(t)
	topic, name := c.Topic(t, 1), servers.UniqueName(t)
	dir := t.TempDir()
	in := filepath.Join(dir, "in.jsonl")
	write(t, filepath.Join(dir, "pipeline.hcl"), fmt.Sprintf(`
connection "kafka" "main" {
  brokers             = [%s]
  positions_topic     = %q
  transaction_timeout = "5s"
}
pipeline %q {
  delivery        = "exactly_once"
  commit_interval = "300ms"
  retry_max       = "250ms"
  batch_bytes     = "1KiB"
  input "file" "in" {
    path          = %q
    mode          = "tail"
    poll_interval = "10ms"
  }
  output "kafka" "out" {
    connection = connection.kafka.main
    topic      = %q
  }
}
`, quoted(net.Addrs()), name+"-positions", name, in, topic))
	adm := kadm.NewClient(c.Client(t))
	id := "flow-" + name
	state := func() string {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		list, err := adm.DescribeTransactions(ctx, id)
		if err != nil {
			return ""
		}
		return list[id].State
	}
	issued := 0
	grow := func(n int) {
		appendLines(t, in, issued, n)
		issued += n
	}
	var p *process
	stored := func() bool {
		select {
		case err := <-p.exited:
			t.Fatalf("flow ended: %v\n%s", err, p.stderr.String())
		default:
		}
		return storedNow(t, c.Client(t), name+"-positions", "input.file.in/"+in) == int64(issued)*lineLen
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	// open returns within a transaction.
	open := func() {
		waitFor(t, "an open transaction", func() bool {
			if state() == "Ongoing" {
				return true
			}
			grow(20)
			return false
		})
	}
	takenBack := func() {
		waitFor(t, "the end of the transaction by the broker", func() bool { return state() == "CompleteAbort" })
	}
	faults := []struct {
		name       string
		begin, end func()
	}{
		{"the process is stopped", func() {
			open()
			must(p.cmd.Process.Signal(syscall.SIGSTOP))
		}, func() { must(p.cmd.Process.Signal(syscall.SIGCONT)) }},
		{"the network is cut", func() {
			open()
			must(net.Cut())
		}, func() { must(net.Heal()) }},
	}
	write(t, in, "")
	p = startFlow(t, dir, "run", "pipeline.hcl")
	grow(500)
	waitFor(t, "the first records are stored", stored)
	for _, f := range faults {
		// A fault may come when the transaction is over already.
		for happened := false; !happened; {
			begun := strings.Count(p.stderr.String(), "begins anew at its last cut")
			f.begin()
			if state() != "Ongoing" {
				f.end()
				continue
			}
			takenBack()
			grow(500)
			f.end()
			waitFor(t, f.name+": the records are stored", stored)
			if now := strings.Count(p.stderr.String(), "begins anew at its last cut"); now == begun {
				t.Errorf("%s: nothing begins anew\n%s", f.name, p.stderr.String())
			}
			happened = true
		}
	}
	must(p.cmd.Process.Signal(syscall.SIGTERM))
	p.wait(t)
	all, committed := servers.ConsoleConsume(t, c, topic, false), servers.ConsoleConsume(t, c, topic, true)
	for i, r := range committed {
		if seq, err := seqOf(r.Value); err != nil || seq != i {
			t.Fatalf("record %d is %.40q: %v", i, r.Value, err)
		}
	}
	if len(committed) != issued {
		t.Errorf("%d records, want %d", len(committed), issued)
	}
	t.Logf("%d records, %d were taken back", issued, len(all)-len(committed))
	if len(all) == len(committed) {
		t.Error("nothing was taken back")
	}
}
