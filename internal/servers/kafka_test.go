package servers

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// eventually waits until f returns nil.
func eventually(t *testing.T, f func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := poll(ctx, f); err != nil {
		t.Fatal(err)
	}
}

func produce(t *testing.T, cl *kgo.Client, topic string, values ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, v := range values {
		if err := cl.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte(v)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

func values(records []Record) []string {
	var list []string
	for _, r := range records {
		list = append(list, string(r.Value))
	}
	return list
}

func mustDo(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// mustRefuse asserts that an action that makes no sense says so.
func mustRefuse(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Fatalf("error %v, want one with %q", err, want)
	}
}

func TestKafkaKeepsItsDataOverFaults(t *testing.T) {
	t.Parallel()
	c := Kafka(t, KafkaOptions{})
	topic := c.Topic(t, 1)
	cl := c.Client(t)
	produce(t, cl, topic, "first")

	before, err := c.Pid(1)
	mustDo(t, err)
	mustRefuse(t, c.Start(1), "runs")
	mustDo(t, c.Kill(1))
	mustRefuse(t, c.Kill(1), "does not run")
	mustRefuse(t, c.Kill(2), "no broker 2")
	if answersNow(t, c) {
		t.Fatal("the broker answers after it was killed")
	}
	begin := time.Now()
	mustDo(t, c.Start(1))
	t.Logf("started after SIGKILL in %s", time.Since(begin).Round(time.Millisecond))
	if after, err := c.Pid(1); err != nil || after == before {
		t.Fatalf("process %d before and %d after the kill (%v)", before, after, err)
	}
	produce(t, cl, topic, "after kill")

	mustDo(t, c.Stop(1))
	mustDo(t, c.Start(1))
	produce(t, cl, topic, "after stop")

	mustRefuse(t, c.Resume(1), "not paused")
	mustDo(t, c.Pause(1))
	if answersNow(t, c) {
		t.Fatal("the broker answers while it is paused")
	}
	mustDo(t, c.Resume(1))
	produce(t, cl, topic, "after pause")

	want := []string{"first", "after kill", "after stop", "after pause"}
	if got := values(ConsoleConsume(t, c, topic, false)); !slices.Equal(got, want) {
		t.Errorf("records %q, want %q", got, want)
	}
}

// answersNow asks the first broker once.
func answersNow(t *testing.T, c *Cluster) bool {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.Addrs()[0]))
	mustDo(t, err)
	defer cl.Close()
	return answers(t.Context(), cl, 1, 1) == nil
}

func TestKafkaThreeBrokers(t *testing.T) {
	t.Parallel()
	c := Kafka(t, KafkaOptions{Brokers: 3})
	topic := c.Topic(t, 1)
	cl := c.Client(t)
	produce(t, cl, topic, "first")

	from, err := c.Leader(t.Context(), topic, 0)
	mustDo(t, err)
	to := from%3 + 1
	mustDo(t, c.MoveLeader(t.Context(), topic, 0, to))
	if got, err := c.Leader(t.Context(), topic, 0); err != nil || got != to {
		t.Fatalf("broker %d leads after the move from %d to %d (%v)", got, from, to, err)
	}
	mustRefuse(t, c.MoveLeader(t.Context(), topic, 0, to), "leads already")
	produce(t, cl, topic, "after the move")

	mustDo(t, c.Kill(to))
	produce(t, cl, topic, "with two brokers")
	if got, err := c.Leader(t.Context(), topic, 0); err != nil || got == to {
		t.Fatalf("broker %d leads after it was killed (%v)", got, err)
	}
	mustDo(t, c.Start(to))
	// It may lead again once it is in sync.
	eventually(t, func(ctx context.Context) error { return c.MoveLeader(ctx, topic, 0, to) })
	produce(t, cl, topic, "with three again")

	// To a broker that had no copy, the data moves along.
	single := UniqueName(t)
	_, err = kadm.NewClient(cl).CreateTopic(t.Context(), 1, 1, map[string]*string{"min.insync.replicas": kadm.StringPtr("1")}, single)
	mustDo(t, err)
	produce(t, cl, single, "moved")
	from, err = c.Leader(t.Context(), single, 0)
	mustDo(t, err)
	mustDo(t, c.MoveLeader(t.Context(), single, 0, from%3+1))
	if got := values(ConsoleConsume(t, c, single, false)); !slices.Equal(got, []string{"moved"}) {
		t.Errorf("records %q after the move", got)
	}

	for _, id := range c.Brokers() {
		mustDo(t, c.Kill(id))
	}
	mustDo(t, c.Start(c.Brokers()...))
	produce(t, cl, topic, "after all were killed")

	records := ConsoleConsume(t, c, topic, true)
	want := []string{"first", "after the move", "with two brokers", "with three again", "after all were killed"}
	if got := values(records); !slices.Equal(got, want) {
		t.Errorf("records %q, want %q", got, want)
	}
	if records[0].LeaderEpoch >= records[1].LeaderEpoch {
		t.Errorf("leader epochs %d and %d before and after the move", records[0].LeaderEpoch, records[1].LeaderEpoch)
	}
}

func TestConsoleConsume(t *testing.T) {
	t.Parallel()
	c := SharedKafka(t)
	topic := c.Topic(t, 2)
	begin := func(id string) *kgo.Client {
		cl := c.Client(t, kgo.TransactionalID(UniqueName(t)+id), kgo.RecordPartitioner(kgo.ManualPartitioner()))
		mustDo(t, cl.BeginTransaction())
		return cl
	}
	record := func(p int32, value string) *kgo.Record {
		return &kgo.Record{Topic: topic, Partition: p, Value: []byte(value)}
	}
	odd := record(1, "a\tb\nc,d:e-")
	odd.Key = []byte{0, 255, '\n'}
	odd.Timestamp = time.UnixMilli(1234567890123)
	odd.Headers = []kgo.RecordHeader{{Key: "empty", Value: []byte{}}, {Key: "null"}, {Key: "a:b,c\tü", Value: []byte("-")}, {Key: "empty", Value: []byte("twice")}}
	tombstone := &kgo.Record{Topic: topic, Partition: 1, Key: []byte{}}

	committed := begin("c")
	mustDo(t, committed.ProduceSync(t.Context(), record(0, "committed"), odd, tombstone).FirstErr())
	mustDo(t, committed.EndTransaction(t.Context(), kgo.TryCommit))
	aborted := begin("a")
	mustDo(t, aborted.ProduceSync(t.Context(), record(0, "aborted")).FirstErr())
	mustDo(t, aborted.EndTransaction(t.Context(), kgo.TryAbort))
	open := begin("o")
	mustDo(t, open.ProduceSync(t.Context(), record(0, "late")).FirstErr())

	if got := byPartition(ConsoleConsume(t, c, topic, false), 0); !slices.Equal(got, []string{"committed", "aborted", "late"}) {
		t.Errorf("uncommitted: %q", got)
	}
	// A recount waits for the open transaction instead of missing its records.
	ended := make(chan error, 1)
	go func() { ended <- open.EndTransaction(t.Context(), kgo.TryCommit) }()
	records := ConsoleConsume(t, c, topic, true)
	mustDo(t, <-ended)
	if got := byPartition(records, 0); !slices.Equal(got, []string{"committed", "late"}) {
		t.Errorf("committed: %q", got)
	}
	i := slices.IndexFunc(records, func(r Record) bool { return r.Partition == 1 })
	if i < 0 || len(records) != i+2 && len(records) != 4 {
		t.Fatalf("records %+v", records)
	}
	got := records[i]
	if !bytes.Equal(got.Key, odd.Key) || !bytes.Equal(got.Value, odd.Value) || !got.Timestamp.Equal(odd.Timestamp) || got.Offset != 0 {
		t.Errorf("got %+v, want %+v", got, odd)
	}
	if text, want := fmt.Sprintf("%q", got.Headers), fmt.Sprintf("%q", odd.Headers); text != want {
		t.Errorf("headers %s, want %s", text, want)
	}
	if got.Headers[0].Value == nil || got.Headers[1].Value != nil {
		t.Errorf("headers %#v: empty and null are not told apart", got.Headers)
	}
	if last := records[i+1]; last.Value != nil || last.Key == nil || last.Offset != 1 {
		t.Errorf("tombstone came as %+v", last)
	}
}

func byPartition(records []Record, p int32) []string {
	return values(slices.DeleteFunc(slices.Clone(records), func(r Record) bool { return r.Partition != p }))
}

func TestConsoleConsumeNoTopic(t *testing.T) {
	t.Parallel()
	_, err := SharedKafka(t).ConsoleConsume(t.Context(), UniqueName(t), false)
	mustRefuse(t, err, "no topic")
}

func TestSharedKafkaRefusesFaults(t *testing.T) {
	t.Parallel()
	c := SharedKafka(t)
	for name, f := range map[string]func(int) error{"kill": c.Kill, "stop": c.Stop, "start": func(id int) error { return c.Start(id) }, "pause": c.Pause, "resume": c.Resume} {
		if err := f(1); err == nil || !strings.Contains(err.Error(), "shared") {
			t.Errorf("%s of a shared broker: %v", name, err)
		}
	}
	if SharedKafka(t) != c {
		t.Error("a second cluster was started for the same options")
	}
}

func TestKafkaProperties(t *testing.T) {
	t.Parallel()
	configs, err := kadm.NewClient(secured(t).Client(t)).DescribeBrokerConfigs(t.Context(), 1)
	mustDo(t, err)
	got := map[string]string{}
	for _, config := range configs[0].Configs {
		got[config.Key] = config.MaybeValue()
	}
	for key, want := range map[string]string{"message.max.bytes": "2000000", "transaction.state.log.num.partitions": "1"} {
		if got[key] != want {
			t.Errorf("%s is %q, want %q", key, got[key], want)
		}
	}
}

func TestEachKafka(t *testing.T) {
	t.Parallel()
	addrs := map[string]bool{}
	EachKafka(t, func(t *testing.T, b Broker) {
		addrs[b.Addrs()[0]] = true
		topic := b.Topic(t, 2)
		produce(t, b.Client(t), topic, "first", "second")
		ends, err := kadm.NewClient(b.Client(t)).ListEndOffsets(t.Context(), topic)
		mustDo(t, err)
		var n int64
		ends.Each(func(o kadm.ListedOffset) { n += o.Offset })
		if n != 2 || len(ends[topic]) != 2 {
			t.Errorf("%d records in %d partitions", n, len(ends[topic]))
		}
		mustRefuse(t, b.CreateTopic(t.Context(), topic, 1, nil), "TOPIC_ALREADY_EXISTS")
	})
	if !testing.Short() && len(addrs) != 2 {
		t.Errorf("the test ran at %v", addrs)
	}
}

func TestCreateTopicTwice(t *testing.T) {
	t.Parallel()
	c := SharedKafka(t)
	topic := UniqueName(t)
	mustDo(t, c.CreateTopic(t.Context(), topic, 3, map[string]string{"cleanup.policy": "compact"}))
	mustRefuse(t, c.CreateTopic(t.Context(), topic, 3, nil), "TOPIC_ALREADY_EXISTS")
	_, err := c.Leader(t.Context(), topic, 3)
	mustRefuse(t, err, "no such partition")
	configs, err := kadm.NewClient(c.Client(t)).DescribeTopicConfigs(t.Context(), topic)
	mustDo(t, err)
	for _, config := range configs[0].Configs {
		if config.Key == "cleanup.policy" && config.MaybeValue() != "compact" {
			t.Errorf("cleanup.policy is %s", config.MaybeValue())
		}
	}
}

// TestKafkaThatDoesNotStart ends at once and shows what the broker said.
func TestKafkaThatDoesNotStart(t *testing.T) {
	t.Parallel()
	skipShort(t)
	_, err := StartKafka(t.Context(), KafkaOptions{Properties: map[string]string{"num.io.threads": "none"}})
	mustRefuse(t, err, "the process ended")
	mustRefuse(t, err, "num.io.threads")
}

// TestKafkaTakesOtherPorts: a port that somebody took after it was chosen.
func TestKafkaTakesOtherPorts(t *testing.T) {
	t.Parallel()
	skipShort(t)
	java, err := findJDK(t.Context())
	mustDo(t, err)
	store, err := find("kafka", java)
	mustDo(t, err)
	var taken []net.Listener
	t.Cleanup(func() {
		for _, l := range taken {
			l.Close()
		}
	})
	c, err := startKafka(t.Context(), KafkaOptions{}, store, java, func(c *Cluster) {
		if len(taken) == 0 {
			l, err := net.Listen("tcp", c.Addrs()[0])
			mustDo(t, err)
			taken = append(taken, l)
		}
	})
	mustDo(t, err)
	defer c.Close()
	if len(taken) != 1 || c.Addrs()[0] == taken[0].Addr().String() {
		t.Errorf("started at %s, taken was %v", c.Addrs()[0], taken)
	}
	produce(t, c.Client(t), c.Topic(t, 1), "served")
}

// TestKafkaProxied sends a client to where a proxy listens, and nowhere past it.
func TestKafkaProxied(t *testing.T) {
	t.Parallel()
	c := SharedKafka(t, securedOptions())
	topic := c.Topic(t, 1)
	l, err := net.Listen("tcp", c.AddrsOf(Proxied)[0])
	mustDo(t, err)
	var passed atomic.Int64
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", c.Upstream(1))
			if err != nil {
				in.Close()
				continue
			}
			passed.Add(1)
			go func() { _, _ = io.Copy(out, in); out.Close() }()
			go func() { _, _ = io.Copy(in, out); in.Close() }()
		}
	}()
	mustDo(t, write(t, c, Proxied, topic))
	if passed.Load() < 2 {
		t.Errorf("%d connections passed the proxy, want that to the seed and that to the leader", passed.Load())
	}
	l.Close()
	if err := write(t, c, Proxied, topic); err == nil {
		t.Error("a client came past the proxy")
	}
}

// BenchmarkStart tells how long a start takes and how much memory the broker
// then has.
func BenchmarkStart(b *testing.B) {
	for _, o := range []KafkaOptions{{}, {Security: true, ACLs: true}, {Brokers: 3}} {
		b.Run(fmt.Sprintf("brokers=%d,security=%v", max(1, o.Brokers), o.Security), func(b *testing.B) {
			skipShort(b)
			rss := 0.0
			for b.Loop() {
				c, err := StartKafka(b.Context(), o)
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				for _, id := range c.Brokers() {
					rss += residentMiB(b, c, id) / float64(len(c.Brokers()))
				}
				c.Close()
				b.StartTimer()
			}
			b.ReportMetric(rss/float64(b.N), "MiB/broker")
		})
	}
}

// residentMiB is 0 where /proc is missing.
func residentMiB(b *testing.B, c *Cluster, id int) float64 {
	pid, err := c.Pid(id)
	if err != nil {
		b.Fatal(err)
	}
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, rest, _ := strings.Cut(string(data), "VmRSS:")
	var kib float64
	_, _ = fmt.Sscan(rest, &kib)
	return kib / 1024
}
