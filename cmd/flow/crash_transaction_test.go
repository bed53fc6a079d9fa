package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/flowrecords/flow/internal/servers"
)

// transactionCluster is a broker that a test may break, and that takes
// transactions of the dead back soon.
func transactionCluster(t *testing.T) *servers.Cluster {
	t.Helper()
	return servers.Kafka(t, servers.KafkaOptions{Properties: map[string]string{
		"transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
	}})
}

// transactionRounds are fewer than those without a broker that has to come back.
func transactionRounds() int { return max(rounds()/4, 10) }

// ends is the sum of what a topic's partitions hold, committed or not; it tries
// again while the broker is away.
type ends struct {
	adm   *kadm.Client
	topic string
	last  int64
}

func (e *ends) now() int64 {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	list, err := e.adm.ListEndOffsets(ctx, e.topic)
	if err != nil || list.Error() != nil {
		return e.last
	}
	n := int64(0)
	list.Each(func(o kadm.ListedOffset) { n += o.Offset })
	e.last = n
	return n
}

// breakBroker kills the broker and starts it again.
func breakBroker(t *testing.T, c *servers.Cluster) {
	t.Helper()
	if err := c.Kill(1); err != nil {
		t.Fatal(err)
	}
	if err := c.Start(1); err != nil {
		t.Fatal(err)
	}
}

// TestCrashExactlyOnceFileToKafka: kill -9 of the worker and of the broker at
// random moments, and Kafka's own client reads each line of the file once, in
// order. The position is in the transaction that writes the records.
func TestCrashExactlyOnceFileToKafka(t *testing.T) {
	t.Parallel()
	c := transactionCluster(t)
	const partitions = 4
	topic := c.Topic(t, partitions)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "pipeline.hcl"), fmt.Sprintf(`
connection "kafka" "main" {
  brokers = [%q]
}
pipeline "crash" {
  delivery        = "exactly_once"
  commit_interval = "20ms"
  batch_bytes     = "32KiB"
  max_in_flight   = "256KiB"
  input "file" "in" {
    paths = ["in.jsonl"]
  }
  output "kafka" "out" {
    connection = connection.kafka.main
    topic      = %q
    partition  = "value.seq %% 4"
  }
}
`, c.Addrs()[0], topic))
	in := filepath.Join(dir, "in.jsonl")
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 5))
	end := &ends{adm: kadm.NewClient(c.Client(t)), topic: topic}

	issued, kills, brokers := 0, 0, 0
	for kills < transactionRounds() {
		appendLines(t, in, issued, roundRecords)
		issued += roundRecords
		target := end.now() + rnd.Int64N(roundRecords/2) + 1
		p := startFlow(t, dir, "run", "pipeline.hcl")
		if kills%4 == 3 {
			waitFor(t, "records in the topic", func() bool { return end.now() > target })
			breakBroker(t, c)
			brokers++
			if rnd.IntN(2) == 0 {
				p.wait(t)
				kills++
				continue
			}
			target = end.now()
		}
		if p.killWhen(t, func() bool { return end.now() > target }) {
			kills++
		}
	}
	startFlow(t, dir, "run", "pipeline.hcl").wait(t)

	all := servers.ConsoleConsume(t, c, topic, false)
	committed := servers.ConsoleConsume(t, c, topic, true)
	got, want := make([][]byte, partitions), make([][]byte, partitions)
	for _, r := range committed {
		got[r.Partition] = append(append(got[r.Partition], r.Value...), '\n')
	}
	for i := range issued {
		want[i%partitions] = append(want[i%partitions], lines(i, 1)...)
	}
	for p := range partitions {
		if !bytes.Equal(got[p], want[p]) {
			t.Errorf("partition %d: %s", p, firstDifference(got[p], want[p]))
		}
	}
	t.Logf("%d records, %d rounds, %d of them with a broker killed; %d records were taken back", issued, kills, brokers, len(all)-len(committed))
	if len(all) == len(committed) {
		t.Error("no kill left anything to take back")
	}
}
