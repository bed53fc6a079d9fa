package kafka

import (
	"regexp"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	connkafka "github.com/flowrecords/flow/connections/kafka"
	"github.com/flowrecords/flow/engine"
)

// What a broker sees of the options that have no other effect to look at.
func TestOptionsOnTheWire(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		edit func(c *Config)
		key  kmsg.Key
		// seen says whether a request shows the option.
		seen func(kmsg.Request) bool
	}{
		{"fetch_min_bytes", func(c *Config) { c.FetchMinBytes = 4321 }, kmsg.Fetch,
			func(r kmsg.Request) bool { return r.(*kmsg.FetchRequest).MinBytes == 4321 }},
		{"fetch_min_bytes by default", func(*Config) {}, kmsg.Fetch,
			func(r kmsg.Request) bool { return r.(*kmsg.FetchRequest).MinBytes == 1 }},
		{"fetch_max_wait", func(c *Config) { c.FetchMaxWait = 123 * time.Millisecond }, kmsg.Fetch,
			func(r kmsg.Request) bool { return r.(*kmsg.FetchRequest).MaxWaitMillis == 123 }},
		{"fetch_max_bytes, by what it grows to", func(c *Config) { c.FetchMaxBytes, c.FetchMaxPartitionBytes = 800<<10, 16<<10 }, kmsg.Fetch,
			func(r kmsg.Request) bool { return r.(*kmsg.FetchRequest).MaxBytes == 800<<10/firstRatio }},
		{"fetch_max_partition_bytes, by what it grows to", func(c *Config) { c.FetchMaxPartitionBytes = 2 << 20 }, kmsg.Fetch,
			func(r kmsg.Request) bool {
				for _, t := range r.(*kmsg.FetchRequest).Topics {
					for _, p := range t.Partitions {
						return p.PartitionMaxBytes == 2<<20/firstRatio
					}
				}
				return false
			}},
		{"isolation", func(c *Config) { c.Isolation = "read_uncommitted" }, kmsg.Fetch,
			func(r kmsg.Request) bool { return r.(*kmsg.FetchRequest).IsolationLevel == 0 }},
		{"isolation by default", func(*Config) {}, kmsg.Fetch,
			func(r kmsg.Request) bool { return r.(*kmsg.FetchRequest).IsolationLevel == 1 }},
		{"rack of the connection", func(c *Config) {
			conn := connkafka.Defaults()
			conn.Brokers, conn.Rack = c.Connection.Value.(*connkafka.Connection).Addresses(), "zone-7"
			c.Connection.Value = connkafka.New(conn)
		}, kmsg.Fetch, func(r kmsg.Request) bool { return r.(*kmsg.FetchRequest).Rack == "zone-7" }},
		{"session_timeout", func(c *Config) { c.SessionTimeout = 17 * time.Second }, kmsg.JoinGroup,
			func(r kmsg.Request) bool { return r.(*kmsg.JoinGroupRequest).SessionTimeoutMillis == 17_000 }},
		{"rebalance_timeout", func(c *Config) { c.RebalanceTimeout = 41 * time.Second }, kmsg.JoinGroup,
			func(r kmsg.Request) bool { return r.(*kmsg.JoinGroupRequest).RebalanceTimeoutMillis == 41_000 }},
		{"instance_id", func(c *Config) { c.InstanceID = "one" }, kmsg.JoinGroup,
			func(r kmsg.Request) bool {
				id := r.(*kmsg.JoinGroupRequest).InstanceID
				return id != nil && *id == "one"
			}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := startCluster(t, kfake.SeedTopics(1, "orders"))
			seen := make(chan bool, 1)
			c.ControlKey(int16(tt.key), func(r kmsg.Request) (kmsg.Response, error, bool) {
				c.KeepControl()
				select {
				case seen <- tt.seen(r):
				default:
				}
				return nil, nil, false
			})
			in := testInput(t, c, newHost(), func(c *Config) {
				c.Topics = []string{"orders"}
				tt.edit(c)
			})
			reader(t, in)
			select {
			case ok := <-seen:
				if !ok {
					t.Error("the request does not show the option")
				}
			case <-time.After(patience):
				t.Fatal("no request")
			}
		})
	}
}

// How often signs of life are sent, and how often it is looked for new topics.
func TestIntervals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		edit        func(c *Config)
		key         kmsg.Key
		least, most time.Duration
	}{
		{"heartbeat_interval", func(c *Config) { c.HeartbeatInterval = 300 * time.Millisecond }, kmsg.Heartbeat, 290 * time.Millisecond, 2 * time.Second},
		{"a quarter of session_timeout", func(c *Config) { c.SessionTimeout = 2 * time.Second }, kmsg.Heartbeat, 490 * time.Millisecond, 2 * time.Second},
		{"metadata_max_age", func(c *Config) { c.MetadataMaxAge, c.LagInterval = 400*time.Millisecond, 0 }, kmsg.Metadata, 390 * time.Millisecond, 3 * time.Second},
		{"lag_interval", func(c *Config) { c.MetadataMaxAge, c.LagInterval = time.Hour, 300*time.Millisecond }, kmsg.ListOffsets, 200 * time.Millisecond, 2 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := startCluster(t, kfake.SeedTopics(1, "orders"))
			in := testInput(t, c, newHost(), func(c *Config) {
				c.Topics = []string{"orders"}
				tt.edit(c)
			})
			reader(t, in)
			if _, err := c.WaitGroupStable(testContext(t), "g", 1); err != nil {
				t.Fatal(err)
			}
			// The first ones come with the start of things.
			times := c.Fault(kfake.Fault{Keys: []kmsg.Key{tt.key}, Count: -1, Observe: true})
			if err := times.Wait(testContext(t), 2); err != nil {
				t.Fatal(err)
			}
			from, start := times.Hits(), time.Now()
			if err := times.Wait(testContext(t), from+4); err != nil {
				t.Fatal(err)
			}
			if each := time.Since(start) / 4; each < tt.least*2/3 || each > tt.most {
				t.Errorf("one each %s, want %s or a little more", each, tt.least)
			}
		})
	}
}

// With several brokers, max_fetches bounds how many of them are asked at once.
func TestMaxFetches(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{0, 1} {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			c := startCluster(t, kfake.NumBrokers(3), kfake.SeedTopics(9, "orders"))
			for p := range int32(9) {
				produce(t, c, numbered("orders", p, 0, 2)...)
			}
			in := testInput(t, c, newHost(), func(c *Config) {
				c.Topics, c.MaxFetches, c.FetchMaxWait = []string{"orders"}, limit, 50*time.Millisecond
			})
			if _, err := c.WaitGroupStable(testContext(t), "g", 1); err != nil {
				t.Fatal(err)
			}
			// Nobody polls: what is fetched stays with the client.
			fetched := func() int64 { return in.client.BufferedFetchRecords() }
			if limit == 0 {
				waitFor(t, func() bool { return fetched() == 18 })
				return
			}
			waitFor(t, func() bool { return fetched() > 0 })
			deadline := time.After(500 * time.Millisecond)
			for {
				select {
				case <-deadline:
					values := readUntil(t, in, func(v map[string][]string) bool { return total(v) >= 18 })
					if total(values) != 18 {
						t.Errorf("%d records", total(values))
					}
					return
				case <-time.After(10 * time.Millisecond):
					if n := fetched(); n >= 18 {
						t.Fatalf("%d records of all brokers are held", n)
					}
				}
			}
		})
	}
}

func TestValidateRelations(t *testing.T) {
	t.Parallel()
	conn := connkafka.Defaults()
	conn.Brokers, conn.MaxReadBytes = []string{"localhost:9092"}, 2<<20
	small := engine.ConnectionRef{Name: "connection.kafka.small", Value: connkafka.New(conn)}
	tests := []struct {
		name string
		edit func(*Config)
		want string
	}{
		{"defaults", func(*Config) {}, ""},
		{"start none", func(c *Config) { c.Start = "none" }, ""},
		{"start back", func(c *Config) { c.Start = "-24h" }, ""},
		{"start ahead", func(c *Config) { c.Start = "24h" }, "start: unknown start"},
		{"start back by nothing", func(c *Config) { c.Start = "-0s" }, "start: unknown start"},
		{"start never", func(c *Config) { c.Start = "never" }, "start: unknown start"},
		{"until", func(c *Config) { c.Until = "tomorrow" }, "until: unknown until"},
		{"until earliest", func(c *Config) { c.Until = "earliest" }, "until: unknown until"},
		{"until before start", func(c *Config) { c.Start, c.Until = "2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z" }, "until: until is not after start"},
		{"until at start", func(c *Config) { c.Start, c.Until = "-24h", "-24h" }, "until: until is not after start"},
		{"until after start", func(c *Config) { c.Start, c.Until = "-24h", "-1h" }, ""},
		{"start_offsets", func(c *Config) { c.StartOffsets = map[string]string{"orders/0": "5", "orders/1": "latest"} }, ""},
		{"no partition", func(c *Config) { c.StartOffsets = map[string]string{"orders": "5"} }, `start_offsets: "orders" is no partition of a topic`},
		{"a negative partition", func(c *Config) { c.StartOffsets = map[string]string{"orders/-1": "5"} }, `start_offsets: "orders/-1" is no partition of a topic`},
		{"a partition too large", func(c *Config) { c.StartOffsets = map[string]string{"orders/4294967296": "5"} }, `start_offsets: "orders/4294967296" is no partition of a topic`},
		{"no offset", func(c *Config) { c.StartOffsets = map[string]string{"orders/0": "-5"} }, `start_offsets: "-5" of orders/0 is no offset`},
		{"a partition twice", func(c *Config) { c.StartOffsets = map[string]string{"orders/1": "5", "orders/01": "6"} }, `start_offsets: orders/1 is there twice`},
		{"another topic", func(c *Config) { c.StartOffsets = map[string]string{"order/0": "5"} }, `start_offsets: topic "order" is not read`},
		{"until_offsets alone", func(c *Config) { c.UntilOffsets = map[string]string{"orders/0": "5"} }, "until_offsets: until_offsets without until"},
		{"until_offsets with a word", func(c *Config) { c.Until, c.UntilOffsets = "now", map[string]string{"orders/0": "latest"} }, `until_offsets: "latest" of orders/0 is no offset`},
		{"offsets that cross", func(c *Config) {
			c.Until, c.StartOffsets, c.UntilOffsets = "now", map[string]string{"orders/0": "5"}, map[string]string{"orders/0": "5"}
		}, "until_offsets: orders/0 stops before it starts"},
		{"start_again", func(c *Config) { c.StartAgain = string(make([]byte, 1001)) }, "start_again: start_again is too long"},
		{"exclude alone", func(c *Config) { c.TopicsExclude = pattern("a") }, "topics_exclude: topics_exclude without topics_regex"},
		{"exclude", func(c *Config) {
			c.Topics, c.TopicsRegex, c.TopicsExclude = nil, engine.Pattern{Regexp: regexp.MustCompile("a")}, pattern("a")
		}, ""},
		{"a topic's name", func(c *Config) { c.Topics = []string{"orders.*"} }, `topics: "orders.*" is no name of a topic`},
		{"an instance's name", func(c *Config) { c.InstanceID = "a b" }, "instance_id: instance_id has a character that brokers refuse"},
		{"uniform in classic", func(c *Config) { c.Assignor = "uniform" }, "assignor: only a cluster has the assignor uniform"},
		{"sticky in consumer", func(c *Config) { c.GroupProtocol, c.Assignor = "consumer", "sticky" }, "assignor: a cluster has no such assignor"},
		{"range in consumer", func(c *Config) { c.GroupProtocol, c.Assignor = "consumer", "range" }, ""},
		{"heartbeats", func(c *Config) { c.HeartbeatInterval = 6 * time.Second }, "heartbeat_interval: heartbeat_interval is over half of session_timeout"},
		{"a partition over all", func(c *Config) { c.FetchMaxPartitionBytes = 8 << 20 }, "fetch_max_partition_bytes: fetch_max_partition_bytes is over fetch_max_bytes"},
		{"least over most", func(c *Config) { c.FetchMinBytes = 8 << 20 }, "fetch_min_bytes: fetch_min_bytes is over fetch_max_bytes"},
		{"more than is read", func(c *Config) { c.Connection = small }, "fetch_max_bytes: fetch_max_bytes is over max_read_bytes of the connection"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := Defaults()
			c.Topics, c.Group = []string{"orders"}, "g"
			tt.edit(c)
			got := ""
			for _, p := range c.Validate() {
				if p.Detail == "" {
					t.Errorf("%s has no detail", p.Summary)
				}
				got += p.Option + ": " + p.Summary
			}
			if got != tt.want {
				t.Errorf("problems %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzMoment(f *testing.F) {
	for _, s := range []string{"earliest", "latest", "-24h", "-1h30m", "2026-01-31T00:00:00Z", "2026-01-31T00:00:00.123456789+02:00", "-", "--1h", ""} {
		f.Add(s)
	}
	now := time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		m, ok := startMoment(s)
		if !ok {
			return
		}
		if m.isTime() == (s == m.word) {
			t.Fatalf("%q is both a time and a word", s)
		}
		if at := m.time(now); m.back > 0 && !at.Before(now) {
			t.Fatalf("%q is not before now: %s", s, at)
		}
	})
}

func FuzzPlaces(f *testing.F) {
	f.Add("orders/0", "12")
	f.Add("a/b/0", "latest")
	f.Fuzz(func(t *testing.T, key, text string) {
		list, err := places(map[string]string{key: text}, wordLatest)
		if err != nil {
			return
		}
		for id, p := range list {
			if id.partition < 0 || id.topic == "" || p.word == "" && p.offset < 0 {
				t.Fatalf("%q = %q is %v, %v", key, text, id, p)
			}
			if again, ok := parsePartition(id.String()); !ok || again != id {
				t.Fatalf("%v is %v when it is read again", id, again)
			}
		}
	})
}
