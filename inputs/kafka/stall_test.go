package kafka

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/internal/servers"
)

// The output is blocked for several session and rebalance time-outs: the
// member stays in its group with its partitions, and goes on where it was.
func TestStallOverSeveralSessions(t *testing.T) {
	t.Parallel()
	servers.EachKafka(t, func(t *testing.T, b servers.Broker) {
		for _, protocol := range []string{"classic", "consumer"} {
			t.Run(protocol, func(t *testing.T) {
				t.Parallel()
				topic, group := b.Topic(t, 2), servers.UniqueName(t)
				put(t, b, numbered(topic, 0, 0, 100)...)
				put(t, b, numbered(topic, 1, 0, 100)...)
				h := newHost()
				h.pool = engine.NewPool(2, 0) // all that may be in flight
				h.limits.Records = 10
				in := openInput(t, b, h, func(c *Config) {
					c.Topics, c.Group, c.GroupProtocol = []string{topic}, group, protocol
					c.SessionTimeout, c.RebalanceTimeout, c.RevokeWait, c.HeartbeatInterval = time.Second, 2*time.Second, 500*time.Millisecond, 200*time.Millisecond
				})
				held := readN(t, in, 20)
				next := make(chan *engine.Batch, 1)
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				defer cancel()
				go func() {
					batch, err := in.Read(ctx)
					if err != nil {
						t.Errorf("reading: %v", err)
					}
					next <- batch
				}()
				// Five sessions; the cluster would have thrown it out after one.
				select {
				case <-next:
					t.Fatal("more than may be in flight")
				case <-time.After(5 * time.Second):
				}
				for _, batch := range held {
					if batch.Source().Revoked() {
						t.Fatal("the group has taken partitions away")
					}
				}
				confirm(held...)
				first := <-next
				if first == nil || first.Source().Revoked() {
					t.Fatal("it does not go on")
				}
				confirm(first)
				commitAll(t, in, h)
				// Nothing comes twice.
				values := readUntil(t, in, func(v map[string][]string) bool { return total(v)+30 >= 200 })
				if total(values) != 170 {
					t.Errorf("%d records, want 170", total(values))
				}
			})
		}
	})
}

// One partition whose records are not confirmed leaves room for the others,
// and goes on when they are.
func TestOnePartitionIsHeldBack(t *testing.T) {
	t.Parallel()
	servers.EachKafka(t, func(t *testing.T, b servers.Broker) {
		topic := b.Topic(t, 2)
		h := &limitedHost{testHost: newHost(), most: 8000}
		h.limits.Records, h.limits.Linger = 10, 0
		h.pool = engine.NewPool(1000, 0)
		in := openInput(t, b, h, func(c *Config) {
			c.Topics, c.FetchMaxBytes, c.FetchMaxPartitionBytes = []string{topic}, 64<<10, 16<<10
		})
		batches, _ := reader(t, in)
		big := func(partition int32, n int) {
			recs := numbered(topic, partition, 0, n)
			for _, r := range recs {
				r.Value = make([]byte, 100)
			}
			put(t, b, recs...)
		}
		big(0, 400) // 40,000 bytes
		var held []*engine.Batch
		bytes := int64(0)
		for bytes <= 6000 {
			batch := receive(t, batches)
			held = append(held, batch)
			bytes += batch.Bytes()
		}
		big(1, 50)
		for n := 0; n < 50; {
			batch := receive(t, batches)
			if batch.Source().Info().Partition != 1 {
				t.Fatalf("partition 0 has %d bytes in flight and is read on", bytes)
			}
			n += batch.Len()
			confirm(batch)
		}
		confirm(held...)
		for got := 0; got < 300; {
			batch := receive(t, batches)
			got += batch.Len()
			confirm(batch)
		}
	})
}

// A partition that was held back goes on although nothing of it was left over
// and no other one has a record.
func TestHeldPartitionGoesOnAlone(t *testing.T) {
	t.Parallel()
	servers.EachKafka(t, func(t *testing.T, b servers.Broker) {
		topic := b.Topic(t, 2)
		h := &limitedHost{testHost: newHost(), most: 40}
		h.limits.Records, h.limits.Linger = 20, 0
		in := openInput(t, b, h, func(c *Config) { c.Topics = []string{topic} })
		batches, _ := reader(t, in)
		put(t, b, numbered(topic, 0, 0, 20)...)
		var held []*engine.Batch
		for n := 0; n < 20; { // 60 bytes, 30 of which it may have in flight
			batch := receive(t, batches)
			held = append(held, batch)
			n += batch.Len()
		}
		put(t, b, numbered(topic, 0, 20, 20)...)
		select {
		case batch := <-batches:
			t.Fatalf("%d more records, although the partition has more in flight than it may", batch.Len())
		case <-time.After(300 * time.Millisecond):
		}
		confirm(held...)
		for n := 0; n < 20; {
			batch := receive(t, batches)
			n += batch.Len()
			confirm(batch)
		}
	})
}

type limitedHost struct {
	*testHost
	most int64
}

func (h *limitedHost) MaxInFlight() int64 { return h.most }

// A record after a pause goes on at once; in a stream the linger gathers
// records of small fetches.
func TestLinger(t *testing.T) {
	t.Parallel()
	servers.EachKafka(t, func(t *testing.T, b servers.Broker) {
		topic := b.Topic(t, 1)
		h := newHost()
		h.limits.Linger = 2 * time.Second
		in := openInput(t, b, h, func(c *Config) { c.Topics = []string{topic} })
		batches, _ := reader(t, in)
		put(t, b, numbered(topic, 0, 0, 1)...)
		first := receive(t, batches)
		sent := time.Now()
		// One fetch each, within the linger of the first batch.
		cl := b.Client(t, kgo.ProducerLinger(0))
		for i := range 5 {
			if err := cl.ProduceSync(testContext(t), &kgo.Record{Topic: topic, Value: number(1 + i)}).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
		second := receive(t, batches)
		if d := time.Since(sent); second.Len() != 5 || d < time.Second {
			t.Errorf("a batch of %d records after %s, want 5 after the linger", second.Len(), d)
		}
		confirm(first, second)

		h2 := newHost()
		h2.limits.Linger, h2.limits.Records = time.Hour, 5
		full := openInput(t, b, h2, func(c *Config) { c.Topics = []string{topic} })
		list := readN(t, full, 5)
		if list[0].Len() != 5 {
			t.Errorf("a batch of %d", list[0].Len())
		}
		confirm(list...)
	})
}
