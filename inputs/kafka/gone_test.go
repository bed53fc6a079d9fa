package kafka

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flowrecords/flow/internal/servers"
)

// The group's position is not in the log any more.
func TestOffsetGone(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		policy   string
		position int64 // of the group
		deleted  int64 // all before
		want     int   // the first record that is read
		err      string
	}{
		{"error", "error", 2, 6, 0, "/0 from offset 2 to 5 are gone (4 at most)"},
		{"earliest", "earliest", 2, 6, 6, ""},
		{"latest", "latest", 2, 6, 10, ""},
		{"nothing is gone", "error", 6, 6, 6, ""},
		{"behind the end: error", "error", 90, 0, 0, "ends before offset 90"},
		{"behind the end: earliest", "earliest", 90, 0, 0, ""},
		{"behind the end: latest", "latest", 90, 0, 10, ""},
	}
	servers.EachKafka(t, func(t *testing.T, b servers.Broker) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				topic, group := b.Topic(t, 1), servers.UniqueName(t)
				put(t, b, numbered(topic, 0, 0, 10)...)
				setPosition(t, b, group, topic, 0, tt.position)
				if tt.deleted > 0 {
					deleteBefore(t, b, topic, 0, tt.deleted)
				}
				in := openInput(t, b, newHost(), func(c *Config) {
					c.Topics, c.Group, c.OnOffsetGone = []string{topic}, group, tt.policy
				})
				if tt.err != "" {
					err := readError(t, in)
					if isRetry(err) || !strings.Contains(err.Error(), tt.err) || !strings.Contains(err.Error(), "on_offset_gone") {
						t.Errorf("error %v, want %q and the remedy", err, tt.err)
					}
					return
				}
				batches, stop := reader(t, in)
				if tt.want == 10 {
					// The position must be known before something comes.
					waitFor(t, func() bool {
						in.mu.Lock()
						defer in.mu.Unlock()
						part := in.parts[partitionID{topic, 0}]
						return part != nil && part.from >= 0 && (tt.position > 10 || part.from == 10)
					})
				}
				if tt.position > 10 && tt.want == 10 {
					stop()
					return // where exactly the client goes on is known with the first record only
				}
				put(t, b, numbered(topic, 0, 10, 1)...)
				batch := receive(t, batches)
				if got := batch.Offset(0); got != int64(tt.want) {
					t.Errorf("it goes on at %d, want %d", got, tt.want)
				}
				confirm(batch)
			})
		}
	})
}

// noise is what no codec makes smaller.
func noise(n int) []byte {
	p := make([]byte, n)
	_, _ = rand.Read(p) // never fails
	return p
}

// Records are deleted before a pipeline that stands still has read them.
func TestFallenBehind(t *testing.T) {
	t.Parallel()
	const n, deleted = 20, 15
	servers.EachKafka(t, func(t *testing.T, b servers.Broker) {
		for _, policy := range []string{"error", "earliest", "latest"} {
			t.Run(policy, func(t *testing.T) {
				t.Parallel()
				topic := b.Topic(t, 1)
				// A fetch has room for one of them, so that the client holds
				// few when reading stops.
				for range n {
					put(t, b, &kgo.Record{Topic: topic, Value: noise(20 << 10)})
				}
				log := &logBuffer{}
				in := newInput(t, b, func(c *Config) {
					c.Topics, c.OnOffsetGone, c.FetchMaxPartitionBytes = []string{topic}, policy, 16<<10
				})
				in.env.Logger = log.logger()
				if err := in.Open(testContext(t), newHost()); err != nil {
					t.Fatal(err)
				}
				confirm(readN(t, in, 1)...)
				deleteBefore(t, b, topic, 0, deleted)
				if policy == "error" {
					err := readError(t, in)
					if isRetry(err) || !strings.Contains(err.Error(), "the records of "+topic+"/0 from offset ") ||
						!strings.Contains(err.Error(), "to 14 are gone") || !strings.Contains(err.Error(), "on_offset_gone") {
						t.Errorf("error %v", err)
					}
					return
				}
				last, gap := int64(0), int64(0)
				for last < n-1 {
					for _, batch := range readN(t, in, 1) {
						for i := range batch.Len() {
							if at := batch.Offset(i); at != last+1 {
								gap = at
							}
							last = batch.Offset(i)
						}
						confirm(batch)
					}
				}
				if gap != deleted {
					t.Errorf("it goes on at %d, want %d", gap, deleted)
				}
				if !strings.Contains(log.String(), "records are gone") {
					t.Errorf("no warning: %s", log)
				}
			})
		}
	})
}
