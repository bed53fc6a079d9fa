package kafka

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/internal/servers"
)

// session returns the session of a pipeline with a name of its own, as outputs
// would have joined it.
func session(t *testing.T, c *Config, shared bool) *Session {
	t.Helper()
	s := New(c).Session(servers.UniqueName(t))
	s.Join(engine.Env{}, engine.TransactionSettings{CommitInterval: time.Second, Shared: shared},
		func() []kgo.Opt { return nil }, func(string) int32 { return 1 << 20 })
	t.Cleanup(func() {
		if err := s.Close(testContext(t)); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Without a right on the transactional id the start ends with an error that
// names the id and what to grant, and is not tried again.
func TestSessionRights(t *testing.T) {
	t.Parallel()
	c := secured(t)
	s := session(t, as(c, servers.Alice), true)
	_, err := s.Open(testContext(t))
	var again *engine.RetryError
	if !errors.Is(err, kerr.TransactionalIDAuthorizationFailed) || errors.As(err, &again) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{s.ID(), "the user of the connection lacks a right on the transactional id", "granted WRITE and DESCRIBE"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	allow(t, c, servers.Alice, kadm.NewACLs().TransactionalIDs(s.ID()), kadm.OpWrite, kadm.OpDescribe)
	eventually(t, func() error {
		_, err := s.Open(testContext(t))
		return err
	})
}

// A later session of the same pipeline ends the earlier, whose transaction is
// taken back; where a group shares the work they do not meet.
func TestSessionFences(t *testing.T) {
	t.Parallel()
	c := secured(t)
	topic := c.Topic(t, 1)
	for _, shared := range []bool{false, true} {
		first := session(t, as(c, servers.Admin), shared)
		second := New(as(c, servers.Admin)).Session(first.pipeline)
		second.Join(first.env, first.settings, first.makers[0], first.limits[0])
		t.Cleanup(func() { _ = second.Close(testContext(t)) })
		openSession(t, first)
		if err := first.Begin(testContext(t)); err != nil {
			t.Fatal(err)
		}
		if err := first.Client().ProduceSync(testContext(t), &kgo.Record{Topic: topic, Value: []byte("x")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
		first.Wrote()
		if _, err := second.Open(testContext(t)); err != nil {
			t.Fatal(err)
		}
		err := first.Commit(testContext(t), nil, nil)
		if shared {
			if err != nil {
				t.Errorf("shared: %v", err)
			}
			continue
		}
		var anew *engine.RestartError
		if !errors.As(err, &anew) {
			t.Errorf("not shared: got %v", err)
		}
		// The next run of the process that came first leaves the other one alone.
		if err := first.Close(testContext(t)); err != nil {
			t.Error(err)
		}
		first.Join(first.env, first.settings, second.makers[0], second.limits[0])
		_, err = first.Open(testContext(t))
		if err == nil || errors.As(err, &anew) || !strings.Contains(err.Error(), "another process has begun to write as "+first.ID()) {
			t.Errorf("not shared, anew: got %v", err)
		}
		if err := second.Begin(testContext(t)); err != nil {
			t.Error(err)
		}
		if err := second.Commit(testContext(t), nil, nil); err != nil {
			t.Error(err)
		}
	}
	if n := len(servers.ConsoleConsume(t, c, topic, true)); n != 1 {
		t.Errorf("%d records are there, want that of the shared session alone", n)
	}
}

// A process whose transaction the brokers have taken back, since it stood open
// for too long, goes on where it had committed, however often that happens; one
// that another process has followed does not, whatever became of that one.
func TestSessionTimedOut(t *testing.T) {
	t.Parallel()
	c := servers.Kafka(t, servers.KafkaOptions{Properties: map[string]string{
		"transaction.abort.timed.out.transaction.cleanup.interval.ms": "200",
	}})
	conn := keeping(t, c)
	conn.config.TransactionTimeout = time.Second
	topic := c.Topic(t, 1)
	adm := kadm.NewClient(c.Client(t))
	first := session(t, conn.config, false)
	second := New(conn.config).Session(first.pipeline)
	second.Join(first.env, first.settings, first.makers[0], first.limits[0])
	t.Cleanup(func() { _ = second.Close(testContext(t)) })
	written := 0
	put := func(s *Session) {
		t.Helper()
		if err := s.Begin(testContext(t)); err != nil {
			t.Fatal(err)
		}
		if err := s.Client().ProduceSync(testContext(t), &kgo.Record{Topic: topic, Value: []byte("x")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
		s.Wrote()
	}
	commit := func(s *Session) {
		t.Helper()
		put(s)
		written++
		if err := s.Commit(testContext(t), positions{"in/x": at(int64(written))}, nil); err != nil {
			t.Fatal(err)
		}
	}
	// late leaves a transaction open for too long, and returns what its Commit says.
	late := func(s *Session) error {
		t.Helper()
		put(s)
		eventually(t, func() error {
			d, err := adm.DescribeTransactions(testContext(t), s.ID())
			if err == nil && d[s.ID()].State != "CompleteAbort" {
				err = errors.New(d[s.ID()].State)
			}
			return err
		})
		return s.Commit(testContext(t), positions{"in/x": at(99)}, nil)
	}
	anew := func(s *Session) (positions, error) {
		t.Helper()
		makers, limits := s.makers, s.limits
		if err := s.Close(testContext(t)); err != nil {
			t.Fatal(err)
		}
		s.makers, s.limits = makers, limits
		return s.Open(testContext(t))
	}
	openSession(t, first)
	for range 3 {
		commit(first)
		commit(first)
		var again *engine.RestartError
		if err := late(first); !errors.As(err, &again) {
			t.Fatalf("the late one: %v", err)
		}
		m, err := anew(first)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "anew", m, positions{"in/x": at(int64(written))})
	}
	// Epochs that were given and never heard of.
	if err := late(first); err == nil {
		t.Fatal("what was overdue was committed")
	}
	control, err := New(conn.config).Client(first.env)
	if err != nil {
		t.Fatal(err)
	}
	defer control.Close()
	unheard := first.held
	for range 3 {
		if unheard, err = nextEpoch(testContext(t), control, first.ID(), time.Second, unheard); err != nil {
			t.Fatal(err)
		}
	}
	first.doubt(true)
	if m, err := anew(first); err != nil {
		t.Fatal(err)
	} else {
		same(t, "with epochs that it does not know", m, positions{"in/x": at(int64(written))})
	}
	commit(first)
	openSession(t, second)
	commit(second)
	_ = late(second)
	first.doubt(true)
	err = first.Begin(testContext(t))
	if err == nil {
		if err = first.Client().ProduceSync(testContext(t), &kgo.Record{Topic: topic, Value: []byte("late")}).FirstErr(); err == nil {
			t.Error("the first one writes on")
		}
		_ = first.Failed("writing", err, false)
	}
	if _, err := anew(first); err == nil || !strings.Contains(err.Error(), "another process has begun to write as "+first.ID()) {
		t.Errorf("the first one begins anew: %v", err)
	}
	m, err := anew(second)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "in the end", m, positions{"in/x": at(int64(written))})
	commit(second)
	if n := len(servers.ConsoleConsume(t, c, topic, true)); n != written {
		t.Errorf("%d records are there, want %d", n, written)
	}
}

// openSession opens as the engine does, which tries again what is transient: a
// topic that was just made may not be known to every listener yet.
func openSession(t *testing.T, s *Session) {
	t.Helper()
	for {
		_, err := s.Open(testContext(t))
		if again := (*engine.RetryError)(nil); errors.As(err, &again) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		return
	}
}

// A transaction that its coordinator never lets go on ends the run, and the next
// one goes by another id where the id need not stay.
func TestSessionOverdue(t *testing.T) {
	t.Parallel()
	for _, shared := range []bool{true, false} {
		c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "out"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		config := Defaults()
		config.Brokers = c.ListenAddrs()
		config.TransactionTimeout = 200 * time.Millisecond
		s := session(t, config, shared)
		s.settings.CommitInterval = 50 * time.Millisecond
		openSession(t, s)
		id := s.ID()
		if err := s.Begin(testContext(t)); err != nil {
			t.Fatal(err)
		}
		fault := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.ConcurrentTransactions, Count: -1})
		if err := s.Client().ProduceSync(testContext(t), &kgo.Record{Topic: "out", Value: []byte("x")}).FirstErr(); err == nil {
			t.Error("the record was written")
		}
		if fault.Hits() == 0 {
			t.Error("the coordinator was not asked")
		}
		var anew *engine.RestartError
		if err := s.Begin(testContext(t)); !errors.As(err, &anew) || !strings.Contains(err.Error(), errOverdue.Error()) {
			t.Errorf("got %v", err)
		}
		fault.Remove()
		openSession(t, s)
		if same := s.ID() == id; same == shared {
			t.Errorf("shared %t: the id is %s, was %s", shared, s.ID(), id)
		}
		if err := s.Begin(testContext(t)); err != nil {
			t.Fatal(err)
		}
		if err := s.Client().ProduceSync(testContext(t), &kgo.Record{Topic: "out", Value: []byte("y")}).FirstErr(); err != nil {
			t.Error(err)
		}
		s.Wrote()
		if err := s.Commit(testContext(t), nil, nil); err != nil {
			t.Error(err)
		}
	}
}

// Topics that one broker alone has are told of where exactly once rests on them.
func TestCheckReplicas(t *testing.T) {
	t.Parallel()
	c := secured(t)
	topic, id := c.Topic(t, 1), servers.UniqueName(t)
	transact(t, c, id, topic)
	n := Writes{Topics: []string{topic}, TransactionalID: id}
	unexpected(t, writes(t, as(c, servers.Admin), n), "warning", "failure")
	n.Internal = session(t, as(c, servers.Admin), true).Topics()
	lines := writes(t, as(c, servers.Admin), n)
	expect(t, lines, "warning replicas: exactly once rests on topics that one broker alone has: "+topic+", ")
	expect(t, lines, ", __transaction_state. Where it dies")
	expect(t, lines, "→ Give these topics three replicas")
}
