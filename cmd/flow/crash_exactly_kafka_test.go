package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func exactlyKafkaToFile(addr, more string) string {
	return fmt.Sprintf(`
connection "kafka" "main" {
  brokers = [%q]
}
pipeline "crash" {
  delivery        = "exactly_once"
  commit_interval = "20ms"
  max_in_flight   = "256KiB"
  input "kafka" "in" {
    connection      = connection.kafka.main
    topics          = ["crash"]
    group           = "crash"
    session_timeout = "6s"
    %s
  }
  output "file" "out" {
    path = "out/out.jsonl"
  }
}
`, addr, more)
}

// TestCrashExactlyOnceKafkaToFile: kill -9 at random moments, and the file holds
// every record of the topic once, in order. The position is that of the cut,
// not the group's.
func TestCrashExactlyOnceKafkaToFile(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	b.createTopic(t, "crash", 1)
	cl := b.client(t, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	dir := t.TempDir()
	write(t, filepath.Join(dir, "pipeline.hcl"), exactlyKafkaToFile(b.addr, `
    until       = "end"
    instance_id = "one"`))
	out := filepath.Join(dir, "out", "out.jsonl")
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 4))

	issued, kills, behind := 0, 0, 0
	for kills < rounds() {
		produceLines(t, cl, "crash", issued, roundRecords)
		issued += roundRecords
		target := fileSize(out) + int64(rnd.IntN(roundRecords*lineLen*3/4))
		p := startFlow(t, dir, "run", "pipeline.hcl")
		if !p.killWhen(t, func() bool { return fileSize(out) > target }) {
			continue
		}
		kills++
		if mark := storedMark(t, dir, out); mark > 0 && fileSize(out) > mark {
			behind++
		}
	}
	startFlow(t, dir, "run", "pipeline.hcl").wait(t)

	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if want := lines(0, issued); !bytes.Equal(got, want) {
		t.Fatal(firstDifference(got, want))
	}
	t.Logf("%d records, %d kills, %d of them left what had to be taken back", issued, kills, behind)
	if behind == 0 {
		t.Error("no kill left anything to take back")
	}
}

// TestExactlyOnceWorkersShare: workers with files of their own join the group and
// leave it while records flow. Every record is in one file, once.
func TestExactlyOnceWorkersShare(t *testing.T) {
	t.Parallel()
	const partitions, perRound = 4, 10_000
	b := startBroker(t)
	b.createTopic(t, "crash", partitions)
	cl := b.client(t, kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	first, second := t.TempDir(), t.TempDir()
	for _, dir := range []string{first, second} {
		write(t, filepath.Join(dir, "pipeline.hcl"), exactlyKafkaToFile(b.addr, ""))
	}
	size := func(dir string) int64 { return fileSize(filepath.Join(dir, "out", "out.jsonl")) }
	until := func(what string, ok func() bool) {
		t.Helper()
		deadline := time.After(5 * time.Minute)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for !ok() {
			select {
			case <-tick.C:
			case <-deadline:
				t.Fatalf("%s: it did not happen within five minutes", what)
			}
		}
	}
	stop := func(p *process) {
		t.Helper()
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		p.wait(t)
	}

	issued := 0
	produce := func() {
		if size(first)+size(second) < int64(issued-5*perRound)*lineLen {
			return // enough is waiting
		}
		produceLines(t, cl, "crash", issued, perRound)
		issued += perRound
	}
	a := startFlow(t, first, "run", "pipeline.hcl")
	produce()
	until("the first worker writes", func() bool { return size(first) > 0 })
	moves := 0
	for range max(rounds()/10, 2) {
		was := size(second)
		c := startFlow(t, second, "run", "pipeline.hcl")
		until("the second worker takes a part over", func() bool {
			produce()
			return size(second) > was
		})
		moves++
		stop(c)
	}
	until("everything is written", func() bool { return size(first)+size(second) >= int64(issued)*lineLen })
	stop(a)

	seen := make([]int, issued)
	for _, dir := range []string{first, second} {
		data, err := os.ReadFile(filepath.Join(dir, "out", "out.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(data) {
			seq, err := seqOf(line)
			if err != nil || len(line) != lineLen {
				t.Fatalf("record %q: %v", line, err)
			}
			seen[seq]++
		}
	}
	for seq, n := range seen {
		if n != 1 {
			t.Fatalf("record %d is there %d times", seq, n)
		}
	}
	t.Logf("%d records, %d moves there and back", issued, moves)
}
