package kafka

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/checkpoint"
	"github.com/flowrecords/flow/internal/servers"
)

// keeping is a connection with a topic of positions of its own, not made yet.
func keeping(t *testing.T, b servers.Broker) *Connection {
	t.Helper()
	c := Defaults()
	c.Brokers = b.Addrs()
	c.PositionsTopic = servers.UniqueName(t)
	c.TransactionalID = c.PositionsTopic + "-"
	return New(c)
}

func at(offset int64) engine.Position { return engine.Position{Offset: offset} }

type positions = map[string]engine.Position

// opened is a store that is loaded, and what it held.
func opened(t *testing.T, c *Connection, pipeline string) (checkpoint.Store, positions) {
	t.Helper()
	s := c.Positions(engine.Env{Pipeline: pipeline}, pipeline)
	t.Cleanup(func() { _ = s.Close() })
	return s, loaded(t, s)
}

// loaded does as the engine does with errors that pass.
func loaded(t *testing.T, s checkpoint.Store) positions {
	t.Helper()
	var m positions
	eventually(t, func() error {
		var err error
		m, err = s.Load(testContext(t))
		var again *engine.RetryError
		if err != nil && !errors.As(err, &again) {
			t.Fatal(err)
		}
		return err
	})
	return m
}

func save(t *testing.T, s checkpoint.Store, changed positions) {
	t.Helper()
	if err := s.Save(testContext(t), changed); err != nil {
		t.Fatal(err)
	}
}

func same(t *testing.T, what string, got, want positions) {
	t.Helper()
	if !maps.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// What is stored is there for the next process, per pipeline, and for the
// transactions of a pipeline that delivers exactly once.
func TestPositionsAreKept(t *testing.T) {
	t.Parallel()
	servers.EachKafka(t, func(t *testing.T, b servers.Broker) {
		t.Parallel()
		c := keeping(t, b)
		if m, err := c.PeekPositions(testContext(t), engine.Env{}, "a"); err != nil || len(m.Positions) > 0 {
			t.Fatalf("before there is a topic: %v, %v", m, err)
		}
		s, m := opened(t, c, "a")
		same(t, "at first", m, positions{})
		other, _ := opened(t, c, "b")
		save(t, s, positions{"input.file.in/x": at(1), "input.file.in/y": {Offset: 2, Epoch: 3, State: "more"}})
		save(t, other, positions{"input.file.in/x": at(70)})
		save(t, s, positions{"input.file.in/x": at(9)})
		save(t, s, nil)
		want := positions{"input.file.in/x": at(9), "input.file.in/y": {Offset: 2, Epoch: 3, State: "more"}}
		peeked, err := c.PeekPositions(testContext(t), engine.Env{}, "a")
		if err != nil {
			t.Fatal(err)
		}
		same(t, "by a look", peeked.Positions, want)
		if peeked.Last.IsZero() || len(peeked.Stored) != len(want) {
			t.Errorf("by a look: stored at %v, last at %v", peeked.Stored, peeked.Last)
		}
		save(t, s, positions{"input.file.in/x": at(10)}) // the look has taken nothing over
		want["input.file.in/x"] = at(10)
		same(t, "when loaded again", loaded(t, s), want)
		save(t, s, positions{"input.file.in/x": at(11)})
		want["input.file.in/x"] = at(11)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		_, m = opened(t, c, "a")
		same(t, "for the next process", m, want)

		session := c.Session("a")
		session.Join(engine.Env{}, engine.TransactionSettings{CommitInterval: time.Second}, func() []kgo.Opt { return nil }, func(string) int32 { return 1 << 20 })
		m, err = session.Open(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		same(t, "in exactly_once", m, want)
		if err := session.Commit(testContext(t), positions{"input.file.in/x": at(20)}, nil); err != nil {
			t.Fatal(err)
		}
		if err := session.Close(testContext(t)); err != nil {
			t.Fatal(err)
		}
		want["input.file.in/x"] = at(20)
		back, m := opened(t, c, "a")
		same(t, "back in at_least_once", m, want)
		save(t, back, positions{"input.file.in/x": at(21)})
		same(t, "of the other pipeline", loaded(t, other), positions{"input.file.in/x": at(70)})
	})
}

// A process that comes back late changes nothing, at once or ever. Only a real
// broker tells: the fake one gives a new epoch to whoever names an old one.
func TestPositionsFence(t *testing.T) {
	t.Parallel()
	c := keeping(t, servers.SharedKafka(t))
	first, _ := opened(t, c, "a")
	save(t, first, positions{"in/x": at(1)})
	second, m := opened(t, c, "a")
	same(t, "taken over", m, positions{"in/x": at(1)})
	save(t, second, positions{"in/x": at(5)})
	for range 2 {
		err := first.Save(testContext(t), positions{"in/x": at(2)})
		var lost *checkpoint.LostError
		if !errors.As(err, &lost) || !strings.Contains(err.Error(), "another process has begun to run this pipeline") {
			t.Errorf("the first one stores on: %v", err)
		}
	}
	if _, err := first.Load(testContext(t)); err == nil {
		t.Error("the first one begins again")
	}
	save(t, second, positions{"in/x": at(6)})
	same(t, "in the end", loaded(t, second), positions{"in/x": at(6)})
}

// A topic that would lose positions, or their order, is refused.
func TestPositionsTopicRefused(t *testing.T) {
	t.Parallel()
	servers.EachKafka(t, func(t *testing.T, b servers.Broker) {
		t.Parallel()
		for _, x := range []struct {
			name       string
			partitions int32
			policy     string
			want       string
		}{
			{"deleted with age", 1, "delete", "has cleanup.policy=delete: positions would be deleted with age. Set it to compact"},
			{"deleted and compacted", 1, "compact,delete", "has cleanup.policy=compact,delete"},
			{"partitions", 4, "compact", "has 4 partitions, and positions need an order"},
		} {
			c := keeping(t, b)
			if err := b.CreateTopic(testContext(t), c.config.PositionsTopic, x.partitions, map[string]string{"cleanup.policy": x.policy}); err != nil {
				t.Fatal(err)
			}
			_, err := c.Positions(engine.Env{}, "a").Load(testContext(t))
			if err == nil || !strings.Contains(err.Error(), x.want) {
				t.Errorf("%s: %v, want %q", x.name, err, x.want)
			}
		}
	})
}

// The topic is made as it must be.
func TestPositionsTopicMade(t *testing.T) {
	t.Parallel()
	servers.EachKafka(t, func(t *testing.T, b servers.Broker) {
		t.Parallel()
		c := keeping(t, b)
		opened(t, c, "a")
		adm := kadm.NewClient(b.Client(t))
		topics, err := adm.ListTopics(testContext(t), c.config.PositionsTopic)
		if err != nil || topics.Error() != nil {
			t.Fatal(err, topics.Error())
		}
		if n := len(topics[c.config.PositionsTopic].Partitions); n != 1 {
			t.Errorf("%d partitions", n)
		}
		configs, err := adm.DescribeTopicConfigs(testContext(t), c.config.PositionsTopic)
		if err != nil {
			t.Fatal(err)
		}
		for _, kv := range configs[0].Configs {
			if kv.Key == "cleanup.policy" && kv.MaybeValue() != "compact" {
				t.Errorf("cleanup.policy is %s", kv.MaybeValue())
			}
		}
	})
	copies, configs := positionsTopic{}.plan(5)
	if copies != 3 || *configs["min.insync.replicas"] != "2" {
		t.Errorf("of five brokers, %d have a copy and %v must have it", copies, configs)
	}
	if copies, configs = (positionsTopic{}).plan(2); copies != 2 || configs["min.insync.replicas"] != nil {
		t.Errorf("of two brokers, %d have a copy", copies)
	}
}

// An empty store begins with what the folder holds, all of it, once.
func TestPositionsMove(t *testing.T) {
	t.Parallel()
	c := keeping(t, servers.FakeKafka(t))
	dir := filepath.Join(t.TempDir(), "state")
	move := func() (n int, s *checkpoint.Moved) {
		s = &checkpoint.Moved{Store: c.Positions(engine.Env{}, "a"), Dir: dir, Pipeline: "a", Adopted: func(k int) { n = k }}
		t.Cleanup(func() { _ = s.Close() })
		loaded(t, s)
		return n, s
	}
	if n, _ := move(); n != 0 {
		t.Errorf("%d positions out of nothing", n)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a folder was made")
	}
	old, err := checkpoint.OpenDir(dir, "a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := old.Load(testContext(t)); err != nil {
		t.Fatal(err)
	}
	save(t, old, positions{"in/x": at(1), "in/y": at(2)})
	busy := &checkpoint.Moved{Store: c.Positions(engine.Env{}, "a"), Dir: dir, Pipeline: "a"}
	t.Cleanup(func() { _ = busy.Close() })
	_, err = busy.Load(testContext(t))
	var held *checkpoint.HeldError
	if !errors.As(err, &held) {
		t.Errorf("while a process is at work there: %v", err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	n, s := move()
	if n != 2 {
		t.Errorf("%d positions taken over", n)
	}
	same(t, "moved", loaded(t, s), positions{"in/x": at(1), "in/y": at(2)})
	if n, _ := move(); n != 0 {
		t.Errorf("%d positions taken over again", n)
	}
}

// TestPositionsOverFaults: a broker that is away, or a transaction that stood
// open for too long, ends nothing: the next Save stores.
func TestPositionsOverFaults(t *testing.T) {
	t.Parallel()
	c := servers.Kafka(t, servers.KafkaOptions{Properties: map[string]string{
		"transaction.abort.timed.out.transaction.cleanup.interval.ms": "200",
	}})
	conn := keeping(t, c)
	conn.config.TransactionTimeout = time.Second
	s, _ := opened(t, conn, "a")
	save(t, s, positions{"in/x": at(1), "in/y": at(7)})
	for i := range int64(3) {
		if err := c.Kill(1); err != nil {
			t.Fatal(err)
		}
		if err := c.Start(1); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() error { return s.Save(testContext(t), positions{"in/x": at(2 + i)}) })
	}
	same(t, "after restarts", loaded(t, s), positions{"in/x": at(4), "in/y": at(7)})

	// A transaction of this very producer that the brokers take back.
	own := s.(*topicStore)
	recs, err := own.topic.records(positions{"in/x": at(99)})
	if err != nil {
		t.Fatal(err)
	}
	if err := own.client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := own.client.ProduceSync(testContext(t), recs...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	adm := kadm.NewClient(c.Client(t))
	eventually(t, func() error {
		d, err := adm.DescribeTransactions(testContext(t), own.name())
		if err == nil && d[own.name()].State != "CompleteAbort" {
			err = errors.New(d[own.name()].State)
		}
		return err
	})
	eventually(t, func() error {
		err := s.Save(testContext(t), positions{"in/y": at(8)})
		var lost *checkpoint.LostError
		if errors.As(err, &lost) {
			t.Fatal(err)
		}
		return err
	})
	same(t, "after a time-out", loaded(t, s), positions{"in/x": at(4), "in/y": at(8)})

	// And one that was taken over meanwhile stays out, whatever happened to it.
	if err := own.client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := own.client.ProduceSync(testContext(t), recs...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	second, m := opened(t, conn, "a")
	same(t, "taken over", m, positions{"in/x": at(4), "in/y": at(8)})
	eventually(t, func() error {
		err := s.Save(testContext(t), positions{"in/x": at(99)})
		var lost *checkpoint.LostError
		if !errors.As(err, &lost) {
			return errors.New("the first one is not told")
		}
		return nil
	})
	save(t, second, positions{"in/x": at(5)})
	same(t, "in the end", loaded(t, second), positions{"in/x": at(5), "in/y": at(8)})
}

// TestPositionsOverSilence: a client that never comes to an end with what it
// holds is replaced by another one, and stores under the next epoch.
func TestPositionsOverSilence(t *testing.T) {
	t.Parallel()
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	c := Defaults()
	c.Brokers = fake.ListenAddrs()
	s, _ := opened(t, New(c), "a")
	save(t, s, positions{"in/x": at(1)})
	stuck := make(chan struct{})
	t.Cleanup(func() { close(stuck) })
	var asked atomic.Int32
	fake.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		if asked.Add(1) == 1 {
			fake.SleepControl(func() { <-stuck })
		}
		return nil, nil, false
	})
	was := s.(*topicStore).client
	for i := range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		if err := s.Save(ctx, positions{"in/x": at(2)}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Save %d: %v", i, err)
		}
		cancel()
	}
	if asked.Load() == 0 {
		t.Fatal("nothing was held up")
	}
	save(t, s, positions{"in/x": at(3)})
	if s.(*topicStore).client == was {
		t.Error("it is the same client")
	}
	same(t, "behind it", loaded(t, s), positions{"in/x": at(3)})
}
