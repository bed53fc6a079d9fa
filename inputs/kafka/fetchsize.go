package kafka

import (
	"math"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"
)

// fetchSize keeps what fetches take in memory under the option. Brokers count
// compressed bytes, and text in zstd grows tenfold when it is read, so the
// client asks for less, by the factor that the stream has shown (Invariant 5).
type fetchSize struct {
	max, maxPartition int64

	// What the client has read since the last adjust; its goroutines add.
	compressed, uncompressed atomic.Int64

	// Only the reader uses these.
	ratio float64 // memory over compressed bytes, high rather than low
	known bool    // ratio is what the stream has shown, no guess
	asked int64
}

const (
	// firstRatio is what is taken for the factor until there is one.
	firstRatio = 4
	// leastFetch is the least that is asked for: less than a usual batch
	// makes a request for each.
	leastFetch = 64 << 10
	// firstFetch is the most that is asked for before the factor is known:
	// records that are all alike grow two hundredfold.
	firstFetch = 1 << 20
)

func newFetchSize(c *Config) *fetchSize {
	s := &fetchSize{max: int64(c.FetchMaxBytes), maxPartition: int64(c.FetchMaxPartitionBytes), ratio: firstRatio}
	s.asked, _ = s.sizes()
	return s
}

// sizes returns what to ask for.
func (s *fetchSize) sizes() (all, partition int64) {
	most := int64(firstFetch)
	if s.known {
		most = math.MaxInt32
	}
	scale := func(n int64) int64 { return min(max(int64(float64(n)/s.ratio), leastFetch), n, most) }
	return scale(s.max), scale(s.maxPartition)
}

// OnFetchBatchRead is called by the client for each batch of a fetch.
func (s *fetchSize) OnFetchBatchRead(_ kgo.BrokerMetadata, _ string, _ int32, m kgo.FetchBatchMetrics) {
	s.compressed.Add(int64(m.CompressedBytes))
	s.uncompressed.Add(int64(m.UncompressedBytes))
}

// adjust follows the stream, at once when it takes more memory than thought,
// slowly when it takes less, and returns what to ask for from now on; changed
// is false while that is about the same.
func (s *fetchSize) adjust() (all, partition int32, changed bool) {
	compressed, uncompressed := s.compressed.Swap(0), s.uncompressed.Swap(0)
	if compressed == 0 {
		return 0, 0, false
	}
	ratio := max(float64(uncompressed)/float64(compressed), 1)
	if ratio < s.ratio {
		ratio = s.ratio + (ratio-s.ratio)/8
	}
	s.ratio, s.known = ratio, true
	a, p := s.sizes()
	if diff := a - s.asked; diff <= s.asked/8 && -diff <= s.asked/8 {
		return 0, 0, false
	}
	s.asked = a
	return int32(a), int32(p), true
}

var _ kgo.HookFetchBatchRead = (*fetchSize)(nil)
