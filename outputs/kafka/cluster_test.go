package kafka

import (
	"bytes"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flowrecords/flow/internal/servers"
)

// cluster is where a test writes to: one of kfake or of Apache Kafka.
type cluster struct {
	addrs []string
	fake  *kfake.Cluster   // nil: real
	real  *servers.Cluster // nil: fake
}

func (c *cluster) ListenAddrs() []string { return c.addrs }

// onEach runs a test on kfake and on real Kafka, which is shared: with -short
// it is left out.
func onEach(t *testing.T, test func(*testing.T, *cluster)) {
	t.Helper()
	t.Run("kfake", func(t *testing.T) {
		t.Parallel()
		fake := startCluster(t)
		test(t, &cluster{addrs: fake.ListenAddrs(), fake: fake})
	})
	t.Run("real", func(t *testing.T) {
		t.Parallel()
		test(t, sharedReal(t))
	})
}

func sharedReal(t *testing.T) *cluster {
	t.Helper()
	c := servers.SharedKafka(t)
	return &cluster{addrs: c.Addrs(), real: c}
}

// ownReal starts a cluster that the test may break.
func ownReal(t *testing.T, brokers int) *cluster {
	t.Helper()
	c := servers.Kafka(t, servers.KafkaOptions{Brokers: brokers})
	return &cluster{addrs: c.Addrs(), real: c}
}

// create makes a topic and returns its name, which is no other test's.
func (c *cluster) create(t *testing.T, name string, partitions int32, configs map[string]string) string {
	t.Helper()
	if c.real == nil {
		if err := c.fake.CreateTopic(name, partitions, configs); err != nil {
			t.Fatal(err)
		}
		return name
	}
	name = servers.UniqueName(t) + "-" + name
	if err := c.real.CreateTopic(testContext(t), name, partitions, configs); err != nil {
		t.Fatal(err)
	}
	return name
}

// missing returns the name of a topic that is not there.
func (c *cluster) missing(t *testing.T, name string) string {
	if c.real == nil {
		return name
	}
	return servers.UniqueName(t) + "-" + name
}

// admin returns a client for looking and changing from outside.
func (c *cluster) admin(t *testing.T) *kadm.Client {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.addrs...), kgo.MetadataMinAge(10*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return kadm.NewClient(cl)
}

// config returns one value of a topic's configuration.
func (c *cluster) config(t *testing.T, topic, name string) string {
	t.Helper()
	all, err := c.admin(t).DescribeTopicConfigs(testContext(t), topic)
	if err != nil {
		t.Fatal(err)
	}
	rc, err := all.On(topic, nil)
	if err != nil || rc.Err != nil {
		t.Fatal(err, rc.Err)
	}
	for _, v := range rc.Configs {
		if v.Key == name {
			return v.MaybeValue()
		}
	}
	return ""
}

// end is the number of records that a topic of one partition has had.
func (c *cluster) end(t *testing.T, topic string) int {
	t.Helper()
	offsets, err := c.admin(t).ListEndOffsets(testContext(t), topic)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	offsets.Each(func(o kadm.ListedOffset) { n += int(o.Offset) })
	return n
}

// journal is a logger's output, printed when the test fails.
type journal struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// has reports whether a line was logged that holds all parts.
func (j *journal) has(parts ...string) bool {
	for line := range bytes.Lines([]byte(j.String())) {
		all := true
		for _, p := range parts {
			all = all && bytes.Contains(line, []byte(p))
		}
		if all {
			return true
		}
	}
	return false
}

func journalOf(o *Output) *journal { return o.env.Logger.Handler().(*journalHandler).journal }

type journalHandler struct {
	slog.Handler
	journal *journal
}

// logs is a logger whose lines are read by journalOf.
func logs(t *testing.T) *slog.Logger {
	j := &journal{}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(j.String())
		}
	})
	return slog.New(&journalHandler{slog.NewTextHandler(j, &slog.HandlerOptions{Level: slog.LevelInfo}), j})
}
