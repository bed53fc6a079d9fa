package http

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
)

// fed is an input that gets one request of many lines as soon as it is open.
type fed struct {
	*input
	body string
	sent sync.WaitGroup
	stop context.CancelFunc
}

func (f *fed) Open(ctx context.Context, h engine.Host) error {
	if err := f.input.Open(ctx, h); err != nil {
		return err
	}
	ctx, f.stop = context.WithCancel(context.WithoutCancel(ctx))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+f.srv.address, strings.NewReader(f.body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", lineType)
	req.Header.Set("X-Key", "k")
	req.Header.Set("X-Trace", "t")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	f.sent.Go(func() {
		if resp, err := client.Do(req); err == nil { // it may be cut
			_ = resp.Body.Close()
		}
	})
	return nil
}

func (f *fed) Close(ctx context.Context) error {
	err := f.input.Close(ctx)
	if f.stop != nil {
		f.stop()
	}
	f.sent.Wait()
	return err
}

func TestConformance(t *testing.T) {
	t.Parallel()
	var want []enginetest.Record
	var body strings.Builder
	for i := range 20 {
		text := fmt.Sprintf(`{"n":%d}`, i)
		want = append(want, enginetest.Record{Key: []byte("k"), Value: []byte(text), Headers: headerList{{Key: "X-Trace", Value: []byte("t")}}})
		body.WriteString(text + "\n")
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	make := func(address string) func(t *testing.T) engine.Input {
		return func(t *testing.T) engine.Input {
			c := Defaults().(*Config)
			c.Address, c.KeyHeader, c.Headers = address, "X-Key", []string{"X-Trace"}
			in, err := newInput(c, enginetest.Env(t, "input.http.in"))
			if err != nil {
				t.Fatal(err)
			}
			return &fed{input: in.(*input), body: body.String()}
		}
	}
	t.Run("suite", func(t *testing.T) {
		enginetest.RunInput(t, enginetest.InputCase{
			New: make("127.0.0.1:0"), Want: want, Unbounded: true, Forgets: true, OneOrder: true, Away: make(taken.Addr().String()),
		})
	})
}

// TestAnswersWhenConfirmed: nothing is answered before the commit that follows
// the confirmation of the last record.
func TestAnswersWhenConfirmed(t *testing.T) {
	t.Parallel()
	r := open(t, engine.BatchLimits{Records: 2}, nil)
	answer := r.post(r.request("/", lineType, "1\n\n 2 \r\n3\n4\n5\n\n"))
	var batches []*engine.Batch
	var got []string
	for range 3 {
		b := r.read()
		batches, got = append(batches, b), append(got, values(b)...)
		if s := b.Source(); s != batches[0].Source() {
			t.Error("the records of a request are in two source partitions")
		}
	}
	if want := []string{"1", "2", "3", "4", "5"}; !slices.Equal(got, want) {
		t.Errorf("read %q, want %q", got, want)
	}
	for _, i := range []int{2, 0, 1} { // in any order
		r.commit()
		r.unanswered(answer, "with a batch left")
		finish(batches[i])
		r.unanswered(answer, "before the commit")
	}
	r.commit()
	if a := r.wait(answer); a.status != 200 || a.records != 5 {
		t.Errorf("answer %+v", a)
	}
	r.nothing()
}

// TestRequestsDoNotWaitForEachOther: one that is stuck does not hold up those
// behind it, and a lane is used again.
func TestRequestsDoNotWaitForEachOther(t *testing.T) {
	t.Parallel()
	r := open(t, engine.BatchLimits{}, nil)
	stuck := r.post(r.request("/", jsonType, `"stuck"`))
	held := r.read()
	for i := range 10 {
		answer := r.post(r.request("/", jsonType, `"free"`))
		b := r.read()
		if got := b.Offset(0); got != int64(i+1) {
			t.Errorf("offset %d, want %d", got, i+1)
		}
		finish(b)
		r.commit()
		if a := r.wait(answer); a.status != 200 {
			t.Fatalf("answer %+v", a)
		}
	}
	r.unanswered(stuck, "without confirmation")
	if n := len(r.host.Sources()); n != 2 {
		t.Errorf("%d lanes for two requests at once", n)
	}
	finish(held)
	r.commit()
	if a := r.wait(stuck); a.status != 200 {
		t.Errorf("answer %+v", a)
	}
}

// TestSharedBatches: requests that are there together share a batch.
func TestSharedBatches(t *testing.T) {
	t.Parallel()
	r := open(t, engine.BatchLimits{Records: 7}, nil)
	var answers []<-chan reply
	for range 5 {
		answers = append(answers, r.post(r.request("/", lineType, "1\n2\n3\n")))
	}
	until(t, "the arrival of all requests", func() bool { return len(r.in.srv.queue) == 5 })
	sizes := []int{}
	for left := 15; left > 0; {
		b := r.read()
		left -= b.Len()
		sizes = append(sizes, b.Len())
		finish(b)
		r.commit()
	}
	if !slices.Equal(sizes, []int{7, 7, 1}) {
		t.Errorf("batches of %v records", sizes)
	}
	for _, a := range answers {
		if a := r.wait(a); a.status != 200 || a.records != 3 {
			t.Errorf("answer %+v", a)
		}
	}
	r.nothing()
}

// TestLingersForOthers: while another request is being received, a batch waits
// for it; a request that is alone goes at once.
func TestLingersForOthers(t *testing.T) {
	t.Parallel()
	r := open(t, engine.BatchLimits{Linger: time.Hour}, nil)
	slow, finishBody := r.slow(t, "/", "1\n")
	until(t, "the arrival of the slow request", func() bool { return r.in.srv.receiving.Load() == 1 })
	fast := r.post(r.request("/", lineType, "2\n"))
	until(t, "the arrival of the fast request", func() bool { return len(r.in.srv.queue) == 1 })
	time.AfterFunc(20*time.Millisecond, finishBody)
	b := r.read()
	if got := values(b); !slices.Equal(got, []string{"2", "1"}) {
		t.Errorf("read %q", got)
	}
	finish(b)
	r.commit()
	r.wait(fast)
	r.wait(slow)
}

// slow sends the beginning of a body and returns a function that ends it.
func (r *rig) slow(t *testing.T, path, body string) (<-chan reply, func()) {
	t.Helper()
	pr, pw := newPipe()
	req := r.request(path, lineType, "")
	req.Body, req.ContentLength = pr, -1
	answer := r.post(req)
	t.Cleanup(pw.end)
	pw.write(body)
	return answer, pw.end
}

// TestAnyOrder: many senders, confirmations in any order with batches that
// stay out, and a stop in the middle. Whoever got 200 has had all his records
// confirmed before.
func TestAnyOrder(t *testing.T) {
	t.Parallel()
	r := open(t, engine.BatchLimits{Records: 5, Linger: time.Millisecond}, func(c *Config) { c.MaxRequests = 16 })
	var mu sync.Mutex
	confirmed := make(map[string]bool)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var pump sync.WaitGroup
	pump.Go(func() {
		var held []*engine.Batch
		random := rand.New(rand.NewPCG(1, 2))
		for n := 0; ; n++ {
			b, err := r.in.Read(ctx)
			if err != nil {
				break
			}
			held = append(held, b)
			for len(held) > 3 || len(held) > 0 && (random.IntN(3) > 0 || n%2 == 0) {
				i := random.IntN(len(held))
				mu.Lock()
				for _, v := range values(held[i]) {
					confirmed[v] = true
				}
				mu.Unlock()
				finish(held[i])
				held = slices.Delete(held, i, i+1)
				r.commit()
			}
		}
	})
	var good, busy, total int
	var senders sync.WaitGroup
	for s := range 32 {
		senders.Go(func() {
			for i := range 30 {
				var body bytes.Buffer
				var names []string
				for k := range 1 + (s*i)%13 {
					names = append(names, fmt.Sprintf("%d.%d%02d", s+1, i+1, k+10))
					fmt.Fprintln(&body, names[k])
				}
				a := r.send(r.request("/", lineType, body.String()))
				mu.Lock()
				total++
				switch {
				case a.status == 503:
					busy++
				case a.status == 200 && a.records == len(names):
					good++
					for _, name := range names {
						if !confirmed[name] {
							t.Errorf("200 for %s, which is not confirmed", name)
						}
					}
				case a.err == nil:
					t.Errorf("answer %+v", a)
				}
				if total == 700 {
					stop()
				}
				mu.Unlock()
			}
		})
	}
	pump.Wait()
	r.close()
	senders.Wait()
	if good < 100 || busy == 0 {
		t.Errorf("%d of %d requests were confirmed, %d were refused: the test has seen too little", good, total, busy)
	}
}

// TestDrain: at a stop, what the pipeline has taken is answered when it is
// confirmed, what it has not taken with 503, and nobody is accepted any more.
func TestDrain(t *testing.T) {
	t.Parallel()
	r := open(t, engine.BatchLimits{}, nil)
	inFlight := r.post(r.request("/", jsonType, "1"))
	b := r.read()
	queued := r.post(r.request("/", jsonType, "2"))
	until(t, "the arrival of the second request", func() bool { return len(r.in.srv.queue) == 1 })
	slow, _ := r.slow(t, "/", "3\n")
	until(t, "the arrival of the slow request", func() bool { return r.in.srv.receiving.Load() == 1 })
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if b, err := r.in.Read(ctx); err == nil {
		t.Errorf("Read returned %d records after the end of its context", b.Len())
	}
	for name, ch := range map[string]<-chan reply{"queued": queued, "half received": slow} {
		if a := r.wait(ch); a.status != 503 || a.header.Get("Retry-After") != "1" || !strings.Contains(a.text, "stopping") {
			t.Errorf("%s: answer %+v", name, a)
		}
	}
	until(t, "the end of listening", func() bool {
		c, err := net.Dial("tcp", r.in.srv.address)
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
	r.unanswered(inFlight, "before its confirmation")
	finish(b)
	r.commit()
	if a := r.wait(inFlight); a.status != 200 {
		t.Errorf("answer %+v", a)
	}
}

// TestDrainFinishesARequest: of a request that is half in the pipeline the
// rest follows at a stop.
func TestDrainFinishesARequest(t *testing.T) {
	t.Parallel()
	r := open(t, engine.BatchLimits{Records: 2}, nil)
	answer := r.post(r.request("/", lineType, "1\n2\n3\n4\n5\n"))
	finish(r.read())
	ctx, stop := context.WithCancel(t.Context())
	stop()
	for range 2 {
		b, err := r.in.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		finish(b)
	}
	if _, err := r.in.Read(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Read: %v", err)
	}
	r.commit()
	if a := r.wait(answer); a.status != 200 || a.records != 5 {
		t.Errorf("answer %+v", a)
	}
}

// TestCloseWithoutConfirmation: a pipeline that stops answers with 503 what
// was not confirmed, never with 200.
func TestCloseWithoutConfirmation(t *testing.T) {
	t.Parallel()
	r := open(t, engine.BatchLimits{Records: 2}, nil)
	answer := r.post(r.request("/", lineType, "1\n2\n3\n"))
	finish(r.read())
	b := r.read()
	r.commit()
	r.close()
	if a := r.wait(answer); a.status != 503 || a.header.Get("Retry-After") == "" || !strings.Contains(a.text, "before the records were confirmed") {
		t.Errorf("answer %+v", a)
	}
	b.Release()
}

// TestClientGone: what the pipeline has not taken of a client that is gone is
// not taken later.
func TestClientGone(t *testing.T) {
	t.Parallel()
	r := open(t, engine.BatchLimits{}, nil)
	ctx, leave := context.WithCancel(t.Context())
	gone := r.post(r.request("/", jsonType, `"gone"`).WithContext(ctx))
	until(t, "the arrival of the request", func() bool { return len(r.in.srv.queue) == 1 })
	leave()
	if a := r.wait(gone); a.err == nil {
		t.Fatal("the client is still there")
	}
	left := <-r.in.srv.queue
	until(t, "the end of the handler", func() bool { return left.state.Load() == withdrawn })
	r.in.srv.queue <- left
	answer := r.post(r.request("/", jsonType, `"here"`))
	b := r.read()
	if got := values(b); !slices.Equal(got, []string{`"here"`}) {
		t.Errorf("read %q", got)
	}
	finish(b)
	r.commit()
	if a := r.wait(answer); a.status != 200 {
		t.Errorf("answer %+v", a)
	}
	r.nothing()
}

func TestConfirmTimeout(t *testing.T) {
	t.Parallel()
	r := open(t, engine.BatchLimits{}, func(c *Config) { c.ConfirmTimeout = 50 * time.Millisecond })
	if a := r.send(r.request("/", jsonType, "1")); a.status != 503 || !strings.Contains(a.text, "took no more records") {
		t.Errorf("never taken: answer %+v", a)
	}
	answer := r.post(r.request("/", jsonType, "2"))
	b := r.read()
	if got := values(b); !slices.Equal(got, []string{"2"}) {
		t.Errorf("read %q", got)
	}
	if a := r.wait(answer); a.status != 503 || !strings.Contains(a.text, "may still arrive") {
		t.Errorf("never confirmed: answer %+v", a)
	}
	finish(b)
	r.commit()
	r.nothing()
}

func TestRecordParts(t *testing.T) {
	t.Parallel()
	r := open(t, engine.BatchLimits{}, func(c *Config) {
		c.Paths, c.Methods = []string{"/in/"}, []string{"PUT"}
		c.KeyHeader, c.Headers, c.QueryParams = "X-Key", []string{"X-Many", "X-None"}, []string{"source"}
		c.Request = []string{"method", "path", "host", "remote_address", "user"}
	})
	before := time.Now().UnixNano()
	answer := r.post(r.request("/in/a%20b?source=x&source=y&other=z", lineType, "1\n2\n", func(q *http.Request) {
		q.Method = http.MethodPut
		q.Header.Set("X-Key", "k")
		q.Header["X-Many"] = []string{"one", ""}
		q.SetBasicAuth("ann", "x")
	}))
	b := r.read()
	want := fmt.Sprintf("[{X-Many one} {X-Many } {source x} {source y} {http.method PUT} {http.path /in/a b} {http.host %s} {http.remote_address 127.0.0.1} {http.user ann}]", r.in.srv.address)
	for _, rec := range enginetest.Records(b) {
		got := strings.NewReplacer("\n", "").Replace(show(rec.Headers))
		if got != want || string(rec.Key) != "k" || rec.Timestamp < before || rec.Timestamp > time.Now().UnixNano() {
			t.Errorf("record %v\n got %s\nwant %s", rec, got, want)
		}
	}
	finish(b)
	r.commit()
	r.wait(answer)
}
