package kafka

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

func TestWritesAllPartsOfARecord(t *testing.T) {
	t.Parallel()
	onEach(t, testWritesAllParts)
}

func testWritesAllParts(t *testing.T, c *cluster) {
	out := c.create(t, "out", 1, nil)
	at := time.Date(2026, 3, 4, 5, 6, 7, 8e6, time.UTC)
	b := engine.NewBatch()
	b.Value.Add([]byte("v"))
	b.Value.Add(nil)
	b.Value.Add([]byte{})
	b.Key.Add([]byte("k"))
	b.Key.Add([]byte{})
	b.Key.Add(nil)
	b.Timestamps = []int64{at.UnixNano(), engine.NoTimestamp, at.UnixNano()}
	b.Headers.List = []record.Header{{Key: "a", Value: []byte("1")}, {Key: "a", Value: nil}, {Key: "b", Value: []byte{}}}
	b.Headers.Ends = []uint32{2, 2, 3}
	before := time.Now().Truncate(time.Millisecond)
	o := testOutput(t, c, func(config *Config) { config.Topic = literal(out) })
	if refused := deliver(t, o, b)[0]; refused != nil {
		t.Fatal(refused)
	}
	recs := arrived(t, c.addrs, out, 3)
	if r := recs[0]; string(r.Value) != "v" || string(r.Key) != "k" || !r.Timestamp.Equal(at) {
		t.Errorf("first record %q %q %s", r.Key, r.Value, r.Timestamp)
	}
	if r := recs[1]; r.Value != nil || r.Key == nil || len(r.Key) != 0 || r.Timestamp.Before(before) {
		t.Errorf("tombstone %#v %#v %s", r.Key, r.Value, r.Timestamp)
	}
	if r := recs[2]; r.Value == nil || len(r.Value) != 0 || r.Key != nil {
		t.Errorf("empty value %#v %#v", r.Key, r.Value)
	}
	hs := recs[0].Headers
	if len(hs) != 2 || string(hs[0].Value) != "1" || hs[1].Value != nil || len(recs[1].Headers) != 0 || recs[2].Headers[0].Value == nil {
		t.Errorf("headers %v, %v, %v", hs, recs[1].Headers, recs[2].Headers)
	}
}

func TestExpressions(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	boom := errors.New("boom")
	tests := []struct {
		name string
		edit func(*Config)
		want func(*kgo.Record) bool
		fail string
	}{
		{name: "key", edit: func(c *Config) { c.Key = expr(value(record.StringValue("new"))) },
			want: func(r *kgo.Record) bool { return string(r.Key) == "new" }},
		{name: "key is a number", edit: func(c *Config) { c.Key = expr(value(record.IntValue(7))) },
			want: func(r *kgo.Record) bool { return string(r.Key) == "7" }},
		{name: "key is null", edit: func(c *Config) { c.Key = expr(value(record.NullValue())) },
			want: func(r *kgo.Record) bool { return r.Key == nil }},
		{name: "key is empty", edit: func(c *Config) { c.Key = expr(value(record.StringValue(""))) },
			want: func(r *kgo.Record) bool { return r.Key != nil && len(r.Key) == 0 }},
		{name: "key fails", edit: func(c *Config) {
			c.Key = expr(func(*record.Record) (record.Value, error) { return record.Value{}, boom })
		}, fail: "key: boom"},
		{name: "partition", edit: func(c *Config) { c.Partition = expr(value(record.IntValue(2))) },
			want: func(r *kgo.Record) bool { return r.Partition == 2 }},
		{name: "partition is null", edit: func(c *Config) { c.Partition = expr(value(record.NullValue())) },
			want: func(r *kgo.Record) bool { return string(r.Key) == "k" }},
		{name: "partition is not there", edit: func(c *Config) { c.Partition = expr(value(record.IntValue(3))) },
			fail: "topic out has no partition 3, only 3 of them"},
		{name: "partition is negative", edit: func(c *Config) { c.Partition = expr(value(record.IntValue(-1))) },
			fail: "partition: -1 is no partition number"},
		{name: "partition is a text", edit: func(c *Config) { c.Partition = expr(value(record.StringValue("x"))) },
			fail: "partition: x is no partition number"},
		{name: "timestamp", edit: func(c *Config) { c.Timestamp = expr(value(record.TimeValue(at))) },
			want: func(r *kgo.Record) bool { return r.Timestamp.Equal(at) }},
		{name: "timestamp in milliseconds", edit: func(c *Config) { c.Timestamp = expr(value(record.IntValue(at.UnixMilli()))) },
			want: func(r *kgo.Record) bool { return r.Timestamp.Equal(at) }},
		{name: "timestamp is null", edit: func(c *Config) { c.Timestamp = expr(value(record.NullValue())) },
			want: func(r *kgo.Record) bool { return r.Timestamp.UnixMilli() == 1000 }},
		{name: "timestamp before 1970", edit: func(c *Config) { c.Timestamp = expr(value(record.IntValue(-1))) },
			fail: "topic out: " + errNegative.Error()},
		{name: "timestamp is a text", edit: func(c *Config) { c.Timestamp = expr(value(record.StringValue("x"))) },
			fail: "timestamp: x is neither a time nor milliseconds since 1970"},
		{name: "headers", edit: func(c *Config) {
			c.Headers = engine.NamedExpressions{
				{Name: "a", Expr: expr(value(record.StringValue("new")))},
				{Name: "z", Expr: expr(value(record.BoolValue(true)))},
				{Name: "none", Expr: expr(value(record.NullValue()))},
			}
		}, want: func(r *kgo.Record) bool {
			return len(r.Headers) == 3 && r.Headers[0].Key == "b" && string(r.Headers[1].Value) == "new" && string(r.Headers[2].Value) == "true"
		}},
		{name: "topic fails", edit: func(c *Config) { c.Topic = topicTemplate() }, fail: "topic: no topic"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			onEach(t, func(t *testing.T, c *cluster) { testExpression(t, c, tt.edit, tt.want, tt.fail) })
		})
	}
}

func testExpression(t *testing.T, c *cluster, edit func(*Config), want func(*kgo.Record) bool, fail string) {
	out := c.create(t, "out", 3, nil)
	b := batch("v")
	b.Key.Add([]byte("k"))
	b.Timestamps = []int64{1e9}
	b.Headers.List = []record.Header{{Key: "a", Value: []byte("old")}, {Key: "b", Value: []byte("b")}}
	b.Headers.Ends = []uint32{2}
	o := testOutput(t, c, func(config *Config) {
		config.Topic = literal(out)
		edit(config)
	})
	refused := deliver(t, o, b)[0]
	if fail != "" {
		fail = strings.ReplaceAll(fail, "topic out", "topic "+out)
		if len(refused) != 1 || refused[0].Error() != fail {
			t.Fatalf("refused: %v, want %q", refused, fail)
		}
		return
	}
	if refused != nil {
		t.Fatal(refused)
	}
	if r := arrived(t, c.addrs, out, 1)[0]; !want(r) || string(r.Value) != "v" {
		t.Errorf("record %+v", r)
	}
}

func TestOrderOverManyBatches(t *testing.T) {
	t.Parallel()
	for _, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		t.Run(codec, func(t *testing.T) {
			t.Parallel()
			onEach(t, func(t *testing.T, c *cluster) {
				out := c.create(t, "out", 1, nil)
				o := testOutput(t, c, func(config *Config) {
					config.Topic = literal(out)
					config.Compression = codec
					config.MaxBuffered = 1 << 20 // writes wait for each other
				})
				var batches []*engine.Batch
				for i := range 100 {
					batches = append(batches, batch(numbers(i*100, 100)...))
				}
				deliver(t, o, batches...)
				if got := texts(arrived(t, c.addrs, out, 10000)); !slices.Equal(got, numbers(0, 10000)) {
					t.Error("the records are out of order")
				}
			})
		})
	}
}

func TestTopicOfEachRecord(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c *cluster) {
		first, second := c.create(t, "a", 1, nil), c.create(t, "b", 1, nil)
		o := testOutput(t, c, func(c *Config) { c.Topic = topicTemplate() })
		b := batch("1", "2", "3", "4", "5")
		b.Topics = []string{first, second, first, first + "-missing", "a@b"}
		refused := deliver(t, o, b)[0]
		if len(refused) != 2 || !errors.Is(refused[3], kerr.UnknownTopicOrPartition) || !strings.Contains(refused[3].Error(), "create_topics") {
			t.Errorf("refused: %v", refused)
		}
		if refused[4] == nil || !strings.Contains(refused[4].Error(), `"a@b" is no name of a topic`) {
			t.Errorf("the name that Kafka does not know: %v", refused[4])
		}
		if got := texts(arrived(t, c.addrs, first, 2)); !slices.Equal(got, []string{"1", "3"}) {
			t.Errorf("topic a has %v", got)
		}
		if got := texts(arrived(t, c.addrs, second, 1)); !slices.Equal(got, []string{"2"}) {
			t.Errorf("topic b has %v", got)
		}
	})
}

func TestTopicThatCannotBeCreated(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	fault := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Topic: "bad", Err: kerr.PolicyViolation, Count: -1})
	o := testOutput(t, c, func(c *Config) {
		c.Topic = topicTemplate()
		c.CreateTopics = &CreateTopics{}
	})
	b := batch("1", "2", "3")
	b.Topics = []string{"bad", "fine", "bad"}
	refused := deliver(t, o, b)[0]
	if len(refused) != 2 || !errors.Is(refused[0], kerr.PolicyViolation) || !errors.Is(refused[2], kerr.PolicyViolation) {
		t.Fatalf("refused: %v, want the first and the last record", refused)
	}
	if fault.Hits() != 1 {
		t.Errorf("%d tries to create the topic, want one for all records", fault.Hits())
	}
	arrived(t, c.ListenAddrs(), "fine", 1)
}

func TestTooLargeARecordFailsAlone(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		limit string // of the topic
		edit  func(*Config)
		large int
		rest  int
	}{
		{name: "for the topic", limit: "2000", large: 3000, rest: 500},
		{name: "for a batch", edit: func(c *Config) { c.BatchBytes = 2000 }, large: 3000, rest: 500},
		{name: "for the topic, with batches of several", limit: "5000", large: 6000, rest: 2000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			onEach(t, func(t *testing.T, c *cluster) {
				configs := map[string]string{}
				if tt.limit != "" {
					configs["max.message.bytes"] = tt.limit
				}
				out := c.create(t, "out", 1, configs)
				o := testOutput(t, c, func(config *Config) {
					config.Topic, config.Compression = literal(out), "none"
					if tt.edit != nil {
						tt.edit(config)
					}
				})
				rest := strings.Repeat("x", tt.rest)
				refused := deliver(t, o,
					batch("1"+rest, strings.Repeat("y", tt.large), "2"+rest),
					batch("3"+rest, "4"+rest))
				if len(refused[0]) != 1 || !errors.Is(refused[0][1], kerr.MessageTooLarge) || refused[1] != nil {
					t.Fatalf("refused: %v", refused)
				}
				got := texts(arrived(t, c.addrs, out, 4)) // and no more: nothing came twice
				for i, v := range got {
					if v[0] != byte('1'+i) {
						t.Errorf("record %d is %q", i, v[:1])
					}
				}
			})
		})
	}
}

// A broker's refusal that could not be foreseen hits all records that the
// client holds for the partition. Only the one that is refused when it is
// sent alone may fail, and the last copies of the others are in order.
func TestBrokerRefusesARecord(t *testing.T) {
	t.Parallel()
	c := startCluster(t, kfake.SeedTopics(1, "out"))
	hits := make(chan struct{}, 1000)
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.InvalidRecord, Count: -1, When: holds("bad", hits)})
	o := testOutput(t, c, func(c *Config) { c.Compression = "none" })
	var batches []*engine.Batch
	for i := range 50 {
		batches = append(batches, batch(numbers(i*10, 10)...))
	}
	bad := batch("500", "bad", "501")
	batches = append(batches[:25], append([]*engine.Batch{bad}, batches[25:]...)...)
	refused := deliver(t, o, batches...)
	if len(hits) < 2 {
		t.Fatalf("%d refusals: this run proves nothing", len(hits))
	}
	for i, r := range refused {
		if i == 25 && (len(r) != 1 || !errors.Is(r[1], kerr.InvalidRecord)) || i != 25 && r != nil {
			t.Errorf("batch %d, refused: %v", i, r)
		}
	}
	end := c.PartitionInfo("out", 0).HighWatermark
	got := texts(arrived(t, c.ListenAddrs(), "out", int(end)))
	wantInOrder(t, got, append(append(numbers(0, 250), "500", "501"), numbers(250, 250)...))
}

// holds reports requests to produce a record of that value.
func holds(value string, hits chan<- struct{}) func(kmsg.Request) bool {
	return func(req kmsg.Request) bool {
		for _, topic := range req.(*kmsg.ProduceRequest).Topics {
			for _, p := range topic.Partitions {
				var rb kmsg.RecordBatch
				if err := rb.ReadFrom(p.Records); err != nil {
					panic(err)
				}
				recs, err := kfake.BatchRecords(rb)
				if err != nil {
					panic(err)
				}
				for _, r := range recs {
					if string(r.Value) == value {
						hits <- struct{}{}
						return true
					}
				}
			}
		}
		return false
	}
}

// A batch that reaches the broker after another one was refused, and before
// the output knows of the refusal, does not count as written: it comes again
// behind the refused one.
func TestBatchThatOvertakesARefusedOneComesAgain(t *testing.T) {
	t.Parallel()
	c := startCluster(t, kfake.SeedTopics(1, "out"))
	hits := make(chan struct{}, 1000)
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.InvalidRecord, Count: -1, When: holds("bad", hits)})
	o := testOutput(t, c, func(c *Config) {
		c.Compression = "none"
		c.Linger = 0
	})
	// The answer to the first batch holds up the client's answers.
	blocked, release := make(chan struct{}), make(chan struct{})
	o.Write(testContext(t), batch("first"), func(error) {
		close(blocked)
		<-release
	})
	<-blocked
	p := newPending(t, o)
	refused := batch("1", "bad", "2")
	p.write(refused)
	<-hits
	batches := []*engine.Batch{refused}
	waitFor(t, func() bool {
		b := batch(strconv.Itoa(2 + len(batches)))
		p.write(b)
		batches = append(batches, b)
		return c.PartitionInfo("out", 0).HighWatermark > 1 // one has overtaken
	})
	close(release)
	for i, err := range p.wait() {
		var retry *engine.RetryError
		if !errors.As(err, &retry) {
			t.Errorf("batch %d: %v, want to see it again", i, err)
		}
	}
	if r := deliver(t, o, batches...)[0]; len(r) != 1 || !errors.Is(r[1], kerr.InvalidRecord) {
		t.Errorf("refused: %v", r)
	}
	want := append([]string{"first"}, numbers(1, 1+len(batches))...)
	wantInOrder(t, texts(arrived(t, c.ListenAddrs(), "out", int(c.PartitionInfo("out", 0).HighWatermark))), want)
}

// waitFor waits for a condition that has no signal.
func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("the condition did not come true")
		}
	}
}

// wantInOrder checks that the last copies of all records are there in order:
// records that the client took before the failure was known may have come
// early, and then come again.
func wantInOrder(t *testing.T, got, want []string) {
	t.Helper()
	last := map[string]int{}
	for i, v := range got {
		last[v] = i
	}
	at := -1
	for _, v := range want {
		i, ok := last[v]
		if !ok {
			t.Fatalf("%q is missing", v)
		}
		if i < at {
			t.Fatalf("the last %q comes too early", v)
		}
		at = i
	}
	if len(last) != len(want) {
		t.Errorf("%d different records, want %d", len(last), len(want))
	}
	t.Logf("%d records, %d of them repeats", len(got), len(got)-len(want))
}

func TestCompactedTopicNeedsAKey(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c *cluster) {
		out := c.create(t, "out", 1, map[string]string{"cleanup.policy": "compact"})
		o := testOutput(t, c, func(c *Config) { c.Topic = literal(out) })
		b := batch("1", "2", "3")
		b.Key.Add([]byte("k"))
		b.Key.Add(nil)
		b.Key.Add([]byte("l"))
		refused := deliver(t, o, b)[0]
		if len(refused) != 1 || !errors.Is(refused[1], errNoKey) {
			t.Fatalf("refused: %v", refused)
		}
		if got := texts(arrived(t, c.addrs, out, 2)); !slices.Equal(got, []string{"1", "3"}) {
			t.Errorf("arrived: %v", got)
		}
	})
}

// Answers that a broker takes back are the client's business.
func TestTransientErrorsAreRetried(t *testing.T) {
	t.Parallel()
	c := startCluster(t, kfake.SeedTopics(1, "out"))
	for _, err := range []*kerr.Error{kerr.NotLeaderForPartition, kerr.RequestTimedOut, kerr.NotEnoughReplicas} {
		fault := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: err})
		o := testOutput(t, c, nil)
		if refused := deliver(t, o, batch("1"))[0]; refused != nil {
			t.Fatal(refused)
		}
		if fault.Hits() != 1 {
			t.Fatalf("%v: %d hits", err, fault.Hits())
		}
	}
	arrived(t, c.ListenAddrs(), "out", 3)
}

// The broker goes away for a while and comes back at the same address with its
// data: everything that was handed over arrives, in order and once.
func TestBrokerAway(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.DataDir(dir), kfake.SeedTopics(1, "out"))
	if err != nil {
		t.Fatal(err)
	}
	addrs := c.ListenAddrs()
	o := openOutput(t, connect(addrs), nil)
	deliver(t, o, batch(numbers(0, 10)...))
	c.Close()

	p := newPending(t, o)
	for i := range 9 {
		p.write(batch(numbers(10+i*10, 10)...))
	}
	select {
	case r := <-p.errs:
		t.Fatalf("a batch ended while the broker was away: %v", r.err)
	default:
	}
	port := strings.TrimPrefix(addrs[0], "127.0.0.1:")
	back, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.DataDir(dir), kfake.Ports(atoi(t, port)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(back.Close)
	for i, err := range p.wait() {
		if err != nil {
			t.Errorf("batch %d: %v", i, err)
		}
	}
	if got := texts(arrived(t, addrs, "out", 100)); !slices.Equal(got, numbers(0, 100)) {
		t.Errorf("arrived: %v", got)
	}
}

// Close does not wait longer than its context for a broker that is away; the
// records it gives up are not confirmed.
func TestCloseWithoutABroker(t *testing.T) {
	t.Parallel()
	c := startCluster(t, kfake.SeedTopics(1, "out"))
	config := Defaults()
	config.Connection, config.Topic = connect(c.ListenAddrs()), literal("out")
	o, err := New(config, engine.Env{})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Open(testContext(t)); err != nil {
		t.Fatal(err)
	}
	deliver(t, o, batch("1"))
	c.Close()
	ended := make(chan error, 1)
	o.Write(testContext(t), batch("2"), func(err error) { ended <- err })
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := o.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("closing: %v", err)
	}
	select {
	case err := <-ended:
		if err == nil {
			t.Error("a record that no broker has was confirmed")
		}
	default:
		t.Error("the batch has no result after Close")
	}
}

func TestWriteWaitsForRoom(t *testing.T) {
	t.Parallel()
	c := startCluster(t, kfake.SeedTopics(1, "out"))
	o := testOutput(t, c, func(c *Config) {
		c.BatchBytes = 64 << 10
		c.MaxBuffered = 64 << 10
	})
	release := make(chan struct{})
	asked := make(chan struct{}, 1)
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		select {
		case asked <- struct{}{}:
		default:
		}
		<-release
		return nil, nil, false
	})
	p := newPending(t, o)
	p.write(batch(strings.Repeat("x", 40<<10)))
	second := make(chan struct{})
	go func() {
		defer close(second)
		p.write(batch(strings.Repeat("y", 40<<10)))
	}()
	<-asked
	select {
	case <-second:
		t.Error("Write took more than max_buffered")
	default:
	}
	close(release)
	<-second
	for i, err := range p.wait() {
		if err != nil {
			t.Errorf("batch %d: %v", i, err)
		}
	}
	arrived(t, c.ListenAddrs(), "out", 2)
}

func TestOpenWithoutABroker(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	config := Defaults()
	config.Connection, config.Topic = connect(c.ListenAddrs()), literal("out")
	c.Close()
	o, err := New(config, engine.Env{})
	if err != nil {
		t.Fatal(err)
	}
	var retry *engine.RetryError
	if err := o.Open(testContext(t)); !errors.As(err, &retry) {
		t.Errorf("opening: %v", err)
	}
	if err := o.Close(testContext(t)); err != nil {
		t.Error(err)
	}
}
