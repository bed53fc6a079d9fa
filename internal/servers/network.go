package servers

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/Shopify/toxiproxy/v2/toxics"
	"github.com/rs/zerolog"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Network lies between the clients of the listener Proxied and the brokers: a
// proxy for each. It passes everything on until it is made bad, for all brokers
// alike; one fault at a time, ended by Heal. Clients of other listeners, such as
// those of this package, and the brokers among themselves do not notice.
//
// A fault may not be begun or ended while a client reads nothing from its
// connections, as a stopped process: the proxy waits for it.
type Network struct {
	c       *Cluster
	proxies []*toxiproxy.Proxy // by node id less 1
	meters  [][2]*meter        // by node id less 1: to the broker, from it
	toxic   string             // the fault that holds, without its direction
	cut     bool
}

// Network puts proxies before the brokers, for the rest of the test. A cluster
// has one, and needs KafkaOptions.Proxied.
func (c *Cluster) Network(t testing.TB) *Network {
	t.Helper()
	n, err := c.newNetwork()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.close)
	return n
}

var registerMeter = sync.OnceFunc(func() { toxics.Register(meterType, new(meter)) })

func (c *Cluster) newNetwork() (*Network, error) {
	if !c.opts.Proxied {
		return nil, errors.New("the cluster has no listener for proxies")
	}
	registerMeter()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	n := &Network{c: c}
	for i, addr := range c.AddrsOf(Proxied) {
		p := toxiproxy.NewProxy(server, fmt.Sprintf("broker-%d", i+1), addr, c.Upstream(i+1))
		var meters [2]*meter
		for k, direction := range directions {
			w, err := p.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(`{"type":%q,"stream":%q}`, meterType, direction)))
			if err != nil {
				n.close()
				return nil, err
			}
			meters[k] = w.Toxic.(*meter)
		}
		if err := p.Start(); err != nil {
			n.close()
			return nil, fmt.Errorf("starting the proxy of broker %d: %w", i+1, err)
		}
		n.proxies, n.meters = append(n.proxies, p), append(n.meters, meters)
	}
	return n, nil
}

// directions are toxiproxy's names: to the broker, and from it.
var directions = [2]string{"upstream", "downstream"}

func (n *Network) close() {
	for _, p := range n.proxies {
		p.Stop()
	}
}

// Addrs is where clients find the brokers.
func (n *Network) Addrs() []string { return n.c.AddrsOf(Proxied) }

// Open returns how many connections of clients there are.
func (n *Network) Open() int { return int(n.sum(func(m *meter) int64 { return m.open.Load() })) / 2 }

// Made returns how many connections of clients there have ever been.
func (n *Network) Made() int { return int(n.sum(func(m *meter) int64 { return m.made.Load() })) / 2 }

// Taken returns how many bytes clients and brokers have handed to the proxies.
func (n *Network) Taken() int64 { return n.sum(func(m *meter) int64 { return m.bytes.Load() }) }

// Sent returns how many bytes a broker has sent to clients.
func (n *Network) Sent(id int) int64 { return n.meters[id-1][1].bytes.Load() }

func (n *Network) sum(of func(*meter) int64) (sum int64) {
	for _, m := range n.meters {
		sum += of(m[0]) + of(m[1])
	}
	return sum
}

// Cut closes all connections and refuses new ones.
func (n *Network) Cut() error {
	if err := n.healthy(); err != nil {
		return err
	}
	for _, p := range n.proxies {
		p.Stop()
	}
	n.cut = true
	return nil
}

// Tear ends each connection, old or new, when so many bytes have passed in one
// direction, which is most likely within a request or an answer.
func (n *Network) Tear(bytes int64) error {
	return n.add("limit_data", fmt.Sprintf(`{"bytes":%d}`, bytes))
}

// Swallow leaves connections open and accepts new ones, and nothing arrives. At
// the end these connections are closed: what they swallowed never arrives.
func (n *Network) Swallow() error { return n.add("timeout", `{"timeout":0}`) }

// Delay lets everything arrive late, in each direction by latency and up to
// jitter more or less.
func (n *Network) Delay(latency, jitter time.Duration) error {
	return n.add("latency", fmt.Sprintf(`{"latency":%d,"jitter":%d}`, latency.Milliseconds(), jitter.Milliseconds()))
}

// SlowClose hides the end of a connection from its other side for so long.
func (n *Network) SlowClose(late time.Duration) error {
	return n.add("slow_close", fmt.Sprintf(`{"delay":%d}`, late.Milliseconds()))
}

func (n *Network) healthy() error {
	if n.cut || n.toxic != "" {
		return errors.New("a fault of the network holds: heal it first")
	}
	return nil
}

// networkTimeout bounds the wait for a client that does not read.
const networkTimeout = 30 * time.Second

func (n *Network) add(toxic, attributes string) error {
	if err := n.healthy(); err != nil {
		return err
	}
	n.toxic = toxic
	return n.each(func(p *toxiproxy.Proxy, direction string) error {
		_, err := p.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(`{"name":%q,"type":%q,"stream":%q,"attributes":%s}`,
			toxic+direction, toxic, direction, attributes)))
		return err
	})
}

func (n *Network) each(do func(p *toxiproxy.Proxy, direction string) error) error {
	done := make(chan error, 1)
	go func() {
		for _, p := range n.proxies {
			for _, direction := range directions {
				if err := do(p, direction); err != nil {
					done <- err
					return
				}
			}
		}
		done <- nil
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(networkTimeout):
		return fmt.Errorf("a connection was not ready to be changed within %s: does its client read?", networkTimeout)
	}
}

// Heal ends the fault that holds; without one it is an error.
func (n *Network) Heal() error {
	switch {
	case n.cut:
		n.cut = false
		for i, p := range n.proxies {
			if err := p.Start(); err != nil {
				return fmt.Errorf("starting the proxy of broker %d: %w", i+1, err)
			}
		}
		return nil
	case n.toxic != "":
		toxic := n.toxic
		n.toxic = ""
		return n.each(func(p *toxiproxy.Proxy, direction string) error {
			return p.Toxics.RemoveToxic(context.Background(), toxic+direction)
		})
	}
	return errors.New("no fault of the network holds")
}

// RoundTrip asks a broker through its proxy, once and with a connection of its
// own, and returns how long the answer took.
func (n *Network) RoundTrip(ctx context.Context, id int) (time.Duration, error) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(n.Addrs()[id-1]), kgo.RequestRetries(0))
	if err != nil {
		return 0, err
	}
	defer cl.Close()
	begin := time.Now()
	if err := answers(ctx, cl, int32(id), 1); err != nil {
		return 0, err
	}
	return time.Since(begin), nil
}

// UntilClosed connects to a broker through its proxy, calls do and returns how
// long after that the connection has ended.
func (n *Network) UntilClosed(ctx context.Context, id int, do func() error) (time.Duration, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", n.Addrs()[id-1])
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	// The answer tells that the proxy has reached the broker.
	if _, err := conn.Write(apiVersions()); err != nil {
		return 0, err
	}
	var size [4]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return 0, err
	}
	if _, err := io.CopyN(io.Discard, conn, int64(binary.BigEndian.Uint32(size[:]))); err != nil {
		return 0, err
	}
	if err := do(); err != nil {
		return 0, err
	}
	begin := time.Now()
	_, _ = io.Copy(io.Discard, conn)
	if ctx.Err() != nil {
		return 0, fmt.Errorf("the connection did not end: %w", context.Cause(ctx))
	}
	return time.Since(begin), nil
}

// apiVersions is the smallest request that brokers answer: what they speak.
func apiVersions() []byte {
	req := kmsg.NewPtrApiVersionsRequest()
	return kmsg.NewRequestFormatter().AppendRequest(nil, req, 1)
}

// meter is a toxic that does nothing but count, one for each proxy and
// direction. It stands before all others.
type meter struct {
	open, made, bytes atomic.Int64
}

const meterType = "flow_meter"

// NewState is called once for each connection.
func (m *meter) NewState() any {
	m.made.Add(1)
	return nil
}

// Pipe passes everything on until the connection ends, or until the chain of
// toxics is changed, when it is called again.
func (m *meter) Pipe(stub *toxics.ToxicStub) {
	m.open.Add(1)
	defer m.open.Add(-1)
	for {
		select {
		case <-stub.Interrupt:
			return
		case c := <-stub.Input:
			if c == nil {
				stub.Close()
				return
			}
			m.bytes.Add(int64(len(c.Data)))
			stub.Output <- c
		}
	}
}
