package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flowrecords/flow/internal/servers"
)

const errorsConfig = `
connection "kafka" "main" {
  brokers = ["%s"]
}
pipeline "p" {
  error_headers = ["flow", "connect"]
  input "kafka" "in" {
    connection = connection.kafka.main
    topics     = ["%[2]s-in"]
    group      = "%[2]s"
    until      = "now"
  }
  processor "map" "total" {
    set = { total = "%[3]s" }
  }
  output "kafka" "out" {
    connection = connection.kafka.main
    topic      = "%[2]s-out"
  }
  output "kafka" "dead" {
    connection = connection.kafka.main
    from       = [errors]
    topic      = "%[2]s-dead"
  }
}
`

// TestErrorsOfTopics replays failed records from a topic into a topic, on the
// fake broker and a real one: key, headers and time come through, partitions of
// two keys and aborted transactions do not confuse the end.
func TestErrorsOfTopics(t *testing.T) {
	t.Parallel()
	servers.EachKafka(t, func(t *testing.T, b servers.Broker) {
		ctx := t.Context()
		base := b.Topic(t, 1)
		client := b.Client(t)
		for _, topic := range []string{base + "-in", base + "-out", base + "-dead"} {
			if err := b.CreateTopic(ctx, topic, 2, nil); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 20 {
			value := fmt.Sprintf(`{"id":%d,"price":2}`, i)
			if i%2 == 0 {
				value = fmt.Sprintf(`{"id":%d,"price":"x"}`, i)
			}
			r := &kgo.Record{Topic: base + "-in", Key: fmt.Appendf(nil, "k%d", i), Value: []byte(value),
				Headers: []kgo.RecordHeader{{Key: "h", Value: fmt.Appendf(nil, "v%d", i)}}}
			if err := client.ProduceSync(ctx, r).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
		dir := t.TempDir()
		write := func(name, total string) {
			text := fmt.Sprintf(errorsConfig, strings.Join(b.Addrs(), `", "`), base, total)
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write("p.hcl", "value.price * 2")
		flow := flowCommand(t)
		call := func(code int, args ...string) string {
			t.Helper()
			c := exec.Command(flow, args...)
			c.Dir = dir
			var stderr strings.Builder
			c.Stderr = &stderr
			out, _ := c.Output()
			if c.ProcessState.ExitCode() != code {
				t.Fatalf("flow %s: exit status %d, want %d\n%s%s", strings.Join(args, " "), c.ProcessState.ExitCode(), code, out, stderr.String())
			}
			return string(out)
		}
		call(0, "run", "p.hcl")
		abort(t, b, base+"-dead")
		var first struct {
			Record, Element, Origin string
			Key                     string
			Headers                 [][2]string
		}
		list := call(0, "errors", "list", "--json", "p.hcl")
		if n := strings.Count(list, "\n"); n != 10 {
			t.Fatalf("%d failed records are listed, want 10:\n%s", n, list)
		}
		line, _, _ := strings.Cut(list, "\n")
		if err := json.Unmarshal([]byte(line), &first); err != nil {
			t.Fatal(err)
		}
		if first.Element != "processor.map.total" || !strings.HasPrefix(first.Origin, base+"-in/") || len(first.Headers) != 1 {
			t.Errorf("the first one is %s", line)
		}
		if got := call(0, "errors", "show", "p.hcl", first.Record); !strings.Contains(got, "key       \""+first.Key+"\"") {
			t.Errorf("show prints\n%s", got)
		}
		if got := call(0, "errors", "list", "kafka://"+strings.Join(b.Addrs(), ",")+"/"+base+"-dead"); !strings.Contains(got, "10 failed records.") {
			t.Errorf("by the address of the topic:\n%s", got)
		}

		// Without a fix all fail again, once: the replay does not read what it writes.
		if got := call(5, "errors", "replay", "--yes", "p.hcl"); !strings.Contains(got, "10 failed records were replayed; 10 records failed again") {
			t.Errorf("replay says %s", got)
		}
		if got := call(0, "errors", "list", "--where", "attempts == 2", "p.hcl"); !strings.Contains(got, "10 failed records.") {
			t.Errorf("list says\n%s", got)
		}
		write("p.hcl", "type(value.price) == 'string' ? 0 : value.price * 2")
		if got := call(0, "errors", "replay", "--yes", "--limit", "4", "p.hcl"); !strings.Contains(got, "4 failed records were replayed.") {
			t.Errorf("replay says %s", got)
		}
		if got := call(0, "errors", "replay", "--yes", "p.hcl"); !strings.Contains(got, "6 failed records were replayed.") {
			t.Errorf("replay says %s", got)
		}
		if got := call(0, "errors", "list", "p.hcl"); got != "No failed records; 20 were replayed.\n" {
			t.Errorf("list says\n%s", got)
		}
		checkReplayed(t, b, base+"-out")
	})
}

// abort leaves an aborted transaction behind the records of a topic.
func abort(t *testing.T, b servers.Broker, topic string) {
	t.Helper()
	client := b.Client(t, kgo.TransactionalID(topic+"-abort"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err := client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	for p := range int32(2) {
		r := &kgo.Record{Topic: topic, Partition: p, Value: []byte("{}"), Headers: []kgo.RecordHeader{{Key: "flow.error.reason", Value: []byte("aborted")}}}
		if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.EndTransaction(t.Context(), kgo.TryAbort); err != nil {
		t.Fatal(err)
	}
}

// checkReplayed reads what the pipeline has written: each of 20 records once,
// with its key and its header alone.
func checkReplayed(t *testing.T, b servers.Broker, topic string) {
	t.Helper()
	client := b.Client(t, kgo.ConsumeTopics(topic))
	seen := map[string]int{}
	for n := 0; n < 20; {
		fetches := client.PollFetches(t.Context())
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			n++
			id := strings.TrimPrefix(string(r.Key), "k")
			if len(r.Headers) != 1 || string(r.Headers[0].Value) != "v"+id || !strings.HasPrefix(string(r.Value), `{"id":`+id+",") || !strings.Contains(string(r.Value), `"total":`) {
				t.Errorf("record %s=%s has the headers %v", r.Key, r.Value, r.Headers)
			}
			seen[id]++
		})
	}
	if len(seen) != 20 {
		t.Errorf("%d different records, want 20: %v", len(seen), seen)
	}
}
