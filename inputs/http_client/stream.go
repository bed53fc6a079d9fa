package httpclient

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"

	conn "github.com/flowrecords/flow/connections/http"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
)

// event is one record of a stream.
type event struct {
	value   []byte
	headers []record.Header
	cursor  string // position behind it; empty: as before
	err     error  // why it is no record
}

// chunk is what has come together.
type chunk struct {
	events []event
	bytes  int
	retry  time.Duration // the server asks for; 0: nothing
}

// chunkBytes is when a chunk is handed over although more is at hand. Two
// chunks are in memory at most.
const chunkBytes = 64 << 10

// stream is an answer without end, read by a goroutine of its own.
type stream struct {
	chunks chan chunk // closed at the end
	err    error      // why; nil is a regular end. Written before the close
	cancel context.CancelCauseFunc
	read   sync.WaitGroup
}

func (s *stream) close() {
	s.cancel(errors.New("closed"))
	s.read.Wait()
}

// readStream returns what the stream has brought.
func (in *input) readStream(ctx context.Context) (*engine.Batch, error) {
	if in.over {
		return nil, engine.ErrEnd
	}
	b, err := in.host.NewBatch(ctx)
	if err != nil {
		return nil, err
	}
	for {
		if in.stream == nil {
			err = in.connect(ctx)
		}
		if err == nil {
			err = in.gather(ctx, b)
		}
		switch {
		case err == nil:
			return b, nil
		case errors.Is(err, errStreamOver): // servers end streams now and then
			err = nil
			continue
		case ctx.Err() != nil:
			err = context.Cause(ctx)
		}
		b.Release()
		return nil, err
	}
}

var errStreamOver = errors.New("the server has ended the stream")

// gather fills b and seals it. Without a record it returns an error.
func (in *input) gather(ctx context.Context, b *engine.Batch) error {
	lim := in.host.Limits()
	var failures []engine.Failure
	var linger <-chan time.Time
	end := in.at
	b.Value.Lines = true
	for b.Len() < lim.Records && len(b.Value.Data) < lim.Bytes {
		if in.pending == nil {
			if linger == nil && b.Len() > 0 {
				linger = time.After(lim.Linger)
			}
			c, err := in.chunk(ctx, linger, b.Len() > 0)
			if err != nil {
				if b.Len() > 0 {
					break
				}
				return err
			}
			if c == nil {
				break
			}
			in.pending = c.events
			continue
		}
		e := in.pending[0]
		if in.pending = in.pending[1:]; len(in.pending) == 0 {
			in.pending = nil
		}
		b.Value.Lines = b.Value.Lines && bytes.IndexByte(e.value, '\n') < 0
		b.Value.Add(e.value)
		if in.cfg.Format == "sse" {
			b.Headers.List = append(b.Headers.List, e.headers...)
			b.Headers.Ends = append(b.Headers.Ends, uint32(len(b.Headers.List)))
		}
		failures = append(failures, engine.Failure{Reason: e.err})
		if e.cursor != "" {
			end.Cursor = e.cursor
		}
	}
	first := in.count
	in.count += int64(b.Len())
	in.at = end
	in.src.Begin(b, engine.Position{Offset: in.count, State: in.at.text()}, first, nil)
	for i, f := range failures {
		if f.Reason != nil {
			failures[i].Element, failures[i].Origin = in.env.Element, b.Origin(i)
			b.Failures = failures
		}
	}
	return nil
}

// chunk waits for the next chunk. It returns nil when the linger is over, or
// when the stream has ended behind records that are in the batch already.
func (in *input) chunk(ctx context.Context, linger <-chan time.Time, some bool) (*chunk, error) {
	select {
	case c, ok := <-in.stream.chunks:
		if ok {
			if c.retry > 0 {
				in.retry = c.retry
			}
			return &c, nil
		}
		if some {
			return nil, nil // the end is seen again
		}
		return nil, in.lost()
	case <-linger:
		return nil, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// lost deals with the end of a stream.
func (in *input) lost() error {
	err := in.stream.err
	in.stream.close()
	in.stream = nil
	pause := in.cfg.Interval
	if in.retry > 0 {
		pause = in.retry
	}
	if err == nil && in.cfg.Once {
		in.over = true
		return engine.ErrEnd
	}
	in.due = in.env.Now().Add(pause)
	if err == nil {
		return errStreamOver
	}
	return &engine.RetryError{Err: fmt.Errorf("reading the stream: %w", err), After: pause}
}

// connect asks for the stream.
func (in *input) connect(ctx context.Context) error {
	if err := in.turn(ctx); err != nil {
		return err
	}
	life, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	// Until the headers are there, the end of ctx and the timeout end it all.
	keep := context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })
	patience := time.AfterFunc(in.cfg.Timeout, func() {
		cancel(fmt.Errorf("no answer within the timeout of %s", engine.DurationText(in.cfg.Timeout)))
	})
	resp, err := in.ask(life)
	if err == nil && (!patience.Stop() || !keep()) {
		conn.Discard(resp.Body)
		err = context.Cause(life)
	}
	if err != nil {
		if f := fatalError(""); !errors.As(err, &f) {
			err = conn.Classify("connecting to the stream", conn.Cause(life, err))
		}
		cancel(nil)
		patience.Stop()
		keep()
		return err
	}
	if resp.StatusCode == http.StatusNoContent {
		conn.Discard(resp.Body)
		cancel(nil)
		in.over = true // the server says not to come again
		return engine.ErrEnd
	}
	s := &stream{chunks: make(chan chunk), cancel: cancel}
	in.stream = s
	lastID := ""
	if in.cfg.Format == "sse" {
		lastID = in.at.Cursor
	}
	r := &reader{cfg: in.cfg, parser: in.parser, life: life, out: s.chunks}
	s.read.Go(func() {
		defer close(s.chunks)
		defer func() { _ = resp.Body.Close() }() // nothing was written to it
		s.err = r.run(resp, lastID, cancel)
	})
	return nil
}

// ask sends the request and checks the answer.
func (in *input) ask(ctx context.Context) (*http.Response, error) {
	req, err := in.request(ctx)
	if err != nil {
		return nil, err
	}
	if in.cfg.Format == "sse" {
		req.Header.Set("Accept", "text/event-stream")
		req.Header.Set("Cache-Control", "no-cache")
		if in.at.Cursor != "" {
			req.Header.Set("Last-Event-ID", in.at.Cursor)
		}
	}
	resp, err := in.client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, conn.NewStatusError(resp, in.env.Now())
	}
	if media, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); in.cfg.Format == "sse" && resp.StatusCode != http.StatusNoContent && (err != nil || media != "text/event-stream") {
		conn.Discard(resp.Body)
		return nil, fatal("%s %s: the answer is %.80q, not text/event-stream", req.Method, conn.Redact(req.URL), resp.Header.Get("Content-Type"))
	}
	return resp, nil
}

// reader makes events of an answer. It belongs to the goroutine of a stream.
type reader struct {
	cfg    *Config
	parser *parser // for cursors of records; nothing else uses that part
	life   context.Context
	out    chan<- chunk
	lines  *lineReader
	sse    sse
	chunk  chunk
}

// run reads until the end of the stream, which is nil, or an error.
func (r *reader) run(resp *http.Response, lastID string, cancel context.CancelCauseFunc) error {
	body := io.Reader(resp.Body)
	if d := r.cfg.SilenceTimeout; d > 0 {
		w := &watched{r: body, timer: time.AfterFunc(d, func() { cancel(fmt.Errorf("nothing came for %s (silence_timeout)", engine.DurationText(d))) }), limit: d}
		defer w.timer.Stop()
		body = w
	}
	if coding := resp.Header.Get("Content-Encoding"); strings.EqualFold(coding, "gzip") {
		z, err := gzip.NewReader(body)
		if err != nil {
			return conn.Cause(r.life, err)
		}
		body = z
	}
	r.lines = &lineReader{r: bufio.NewReaderSize(body, 32<<10), max: int(r.cfg.MaxRecord), idle: r.flush}
	if r.cfg.Format == "sse" {
		// A line has the name of its field in front of the data.
		r.lines.max += len("data: ")
		r.lines.anyEnd = true
		r.sse = sse{id: lastID, next: lastID, max: int(r.cfg.MaxRecord)}
	}
	for {
		line, whole, err := r.lines.next()
		if err == nil {
			r.take(line, whole)
		} else if errors.Is(err, io.EOF) {
			if len(line) > 0 && r.cfg.Format != "sse" {
				r.take(line, whole) // an event of sse that is not complete is none
			}
			return r.flush()
		}
		if err != nil {
			if ferr := r.flush(); ferr != nil {
				return ferr
			}
			return conn.Cause(r.life, err)
		}
		if r.chunk.bytes >= chunkBytes || len(r.chunk.events) >= limits.BatchRecords {
			if err := r.flush(); err != nil {
				return err
			}
		}
	}
}

// take deals with one line.
func (r *reader) take(line []byte, whole bool) {
	var e event
	if r.cfg.Format == "sse" {
		if !r.sse.line(line) {
			r.sse.over = r.sse.over || !whole && bytes.HasPrefix(line, []byte("data"))
			if r.sse.retry > 0 {
				r.chunk.retry = r.sse.retry
			}
			if len(line) == 0 {
				r.sse.reset()
			}
			return
		}
		e = event{value: r.sse.data, cursor: r.sse.id}
		if r.sse.typ != "" {
			e.headers = append(e.headers, record.Header{Key: "sse.event", Value: []byte(r.sse.typ)})
		}
		if r.sse.id != "" {
			e.headers = append(e.headers, record.Header{Key: "sse.id", Value: []byte(r.sse.id)})
		}
		whole = !r.sse.over
		r.sse.reset()
	} else {
		line = bytes.Trim(line, " \t\r")
		if len(line) == 0 {
			return // keeps the connection alive
		}
		e.value = bytes.Clone(line)
		if whole && r.cfg.Cursor != nil {
			e.cursor, e.err = r.parser.cursorOf(line)
		}
	}
	if !whole {
		e.value = e.value[:min(len(e.value), limits.ExcerptBytes)]
		e.err = fmt.Errorf("the record is longer than max_record, which is %d bytes; its beginning is kept", int64(r.cfg.MaxRecord))
	}
	r.chunk.events = append(r.chunk.events, e)
	r.chunk.bytes += len(e.value)
}

// flush hands over what there is.
func (r *reader) flush() error {
	if len(r.chunk.events) == 0 && r.chunk.retry == 0 {
		return nil
	}
	select {
	case r.out <- r.chunk:
		r.chunk = chunk{}
		return nil
	case <-r.life.Done():
		return context.Cause(r.life)
	}
}

// watched notes that something came.
type watched struct {
	r     io.Reader
	timer *time.Timer
	limit time.Duration
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if n > 0 {
		w.timer.Reset(w.limit)
	}
	return n, err
}
