package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flowrecords/flow/bench/orders"
	"github.com/flowrecords/flow/internal/servers"
)

const kafkaPartitions = 2

// kafkaMap compares a filter and a map from topic to topic with a loop that
// consumes and produces. The broker is a process of its own, so that the CPU
// of the clients alone is counted. more = 0 lets every record pass.
func kafkaMap(start func(*bench) (*kafka, error), more int) func(*bench) (result, error) {
	return func(b *bench) (result, error) {
		k, err := start(b)
		if err != nil {
			return result{}, err
		}
		defer k.stop()
		loop, err := build(b.dir, "kafkaloop", "./bench/kafkaloop")
		if err != nil {
			return result{}, err
		}
		paid, err := k.fill("orders", b.records)
		if err != nil {
			return result{}, err
		}
		want := int64(b.records)
		if more > 0 {
			want = int64(paid)
		}
		n := 0
		flow := func() (usage, error) {
			n++
			return b.mapTopics(k, "at_least_once", n, more, want)
		}
		bare := func() (usage, error) {
			n++
			to := fmt.Sprintf("bare-%d", n)
			if err := k.create(to); err != nil {
				return usage{}, err
			}
			u, err := measure(loop, "-brokers", k.addr, "-from", "orders", "-to", to, "-n", strconv.Itoa(b.records))
			if err != nil {
				return u, err
			}
			return u, k.check(to, int64(b.records))
		}
		return b.pairs(flow, bare, perRecord(b.records))
	}
}

// exactlyTopics compares exactly once with at least once, from topic to topic.
func exactlyTopics(b *bench) (result, error) {
	k, err := startReal(b)
	if err != nil {
		return result{}, err
	}
	defer k.stop()
	if _, err := k.fill("orders", b.records); err != nil {
		return result{}, err
	}
	n := 0
	run := func(delivery string) func() (usage, error) {
		return func() (usage, error) {
			n++
			return b.mapTopics(k, delivery, n, 0, int64(b.records))
		}
	}
	return b.pairs(run("exactly_once"), run("at_least_once"), perRecord(b.records))
}

// mapTopics runs the filter and the map from the topic orders to a fresh one;
// run tells the runs apart.
func (b *bench) mapTopics(k *kafka, delivery string, run, more int, want int64) (usage, error) {
	to := fmt.Sprintf("flow-%d", run)
	if err := k.create(to); err != nil {
		return usage{}, err
	}
	args := []string{"run", "bench/configs/kafka.hcl", "--progress", "never", "--log-level", "warn",
		"--var", "brokers=" + k.addr, "--var", "from=orders", "--var", "to=" + to, "--var", "delivery=" + delivery,
		"--var", fmt.Sprintf("group=bench-%d", run), "--var", "more=" + strconv.Itoa(more)}
	u, err := measure(b.flow, append(args, b.profileFlags()...)...)
	if err != nil {
		return u, err
	}
	return u, k.check(to, want)
}

// kafka is the broker of the benchmarks.
type kafka struct {
	addr   string
	client *kgo.Client
	admin  *kadm.Client
	close  func()
}

// dial makes the clients of a broker that listens.
func dial(addr string, stop func()) (*kafka, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.ProducerBatchMaxBytes(900_000), kgo.ProducerLinger(20*time.Millisecond))
	if err != nil {
		stop()
		return nil, err
	}
	return &kafka{addr: addr, client: client, admin: kadm.NewClient(client), close: stop}, nil
}

// startReal starts Apache Kafka, which make servers has fetched.
func startReal(*bench) (*kafka, error) {
	c, err := servers.StartKafka(context.Background(), servers.KafkaOptions{JVM: []string{"-Xmx1g"}})
	if err != nil {
		return nil, err
	}
	return dial(c.Addrs()[0], c.Close)
}

// startFake starts the broker that flow's demo embeds. It costs the least CPU
// of what speaks Kafka's protocol.
func startFake(b *bench) (*kafka, error) {
	bin, err := build(b.dir, "kfake", "./testdata/servers/kfake")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(b.dir, "broker")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(bin, "--dir", filepath.Join(dir, "data"), "--listen", "127.0.0.1:0")
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	addr, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("the broker did not say where it listens: %w", err)
	}
	return dial(strings.TrimSpace(addr), func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
}

func (k *kafka) stop() {
	k.client.Close()
	k.close()
}

func (k *kafka) create(topic string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err := k.admin.CreateTopic(ctx, kafkaPartitions, 1, nil, topic)
	return err
}

// fill produces n orders and returns how many are paid.
func (k *kafka) fill(topic string, n int) (paid int, err error) {
	if err := k.create(topic); err != nil {
		return 0, err
	}
	ctx := context.Background()
	g := orders.New(1)
	var failed error
	for i := range n {
		line := g.Append(nil)
		if bytes.Contains(line, []byte(`"status":"paid"`)) {
			paid++
		}
		k.client.Produce(ctx, &kgo.Record{Topic: topic, Key: strconv.AppendInt(nil, int64(i), 10), Value: line}, func(_ *kgo.Record, err error) {
			if err != nil {
				failed = err
			}
		})
	}
	if err := k.client.Flush(ctx); err != nil {
		return 0, err
	}
	return paid, failed
}

// check counts at the destination.
func (k *kafka) check(topic string, want int64) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	ends, err := k.admin.ListEndOffsets(ctx, topic)
	if err != nil {
		return err
	}
	var got int64
	ends.Each(func(o kadm.ListedOffset) { got += o.Offset })
	// The bare loop stops after a whole fetch, so it may copy a few more.
	if got < want {
		return fmt.Errorf("%s holds %d records, want %d", topic, got, want)
	}
	_, err = k.admin.DeleteTopics(ctx, topic)
	return err
}
