// Package httpclient is the input that asks an HTTP server for records: page by
// page at intervals, or as a stream.
package httpclient

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	conn "github.com/flowrecords/flow/connections/http"
	"github.com/flowrecords/flow/engine"
)

// input is the http_client input. All fields belong to the goroutine of Read.
type input struct {
	cfg *Config
	env engine.Env

	host   engine.Host
	src    *engine.Source
	client *conn.Client
	parser *parser

	// at is where the next request begins, count the number of the next record.
	at    position
	count int64

	due  time.Time // of the next poll or connection
	free time.Time // of the next request, by rate
	over bool      // the last page of a bounded input is in page or beyond

	page    *page
	stream  *stream
	pending []event       // of the stream, in no batch yet
	retry   time.Duration // pause before a stream is connected anew; 0: interval
}

// position is what is stored: where the next request begins.
type position struct {
	Cursor string `json:"cursor,omitempty"`
	// ETag and Modified are of the answer to the cursor in For.
	For      string `json:"for,omitempty"`
	ETag     string `json:"etag,omitempty"`
	Modified string `json:"modified,omitempty"`
}

func (p position) text() string {
	if p == (position{}) {
		return ""
	}
	b, err := json.Marshal(p)
	if err != nil {
		panic(err) // texts only
	}
	return string(b)
}

func newInput(config any, env engine.Env) (engine.Input, error) {
	cfg, ok := config.(*Config)
	if !ok {
		return nil, fmt.Errorf("the config of the http_client input is a %T", config)
	}
	return &input{cfg: cfg, env: env}, nil
}

// Open reads the files of the tls block and finds where to go on. It connects
// to nothing: the first Read does.
func (in *input) Open(_ context.Context, h engine.Host) error {
	in.host = h
	u, err := url.Parse(in.cfg.URL)
	if err != nil {
		return fmt.Errorf("reading url: %w", err)
	}
	shown := conn.Redact(u)
	if in.cfg.Cursor != nil {
		in.at.Cursor = in.cfg.Cursor.Start
	}
	if p, ok := h.Stored(shown); ok {
		in.count = p.Offset
		if p.State != "" {
			if err := json.Unmarshal([]byte(p.State), &in.at); err != nil {
				return fmt.Errorf("reading the stored position of %s: %w", shown, err)
			}
		}
	}
	if in.client, err = conn.NewClient(&in.cfg.ClientConfig, in.env, 0); err != nil {
		return err
	}
	in.parser = newParser(in.cfg)
	in.src = h.Source(engine.SourceInfo{
		ID: shown, OffsetSeparator: "#",
		Meta: map[string]string{"url": shown, "input": in.env.Element},
	})
	return nil
}

// Read returns records of the current page or stream; it asks for the next one
// when there are none left.
func (in *input) Read(ctx context.Context) (*engine.Batch, error) {
	if in.cfg.streams() {
		return in.readStream(ctx)
	}
	for in.page == nil {
		if in.over {
			return nil, engine.ErrEnd
		}
		if err := in.fetch(ctx); err != nil {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			return nil, err
		}
	}
	return in.batch(ctx)
}

// sleep waits until a time.
func (in *input) sleep(ctx context.Context, until time.Time) error {
	for {
		left := until.Sub(in.env.Now())
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if left <= 0 {
			return nil
		}
		t := time.NewTimer(left)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
		}
	}
}

// turn waits until a request may be sent.
func (in *input) turn(ctx context.Context) error {
	until := in.due
	if in.free.After(until) {
		until = in.free
	}
	if err := in.sleep(ctx, until); err != nil {
		return err
	}
	if in.cfg.Rate > 0 {
		in.free = in.env.Now().Add(time.Duration(float64(time.Second) / in.cfg.Rate))
	}
	return nil
}

// batch returns the next records of the page. The position behind a page is
// stored with its last batch only: until then a restart asks for the page again
// (Invariant 2), which may have changed, so that counting its records would
// lose some.
func (in *input) batch(ctx context.Context) (*engine.Batch, error) {
	b, err := in.host.NewBatch(ctx)
	if err != nil {
		return nil, err
	}
	lim := in.host.Limits()
	b.Value.Lines = in.page.lines
	for !in.page.empty() && b.Len() < lim.Records && len(b.Value.Data) < lim.Bytes {
		b.Value.Add(in.page.next())
	}
	first := in.count
	in.count += int64(b.Len())
	end := engine.Position{Offset: in.page.first, State: in.at.text()}
	if in.page.empty() {
		in.at = in.page.then
		end = engine.Position{Offset: in.count, State: in.at.text()}
		in.page = nil
	}
	in.src.Begin(b, end, first, nil)
	return b, nil
}

// Close lets go of the connection.
func (in *input) Close(context.Context) error {
	if in.stream != nil {
		in.stream.close()
		in.stream = nil
	}
	if in.client != nil {
		in.client.Close()
	}
	return nil
}
