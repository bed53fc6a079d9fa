package servers

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Broker is what tests know of a Kafka, fake or real, that is not theirs alone.
type Broker interface {
	// Addrs returns addresses for clients that speak plain text.
	Addrs() []string
	// CreateTopic returns when clients find the topic.
	CreateTopic(ctx context.Context, topic string, partitions int32, configs map[string]string) error
	// Topic creates a topic with a name of its own.
	Topic(t testing.TB, partitions int32) string
	// Client returns a client that is closed with the test.
	Client(t testing.TB, opts ...kgo.Opt) *kgo.Client
}

// EachKafka runs a test on a fake broker of its own in this process and on the
// real broker that the package's tests share. The fake one is quick and tells
// what a change broke; the real one tells whether the fake is right.
func EachKafka(t *testing.T, test func(t *testing.T, b Broker)) {
	t.Helper()
	t.Run("kfake", func(t *testing.T) { test(t, FakeKafka(t)) })
	t.Run("kafka", func(t *testing.T) { test(t, SharedKafka(t)) })
}

// FakeKafka starts a fake broker in this process, closed with the test.
func FakeKafka(t testing.TB, opts ...kfake.Opt) Broker {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{
		kfake.NumBrokers(1),
		kfake.GroupMinSessionTimeout(100 * time.Millisecond), // as the real one has it
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return fake{c}
}

type fake struct{ c *kfake.Cluster }

func (f fake) Addrs() []string { return f.c.ListenAddrs() }

func (f fake) CreateTopic(ctx context.Context, topic string, partitions int32, configs map[string]string) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(f.Addrs()...))
	if err != nil {
		return err
	}
	defer cl.Close()
	if _, err := kadm.NewClient(cl).CreateTopic(ctx, partitions, 1, pointers(configs), topic); err != nil {
		return fmt.Errorf("creating topic %s: %w", topic, err)
	}
	return nil
}

func (f fake) Topic(t testing.TB, partitions int32) string {
	t.Helper()
	return topic(t, f, partitions)
}

func (f fake) Client(t testing.TB, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	return client(t, f, opts...)
}

func pointers(configs map[string]string) map[string]*string {
	list := map[string]*string{}
	for k, v := range configs {
		list[k] = &v
	}
	return list
}
