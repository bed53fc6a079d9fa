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
		if err == nil || errors.As(err, &anew) || !strings.Contains(err.Error(), "another process has begun to write as "+first.ID()) {
			t.Errorf("not shared: got %v", err)
		}
	}
	if n := len(servers.ConsoleConsume(t, c, topic, true)); n != 1 {
		t.Errorf("%d records are there, want that of the shared session alone", n)
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
