package kafka

import (
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/flowrecords/flow/engine"
)

// A client that holds records and does nothing for them is told from one that
// waits for something.
func TestWatchLooks(t *testing.T) {
	t.Parallel()
	begin := time.Now()
	const linger = 5 * time.Second
	tests := []struct {
		name  string
		early bool // the batch came long ago
		each  func(w *watch, now time.Time)
		want  int // looks until it is a stall; 0: never
	}{
		{name: "silent", early: true, want: stallTicks},
		{name: "lingers first", want: int((linger+stallTick)/stallTick) + stallTicks},
		{name: "asks for metadata", early: true, each: func(w *watch, _ time.Time) {
			w.traffic.OnBrokerWrite(kgo.BrokerMetadata{}, int16(kmsg.Metadata), 1, 0, 0, nil)
		}},
		{name: "connects in vain", early: true, each: func(w *watch, _ time.Time) {
			w.traffic.OnBrokerConnect(kgo.BrokerMetadata{}, 0, nil, errors.New("refused"))
		}},
		{name: "fails to write", early: true, each: func(w *watch, _ time.Time) {
			w.traffic.OnBrokerWrite(kgo.BrokerMetadata{}, int16(kmsg.Produce), 1, 0, 0, errors.New("reset"))
			w.traffic.OnBrokerE2E(kgo.BrokerMetadata{}, int16(kmsg.Produce), kgo.BrokerE2E{WriteErr: errors.New("reset")})
		}},
		{name: "waits for an answer", early: true, each: func(w *watch, _ time.Time) {
			if w.traffic.underWay.Load() == 0 {
				w.traffic.OnBrokerWrite(kgo.BrokerMetadata{}, int16(kmsg.Produce), 1, 0, 0, nil)
			}
		}},
		{name: "is held by a broker", early: true, each: func(w *watch, now time.Time) { w.traffic.heldTill.Store(now.Add(time.Minute).UnixNano()) }},
		{name: "sends for other partitions", early: true, want: stallTicks, each: func(w *watch, _ time.Time) {
			w.traffic.OnBrokerWrite(kgo.BrokerMetadata{}, int16(kmsg.Produce), 1, 0, 0, nil)
			w.traffic.OnBrokerE2E(kgo.BrokerMetadata{}, int16(kmsg.Produce), kgo.BrokerE2E{})
		}},
		{name: "has nothing", want: 0, each: func(w *watch, _ time.Time) { clear(w.out.handed) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			handed := begin
			if tt.early {
				handed = begin.Add(-time.Hour)
			}
			o := &Output{config: &Config{Linger: linger}, handed: map[*write]struct{}{{handed: handed}: {}}}
			w, got := &watch{out: o}, 0
			for n := 1; n <= 100 && got == 0; n++ {
				now := begin.Add(time.Duration(n) * stallTick)
				if tt.each != nil {
					tt.each(w, now)
				}
				if w.look(now) {
					got = n
				}
			}
			if got != tt.want && got != tt.want+1 { // a tick more where times are equal
				t.Errorf("a stall after %d looks, want %d", got, tt.want)
			}
		})
	}
}

// What the client has forgotten is written again, and its promises are kept.
func TestWatchEndsStall(t *testing.T) {
	t.Parallel()
	c := startCluster(t, kfake.SeedTopics(1, "out"))
	o := testOutput(t, c, func(c *Config) { c.Topic, c.Linger = literal("out"), 0 })
	deliver(t, o, batch("first"))
	able := o.client
	watched := func(client *kgo.Client) {
		o.watch.end()
		o.client, o.watch = client, &watch{out: o, client: client, stop: make(chan struct{}), done: make(chan struct{})}
		go o.watch.run()
	}
	silent, err := o.conn.Client(o.env, append(o.options(), kgo.ManualFlushing())...) // it never sends by itself
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	watched(silent)
	p, second := newPending(t, o), batch("second")
	p.write(second)
	var retry *engine.RetryError
	if r := <-p.errs; !errors.Is(r.err, kgo.ErrAborting) || !errors.As(r.err, &retry) {
		t.Errorf("the stalled batch ended with %v", r.err)
	}
	watched(able)
	deliver(t, o, second)
	arrived(t, c.ListenAddrs(), "out", 2)
}
