//go:build grouptransactions

package main

// Kafka to Kafka in transactions is built and refused (rule FL2001), since this
// test does not always hold when the broker is killed: a partition has been seen
// without its end of a transaction. With the tag it is let through:
//
//	go test -tags grouptransactions ./cmd/flow -run KafkaToKafkaTransactions

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flowrecords/flow/internal/servers"
)

func kafkaToKafka(addr, in, out, dead string) string {
	return fmt.Sprintf(`
connection "kafka" "main" {
  brokers             = [%q]
  transaction_timeout = "5s"
}
pipeline "copy" {
  delivery        = "exactly_once"
  commit_interval = "50ms"
  batch_bytes     = "32KiB"
  max_in_flight   = "256KiB"
  input "kafka" "in" {
    connection      = connection.kafka.main
    topics          = [%q]
    group           = "copy"
    session_timeout = "6s"
  }
  processor "filter" "all" {
    where = "value.seq >= 0"
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
`, addr, in, out, dead)
}

// numbers are records that are dealt over partitions in turn. One in a hundred
// is no JSON and goes to the errors output.
type numbers struct {
	partitions, issued int
}

func (n *numbers) produce(t *testing.T, cl *kgo.Client, topic string, count int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	records := make([]*kgo.Record, 0, count)
	for i := n.issued; i < n.issued+count; i++ {
		records = append(records, &kgo.Record{Topic: topic, Partition: int32(i % n.partitions), Value: n.value(i)})
	}
	if err := cl.ProduceSync(ctx, records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	n.issued += count
}

func (n *numbers) bad(i int) bool { return i%100 == 99 }

func (n *numbers) value(i int) []byte {
	if n.bad(i) {
		return fmt.Appendf(nil, `%d is no JSON`, i)
	}
	return fmt.Appendf(nil, `{"seq":%d,"pad":"%s"}`, i, strings.Repeat("x", 60))
}

// check compares what Kafka's own client reads with what was produced, record by
// record and in the order of each partition. Both topics have the partitions of
// the input's.
func (n *numbers) check(t *testing.T, c *servers.Cluster, out, dead string) (takenBack int) {
	t.Helper()
	for _, of := range []struct {
		topic string
		bad   bool
	}{{out, false}, {dead, true}} {
		all := servers.ConsoleConsume(t, c, of.topic, false)
		records := servers.ConsoleConsume(t, c, of.topic, true)
		takenBack += len(all) - len(records)
		got := make([][]byte, n.partitions)
		for _, r := range records {
			got[r.Partition] = append(append(got[r.Partition], r.Value...), '\n')
		}
		want := make([][]byte, n.partitions)
		for i := range n.issued {
			if n.bad(i) == of.bad {
				want[i%n.partitions] = append(append(want[i%n.partitions], n.value(i)...), '\n')
			}
		}
		for p := range n.partitions {
			if !bytes.Equal(got[p], want[p]) {
				t.Errorf("topic %s partition %d: %s", of.topic, p, difference(got[p], want[p]))
			}
		}
	}
	return takenBack
}

func difference(got, want []byte) string {
	g, w := bytes.Split(got, []byte("\n")), bytes.Split(want, []byte("\n"))
	for i := range min(len(g), len(w)) {
		if !bytes.Equal(g[i], w[i]) {
			return fmt.Sprintf("record %d is %.40q, want %.40q; %d records, want %d", i, g[i], w[i], len(g)-1, len(w)-1)
		}
	}
	return fmt.Sprintf("%d records, want %d", len(g)-1, len(w)-1)
}

// TestCrashKafkaToKafkaTransactions: two workers of one group. One is killed, or
// stopped for longer than its session and let go on, or the broker is killed,
// at random moments. Kafka's own client reads each record once, in order.
func TestCrashKafkaToKafkaTransactions(t *testing.T) {
	t.Parallel()
	const partitions, perRound = 4, 10_000
	c := transactionCluster(t)
	in, out, dead := c.Topic(t, partitions), c.Topic(t, partitions), c.Topic(t, partitions)
	dirs := []string{t.TempDir(), t.TempDir()}
	for _, dir := range dirs {
		write(t, filepath.Join(dir, "pipeline.hcl"), kafkaToKafka(c.Addrs()[0], in, out, dead))
	}
	cl := c.Client(t, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 6))
	end := &ends{adm: kadm.NewClient(c.Client(t)), topic: out}
	n := &numbers{partitions: partitions}
	workers := make([]*process, len(dirs))
	start := func(i int) { workers[i] = startFlow(t, dirs[i], "run", "pipeline.hcl") }
	for i := range workers {
		start(i)
	}
	t.Cleanup(func() {
		if !t.Failed() {
			return
		}
		for i, p := range workers {
			t.Logf("worker %d:\n%s", i, p.stderr.String())
			_ = p.cmd.Process.Kill()
		}
	})
	anew := func(p *process) int { return strings.Count(p.stderr.String(), "begins anew") }

	var kills, stops, brokers, late int
	for round := range transactionRounds() {
		n.produce(t, cl, in, perRound)
		target := end.now() + rnd.Int64N(perRound/2) + 1
		moved := func() bool { return end.now() > target }
		i := rnd.IntN(len(workers))
		switch round % 3 {
		case 0:
			if !workers[i].killWhen(t, moved) {
				t.Fatal("a worker ended by itself")
			}
			kills++
			start(i)
		case 1:
			waitFor(t, "records in the topic", moved)
			breakBroker(t, c)
			brokers++
		case 2:
			waitFor(t, "records in the topic", moved)
			was := anew(workers[i])
			if err := workers[i].cmd.Process.Signal(syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			stops++
			// The other one has all partitions when it is through with more
			// than its own hold.
			n.produce(t, cl, in, perRound)
			waitFor(t, "the other worker takes over", func() bool { return groupHasRead(t, end.adm, in, int64(n.issued)) })
			if err := workers[i].cmd.Process.Signal(syscall.SIGCONT); err != nil {
				t.Fatal(err)
			}
			n.produce(t, cl, in, perRound)
			waitFor(t, "everything is read", func() bool { return groupHasRead(t, end.adm, in, int64(n.issued)) })
			if anew(workers[i]) > was {
				late++
			}
		}
	}
	waitFor(t, "everything is read", func() bool { return groupHasRead(t, end.adm, in, int64(n.issued)) })
	for _, p := range workers {
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		p.wait(t)
	}
	taken := n.check(t, c, out, dead)
	t.Logf("%d records; %d workers killed, %d stopped, %d of which came back late with an open transaction; %d times the broker killed; %d records were taken back", n.issued, kills, stops, late, brokers, taken)
	if taken == 0 {
		t.Error("no fault left anything to take back")
	}
	if late == 0 {
		t.Error("no worker that was stopped came back with an open transaction")
	}
	if t.Failed() {
		for _, p := range workers {
			t.Log(p.stderr.String())
		}
	}
}

// groupHasRead reports whether the group has committed as many records.
func groupHasRead(t *testing.T, adm *kadm.Client, topic string, records int64) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	offsets, err := adm.FetchOffsets(ctx, "copy")
	if err != nil {
		return false
	}
	sum := int64(0)
	offsets.Each(func(o kadm.OffsetResponse) {
		if o.Topic == topic {
			sum += o.At
		}
	})
	return sum >= records
}
