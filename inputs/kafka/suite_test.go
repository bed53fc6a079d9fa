package kafka

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/record"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	for _, until := range []string{"end", "never"} {
		t.Run("until "+until, func(t *testing.T) {
			t.Parallel()
			c := startCluster(t, kfake.SeedTopics(2, "orders"))
			at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
			var want []enginetest.Record
			for p := range int32(2) {
				for i := range 7 {
					r := &kgo.Record{Topic: "orders", Partition: p, Timestamp: at, Value: fmt.Appendf(nil, `{"n":%d}`, i)}
					switch i {
					case 2:
						r.Key, r.Value = []byte("gone"), nil
					case 3:
						r.Headers = []kgo.RecordHeader{{Key: "a", Value: []byte("1")}}
					case 4:
						r.Key = []byte{}
					}
					produce(t, c, r)
					w := enginetest.Record{Key: r.Key, Value: r.Value, Timestamp: at.UnixNano(), HasTimestamp: true,
						Source: fmt.Sprintf("orders/%d", p), Topic: "orders"}
					for _, h := range r.Headers {
						w.Headers = append(w.Headers, record.Header{Key: h.Key, Value: h.Value})
					}
					want = append(want, w)
				}
			}
			away := startCluster(t)
			nowhere := connect(away)
			away.Close()
			var groups atomic.Int64
			make := func(t *testing.T, ref engine.ConnectionRef) engine.Input {
				config := Defaults()
				config.Connection, config.Topics, config.Until = ref, []string{"orders"}, until
				// The group keeps positions: each test of the suite has its own.
				config.Group = fmt.Sprint("g", groups.Add(1))
				in, err := New(config, enginetest.Env(t, "input.kafka.in"))
				if err != nil {
					t.Fatal(err)
				}
				return in
			}
			enginetest.RunInput(t, enginetest.InputCase{
				New:       func(t *testing.T) engine.Input { return make(t, connect(c)) },
				Want:      want,
				Unbounded: until == "never",
				// Going on is tested with the bounded one, waiting for more in
				// TestReadEndsWithItsContext.
				Forgets: until == "never",
				Away:    func(t *testing.T) engine.Input { return make(t, nowhere) },
			})
		})
	}
}

func TestFactory(t *testing.T) {
	t.Parallel()
	f := Factory()
	config := f.Defaults().(*Config)
	config.Topics, config.Until = []string{"a", "b"}, "end"
	if !f.Bounded(config) || len(f.FixedTopics(config)) != 2 {
		t.Error("what the factory says of the config is wrong")
	}
}
