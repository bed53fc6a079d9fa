package kafka

import (
	"testing"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/internal/servers"
	"github.com/twmb/franz-go/pkg/kgo"
)

func lagOf(in *Input, partition int32) (engine.Lag, bool) {
	for _, l := range in.Lag() {
		if l.Partition == partition {
			return l, true
		}
	}
	return engine.Lag{}, false
}

func TestLag(t *testing.T) {
	t.Parallel()
	servers.EachKafka(t, func(t *testing.T, b servers.Broker) {
		topic := b.Topic(t, 2)
		old := numbered(topic, 0, 0, 10)
		for _, r := range old {
			r.Timestamp = time.Now().Add(-time.Hour)
		}
		put(t, b, old...)
		h := newHost()
		h.limits.Records = 5
		in := openInput(t, b, h, func(c *Config) {
			c.Topics, c.LagInterval = []string{topic}, 50*time.Millisecond
		})
		if got := in.Lag(); len(got) != 0 {
			t.Errorf("lag %v before anything is known", got)
		}
		list := readN(t, in, 10)
		batches, _ := reader(t, in)
		is := func(partition int32, records int64, least, most time.Duration) {
			t.Helper()
			var last engine.Lag
			waitFor(t, func() bool {
				l, ok := lagOf(in, partition)
				last = l
				return ok && l.Records == records && l.Age >= least && l.Age <= most
			})
			_ = last
		}
		is(0, 10, time.Hour-time.Second, time.Hour+time.Minute) // read, not confirmed: by its own time
		is(1, 0, 0, 0)
		confirm(list[0])
		is(0, 5, time.Hour-time.Second, time.Hour+time.Minute)
		confirm(list[1])
		is(0, 0, 0, 0)

		// What nobody reads grows old by the time at which it was seen.
		in.client.PauseFetchTopics(topic)
		put(t, b, numbered(topic, 1, 0, 3)...)
		is(1, 3, 300*time.Millisecond, time.Minute)
		in.client.ResumeFetchTopics(topic)
		confirm(receive(t, batches))
		is(1, 0, 0, 0)

		// Markers of transactions are nobody's lag.
		putInTransaction(t, b, kgo.TryCommit, numbered(topic, 1, 3, 1)...)
		confirm(receive(t, batches))
		putInTransaction(t, b, kgo.TryAbort, numbered(topic, 1, 4, 4)...)
		is(1, 0, 0, 0)
	})
}

func TestNoLagWithoutInterval(t *testing.T) {
	t.Parallel()
	b := servers.FakeKafka(t)
	topic := b.Topic(t, 1)
	put(t, b, numbered(topic, 0, 0, 10)...)
	in := openInput(t, b, newHost(), func(c *Config) { c.Topics, c.LagInterval = []string{topic}, 0 })
	list := readN(t, in, 10)
	if got := in.Lag(); len(got) != 0 {
		t.Errorf("lag %v", got)
	}
	confirm(list...)
}
