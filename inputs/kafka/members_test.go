package kafka

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/internal/servers"
)

// Each protocol and assignor reads everything and is what the cluster says of
// the group.
func TestProtocols(t *testing.T) {
	t.Parallel()
	tests := []struct{ protocol, assignor, tells string }{
		{"classic", "auto", "cooperative-sticky"},
		{"classic", "cooperative_sticky", "cooperative-sticky"},
		{"classic", "sticky", "sticky"},
		{"classic", "range", "range"},
		{"classic", "round_robin", "roundrobin"},
		{"consumer", "auto", "uniform"},
		{"consumer", "uniform", "uniform"},
		{"consumer", "range", "range"},
	}
	servers.EachKafka(t, func(t *testing.T, b servers.Broker) {
		for _, tt := range tests {
			t.Run(tt.protocol+" "+tt.assignor, func(t *testing.T) {
				t.Parallel()
				topic, group := b.Topic(t, 3), servers.UniqueName(t)
				for p := range int32(3) {
					put(t, b, numbered(topic, p, 0, 5)...)
				}
				h := newHost()
				in := openInput(t, b, h, func(c *Config) {
					c.Topics, c.Group, c.GroupProtocol, c.Assignor = []string{topic}, group, tt.protocol, tt.assignor
				})
				values := readUntil(t, in, func(v map[string][]string) bool { return total(v) >= 15 })
				for p := range 3 {
					wantNumbers(t, values[fmt.Sprint(topic, "/", p)], 0, 5)
				}
				commitAll(t, in, h)
				for p := range int32(3) {
					if at := position(t, b, group, topic, p).At; at != 5 {
						t.Errorf("position %d of partition %d, want 5", at, p)
					}
				}
				if protocol, assignor := describe(t, b, group); protocol != tt.protocol || assignor != tt.tells {
					t.Errorf("the cluster says protocol %s and assignor %s", protocol, assignor)
				}
			})
		}
	})
}

// describe asks the cluster how a group shares its partitions.
func describe(t *testing.T, b servers.Broker, group string) (protocol, assignor string) {
	t.Helper()
	adm := admin(t, b)
	if got, err := adm.DescribeConsumerGroups(testContext(t), group); err == nil && got[group].Err == nil {
		return "consumer", got[group].AssignorName
	}
	got, err := adm.DescribeGroups(testContext(t), group)
	if err != nil {
		t.Fatal(err)
	}
	return "classic", got[group].Protocol
}

// A cluster of before Kafka 4.0 gets the classic protocol.
func TestProtocolThatTheClusterDoesNotKnow(t *testing.T) {
	t.Parallel()
	b := servers.FakeKafka(t, kfake.MaxVersions(kversion.V3_9_0()))
	topic, group := b.Topic(t, 1), servers.UniqueName(t)
	put(t, b, numbered(topic, 0, 0, 5)...)
	log := &logBuffer{}
	in := newInput(t, b, func(c *Config) { c.Topics, c.Group, c.GroupProtocol = []string{topic}, group, "consumer" })
	in.env.Logger = log.logger()
	if err := in.Open(testContext(t), newHost()); err != nil {
		t.Fatal(err)
	}
	confirm(readN(t, in, 5)...)
	got, err := admin(t, b).DescribeGroups(testContext(t), group)
	if err != nil || got[group].Protocol != "cooperative-sticky" {
		t.Errorf("protocol %q, %v", got[group].Protocol, err)
	}
	if !strings.Contains(log.String(), "KIP-848") {
		t.Errorf("no warning: %s", log)
	}
}

// A static member that comes back within its session gets its partitions
// without a rebalance: the group's generation stays.
func TestStaticMember(t *testing.T) {
	t.Parallel()
	servers.EachKafka(t, func(t *testing.T, b servers.Broker) {
		for _, protocol := range []string{"classic", "consumer"} {
			t.Run(protocol, func(t *testing.T) {
				t.Parallel()
				topic, group := b.Topic(t, 2), servers.UniqueName(t)
				put(t, b, numbered(topic, 0, 0, 5)...)
				edit := func(instance string) func(c *Config) {
					return func(c *Config) {
						c.Topics, c.Group, c.InstanceID, c.GroupProtocol, c.SessionTimeout = []string{topic}, group, instance, protocol, 20*time.Second
					}
				}
				h := newHost()
				in := openInput(t, b, h, edit("one"))
				confirm(readN(t, in, 5)...)
				commitAll(t, in, h)
				before := instances(t, b, group)
				closeInput(t, in)
				if got := instances(t, b, group); got != before || !strings.Contains(got, "one") {
					t.Fatalf("members before the end %q, after it %q", before, got)
				}
				put(t, b, numbered(topic, 0, 5, 5)...)
				start := time.Now()
				again := openInput(t, b, newHost(), edit("one"))
				list := readN(t, again, 5)
				if d := time.Since(start); d > 15*time.Second {
					t.Errorf("it took %s to go on", d)
				}
				if list[0].Offset(0) != 5 {
					t.Errorf("it goes on at %d", list[0].Offset(0))
				}
				confirm(list...)
			})
		}
	})
}

// instances lists the static members of a group.
func instances(t *testing.T, b servers.Broker, group string) string {
	t.Helper()
	adm := admin(t, b)
	var names []string
	if got, err := adm.DescribeConsumerGroups(testContext(t), group); err == nil && got[group].Err == nil {
		for _, m := range got[group].Members {
			if m.InstanceID != nil {
				names = append(names, *m.InstanceID)
			}
		}
		return strings.Join(names, " ")
	}
	got, err := adm.DescribeGroups(testContext(t), group)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range got[group].Members {
		if m.InstanceID != nil {
			names = append(names, *m.InstanceID)
		}
	}
	return strings.Join(names, " ")
}

// Two with the same instance_id: the older one ends with an error that says so,
// when it has become clear that the other one stays.
func TestInstanceTwice(t *testing.T) {
	t.Parallel()
	servers.EachKafka(t, func(t *testing.T, b servers.Broker) {
		topic, group := b.Topic(t, 1), servers.UniqueName(t)
		put(t, b, numbered(topic, 0, 0, 1)...)
		edit := func(c *Config) {
			c.Topics, c.Group, c.InstanceID, c.SessionTimeout = []string{topic}, group, "one", time.Second
		}
		first := openInput(t, b, newHost(), edit)
		confirm(readN(t, first, 1)...)
		second := openInput(t, b, newHost(), edit)
		confirm(readN(t, second, 1)...) // the first one has committed nothing
		err := readError(t, first)
		if isRetry(err) || !strings.Contains(err.Error(), `another member has come with instance_id "one"`) {
			t.Errorf("error %v", err)
		}
	})
}

// An instance_id that the group gives to a member which is no more, as a
// coordinator does that has missed who came last: the one that lives gets its
// partitions back when the session of the other ends.
func TestInstanceOfNobody(t *testing.T) {
	t.Parallel()
	servers.EachKafka(t, func(t *testing.T, b servers.Broker) {
		topic, group := b.Topic(t, 1), servers.UniqueName(t)
		put(t, b, numbered(topic, 0, 0, 1)...)
		edit := func(c *Config) {
			c.Topics, c.Group, c.InstanceID, c.SessionTimeout = []string{topic}, group, "one", 8*time.Second
		}
		h := newHost()
		first := openInput(t, b, h, edit)
		lost := readN(t, first, 1)[0].Source()
		second := openInput(t, b, newHost(), edit)
		readN(t, second, 1)
		closeInput(t, second) // a member with an instance_id does not leave by that

		again := readN(t, first, 1)[0]
		if again.Source() == lost || !lost.Revoked() {
			t.Fatal("the partition was not lost: this run proves nothing")
		}
		first.mu.Lock()
		defer first.mu.Unlock()
		if !first.fenced.IsZero() {
			t.Error("the end of the doubt is not noted")
		}
	})
}

// worker is a member that reads, confirms and commits on its own until it is
// stopped, in good order or by closing without a word of what it has read.
type worker struct {
	in     *Input
	h      *testHost
	cancel context.CancelFunc
	ended  chan struct{}
}

// Members join and leave under load. Nothing is lost, what comes twice was not
// committed, and the records of a partition come in order from each member.
func TestMembersComeAndGoUnderLoad(t *testing.T) {
	t.Parallel()
	servers.EachKafka(t, func(t *testing.T, b servers.Broker) {
		for _, protocol := range []string{"classic", "consumer"} {
			t.Run(protocol, func(t *testing.T) {
				t.Parallel()
				membersComeAndGo(t, b, protocol)
			})
		}
	})
}

func membersComeAndGo(t *testing.T, b servers.Broker, protocol string) {
	const parts, rounds, per = 6, 8, 300
	topic, group := b.Topic(t, parts), servers.UniqueName(t)
	var (
		mu   sync.Mutex
		seen = map[string]map[int64]int{}
		sent = map[string]int64{}
	)
	start := func() *worker {
		w := &worker{h: newHost(), ended: make(chan struct{})}
		w.h.limits.Records = 50
		w.in = openInput(t, b, w.h, func(c *Config) {
			c.Topics, c.Group, c.GroupProtocol = []string{topic}, group, protocol
			c.RevokeWait = 2 * time.Second
		})
		var ctx context.Context
		ctx, w.cancel = context.WithCancel(context.Background())
		go func() {
			defer close(w.ended)
			last := map[*engine.Source]int64{}
			for {
				batch, err := w.in.Read(ctx)
				if err != nil {
					if ctx.Err() == nil {
						t.Errorf("reading: %v", err)
					}
					return
				}
				src := batch.Source()
				mu.Lock()
				for i := range batch.Len() {
					at := batch.Offset(i)
					if before, ok := last[src]; ok && at <= before {
						t.Errorf("%s: %d comes after %d", src.Info().ID, at, before)
					}
					last[src] = at
					if seen[src.Info().ID] == nil {
						seen[src.Info().ID] = map[int64]int{}
					}
					seen[src.Info().ID][at]++
				}
				mu.Unlock()
				confirm(batch)
				if err := w.in.Commit(ctx, w.h.takeDirty()); err != nil && ctx.Err() == nil {
					t.Logf("committing: %v", err) // a rebalance
				}
			}
		}()
		return w
	}
	stop := func(w *worker) {
		w.cancel()
		<-w.ended
		closeInput(t, w.in)
	}
	workers := []*worker{start()}
	for r := range rounds {
		for p := range int32(parts) {
			put(t, b, numbered(topic, p, r*per, per)...)
			mu.Lock()
			sent[fmt.Sprint(topic, "/", p)] += per
			mu.Unlock()
		}
		if len(workers) > 1 && rand.IntN(2) == 0 {
			i := rand.IntN(len(workers))
			stop(workers[i])
			workers = append(workers[:i], workers[i+1:]...)
		} else {
			workers = append(workers, start())
		}
	}
	all := func() bool {
		mu.Lock()
		defer mu.Unlock()
		for id, n := range sent {
			if int64(len(seen[id])) < n {
				return false
			}
		}
		return true
	}
	waitFor(t, all)
	for _, w := range workers {
		stop(w)
	}
	twice := 0
	for _, offsets := range seen {
		for _, n := range offsets {
			twice += n - 1
		}
	}
	t.Logf("%d of %d records came twice", twice, parts*rounds*per)
}

// Nothing is read twice when a member leaves in good order with everything
// committed.
func TestLeavingInGoodOrderRepeatsNothing(t *testing.T) {
	t.Parallel()
	servers.EachKafka(t, func(t *testing.T, b servers.Broker) {
		for _, protocol := range []string{"classic", "consumer"} {
			t.Run(protocol, func(t *testing.T) {
				t.Parallel()
				topic, group := b.Topic(t, 2), servers.UniqueName(t)
				put(t, b, numbered(topic, 0, 0, 100)...)
				put(t, b, numbered(topic, 1, 0, 100)...)
				edit := func(c *Config) { c.Topics, c.Group, c.GroupProtocol = []string{topic}, group, protocol }
				h := newHost()
				h.limits.Records = 7
				first := openInput(t, b, h, edit)
				seen := map[string][]string{}
				for _, b := range readN(t, first, 60) {
					gather(seen, b)
				}
				// No commit: leaving the group stores what is confirmed.
				closeInput(t, first)
				second := openInput(t, b, newHost(), edit)
				values := readUntil(t, second, func(v map[string][]string) bool { return total(v)+total(seen) >= 200 })
				for p := range 2 {
					id := fmt.Sprint(topic, "/", p)
					wantNumbers(t, append(seen[id], values[id]...), 0, 100)
				}
			})
		}
	})
}

// Partitions that are added, and topics of a pattern that come, are read from
// their beginning; those that are excluded are not.
func TestTopicsAndPartitionsThatCome(t *testing.T) {
	t.Parallel()
	servers.EachKafka(t, func(t *testing.T, b servers.Broker) {
		for _, protocol := range []string{"classic", "consumer"} {
			t.Run(protocol, func(t *testing.T) {
				t.Parallel()
				base := servers.UniqueName(t)
				create := func(name string) {
					if err := b.CreateTopic(testContext(t), base+name, 1, nil); err != nil {
						t.Fatal(err)
					}
				}
				create("-a")
				create("-a-dead")
				put(t, b, numbered(base+"-a", 0, 0, 3)...)
				put(t, b, numbered(base+"-a-dead", 0, 0, 3)...)
				in := openInput(t, b, newHost(), func(c *Config) {
					c.TopicsRegex, c.TopicsExclude = pattern(base+"-.*"), pattern(".*-dead")
					c.Start, c.GroupProtocol = "latest", protocol
				})
				batches, _ := reader(t, in)
				put(t, b, numbered(base+"-a", 0, 3, 1)...)
				if batch := receive(t, batches); batch.Offset(0) != 3 {
					t.Fatalf("it begins at %d, want 3: the latest", batch.Offset(0))
				} else {
					confirm(batch)
				}
				create("-b")
				put(t, b, numbered(base+"-b", 0, 0, 2)...)
				if _, err := admin(t, b).UpdatePartitions(testContext(t), 2, base+"-a"); err != nil {
					t.Fatal(err)
				}
				waitFor(t, func() bool {
					cl := b.Client(t, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.UnknownTopicRetries(0))
					defer cl.Close()
					got, err := kadm.NewClient(cl).ListTopics(context.Background(), base+"-a")
					return err == nil && len(got[base+"-a"].Partitions) == 2
				})
				put(t, b, numbered(base+"-a", 1, 0, 2)...)
				want := map[string]int{base + "-b/0": 2, base + "-a/1": 2}
				for len(want) > 0 {
					batch := receive(t, batches)
					id := batch.Source().Info().ID
					if strings.Contains(id, "-dead") {
						t.Fatalf("it reads %s", id)
					}
					if want[id] -= batch.Len(); want[id] <= 0 {
						delete(want, id)
					}
					confirm(batch)
				}
			})
		}
	})
}
