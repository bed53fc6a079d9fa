package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/internal/servers"
)

// checkpointed is a file that goes to another one, with its positions in Kafka.
func checkpointed(c *servers.Cluster, topic, in, out, mode string) string {
	return fmt.Sprintf(`
connection "kafka" "main" {
  brokers             = [%q]
  positions_topic     = %q
  transactional_id    = %q
  transaction_timeout = "5s"
}
pipeline "crash" {
  checkpoint      = connection.kafka.main
  commit_interval = "20ms"
  batch_bytes     = "32KiB"
  max_in_flight   = "256KiB"
  input "file" "in" {
    paths = [%q]
    mode  = %q
  }
  processor "rate_limit" "slow" { # than a store over the network
    records = 15000
    per     = "1s"
    burst   = 500
  }
  output "file" "out" {
    path = %q
  }
}
`, c.Addrs()[0], topic, topic+"-", in, mode, out)
}

// storedIn reads the positions of the pipeline out of the topic, by a reader of
// its own.
func storedIn(t *testing.T, c *servers.Cluster, topic string) map[string]engine.Position {
	t.Helper()
	stored := map[string]engine.Position{}
	for _, r := range servers.ConsoleConsume(t, c, topic, true) {
		var key []string
		var p engine.Position
		if err := json.Unmarshal(r.Key, &key); err != nil || len(key) != 2 || key[0] != "crash" {
			t.Fatalf("key %q: %v", r.Key, err)
		}
		if err := json.Unmarshal(r.Value, &p); err != nil {
			t.Fatalf("value %q: %v", r.Value, err)
		}
		if was := stored[key[1]]; p.Offset < was.Offset {
			t.Errorf("position of %s goes back from %d to %d", key[1], was.Offset, p.Offset)
		}
		stored[key[1]] = p
	}
	return stored
}

// TestCrashCheckpointInKafka: kill -9 of the worker and of the broker at random
// moments, each start in a folder of its own as on another machine. Nothing is
// lost, and a start goes on where the one before had stored, not at the
// beginning.
func TestCrashCheckpointInKafka(t *testing.T) {
	t.Parallel()
	c := servers.Kafka(t, servers.KafkaOptions{})
	topic := servers.UniqueName(t)
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.jsonl"), filepath.Join(dir, "out.jsonl")
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 11))

	issued, kills, brokers := 0, 0, 0
	start := func() *process {
		home := t.TempDir()
		write(t, filepath.Join(home, "pipeline.hcl"), checkpointed(c, topic, in, out, "batch"))
		return startFlow(t, home, "run", "pipeline.hcl")
	}
	for kills < transactionRounds() {
		appendLines(t, in, issued, roundRecords)
		issued += roundRecords
		target := fileSize(out) + rnd.Int64N(roundRecords*lineLen*3/4) + 1
		p := start()
		if kills%4 == 3 {
			waitFor(t, "records", func() bool { return fileSize(out) > target })
			if err := c.Kill(1); err != nil {
				t.Fatal(err)
			}
			if err := c.Start(1); err != nil {
				t.Fatal(err)
			}
			brokers++
			// It may have ended by itself, also with an error if the broker
			// was away for longer than an end waits.
			_ = p.cmd.Process.Kill()
			<-p.exited
			kills++
			continue
		}
		if p.killWhen(t, func() bool { return fileSize(out) > target }) {
			kills++
		}
	}
	start().wait(t)

	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var y tally
	for line := range bytes.Lines(got) {
		seq, err := seqOf(line)
		if err != nil {
			t.Fatalf("record %q: %v", line, err)
		}
		if err := y.check(seq); err != nil {
			t.Fatal(err)
		}
	}
	if y.next != issued {
		t.Errorf("%d records arrived of %d", y.next, issued)
	}
	stored := storedIn(t, c, topic)
	if p := stored["input.file.in/"+in]; len(stored) != 1 || p.Offset != int64(issued*lineLen) {
		t.Errorf("stored: %v, want the end of %s at %d", stored, in, issued*lineLen)
	}
	late := 0
	for _, seq := range y.resumed {
		if seq > 0 {
			late++
		}
	}
	t.Logf("%d records, %d rounds, %d with a broker killed, %d steps back, %d duplicates, at most %d at once", issued, kills, brokers, len(y.resumed), y.duplicates, y.longest)
	if len(y.resumed) > 1 && late == 0 {
		t.Error("every start began at the beginning")
	}
}

// TestCheckpointFencesLateWorker: the first process is stopped, a second one
// takes over, and the first one wakes. It ends with an error that says why, and
// has changed nothing.
func TestCheckpointFencesLateWorker(t *testing.T) {
	t.Parallel()
	c := servers.SharedKafka(t)
	topic := servers.UniqueName(t)
	dir := t.TempDir()
	in := filepath.Join(dir, "in.jsonl")
	position := "input.file.in/" + in
	start := func(out string) *process {
		home := t.TempDir()
		write(t, filepath.Join(home, "pipeline.hcl"), checkpointed(c, topic, in, filepath.Join(dir, out), "tail"))
		return startFlow(t, home, "run", "pipeline.hcl")
	}
	signal := func(p *process, s syscall.Signal) {
		t.Helper()
		if err := p.cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	reader := c.Client(t)
	stored := func() int64 { return storedNow(t, reader, topic, position) }

	const some = 1000
	appendLines(t, in, 0, some)
	first := start("first.jsonl")
	waitFor(t, "positions of the first", func() bool { return stored() == some*lineLen })
	signal(first, syscall.SIGSTOP)

	appendLines(t, in, some, some)
	second := start("second.jsonl")
	waitFor(t, "positions of the second", func() bool { return stored() == 2*some*lineLen })
	got, err := os.ReadFile(filepath.Join(dir, "second.jsonl"))
	if err != nil || !bytes.Equal(got, lines(some, some)) {
		t.Errorf("the second one did not go on where the first had stored: %v, %d bytes", err, len(got))
	}

	signal(first, syscall.SIGCONT)
	select {
	case err := <-first.exited:
		if err == nil || first.cmd.ProcessState.ExitCode() != 1 {
			t.Errorf("the first one ended with %v, want exit status 1\n%s", err, first.stderr.String())
		}
	case <-time.After(time.Minute):
		t.Fatalf("the first one goes on\n%s", first.stderr.String())
	}
	if text := first.stderr.String(); !strings.Contains(text, "another process has begun to run this pipeline and has taken its positions over") {
		t.Errorf("the error does not say why:\n%s", text)
	}
	appendLines(t, in, 2*some, some)
	waitFor(t, "the second one to go on", func() bool { return stored() == 3*some*lineLen })
	signal(second, syscall.SIGTERM)
	second.wait(t)
	if p := storedIn(t, c, topic)[position]; p.Offset != 3*some*lineLen { // which also sees that none goes back
		t.Errorf("in the end %v is stored", p)
	}
}

// storedNow is the offset that was committed last for a position, -1 if there
// is none.
func storedNow(t *testing.T, cl *kgo.Client, topic, position string) int64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	adm := kadm.NewClient(cl)
	ends, err := adm.ListCommittedOffsets(ctx, topic)
	if err != nil || ends.Error() != nil {
		return -1
	}
	end, _ := ends.Lookup(topic, 0)
	if end.Offset == 0 {
		return -1
	}
	r, err := kgo.NewClient(append(cl.Opts(), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.FetchMaxWait(100*time.Millisecond))...)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	last := int64(-1)
	for at := int64(0); at < end.Offset && ctx.Err() == nil; {
		r.PollFetches(ctx).EachRecord(func(x *kgo.Record) {
			at = x.Offset + 1
			var key [2]string
			var p engine.Position
			if !x.Attrs.IsControl() && json.Unmarshal(x.Key, &key) == nil && key[1] == position && json.Unmarshal(x.Value, &p) == nil {
				last = p.Offset
			}
		})
	}
	return last
}

// TestCheckpointMovesBetweenDeliveries: a pipeline goes from a folder to the
// topic, to exactly_once and back, and reads nothing again.
func TestCheckpointMovesBetweenDeliveries(t *testing.T) {
	t.Parallel()
	c := servers.SharedKafka(t)
	positions, target := servers.UniqueName(t), c.Topic(t, 1)
	dir := t.TempDir()
	const some = 500
	config := func(settings string) {
		write(t, filepath.Join(dir, "pipeline.hcl"), fmt.Sprintf(`
connection "kafka" "main" {
  brokers          = [%q]
  positions_topic  = %q
  transactional_id = %q
}
pipeline "crash" {
  %s
  input "file" "in" {
    paths = ["in.jsonl"]
  }
  output "kafka" "out" {
    connection = connection.kafka.main
    topic      = %q
  }
}
`, c.Addrs()[0], positions, positions+"-", settings, target))
	}
	issued := 0
	for _, settings := range []string{
		"",
		"checkpoint = connection.kafka.main",
		"checkpoint = connection.kafka.main\n  delivery = \"exactly_once\"",
		"checkpoint = connection.kafka.main",
		"delivery = \"exactly_once\"",
		"checkpoint = connection.kafka.main",
	} {
		config(settings)
		appendLines(t, filepath.Join(dir, "in.jsonl"), issued, some)
		issued += some
		startFlow(t, dir, "run", "pipeline.hcl").wait(t)
	}
	var got []byte
	for _, r := range servers.ConsoleConsume(t, c, target, true) {
		got = append(append(got, r.Value...), '\n')
	}
	if want := lines(0, issued); !bytes.Equal(got, want) {
		t.Error(firstDifference(got, want))
	}
}
