package kafka

import (
	"runtime"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
)

// What goes to brokers is counted: requests, batches, what compression saves,
// and what waits.
func TestSending(t *testing.T) {
	t.Parallel()
	c := startCluster(t, kfake.SeedTopics(1, "orders"))
	o := testOutput(t, c, func(c *Config) { c.Topic, c.Compression = literal("orders"), "gzip" })
	if s := o.Sending(); s.Requests != 0 || s.Waiting != 0 {
		t.Errorf("before anything is sent: %+v", s)
	}
	for _, refused := range deliver(t, o, batch(strings.Repeat("a", 10_000)), batch("b")) {
		if len(refused) > 0 {
			t.Fatal(refused)
		}
	}
	s, ctx := o.Sending(), testContext(t)
	for s.Batches == 0 && ctx.Err() == nil { // counted by the client behind the confirmation
		runtime.Gosched()
		s = o.Sending()
	}
	if s.Requests < 1 || s.Failed != 0 || s.Took <= 0 || s.Batches < 1 || s.Bytes < 10_000 || s.Compressed <= 0 || s.Compressed > s.Bytes/2 || s.Waiting != 0 {
		t.Errorf("%+v", s)
	}
}
