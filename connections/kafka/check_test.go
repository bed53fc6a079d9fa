package kafka

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/internal/servers"
)

// reads and writes run the checks of elements.
func reads(t *testing.T, c *Config, n Reads) []string {
	t.Helper()
	return check(t, func(ctx context.Context, r *engine.CheckReport) { New(c).CheckReads(ctx, r, n) })
}

func writes(t *testing.T, c *Config, n Writes) []string {
	t.Helper()
	return check(t, func(ctx context.Context, r *engine.CheckReport) { New(c).CheckWrites(ctx, r, n) })
}

// as is a config for a user of the real broker.
func as(c *servers.Cluster, user string) *Config {
	k := Defaults()
	k.Brokers = c.AddrsOf(servers.SASLPlaintext)
	k.SASL = &SASL{Mechanism: "plain", Username: user, Password: engine.NewSecret(servers.Password(user))}
	return k
}

// topicOf creates a topic with options.
func topicOf(t *testing.T, c *servers.Cluster, partitions int32, configs map[string]string) string {
	t.Helper()
	name := servers.UniqueName(t)
	if err := c.CreateTopic(testContext(t), name, partitions, configs); err != nil {
		t.Fatal(err)
	}
	return name
}

// Rights are told one by one, each with what to grant, and nothing else is
// wrong when they are there.
func TestCheckRights(t *testing.T) {
	t.Parallel()
	c := secured(t)
	topic, group := c.Topic(t, 3), servers.UniqueName(t)
	settle := func(want string, f func() []string) {
		t.Helper()
		eventually(t, func() error {
			if lines := f(); !strings.Contains(strings.Join(lines, "\n"), want) {
				return fmt.Errorf("no check says %q:\n%s", want, strings.Join(lines, "\n"))
			}
			return nil
		})
	}
	bob := as(c, servers.Bob)
	n := Reads{Topics: []string{topic}, Group: group}
	read := func() []string { return reads(t, bob, n) }
	write := func() []string { return writes(t, bob, Writes{Topics: []string{topic}}) }
	// The topic of groups must be there for the rights on one to be told.
	join(t, c, servers.UniqueName(t), topic)

	settle("failure topic "+topic+": the user of the connection lacks a right on the topic", read)
	allow(t, c, servers.Bob, kadm.NewACLs().Topics(topic), kadm.OpDescribe)
	settle("failure topic "+topic+": the user of the connection lacks the right READ", read)
	settle("failure topic "+topic+": the user of the connection lacks the right WRITE → Have it granted WRITE", write)
	settle("failure group "+group, read)
	allow(t, c, servers.Bob, kadm.NewACLs().Topics(topic), kadm.OpRead, kadm.OpWrite)
	settle("ok topic "+topic+": 3 partitions, 1 copy of each, may be read", read)
	settle("unknown limits of topic "+topic, write)
	allow(t, c, servers.Bob, kadm.NewACLs().Groups(group), kadm.OpDescribe)
	settle("failure group "+group+": the user of the connection lacks the right READ → Have it granted READ on the group", read)
	allow(t, c, servers.Bob, kadm.NewACLs().Groups(group), kadm.OpRead)
	settle("ok group "+group+": no members", read)
	settle("ok lag of group "+group+": no position yet in 3 partitions", read)
	unexpected(t, read(), "failure", "warning")
	allow(t, c, servers.Bob, kadm.NewACLs().Topics(topic), kadm.OpDescribeConfigs)
	settle("ok topic "+topic+": 3 partitions, 1 copy of each, may be written to", write)
	unexpected(t, write(), "failure", "warning", "unknown")

	// The clock is told to who may see it, and the question of who may not is
	// never asked: the broker would log it as an error.
	expect(t, check(t, New(bob).Check), "unknown clock: the brokers tell their time only to users with the right to → Have the user granted DESCRIBE on the cluster")
	expect(t, check(t, New(as(c, servers.Admin)).Check), "ok clock: within 2s of the cluster's")
	if log := c.Logs(5000); strings.Contains(log, "DESCRIBE_QUORUM") && strings.Contains(log, "User:bob is Denied operation = DESCRIBE from host = 127.0.0.1 on resource = Cluster:LITERAL:kafka-cluster for request = DescribeQuorum") {
		t.Error("the broker was asked for the quorum by a user who may not")
	}

	// A topic is not created by looking.
	missing := servers.UniqueName(t)
	create := Writes{Topics: []string{missing}, Create: true, Partitions: 2}
	expect(t, writes(t, as(c, servers.Admin), create), "ok topic "+missing+": does not exist yet, and can be created")
	expect(t, writes(t, as(c, servers.Admin), Writes{Topics: []string{missing}}), "failure topic "+missing+": it does not exist")
	expect(t, reads(t, as(c, servers.Admin), Reads{Topics: []string{missing}}), "warning topic "+missing+": it does not exist; the input waits for it")
	create.Replication = 3
	expect(t, writes(t, as(c, servers.Admin), create), "failure topic "+missing+": it does not exist, and the brokers would not create it")
	allow(t, c, servers.Bob, kadm.NewACLs().Topics(missing), kadm.OpDescribe)
	settle("and the user of the connection may not create it", func() []string {
		return writes(t, bob, Writes{Topics: []string{missing}, Create: true})
	})
	topics, err := kadm.NewClient(c.Client(t)).ListTopics(testContext(t))
	if err != nil || topics.Has(missing) {
		t.Errorf("the topic was created by a look: %v", err)
	}

	// Transactional ids.
	id := servers.UniqueName(t)
	transact(t, c, id, topic)
	txn := func() []string { return writes(t, bob, Writes{TransactionalID: id}) }
	settle("failure transactional id "+id, txn)
	allow(t, c, servers.Bob, kadm.NewACLs().TransactionalIDs(id), kadm.OpDescribe)
	settle("ok transactional id "+id+": known to the cluster, completecommit", txn)
}

// join makes a member of a group for as long as the test runs.
func join(t *testing.T, c *servers.Cluster, group, topic string, opts ...kgo.Opt) {
	t.Helper()
	client := c.Client(t, append(opts, kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit())...)
	admin := kadm.NewClient(c.Client(t))
	ctx := testContext(t)
	go client.PollFetches(ctx)
	eventually(t, func() error {
		if d, err := admin.DescribeGroups(ctx, group); err == nil && len(d[group].Members) > 0 && d[group].State == "Stable" {
			return nil
		}
		if d, err := admin.DescribeConsumerGroups(ctx, group); err == nil && d[group].State == "Stable" {
			return nil
		}
		return fmt.Errorf("group %s has no member", group)
	})
}

// transact commits a transaction.
func transact(t *testing.T, c *servers.Cluster, id, topic string) {
	t.Helper()
	client := c.Client(t, kgo.TransactionalID(id))
	if err := client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := client.ProduceSync(testContext(t), &kgo.Record{Topic: topic, Value: []byte("x")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if err := client.EndTransaction(testContext(t), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
}

// Members, static ones of the same name, positions and lag.
func TestCheckGroup(t *testing.T) {
	t.Parallel()
	c := secured(t)
	topic := c.Topic(t, 2)
	admin := kadm.NewClient(c.Client(t))
	ctx := testContext(t)
	producer := c.Client(t, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	for range 10 {
		if err := producer.ProduceSync(ctx, &kgo.Record{Topic: topic, Partition: 0, Value: []byte("x")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	look := func(group, instance string) []string {
		return reads(t, as(c, servers.Admin), Reads{Topics: []string{topic}, Group: group, InstanceID: instance})
	}
	commit := func(group string, at int64) {
		t.Helper()
		var offsets kadm.Offsets
		offsets.AddOffset(topic, 0, at, -1)
		if err := admin.CommitAllOffsets(ctx, group, offsets); err != nil {
			t.Fatal(err)
		}
	}
	behind, gone, beyond := servers.UniqueName(t), servers.UniqueName(t), servers.UniqueName(t)
	commit(behind, 4)
	expect(t, look(behind, ""), "ok lag of group "+behind+": 6 records; no position yet in 1 partition")
	commit(gone, 2)
	var upTo kadm.Offsets
	upTo.AddOffset(topic, 0, 5, -1)
	if _, err := admin.DeleteRecords(ctx, upTo); err != nil {
		t.Fatal(err)
	}
	expect(t, look(gone, ""), "warning lag of group "+gone+": the topic's retention deleted 3 records before the group had read them; left: 5 records")
	commit(beyond, 99)
	expect(t, look(beyond, ""), "the group's position lies beyond the end of partition "+topic+"/0")

	classic, next := servers.UniqueName(t), servers.UniqueName(t)
	join(t, c, classic, topic, kgo.ClientID("worker-a"), kgo.InstanceID("one"))
	lines := look(classic, "one")
	expect(t, lines, "warning group "+classic+": a member with the instance_id one is there already: worker-a (one) at /127.0.0.1 → ")
	expect(t, lines, "ok group "+classic+": 1 member: worker-a (one) at /127.0.0.1")
	unexpected(t, look(classic, "two"), "warning", "failure")
	join(t, c, next, topic, kgo.ClientID("worker-b"), kgo.ServerSideBalancer())
	expect(t, look(next, ""), "ok group "+next+": 1 member: worker-b")

	// A look joins no group and moves nothing.
	unused := servers.UniqueName(t)
	look(unused, "")
	groups, err := admin.ListGroups(ctx)
	if _, there := groups[unused]; err != nil || there {
		t.Errorf("the group was made by a look: %v", err)
	}
	expect(t, look(behind, ""), "lag of group "+behind+": the topic's retention deleted 1 record before")
}

// Sizes and in-sync replicas.
func TestCheckLimits(t *testing.T) {
	t.Parallel()
	c := secured(t)
	small := topicOf(t, c, 1, map[string]string{"max.message.bytes": "5000"})
	large := topicOf(t, c, 1, map[string]string{"max.message.bytes": "200000000"})
	starved := topicOf(t, c, 1, map[string]string{"min.insync.replicas": "2"})
	admin := as(c, servers.Admin)
	expect(t, writes(t, admin, Writes{Topics: []string{small}, BatchBytes: 1_000_000}), "batches may take 1000000 bytes (batch_bytes), and the topic takes at most 5000 → Lower batch_bytes")
	unexpected(t, writes(t, admin, Writes{Topics: []string{small}, BatchBytes: 5000}), "warning", "failure")
	expect(t, reads(t, admin, Reads{Topics: []string{large}}), "it takes records of up to 200000000 bytes, and flow carries at most")
	expect(t, writes(t, admin, Writes{Topics: []string{starved}}), "failure topic "+starved+": it has fewer copies than min.insync.replicas (2) asks for")
	expect(t, reads(t, admin, Reads{Topics: []string{small}, FetchBytes: 200 << 20}), "failure fetch size: 209715200 bytes are fetched at once, and the connection reads at most 104857600")
	expect(t, reads(t, admin, Reads{Pattern: regexp.MustCompile("^nothing-.*$")}), "warning topics: no topic matches ^nothing-.*$")
	expect(t, reads(t, admin, Reads{Pattern: regexp.MustCompile("^" + regexp.QuoteMeta(small) + "$")}), "ok topic "+small)
	expect(t, writes(t, admin, Writes{Others: true}), "unknown topics: records name topics")

	admin.Rack = "west"
	expect(t, check(t, New(admin).Check), "warning rack: no broker says that it is in the rack west")
}

// Addresses: of the config, and of the brokers that the cluster names.
func TestCheckAddresses(t *testing.T) {
	t.Parallel()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	_ = l.Close()
	_, closedPort, _ := net.SplitHostPort(closed)

	c := Defaults()
	c.Brokers = append([]string{closed, "nobody.invalid:9092"}, cluster.ListenAddrs()...)
	lines := check(t, New(c).Check)
	expect(t, lines, "warning broker "+closed+": the connection is refused: nothing listens at port "+closedPort)
	expect(t, lines, "warning broker nobody.invalid:9092: ")
	expect(t, lines, "ok broker "+cluster.ListenAddrs()[0]+": reached at")
	expect(t, lines, "unknown clock")
	unexpected(t, lines, "failure")

	c.Brokers = []string{closed}
	lines = check(t, New(c).Check)
	expect(t, lines, "failure broker "+closed)
	if len(lines) != 1 {
		t.Errorf("more than the one cause is reported:\n%s", strings.Join(lines, "\n"))
	}

	// A broker that advertises an address which cannot be reached from here.
	cluster.ControlKey(int16(kmsg.Metadata), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		resp := req.ResponseKind().(*kmsg.MetadataResponse)
		for i, port := range []int{portOf(t, cluster.ListenAddrs()[0]), portOf(t, closed)} {
			b := kmsg.NewMetadataResponseBroker()
			b.NodeID, b.Host, b.Port = int32(i), "127.0.0.1", int32(port)
			resp.Brokers = append(resp.Brokers, b)
		}
		return resp, nil, true
	})
	c.Brokers = cluster.ListenAddrs()
	lines = check(t, New(c).Check)
	expect(t, lines, "failure broker 1 at "+closed+": the cluster names this address, and the connection is refused")
	expect(t, lines, "advertised.listeners of the broker")
}

// The end of the time is the end of the check.
func TestCheckEndsWithItsTime(t *testing.T) {
	t.Parallel()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	stuck := make(chan struct{})
	t.Cleanup(func() { close(stuck) })
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	cluster.ControlKey(int16(kmsg.Metadata), func(kmsg.Request) (kmsg.Response, error, bool) {
		cancel() // the check waits for this answer
		cluster.SleepControl(func() { <-stuck })
		return nil, nil, false
	})
	c := Defaults()
	c.Brokers = cluster.ListenAddrs()
	r := &engine.CheckReport{}
	began := time.Now()
	New(c).Check(ctx, r)
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("it took %s", d)
	}
	checks := r.Checks()
	if last := checks[len(checks)-1]; last.Status != engine.CheckFailure || last.Detail != "no answer in time" {
		t.Errorf("the last check is %+v", last)
	}
}

func TestCheckEmbedded(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "demo", "kafka")
	c := embeddedConfig(dir)
	lines := check(t, New(c).Check)
	expect(t, lines, "ok folder "+dir+": does not exist yet and can be made")
	if found, err := filepath.Glob(filepath.Join(filepath.Dir(filepath.Dir(dir)), "*")); err != nil || len(found) != 0 {
		t.Errorf("the check has made %v", found)
	}
	running := New(c)
	if err := running.Acquire(testContext(t)); err != nil {
		t.Fatal(err)
	}
	expect(t, check(t, New(c).Check), "failure embedded broker: another process or connection uses this folder")
	release(t, running)
	expect(t, check(t, New(c).Check), "ok embedded broker: starts with the run")
	expect(t, reads(t, c, Reads{Topics: []string{"a"}}), "unknown topics: the embedded broker runs only while flow does")
}

func TestJudgeClock(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		theirs time.Duration
		want   string
	}{
		{0, "ok clock: within 2s of theirs"},
		{2900 * time.Millisecond, "ok clock"},
		{-2900 * time.Millisecond, "ok clock"},
		{time.Minute, "warning clock: this machine's clock is 59.9s behind theirs → Set the clocks right"},
		{-time.Minute, "warning clock: this machine's clock is 1m0s ahead of theirs → Set the clocks right"},
	}
	for _, tt := range tests {
		lines := check(t, func(_ context.Context, r *engine.CheckReport) {
			judgeClock(r, "theirs", now.Add(tt.theirs), now, now.Add(100*time.Millisecond), time.Second)
		})
		expect(t, lines, tt.want)
	}
}

func portOf(t *testing.T, address string) int {
	t.Helper()
	a, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return a.Port
}
