package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flowrecords/flow/internal/servers"
)

func kafkaToKafka(addrs []string, in, out, dead string) string {
	return fmt.Sprintf(`
connection "kafka" "main" {
  brokers             = [%s]
  transaction_timeout = "5s"
}
pipeline "copy" {
  delivery        = "exactly_once"
  commit_interval = "50ms"
  batch_bytes     = "32KiB"
  max_in_flight   = "256KiB"
  input "kafka" "in" {
    connection      = connection.kafka.main
    topics          = [%q]
    group           = "copy"
    session_timeout = "6s"
  }
  processor "filter" "all" {
    where = "value.seq >= 0"
  }
  output "kafka" "out" {
    connection = connection.kafka.main
    topic      = %q
    partition  = "partition"
  }
  output "kafka" "dead" {
    from       = [errors]
    connection = connection.kafka.main
    topic      = %q
    partition  = "partition"
  }
}
`, quoted(addrs), in, out, dead)
}

// numbers are records that are dealt over partitions in turn. One in a hundred
// is no JSON and goes to the errors output.
type numbers struct {
	partitions, issued int
}

func (n *numbers) produce(t *testing.T, cl *kgo.Client, topic string, count int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	records := make([]*kgo.Record, 0, count)
	for i := n.issued; i < n.issued+count; i++ {
		records = append(records, &kgo.Record{Topic: topic, Partition: int32(i % n.partitions), Value: n.value(i)})
	}
	if err := cl.ProduceSync(ctx, records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	n.issued += count
}

func (n *numbers) bad(i int) bool { return i%100 == 99 }

func (n *numbers) value(i int) []byte {
	if n.bad(i) {
		return fmt.Appendf(nil, `%d is no JSON`, i)
	}
	return fmt.Appendf(nil, `{"seq":%d,"pad":"%s"}`, i, strings.Repeat("x", 60))
}

// check compares what Kafka's own client reads with what was produced, record by
// record and in the order of each partition. Both topics have the partitions of
// the input's.
func (n *numbers) check(t *testing.T, c *servers.Cluster, out, dead string) (takenBack int) {
	t.Helper()
	for _, of := range []struct {
		topic string
		bad   bool
	}{{out, false}, {dead, true}} {
		all := servers.ConsoleConsume(t, c, of.topic, false)
		records := servers.ConsoleConsume(t, c, of.topic, true)
		takenBack += len(all) - len(records)
		got := make([][]byte, n.partitions)
		for _, r := range records {
			got[r.Partition] = append(append(got[r.Partition], r.Value...), '\n')
		}
		want := make([][]byte, n.partitions)
		for i := range n.issued {
			if n.bad(i) == of.bad {
				want[i%n.partitions] = append(append(want[i%n.partitions], n.value(i)...), '\n')
			}
		}
		for p := range n.partitions {
			if !bytes.Equal(got[p], want[p]) {
				t.Errorf("topic %s partition %d: %s", of.topic, p, difference(got[p], want[p]))
			}
		}
	}
	return takenBack
}

func difference(got, want []byte) string {
	g, w := bytes.Split(got, []byte("\n")), bytes.Split(want, []byte("\n"))
	for i := range min(len(g), len(w)) {
		if !bytes.Equal(g[i], w[i]) {
			return fmt.Sprintf("record %d is %.40q, want %.40q; %d records, want %d", i, g[i], w[i], len(g)-1, len(w)-1)
		}
	}
	return fmt.Sprintf("%d records, want %d", len(g)-1, len(w)-1)
}

// groupCrash is a group of workers that copy from topic to topic while things
// are broken.
type groupCrash struct {
	t       *testing.T
	c       *servers.Cluster
	rnd     *rand.Rand
	in, out string
	dead    string
	adm     *kadm.Client
	cl      *kgo.Client
	end     *ends
	n       *numbers
	workers []*process // nil: not there
	dirs    []string

	faults [faultKinds]int
	late   int // stopped workers that came back with a transaction open
}

const perRound = 10_000

// The faults. Each happens once before any comes again.
const (
	workerKilled = iota
	workerStopped
	memberCame // or left
	brokerKilled
	leaderMoved
	faultKinds
)

func newGroupCrash(t *testing.T, workers int) *groupCrash {
	t.Helper()
	const partitions = 4
	c := replicatedCluster(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	g := &groupCrash{
		t: t, c: c, rnd: rand.New(rand.NewPCG(seed, 6)),
		in: c.Topic(t, partitions), out: c.Topic(t, partitions), dead: c.Topic(t, partitions),
		adm: kadm.NewClient(c.Client(t)),
		cl:  c.Client(t, kgo.RecordPartitioner(kgo.ManualPartitioner())),
		n:   &numbers{partitions: partitions},
	}
	g.end = &ends{adm: g.adm, topic: g.out}
	for range workers {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "pipeline.hcl"), kafkaToKafka(c.Addrs(), g.in, g.out, g.dead))
		g.dirs = append(g.dirs, dir)
	}
	g.workers = make([]*process, workers)
	t.Cleanup(func() {
		for i, p := range g.workers {
			if p == nil {
				continue
			}
			_ = p.cmd.Process.Kill()
			if t.Failed() {
				t.Logf("worker %d:\n%s", i, p.stderr.String())
			}
		}
	})
	return g
}

func (g *groupCrash) start(i int) { g.workers[i] = startFlow(g.t, g.dirs[i], "run", "pipeline.hcl") }

// one returns a worker that runs.
func (g *groupCrash) one() int {
	for {
		if i := g.rnd.IntN(len(g.workers)); g.workers[i] != nil {
			return i
		}
	}
}

func (g *groupCrash) running() int {
	n := 0
	for _, p := range g.workers {
		if p != nil {
			n++
		}
	}
	return n
}

func (g *groupCrash) produce() { g.n.produce(g.t, g.cl, g.in, perRound) }

func (g *groupCrash) caughtUp() {
	g.t.Helper()
	waitFor(g.t, "everything is read", func() bool { return groupHasRead(g.t, g.adm, g.in, int64(g.n.issued)) })
}

// round lets records flow and breaks something among them.
func (g *groupCrash) round(fault int) {
	g.t.Helper()
	target := g.end.now() + g.rnd.Int64N(perRound/2) + 1
	moved := func() bool { return g.end.now() > target }
	g.produce()
	if fault == workerKilled {
		i := g.one()
		if !g.workers[i].killWhen(g.t, moved) {
			g.t.Fatal("a worker ended by itself")
		}
		g.start(i)
	} else {
		waitFor(g.t, "records in the topic", moved)
		ticks := g.rnd.IntN(50)
		waitFor(g.t, "a moment", func() bool { ticks--; return ticks <= 0 })
		switch fault {
		case workerStopped:
			g.stop()
		case memberCame:
			g.member()
		case brokerKilled:
			breakBroker(g.t, g.c, g.adm, g.rnd)
		case leaderMoved:
			g.leader()
		}
	}
	g.faults[fault]++
}

// stop stops a worker until the others have taken its partitions, and lets it
// go on with what it had open.
func (g *groupCrash) stop() {
	g.t.Helper()
	if g.running() < 2 {
		g.member()
	}
	p := g.workers[g.one()]
	anew := func() int { return strings.Count(p.stderr.String(), "begins anew") }
	was := anew()
	if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		g.t.Fatal(err)
	}
	g.produce() // more than the others' own share
	g.caughtUp()
	if err := p.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		g.t.Fatal(err)
	}
	g.produce()
	g.caughtUp()
	if anew() > was {
		g.late++
	}
}

// member has a worker come to the group or leave it as one that is told to.
func (g *groupCrash) member() {
	g.t.Helper()
	if i := slices.Index(g.workers, nil); i >= 0 && (g.running() < 2 || g.rnd.IntN(2) == 0) {
		g.start(i)
		return
	}
	g.leave(g.one())
}

// leave has a worker end. One whose transaction has just been taken back ends
// with that as its error.
func (g *groupCrash) leave(i int) {
	g.t.Helper()
	p := g.workers[i]
	g.workers[i] = nil
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		g.t.Fatal(err)
	}
	select {
	case err := <-p.exited:
		if err != nil && !strings.Contains(p.stderr.String(), "aborted with records in flight: output.kafka.out: everything since the last cut is read again") {
			g.t.Fatalf("flow: %v\n%s", err, p.stderr.String())
		}
	case <-time.After(time.Minute):
		_ = p.cmd.Process.Kill()
		g.t.Fatalf("flow did not end\n%s", p.stderr.String())
	}
}

// leader moves a partition that takes part in transactions.
func (g *groupCrash) leader() {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	topic := []string{g.in, g.out, g.dead, "__consumer_offsets", "__transaction_state"}[g.rnd.IntN(5)]
	partition := int32(0)
	if !strings.HasPrefix(topic, "__") {
		partition = int32(g.rnd.IntN(g.n.partitions))
	}
	waitFor(g.t, "all replicas in sync", func() bool { return inSync(g.c, g.adm) })
	from, err := g.c.Leader(ctx, topic, partition)
	if err != nil {
		g.t.Fatal(err)
	}
	if err := g.c.MoveLeader(ctx, topic, partition, from%len(g.c.Brokers())+1); err != nil {
		g.t.Fatal(err)
	}
}

// finish ends all workers and counts.
func (g *groupCrash) finish() {
	g.t.Helper()
	g.caughtUp()
	for i, p := range g.workers {
		if p != nil {
			g.leave(i)
		}
	}
	taken := g.n.check(g.t, g.c, g.out, g.dead)
	f := g.faults
	g.t.Logf("%d records; %d workers killed, %d stopped, %d of which came back late with an open transaction; %d came or left; %d brokers killed, %d leaders moved; %d records were taken back",
		g.n.issued, f[workerKilled], f[workerStopped], g.late, f[memberCame], f[brokerKilled], f[leaderMoved], taken)
	if taken == 0 {
		g.t.Error("no fault left anything to take back")
	}
}

// groupRounds has each of the five faults five times over.
func groupRounds() int { return rounds() / 2 }

// TestCrashKafkaToKafkaTransactions: workers of one group on a cluster of three
// brokers. Workers are killed, stopped for longer than their session and let go
// on, come and leave; brokers are killed and leaders moved, at random moments.
// Kafka's own client reads each record once, in order.
func TestCrashKafkaToKafkaTransactions(t *testing.T) {
	t.Parallel()
	g := newGroupCrash(t, 3)
	g.start(0)
	g.start(1)
	var next []int
	for range groupRounds() {
		if len(next) == 0 {
			next = g.rnd.Perm(faultKinds)
		}
		g.round(next[0])
		next = next[1:]
	}
	g.finish()
	if g.faults[workerStopped] >= 10 && g.late == 0 { // one in two does
		t.Error("no worker that was stopped came back with an open transaction")
	}
}

// groupHasRead reports whether the group has committed as many records.
func groupHasRead(t *testing.T, adm *kadm.Client, topic string, records int64) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	offsets, err := adm.FetchOffsets(ctx, "copy")
	if err != nil {
		return false
	}
	sum := int64(0)
	offsets.Each(func(o kadm.OffsetResponse) {
		if o.Topic == topic {
			sum += o.At
		}
	})
	return sum >= records
}
