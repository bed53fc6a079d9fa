package servers

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
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

	records := ConsoleConsume(t, c, topic, true)
	want := []string{"first", "after the move", "with two brokers", "with three again"}
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
	for name, f := range map[string]func(int) error{"kill": c.Kill, "stop": c.Stop, "start": c.Start, "pause": c.Pause, "resume": c.Resume} {
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
	c := SharedKafka(t, KafkaOptions{Security: true, ACLs: true, Properties: map[string]string{"message.max.bytes": "123456"}})
	configs, err := kadm.NewClient(c.Client(t)).DescribeBrokerConfigs(t.Context(), 1)
	mustDo(t, err)
	for _, config := range configs[0].Configs {
		if config.Key == "message.max.bytes" && config.MaybeValue() != "123456" {
			t.Errorf("message.max.bytes is %s", config.MaybeValue())
		}
	}
}
