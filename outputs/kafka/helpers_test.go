package kafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	connkafka "github.com/flowrecords/flow/connections/kafka"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/internal/servers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(servers.Main(m)) }

const patience = time.Minute

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func startCluster(t *testing.T, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func connect(addrs []string) engine.ConnectionRef {
	config := connkafka.Defaults()
	config.Brokers = addrs
	return engine.ConnectionRef{Name: "connection.kafka.test", Value: connkafka.New(config)}
}

// testOutput makes an output, opened and closed with the test.
func testOutput(t *testing.T, c interface{ ListenAddrs() []string }, edit func(*Config)) *Output {
	t.Helper()
	return openOutput(t, connect(c.ListenAddrs()), edit)
}

func openOutput(t *testing.T, ref engine.ConnectionRef, edit func(*Config)) *Output {
	t.Helper()
	config := Defaults()
	config.Connection = ref
	config.Topic = literal("out")
	if edit != nil {
		edit(config)
	}
	if ps := config.Validate(); len(ps) > 0 {
		t.Fatalf("the test's config is wrong: %v", ps)
	}
	o, err := New(config, engine.Env{Pipeline: "test", Element: "output.kafka.out", Logger: logs(t)})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Open(testContext(t)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := o.Close(ctx); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return o
}

// batch is a batch of values; "" is an empty value.
func batch(values ...string) *engine.Batch {
	b := engine.NewBatch()
	b.Value.Encoding = record.Opaque
	for _, v := range values {
		b.Value.Add([]byte(v))
	}
	return b
}

// pending collects the results of writes.
type pending struct {
	t    *testing.T
	out  *Output
	errs chan result
	n    int
}

type result struct {
	i   int
	err error
}

func newPending(t *testing.T, o *Output) *pending {
	return &pending{t: t, out: o, errs: make(chan result, 1000)}
}

func (p *pending) write(b *engine.Batch) {
	i := p.n
	p.n++
	p.out.Write(testContext(p.t), b, func(err error) { p.errs <- result{i, err} })
}

// wait returns the results of all writes, by their number.
func (p *pending) wait() []error {
	p.t.Helper()
	if err := p.out.Flush(testContext(p.t)); err != nil {
		p.t.Fatal(err)
	}
	errs := make([]error, p.n)
	for range p.n {
		select {
		case r := <-p.errs:
			errs[r.i] = r.err
		case <-time.After(patience):
			p.t.Fatal("a batch has no result")
		}
	}
	p.n = 0
	return errs
}

// deliver writes batches as the engine does: again, in their order, after a
// *engine.RetryError. It returns the refused records by batch.
func deliver(t *testing.T, o *Output, batches ...*engine.Batch) []map[int]error {
	t.Helper()
	refused := make([]map[int]error, len(batches))
	todo := make([]int, len(batches))
	for i := range batches {
		todo[i] = i
	}
	for tries := 0; len(todo) > 0; tries++ {
		if tries > 20 {
			t.Fatalf("%d batches are not delivered after %d tries", len(todo), tries)
		}
		if tries > 3 { // as the engine pauses, and less
			<-time.After(time.Duration(tries) * 50 * time.Millisecond)
		}
		p := newPending(t, o)
		for _, i := range todo {
			p.write(batches[i])
		}
		var again []int
		for k, err := range p.wait() {
			i := todo[k]
			var records *engine.RecordErrors
			var retry *engine.RetryError
			switch {
			case err == nil:
			case errors.As(err, &records):
				refused[i] = records.Reasons
			case errors.As(err, &retry):
				again = append(again, i)
			default:
				t.Fatalf("batch %d: %v", i, err)
			}
		}
		todo = again
	}
	return refused
}

// arrived reads n records of a topic.
func arrived(t *testing.T, addrs []string, topic string, n int) []*kgo.Record {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(addrs...), kgo.ConsumeTopics(topic), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ctx := testContext(t)
	var recs []*kgo.Record
	for len(recs) < n {
		fs := cl.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("%d of %d records in %s", len(recs), n, topic)
		}
		recs = append(recs, fs.Records()...)
	}
	if len(recs) != n {
		t.Fatalf("%d records in %s, want %d", len(recs), topic, n)
	}
	return recs
}

// literal is a template without holes.
func literal(text string) engine.Template { return engine.Template{Source: template{text: text}} }

// topicTemplate is "{{ topic }}".
func topicTemplate() engine.Template {
	return engine.Template{Source: template{prog: func(dst []byte, r *record.Record) ([]byte, error) {
		if r.Topic == "" {
			return dst, errors.New("no topic")
		}
		return append(dst, r.Topic...), nil
	}}}
}

type template struct {
	text string
	prog func([]byte, *record.Record) ([]byte, error)
}

func (s template) Text() string                                        { return s.text }
func (s template) Literal() (string, bool)                             { return s.text, s.prog == nil }
func (s template) Bind(*record.Layout) (engine.TemplateProgram, error) { return s, nil }
func (s template) Append(dst []byte, r *record.Record) ([]byte, error) {
	return s.prog(dst, r)
}

// expr is an expression written in Go.
func expr(f func(*record.Record) (record.Value, error)) engine.Expression {
	return engine.Expression{Source: source(f)}
}

type source func(*record.Record) (record.Value, error)

func (source) Text() string                                  { return "go" }
func (s source) Bind(*record.Layout) (engine.Program, error) { return s, nil }
func (s source) Eval(r *record.Record) (record.Value, error) { return s(r) }
func (s source) Test(r *record.Record) (bool, error)         { v, err := s(r); return v.Bool(), err }
func value(v record.Value) func(*record.Record) (record.Value, error) {
	return func(*record.Record) (record.Value, error) { return v, nil }
}

func texts(recs []*kgo.Record) []string {
	var list []string
	for _, r := range recs {
		list = append(list, string(r.Value))
	}
	return list
}

func numbers(from, n int) []string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprint(from+i))
	}
	return list
}

func atoi(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
