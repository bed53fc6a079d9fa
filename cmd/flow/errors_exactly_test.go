package main

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/flowrecords/flow/internal/servers"
)

// replayed is a pipeline into Kafka. Its map fails on every record unless the
// total is what the arguments say; errors go to a topic.
func replayed(c *servers.Cluster, total, target, dead string) string {
	return fmt.Sprintf(`connection "kafka" "main" {
  brokers             = [%q]
  positions_topic     = "%s-positions"
  transactional_id    = "%s-"
  transaction_timeout = "5s"
}

pipeline "p" {
  commit_interval = "50ms"
  batch_records   = 100
  input "file" "in" {
    path = "in.jsonl"
  }
  processor "map" "total" {
    set = { total = %q }
  }
  processor "rate_limit" "slow" {
    records = 4000
    per     = "1s"
    burst   = 100
  }
  output "kafka" "out" {
    connection = connection.kafka.main
    topic      = %q
  }
  output "kafka" "dead" {
    from       = [errors]
    connection = connection.kafka.main
    topic      = %q
  }
}
`, c.Addrs()[0], target, target, total, target, dead)
}

// TestErrorsReplayExactlyOnce kills replays into Kafka at random moments, with
// letters out of a topic and out of a file: Kafka's own client reads each letter
// once.
func TestErrorsReplayExactlyOnce(t *testing.T) {
	t.Parallel()
	c := servers.SharedKafka(t)
	for _, from := range []string{"topic", "file"} {
		t.Run(from, func(t *testing.T) {
			t.Parallel()
			replayExactlyOnce(t, c, from == "file")
		})
	}
}

func replayExactlyOnce(t *testing.T, c *servers.Cluster, file bool) {
	const records, kills = 6000, 8
	target, dead := c.Topic(t, 3), c.Topic(t, 2)
	dir := t.TempDir()
	var in strings.Builder
	for i := range records {
		fmt.Fprintf(&in, "{\"id\":%d,\"price\":\"x\"}\n", i)
	}
	write(t, filepath.Join(dir, "in.jsonl"), in.String())
	config, source := replayed(c, "value.price * 2", target, dead), []string{"p.hcl"}
	if file {
		config = strings.Replace(config, "connection = connection.kafka.main\n    topic      = \""+dead+"\"", "", 1)
		config = strings.Replace(config, `output "kafka" "dead" {`, "output \"file\" \"dead\" {\n    path = \"dead.jsonl\"\n    format = \"envelope\"", 1)
		source = []string{"dead.jsonl", "--into", "p.hcl"}
	}
	write(t, filepath.Join(dir, "p.hcl"), config)
	startFlow(t, dir, "run", "p.hcl").wait(t)
	write(t, filepath.Join(dir, "p.hcl"), replayed(c, "0", target, dead))
	replay := append([]string{"errors", "replay", "--yes"}, source...)

	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 12))
	end := &ends{adm: kadm.NewClient(c.Client(t)), topic: target}
	killed := 0
	for range kills {
		wanted := end.now() + rnd.Int64N(2*records/kills) + 1
		// What was replayed is known on other machines, too.
		p := startFlow(t, dir, append(replay, "--state-dir", t.TempDir())...)
		if p.killWhen(t, func() bool { return end.now() >= wanted }) {
			killed++
		}
	}
	startFlow(t, dir, append(replay, "--state-dir", t.TempDir())...).wait(t)

	seen := map[string]int{}
	committed := servers.ConsoleConsume(t, c, target, true)
	for _, r := range committed {
		seen[string(r.Value)]++
	}
	for i := range records {
		if n := seen[fmt.Sprintf(`{"id":%d,"price":"x","total":0}`, i)]; n != 1 {
			t.Fatalf("letter %d is there %d times", i, n)
		}
	}
	if len(committed) != records {
		t.Errorf("%d records, want %d", len(committed), records)
	}
	all := servers.ConsoleConsume(t, c, target, false)
	t.Logf("%d kills, %d records were taken back", killed, len(all)-len(committed))
	if killed < kills/2 || len(all) == len(committed) {
		t.Error("too few kills in the middle of a replay")
	}
	cmd := exec.Command(flowCommand(t), append([]string{"errors", "replay", "--yes", "--state-dir", filepath.Join(dir, "other")}, source...)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), fmt.Sprintf("Nothing to replay: %d,%03d failed records were replayed already", records/1000, records%1000)) {
		t.Errorf("one more replay: %v\n%s", err, out)
	}
}
