package kafka

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/internal/servers"
)

// Where bounded reads end. Each case has two partitions with ten records, each
// a day younger than the one before, and more that come after the start.
func TestUntil(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		edit func(c *Config, topic string)
		want [2]int // how many records of each partition
	}{
		{"now", func(c *Config, _ string) { c.Until = "now" }, [2]int{10, 10}},
		{"end is the same", func(c *Config, _ string) { c.Until = "end" }, [2]int{10, 10}},
		{"a time", func(c *Config, _ string) { c.Until = "2026-01-04T00:00:00Z" }, [2]int{3, 3}},
		{"a time before all", func(c *Config, _ string) { c.Until = "2016-01-04T00:00:00Z" }, [2]int{0, 0}},
		{"back from now", func(c *Config, _ string) { c.Until = fmt.Sprintf("-%dh", int(time.Since(day).Hours())-4*24) }, [2]int{5, 5}},
		{"offsets", func(c *Config, topic string) {
			c.Until, c.UntilOffsets = "now", map[string]string{topic + "/0": "4"}
		}, [2]int{4, 10}},
		{"an offset that is still to come", func(c *Config, topic string) {
			c.Until, c.UntilOffsets = "now", map[string]string{topic + "/0": "13"}
		}, [2]int{13, 10}},
		{"nothing of one", func(c *Config, topic string) {
			c.Until, c.UntilOffsets = "now", map[string]string{topic + "/1": "0"}
		}, [2]int{10, 0}},
		{"from offset to offset", func(c *Config, topic string) {
			c.Until = "now"
			c.StartOffsets = map[string]string{topic + "/0": "3", topic + "/1": "latest"}
			c.UntilOffsets = map[string]string{topic + "/0": "8"}
		}, [2]int{5, 0}},
	}
	servers.EachKafka(t, func(t *testing.T, b servers.Broker) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				topic := b.Topic(t, 2)
				for p := range int32(2) {
					put(t, b, dated(topic, p, 0, 10)...)
				}
				h := newHost()
				in := openInput(t, b, h, func(c *Config) {
					c.Topics = []string{topic}
					tt.edit(c, topic)
				})
				put(t, b, numbered(topic, 0, 10, 5)...)
				put(t, b, numbered(topic, 1, 10, 5)...)
				_, values := readAll(t, in)
				for p, want := range tt.want {
					got := values[fmt.Sprint(topic, "/", p)]
					if len(got) != want {
						t.Errorf("partition %d: %d records, want %d", p, len(got), want)
					}
				}
				commitAll(t, in, h)
			})
		}
	})
}

// A time that is still to come is waited for: what is older is read, the first
// record that is not ends its partition, and the time the others.
func TestUntilATimeToCome(t *testing.T) {
	t.Parallel()
	servers.EachKafka(t, func(t *testing.T, b servers.Broker) {
		topic := b.Topic(t, 2)
		put(t, b, numbered(topic, 0, 0, 3)...)
		until := time.Now().Add(4 * time.Second).Truncate(time.Second).Add(time.Second)
		in := openInput(t, b, newHost(), func(c *Config) {
			c.Topics, c.Until = []string{topic}, until.Format(time.RFC3339)
		})
		got := inBackground(t, in)
		late := numbered(topic, 0, 100, 3)
		for i, r := range late {
			r.Timestamp = until.Add(time.Duration(i-1) * time.Second) // one is before
		}
		put(t, b, numbered(topic, 1, 0, 3)...)
		put(t, b, late...)
		select {
		case <-got:
			t.Fatal("it ended before its time")
		case <-time.After(time.Until(until) - 100*time.Millisecond):
		}
		select {
		case values := <-got:
			wantNumbers(t, values[topic+"/1"], 0, 3)
			want := append([]string{}, string(number(0)), string(number(1)), string(number(2)), string(number(100)))
			if !slices.Equal(values[topic+"/0"], want) {
				t.Errorf("partition 0: %d records, want %d", len(values[topic+"/0"]), len(want))
			}
		case <-time.After(patience):
			t.Fatal("it does not end")
		}
	})
}

// The log ends with what is no record, or with offsets that hold nothing.
func TestUntilNowWithGaps(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		prep func(t *testing.T, b servers.Broker, topic string)
		want int
	}{
		{"a marker at the end", func(t *testing.T, b servers.Broker, topic string) {
			putInTransaction(t, b, kgo.TryCommit, numbered(topic, 0, 0, 3)...)
		}, 3},
		{"an aborted transaction at the end", func(t *testing.T, b servers.Broker, topic string) {
			put(t, b, numbered(topic, 0, 0, 3)...)
			putInTransaction(t, b, kgo.TryAbort, numbered(topic, 0, 3, 3)...)
		}, 3},
		{"only aborted ones", func(t *testing.T, b servers.Broker, topic string) {
			putInTransaction(t, b, kgo.TryAbort, numbered(topic, 0, 3, 3)...)
		}, 0},
		{"all deleted", func(t *testing.T, b servers.Broker, topic string) {
			put(t, b, numbered(topic, 0, 0, 3)...)
			deleteBefore(t, b, topic, 0, 3)
		}, 0},
		{"some deleted", func(t *testing.T, b servers.Broker, topic string) {
			put(t, b, numbered(topic, 0, 0, 3)...)
			deleteBefore(t, b, topic, 0, 2)
		}, 1},
		{"empty", func(*testing.T, servers.Broker, string) {}, 0},
	}
	servers.EachKafka(t, func(t *testing.T, b servers.Broker) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				topic := b.Topic(t, 1)
				tt.prep(t, b, topic)
				in := openInput(t, b, newHost(), func(c *Config) { c.Topics, c.Until = []string{topic}, "now" })
				if _, values := readAll(t, in); total(values) != tt.want {
					t.Errorf("%d records, want %d", total(values), tt.want)
				}
			})
		}
	})
}

// Where nothing is left before the end and no fetch can tell, a look at the log
// does. A broker shows no such log on demand: positions are set as if it did.
func TestProbe(t *testing.T) {
	t.Parallel()
	servers.EachKafka(t, func(t *testing.T, b servers.Broker) {
		topic := b.Topic(t, 1)
		put(t, b, &kgo.Record{Topic: topic, Key: []byte("a"), Value: number(0)}, &kgo.Record{Topic: topic, Key: []byte("b"), Value: number(1)})
		in := openInput(t, b, newHost(), func(c *Config) { c.Topics, c.Until = []string{topic}, "now" })
		first := readN(t, in, 2)
		confirm(first...)
		in.mu.Lock()
		in.parts[partitionID{topic, 0}].next = 0 // what it read is forgotten: the fetches are behind it
		in.parts[partitionID{topic, 0}].ended = false
		in.mu.Unlock()
		ctx := testContext(t)
		in.probe(ctx)
		if in.finished() {
			t.Fatal("two records are left, and the probe sees none")
		}
		in.mu.Lock()
		in.parts[partitionID{topic, 0}].next = 2
		in.parts[partitionID{topic, 0}].end = 3
		in.mu.Unlock()
		in.probe(ctx)
		if in.finished() {
			t.Fatal("offset 2 is still to come")
		}
		in.mu.Lock()
		in.parts[partitionID{topic, 0}].end = 2
		in.mu.Unlock()
		in.probe(ctx)
		if _, err := in.Read(ctx); !errors.Is(err, engine.ErrEnd) {
			t.Errorf("nothing is left: %v", err)
		}
	})
}

// Members share a bounded read, whoever comes and goes: each reads what it has,
// and what one gives up another reads to its end.
func TestUntilNowWithSeveralMembers(t *testing.T) {
	t.Parallel()
	servers.EachKafka(t, func(t *testing.T, b servers.Broker) {
		for _, protocol := range []string{"classic", "consumer"} {
			t.Run(protocol, func(t *testing.T) {
				t.Parallel()
				const parts, per = 4, 200
				topic, group := b.Topic(t, parts), servers.UniqueName(t)
				for p := range int32(parts) {
					put(t, b, numbered(topic, p, 0, per)...)
				}
				edit := func(c *Config) {
					c.Topics, c.Group, c.Until, c.GroupProtocol = []string{topic}, group, "now", protocol
				}
				h := newHost()
				h.limits.Records = 10
				first := openInput(t, b, h, edit)
				seen := map[string][]string{}
				for _, b := range readN(t, first, 20) {
					gather(seen, b)
				}
				commitAll(t, first, h)

				h2 := newHost()
				second := openInput(t, b, h2, edit)
				got := inBackground(t, second)
				// The first one reads on until the group gives something away
				// or it has all, and leaves.
				_, values := readAll(t, first)
				commitAll(t, first, h)
				closeInput(t, first)
				for id, v := range values {
					seen[id] = append(seen[id], v...)
				}
				select {
				case values := <-got:
					for id, v := range values {
						seen[id] = append(seen[id], v...)
					}
				case <-time.After(patience):
					t.Fatal("the second member does not end")
				}
				for p := range parts {
					id := fmt.Sprint(topic, "/", p)
					distinct := map[string]bool{}
					for _, v := range seen[id] {
						distinct[v] = true
					}
					if len(distinct) != per {
						t.Errorf("%s: %d of %d records", id, len(distinct), per)
					}
				}
			})
		}
	})
}

func TestUntilOffsetsOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	servers.EachKafka(t, func(t *testing.T, b servers.Broker) {
		topic := b.Topic(t, 1)
		in := newInput(t, b, func(c *Config) {
			c.Topics, c.Until, c.UntilOffsets = []string{topic}, "now", map[string]string{topic + "/7": "4"}
		})
		err := in.Open(testContext(t), newHost())
		if err == nil || isRetry(err) || !strings.Contains(err.Error(), "until_offsets: "+topic+"/7 does not exist") {
			t.Errorf("error %v", err)
		}
	})
}
