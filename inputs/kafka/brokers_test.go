package kafka

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	connkafka "github.com/flowrecords/flow/connections/kafka"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/internal/servers"
)

// What follows is for tests that run on a fake broker and on a real one.

func reach(b servers.Broker) engine.ConnectionRef {
	config := connkafka.Defaults()
	config.Brokers = b.Addrs()
	return engine.ConnectionRef{Name: "connection.kafka.test", Value: connkafka.New(config)}
}

// newInput makes an input that is closed with the test and not opened. Without
// a group it has one of its own.
func newInput(t *testing.T, b servers.Broker, edit func(*Config)) *Input {
	t.Helper()
	config := Defaults()
	config.Connection = reach(b)
	config.Group = servers.UniqueName(t)
	config.MetadataMaxAge = 200 * time.Millisecond
	config.SessionTimeout = 6 * time.Second
	config.HeartbeatInterval = 200 * time.Millisecond
	config.RevokeWait = time.Second
	edit(config)
	if ps := config.Validate(); len(ps) > 0 {
		t.Fatalf("the test's config is wrong: %v", ps)
	}
	in, err := New(config, engine.Env{Pipeline: "test", Element: "input.kafka.in"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeInput(t, in) })
	return in
}

func openInput(t *testing.T, b servers.Broker, h engine.Host, edit func(*Config)) *Input {
	t.Helper()
	in := newInput(t, b, edit)
	if err := in.Open(testContext(t), h); err != nil {
		t.Fatal(err)
	}
	return in
}

// put writes records to the partitions that they name.
func put(t *testing.T, b servers.Broker, recs ...*kgo.Record) {
	t.Helper()
	cl := b.Client(t, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0))
	if err := cl.ProduceSync(testContext(t), recs...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	cl.Close()
}

// putInTransaction writes records in a transaction that ends so.
func putInTransaction(t *testing.T, b servers.Broker, how kgo.TransactionEndTry, recs ...*kgo.Record) {
	t.Helper()
	cl := b.Client(t, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.TransactionalID(servers.UniqueName(t)))
	ctx := testContext(t)
	if err := cl.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := cl.ProduceSync(ctx, recs...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if err := cl.EndTransaction(ctx, how); err != nil {
		t.Fatal(err)
	}
	cl.Close()
}

func admin(t *testing.T, b servers.Broker) *kadm.Client {
	t.Helper()
	return kadm.NewClient(b.Client(t))
}

// deleteBefore removes the records of a partition before an offset, as
// retention does.
func deleteBefore(t *testing.T, b servers.Broker, topic string, partition int32, offset int64) {
	t.Helper()
	var list kadm.Offsets
	list.Add(kadm.Offset{Topic: topic, Partition: partition, At: offset})
	got, err := admin(t, b).DeleteRecords(testContext(t), list)
	if err == nil {
		err = got.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// position returns what the group has of a partition; -1: nothing.
func position(t *testing.T, b servers.Broker, group, topic string, partition int32) kadm.Offset {
	t.Helper()
	got, err := admin(t, b).FetchOffsets(testContext(t), group)
	if errors.Is(err, kerr.GroupIDNotFound) || kerr.IsRetriable(err) {
		return kadm.Offset{At: -1} // nobody has joined yet
	}
	if err != nil {
		t.Fatal(err)
	}
	o, ok := got.Lookup(topic, partition)
	if !ok {
		return kadm.Offset{At: -1}
	}
	return o.Offset
}

func setPosition(t *testing.T, b servers.Broker, group, topic string, partition int32, at int64) {
	t.Helper()
	var list kadm.Offsets
	list.Add(kadm.Offset{Topic: topic, Partition: partition, At: at, LeaderEpoch: -1})
	if err := admin(t, b).CommitAllOffsets(testContext(t), group, list); err != nil {
		t.Fatal(err)
	}
}

// readUntil reads and confirms until enough says so.
func readUntil(t *testing.T, in *Input, enough func(values map[string][]string) bool) map[string][]string {
	t.Helper()
	values := map[string][]string{}
	ctx := testContext(t)
	for !enough(values) {
		b, err := in.Read(ctx)
		if err != nil {
			t.Fatalf("%v; so far: %v", err, values)
		}
		gather(values, b)
	}
	return values
}

func gather(values map[string][]string, b *engine.Batch) {
	id := b.Source().Info().ID
	for i := range b.Len() {
		values[id] = append(values[id], string(b.Value.At(i)))
	}
	confirm(b)
}

func total(values map[string][]string) int {
	n := 0
	for _, v := range values {
		n += len(v)
	}
	return n
}

// readError reads until something goes wrong.
func readError(t *testing.T, in *Input) error {
	t.Helper()
	ctx := testContext(t)
	for {
		b, err := in.Read(ctx)
		if ctx.Err() != nil {
			t.Fatal("nothing went wrong")
		}
		if err != nil {
			return err
		}
		confirm(b)
	}
}

func isRetry(err error) bool {
	var retry *engine.RetryError
	return errors.As(err, &retry)
}

// inBackground reads in the background, confirming, and hands over what it got
// when it has ended by itself.
func inBackground(t *testing.T, in *Input) <-chan map[string][]string {
	t.Helper()
	out := make(chan map[string][]string, 1)
	ctx, cancel := context.WithCancel(testContext(t))
	ended := make(chan struct{})
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	go func() {
		defer close(ended)
		values := map[string][]string{}
		for {
			b, err := in.Read(ctx)
			if errors.Is(err, engine.ErrEnd) {
				out <- values
				return
			}
			if err != nil {
				if ctx.Err() == nil {
					t.Errorf("reading: %v", err)
				}
				return
			}
			gather(values, b)
		}
	}()
	return out
}
