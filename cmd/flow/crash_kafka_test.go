package main

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// buildBroker compiles the broker process once for all tests.
var buildBroker = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "flow-kfake")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "kfake")
	out, err := exec.Command("go", "build", "-o", bin, "../../testdata/servers/kfake").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building the broker: %w\n%s", err, out)
	}
	return bin, nil
})

// broker is a Kafka-protocol broker in a process of its own.
type broker struct {
	addr string
	dir  string
	cmd  *exec.Cmd
}

// startBroker starts a broker on a free port and stops it with the test.
func startBroker(t *testing.T) *broker {
	t.Helper()
	b := &broker{dir: t.TempDir(), addr: "127.0.0.1:0"}
	b.start(t)
	t.Cleanup(b.stop)
	return b
}

func (b *broker) start(t *testing.T) {
	t.Helper()
	bin, err := buildBroker()
	if err != nil {
		t.Fatal(err)
	}
	b.cmd = exec.Command(bin, "--dir", b.dir, "--listen", b.addr)
	b.cmd.Stderr = os.Stderr
	stdout, err := b.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("the broker did not say where it listens: %v", err)
	}
	b.addr = strings.TrimSpace(line)
}

// stop ends the broker gracefully, its data on disk.
func (b *broker) stop() {
	if b.cmd == nil {
		return
	}
	_ = b.cmd.Process.Signal(syscall.SIGTERM)
	_ = b.cmd.Wait()
	b.cmd = nil
}

func (b *broker) client(t *testing.T, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(b.addr)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

func (b *broker) createTopic(t *testing.T, topic string, partitions int32) {
	t.Helper()
	cl := b.client(t)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if _, err := kadm.NewClient(cl).CreateTopic(ctx, partitions, 1, nil, topic); err != nil {
		t.Fatal(err)
	}
}

// ends returns the number of records of a topic.
func (b *broker) ends(t *testing.T, adm *kadm.Client, topic string) int64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	offsets, err := adm.ListEndOffsets(ctx, topic)
	if err != nil {
		t.Fatal(err)
	}
	var n int64
	offsets.Each(func(o kadm.ListedOffset) { n += o.Offset })
	return n
}

// consume reads n records of a topic.
func (b *broker) consume(t *testing.T, topic string, n int64) []*kgo.Record {
	t.Helper()
	cl := b.client(t, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var all []*kgo.Record
	for int64(len(all)) < n {
		fs := cl.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			t.Fatalf("%d of %d records of %s: %v", len(all), n, topic, err)
		}
		fs.EachRecord(func(r *kgo.Record) { all = append(all, r) })
	}
	return all
}

// produceLines adds numbered records to partition 0.
func produceLines(t *testing.T, cl *kgo.Client, topic string, from, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	records := make([]*kgo.Record, 0, n)
	data := lines(from, n)
	for i := range n {
		line := data[i*lineLen : (i+1)*lineLen-1]
		records = append(records, &kgo.Record{Topic: topic, Partition: 0, Value: line})
	}
	if err := cl.ProduceSync(ctx, records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// TestCrashFileToKafka: as file to file, with the topic as the target. On Apache
// Kafka TestCrashOnKafka does it, with more faults.
func TestCrashFileToKafka(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	b.createTopic(t, "crash", 1)
	adm := kadm.NewClient(b.client(t))
	dir := t.TempDir()
	write(t, filepath.Join(dir, "pipeline.hcl"), fmt.Sprintf(`
connection "kafka" "main" {
  brokers = [%q]
}
pipeline "crash" {
  commit_interval = "20ms"
  max_in_flight   = "256KiB"
  input "file" "in" {
    path = "in.jsonl"
  }
  processor "filter" "all" {
    where = "value.seq >= 0"
  }
  output "kafka" "out" {
    connection = connection.kafka.main
    topic      = "crash"
  }
}
`, b.addr))
	in := filepath.Join(dir, "in.jsonl")
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 2))

	issued, kills := 0, 0
	for kills < rounds() {
		appendLines(t, in, issued, roundRecords)
		issued += roundRecords
		target := b.ends(t, adm, "crash") + int64(rnd.IntN(roundRecords*9/10))
		p := startFlow(t, dir, "run", "pipeline.hcl")
		if p.killWhen(t, func() bool { return b.ends(t, adm, "crash") > target }) {
			kills++
		}
	}
	startFlow(t, dir, "run", "pipeline.hcl").wait(t)

	y := &tally{}
	for _, r := range b.consume(t, "crash", b.ends(t, adm, "crash")) {
		seq, err := seqOf(r.Value)
		if err != nil {
			t.Fatalf("record %q: %v", r.Value, err)
		}
		if err := y.check(seq); err != nil {
			t.Fatal(err)
		}
	}
	if y.next != issued {
		t.Fatalf("%d records arrived, %d were issued", y.next, issued)
	}
	t.Logf("%d records, %d kills, %s", issued, kills, y)
	y.checkRestarts(t, kills)
}

// TestCrashKafkaToFile: the group's committed offset is the position.
func TestCrashKafkaToFile(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	b.createTopic(t, "crash", 1)
	cl := b.client(t, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	dir := t.TempDir()
	write(t, filepath.Join(dir, "pipeline.hcl"), fmt.Sprintf(`
connection "kafka" "main" {
  brokers = [%q]
}
pipeline "crash" {
  commit_interval = "20ms"
  max_in_flight   = "256KiB"
  input "kafka" "in" {
    connection      = connection.kafka.main
    topics          = ["crash"]
    group           = "crash"
    until           = "end"
    instance_id     = "one" # a restart takes over at once, without waiting for the session's end
    session_timeout = "6s"
  }
  processor "filter" "all" {
    where = "value.seq >= 0"
  }
  output "file" "out" {
    path = "out.jsonl"
  }
}
`, b.addr))
	out := filepath.Join(dir, "out.jsonl")
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 3))

	issued, kills := 0, 0
	for kills < rounds() {
		produceLines(t, cl, "crash", issued, roundRecords)
		issued += roundRecords
		target := fileSize(out) + int64(rnd.IntN(roundRecords*lineLen*9/10))
		p := startFlow(t, dir, "run", "pipeline.hcl")
		if p.killWhen(t, func() bool { return fileSize(out) > target }) {
			kills++
		}
	}
	startFlow(t, dir, "run", "pipeline.hcl").wait(t)

	y := checkFile(t, out, issued)
	t.Logf("%d records, %d kills, %s", issued, kills, y)
	y.checkRestarts(t, kills)
}
