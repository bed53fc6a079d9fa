package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/flowrecords/flow/internal/servers"
)

// replicatedCluster has three brokers, of which a test may break one at a time.
// Brokers of Kafka 4.3 and 4.4 forget the end of a transaction on a partition
// that nobody leads at that moment (KAFKA-20734), so exactly once over the death
// of a broker asks for a replica that takes over.
func replicatedCluster(t *testing.T) *servers.Cluster {
	t.Helper()
	return servers.Kafka(t, servers.KafkaOptions{Brokers: 3, Properties: map[string]string{"broker.session.timeout.ms": "4000"}})
}

func quoted(list []string) string {
	q := make([]string, len(list))
	for i, s := range list {
		q[i] = fmt.Sprintf("%q", s)
	}
	return strings.Join(q, ", ")
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

// breakBroker kills one of the brokers, and starts it when the others have taken
// over what it led: see fault.splits.
func breakBroker(t *testing.T, c *servers.Cluster, adm *kadm.Client, rnd *rand.Rand) {
	t.Helper()
	waitFor(t, "all replicas in sync", func() bool { return inSync(c, adm) })
	id := rnd.IntN(len(c.Brokers())) + 1
	if err := c.Kill(id); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "other leaders", func() bool { return leadsNothing(adm, int32(id)) })
	if err := c.Start(id); err != nil {
		t.Fatal(err)
	}
}

// leadsNothing reports whether no partition has a broker as its leader.
func leadsNothing(adm *kadm.Client, id int32) bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	topics, err := adm.ListTopicsWithInternal(ctx)
	if err != nil || topics.Error() != nil {
		return false
	}
	leads := false
	topics.EachPartition(func(p kadm.PartitionDetail) { leads = leads || p.Leader == id })
	return !leads
}

// inSync reports whether each partition would have a leader without any one of
// the brokers.
func inSync(c *servers.Cluster, adm *kadm.Client) bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	topics, err := adm.ListTopicsWithInternal(ctx)
	if err != nil || topics.Error() != nil {
		return false
	}
	ok := true
	topics.EachPartition(func(p kadm.PartitionDetail) { ok = ok && len(p.ISR) == len(c.Brokers()) })
	return ok
}

// TestCrashExactlyOnceFileToKafka: kill -9 of the worker and of the broker at
// random moments, and Kafka's own client reads each line of the file once, in
// order. The position is in the transaction that writes the records.
func TestCrashExactlyOnceFileToKafka(t *testing.T) {
	t.Parallel()
	c := replicatedCluster(t)
	const partitions = 4
	topic := c.Topic(t, partitions)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "pipeline.hcl"), fmt.Sprintf(`
connection "kafka" "main" {
  brokers = [%s]
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
`, quoted(c.Addrs()), topic))
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
			breakBroker(t, c, end.adm, rnd)
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
