package http

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is an open input and a client of it.
type rig struct {
	t      *testing.T
	in     *input
	host   *enginetest.Host
	url    string
	client *http.Client
	closed bool
}

func open(t *testing.T, l engine.BatchLimits, edit func(*Config)) *rig {
	t.Helper()
	c := Defaults().(*Config)
	c.Address = "127.0.0.1:0"
	if edit != nil {
		edit(c)
	}
	if ps := c.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	made, err := newInput(c, enginetest.Env(t, "input.http.in"))
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, in: made.(*input), host: enginetest.NewHost(l), client: &http.Client{Transport: &http.Transport{}, Timeout: 20 * time.Second}}
	if err := r.in.Open(t.Context(), r.host); err != nil {
		t.Fatal(err)
	}
	r.url = "http://" + r.in.srv.address
	t.Cleanup(r.close)
	return r
}

func (r *rig) close() {
	if r.closed {
		return
	}
	r.closed = true
	r.client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.t.Context()), 10*time.Second)
	defer cancel()
	if err := r.in.Close(ctx); err != nil {
		r.t.Error(err)
	}
	r.client.CloseIdleConnections()
}

// reply is an answer as a test looks at it.
type reply struct {
	status  int
	header  http.Header
	records int
	text    string
	line    int
	err     error
}

func (r *rig) send(req *http.Request) reply {
	resp, err := r.client.Do(req)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return reply{err: err}
	}
	a := answer{}
	if len(body) > 0 {
		if err := json.Unmarshal(body, &a); err != nil {
			return reply{err: fmt.Errorf("body %q: %w", body, err)}
		}
	}
	out := reply{status: resp.StatusCode, header: resp.Header, text: a.Error, line: a.Line, records: -1}
	if a.Records != nil {
		out.records = *a.Records
	}
	return out
}

// request makes a POST; edits change it.
func (r *rig) request(path, contentType, body string, edits ...func(*http.Request)) *http.Request {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for _, edit := range edits {
		edit(req)
	}
	return req
}

// post sends in the background.
func (r *rig) post(req *http.Request) <-chan reply {
	ch := make(chan reply, 1)
	go func() { ch <- r.send(req) }()
	return ch
}

const (
	jsonType = "application/json"
	lineType = "application/x-ndjson"
)

// read returns the next batch.
func (r *rig) read() *engine.Batch {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 10*time.Second)
	defer cancel()
	b, err := r.in.Read(ctx)
	if err != nil {
		r.t.Fatalf("Read: %v", err)
	}
	return b
}

// nothing checks that no record has come in.
func (r *rig) nothing() {
	r.t.Helper()
	if n := len(r.in.srv.queue); n > 0 {
		r.t.Errorf("%d requests are in the queue", n)
	}
	if n := r.in.srv.buffer.used.Load(); n != 0 {
		r.t.Errorf("%d bytes of the buffer are taken", n)
	}
	if n := len(r.in.srv.slots); n != 0 {
		r.t.Errorf("%d slots are taken", n)
	}
}

func (r *rig) commit() {
	r.t.Helper()
	if err := r.in.Commit(r.t.Context(), r.host.Sources()); err != nil {
		r.t.Error(err)
	}
}

// wait returns a reply that must come.
func (r *rig) wait(ch <-chan reply) reply {
	r.t.Helper()
	select {
	case got := <-ch:
		return got
	case <-time.After(15 * time.Second):
		r.t.Fatal("no answer")
		return reply{}
	}
}

// unanswered checks that no reply is there.
func (r *rig) unanswered(ch <-chan reply, when string) {
	r.t.Helper()
	select {
	case got := <-ch:
		r.t.Fatalf("answered with %+v %s", got, when)
	default:
	}
}

// until waits for a condition that other goroutines bring about.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	over := time.After(15 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-over:
			t.Fatalf("%s has not happened", what)
		}
	}
}

func finish(b *engine.Batch) {
	b.Done()
	b.Release()
}

func values(b *engine.Batch) []string {
	var out []string
	for _, rec := range enginetest.Records(b) {
		out = append(out, string(rec.Value))
	}
	return out
}

func zipped(t *testing.T, s string) string {
	t.Helper()
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	if _, err := io.WriteString(z, s); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}
