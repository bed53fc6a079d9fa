package run

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
)

// TestErrorHeaders is the golden form of both kinds of headers, in their order.
func TestErrorHeaders(t *testing.T) {
	t.Parallel()
	const flow = `flow.error.reason=it is odd
flow.error.pipeline=orders
flow.error.element=processor.map.shape
flow.error.origin=orders/3/991
flow.error.time=2026-03-01T12:00:00Z
flow.error.attempts=1
flow.error.topic=orders
flow.error.partition=3
flow.error.offset=991
flow.error.timestamp=2026-02-28T23:59:59.5Z
flow.error.encoding=json
flow.error.key_encoding=text
`
	const connect = `__connect.errors.topic=orders
__connect.errors.partition=3
__connect.errors.offset=991
__connect.errors.connector.name=orders
__connect.errors.task.id=0
__connect.errors.stage=TRANSFORMATION
__connect.errors.class.name=processor.map.shape
__connect.errors.exception.class.name=org.apache.kafka.connect.errors.DataException
__connect.errors.exception.message=it is odd
__connect.errors.exception.stacktrace=org.apache.kafka.connect.errors.DataException: it is odd
	at processor.map.shape(orders.hcl:12:3)

`
	tests := []struct {
		name    string
		headers []string
		edit    func(*engine.SourceInfo, *node)
		want    string
	}{
		{name: "by default", want: flow},
		{name: "flow", headers: []string{"flow"}, want: flow},
		{name: "connect", headers: []string{"connect"}, want: connect},
		{name: "both", headers: []string{"flow", "connect"}, want: flow + connect},
		{name: "a source without topics", headers: []string{"flow"},
			edit: func(i *engine.SourceInfo, _ *node) { *i = engine.SourceInfo{ID: "in.jsonl"} },
			want: strings.NewReplacer("orders/3/991", "in.jsonl@991",
				"flow.error.topic=orders\n", "", "flow.error.partition=3\n", "", "flow.error.offset=991\n", "").Replace(flow)},
		{name: "an output", headers: []string{"connect"},
			edit: func(_ *engine.SourceInfo, n *node) {
				n.addr, n.el = "output.file.out", &engine.Element{Kind: engine.KindOutput}
			},
			want: strings.NewReplacer("TRANSFORMATION", "TASK_PUT", "DataException", "ConnectException",
				"processor.map.shape(orders.hcl:12:3)", "output.file.out(flow)", "processor.map.shape", "output.file.out").Replace(connect)},
		{name: "failed again", headers: []string{"flow"},
			edit: func(_ *engine.SourceInfo, n *node) {
				n.refused = func(_ *engine.Batch, _ int, f *engine.Failure) { f.Attempts, f.Origin = 3, "first" }
			},
			want: strings.NewReplacer("attempts=1", "attempts=3", "orders/3/991", "first").Replace(flow)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := &node{addr: "processor.map.shape", headers: tt.headers, env: engine.Env{Pipeline: "orders"},
				el: &engine.Element{Kind: engine.KindProcessor, Where: "orders.hcl:12:3"}}
			info := engine.SourceInfo{ID: "orders/3", Topic: "orders", Partition: 3, OffsetSeparator: "/"}
			if tt.edit != nil {
				tt.edit(&info, n)
			}
			b := engine.NewBatch()
			b.Value.Encoding, b.Key.Encoding = record.JSON, record.Text
			b.Value.Add([]byte(`{"a":1}`))
			b.Key.Add([]byte("k"))
			b.Timestamps = []int64{time.Date(2026, 2, 28, 23, 59, 59, 5e8, time.UTC).UnixNano()}
			engine.NewSource(info, nil, nil).Begin(b, engine.Position{Offset: 992}, 991, nil)
			f := newFailures(func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) })
			failure := failureOf(n, b, 0, errors.New("it is odd"))
			r := f.load(b, 0)
			f.label(n, r, &failure)
			var got strings.Builder
			for _, h := range r.Headers() {
				fmt.Fprintf(&got, "%s=%s\n", h.Key, h.Value)
			}
			if got.String() != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got.String(), tt.want)
			}
		})
	}
}

// TestErrorHeadersBounded: whatever an error says, a header is short UTF-8.
func TestErrorHeadersBounded(t *testing.T) {
	t.Parallel()
	for _, text := range []string{strings.Repeat("é", limits.ErrorHeaderBytes), strings.Repeat("x", limits.ErrorHeaderBytes+1)} {
		got := string(bounded(text))
		if len(got) > limits.ErrorHeaderBytes || len(got) < limits.ErrorHeaderBytes-4 || !strings.HasSuffix(got, "...") || strings.ToValidUTF8(got, "") != got {
			t.Errorf("%d bytes became %d: ...%q", len(text), len(got), got[len(got)-10:])
		}
	}
	if got := string(bounded("a\xffb")); got != "a\uFFFDb" {
		t.Errorf("got %q", got)
	}
}
