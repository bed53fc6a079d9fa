package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/flowrecords/flow/internal/servers"
)

// TestReplicas is what only a cluster with copies of partitions shows.
func TestReplicas(t *testing.T) {
	t.Parallel()
	c := servers.Kafka(t, servers.KafkaOptions{Brokers: 3, Proxied: true, Racks: true})
	t.Run("rack", func(t *testing.T) { readInRack(t, c) })
	t.Run("positions", func(t *testing.T) { storeOverLeaders(t, c) })
	t.Run("truncation", func(t *testing.T) { readOverTruncation(t, c) })
}

// readInRack: an input with a rack reads from the copy there, from another one
// while that is gone, and from it again when it is back.
func readInRack(t *testing.T, c *servers.Cluster) {
	net := c.Network(t)
	topic := c.Topic(t, 1)
	leader, err := c.Leader(t.Context(), topic, 0)
	if err != nil {
		t.Fatal(err)
	}
	near := leader%3 + 1
	r := newCopier(t, c, topic, net.Addrs(), fmt.Sprintf("rack = \"rack-%d\"", near))
	const many = 20_000
	r.produce(many)
	r.start()
	r.until(many)
	if from := net.Sent(near); from < many*lineLen {
		t.Errorf("broker %d, in the same rack, has sent %d bytes of %d", near, from, many*lineLen)
	}
	if from := net.Sent(leader); from > many*lineLen/10 {
		t.Errorf("broker %d, which leads, has sent %d bytes", leader, from)
	}
	t.Logf("of %d bytes the copy in the rack has sent %d, the leader %d", many*lineLen, net.Sent(near), net.Sent(leader))

	if err := c.Kill(near); err != nil {
		t.Fatal(err)
	}
	was := net.Sent(near)
	r.produce(many)
	r.until(2 * many)
	if net.Sent(near) != was {
		t.Errorf("broker %d has sent bytes after it was killed", near)
	}
	if err := c.Start(near); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); net.Sent(near) < was+many*lineLen/100; {
		if time.Now().After(deadline) {
			t.Fatalf("broker %d is not read from after it came back", near)
		}
		r.produce(200)
		r.until(r.issued)
	}
	r.check("")
}

// copier copies partition 0 of a topic into a file.
type copier struct {
	t      *testing.T
	c      *servers.Cluster
	cl     *kgo.Client
	adm    *kadm.Client
	topic  string
	group  string
	dir    string
	issued int
	p      *process
}

func newCopier(t *testing.T, c *servers.Cluster, topic string, addrs []string, options string) *copier {
	t.Helper()
	soon := kgo.MetadataMinAge(100 * time.Millisecond)
	r := &copier{
		t: t, c: c, topic: topic, group: servers.UniqueName(t), dir: t.TempDir(),
		cl:  c.Client(t, soon, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.NoCompression())),
		adm: kadm.NewClient(c.Client(t, soon)),
	}
	write(t, filepath.Join(r.dir, "pipeline.hcl"), fmt.Sprintf(`
connection "kafka" "main" {
  brokers = ["%s"]
  %s
}
pipeline "copy" {
  commit_interval = "20ms"
  retry_max       = "250ms"
  input "kafka" "in" {
    connection      = connection.kafka.main
    topics          = [%q]
    group           = %q
    instance_id     = "one"
  }
  output "file" "out" {
    path = "out.jsonl"
  }
}
`, strings.Join(addrs, `", "`), options, topic, r.group))
	t.Cleanup(func() {
		if r.p == nil {
			return
		}
		if t.Failed() {
			t.Logf("the copy of %s has %d records of %d, the group is at %d:\n%s", topic,
				fileSize(filepath.Join(r.dir, "out.jsonl"))/lineLen, r.issued, committed(r.adm, r.group, topic), r.p.stderr.String())
		}
		_ = r.p.cmd.Process.Kill()
	})
	return r
}

func (r *copier) produce(n int) {
	r.t.Helper()
	produceLines(r.t, r.cl, r.topic, r.issued, n)
	r.issued += n
}

func (r *copier) start() { r.p = startFlow(r.t, r.dir, "run", "pipeline.hcl") }

func (r *copier) stop() {
	r.t.Helper()
	if err := r.p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		r.t.Fatal(err)
	}
	r.p.wait(r.t)
}

// until waits for so many records in the file, and for the group's word that
// they are there.
func (r *copier) until(records int) {
	r.t.Helper()
	out := filepath.Join(r.dir, "out.jsonl")
	end := func() int64 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		list, err := r.adm.ListEndOffsets(ctx, r.topic)
		if err != nil {
			return -1
		}
		o, _ := list.Lookup(r.topic, 0)
		return o.Offset
	}
	waitFor(r.t, fmt.Sprintf("record %d of %s", records, r.topic), func() bool {
		select {
		case err := <-r.p.exited:
			r.t.Fatalf("flow ended: %v\n%s", err, r.p.stderr.String())
		default:
		}
		return fileSize(out) >= int64(records)*lineLen && committed(r.adm, r.group, r.topic) == end()
	})
}

// check ends the copy. Everything is there, once; and the log has said so.
func (r *copier) check(said string) {
	r.t.Helper()
	r.stop()
	got, err := os.ReadFile(filepath.Join(r.dir, "out.jsonl"))
	if err != nil {
		r.t.Fatal(err)
	}
	if want := lines(0, r.issued); string(got) != string(want) {
		r.t.Errorf("%s: %s", r.topic, firstDifference(got, want))
	}
	if !strings.Contains(r.p.stderr.String(), said) {
		r.t.Errorf("%s: the log does not say %q:\n%s", r.topic, said, r.p.stderr.String())
	}
}

// readOverTruncation: a broker that did not have the last records becomes
// leader, which the topic allows. They are gone, and their offsets are given to
// others, at once or before the input notices; the epoch of the leader tells it
// (KIP-320). What is there is read, and the log says what was lost.
func readOverTruncation(t *testing.T, c *servers.Cluster) {
	const both, one = 100, 50
	cases := []struct {
		name    string
		later   int  // records that the new leader gets
		stopped bool // the worker meanwhile, by SIGSTOP
		ended   bool // the worker meanwhile
	}{
		{"the log is shorter", 30, false, false},
		{"the log has grown past the position", 80, true, false},
		{"the log is shorter at a start", 30, false, true},
		{"the log has grown past the position at a start", 80, false, true},
	}
	list := make([]*copier, len(cases))
	for i := range cases {
		topic := servers.UniqueName(t)
		createUnclean(t, c, topic, 1, 2)
		list[i] = newCopier(t, c, topic, c.Addrs(), "")
		list[i].produce(both)
		list[i].start()
	}
	for _, r := range list {
		r.until(both)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(c.Kill(2))
	for i, r := range list {
		waitFor(t, "a log without its second copy", func() bool { return len(copies(r.adm, r.topic)) == 1 })
		r.produce(one)
		r.until(both + one)
		if cases[i].stopped {
			must(r.p.cmd.Process.Signal(syscall.SIGSTOP))
		}
		if cases[i].ended {
			r.stop()
		}
	}
	must(c.Kill(1))
	must(c.Start(2))
	for i, r := range list {
		waitFor(t, "the election of the broker without the last records", func() bool {
			leader, err := c.Leader(t.Context(), r.topic, 0)
			return err == nil && leader == 2
		})
		if end := endOf(t, r.adm, r.topic); end != both {
			t.Fatalf("the log of %s ends at %d, nothing was lost", r.topic, end)
		}
		r.produce(cases[i].later)
		if cases[i].stopped {
			must(r.p.cmd.Process.Signal(syscall.SIGCONT))
		}
		if cases[i].ended {
			r.start()
		}
	}
	for i, r := range list {
		t.Run(cases[i].name, func(t *testing.T) {
			r.t = t
			r.until(both + one + cases[i].later)
			r.check("lost records")
		})
	}
	must(c.Start(1))
}

// createUnclean makes a topic of one partition with two copies, the second of
// which may lead without having everything.
func createUnclean(t *testing.T, c *servers.Cluster, topic string, first, second int32) {
	t.Helper()
	cl := c.Client(t)
	req := kmsg.NewPtrCreateTopicsRequest()
	rt := kmsg.NewCreateTopicsRequestTopic()
	rt.Topic, rt.NumPartitions, rt.ReplicationFactor = topic, -1, -1
	a := kmsg.NewCreateTopicsRequestTopicReplicaAssignment()
	a.Replicas = []int32{first, second}
	rt.ReplicaAssignment = append(rt.ReplicaAssignment, a)
	for k, v := range map[string]string{"unclean.leader.election.enable": "true", "min.insync.replicas": "1"} {
		config := kmsg.NewCreateTopicsRequestTopicConfig()
		config.Name, config.Value = k, kmsg.StringPtr(v)
		rt.Configs = append(rt.Configs, config)
	}
	req.Topics = append(req.Topics, rt)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	resp, err := req.RequestWith(ctx, cl)
	if err == nil {
		err = kerr.ErrorForCode(resp.Topics[0].ErrorCode)
	}
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the topic's copies", func() bool { return len(copies(kadm.NewClient(cl), topic)) == 2 })
}

// copies are the brokers with all records of partition 0; nil if that cannot be
// told now.
func copies(adm *kadm.Client, topic string) []int32 {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	topics, err := adm.ListTopics(ctx, topic)
	if err != nil {
		return nil
	}
	return topics[topic].Partitions[0].ISR
}

func endOf(t *testing.T, adm *kadm.Client, topic string) int64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		list, err := adm.ListEndOffsets(ctx, topic)
		if err == nil {
			err = list.Error()
		}
		if err == nil {
			o, _ := list.Lookup(topic, 0)
			return o.Offset
		}
		if errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
	}
}
