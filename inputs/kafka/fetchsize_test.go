package kafka

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

func TestFetchSizeFollowsTheStream(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name         string
		compressed   int // bytes of each fetch
		uncompressed int
		fetches      int
		low, high    int64 // what is asked for in the end
	}{
		{"nothing was read", 0, 0, 5, 1 << 20, 1 << 20},
		{"not compressed", 1000, 1000, 50, 3600 << 10, 4 << 20},
		{"as guessed", 1000, 4000, 50, 1 << 20, 1 << 20},
		{"tenfold, after one fetch", 1000, 10_000, 1, 400 << 10, 420 << 10},
		{"thousandfold", 1000, 1_000_000, 1, leastFetch, leastFetch},
		{"smaller when read", 1000, 900, 50, 3600 << 10, 4 << 20},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newFetchSize(Defaults())
			all, partition := s.sizes()
			for range tt.fetches {
				s.OnFetchBatchRead(kgo.BrokerMetadata{}, "orders", 0, kgo.FetchBatchMetrics{
					CompressedBytes: tt.compressed, UncompressedBytes: tt.uncompressed})
				if a, p, changed := s.adjust(); changed {
					all, partition = int64(a), int64(p)
				}
			}
			if all < tt.low || all > tt.high {
				t.Errorf("it asks for %d bytes, want %d to %d", all, tt.low, tt.high)
			}
			if partition > all {
				t.Errorf("it asks for %d bytes of a partition, %d in all", partition, all)
			}
		})
	}
}

func TestFirstFetchIsCautious(t *testing.T) {
	t.Parallel()
	c := Defaults()
	c.FetchMaxBytes, c.FetchMaxPartitionBytes = 64<<20, 16<<20
	s := newFetchSize(c)
	if all, partition := s.sizes(); all != firstFetch || partition != firstFetch {
		t.Errorf("it begins with %d and %d bytes", all, partition)
	}
	s.OnFetchBatchRead(kgo.BrokerMetadata{}, "orders", 0, kgo.FetchBatchMetrics{CompressedBytes: 1000, UncompressedBytes: 4000})
	if all, partition, changed := s.adjust(); !changed || all != 16<<20 || partition != 4<<20 {
		t.Errorf("it goes on with %d and %d bytes, changed: %v", all, partition, changed)
	}
}

func TestSmallFetchesStaySmall(t *testing.T) {
	t.Parallel()
	c := Defaults()
	c.FetchMaxBytes, c.FetchMaxPartitionBytes = 64<<10, 16<<10
	all, partition := newFetchSize(c).sizes()
	if all > int64(c.FetchMaxBytes) || partition > int64(c.FetchMaxPartitionBytes) {
		t.Errorf("it asks for %d and %d bytes, more than the options allow", all, partition)
	}
}
