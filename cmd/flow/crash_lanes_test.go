package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flowrecords/flow/cmd/cli"
	"github.com/flowrecords/flow/internal/servers"
)

// lane is a pipeline in a crash loop, with one worker.
type lane struct {
	name    string
	exactly bool
	reads   string // "topic" or "file"
	writes  string // "topic" or "files"
	options string // of the input, when it reads the topic

	loop    *faultLoop
	dir     string
	group   string
	worker  *process
	target  target
	windows []window
}

// laneInFlight is max_in_flight of all lanes.
const laneInFlight = 64 << 10

// target is what a lane fills.
type target interface {
	// sizes tells how far each partition is filled, in a unit of the target.
	sizes() [lanePartitions]int64
	// recount reads everything from the beginning.
	recount() [lanePartitions][]arrival
}

// arrival is a record and where it begins.
type arrival struct {
	at   int64
	line []byte
}

// window is the time of a fault, in sizes of the target.
type window struct{ from, to [lanePartitions]int64 }

// prepare writes the pipeline and makes the target.
func (n *lane) prepare(l *faultLoop) {
	l.t.Helper()
	n.loop, n.dir = l, l.t.TempDir()
	id := strings.Map(func(r rune) rune {
		if r == ' ' {
			return '-'
		}
		return r
	}, n.name)
	delivery := "at_least_once"
	if n.exactly {
		delivery = "exactly_once"
	}
	input, partition := fmt.Sprintf(`
  input "file" "in" {
    path          = %q
    mode          = "tail"
    poll_interval = "1ms"
  }`, l.file), "value.seq % 4"
	if n.reads == "topic" {
		n.group = id
		partition = "partition"
		input = fmt.Sprintf(`
  input "kafka" "in" {
    connection  = connection.kafka.main
    topics      = [%q]
    group       = %q
    instance_id = "one"
    %s
  }`, l.topic, id, n.options)
	}
	output := `
  output "file" "out" {
    path = "out/{{ value.seq % 4 }}.jsonl"
  }`
	if n.writes == "topic" {
		topic := l.c.Topic(l.t, lanePartitions)
		n.target = newTopicTarget(l, topic, n.exactly)
		output = fmt.Sprintf(`
  output "kafka" "out" {
    connection = connection.kafka.main
    topic      = %q
    partition  = %q
  }`, topic, partition)
	} else {
		n.target = fileTarget{l.t, filepath.Join(n.dir, "out")}
	}
	write(l.t, filepath.Join(n.dir, "pipeline.hcl"), fmt.Sprintf(`
connection "kafka" "main" {
  brokers             = ["%s"]
  dial_timeout        = "1s"
  request_timeout     = "2s"
  transaction_timeout = "5s"
}
pipeline %q {
  delivery        = %q
  commit_interval = "20ms"
  batch_bytes     = "16KiB"
  max_in_flight   = "%dB"
  retry_max       = "250ms"%s
  processor "filter" "all" {
    where = "value.seq >= 0"
  }%s
}
`, strings.Join(l.net.Addrs(), `", "`), id, delivery, laneInFlight, input, output))
}

func (n *lane) start(t *testing.T) { n.worker = startFlow(t, n.dir, "run", "pipeline.hcl") }

// transacts reports whether the output writes in transactions.
func (n *lane) transacts() bool { return n.exactly && n.writes == "topic" }

// mustLive fails the test if the worker has ended.
func (n *lane) mustLive() {
	n.loop.t.Helper()
	select {
	case err := <-n.worker.exited:
		n.loop.t.Fatalf("%s: the worker ended by itself: %v\n%s", n.name, err, n.worker.stderr.String())
	default:
	}
}

// stop ends the worker. One whose transaction was taken back meanwhile has
// nothing more to confirm, and says so.
func (n *lane) stop() {
	n.loop.t.Helper()
	n.loop.must(n.worker.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case err := <-n.worker.exited:
		if err == nil {
			return
		}
		if !n.transacts() || n.worker.cmd.ProcessState.ExitCode() != cli.ExitAborted {
			n.loop.t.Fatalf("%s: the worker ended with %v\n%s", n.name, err, n.worker.stderr.String())
		}
		n.loop.extra["stops within a transaction that was taken back, after "+n.loop.fault]++
	case <-time.After(2 * time.Minute):
		n.loop.t.Fatalf("%s: the worker did not end\n%s", n.name, n.worker.stderr.String())
	}
}

// progress is about how many records have arrived.
func (n *lane) progress() (sum int64) {
	for _, size := range n.target.sizes() {
		sum += size
	}
	if n.writes == "files" {
		sum /= lineLen
	}
	return sum
}

// settled reports whether all records have arrived, and the worker will not
// read them again.
func (n *lane) settled(issued int) bool {
	switch {
	case n.exactly && n.writes == "files":
		return n.progress() == int64(issued)
	case n.reads == "topic":
		return committed(n.loop.adm, n.group, n.loop.topic) == int64(issued)
	default:
		return n.target.(*topicTarget).has(issued)
	}
}

// status tells of a lane that does not get on.
func (n *lane) status(issued int) string {
	text := fmt.Sprintf("%s settled: %v, progress %d", n.name, n.settled(issued), n.progress())
	if n.group != "" {
		text += fmt.Sprintf(", group at %d", committed(n.loop.adm, n.group, n.loop.topic))
	}
	if k, ok := n.target.(*topicTarget); ok {
		stable, err := n.loop.adm.ListCommittedOffsets(context.Background(), k.topic)
		text += fmt.Sprintf(", ends %v, stable up to", k.sizes())
		stable.Each(func(o kadm.ListedOffset) { text += fmt.Sprintf(" %d:%d %v", o.Partition, o.Offset, o.Err) })
		k.mu.Lock()
		defer k.mu.Unlock()
		text += fmt.Sprintf(" (%v), last seen %v", err, k.last)
		records, err := n.loop.c.ConsoleConsume(context.Background(), k.topic, k.committed) // the test's context is over
		lasts := map[int32]string{}
		for _, r := range records {
			lasts[r.Partition] = fmt.Sprintf("%.16s", r.Value)
		}
		text += fmt.Sprintf("; Java's client reads %d records, last %v (%v)", len(records), lasts, err)
	}
	return text
}

// committed is how many records of a topic a group has confirmed, -1 if that
// cannot be told now.
func committed(adm *kadm.Client, group, topic string) int64 {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	offsets, err := adm.FetchOffsets(ctx, group)
	if err != nil || offsets.Error() != nil {
		return -1
	}
	sum := int64(0)
	offsets.Each(func(o kadm.OffsetResponse) {
		if o.Topic == topic {
			sum += o.At
		}
	})
	return sum
}

func (n *lane) beginWindow() {
	w := window{from: n.target.sizes()}
	if n.writes == "files" {
		// What was not confirmed is cut off after a kill, so what is read
		// again begins before.
		for p := range w.from {
			w.from[p] -= laneInFlight
		}
	}
	n.windows = append(n.windows, w)
}

func (n *lane) endWindow() { n.windows[len(n.windows)-1].to = n.target.sizes() }

// check compares the target with the records that were issued.
func (n *lane) check(want []byte) string {
	t := n.loop.t
	t.Helper()
	all := n.target.recount()
	if n.exactly {
		for p := range lanePartitions {
			var got, only []byte
			for _, r := range all[p] {
				got = append(got, r.line...)
			}
			for i := p * lineLen; i < len(want); i += lanePartitions * lineLen {
				only = append(only, want[i:i+lineLen]...)
			}
			if !bytes.Equal(got, only) {
				t.Errorf("%s: partition %d: %s", n.name, p, firstDifference(got, only))
			}
		}
		if topic, ok := n.target.(*topicTarget); ok {
			back := topic.takenBack(all)
			if back == 0 {
				t.Errorf("%s: no fault left anything to take back", n.name)
			}
			return fmt.Sprintf("compared record by record; %d were taken back", back)
		}
		return "compared record by record"
	}
	var y tally
	for p := range lanePartitions {
		n.checkPartition(p, all[p], want, &y)
	}
	return "all there and in order; " + y.String()
}

// checkPartition: at least once, in order but for steps back, and those at
// faults only.
func (n *lane) checkPartition(p int, got []arrival, want []byte, sum *tally) {
	t := n.loop.t
	t.Helper()
	y := tally{}
	for _, r := range got {
		seq, err := seqOf(r.line)
		if err != nil || seq%lanePartitions != p || (seq+1)*lineLen > len(want) || !bytes.Equal(r.line, want[seq*lineLen:(seq+1)*lineLen]) {
			t.Fatalf("%s: partition %d has the record %q: %v", n.name, p, r.line, err)
		}
		back := len(y.resumed)
		if err := y.check(seq / lanePartitions); err != nil {
			t.Fatalf("%s: partition %d: %v", n.name, p, err)
		}
		if len(y.resumed) > back && !n.atFault(p, r.at) {
			t.Errorf("%s: partition %d: record %d came again at %d, when there was no fault", n.name, p, seq, r.at)
		}
	}
	if issued := len(want) / lineLen; y.next != (issued-p+lanePartitions-1)/lanePartitions {
		t.Errorf("%s: partition %d ends with record %d of %d", n.name, p, (y.next-1)*lanePartitions+p, issued)
	}
	sum.duplicates += y.duplicates
	sum.resumed = append(sum.resumed, y.resumed...)
	sum.longest = max(sum.longest, y.longest)
}

func (n *lane) atFault(p int, at int64) bool {
	return slices.ContainsFunc(n.windows, func(w window) bool { return w.from[p] <= at && at <= w.to[p] })
}

// fileTarget is a folder with a file for each partition.
type fileTarget struct {
	t   *testing.T
	dir string
}

func (f fileTarget) file(p int) string { return filepath.Join(f.dir, fmt.Sprintf("%d.jsonl", p)) }

func (f fileTarget) sizes() (sizes [lanePartitions]int64) {
	for p := range sizes {
		sizes[p] = fileSize(f.file(p))
	}
	return sizes
}

func (f fileTarget) recount() (all [lanePartitions][]arrival) {
	for p := range all {
		data, err := os.ReadFile(f.file(p))
		if err != nil {
			f.t.Fatal(err)
		}
		at := int64(0)
		for line := range bytes.Lines(data) {
			all[p] = append(all[p], arrival{at, line})
			at += int64(len(line))
		}
	}
	return all
}

// topicTarget is a topic. A client follows it, to tell when all is there.
type topicTarget struct {
	l         *faultLoop
	topic     string
	committed bool
	ends      [lanePartitions]int64 // as they were when they could last be told

	mu   sync.Mutex // guards last
	last [lanePartitions]int
}

func newTopicTarget(l *faultLoop, topic string, committed bool) *topicTarget {
	k := &topicTarget{l: l, topic: topic, committed: committed}
	isolation := kgo.ReadUncommitted()
	if committed {
		isolation = kgo.ReadCommitted()
	}
	cl := l.c.Client(l.t, kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(isolation), kgo.FetchMaxWait(200*time.Millisecond),
		kgo.MetadataMinAge(100*time.Millisecond), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	go func() {
		for {
			fetches := cl.PollFetches(context.Background())
			if fetches.IsClientClosed() {
				return
			}
			fetches.EachRecord(func(r *kgo.Record) {
				if seq, err := seqOf(r.Value); err == nil {
					k.mu.Lock()
					k.last[r.Partition] = seq
					k.mu.Unlock()
				}
			})
		}
	}()
	return k
}

// has reports whether the last of so many records is there in each partition.
func (k *topicTarget) has(issued int) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	for seq := issued - lanePartitions; seq < issued; seq++ {
		if k.last[seq%lanePartitions] != seq {
			return false
		}
	}
	return true
}

func (k *topicTarget) sizes() [lanePartitions]int64 {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	list, err := k.l.adm.ListEndOffsets(ctx, k.topic)
	if err == nil && list.Error() == nil {
		list.Each(func(o kadm.ListedOffset) { k.ends[o.Partition] = o.Offset })
	}
	return k.ends
}

func (k *topicTarget) recount() (all [lanePartitions][]arrival) {
	for _, r := range servers.ConsoleConsume(k.l.t, k.l.c, k.topic, k.committed) {
		all[r.Partition] = append(all[r.Partition], arrival{r.Offset, append(r.Value, '\n')})
	}
	return all
}

// takenBack is how many records were written that do not count.
func (k *topicTarget) takenBack(counted [lanePartitions][]arrival) int {
	n := len(servers.ConsoleConsume(k.l.t, k.l.c, k.topic, false))
	for p := range counted {
		n -= len(counted[p])
	}
	return n
}
