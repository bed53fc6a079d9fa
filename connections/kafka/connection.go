// Package kafka holds the settings of a connection to a Kafka cluster and the
// broker that flow can run inside its own process.
package kafka

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flowrecords/flow/engine"
)

// Connection is one connection block. Any goroutine may use it. Each element
// calls Acquire in Open, makes its own client with Client, and calls Release
// in Close, once for each Acquire that succeeded.
type Connection struct {
	config *Config
	env    engine.Env // of the factory
	dialer *dialer
	tokens *tokenSource // nil unless oauthbearer

	// mu guards the following.
	mu     sync.Mutex
	users  int
	broker *embedded
	// sessions of pipelines that write in transactions, by name
	sessions map[string]*Session
}

// New returns a connection; it does no I/O.
func New(config *Config) *Connection {
	c := &Connection{config: config, dialer: &dialer{tls: config.TLS, timeout: config.DialTimeout}}
	if config.SASL != nil && config.SASL.Mechanism == mechanismOAuth {
		c.tokens = newTokenSource(config.SASL)
	}
	return c
}

// Of returns the connection that a reference leads to.
func Of(ref engine.ConnectionRef) (*Connection, error) {
	c, ok := ref.Value.(*Connection)
	if !ok {
		return nil, fmt.Errorf("%s is no kafka connection", ref.Name)
	}
	return c, nil
}

// Embedded reports whether the broker runs inside this process.
func (c *Connection) Embedded() bool { return c.config.Embedded != "" }

// Where names the cluster for people: its brokers, or the folder of the
// embedded one.
func (c *Connection) Where() string {
	if c.Embedded() {
		return "the embedded broker in " + c.config.Embedded
	}
	return strings.Join(c.config.Brokers, ", ")
}

// Stream names a topic of this cluster, for comparing what elements read and
// write.
func (c *Connection) Stream(topic string) string { return "topic " + topic + " of " + c.Where() }

// Acquire makes the connection usable until Release: it starts the embedded
// broker at first use. It dials nothing.
func (c *Connection) Acquire(_ context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.config.Embedded != "" && c.broker == nil {
		b, err := startEmbedded(c.config)
		if err != nil {
			return fmt.Errorf("starting the embedded broker in %s: %w", c.config.Embedded, err)
		}
		c.broker = b
	}
	c.users++
	return nil
}

// Release gives the connection up; the last one stops the embedded broker.
func (c *Connection) Release() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.users--
	if c.users > 0 || c.broker == nil {
		return nil
	}
	b := c.broker
	c.broker = nil
	return b.stop()
}

// Addresses returns where the brokers are. It is valid between Acquire and
// Release.
func (c *Connection) Addresses() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broker != nil {
		return c.broker.addresses()
	}
	return c.config.Brokers
}

// MaxReadBytes is the largest answer of a broker that clients read. What an
// input fetches at once must be below it.
func (c *Connection) MaxReadBytes() int64 { return int64(c.config.MaxReadBytes) }

// Client makes a client with the connection's settings and opts, which win.
// It reads the files of the tls block and dials nothing; connections that are
// made later use what the files hold then. All clients of a connection share
// the token of oauthbearer. The connection must be acquired for as long as the
// client lives.
func (c *Connection) Client(env engine.Env, opts ...kgo.Opt) (*kgo.Client, error) {
	all := []kgo.Opt{
		kgo.SeedBrokers(c.Addresses()...),
		kgo.ClientID(c.clientID(env)),
		kgo.SoftwareNameAndVersion("flow", softwareVersion(env.Version)),
		kgo.Dialer(c.dialer.dial),
		kgo.RequestTimeoutOverhead(c.config.RequestTimeout),
		kgo.ConnIdleTimeout(c.config.IdleTimeout),
		kgo.MetadataMaxAge(c.config.MetadataMaxAge),
		kgo.MetadataMinAge(c.config.MetadataMinAge),
		kgo.BrokerMaxReadBytes(int32(c.config.MaxReadBytes)),
		kgo.DisableClientMetrics(),
	}
	if c.config.Rack != "" {
		all = append(all, kgo.Rack(c.config.Rack))
	}
	if c.config.RetryTimeout > 0 {
		all = append(all, kgo.RetryTimeout(c.config.RetryTimeout))
	}
	if env.Logger != nil {
		all = append(all, kgo.WithLogger(clientLogger{env.Logger}))
	}
	if c.config.TLS != nil {
		if _, err := c.dialer.config(); err != nil {
			return nil, err
		}
	}
	if c.config.SASL != nil {
		all = append(all, kgo.SASL(c.config.SASL.mechanism(c.tokens)))
	}
	cl, err := kgo.NewClient(append(all, opts...)...)
	if err != nil {
		return nil, fmt.Errorf("kafka client: %w", err)
	}
	return cl, nil
}

func (c *Connection) clientID(env engine.Env) string {
	if c.config.ClientID != "" {
		return c.config.ClientID
	}
	return "flow-" + env.Pipeline + "-" + env.Element
}

// softwareVersion keeps what brokers accept as a version: they refuse a client
// whose version holds other characters.
func softwareVersion(v string) string {
	v = strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '.' || r == '-' {
			return r
		}
		return '-'
	}, v)
	v = strings.Trim(v, ".-")
	if v == "" {
		return "0"
	}
	return v
}
