package httpclient

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	conn "github.com/flowrecords/flow/connections/http"
	"github.com/flowrecords/flow/engine"
)

// fetch asks for the page at the position and makes it the current one, if
// there is anything in it or behind it.
func (in *input) fetch(ctx context.Context) error {
	if err := in.turn(ctx); err != nil {
		return err
	}
	began := in.env.Now()
	limited, cancel := in.client.WithTimeout(ctx)
	defer cancel()
	req, err := in.request(limited)
	if err != nil {
		return err
	}
	req.Header.Set("Accept-Encoding", "gzip")
	sent := in.at.Cursor
	if in.at.For == sent {
		if in.at.ETag != "" {
			req.Header.Set("If-None-Match", in.at.ETag)
		}
		if in.at.Modified != "" {
			req.Header.Set("If-Modified-Since", in.at.Modified)
		}
	}
	resp, err := in.client.Do(req) //nolint:bodyclose // Discard closes it
	if err != nil {
		return conn.Classify("polling", conn.Cause(limited, err))
	}
	defer conn.Discard(resp.Body)
	switch {
	case resp.StatusCode == http.StatusNotModified:
		in.ended(began)
		return nil
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return conn.Classify("polling", conn.NewStatusError(resp, in.env.Now()))
	}
	body, err := readBody(resp, int64(in.cfg.MaxResponse))
	if err != nil {
		return in.badAnswer(req, conn.Cause(limited, err))
	}
	// Redirects lead to another URL, to which links are relative.
	a, err := in.parser.parse(body, resp.Header, resp.Request.URL)
	if err != nil {
		return in.badAnswer(req, err)
	}
	in.turnPage(a, resp.Header, sent, began)
	return nil
}

func (in *input) badAnswer(req *http.Request, err error) error {
	var f fatalError
	switch {
	case errors.Is(err, errTooLarge):
		return fatal("%s %s: the answer is larger than max_response, which is %d bytes", req.Method, conn.Redact(req.URL), int64(in.cfg.MaxResponse))
	case errors.As(err, &f):
		return fatal("%s %s: %v", req.Method, conn.Redact(req.URL), err)
	}
	// A body that broke off, or is no JSON since a proxy answered.
	return conn.Classify("polling "+conn.Redact(req.URL), err)
}

// request makes a request for the position.
func (in *input) request(ctx context.Context) (*http.Request, error) {
	u, err := in.cfg.target(in.at.Cursor)
	if err != nil {
		return nil, fatal("the cursor makes no URL")
	}
	req, err := http.NewRequestWithContext(ctx, in.cfg.Method, u.String(), strings.NewReader(in.cfg.Body))
	if err != nil {
		return nil, fatal("making a request for %s", conn.Redact(u))
	}
	if in.cfg.Body == "" {
		req.Body, req.GetBody, req.ContentLength = nil, nil, 0
	}
	for name, v := range in.cfg.Headers {
		req.Header.Set(name, v)
	}
	return req, nil
}

// turnPage makes an answer the current page and settles what comes behind it.
func (in *input) turnPage(a *answer, h http.Header, sent string, began time.Time) {
	last := !a.found || a.cursor == sent || a.hasMore && !a.more || !a.hasMore && a.count == 0
	then := position{Cursor: a.cursor}
	if !a.found {
		then.Cursor = in.restart(sent)
	}
	if last {
		then.For, then.ETag, then.Modified = sent, h.Get("Etag"), h.Get("Last-Modified")
		if then.ETag == "" && then.Modified == "" {
			then.For = ""
		}
		in.ended(began)
	} else {
		in.due = time.Time{}
	}
	if a.count == 0 && then == in.at {
		return
	}
	in.page = &page{data: a.data, lines: a.lines, none: a.count == 0, first: in.count, then: then}
}

// restart is the cursor of the next poll when the last page named none.
func (in *input) restart(sent string) string {
	k := in.cfg.Cursor
	switch {
	case k == nil:
		return ""
	case len(k.Record.Path) > 0 || k.AtEnd == "stay":
		return sent // what is new comes behind it
	}
	return k.Start
}

// ended notes the end of a poll.
func (in *input) ended(began time.Time) {
	in.due = began.Add(in.cfg.Interval)
	in.over = in.cfg.Once
}

var _ engine.Input = (*input)(nil)
