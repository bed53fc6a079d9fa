package kafka

import (
	"bytes"
	"context"
	"errors"
	"net"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/limits"
)

func bounded(topics ...string) func(*Config) {
	return func(c *Config) {
		c.Topics = topics
		c.Until = "end"
	}
}

func TestReadsAllPartsOfARecord(t *testing.T) {
	t.Parallel()
	c := startCluster(t, kfake.SeedTopics(1, "orders"))
	at := time.Date(2026, 3, 4, 5, 6, 7, 8e6, time.UTC)
	produce(t, c,
		&kgo.Record{Topic: "orders", Key: []byte("k"), Value: []byte("v"), Timestamp: at,
			Headers: []kgo.RecordHeader{{Key: "a", Value: []byte("1")}, {Key: "a", Value: []byte("2")}, {Key: "n"}, {Key: "e", Value: []byte{}}}},
		&kgo.Record{Topic: "orders", Key: []byte("k"), Timestamp: at},
		&kgo.Record{Topic: "orders", Key: []byte{}, Value: []byte{}, Timestamp: at},
		&kgo.Record{Topic: "orders", Value: []byte("line\nbreak"), Timestamp: at},
	)
	in := testInput(t, c, newHost(), bounded("orders"))
	list := readN(t, in, 4)
	if len(list) != 1 {
		t.Fatalf("%d batches, want one", len(list))
	}
	b := list[0]
	if got := b.Value.At(0); string(got) != "v" {
		t.Errorf("value %q", got)
	}
	if b.Value.At(1) != nil {
		t.Errorf("a tombstone has become %q", b.Value.At(1))
	}
	if v := b.Value.At(2); v == nil || len(v) != 0 {
		t.Errorf("an empty value has become %#v", v)
	}
	if k := b.Key.At(2); k == nil || len(k) != 0 {
		t.Errorf("an empty key has become %#v", k)
	}
	if b.Key.At(3) != nil {
		t.Errorf("a null key has become %q", b.Key.At(3))
	}
	if string(b.Key.At(0)) != "k" || string(b.Value.At(3)) != "line\nbreak" {
		t.Errorf("key %q, value %q", b.Key.At(0), b.Value.At(3))
	}
	for i := range 4 {
		if b.Timestamps[i] != at.UnixNano() {
			t.Errorf("timestamp %d is %d, want %d", i, b.Timestamps[i], at.UnixNano())
		}
		if b.Offset(i) != int64(i) || b.Topic(i) != "orders" {
			t.Errorf("record %d has offset %d and topic %s", i, b.Offset(i), b.Topic(i))
		}
	}
	if got := b.Origin(3); got != "orders/0/3" {
		t.Errorf("origin %q", got)
	}
	hs := b.Headers.At(0)
	if len(hs) != 4 || hs[0].Key != "a" || string(hs[0].Value) != "1" || string(hs[1].Value) != "2" ||
		hs[2].Value != nil || hs[3].Value == nil {
		t.Errorf("headers %v", hs)
	}
	if len(b.Headers.At(1)) != 0 {
		t.Errorf("record without headers has %v", b.Headers.At(1))
	}
	confirm(list...)
	if _, err := in.Read(testContext(t)); !errors.Is(err, engine.ErrEnd) {
		t.Errorf("after the last record: %v", err)
	}
}

func TestColumnsAreThereOnlyWhenUsed(t *testing.T) {
	t.Parallel()
	c := startCluster(t, kfake.SeedTopics(1, "orders"))
	produce(t, c, numbered("orders", 0, 0, 3)...)
	in := testInput(t, c, newHost(), bounded("orders"))
	list := readN(t, in, 3)
	if b := list[0]; len(b.Key.Spans) != 0 || len(b.Headers.Ends) != 0 {
		t.Errorf("unused columns are filled: %d keys, %d headers", len(b.Key.Spans), len(b.Headers.Ends))
	}
	confirm(list...)
}

func TestOrderAndLimitsPerPartition(t *testing.T) {
	t.Parallel()
	const n = 3000
	c := startCluster(t, kfake.SeedTopics(3, "orders"))
	for p := range int32(3) {
		produce(t, c, numbered("orders", p, int(p)*n, n)...)
	}
	h := newHost()
	h.limits.Records = 100
	in := testInput(t, c, h, bounded("orders"))
	batches, values := readAll(t, in)
	if batches < 3*n/100 {
		t.Errorf("%d batches for %d records, at most 100 in each", batches, 3*n)
	}
	wantNumbers(t, values["orders/0"], 0, n)
	wantNumbers(t, values["orders/1"], n, n)
	wantNumbers(t, values["orders/2"], 2*n, n)
	if p := in.Progress(); p.Done == 0 || p.Done != p.Total {
		t.Errorf("progress at the end: %+v", p)
	}
}

func TestBytesOfABatchAreLimited(t *testing.T) {
	t.Parallel()
	c := startCluster(t, kfake.SeedTopics(1, "orders"))
	big := bytes.Repeat([]byte("x"), 1000)
	for range 20 {
		produce(t, c, &kgo.Record{Topic: "orders", Key: big[:10], Value: big})
	}
	h := newHost()
	h.limits.Bytes = 3500
	in := testInput(t, c, h, bounded("orders"))
	list := readN(t, in, 20)
	for _, b := range list {
		if b.Len() > 3 {
			t.Errorf("a batch of %d records of 1010 bytes, the limit is 3500", b.Len())
		}
	}
	confirm(list...)
}

func TestBoundedInputEnds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		edit func(*Config)
		prep func(t *testing.T, c *kfake.Cluster)
		want int
	}{
		{name: "empty topic", edit: bounded("orders"), want: 0},
		{name: "one of two partitions is empty", edit: bounded("orders"), want: 5, prep: func(t *testing.T, c *kfake.Cluster) {
			produce(t, c, numbered("orders", 1, 0, 5)...)
		}},
		{name: "from the latest", want: 0, edit: func(c *Config) {
			bounded("orders")(c)
			c.Start = "latest"
		}, prep: func(t *testing.T, c *kfake.Cluster) { produce(t, c, numbered("orders", 0, 0, 5)...) }},
		{name: "from a time", want: 2, edit: func(c *Config) {
			bounded("orders")(c)
			c.Start = "2026-01-01T00:00:00Z"
		}, prep: func(t *testing.T, c *kfake.Cluster) {
			for i, r := range numbered("orders", 0, 0, 5) {
				r.Timestamp = time.Date(2023+i, 1, 1, 0, 0, 0, 0, time.UTC)
				produce(t, c, r)
			}
		}},
		{name: "from a time behind the last record", want: 0, edit: func(c *Config) {
			bounded("orders")(c)
			c.Start = "2200-01-01T00:00:00Z"
		}, prep: func(t *testing.T, c *kfake.Cluster) { produce(t, c, numbered("orders", 0, 0, 5)...) }},
		{name: "all deleted", edit: bounded("orders"), want: 0, prep: func(t *testing.T, c *kfake.Cluster) {
			produce(t, c, numbered("orders", 0, 0, 5)...)
			if err := c.DeleteRecords("orders", 0, -1); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "the end is a transaction's marker", edit: bounded("orders"), want: 3, prep: func(t *testing.T, c *kfake.Cluster) {
			transact(t, c, kgo.TryCommit, numbered("orders", 0, 0, 3)...)
		}},
		{name: "the end is an aborted transaction", edit: bounded("orders"), want: 3, prep: func(t *testing.T, c *kfake.Cluster) {
			produce(t, c, numbered("orders", 0, 0, 3)...)
			transact(t, c, kgo.TryAbort, numbered("orders", 0, 3, 3)...)
		}},
		{name: "aborted records are read uncommitted", want: 6, edit: func(c *Config) {
			bounded("orders")(c)
			c.Isolation = "read_uncommitted"
		}, prep: func(t *testing.T, c *kfake.Cluster) {
			produce(t, c, numbered("orders", 0, 0, 3)...)
			transact(t, c, kgo.TryAbort, numbered("orders", 0, 3, 3)...)
		}},
		{name: "regular expression", want: 5, edit: func(c *Config) {
			c.TopicsRegex = engine.Pattern{Regexp: regexp.MustCompile("ord.*")}
			c.Until = "end"
		}, prep: func(t *testing.T, c *kfake.Cluster) {
			produce(t, c, numbered("orders", 0, 0, 5)...)
			produce(t, c, numbered("my-orders", 0, 0, 7)...) // the whole name must match
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := startCluster(t, kfake.SeedTopics(2, "orders", "my-orders"))
			if tt.prep != nil {
				tt.prep(t, c)
			}
			in := testInput(t, c, newHost(), tt.edit)
			_, values := readAll(t, in)
			got := 0
			for _, v := range values {
				got += len(v)
			}
			if got != tt.want {
				t.Errorf("%d records, want %d", got, tt.want)
			}
		})
	}
}

func transact(t *testing.T, c *kfake.Cluster, how kgo.TransactionEndTry, recs ...*kgo.Record) {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.TransactionalID("tx"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
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
}

// What is written after the start is not read by a bounded input.
func TestBoundedInputStopsAtTheEndOfItsStart(t *testing.T) {
	t.Parallel()
	c := startCluster(t, kfake.SeedTopics(1, "orders"))
	produce(t, c, numbered("orders", 0, 0, 10)...)
	in := testInput(t, c, newHost(), bounded("orders"))
	produce(t, c, numbered("orders", 0, 10, 10)...)
	_, values := readAll(t, in)
	wantNumbers(t, values["orders/0"], 0, 10)
}

func TestCommitsOnlyWhatIsConfirmed(t *testing.T) {
	t.Parallel()
	c := startCluster(t, kfake.SeedTopics(1, "orders"))
	produce(t, c, numbered("orders", 0, 0, 30)...)
	h := newHost()
	h.limits.Records = 10
	in := testInput(t, c, h, bounded("orders"))
	list := readN(t, in, 30)

	confirm(list[1]) // out of order: the first is not confirmed
	commitAll(t, in, h)
	if got := committed(c, "g", "orders", 0); got != -1 {
		t.Errorf("position %d is stored while the first batch is not confirmed", got)
	}
	confirm(list[0])
	commitAll(t, in, h)
	if got := committed(c, "g", "orders", 0); got != 20 {
		t.Errorf("position %d, want 20", got)
	}
	closeInput(t, in) // the third batch is never confirmed

	again := testInput(t, c, newHost(), bounded("orders"))
	_, values := readAll(t, again)
	wantNumbers(t, values["orders/0"], 20, 10)
	confirm(list[2]) // late: nothing must happen
	if got := committed(c, "g", "orders", 0); got != 20 {
		t.Errorf("position %d after a late confirmation, want 20", got)
	}
}

// A broker that refuses a commit leaves the position as it was, and the same
// sources can be committed again.
func TestCommitFails(t *testing.T) {
	t.Parallel()
	c := startCluster(t, kfake.SeedTopics(1, "orders"))
	produce(t, c, numbered("orders", 0, 0, 10)...)
	h := newHost()
	in := testInput(t, c, h, bounded("orders"))
	confirm(readN(t, in, 10)...)
	fault := c.Fault(commitFault)
	sources := h.takeDirty()
	if err := in.Commit(testContext(t), sources); err == nil {
		t.Error("no error")
	}
	if fault.Hits() == 0 {
		t.Fatal("no commit was refused: this run proves nothing")
	}
	if got := committed(c, "g", "orders", 0); got != -1 {
		t.Errorf("position %d after a refused commit", got)
	}
	if err := in.Commit(testContext(t), sources); err != nil {
		t.Fatal(err)
	}
	if got := committed(c, "g", "orders", 0); got != 10 {
		t.Errorf("position %d, want 10", got)
	}
}

func TestReadEndsWithItsContext(t *testing.T) {
	t.Parallel()
	c := startCluster(t, kfake.SeedTopics(1, "orders"))
	in := testInput(t, c, newHost(), func(c *Config) { c.Topics = []string{"orders"} })
	ctx, cancel := context.WithCancelCause(testContext(t))
	stop := errors.New("stop")
	ended := make(chan error, 1)
	go func() {
		_, err := in.Read(ctx)
		ended <- err
	}()
	if _, err := c.WaitGroupStable(testContext(t), "g", 1); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	cancel(stop)
	if err := <-ended; !errors.Is(err, stop) {
		t.Errorf("error %v", err)
	}
	if d := time.Since(start); d > time.Second {
		t.Errorf("it took %s to end", d)
	}
}

// A stalled pipeline neither loses its place in the group nor reads on
// without bound.
func TestStalledPipelineKeepsItsPartitions(t *testing.T) {
	t.Parallel()
	c := startCluster(t, kfake.SeedTopics(1, "orders"))
	produce(t, c, numbered("orders", 0, 0, 100)...)
	h := newHost()
	h.pool = engine.NewPool(1, 0)
	h.limits.Records = 10
	in := testInput(t, c, h, func(c *Config) {
		c.Topics = []string{"orders"}
		c.SessionTimeout = 300 * time.Millisecond
	})
	first := readN(t, in, 10)
	beats := c.Fault(heartbeatWatch)
	next := make(chan *engine.Batch, 1)
	go func() {
		b, err := in.Read(testContext(t))
		if err != nil {
			t.Error(err)
		}
		next <- b
	}()
	// More heartbeats than a session lasts, while Read waits for a batch.
	if err := beats.Wait(testContext(t), 10); err != nil {
		t.Fatal(err)
	}
	select {
	case <-next:
		t.Fatal("a batch beyond the pool")
	default:
	}
	confirm(first...)
	b := <-next
	if b == nil || b.Offset(0) != 10 {
		t.Fatalf("reading did not go on: %v", b)
	}
	confirm(b)
	commitAll(t, in, h)
	if got := committed(c, "g", "orders", 0); got != 20 {
		t.Errorf("position %d, want 20", got)
	}
}

func TestWaitsForATopic(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	in := testInput(t, c, newHost(), func(c *Config) { c.Topics = []string{"later"} })
	got := make(chan []*engine.Batch, 1)
	go func() { got <- readN(t, in, 3) }()
	if err := c.CreateTopic("later", 1, nil); err != nil {
		t.Fatal(err)
	}
	produce(t, c, numbered("later", 0, 0, 3)...)
	confirm(<-got...)
}

func TestBoundedInputWithoutItsTopicIsRetried(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	config := Defaults()
	config.Connection, config.Topics, config.Group, config.Until = connect(c), []string{"later"}, "g", "end"
	in, err := New(config, engine.Env{})
	if err != nil {
		t.Fatal(err)
	}
	defer closeInput(t, in)
	h := newHost()
	var retry *engine.RetryError
	if err := in.Open(testContext(t), h); !errors.As(err, &retry) {
		t.Fatalf("opening without the topic: %v", err)
	}
	if err := c.CreateTopic("later", 1, nil); err != nil {
		t.Fatal(err)
	}
	produce(t, c, numbered("later", 0, 0, 3)...)
	if err := in.Open(testContext(t), h); err != nil {
		t.Fatal(err)
	}
	_, values := readAll(t, in)
	wantNumbers(t, values["later/0"], 0, 3)
}

func TestOpenWithoutABrokerIsRetried(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	ref := connect(c)
	c.Close()
	config := Defaults()
	config.Connection, config.Topics, config.Group = ref, []string{"orders"}, "g"
	in, err := New(config, engine.Env{})
	if err != nil {
		t.Fatal(err)
	}
	defer closeInput(t, in)
	var retry *engine.RetryError
	if err := in.Open(testContext(t), newHost()); !errors.As(err, &retry) {
		t.Errorf("opening without a broker: %v", err)
	}
}

func TestOversizeRecordFailsAlone(t *testing.T) {
	t.Parallel()
	h := newHost()
	b, _ := h.NewBatch(context.Background())
	var bu builder
	recs := []*kgo.Record{
		{Topic: "orders", Offset: 7, Value: []byte("a")},
		{Topic: "orders", Offset: 8, Value: make([]byte, limits.RecordBytes+1)},
		{Topic: "orders", Offset: 9, Value: []byte("b")},
	}
	if n := bu.fill(b, recs, h.limits, "input.kafka.in"); n != 1 || b.Len() != 1 {
		t.Fatalf("%d taken, %d stored: the batch must end before the large record", n, b.Len())
	}
	b.Reset()
	if n := bu.fill(b, recs[1:], h.limits, "input.kafka.in"); n != 1 || len(b.Failures) != 1 {
		t.Fatalf("%d taken, %d failures", n, len(b.Failures))
	}
	f := b.Failures[0]
	if f.Origin != "orders/0/8" || f.Element != "input.kafka.in" || f.Reason == nil || len(b.Value.At(0)) > limits.ExcerptBytes {
		t.Errorf("failure %+v with %d bytes", f, len(b.Value.At(0)))
	}
}

func TestOffsetsWithGaps(t *testing.T) {
	t.Parallel()
	h := newHost()
	b, _ := h.NewBatch(context.Background())
	var bu builder
	recs := []*kgo.Record{{Offset: 10, Value: []byte("a")}, {Offset: 11, Value: []byte("b")}, {Offset: 15, Value: []byte("c")}, {Offset: 16, Value: []byte("d")}}
	if n := bu.fill(b, recs, h.limits, ""); n != 4 {
		t.Fatalf("%d taken", n)
	}
	src := h.Source(engine.SourceInfo{ID: "orders/0"})
	src.Begin(b, engine.Position{Offset: 17}, bu.first, bu.rows)
	for i, want := range []int64{10, 11, 15, 16} {
		if got := b.Offset(i); got != want {
			t.Errorf("offset %d is %d, want %d", i, got, want)
		}
	}
}

// The broker goes away and comes back at the same address with its data:
// reading goes on, nothing is missing, and positions are stored again.
func TestBrokerAway(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.DataDir(dir), kfake.SeedTopics(1, "orders"))
	if err != nil {
		t.Fatal(err)
	}
	produce(t, c, numbered("orders", 0, 0, 10)...)
	h := newHost()
	in := testInput(t, c, h, live6("orders"))
	batches, _ := reader(t, in)
	confirm(receive(t, batches))
	commitAll(t, in, h)
	_, port, err := net.SplitHostPort(c.ListenAddrs()[0])
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	back, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.DataDir(dir), kfake.Ports(n))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(back.Close)
	produce(t, back, numbered("orders", 0, 10, 10)...)
	seen := map[string]bool{}
	for len(seen) < 10 {
		b := receive(t, batches)
		for i := range b.Len() {
			if b.Offset(i) >= 10 {
				seen[string(b.Value.At(i))] = true
			}
		}
		confirm(b)
	}
	// The coordinator has forgotten the member, which joins again.
	waitFor(t, func() bool {
		_ = in.Commit(testContext(t), []*engine.Source{h.source("orders/0")})
		return committed(back, "g", "orders", 0) == 20
	})
}

// live6 keeps to the least session of a broker with default settings.
func live6(topic string) func(*Config) {
	return func(c *Config) {
		c.Topics = []string{topic}
		c.SessionTimeout = 6 * time.Second
	}
}

// A right that is missing stops the input with an error that says so.
func TestRightsThatAreMissing(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		fault kfake.Fault
	}{
		{"to read the topic", kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: "orders", Err: kerr.TopicAuthorizationFailed, Count: -1}},
		{"to join the group", kfake.Fault{Keys: []kmsg.Key{kmsg.JoinGroup}, Err: kerr.GroupAuthorizationFailed, Count: -1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := startCluster(t, kfake.SeedTopics(1, "orders"))
			produce(t, c, numbered("orders", 0, 0, 3)...)
			fault := c.Fault(tt.fault)
			in := testInput(t, c, newHost(), live("orders"))
			ctx := testContext(t)
			b, err := in.Read(ctx)
			var retry *engine.RetryError
			if b != nil || ctx.Err() != nil || !errors.Is(err, tt.fault.Err) || errors.As(err, &retry) {
				t.Errorf("reading: %v, want an error that ends the input", err)
			}
			if fault.Hits() == 0 {
				t.Error("nothing was refused: this run proves nothing")
			}
		})
	}
}
