package main

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flowrecords/flow/internal/servers"
)

// faultLoop breaks, round by round, what several pipelines rest on: their
// workers, the brokers, the network between. All pipelines suffer the same fault
// at the same time, since most of a round is the wait for what brokers and
// groups need to notice it. The workers run all the time; a round begins when
// everything before it has arrived and is confirmed, so that what comes twice can
// be told to be the fault's doing.
type faultLoop struct {
	t   *testing.T
	rnd *rand.Rand
	c   *servers.Cluster
	net *servers.Network
	adm *kadm.Client

	// The records are the same in both, numbered; record n belongs to partition
	// n modulo the number of partitions.
	topic, file string
	issued      int
	feeder      *kgo.Client
	unwritten   atomic.Int64 // records that the brokers have not confirmed

	lanes  []*lane
	faults map[string]int // that happened
	fault  string         // the last one
	extra  map[string]int // what else happened
}

// lanePartitions is the number of partitions of all topics.
const lanePartitions = 4

// newFaultLoop starts a cluster of three brokers behind a network, and a worker
// for each lane.
func newFaultLoop(t *testing.T, lanes []*lane) *faultLoop {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	l := &faultLoop{
		t: t, rnd: rand.New(rand.NewPCG(seed, 7)), lanes: lanes, faults: map[string]int{}, extra: map[string]int{},
		c: servers.Kafka(t, servers.KafkaOptions{Brokers: 3, Proxied: true, Properties: map[string]string{
			"group.consumer.session.timeout.ms": "5000",
			"broker.session.timeout.ms":         "6000", // a busy machine starves brokers, too
		}}),
	}
	l.net = l.c.Network(t)
	l.topic, l.file = l.c.Topic(t, lanePartitions), filepath.Join(t.TempDir(), "in.jsonl")
	write(t, l.file, "")
	soon := kgo.MetadataMinAge(100 * time.Millisecond)
	l.adm = kadm.NewClient(l.c.Client(t, soon, kgo.DialTimeout(time.Second)))
	l.feeder = l.c.Client(t, soon, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	for _, lane := range lanes {
		lane.prepare(l)
		lane.start(t)
	}
	t.Cleanup(l.cleanup)
	return l
}

// cleanup shows what the workers said, if the test has failed, and ends them.
// A worker that does not get on shows its goroutines.
func (l *faultLoop) cleanup() {
	for _, lane := range l.lanes {
		p := lane.worker
		if !l.t.Failed() {
			_ = p.cmd.Process.Kill()
			continue
		}
		l.t.Logf("the last fault was: %s; of %d records %s", l.fault, l.issued, lane.status(l.issued))
		most := 8000
		if !lane.settled(l.issued) && p.cmd.Process.Signal(syscall.SIGQUIT) == nil {
			most = 200_000
			select {
			case <-p.exited:
			case <-time.After(10 * time.Second):
			}
		}
		_ = p.cmd.Process.Kill()
		text := p.stderr.String()
		l.t.Logf("%s said last:\n%s", lane.name, text[max(0, len(text)-most):])
	}
}

// faultRounds gives each of so many kinds one round, or there are as many
// rounds in all as FLOW_CRASH_ROUNDS says.
func faultRounds(t *testing.T, kinds int) int {
	text := os.Getenv("FLOW_CRASH_ROUNDS")
	if text == "" {
		return kinds
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < kinds {
		t.Fatalf("FLOW_CRASH_ROUNDS is %q, want a number of at least %d", text, kinds)
	}
	return n
}

// underWay counts, for each fault, the pipelines that had records to move.
const underWay = "times a pipeline had records under way"

// run deals the faults over the rounds: each kind as often as the others, in
// random order.
func (l *faultLoop) run(faults []fault) {
	n := faultRounds(l.t, len(faults))
	var deck []fault
	for len(deck) < n {
		some := slices.Clone(faults)
		l.rnd.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
		deck = append(deck, some[:min(len(some), n-len(deck))]...)
	}
	for i, f := range deck {
		begin := time.Now()
		slowest := l.round(f)
		l.t.Logf("round %d, %s: %s; %s settled last", i+1, f.name, time.Since(begin).Round(100*time.Millisecond), slowest)
	}
	l.check(n)
}

// round lets a fault fall at a random moment between records. It returns the
// pipeline that took longest to get over it.
func (l *faultLoop) round(f fault) (slowest string) {
	l.t.Helper()
	was := l.issued
	l.feed(4000 + l.rnd.IntN(8000))
	lane := l.lanes[l.rnd.IntN(len(l.lanes))]
	target := int64(was + l.rnd.IntN(l.issued-was)*9/10)
	l.until("records move", func() bool { return lane.progress() > target })
	for _, lane := range l.lanes {
		lane.beginWindow()
		if lane.progress() < int64(l.issued) {
			l.extra[underWay]++
		}
	}
	l.fault = f.name
	if f.splits {
		l.withoutTransactions(f.do)
	} else {
		f.do(l)
	}
	l.faults[f.name]++
	l.feed(500)
	slowest = l.settle()
	for _, lane := range l.lanes {
		lane.endWindow()
	}
	return slowest
}

// feed adds records to the topic and the file; those of the topic are written
// when the brokers can.
func (l *faultLoop) feed(n int) {
	l.t.Helper()
	data := lines(l.issued, n)
	for i := range n {
		r := &kgo.Record{Topic: l.topic, Partition: int32((l.issued + i) % lanePartitions), Value: data[i*lineLen : (i+1)*lineLen-1]}
		l.unwritten.Add(1)
		l.feeder.Produce(context.Background(), r, func(_ *kgo.Record, err error) {
			if err == nil {
				l.unwritten.Add(-1)
			}
		})
	}
	appendLines(l.t, l.file, l.issued, n)
	l.issued += n
}

// settle waits until all records have arrived everywhere and are confirmed. It
// returns the pipeline that took longest.
func (l *faultLoop) settle() (slowest string) {
	l.t.Helper()
	slowest = "the feeding"
	l.until(slowest, func() bool { return l.unwritten.Load() == 0 })
	open := slices.Clone(l.lanes)
	l.until("the end of a round", func() bool {
		open = slices.DeleteFunc(open, func(n *lane) bool {
			settled := n.settled(l.issued)
			if settled {
				slowest = n.name
			}
			return settled
		})
		return len(open) == 0
	})
	return slowest
}

// settleTimeout is long, since the machines of tests are busy.
const settleTimeout = 4 * time.Minute

// until looks every few milliseconds until ready says so. Meanwhile no worker
// may end.
func (l *faultLoop) until(what string, ready func() bool) {
	l.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(settleTimeout)
	for !ready() {
		for _, lane := range l.lanes {
			lane.mustLive()
		}
		select {
		case <-tick.C:
		case <-deadline:
			l.t.Fatalf("%s did not come within %s", what, settleTimeout)
		}
	}
}

// hold keeps a fault up for so long.
func (l *faultLoop) hold(d time.Duration) {
	l.t.Helper()
	end := time.Now().Add(d)
	l.until("the end of the fault", func() bool { return time.Now().After(end) })
}

// between is a random time.
func (l *faultLoop) between(least, most time.Duration) time.Duration {
	return least + time.Duration(l.rnd.Int64N(int64(most-least)))
}

func (l *faultLoop) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// check ends the workers and compares what is there with what was issued.
func (l *faultLoop) check(rounds int) {
	l.t.Helper()
	for _, lane := range l.lanes {
		lane.stop()
	}
	want := lines(0, l.issued)
	for _, lane := range l.lanes {
		l.t.Logf("%s: %d records, %d faults: %s", lane.name, l.issued, rounds, lane.check(want))
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(l.faults)) {
		list = append(list, fmt.Sprintf("%d× %s", l.faults[name], name))
	}
	for _, name := range slices.Sorted(maps.Keys(l.extra)) {
		list = append(list, fmt.Sprintf("%d %s", l.extra[name], name))
	}
	l.t.Logf("%d rounds: %s", rounds, strings.Join(list, ", "))
	if half := rounds * len(l.lanes) / 2; l.extra[underWay] < half {
		l.t.Errorf("fewer than %d pipelines had records under way when a fault fell", half)
	}
}
