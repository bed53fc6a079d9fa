package kafka

import (
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/flowrecords/flow/engine"
)

// sending counts what the client does to get records to brokers. The client's
// goroutines write, observers read.
type sending struct {
	requests, failed, nanos atomic.Int64
	batches, bytes, written atomic.Int64
}

// OnBrokerE2E is called by the client for each request and its answer.
func (s *sending) OnBrokerE2E(_ kgo.BrokerMetadata, key int16, e2e kgo.BrokerE2E) {
	if key != int16(kmsg.Produce) {
		return
	}
	s.requests.Add(1)
	if e2e.Err() != nil {
		s.failed.Add(1)
		return
	}
	s.nanos.Add(int64(e2e.DurationE2E()))
}

// OnProduceBatchWritten is called by the client for each batch that it has sent.
func (s *sending) OnProduceBatchWritten(_ kgo.BrokerMetadata, _ string, _ int32, m kgo.ProduceBatchMetrics) {
	s.batches.Add(1)
	s.bytes.Add(int64(m.UncompressedBytes))
	s.written.Add(int64(m.CompressedBytes))
}

// Sending implements engine.Sender.
func (o *Output) Sending() engine.Sending {
	s := &o.sending
	o.mu.Lock()
	waiting := o.bytes
	o.mu.Unlock()
	return engine.Sending{
		Requests: s.requests.Load(), Failed: s.failed.Load(), Took: time.Duration(s.nanos.Load()),
		Batches: s.batches.Load(), Bytes: s.bytes.Load(), Compressed: s.written.Load(), Waiting: waiting,
	}
}

var (
	_ kgo.HookBrokerE2E           = (*sending)(nil)
	_ kgo.HookProduceBatchWritten = (*sending)(nil)
	_ engine.Sender               = (*Output)(nil)
)
