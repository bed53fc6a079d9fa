package kafka

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	connkafka "github.com/flowrecords/flow/connections/kafka"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/internal/servers"
)

// load writes numbered records of several keys, a round of batches after the
// other.
type load struct {
	out  *Output
	n    int // records so far
	sent map[string][]string
}

const (
	loadKeys    = 16
	loadBatches = 10
	loadRecords = 20
)

func (l *load) round(t *testing.T) {
	t.Helper()
	if l.sent == nil {
		l.sent = map[string][]string{}
	}
	var batches []*engine.Batch
	for range loadBatches {
		b := engine.NewBatch()
		for range loadRecords {
			key, value := fmt.Sprintf("key-%d", l.n%loadKeys), strconv.Itoa(l.n)
			b.Key.Add([]byte(key))
			b.Value.Add([]byte(value))
			l.sent[key] = append(l.sent[key], value)
			l.n++
		}
		batches = append(batches, b)
	}
	for i, refused := range deliver(t, l.out, batches...) {
		if refused != nil {
			t.Fatalf("batch %d, refused: %v", i, refused)
		}
	}
}

// wantOnce checks that every record is there once, and in the order of its key.
func (l *load) wantOnce(t *testing.T, recs []*kgo.Record) {
	t.Helper()
	got := byKey(recs)
	for _, key := range slices.Sorted(maps.Keys(l.sent)) {
		if !slices.Equal(got[key], l.sent[key]) {
			t.Errorf("%s: %d records %s, want %d in order", key, len(got[key]), firstDifference(got[key], l.sent[key]), len(l.sent[key]))
		}
	}
}

func byKey(recs []*kgo.Record) map[string][]string {
	got := map[string][]string{}
	for _, r := range recs {
		got[string(r.Key)] = append(got[string(r.Key)], string(r.Value))
	}
	return got
}

func firstDifference(got, want []string) string {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return fmt.Sprintf("(record %d is %s, not %s)", i, got[i], want[i])
		}
	}
	return ""
}

// during writes rounds until a fault has been made and undone, and some more.
func (l *load) during(t *testing.T, fault func() error) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- fault() }()
	for {
		l.round(t)
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			l.round(t)
			return
		default:
		}
	}
}

// Answers that take the producer's numbers from it make the client begin a new
// epoch. Nothing is lost, repeated or put in another order; but where the client
// has forgotten a batch over it (see watch), batches of the engine come again.
func TestProducerStatesThatAreFatal(t *testing.T) {
	t.Parallel()
	for _, state := range []*kerr.Error{kerr.OutOfOrderSequenceNumber, kerr.UnknownProducerID, kerr.InvalidProducerEpoch, kerr.InvalidProducerIDMapping} {
		t.Run(state.Message, func(t *testing.T) {
			t.Parallel()
			c := startCluster(t, kfake.SeedTopics(4, "out"))
			o := testOutput(t, c, func(c *Config) { c.Linger = 0 })
			l := &load{out: o}
			l.round(t)
			id, epoch := producer(t, o)
			fault := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: state, Count: 5})
			for range 5 {
				l.round(t)
			}
			if fault.Hits() != 5 {
				t.Fatalf("%d hits: this run proves nothing", fault.Hits())
			}
			if id2, epoch2 := producer(t, o); id2 == id && epoch2 == epoch {
				t.Errorf("producer %d is still in epoch %d", id, epoch)
			}
			if !journalOf(o).has("stopped sending") {
				l.wantOnce(t, arrived(t, c.ListenAddrs(), "out", l.n))
				return
			}
			ends, err := o.admin.ListEndOffsets(testContext(t), "out")
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			ends.Each(func(e kadm.ListedOffset) { n += int(e.Offset) })
			got := byKey(arrived(t, c.ListenAddrs(), "out", n))
			for key, want := range l.sent {
				wantInOrder(t, got[key], want)
			}
		})
	}
}

func producer(t *testing.T, o *Output) (int64, int16) {
	t.Helper()
	id, epoch, err := o.client.ProducerID(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	return id, epoch
}

// Another process writes with our producer id and a later epoch, so that the
// broker refuses ours. The output goes on in a later one.
func TestProducerIsFenced(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c *cluster) {
		out := c.create(t, "out", 1, nil)
		o := testOutput(t, c, func(config *Config) { config.Topic = literal(out) })
		l := &load{out: o}
		l.round(t)
		id, epoch := producer(t, o)
		if err := c.produceAs(t, out, id, epoch+3); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			l.round(t)
		}
		if id2, epoch2 := producer(t, o); id2 == id && epoch2 <= epoch+3 {
			t.Errorf("the producer is in epoch %d: it was not fenced", epoch2)
		}
		recs := arrived(t, c.addrs, out, l.n+1)
		l.wantOnce(t, slices.DeleteFunc(recs, func(r *kgo.Record) bool { return string(r.Value) == "alien" }))
	})
}

// produceAs writes one record under a producer id and epoch, as its first one.
func (c *cluster) produceAs(t *testing.T, topic string, id int64, epoch int16) error {
	t.Helper()
	record := kmsg.Record{Value: []byte("alien")}
	body := record.AppendTo(nil)
	record.Length = int32(len(body)) - 1 // the length of a length of 0 is one byte
	body = record.AppendTo(nil)
	now := time.Now().UnixMilli()
	rb := kmsg.RecordBatch{
		PartitionLeaderEpoch: -1, Magic: 2, FirstTimestamp: now, MaxTimestamp: now,
		ProducerID: id, ProducerEpoch: epoch, NumRecords: 1, Records: body,
	}
	raw := rb.AppendTo(nil)
	rb.Length = int32(len(raw) - 12)
	rb.CRC = int32(crc32.Checksum(rb.AppendTo(nil)[21:], crc32.MakeTable(crc32.Castagnoli)))
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.addrs...))
	if err != nil {
		return err
	}
	defer cl.Close()
	req := kmsg.NewPtrProduceRequest()
	req.Acks, req.TimeoutMillis = -1, 10000
	rt := kmsg.NewProduceRequestTopic()
	rt.Topic = topic
	topics, err := c.admin(t).ListTopics(testContext(t), topic)
	if err != nil {
		return err
	}
	rt.TopicID = topics[topic].ID
	rp := kmsg.NewProduceRequestTopicPartition()
	rp.Records = rb.AppendTo(nil)
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	resp, err := cl.Broker(int(topics[topic].Partitions[0].Leader)).Request(testContext(t), req)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(resp.(*kmsg.ProduceResponse).Topics[0].Partitions[0].ErrorCode)
}

// A client whose producer id has failed for good fails every record after it.
// It is replaced.
func TestProducerIDFailsForGood(t *testing.T) {
	t.Parallel()
	c := startCluster(t, kfake.SeedTopics(4, "out"))
	fault := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Err: kerr.UnknownServerError, Count: 2})
	o := testOutput(t, c, nil)
	l := &load{out: o}
	l.round(t)
	if fault.Hits() != 2 || !journalOf(o).has("the client was replaced") {
		t.Fatalf("%d hits: this run proves nothing", fault.Hits())
	}
	l.wantOnce(t, arrived(t, c.ListenAddrs(), "out", l.n))
}

// Who may not have a producer id at all is told so, and nothing is lost.
func TestProducerIDIsRefused(t *testing.T) {
	t.Parallel()
	c := startCluster(t, kfake.SeedTopics(1, "out"))
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Err: kerr.ClusterAuthorizationFailed, Count: -1})
	o := testOutput(t, c, nil)
	p := newPending(t, o)
	p.write(batch("1"))
	err := p.wait()[0]
	var retry *engine.RetryError
	if !errors.Is(err, kerr.ClusterAuthorizationFailed) || errors.As(err, &retry) {
		t.Errorf("%v, want an error that stops the pipeline", err)
	}
}

// Requests of all partitions fail again and again in all ways that a broker
// takes back, some after they were carried out, and connections break.
func TestStormOfTransientErrors(t *testing.T) {
	t.Parallel()
	c := startCluster(t, kfake.NumBrokers(3), kfake.SeedTopics(4, "out"))
	o := testOutput(t, c, func(c *Config) { c.Linger = 0 })
	l := &load{out: o}
	l.round(t)
	var faults []*kfake.FaultHandle
	for i, err := range []*kerr.Error{
		kerr.NotLeaderForPartition, kerr.LeaderNotAvailable, kerr.RequestTimedOut, kerr.NotEnoughReplicas,
		kerr.NotEnoughReplicasAfterAppend, kerr.KafkaStorageError, kerr.NetworkException, kerr.FencedLeaderEpoch,
	} {
		var seen atomic.Int64
		faults = append(faults, c.Fault(kfake.Fault{
			Keys: []kmsg.Key{kmsg.Produce}, Err: err, Count: 2,
			When: func(kmsg.Request) bool { return seen.Add(1)%5 == int64(i%5) },
		}))
	}
	hits := func() (n int) {
		for _, f := range faults {
			n += f.Hits()
		}
		return n
	}
	for rounds := 0; hits() < 2*len(faults) && rounds < 200; rounds++ {
		l.round(t)
		if rounds%3 == 0 {
			c.ShufflePartitionLeaders()
		}
	}
	if hits() != 2*len(faults) {
		t.Fatalf("%d faults, want %d", hits(), 2*len(faults))
	}
	l.wantOnce(t, arrived(t, c.ListenAddrs(), "out", l.n))
}

// Brokers hang up on every request of a kind for longer than every time limit
// of the client allows: first on those for a producer id, then on those that
// write.
func TestOutageLongerThanAllTimeouts(t *testing.T) {
	t.Parallel()
	const hangUps = 5
	for _, key := range []kmsg.Key{kmsg.InitProducerID, kmsg.Produce} {
		t.Run(key.Name(), func(t *testing.T) {
			t.Parallel()
			c := startCluster(t, kfake.SeedTopics(4, "out"))
			config := connkafka.Defaults()
			config.Brokers = c.ListenAddrs()
			config.DialTimeout, config.RequestTimeout, config.RetryTimeout = 100*time.Millisecond, 100*time.Millisecond, 200*time.Millisecond
			config.MetadataMinAge = 10 * time.Millisecond
			o := openOutput(t, engine.ConnectionRef{Value: connkafka.New(config)}, func(c *Config) { c.AckTimeout = 100 * time.Millisecond })
			until := time.Now().Add(2 * time.Second)
			n, over := 0, make(chan struct{})
			c.ControlKey(int16(key), func(kmsg.Request) (kmsg.Response, error, bool) {
				c.KeepControl()
				switch {
				case n < 0:
					return nil, nil, false
				case n >= hangUps && time.Now().After(until):
					n = -1
					close(over)
					return nil, nil, false
				}
				n++
				return nil, errors.New("hang up"), true
			})
			l := &load{out: o}
			l.during(t, func() error { <-over; return nil })
			l.wantOnce(t, arrived(t, c.ListenAddrs(), "out", l.n))
		})
	}
}

// Brokers of a real cluster are killed, stopped and paused, and leaders moved,
// while records come. Each is there once, in the order of its key.
func TestFaultsOfRealBrokers(t *testing.T) {
	t.Parallel()
	c := ownReal(t, 3)
	out := c.create(t, "out", 4, nil)
	config := connkafka.Defaults()
	config.Brokers = c.addrs
	config.DialTimeout, config.RequestTimeout, config.RetryTimeout = time.Second, time.Second, 2*time.Second
	config.MetadataMinAge = 50 * time.Millisecond
	ref := engine.ConnectionRef{Value: connkafka.New(config)}
	o := openOutput(t, ref, func(config *Config) { config.Topic, config.AckTimeout = literal(out), time.Second })
	l := &load{out: o}
	l.round(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	leader := func() (int, error) { return c.real.Leader(ctx, out, 0) }
	faults := []struct {
		name string
		make func() error
	}{
		{"leader moved", func() error {
			from, err := leader()
			if err != nil {
				return err
			}
			return c.real.MoveLeader(ctx, out, 0, from%3+1)
		}},
		{"leader killed", func() error {
			id, err := leader()
			if err == nil {
				err = c.real.Kill(id)
			}
			if err == nil {
				err = waitOther(ctx, c.real, out, id)
			}
			return errors.Join(err, c.real.Start(id))
		}},
		{"leader restarted", func() error {
			id, err := leader()
			if err == nil {
				err = c.real.Stop(id)
			}
			return errors.Join(err, c.real.Start(id))
		}},
		{"leader paused for longer than its session", func() error {
			id, err := leader()
			if err == nil {
				err = c.real.Pause(id)
			}
			if err == nil {
				err = waitOther(ctx, c.real, out, id)
			}
			return errors.Join(err, c.real.Resume(id))
		}},
		{"fewer replicas than a write needs", func() error {
			err := errors.Join(c.real.Kill(2), c.real.Kill(3))
			<-time.After(5 * time.Second) // longer than every limit above
			return errors.Join(err, c.real.Start(2), c.real.Start(3))
		}},
	}
	for _, f := range faults {
		before := l.n
		begin := time.Now()
		l.during(t, f.make)
		t.Logf("%s: %d records in %s", f.name, l.n-before, time.Since(begin).Round(time.Millisecond))
	}
	// Kafka's own client counts, so that the check does not rest on the one
	// that has written.
	var recs []*kgo.Record
	for _, r := range servers.ConsoleConsume(t, c.real, out, true) {
		recs = append(recs, &kgo.Record{Key: r.Key, Value: r.Value})
	}
	if len(recs) != l.n {
		t.Errorf("%d records, want %d", len(recs), l.n)
	}
	l.wantOnce(t, recs)
	t.Run("acks", func(t *testing.T) { testAcks(t, c) })
}

// One replica is away of a topic that asks for all three: all waits for it,
// leader and none do not.
func testAcks(t *testing.T, c *cluster) {
	out := c.create(t, "out", 1, map[string]string{"min.insync.replicas": "3"})
	if err := c.real.Kill(3); err != nil {
		t.Fatal(err)
	}
	open := func(acks string) *pending {
		return newPending(t, testOutput(t, c, func(config *Config) { config.Topic, config.Acks = literal(out), acks }))
	}
	all := open("all")
	all.write(batch("all"))
	for _, acks := range []string{"leader", "none"} {
		p := open(acks)
		p.write(batch(acks))
		if err := p.wait()[0]; err != nil {
			t.Error(err)
		}
	}
	select {
	case r := <-all.errs:
		t.Errorf("acks=all ended with %v though a replica is away", r.err)
	default:
	}
	if err := c.real.Start(3); err != nil {
		t.Fatal(err)
	}
	if err := all.wait()[0]; err != nil {
		t.Error(err)
	}
	// Readers see what the leader alone has only when the replica is back.
	got := texts(arrived(t, c.addrs, out, 3))
	slices.Sort(got)
	if !slices.Equal(got, []string{"all", "leader", "none"}) {
		t.Errorf("arrived: %v", got)
	}
}

// waitOther waits until another broker leads.
func waitOther(ctx context.Context, c *servers.Cluster, topic string, than int) error {
	for {
		if id, err := c.Leader(ctx, topic, 0); err == nil && id != than {
			return nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("broker %d still leads: %w", than, ctx.Err())
		}
	}
}

// The broker forgets producers that have not written for a while. The output
// does not notice.
func TestProducerIsForgotten(t *testing.T) {
	t.Parallel()
	real := servers.Kafka(t, servers.KafkaOptions{Properties: map[string]string{
		"producer.id.expiration.ms": "500", "producer.id.expiration.check.interval.ms": "100",
	}})
	c := &cluster{addrs: real.Addrs(), real: real}
	out := c.create(t, "out", 1, nil)
	o := testOutput(t, c, func(config *Config) { config.Topic = literal(out) })
	l := &load{out: o}
	for range 3 {
		l.round(t)
		waitFor(t, func() bool { return c.producers(t, out) == 0 })
	}
	l.wantOnce(t, arrived(t, c.addrs, out, l.n))
}

// producers is how many producers a broker remembers for partition 0.
func (c *cluster) producers(t *testing.T, topic string) int {
	t.Helper()
	set := kadm.TopicsSet{}
	set.Add(topic, 0)
	all, err := c.admin(t).DescribeProducers(testContext(t), set)
	if err != nil {
		t.Fatal(err)
	}
	return len(all[topic].Partitions[0].ActiveProducers)
}
