package servers

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// ask makes a round trip through the network that may take half a second.
func ask(t *testing.T, n *Network) (time.Duration, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	return n.RoundTrip(ctx, 1)
}

// TestNetwork makes the network bad in each way, under a client that goes on
// where it can.
func TestNetwork(t *testing.T) {
	t.Parallel()
	c := Kafka(t, KafkaOptions{Proxied: true})
	n := c.Network(t)
	topic := c.Topic(t, 1)
	cl, err := kgo.NewClient(kgo.SeedBrokers(n.Addrs()...), kgo.ProduceRequestTimeout(time.Second), kgo.RequestTimeoutOverhead(time.Second), kgo.MetadataMinAge(100*time.Millisecond))
	mustDo(t, err)
	t.Cleanup(cl.Close)
	produce(t, cl, topic, "first")
	if _, err := ask(t, n); err != nil || n.Open() == 0 || n.Taken() == 0 || n.Sent(1) == 0 {
		t.Fatalf("%d connections, %d bytes, %v", n.Open(), n.Taken(), err)
	}
	mustRefuse(t, n.Heal(), "no fault")

	mustDo(t, n.Cut())
	mustRefuse(t, n.Swallow(), "heal it first")
	if conn, err := net.Dial("tcp", n.Addrs()[0]); err == nil {
		conn.Close()
		t.Error("a cut network accepts a connection")
	}
	eventually(t, func(context.Context) error {
		if open := n.Open(); open != 0 {
			return context.DeadlineExceeded
		}
		return nil
	})
	mustDo(t, n.Heal())
	produce(t, cl, topic, "after the cut")

	mustDo(t, n.Swallow())
	taken := n.Taken()
	if _, err := ask(t, n); err == nil {
		t.Error("an answer came through a network that swallows all")
	}
	if n.Taken() == taken {
		t.Error("nothing was swallowed")
	}
	mustDo(t, n.Heal())
	produce(t, cl, topic, "after the silence")

	mustDo(t, n.Delay(50*time.Millisecond, 10*time.Millisecond))
	if took, err := ask(t, n); err != nil || took < 160*time.Millisecond {
		t.Errorf("an answer came after %s, %v", took, err)
	}
	produce(t, cl, topic, "late")
	mustDo(t, n.Heal())

	made := n.Made()
	mustDo(t, n.Tear(50))
	if _, err := ask(t, n); err == nil {
		t.Error("an answer came through a network that ends each connection after 50 bytes")
	}
	if n.Made() == made {
		t.Error("no connection was made")
	}
	mustDo(t, n.Heal())
	produce(t, cl, topic, "after the tears")

	mustDo(t, n.SlowClose(time.Second))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	took, err := n.UntilClosed(ctx, 1, func() error { return c.Kill(1) })
	if err != nil || took < 900*time.Millisecond {
		t.Errorf("a connection ended %s after its broker, %v", took, err)
	}
	mustDo(t, c.Start(1))
	mustDo(t, n.Heal())
	produce(t, cl, topic, "last")
	if _, err := ask(t, n); err != nil {
		t.Error(err)
	}
	if records := ConsoleConsume(t, c, topic, false); len(records) != 6 {
		t.Errorf("records %q", values(records))
	}
}

func TestNetworkWithoutListener(t *testing.T) {
	t.Parallel()
	_, err := (&Cluster{}).newNetwork()
	mustRefuse(t, err, "no listener")
}
