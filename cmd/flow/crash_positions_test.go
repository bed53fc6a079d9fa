package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/flowrecords/flow/internal/servers"
)

// storeOverLeaders: the broker that leads a topic of positions is killed while
// positions are stored there, and every third time the worker with it. Nothing is
// lost, no position goes back, and exactly once nothing comes twice.
func storeOverLeaders(t *testing.T, c *servers.Cluster) {
	const some, rounds = 3000, 6
	name, target := servers.UniqueName(t), c.Topic(t, 1)
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.jsonl"), filepath.Join(dir, "out.jsonl")
	write(t, in, "")
	type worker struct {
		topic, home string
		p           *process
	}
	workers := map[string]*worker{}
	for delivery, output := range map[string]string{
		"exactly_once":  fmt.Sprintf("output \"kafka\" \"out\" {\n    connection = connection.kafka.main\n    topic = %q\n  }", target),
		"at_least_once": fmt.Sprintf("output \"file\" \"out\" {\n    path = %q\n  }", out),
	} {
		w := &worker{topic: name + "-" + delivery, home: t.TempDir()}
		write(t, filepath.Join(w.home, "pipeline.hcl"), fmt.Sprintf(`
connection "kafka" "main" {
  brokers             = [%s]
  positions_topic     = %q
  transactional_id    = %q
  transaction_timeout = "5s"
}
pipeline "crash" {
  delivery        = %q
  checkpoint      = connection.kafka.main
  commit_interval = "20ms"
  retry_max       = "250ms"
  batch_bytes     = "8KiB"
  max_in_flight   = "128KiB"
  input "file" "in" {
    path          = %q
    mode          = "tail"
    poll_interval = "10ms"
  }
  processor "rate_limit" "slow" {
    records = 6000
    per     = "1s"
    burst   = 100
  }
  %s
}
`, quoted(c.Addrs()), w.topic, w.topic+"-", delivery, in, output))
		workers[delivery] = w
		w.p = startFlow(t, w.home, "run", "pipeline.hcl")
		t.Cleanup(func() { _ = w.p.cmd.Process.Kill() })
	}
	cl := c.Client(t)
	adm := kadm.NewClient(cl)
	stored := func(w *worker) int64 {
		select {
		case err := <-w.p.exited:
			t.Fatalf("flow ended: %v\n%s", err, w.p.stderr.String())
		default:
		}
		return storedNow(t, cl, w.topic, "input.file.in/"+in)
	}
	issued, restarts := 0, 0
	grow := func(n int) {
		appendLines(t, in, issued, n)
		issued += n
	}
	settled := func() {
		t.Helper()
		for delivery, w := range workers {
			waitFor(t, delivery+": everything is stored", func() bool { return stored(w) == int64(issued)*lineLen })
		}
	}
	grow(100)
	settled()
	for i := range rounds {
		waitFor(t, "all copies in sync", func() bool { return inSync(c, adm) })
		delivery := []string{"exactly_once", "at_least_once"}[i%2]
		w := workers[delivery]
		leader, err := c.Leader(t.Context(), w.topic, 0)
		if err != nil {
			t.Fatal(err)
		}
		before := stored(w)
		grow(some)
		waitFor(t, "positions on their way", func() bool { return stored(w) > before })
		if err := c.Kill(leader); err != nil {
			t.Fatal(err)
		}
		if stored(w) == int64(issued)*lineLen {
			t.Logf("round %d: everything was stored before the broker was killed", i)
		}
		if i%3 == 2 {
			if err := w.p.cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			<-w.p.exited
			w.p = startFlow(t, w.home, "run", "pipeline.hcl")
			if delivery == "at_least_once" {
				restarts++
			}
		}
		settled() // with two brokers
		if now, err := c.Leader(t.Context(), w.topic, 0); err != nil || now == leader {
			t.Fatalf("broker %d leads %s after broker %d was killed: %v", now, w.topic, leader, err)
		}
		if err := c.Start(leader); err != nil {
			t.Fatal(err)
		}
	}
	settled()
	var got []byte
	for _, r := range servers.ConsoleConsume(t, c, target, true) {
		got = append(append(got, r.Value...), '\n')
	}
	if want := lines(0, issued); !bytes.Equal(got, want) {
		t.Error("exactly once: " + firstDifference(got, want))
	}
	y := checkFile(t, out, issued)
	y.checkRestarts(t, restarts)
	for _, w := range workers {
		if p := storedIn(t, c, w.topic)["input.file.in/"+in]; p.Offset != int64(issued)*lineLen { // which sees that none goes back
			t.Errorf("%s ends at %d", w.topic, p.Offset)
		}
	}
	t.Logf("%d records, %d leaders killed, at least once: %s", issued, rounds, y)
}
