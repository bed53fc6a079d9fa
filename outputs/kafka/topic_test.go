package kafka

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	connkafka "github.com/flowrecords/flow/connections/kafka"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/internal/servers"
)

func TestCreatesTopics(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c *cluster) {
		out := c.missing(t, "out")
		o := testOutput(t, c, func(config *Config) {
			config.Topic = literal(out)
			config.CreateTopics = &CreateTopics{Partitions: 3, Replication: 1, Config: map[string]string{"retention.ms": "123456", "cleanup.policy": "compact"}}
		})
		b := batch("1")
		b.Key.Add([]byte("k"))
		if refused := deliver(t, o, b)[0]; refused != nil {
			t.Fatal(refused)
		}
		arrived(t, c.addrs, out, 1)
		topics, err := c.admin(t).ListTopics(testContext(t), out)
		if err != nil || len(topics[out].Partitions) != 3 || len(topics[out].Partitions[0].Replicas) != 1 {
			t.Errorf("%v, %v, want 3 partitions of 1 copy", topics[out], err)
		}
		for name, want := range map[string]string{"retention.ms": "123456", "cleanup.policy": "compact"} {
			if got := c.config(t, out, name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		if !journalOf(o).has("topic created", out) || journalOf(o).has("differs") {
			t.Error("the log does not say that the topic was created, or says more")
		}
	})
}

// All writers of a group create the topic at the same moment. None fails.
func TestWritersCreateTheSameTopic(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c *cluster) {
		out := c.missing(t, "out")
		var outputs []*Output
		for range 8 {
			outputs = append(outputs, testOutput(t, c, func(config *Config) {
				config.Topic = literal(out)
				config.CreateTopics = &CreateTopics{Partitions: 1}
			}))
		}
		var wg sync.WaitGroup
		created := 0
		for i, o := range outputs {
			wg.Go(func() {
				if refused := deliver(t, o, batch(strconv.Itoa(i)))[0]; refused != nil {
					t.Error(refused)
				}
			})
		}
		wg.Wait()
		for _, o := range outputs {
			if journalOf(o).has("topic created") {
				created++
			}
		}
		if created != 1 {
			t.Errorf("%d writers created the topic, want 1", created)
		}
		got := texts(arrived(t, c.addrs, out, len(outputs)))
		slices.Sort(got)
		if !slices.Equal(got, numbers(0, len(outputs))) {
			t.Errorf("arrived: %v", got)
		}
	})
}

func TestTopicThatDiffersIsUsedWithAWarning(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c *cluster) {
		out := c.create(t, "out", 2, map[string]string{"retention.ms": "1000000", "cleanup.policy": "delete"})
		o := testOutput(t, c, func(config *Config) {
			config.Topic = literal(out)
			config.CreateTopics = &CreateTopics{Partitions: 6, Replication: 1, Config: map[string]string{"retention.ms": "2000000", "cleanup.policy": "delete"}}
		})
		for range 3 {
			if refused := deliver(t, o, batch("1"))[0]; refused != nil {
				t.Fatal(refused)
			}
		}
		arrived(t, c.addrs, out, 3)
		for _, want := range [][]string{
			{"level=WARN", out, "option=partitions", "wanted=6", "found=2"},
			{"level=WARN", out, `option="config retention.ms"`, "wanted=2000000", "found=1000000"},
		} {
			if !journalOf(o).has(want...) {
				t.Errorf("no warning with %q", want)
			}
		}
		if n := strings.Count(journalOf(o).String(), "differs"); n != 2 {
			t.Errorf("%d warnings, want 2: each once", n)
		}
	})
}

// What the brokers do not accept for a new topic is said with the record.
func TestTopicThatTheBrokersDoNotCreate(t *testing.T) {
	t.Parallel()
	c := sharedReal(t)
	for _, tt := range []struct {
		name   string
		create CreateTopics
		want   error
	}{
		{"too many copies", CreateTopics{Replication: 9}, kerr.InvalidReplicationFactor},
		{"unknown configuration", CreateTopics{Config: map[string]string{"no.such": "1"}}, kerr.InvalidConfig},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out := c.missing(t, "out")
			o := testOutput(t, c, func(config *Config) {
				config.Topic = literal(out)
				config.CreateTopics = &tt.create
			})
			refused := deliver(t, o, batch("1"))[0]
			if !errors.Is(refused[0], tt.want) || !strings.Contains(refused[0].Error(), "creating it") {
				t.Errorf("refused: %v, want %v", refused, tt.want)
			}
		})
	}
}

// A topic that somebody has just created is not known to the broker that is
// asked first.
func TestTopicThatIsNewToABroker(t *testing.T) {
	t.Parallel()
	const lag = 4
	c := startCluster(t, kfake.SeedTopics(1, "out"))
	asked := 0
	c.ControlKey(int16(kmsg.Metadata), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if m := req.(*kmsg.MetadataRequest); !m.IncludeTopicAuthorizedOperations || len(m.Topics) != 1 {
			return nil, nil, false // the client's own
		}
		if asked++; asked > lag {
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.MetadataResponse)
		unknown := kmsg.NewMetadataResponseTopic()
		unknown.Topic, unknown.ErrorCode = kmsg.StringPtr("out"), kerr.UnknownTopicOrPartition.Code
		resp.Topics = append(resp.Topics, unknown)
		return resp, nil, true
	})
	o := testOutput(t, c, func(c *Config) { c.Topic = literal("out") })
	if refused := deliver(t, o, batch("1"))[0]; refused != nil {
		t.Error(refused)
	}
	if asked != lag+1 {
		t.Errorf("asked %d times", asked)
	}
}

// A topic is deleted and made anew while the output runs. What comes then is in
// the new topic, though the client holds on to the old one.
func TestTopicMadeAnew(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c *cluster) {
		out := c.create(t, "out", 1, nil)
		o := testOutput(t, c, func(config *Config) { config.Topic = literal(out) })
		deliver(t, o, batch(numbers(0, 3)...))
		c.remove(t, out)
		if err := c.remake(t, out, 1); err != nil {
			t.Fatal(err)
		}
		var batches []*engine.Batch
		for i := range 5 {
			batches = append(batches, batch(numbers(100+10*i, 10)...))
		}
		for i, refused := range deliver(t, o, batches...) {
			if refused != nil {
				t.Errorf("batch %d, refused: %v", i, refused)
			}
		}
		wantInOrder(t, texts(arrived(t, c.addrs, out, c.end(t, out))), numbers(100, 50))
		if !journalOf(o).has("the client was replaced") {
			t.Error("the client was not replaced: this run proves nothing")
		}
	})
}

// A topic is deleted while the output runs. Its records are refused, others
// arrive; with create_topics it is made anew.
func TestTopicDeleted(t *testing.T) {
	t.Parallel()
	for _, create := range []bool{false, true} {
		t.Run(fmt.Sprintf("create=%t", create), func(t *testing.T) {
			t.Parallel()
			onEach(t, func(t *testing.T, c *cluster) {
				gone, stays := c.create(t, "gone", 1, nil), c.create(t, "stays", 1, nil)
				o := testOutput(t, c, func(config *Config) {
					config.Topic = topicTemplate()
					if create {
						config.CreateTopics = &CreateTopics{Partitions: 1}
					}
				})
				both := func(values ...string) *engine.Batch {
					b := batch(values...)
					for i := range values {
						b.Topics = append(b.Topics, []string{gone, stays}[i%2])
					}
					return b
				}
				deliver(t, o, both("1", "2"))
				c.remove(t, gone)
				refused := deliver(t, o, both("3", "4", "5", "6"))[0]
				wantInOrder(t, texts(arrived(t, c.addrs, stays, c.end(t, stays))), []string{"2", "4", "6"})
				if create {
					if refused != nil {
						t.Fatal(refused)
					}
					wantInOrder(t, texts(arrived(t, c.addrs, gone, c.end(t, gone))), []string{"3", "5"})
					return
				}
				if len(refused) != 2 || !errors.Is(refused[0], kerr.UnknownTopicOrPartition) || !errors.Is(refused[2], kerr.UnknownTopicOrPartition) {
					t.Errorf("refused: %v, want the first and the third", refused)
				}
			})
		})
	}
}

// remove deletes a topic and returns when no broker knows it any more.
func (c *cluster) remove(t *testing.T, topic string) {
	t.Helper()
	adm := c.admin(t)
	if _, err := adm.DeleteTopic(testContext(t), topic); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool {
		req := kmsg.NewPtrMetadataRequest()
		rt := kmsg.NewMetadataRequestTopic()
		rt.Topic = &topic
		req.Topics = append(req.Topics, rt)
		cl, err := kgo.NewClient(kgo.SeedBrokers(c.addrs...))
		if err != nil {
			t.Fatal(err)
		}
		defer cl.Close()
		resp, err := req.RequestWith(testContext(t), cl)
		return err == nil && resp.Topics[0].ErrorCode == kerr.UnknownTopicOrPartition.Code
	})
}

// remake creates a topic under a name that was used before.
func (c *cluster) remake(t *testing.T, topic string, partitions int32) error {
	if c.real != nil {
		return c.real.CreateTopic(testContext(t), topic, partitions, nil)
	}
	return c.fake.CreateTopic(topic, partitions, nil)
}

// The topic gets more partitions while the output runs.
func TestPartitionsAdded(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c *cluster) {
		out := c.create(t, "out", 1, nil)
		o := testOutput(t, c, func(config *Config) {
			config.Topic = literal(out)
			config.Partition = expr(func(r *record.Record) (record.Value, error) { return record.IntValue(2), nil })
		})
		var now time.Time
		o.env.Now = func() time.Time { return now }
		now = time.Now()
		if refused := deliver(t, o, batch("1"))[0]; len(refused) != 1 {
			t.Fatalf("refused: %v, want the record for a partition that is not there", refused)
		}
		if _, err := c.admin(t).CreatePartitions(testContext(t), 2, out); err != nil {
			t.Fatal(err)
		}
		waitFor(t, func() bool {
			topics, err := c.admin(t).ListTopics(testContext(t), out)
			return err == nil && len(topics[out].Partitions) == 3 && topics[out].Partitions[2].Leader >= 0
		})
		now = now.Add(keepFresh)
		if refused := deliver(t, o, batch("2"))[0]; refused != nil {
			t.Fatal(refused)
		}
		if r := arrived(t, c.addrs, out, 1)[0]; r.Partition != 2 || string(r.Value) != "2" {
			t.Errorf("partition %d has %q", r.Partition, r.Value)
		}
	})
}

// The topic's limit is raised while the output runs, as somebody does who
// wants to replay what was refused.
func TestLimitRaised(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c *cluster) {
		out := c.create(t, "out", 1, map[string]string{"max.message.bytes": "2000"})
		o := testOutput(t, c, func(config *Config) {
			config.Topic, config.Compression = literal(out), "none"
		})
		now := time.Now()
		o.env.Now = func() time.Time { return now }
		large := strings.Repeat("x", 5000)
		if refused := deliver(t, o, batch("1", large))[0]; len(refused) != 1 || !errors.Is(refused[1], kerr.MessageTooLarge) {
			t.Fatalf("refused: %v", refused)
		}
		limit := "10000"
		if _, err := c.admin(t).AlterTopicConfigs(testContext(t), []kadm.AlterConfig{{Name: "max.message.bytes", Value: &limit}}, out); err != nil {
			t.Fatal(err)
		}
		waitFor(t, func() bool { return c.config(t, out, "max.message.bytes") == limit })
		now = now.Add(keepFresh)
		if refused := deliver(t, o, batch(large))[0]; refused != nil {
			t.Fatal(refused)
		}
		if got := texts(arrived(t, c.addrs, out, 2)); !slices.Equal(got, []string{"1", large}) {
			t.Errorf("arrived: %.20q", got)
		}
	})
}

// Times that the topic does not take are refused alone: far ones before they
// are sent, near ones, where clocks may differ, by the broker.
func TestTimesThatTheTopicRefuses(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	tests := []struct {
		name     string
		config   map[string]string
		off      time.Duration // of the record's time from now
		refused  bool
		realOnly bool // kfake does not look at times
	}{
		{name: "too old", config: map[string]string{"message.timestamp.before.max.ms": "3600000"}, off: -day, refused: true},
		{name: "too far ahead", config: map[string]string{"message.timestamp.after.max.ms": "3600000"}, off: day, refused: true},
		{name: "a little too old", config: map[string]string{"message.timestamp.before.max.ms": "20000"}, off: -40 * time.Second, refused: true, realOnly: true},
		{name: "a little too far ahead", config: map[string]string{"message.timestamp.after.max.ms": "1000"}, off: 50 * time.Second, refused: true, realOnly: true},
		{name: "near enough", config: map[string]string{"message.timestamp.before.max.ms": "3600000", "message.timestamp.after.max.ms": "3600000"}, off: -time.Minute},
		{name: "the broker's own time", config: map[string]string{"message.timestamp.type": "LogAppendTime", "message.timestamp.before.max.ms": "1000"}, off: -day},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			onEach(t, func(t *testing.T, c *cluster) {
				if tt.realOnly && c.real == nil {
					t.Skip("kfake does not look at times")
				}
				out := c.create(t, "out", 1, tt.config)
				o := testOutput(t, c, func(config *Config) { config.Topic = literal(out) })
				now := time.Now()
				b := batch("1", "2", "3")
				b.Timestamps = []int64{now.UnixNano(), now.Add(tt.off).UnixNano(), now.UnixNano()}
				refused := deliver(t, o, b)[0]
				want := []string{"1", "2", "3"}
				if tt.refused {
					if len(refused) != 1 || !errors.Is(refused[1], kerr.InvalidTimestamp) {
						t.Fatalf("refused: %v", refused)
					}
					want = []string{"1", "3"}
				} else if refused != nil {
					t.Fatal(refused)
				}
				wantInOrder(t, texts(arrived(t, c.addrs, out, c.end(t, out))), want)
			})
		})
	}
}

// guarded is a cluster that asks who may do what, and an output of alice.
func guarded(t *testing.T) (*cluster, engine.ConnectionRef) {
	t.Helper()
	c := servers.SharedKafka(t, servers.KafkaOptions{Security: true, ACLs: true})
	config := connkafka.Defaults()
	config.Brokers = c.AddrsOf(servers.SASLPlaintext)
	config.SASL = &connkafka.SASL{Mechanism: "scram-sha-512", Username: servers.Alice, Password: engine.NewSecret(servers.Password(servers.Alice))}
	return &cluster{addrs: c.Addrs(), real: c}, engine.ConnectionRef{Name: "connection.kafka.test", Value: connkafka.New(config)}
}

func (c *cluster) allow(t *testing.T, topic string, ops ...kadm.ACLOperation) {
	t.Helper()
	if _, err := c.admin(t).CreateACLs(testContext(t), rule(topic, ops...).AllowHosts()); err != nil {
		t.Fatal(err)
	}
}

func rule(topic string, ops ...kadm.ACLOperation) *kadm.ACLBuilder {
	return kadm.NewACLs().Topics(topic).ResourcePatternType(kadm.ACLPatternLiteral).Operations(ops...).Allow("User:" + servers.Alice)
}

func TestTopicsWithoutRights(t *testing.T) {
	t.Parallel()
	c, ref := guarded(t)
	hidden, closed, open := c.create(t, "hidden", 1, nil), c.create(t, "closed", 1, nil), c.create(t, "open", 1, nil)
	c.allow(t, closed, kadm.OpDescribe, kadm.OpDescribeConfigs)
	c.allow(t, open, kadm.OpWrite)
	o := openOutput(t, ref, func(config *Config) { config.Topic = topicTemplate() })
	b := batch("1", "2", "3", "4", "5")
	b.Topics = []string{open, hidden, open, closed, open}
	refused := deliver(t, o, b)[0]
	if len(refused) != 2 || !errors.Is(refused[1], kerr.TopicAuthorizationFailed) || !errors.Is(refused[3], kerr.TopicAuthorizationFailed) {
		t.Fatalf("refused: %v", refused)
	}
	if !strings.Contains(refused[3].Error(), "WRITE") {
		t.Errorf("%v does not say which right is missing", refused[3])
	}
	// Nothing had to be sent to find out: no record came twice.
	if got := texts(arrived(t, c.addrs, open, c.end(t, open))); !slices.Equal(got, []string{"1", "3", "5"}) {
		t.Errorf("arrived: %v", got)
	}
}

// The right is taken away while the output runs, and comes back.
func TestRightTakenAway(t *testing.T) {
	t.Parallel()
	c, ref := guarded(t)
	changing, open := c.create(t, "changing", 1, nil), c.create(t, "open", 1, nil)
	c.allow(t, changing, kadm.OpWrite, kadm.OpDescribe)
	c.allow(t, open, kadm.OpWrite)
	o := openOutput(t, ref, func(config *Config) { config.Topic = topicTemplate() })
	now := time.Now()
	o.env.Now = func() time.Time { return now }
	n := 0
	three := func() *engine.Batch {
		b := batch(numbers(n, 3)...)
		b.Topics = []string{open, changing, open}
		n += 3
		return b
	}
	if refused := deliver(t, o, three())[0]; refused != nil {
		t.Fatal(refused)
	}
	if _, err := c.admin(t).DeleteACLs(testContext(t), rule(changing, kadm.OpWrite).AllowHosts()); err != nil {
		t.Fatal(err)
	}
	var refused map[int]error
	waitFor(t, func() bool { // brokers learn of rules after a while
		now = now.Add(keepFresh)
		refused = deliver(t, o, three())[0]
		return refused != nil
	})
	if len(refused) != 1 || !errors.Is(refused[1], kerr.TopicAuthorizationFailed) {
		t.Fatalf("refused: %v", refused)
	}
	c.allow(t, changing, kadm.OpWrite)
	waitFor(t, func() bool {
		now = now.Add(keepFresh)
		return deliver(t, o, three())[0] == nil
	})
	var want []string
	for i := range n {
		if i%3 != 1 {
			want = append(want, strconv.Itoa(i))
		}
	}
	wantInOrder(t, texts(arrived(t, c.addrs, open, c.end(t, open))), want)
}

// A broker that refuses the topic only when records come makes them wait for
// nothing: the next batch is not sent to find out again.
func TestRefusedTopicIsRemembered(t *testing.T) {
	t.Parallel()
	c := startCluster(t, kfake.SeedTopics(1, "out"))
	fault := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.TopicAuthorizationFailed, Count: -1})
	o := testOutput(t, c, nil)
	for range 3 {
		if refused := deliver(t, o, batch(numbers(0, 10)...))[0]; len(refused) != 10 || !errors.Is(refused[4], kerr.TopicAuthorizationFailed) {
			t.Fatalf("refused: %v", refused)
		}
	}
	if fault.Hits() != 1 {
		t.Errorf("%d requests were refused, want 1", fault.Hits())
	}
}
