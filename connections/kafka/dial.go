package kafka

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/flowrecords/flow/connections/tlsconf"
)

// dialer makes connections. Any goroutine may use it.
type dialer struct {
	tls     *tlsconf.Client // nil: plain text
	timeout time.Duration

	// mu guards the following.
	mu    sync.Mutex
	stamp string // of the files that conf was made of
	conf  *tls.Config
	// refused is when an address last took no connection.
	refused map[string]time.Time
}

// refusalPause is the least time between a refused connection and the next one
// to the same address. The client pauses by itself, but not where it adds a
// partition to a transaction (1.22): it would ask thousands of times a second,
// with a few lines of log for each.
const refusalPause = 100 * time.Millisecond

// pause waits until an address may be asked again.
func (d *dialer) pause(ctx context.Context, address string) error {
	d.mu.Lock()
	wait := time.Until(d.refused[address].Add(refusalPause))
	d.mu.Unlock()
	if wait <= 0 {
		return nil
	}
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// refuses says whether an address has taken a connection.
func (d *dialer) refuses(address string, refused bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case !refused:
		delete(d.refused, address)
	case d.refused == nil:
		d.refused = map[string]time.Time{address: time.Now()}
	default:
		d.refused[address] = time.Now()
	}
}

// config returns the settings for the next connection, made of what the files
// hold now. Files that cannot be loaded are being replaced: what was there
// before is good until then.
func (d *dialer) config() (*tls.Config, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	stamp := d.tls.Stamp()
	if d.conf != nil && stamp == d.stamp {
		return d.conf, nil
	}
	conf, err := d.tls.Load()
	switch {
	case err == nil:
		d.conf, d.stamp = conf, stamp
	case d.conf == nil:
		return nil, err
	}
	return d.conf, nil
}

// dial connects and shakes hands within the timeout.
func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	if err := d.pause(ctx, address); err != nil {
		return nil, err
	}
	c, err := d.connect(ctx, network, address)
	d.refuses(address, err != nil)
	return c, err
}

func (d *dialer) connect(ctx context.Context, network, address string) (net.Conn, error) {
	if d.tls == nil {
		c, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &plainConn{Conn: c}, nil
	}
	conf, err := d.config()
	if err != nil {
		return nil, err
	}
	c, err := (&tls.Dialer{NetDialer: &net.Dialer{}, Config: conf}).DialContext(ctx, network, address)
	if err != nil {
		if tlsconf.Refusal(err) {
			return nil, fmt.Errorf("TLS with %s: %w", address, err)
		}
		return nil, err
	}
	return c, nil
}

// ProtocolError says that something else than Kafka in plain text answers at an
// address. Waiting does not change that; see Fatal.
type ProtocolError struct {
	// Speaks is what answers: TLS or HTTP.
	Speaks string
}

func (e *ProtocolError) Error() string { return e.Speaks + " is spoken at this port" }

// plainConn recognises, by the first bytes that come, what is no Kafka. To the
// client they are only a size that is too large.
type plainConn struct {
	net.Conn
	looked bool // only the reader uses it
}

func (c *plainConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.looked || n < 4 {
		return n, err
	}
	c.looked = true
	// An answer begins with its size, 4 bytes: as such, a record of TLS that
	// holds an alert is 350 MB large, and HTTP 1.2 GB.
	switch first := p[:4]; {
	case first[0] == 21 && first[1] == 3:
		return 0, &ProtocolError{"TLS"}
	case string(first) == "HTTP":
		return 0, &ProtocolError{"HTTP"}
	}
	return n, err
}
