package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flowrecords/flow/internal/servers"
)

// crashTime is how long members come and go: FLOW_CRASH_TIME, or little.
func crashTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("FLOW_CRASH_TIME")
	if text == "" {
		return 20 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("FLOW_CRASH_TIME: %v", err)
	}
	return d
}

// TestMembersKilledAndAdded: one to three processes of the same pipeline share a
// group. At random moments one is killed, stopped or added, while records flow.
// Nothing is lost, and each partition keeps its order but for what comes again:
// with exactly once, nothing does.
func TestMembersKilledAndAdded(t *testing.T) {
	t.Parallel()
	c := servers.Kafka(t, servers.KafkaOptions{Properties: map[string]string{"group.consumer.session.timeout.ms": "2000"}})
	const classic, consumer = `session_timeout = "2s"`, `group_protocol = "consumer"`
	for _, test := range []struct {
		name, options string
		exactly       bool
	}{
		{"classic", classic, false},
		{"consumer", consumer, false},
		{"classic exactly once", classic, true},
		{"consumer exactly once", consumer, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := &members{t: t, c: c, partitions: 6, in: c.Topic(t, 6), out: c.Topic(t, 6), group: servers.UniqueName(t), exactly: test.exactly}
			delivery := "at_least_once"
			if test.exactly {
				delivery = "exactly_once"
			}
			m.config = fmt.Sprintf(`
connection "kafka" "main" {
  brokers             = [%q]
  transaction_timeout = "5s"
}
pipeline "members" {
  delivery        = %q
  commit_interval = "50ms"
  batch_bytes     = "16KiB"
  max_in_flight   = "256KiB"
  input "kafka" "in" {
    connection = connection.kafka.main
    topics     = [%q]
    group      = %q
    %s
  }
  processor "filter" "all" {
    where = "value.seq >= 0"
  }
  output "kafka" "out" {
    connection = connection.kafka.main
    topic      = %q
    partition  = "partition"
  }
}
`, c.Addrs()[0], delivery, m.in, m.group, test.options, m.out)
			m.run(crashTime(t))
		})
	}
}

// members are processes of one pipeline.
type members struct {
	t          *testing.T
	c          *servers.Cluster
	config     string
	in, out    string
	group      string
	partitions int
	exactly    bool

	alive                  []*process
	issued                 int
	added, killed, stopped int
	most                   int
}

func (m *members) run(d time.Duration) {
	t := m.t
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 8))
	cl := m.c.Client(t, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	adm := kadm.NewClient(m.c.Client(t))
	t.Cleanup(func() {
		for _, p := range m.alive {
			if t.Failed() {
				text := p.stderr.String()
				t.Logf("a member said last:\n%s", text[max(0, len(text)-4000):])
			}
			_ = p.cmd.Process.Kill()
		}
	})
	m.add()
	m.add()
	end := time.Now().Add(d)
	next := time.Now()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for time.Now().Before(end) {
		m.produce(cl, 100)
		m.mustLive()
		if time.Now().After(next) {
			m.change(rnd)
			next = time.Now().Add(200*time.Millisecond + time.Duration(rnd.Int64N(int64(2500*time.Millisecond))))
		}
		<-tick.C
	}
	if len(m.alive) == 0 {
		m.add()
	}
	deadline := time.Now().Add(2 * time.Minute)
	for committed(adm, m.group, m.in) != int64(m.issued) {
		m.mustLive()
		if time.Now().After(deadline) {
			t.Fatalf("the group has read %d of %d records", committed(adm, m.group, m.in), m.issued)
		}
		<-tick.C
	}
	for _, p := range m.alive {
		waitFor(t, "the last members", func() bool { return started(p) })
		m.terminate(p)
	}
	m.alive = nil
	again, back := m.check()
	t.Logf("%d records; %d members added, %d killed, %d stopped, up to %d at a time; %d records came again, in %d steps back",
		m.issued, m.added, m.killed, m.stopped, m.most, again, back)
	if m.killed < 2 || m.most < 3 {
		t.Errorf("%d members were killed, and there were %d at most", m.killed, m.most)
	}
}

func (m *members) add() {
	dir := m.t.TempDir()
	write(m.t, filepath.Join(dir, "pipeline.hcl"), m.config)
	m.alive = append(m.alive, startFlow(m.t, dir, "run", "pipeline.hcl"))
	m.added++
	m.most = max(m.most, len(m.alive))
}

// change adds a member or lets one go, in one way or the other.
func (m *members) change(rnd *rand.Rand) {
	m.t.Helper()
	if n := len(m.alive); n == 0 || n < 3 && (m.most < 3 || rnd.IntN(2) == 0) {
		m.add()
		return
	}
	i := rnd.IntN(len(m.alive))
	p := m.alive[i]
	m.alive = append(m.alive[:i], m.alive[i+1:]...)
	if rnd.IntN(4) == 0 && started(p) {
		m.terminate(p)
		m.stopped++
		return
	}
	if err := p.cmd.Process.Kill(); err != nil {
		m.t.Fatal(err)
	}
	if !p.killed(m.t, <-p.exited) {
		m.t.Fatal("a member ended by itself")
	}
	m.killed++
}

// started reports whether a process runs its pipeline: before, a signal kills it.
func started(p *process) bool { return strings.Contains(p.stderr.String(), "pipeline started") }

func (m *members) terminate(p *process) {
	m.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		m.t.Fatal(err)
	}
	p.wait(m.t)
}

func (m *members) mustLive() {
	m.t.Helper()
	for _, p := range m.alive {
		select {
		case err := <-p.exited:
			m.t.Fatalf("a member ended by itself: %v\n%s", err, p.stderr.String())
		default:
		}
	}
}

func (m *members) produce(cl *kgo.Client, n int) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	data := lines(m.issued, n)
	records := make([]*kgo.Record, 0, n)
	for i := range n {
		records = append(records, &kgo.Record{Topic: m.in, Partition: int32((m.issued + i) % m.partitions), Value: data[i*lineLen : (i+1)*lineLen-1]})
	}
	if err := cl.ProduceSync(ctx, records...).FirstErr(); err != nil {
		m.t.Fatal(err)
	}
	m.issued += n
}

// check reads the output by Kafka's own client. A member that was thrown out
// while it wrote may write for a moment beside the next owner, so records that
// come again may stand between new ones; new ones come in order.
func (m *members) check() (again, back int) {
	m.t.Helper()
	next, last := make([]int, m.partitions), make([]int, m.partitions) // last is one more than the record
	for _, r := range servers.ConsoleConsume(m.t, m.c, m.out, m.exactly) {
		p := int(r.Partition)
		seq, err := seqOf(r.Value)
		if err != nil || seq%m.partitions != p {
			m.t.Fatalf("partition %d has the record %q: %v", p, r.Value, err)
		}
		n := seq / m.partitions
		switch {
		case n > next[p]:
			m.t.Fatalf("partition %d: record %d comes before %d of them", p, seq, n-next[p])
		case n == next[p]:
			next[p]++
		default:
			again++
		}
		if n < last[p] {
			back++
		}
		last[p] = n + 1
	}
	for p, n := range next {
		if want := (m.issued - p + m.partitions - 1) / m.partitions; n != want {
			m.t.Errorf("partition %d has %d of %d records", p, n, want)
		}
	}
	if m.exactly && again > 0 {
		m.t.Errorf("%d records came again", again)
	}
	return again, back
}
