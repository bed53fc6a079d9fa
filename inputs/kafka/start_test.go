package kafka

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flowrecords/flow/internal/servers"
)

var day = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// dated makes n records of which each is a day younger than the one before.
func dated(topic string, partition int32, from, n int) []*kgo.Record {
	recs := numbered(topic, partition, from, n)
	for i, r := range recs {
		r.Timestamp = day.AddDate(0, 0, i)
	}
	return recs
}

// Where a group without a position begins. Each case has two partitions with
// ten records, 0 to 9 and 100 to 109, each a day younger than the one before.
func TestStart(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		edit func(c *Config, topic string)
		want [2]int   // where each partition begins
		held [2]int64 // the positions that are stored before anything is confirmed; -1: none
	}{
		{"earliest", func(*Config, string) {}, [2]int{0, 0}, [2]int64{-1, -1}},
		{"latest", func(c *Config, _ string) { c.Start = "latest" }, [2]int{10, 10}, [2]int64{10, 10}},
		{"a time", func(c *Config, _ string) { c.Start = "2026-01-04T00:00:00Z" }, [2]int{3, 3}, [2]int64{3, 3}},
		{"a time between two", func(c *Config, _ string) { c.Start = "2026-01-03T23:59:59.9999Z" }, [2]int{3, 3}, [2]int64{3, 3}},
		{"just after", func(c *Config, _ string) { c.Start = "2026-01-04T00:00:00.0001Z" }, [2]int{4, 4}, [2]int64{4, 4}},
		{"a time after all", func(c *Config, _ string) { c.Start = "2036-01-01T00:00:00Z" }, [2]int{10, 10}, [2]int64{10, 10}},
		{"back from now", func(c *Config, _ string) { c.Start = fmt.Sprintf("-%dh", int(time.Since(day).Hours())-4*24) }, [2]int{5, 5}, [2]int64{5, 5}},
		{"offsets", func(c *Config, topic string) { c.StartOffsets = map[string]string{topic + "/0": "7"} }, [2]int{7, 0}, [2]int64{7, -1}},
		{"offsets and words", func(c *Config, topic string) {
			c.Start = "latest"
			c.StartOffsets = map[string]string{topic + "/0": "earliest", topic + "/1": "0"}
		}, [2]int{0, 0}, [2]int64{-1, 0}},
		{"the end of one", func(c *Config, topic string) { c.StartOffsets = map[string]string{topic + "/1": "latest"} }, [2]int{0, 10}, [2]int64{-1, 10}},
	}
	servers.EachKafka(t, func(t *testing.T, b servers.Broker) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				topic := b.Topic(t, 2)
				for p := range int32(2) {
					put(t, b, dated(topic, p, int(p)*100, 10)...)
				}
				var group string
				in := openInput(t, b, newHost(), func(c *Config) {
					c.Topics = []string{topic}
					tt.edit(c, topic)
					group = c.Group
				})
				// What comes later is read wherever it begins, and tells the end.
				put(t, b, numbered(topic, 0, 50, 1)...)
				put(t, b, numbered(topic, 1, 150, 1)...)
				values := readUntil(t, in, func(v map[string][]string) bool {
					a, z := v[topic+"/0"], v[topic+"/1"]
					return len(a) > 0 && len(z) > 0 && a[len(a)-1] == string(number(50)) && z[len(z)-1] == string(number(150))
				})
				for p, from := range tt.want {
					got := values[fmt.Sprint(topic, "/", p)]
					wantNumbers(t, got[:len(got)-1], p*100+from, 10-from)
					if at := position(t, b, group, topic, int32(p)).At; at != tt.held[p] {
						t.Errorf("partition %d: position %d is stored, want %d", p, at, tt.held[p])
					}
				}
			})
		}
	})
}

// start = "none" names the partition and says what to do.
func TestStartNone(t *testing.T) {
	t.Parallel()
	servers.EachKafka(t, func(t *testing.T, b servers.Broker) {
		topic, group := b.Topic(t, 1), servers.UniqueName(t)
		put(t, b, numbered(topic, 0, 0, 10)...)
		edit := func(c *Config) { c.Topics, c.Group, c.Start = []string{topic}, group, "none" }
		in := openInput(t, b, newHost(), edit)
		err := readError(t, in)
		if isRetry(err) || !strings.Contains(err.Error(), topic+"/0: the group has no position "+group) {
			t.Errorf("error %v", err)
		}
		closeInput(t, in)
		setPosition(t, b, group, topic, 0, 4)
		again := openInput(t, b, newHost(), edit)
		values := readUntil(t, again, func(v map[string][]string) bool { return total(v) >= 6 })
		wantNumbers(t, values[topic+"/0"], 4, 6)
	})
}

// A member that reads from "latest" and dies before it has confirmed anything
// leaves its start behind: what came in between is read by the next one.
func TestLatestIsKeptOverACrash(t *testing.T) {
	t.Parallel()
	servers.EachKafka(t, func(t *testing.T, b servers.Broker) {
		topic, group := b.Topic(t, 1), servers.UniqueName(t)
		put(t, b, numbered(topic, 0, 0, 10)...)
		edit := func(c *Config) { c.Topics, c.Group, c.Start = []string{topic}, group, "latest" }
		first := openInput(t, b, newHost(), edit)
		batches, stop := reader(t, first)
		waitFor(t, func() bool { return position(t, b, group, topic, 0).At == 10 })
		put(t, b, numbered(topic, 0, 10, 5)...)
		held := receive(t, batches)
		stop()
		closeInput(t, first) // nothing was confirmed

		second := openInput(t, b, newHost(), edit)
		values := readUntil(t, second, func(v map[string][]string) bool { return total(v) >= 5 })
		wantNumbers(t, values[topic+"/0"], 10, 5)
		confirm(held)
	})
}

// Each text of start_again goes back once, whoever comes afterwards.
func TestStartAgain(t *testing.T) {
	t.Parallel()
	servers.EachKafka(t, func(t *testing.T, b servers.Broker) {
		topic, group := b.Topic(t, 2), servers.UniqueName(t)
		put(t, b, numbered(topic, 0, 0, 10)...)
		put(t, b, numbered(topic, 1, 0, 10)...)
		setPosition(t, b, group, topic, 0, 8)
		steps := []struct {
			name, again string
			edit        func(c *Config)
			confirms    bool
			want        int
		}{
			{"as the group has it", "", nil, false, 12},
			{"again, not confirmed", "one", nil, false, 20},
			{"the same text goes on", "one", nil, true, 20},
			{"and has nothing left", "one", nil, true, 0},
			{"without the text nothing happens", "", nil, true, 0},
			{"nor when it is there again", "one", nil, true, 0},
			{"another text, another place", "two", func(c *Config) { c.StartOffsets = map[string]string{topic + "/0": "9", topic + "/1": "7"} }, true, 4},
			{"is done, too", "two", nil, true, 0},
		}
		for _, s := range steps {
			h := newHost()
			in := openInput(t, b, h, func(c *Config) {
				c.Topics, c.Group, c.StartAgain, c.Until = []string{topic}, group, s.again, "now"
				if s.edit != nil {
					s.edit(c)
				}
			})
			n := 0
			if s.confirms {
				_, values := readAll(t, in)
				n = total(values)
				commitAll(t, in, h)
			} else {
				for _, b := range readN(t, in, s.want) {
					n += b.Len()
				}
			}
			closeInput(t, in)
			if n != s.want {
				t.Fatalf("%s: %d records, want %d", s.name, n, s.want)
			}
		}
		if o := position(t, b, group, topic, 0); o.At != 10 || o.Metadata != againMark+"two" {
			t.Errorf("position %d with %q", o.At, o.Metadata)
		}
	})
}
