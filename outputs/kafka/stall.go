package kafka

import (
	"net"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A stall is told from an outage by silence: a client that cannot reach a
// broker, or finds no leader, connects and asks again and again, and one whose
// broker is slow has a request under way.
const (
	stallTick  = time.Second
	stallTicks = 10 // in a row
)

// traffic is what the client does with brokers. The client's goroutines write,
// a watch reads.
type traffic struct {
	underWay atomic.Int64 // requests that carry records, without an answer yet
	efforts  atomic.Int64 // other requests, connections, failures
	heldTill atomic.Int64 // end of the pause that a broker asked for, in Unix nanoseconds
}

// OnBrokerConnect is called by the client for each try.
func (t *traffic) OnBrokerConnect(kgo.BrokerMetadata, time.Duration, net.Conn, error) {
	t.efforts.Add(1)
}

// OnBrokerWrite is called by the client for each request that it has written.
func (t *traffic) OnBrokerWrite(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, err error) {
	if key == int16(kmsg.Produce) && err == nil {
		t.underWay.Add(1)
		return
	}
	t.efforts.Add(1)
}

// OnBrokerE2E is called by the client for each request and its answer.
func (t *traffic) OnBrokerE2E(_ kgo.BrokerMetadata, key int16, e2e kgo.BrokerE2E) {
	if key == int16(kmsg.Produce) && e2e.WriteErr == nil {
		t.underWay.Add(-1)
	}
	if e2e.Err() != nil {
		t.efforts.Add(1)
	}
}

// OnBrokerThrottle is called by the client when a broker asks for a pause.
func (t *traffic) OnBrokerThrottle(_ kgo.BrokerMetadata, pause time.Duration, _ bool) {
	t.heldTill.Store(time.Now().Add(pause).UnixNano())
}

// watch ends what a client holds and no longer sends. The client (1.22) can
// forget the first batch of a partition: where the producer id fails just after
// it has put a second batch of the partition into a request that it has not
// written, it goes back to the first for the failure and then forward to the
// second for the request. Nothing of that partition is confirmed from then on,
// without an error and for ever.
type watch struct {
	out     *Output
	client  *kgo.Client
	traffic traffic
	stop    chan struct{}
	done    chan struct{}

	// Only run uses these.
	silent  int   // looks in a row
	efforts int64 // at the last look
}

// ownClient makes a client of the output's own, with its watch.
func (o *Output) ownClient() error {
	w := &watch{out: o, stop: make(chan struct{}), done: make(chan struct{})}
	client, err := o.conn.Client(o.env, append(o.options(), kgo.WithHooks(&w.traffic))...)
	if err != nil {
		return err
	}
	w.client = client
	go w.run()
	o.client, o.admin, o.watch = client, kadm.NewClient(client), w
	return nil
}

// end waits until the watch no longer uses its client.
func (w *watch) end() {
	close(w.stop)
	<-w.done
}

func (w *watch) run() {
	defer close(w.done)
	tick := time.NewTicker(stallTick)
	defer tick.Stop()
	for {
		select {
		case <-w.stop:
			return
		case now := <-tick.C:
			if w.look(now) {
				w.out.logger().Warn("the client has stopped sending some of its records without an error: they are sent again")
				w.client.UnsafeAbortBufferedRecords()
			}
		}
	}
}

// look reports whether the client has been silent for long enough, though it
// has records that need not linger any more.
func (w *watch) look(now time.Time) bool {
	t := &w.traffic
	if n := t.efforts.Load(); n != w.efforts || t.underWay.Load() > 0 || now.UnixNano() < t.heldTill.Load() ||
		!w.out.waitsSince(now.Add(-stallTick-w.out.config.Linger)) {
		w.efforts, w.silent = n, 0
		return false
	}
	w.silent++
	if w.silent < stallTicks {
		return false
	}
	w.silent = 0
	return true
}

// waitsSince reports whether a batch that the client got before t has no result.
func (o *Output) waitsSince(t time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for w := range o.handed {
		if w.handed.Before(t) {
			return true
		}
	}
	return false
}

var (
	_ kgo.HookBrokerConnect  = (*traffic)(nil)
	_ kgo.HookBrokerWrite    = (*traffic)(nil)
	_ kgo.HookBrokerE2E      = (*traffic)(nil)
	_ kgo.HookBrokerThrottle = (*traffic)(nil)
)
