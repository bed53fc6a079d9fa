package http

import (
	"context"
	"fmt"

	connhttp "github.com/flowrecords/flow/connections/http"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/outputs/internal/order"
)

// send sends some records of r in one request and notes what becomes of them.
// Where the server refuses some of several, it sends them again in halves.
func (o *output) send(l *lane, r *request, parts []part) {
	o.mu.Lock()
	held := l.held
	o.mu.Unlock()
	if held {
		o.result(l, parts, outcome{again: &engine.RetryError{Err: order.ErrAgain}})
		return
	}
	c, status := o.try(r, parts)
	if c.refused != nil && len(parts) > 1 && o.split.has(status) {
		half := len(parts) / 2
		o.send(l, r, parts[:half])
		o.send(l, r, parts[half:])
		return
	}
	o.result(l, parts, c)
}

// try sends one request and returns what became of it, with the status of the
// answer.
func (o *output) try(r *request, parts []part) (outcome, int) {
	doing := o.cfg.Method + " " + connhttp.Redact(r.to.url)
	ctx, cancel := context.WithCancelCause(r.ctx)
	defer cancel(nil)
	stop := context.AfterFunc(o.base, func() { cancel(context.Cause(o.base)) })
	defer stop()
	if ctx.Err() != nil {
		return outcome{fatal: context.Cause(ctx)}, 0
	}
	limited, end := o.client.WithTimeout(ctx)
	defer end()
	req, err := o.build(limited, r, parts)
	if err != nil {
		return outcome{fatal: fmt.Errorf("%s: %w", doing, err)}, 0
	}
	resp, err := o.client.Do(req) //nolint:bodyclose // Discard and NewStatusError close it
	switch {
	case ctx.Err() != nil && err != nil:
		return outcome{fatal: context.Cause(ctx)}, 0
	case err != nil:
		return failed(connhttp.Classify("sending", connhttp.Cause(limited, err))), 0
	case o.success.has(resp.StatusCode):
		connhttp.Discard(resp.Body)
		return outcome{}, resp.StatusCode
	}
	e := connhttp.NewStatusError(resp, o.now())
	e.Message = o.hide.Replace(e.Message)
	switch {
	case o.retry.has(e.Status):
		return outcome{again: &engine.RetryError{Err: e, After: e.After}}, e.Status
	case o.stop.has(e.Status):
		return outcome{fatal: fmt.Errorf("%w (a status of stop_statuses)", e)}, e.Status
	}
	return outcome{refused: e}, e.Status
}

// failed is the outcome of a request without an answer.
func failed(err error) outcome {
	if r, ok := err.(*engine.RetryError); ok { //nolint:errorlint // as Classify makes it
		return outcome{again: r}
	}
	return outcome{fatal: err}
}
