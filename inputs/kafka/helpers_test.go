package kafka

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	connkafka "github.com/flowrecords/flow/connections/kafka"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/internal/servers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(servers.Main(m)) }

const patience = 30 * time.Second

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func startCluster(t *testing.T, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{
		kfake.NumBrokers(1),
		kfake.GroupMinSessionTimeout(100 * time.Millisecond),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func connect(c *kfake.Cluster) engine.ConnectionRef {
	config := connkafka.Defaults()
	config.Brokers = c.ListenAddrs()
	return engine.ConnectionRef{Name: "connection.kafka.test", Value: connkafka.New(config)}
}

// produce writes records to the partitions that they name.
func produce(t *testing.T, c *kfake.Cluster, recs ...*kgo.Record) {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	if err := cl.ProduceSync(testContext(t), recs...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

func numbered(topic string, partition int32, from, n int) []*kgo.Record {
	var recs []*kgo.Record
	for i := range n {
		recs = append(recs, &kgo.Record{Topic: topic, Partition: partition, Value: number(from + i)})
	}
	return recs
}

func number(i int) []byte {
	return []byte{byte(i >> 16), byte(i >> 8), byte(i)}
}

// testHost is the engine's side of an input.
type testHost struct {
	pool   *engine.Pool
	limits engine.BatchLimits

	mu      sync.Mutex
	sources map[string]*engine.Source
	dirty   map[*engine.Source]bool
}

func newHost() *testHost {
	return &testHost{
		pool:    engine.NewPool(16, 0),
		limits:  engine.BatchLimits{Records: 512, Bytes: 256 << 10},
		sources: map[string]*engine.Source{},
		dirty:   map[*engine.Source]bool{},
	}
}

func (h *testHost) Source(info engine.SourceInfo) *engine.Source {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.sources[info.ID]
	if s == nil || s.Revoked() {
		s = engine.NewSource(info, func(s *engine.Source) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.dirty[s] = true
		}, nil)
		h.sources[info.ID] = s
	}
	return s
}

func (h *testHost) source(id string) *engine.Source {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sources[id]
}

func (h *testHost) takeDirty() []*engine.Source {
	h.mu.Lock()
	defer h.mu.Unlock()
	var list []*engine.Source
	for s := range h.dirty {
		list = append(list, s)
	}
	clear(h.dirty)
	return list
}

func (h *testHost) Stored(string) (engine.Position, bool)               { return engine.Position{}, false }
func (h *testHost) NewBatch(ctx context.Context) (*engine.Batch, error) { return h.pool.Get(ctx) }
func (h *testHost) Limits() engine.BatchLimits                          { return h.limits }

// testInput makes an input of the topics, opened and closed with the test.
func testInput(t *testing.T, c *kfake.Cluster, h *testHost, edit func(*Config)) *Input {
	t.Helper()
	config := Defaults()
	config.Connection = connect(c)
	config.Group = "g"
	config.MetadataMaxAge = 200 * time.Millisecond
	if edit != nil {
		edit(config)
	}
	if ps := config.Validate(); len(ps) > 0 {
		t.Fatalf("the test's config is wrong: %v", ps)
	}
	in, err := New(config, engine.Env{Pipeline: "test", Element: "input.kafka.in"})
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Open(testContext(t), h); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeInput(t, in) })
	return in
}

func closeInput(t *testing.T, in *Input) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := in.Close(ctx); err != nil {
		t.Errorf("closing: %v", err)
	}
}

// readAll reads a bounded input to its end and confirms everything.
func readAll(t *testing.T, in *Input) (batches int, values map[string][]string) {
	t.Helper()
	values = map[string][]string{}
	ctx := testContext(t)
	for {
		b, err := in.Read(ctx)
		if errors.Is(err, engine.ErrEnd) {
			return batches, values
		}
		if err != nil {
			t.Fatal(err)
		}
		batches++
		id := b.Source().Info().ID
		for i := range b.Len() {
			values[id] = append(values[id], string(b.Value.At(i)))
		}
		b.Done()
		b.Release()
	}
}

// readN reads at least n records and returns their batches, unconfirmed.
func readN(t *testing.T, in *Input, n int) []*engine.Batch {
	t.Helper()
	ctx := testContext(t)
	var list []*engine.Batch
	for got := 0; got < n; {
		b, err := in.Read(ctx)
		if err != nil {
			t.Fatalf("after %d of %d records: %v", got, n, err)
		}
		got += b.Len()
		list = append(list, b)
	}
	return list
}

func confirm(list ...*engine.Batch) {
	for _, b := range list {
		b.Done()
		b.Release()
	}
}

func commitAll(t *testing.T, in *Input, h *testHost) {
	t.Helper()
	if err := in.Commit(testContext(t), h.takeDirty()); err != nil {
		t.Fatal(err)
	}
}

// committed returns the group's position; -1: none.
func committed(c *kfake.Cluster, group, topic string, partition int32) int64 {
	info := c.GroupInfo(group)
	if info == nil {
		return -1
	}
	commit, ok := info.Commits[topic][partition]
	if !ok {
		return -1
	}
	return commit.Offset
}

func wantNumbers(t *testing.T, got []string, from, n int) {
	t.Helper()
	var want []string
	for i := range n {
		want = append(want, string(number(from+i)))
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got %d records, want %d in order", len(got), len(want))
	}
}

func pattern(s string) engine.Pattern { return engine.Pattern{Regexp: regexp.MustCompile(s)} }

// logBuffer keeps what is logged.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
