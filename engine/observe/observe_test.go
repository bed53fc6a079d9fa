package observe_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/observe"
)

type fake struct {
	elements []*observe.Element
	health   []observe.Health
}

func (f *fake) Name() string                 { return "p" }
func (f *fake) Elements() []*observe.Element { return f.elements }
func (f *fake) Edges() []observe.Edge {
	return []observe.Edge{{Pipeline: "p", To: "output.b.o", Batches: 3}}
}
func (f *fake) InFlight() observe.InFlight {
	return observe.InFlight{Pipeline: "p", Records: 7, Bytes: 700}
}
func (f *fake) Progress() map[string]engine.Progress {
	return map[string]engine.Progress{"input.a.i": {Done: 5, Total: 10}, "input.a.j": {Done: 6}}
}
func (f *fake) Lag() map[string][]engine.Lag {
	return map[string][]engine.Lag{"input.a.i": {{Topic: "orders", Partition: 3, Records: 17, Age: 1500 * time.Millisecond}}}
}
func (f *fake) Sending() map[string]engine.Sending {
	return map[string]engine.Sending{"output.b.o": {Requests: 9, Failed: 1, Took: 2500 * time.Millisecond, Batches: 12, Bytes: 4000, Compressed: 1000, Waiting: 300}}
}
func (f *fake) Health() []observe.Health { return f.health }
func (f *fake) Ready() bool {
	for _, h := range f.health {
		if h.State == observe.Retrying || h.State == observe.Starting {
			return false
		}
	}
	return true
}

func newFake() *fake {
	in := &observe.Element{Pipeline: "p", Address: "input.a.i"}
	in.In.Store(100)
	in.Out.Store(99)
	in.Errors.Store(1)
	in.Bytes.Store(12345)
	in.Retries.Store(2)
	in.BusyNanos.Store(1_500_000_000)
	in.BlockedNanos.Store(250_000_000)
	f := &observe.Element{Pipeline: "p", Address: "processor.filter.f", DropReason: "condition"}
	f.Dropped.Store(40)
	return &fake{elements: []*observe.Element{in, f}, health: []observe.Health{
		{Element: "input.a.i", State: observe.Running}, {Element: "output.b.o", State: observe.Retrying, Cause: errors.New("dial 10.0.0.7: secret place")}}}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	c := observe.Collector{Pipelines: func() []observe.Pipeline { return []observe.Pipeline{newFake()} }}
	want := `
# HELP flow_dropped_total Records that ended at the element on purpose, by reason.
# TYPE flow_dropped_total counter
flow_dropped_total{element="processor.filter.f",pipeline="p",reason="condition"} 40
# HELP flow_edge_batches Batches that wait before the element.
# TYPE flow_edge_batches gauge
flow_edge_batches{element="output.b.o",pipeline="p"} 3
# HELP flow_element_up 1 while the input or output runs, 0 while it starts, waits to try again, or has ended.
# TYPE flow_element_up gauge
flow_element_up{element="input.a.i",pipeline="p"} 1
flow_element_up{element="output.b.o",pipeline="p"} 0
# HELP flow_in_flight_bytes Source bytes that are read and not yet confirmed.
# TYPE flow_in_flight_bytes gauge
flow_in_flight_bytes{pipeline="p"} 700
# HELP flow_input_done_bytes How far a bounded input has come.
# TYPE flow_input_done_bytes gauge
flow_input_done_bytes{element="input.a.i",pipeline="p"} 5
flow_input_done_bytes{element="input.a.j",pipeline="p"} 6
# HELP flow_input_lag_records Records that are in the partition and not confirmed.
# TYPE flow_input_lag_records gauge
flow_input_lag_records{element="input.a.i",partition="3",pipeline="p",topic="orders"} 17
# HELP flow_input_lag_seconds How long the oldest of them has been there.
# TYPE flow_input_lag_seconds gauge
flow_input_lag_seconds{element="input.a.i",partition="3",pipeline="p",topic="orders"} 1.5
# HELP flow_input_size_bytes How much a bounded input has to read, where that is known.
# TYPE flow_input_size_bytes gauge
flow_input_size_bytes{element="input.a.i",pipeline="p"} 10
# TYPE flow_output_batch_bytes_total counter
flow_output_batch_bytes_total{element="output.b.o",pipeline="p"} 4000
# TYPE flow_output_batches_total counter
flow_output_batches_total{element="output.b.o",pipeline="p"} 12
flow_output_request_seconds_total{element="output.b.o",pipeline="p"} 2.5
flow_output_requests_failed_total{element="output.b.o",pipeline="p"} 1
flow_output_requests_total{element="output.b.o",pipeline="p"} 9
flow_output_sent_bytes_total{element="output.b.o",pipeline="p"} 1000
# TYPE flow_output_waiting_bytes gauge
flow_output_waiting_bytes{element="output.b.o",pipeline="p"} 300
# HELP flow_records_in_total Records that the element has taken; for an input, has read.
# TYPE flow_records_in_total counter
flow_records_in_total{element="input.a.i",pipeline="p"} 100
flow_records_in_total{element="processor.filter.f",pipeline="p"} 0
`
	registry := prometheus.NewPedanticRegistry() // checks what is collected against what is described
	if err := registry.Register(c); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorHandling: promhttp.HTTPErrorOnError}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != http.StatusOK {
		t.Fatal(w.Body)
	}
	for line := range strings.Lines(strings.TrimPrefix(want, "\n")) {
		if !strings.Contains("\n"+w.Body.String(), "\n"+line) {
			t.Errorf("missing: %s", line)
		}
	}
	if t.Failed() {
		t.Log(w.Body)
	}
	if strings.Contains(w.Body.String(), "secret place") {
		t.Error("a cause is shown")
	}
}

func TestHandler(t *testing.T) {
	t.Parallel()
	f := newFake()
	h := observe.Handler(func() []observe.Pipeline { return []observe.Pipeline{f} })
	get := func(path string) (int, string) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code, w.Body.String()
	}
	if code, body := get("/metrics"); code != http.StatusOK || !strings.Contains(body, "flow_in_flight_records{pipeline=\"p\"} 7") || !strings.Contains(body, "go_goroutines") {
		t.Errorf("/metrics: %d\n%s", code, body)
	}
	if code, body := get("/healthz"); code != http.StatusOK || body != "ok\n" {
		t.Errorf("/healthz: %d %q", code, body)
	}
	if code, body := get("/readyz"); code != http.StatusServiceUnavailable || body != "p output.b.o: retrying\n" {
		t.Errorf("/readyz: %d %q", code, body)
	}
	f.health[1].State = observe.Running
	if code, body := get("/readyz"); code != http.StatusOK || body != "ready\n" {
		t.Errorf("/readyz: %d %q", code, body)
	}
	if code, _ := get("/else"); code != http.StatusNotFound {
		t.Errorf("/else: %d", code)
	}
}
