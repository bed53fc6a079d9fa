// Package registry is the client of schema registries that converters share:
// settings, requests with fail-over, and what was read, which outlives an
// outage.
package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/sr"

	chttp "github.com/flowrecords/flow/connections/http"
	"github.com/flowrecords/flow/engine"
)

// The types of schemas, as the registry names them.
const (
	Avro     = "AVRO"
	Protobuf = "PROTOBUF"
	JSON     = "JSON"
)

// Text is a schema as it is registered.
type Text struct {
	// Type is one of the constants above.
	Type string
	Text string
	// References are what the text uses of other subjects.
	References []Reference
}

// Reference is a schema that another one uses, by the name that it has there.
type Reference struct {
	Name    string
	Subject string
	Version int
}

// Schema is a schema that the registry has. It is never changed.
type Schema struct {
	Text
	// ID is unique within the registry's context; 0 where only a GUID is known.
	ID int
	// GUID is unique anywhere; empty if the registry does not tell.
	GUID string
	// Subject and Version by which it was asked for; empty and 0 when it was
	// asked for by id.
	Subject string
	Version int
	// Uses are the schemas behind References and behind theirs, each once, those
	// that others use first.
	Uses []Used
}

// Used is a schema behind a reference.
type Used struct {
	Reference
	Schema *Schema
}

// Connection is one connection block. Any goroutine may use it. Who uses it
// calls Acquire first and Release in the end.
type Connection struct {
	config *Config
	env    engine.Env

	mu      sync.Mutex // guards the following
	users   int
	http    *chttp.Client
	clients []*sr.Client // by URL
	good    int          // the URL that answered last

	ids     cache[*Schema] // by id or GUID
	latest  cache[*Schema] // by subject
	written cache[Stored]  // by subject and text
	models  models
	calls   calls
}

// New returns a connection; it does no I/O.
func New(config *Config, env engine.Env) *Connection {
	if env.Now == nil {
		env.Now = time.Now
	}
	c := &Connection{config: config, env: env}
	c.ids.most, c.latest.most, c.written.most = config.CacheSchemas, config.CacheSchemas, config.CacheSchemas
	return c
}

// Of returns the connection that a reference leads to.
func Of(ref engine.ConnectionRef) (*Connection, error) {
	c, ok := ref.Value.(*Connection)
	if !ok {
		return nil, fmt.Errorf("%s is no registry connection", ref.Name)
	}
	return c, nil
}

// Where names the registry for people.
func (c *Connection) Where() string { return c.config.URLs[0] }

// Acquire makes the connection usable until Release. It reads the files of the
// tls block and dials nothing.
func (c *Connection) Acquire() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.users == 0 {
		if err := c.open(); err != nil {
			return err
		}
	}
	c.users++
	return nil
}

// Release gives the connection up. What was read stays for the next user.
func (c *Connection) Release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.users--; c.users == 0 {
		c.http.Close()
		c.http, c.clients = nil, nil
	}
}

// open makes the clients. mu is held.
func (c *Connection) open() error {
	h, err := chttp.NewClient(&c.config.ClientConfig, c.env, 0)
	if err != nil {
		return err
	}
	var clients []*sr.Client
	for _, u := range c.config.URLs {
		opts := []sr.ClientOpt{sr.URLs(u), sr.HTTPClient(&http.Client{Transport: &transport{c: h, now: c.env.Now}})}
		if c.config.Context != "" {
			opts = append(opts, sr.DefaultSchemaContext("."+c.config.Context))
		}
		if c.config.Normalize {
			opts = append(opts, sr.DefaultParams(sr.Normalize))
		}
		cl, err := sr.NewClient(opts...)
		if err != nil {
			h.Close()
			return fmt.Errorf("registry client: %w", err)
		}
		clients = append(clients, cl)
	}
	c.http, c.clients = h, clients
	return nil
}

// maxAnswer bounds an answer: schemas of many megabytes are none.
const maxAnswer = 16 << 20

// transport sends the requests of the registry's client by the connection's
// own, which knows about credentials, redirects and files that change.
type transport struct {
	c   *chttp.Client
	now func() time.Time
}

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Del("User-Agent") // it is the connection's
	resp, err := t.c.Do(req)
	if err != nil {
		return nil, err
	}
	if chttp.Transient(resp.StatusCode) {
		return nil, chttp.NewStatusError(resp, t.now())
	}
	resp.Body = &bounded{ReadCloser: resp.Body, left: maxAnswer}
	return resp, nil
}

// bounded fails when a body is longer than it may be.
type bounded struct {
	io.ReadCloser
	left int
}

var errLarge = fmt.Errorf("the answer is larger than %d bytes", maxAnswer)

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errLarge
	}
	if len(p) > b.left {
		p = p[:b.left]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= n
	return n, err
}

var errClosed = errors.New("the registry connection is not open")

// ask sends a request to the server that answered last, and to the next ones
// when it does not answer.
func (c *Connection) ask(ctx context.Context, doing string, request func(context.Context, *sr.Client) error) error {
	c.mu.Lock()
	clients, h, first := c.clients, c.http, c.good
	c.mu.Unlock()
	if clients == nil {
		return fmt.Errorf("%s: %w", doing, errClosed)
	}
	wait := c.config.RetryWait
	var err error
	for try := 0; ; try++ {
		for k := range clients {
			i := (first + k) % len(clients)
			one, cancel := h.WithTimeout(ctx)
			err = chttp.Cause(one, request(one, clients[i]))
			cancel()
			if answered(err) {
				c.mu.Lock()
				c.good = i
				c.mu.Unlock()
				return c.judge(doing, err)
			}
			if ctx.Err() != nil {
				return engine.Retry(fmt.Errorf("%s: %w", doing, context.Cause(ctx)))
			}
		}
		if try >= c.config.Retries || chttp.Fatal(err) {
			return c.judge(doing, err)
		}
		select {
		case <-ctx.Done():
			return engine.Retry(fmt.Errorf("%s: %w", doing, context.Cause(ctx)))
		case <-time.After(wait):
		}
		wait = min(2*wait, time.Minute)
	}
}

// answered reports whether a registry has said something, be it no.
func answered(err error) bool {
	var r *sr.ResponseError
	return err == nil || errors.As(err, &r)
}
