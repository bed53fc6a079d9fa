package servers

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Kafka starts a cluster for one test, which may break it, and removes it with
// the test. If the test fails, the last lines of the brokers' logs are printed.
// With -short the test is skipped; without fetched servers it fails.
func Kafka(t testing.TB, opts KafkaOptions) *Cluster {
	t.Helper()
	skipShort(t)
	c, err := StartKafka(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(c.Logs(failureLines))
		}
		c.Close()
	})
	return c
}

// failureLines of each broker's log are printed when a test fails.
const failureLines = 40

func skipShort(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("real servers are left out with -short")
	}
}

// sharing holds the clusters that tests of this process share, by options.
// They are process-wide because a start costs seconds of CPU; whoever uses
// them hands the tests' exit to Main.
type sharing struct {
	mu       sync.Mutex // held while a cluster starts: others wait for it
	clusters map[string]*Cluster
	failed   map[string]error
}

var theShared = &sharing{clusters: map[string]*Cluster{}, failed: map[string]error{}}

// SharedKafka returns a cluster that the tests of a package share, one broker
// without security if opts are not given. It is started once and refuses
// faults. Each test takes topics, groups and transactional ids of its own; see
// Topic.
func SharedKafka(t testing.TB, opts ...KafkaOptions) *Cluster {
	t.Helper()
	skipShort(t)
	var o KafkaOptions
	if len(opts) > 0 {
		o = opts[0]
	}
	c, err := theShared.get(o)
	if err != nil {
		t.Fatal(err)
	}
	from := c.logSizes()
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(c.logsSince(from, failureLines))
		}
	})
	return c
}

func (s *sharing) get(o KafkaOptions) (*Cluster, error) {
	key := fmt.Sprintf("%+v", o)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.failed[key]; err != nil {
		return nil, err
	}
	if c := s.clusters[key]; c != nil {
		return c, nil
	}
	// Not the context of the test that comes first: the cluster outlives it.
	c, err := StartKafka(context.Background(), o)
	if err != nil {
		s.failed[key] = err
		return nil, err
	}
	c.shared = true
	s.clusters[key] = c
	return c, nil
}

func (s *sharing) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, c := range s.clusters {
		c.Close()
		delete(s.clusters, key)
	}
}

// Runner is a *testing.M.
type Runner interface{ Run() int }

// Main wraps the tests of a package that uses SharedKafka, so that the shared
// clusters end before goleak looks for goroutines:
//
//	func TestMain(m *testing.M) { goleak.VerifyTestMain(servers.Main(m)) }
func Main(m Runner) Runner { return closing{m} }

type closing struct{ m Runner }

func (c closing) Run() int {
	defer theShared.close()
	return c.m.Run()
}

// UniqueName returns a name that no other test uses, for topics, groups and
// transactional ids.
func UniqueName(t testing.TB) string {
	name := strings.Map(func(r rune) rune {
		if r == '.' || r == '_' || r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r
		}
		return '-'
	}, t.Name())
	var id [4]byte
	_, _ = rand.Read(id[:]) // never fails
	return name[:min(len(name), 200)] + "-" + hex.EncodeToString(id[:])
}

// Topic creates a topic with a name of its own.
func (c *Cluster) Topic(t testing.TB, partitions int32) string {
	t.Helper()
	return topic(t, c, partitions)
}

// Client returns a client of the plain text listener, closed with the test.
func (c *Cluster) Client(t testing.TB, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	return client(t, c, opts...)
}

func topic(t testing.TB, b Broker, partitions int32) string {
	t.Helper()
	name := UniqueName(t)
	if err := b.CreateTopic(t.Context(), name, partitions, nil); err != nil {
		t.Fatal(err)
	}
	return name
}

func client(t testing.TB, b Broker, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	// A network that is just healed may still end a connection at once, which
	// the client otherwise takes for a broker that wants TLS.
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(b.Addrs()...), kgo.AlwaysRetryEOF()}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

// ConsoleConsume is Cluster.ConsoleConsume for tests.
func ConsoleConsume(t testing.TB, c *Cluster, topic string, readCommitted bool) []Record {
	t.Helper()
	records, err := c.ConsoleConsume(t.Context(), topic, readCommitted)
	if err != nil {
		t.Fatal(err)
	}
	return records
}
