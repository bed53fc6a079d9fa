package kafka

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flowrecords/flow/internal/servers"
)

func deleteTopic(t *testing.T, b servers.Broker, topic string) {
	t.Helper()
	adm := admin(t, b)
	if _, err := adm.DeleteTopic(testContext(t), topic); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool {
		cl := b.Client(t)
		defer cl.Close()
		got, err := kadm.NewClient(cl).ListTopics(testContext(t), topic)
		return err == nil && (!got.Has(topic) || errors.Is(got[topic].Err, kerr.UnknownTopicOrPartition))
	})
}

// A topic is deleted and made anew while it is read. By default that stops the
// input; otherwise the new one is read from its beginning, and nothing that is
// confirmed late of the old one moves its positions.
func TestTopicMadeAnew(t *testing.T) {
	t.Parallel()
	servers.EachKafka(t, func(t *testing.T, b servers.Broker) {
		for _, policy := range []string{"error", "earliest", "latest"} {
			t.Run(policy, func(t *testing.T) {
				t.Parallel()
				topic, group := b.Topic(t, 1), servers.UniqueName(t)
				put(t, b, numbered(topic, 0, 0, 10)...)
				h := newHost()
				in := openInput(t, b, h, func(c *Config) {
					c.Topics, c.Group, c.OnOffsetGone, c.LagInterval = []string{topic}, group, policy, 100*time.Millisecond
				})
				list := readN(t, in, 10)
				confirm(list...)
				commitAll(t, in, h)
				put(t, b, numbered(topic, 0, 10, 5)...)
				held := readN(t, in, 5)

				deleteTopic(t, b, topic)
				if err := b.CreateTopic(testContext(t), topic, 1, nil); err != nil {
					t.Fatal(err)
				}
				put(t, b, numbered(topic, 0, 100, 20)...)
				if policy == "error" {
					err := readError(t, in)
					if isRetry(err) || !strings.Contains(err.Error(), "topic "+topic+" was deleted") || !strings.Contains(err.Error(), "on_offset_gone") {
						t.Errorf("error %v", err)
					}
					confirm(held...)
					return
				}
				values := map[string][]string{}
				ctx := testContext(t)
				for total(values) < 20 {
					batch, err := in.Read(ctx)
					if isRetry(err) {
						continue
					}
					if err != nil {
						t.Fatal(err)
					}
					gather(values, batch)
				}
				wantNumbers(t, values[topic+"/0"], 100, 20)
				confirm(held...)
				if held[0].Source() != nil && !held[0].Source().Revoked() {
					t.Error("the source of the old topic still counts")
				}
				commitAll(t, in, h)
				if at := position(t, b, group, topic, 0).At; at != 20 {
					t.Errorf("position %d, want 20", at)
				}
			})
		}
	})
}

// A topic that is missing is waited for, without a word each time.
func TestMissingTopicIsSaidOnce(t *testing.T) {
	t.Parallel()
	servers.EachKafka(t, func(t *testing.T, b servers.Broker) {
		topic := servers.UniqueName(t)
		log := &logBuffer{}
		in := newInput(t, b, func(c *Config) { c.Topics = []string{topic} })
		in.env.Logger = log.logger()
		if err := in.Open(testContext(t), newHost()); err != nil {
			t.Fatal(err)
		}
		batches, _ := reader(t, in)
		waitFor(t, func() bool { return strings.Contains(log.String(), "waiting for a topic") })
		if err := b.CreateTopic(testContext(t), topic, 1, nil); err != nil {
			t.Fatal(err)
		}
		put(t, b, numbered(topic, 0, 0, 1)...)
		confirm(receive(t, batches))
		if n := strings.Count(log.String(), "waiting for a topic"); n != 1 {
			t.Errorf("it was said %d times", n)
		}
	})
}

// Who sets the time of records stands in meta.
func TestTimestampType(t *testing.T) {
	t.Parallel()
	servers.EachKafka(t, func(t *testing.T, b servers.Broker) {
		_, real := b.(*servers.Cluster)
		for topicType, want := range map[string]string{"CreateTime": "create", "LogAppendTime": "log_append"} {
			t.Run(want, func(t *testing.T) {
				if want == "log_append" && !real {
					t.Skip("the fake broker leaves times as they are")
				}
				t.Parallel()
				topic := servers.UniqueName(t)
				if err := b.CreateTopic(testContext(t), topic, 1, map[string]string{"message.timestamp.type": topicType}); err != nil {
					t.Fatal(err)
				}
				before := time.Now().Truncate(time.Millisecond)
				put(t, b, &kgo.Record{Topic: topic, Value: []byte("a"), Timestamp: day})
				h := newHost()
				in := openInput(t, b, h, func(c *Config) { c.Topics = []string{topic} })
				list := readN(t, in, 1)
				if got := list[0].Source().Info().Meta["timestamp_type"]; got != want {
					t.Errorf("timestamp type %q", got)
				}
				at := time.Unix(0, list[0].Timestamps[0])
				if want == "create" && !at.Equal(day) || want == "log_append" && at.Before(before) {
					t.Errorf("time %s", at)
				}
				confirm(list...)
				commitAll(t, in, h)
				if at := position(t, b, in.config.Group, topic, 0); at.At != 1 {
					t.Errorf("position %d", at.At)
				}
			})
		}
	})
}

// The epoch of the leader is stored with the position, so that a truncated log
// is found.
func TestLeaderEpochInPositions(t *testing.T) {
	t.Parallel()
	servers.EachKafka(t, func(t *testing.T, b servers.Broker) {
		topic := b.Topic(t, 1)
		put(t, b, numbered(topic, 0, 0, 3)...)
		h := newHost()
		in := openInput(t, b, h, func(c *Config) { c.Topics = []string{topic} })
		list := readN(t, in, 3)
		confirm(list...)
		commitAll(t, in, h)
		if o := position(t, b, in.config.Group, topic, 0); o.At != 3 || o.LeaderEpoch < 0 {
			t.Errorf("position %d with epoch %d", o.At, o.LeaderEpoch)
		}
	})
}
