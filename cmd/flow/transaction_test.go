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
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flowrecords/flow/internal/servers"
)

// TestTransactionRefusedRecord: records that the broker refuses, here those
// without a key for a topic that flow may not see to be compacted, go to the
// errors output in the transactions of the others, and nothing is there twice or
// lost.
func TestTransactionRefusedRecord(t *testing.T) {
	t.Parallel()
	c := servers.SharedKafka(t, servers.KafkaOptions{Security: true, ACLs: true})
	const partitions, records = 2, 3000
	ctx := t.Context()
	name := servers.UniqueName(t)
	in, out, dead := c.Topic(t, partitions), servers.UniqueName(t), c.Topic(t, partitions)
	adm := kadm.NewClient(c.Client(t))
	grant := func(acl *kadm.ACLBuilder, pattern kadm.ACLPattern, ops ...kadm.ACLOperation) {
		t.Helper()
		results, err := adm.CreateACLs(ctx, acl.ResourcePatternType(pattern).Operations(ops...).Allow("User:"+servers.Alice).AllowHosts("*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			if r.Err != nil {
				t.Fatal(r.Err)
			}
		}
	}
	grant(kadm.NewACLs().Topics(in), kadm.ACLPatternLiteral, kadm.OpRead)
	grant(kadm.NewACLs().Topics(out, dead), kadm.ACLPatternLiteral, kadm.OpWrite)
	grant(kadm.NewACLs().Groups(name), kadm.ACLPatternLiteral, kadm.OpRead)
	grant(kadm.NewACLs().TransactionalIDs("flow-"+name), kadm.ACLPatternPrefixed, kadm.OpWrite)
	if err := c.CreateTopic(ctx, out, partitions, map[string]string{"cleanup.policy": "compact"}); err != nil {
		t.Fatal(err)
	}
	keyless := func(i int) bool { return i%500 == 250 || i == records-1 }
	want := map[bool][partitions][]string{}
	cl := c.Client(t, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	for i := range records {
		r := &kgo.Record{Topic: in, Partition: int32(i % partitions), Value: fmt.Appendf(nil, `{"seq":%d}`, i)}
		if !keyless(i) {
			r.Key = fmt.Appendf(nil, "k%d", i)
		}
		lists := want[keyless(i)]
		lists[r.Partition] = append(lists[r.Partition], string(r.Value))
		want[keyless(i)] = lists
		cl.Produce(ctx, r, nil)
	}
	if err := cl.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "pipeline.hcl"), fmt.Sprintf(`
connection "kafka" "main" {
  brokers = [%s]
  sasl {
    mechanism = "plain"
    username  = %q
    password  = file("password")
  }
}
pipeline %q {
  delivery        = "exactly_once"
  commit_interval = "50ms"
  batch_bytes     = "2KiB"
  input "kafka" "in" {
    connection = connection.kafka.main
    topics     = [%q]
    group      = %q
    until      = "now"
  }
  output "kafka" "out" {
    connection = connection.kafka.main
    topic      = %q
    partition  = "partition"
  }
  output "kafka" "dead" {
    from       = [errors]
    connection = connection.kafka.main
    topic      = %q
    partition  = "partition"
  }
}
`, quoted(c.AddrsOf(servers.SASLPlaintext)), servers.Alice, name, in, name, out, dead))
	write(t, filepath.Join(dir, "password"), servers.Password(servers.Alice))
	p := startFlow(t, dir, "run", "pipeline.hcl")
	p.wait(t)
	if !strings.Contains(p.stderr.String(), "looking for the record that was refused") {
		t.Errorf("no record was refused:\n%s", p.stderr.String())
	}
	for topic, of := range map[string]bool{out: false, dead: true} {
		got := [partitions][]string{}
		for _, r := range servers.ConsoleConsume(t, c, topic, true) {
			got[r.Partition] = append(got[r.Partition], string(r.Value))
		}
		for i := range partitions {
			if g, w := strings.Join(got[i], "\n"), strings.Join(want[of][i], "\n"); g != w {
				t.Errorf("topic %s partition %d: %s", topic, i, difference([]byte(g), []byte(w)))
			}
		}
	}
}

// TestTransactionSecondProcess: a second process of a pipeline whose positions
// no group keeps ends the first one, which says why, and goes on where that one
// had committed.
func TestTransactionSecondProcess(t *testing.T) {
	t.Parallel()
	c := servers.SharedKafka(t)
	topic, name := c.Topic(t, 1), servers.UniqueName(t)
	in := filepath.Join(t.TempDir(), "in.jsonl")
	start := func() *process {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "pipeline.hcl"), fmt.Sprintf(`
connection "kafka" "main" {
  brokers         = [%s]
  positions_topic = %q
}
pipeline %q {
  delivery        = "exactly_once"
  commit_interval = "50ms"
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
`, quoted(c.Addrs()), name+"-positions", name, in, topic))
		return startFlow(t, dir, "run", "pipeline.hcl")
	}
	adm := kadm.NewClient(c.Client(t))
	committed := func() int64 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		list, err := adm.ListCommittedOffsets(ctx, topic)
		if err != nil || list.Error() != nil {
			return 0
		}
		o, _ := list.Lookup(topic, 0)
		return o.Offset
	}
	issued := 0
	grow := func(n int) {
		before := committed()
		appendLines(t, in, issued, n)
		issued += n
		waitFor(t, "the records are committed", func() bool { return committed() >= before+int64(n) })
	}
	write(t, in, "")
	first := start()
	grow(1000)
	second := start()
	// The first one learns of it when it writes.
	waitFor(t, "the first process ends", func() bool {
		grow(100)
		return len(first.exited) > 0
	})
	if err, text := <-first.exited, first.stderr.String(); err == nil || !strings.Contains(text, "another process has begun to write as flow-"+name) {
		t.Errorf("the first ended with %v:\n%s", err, text)
	}
	grow(1000)
	if err := second.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	second.wait(t)
	next := 0
	for _, r := range servers.ConsoleConsume(t, c, topic, true) {
		seq, err := seqOf(r.Value)
		if err != nil || seq != next {
			t.Fatalf("record %d is %.40q: %v", next, r.Value, err)
		}
		next++
	}
	if next != issued {
		t.Errorf("%d records, want %d", next, issued)
	}
}

// TestTransactionBySize: where commit_interval is long, a transaction ends after
// four times max_in_flight bytes.
func TestTransactionBySize(t *testing.T) {
	t.Parallel()
	c := servers.SharedKafka(t)
	const records = 40_000
	in, out, dead, group := c.Topic(t, 1), c.Topic(t, 1), c.Topic(t, 1), servers.UniqueName(t)
	dir := t.TempDir()
	text := kafkaToKafka(c.Addrs(), in, out, dead)
	for old, now := range map[string]string{`"50ms"`: `"10m"`, `group           = "copy"`: fmt.Sprintf("group = %q", group), `pipeline "copy"`: fmt.Sprintf("pipeline %q", group)} {
		if !strings.Contains(text, old) {
			t.Fatalf("no %s in the config", old)
		}
		text = strings.ReplaceAll(text, old, now)
	}
	write(t, filepath.Join(dir, "pipeline.hcl"), text)
	n := &numbers{partitions: 1}
	n.produce(t, c.Client(t, kgo.RecordPartitioner(kgo.ManualPartitioner())), in, records)
	p := startFlow(t, dir, "run", "pipeline.hcl")
	adm := kadm.NewClient(c.Client(t))
	position := func() int64 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		offsets, err := adm.FetchOffsets(ctx, group)
		if err != nil {
			return 0
		}
		o, _ := offsets.Lookup(in, 0)
		return o.At
	}
	// 40,000 records are 3 MB; 256 KiB may be in flight.
	waitFor(t, "most of the records are committed", func() bool { return position() > records/2 })
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.wait(t)
	n.issued = int(position()) // what the drain has committed, and no more
	n.check(t, c, out, dead)
}
