package servers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// node returns a broker that a fault may be done to.
func (c *Cluster) node(id int) (*node, error) {
	if c.shared {
		return nil, errors.New("this cluster is shared with other tests: start one with servers.Kafka to break it")
	}
	if id < 1 || id > len(c.nodes) {
		return nil, fmt.Errorf("no broker %d, there are 1 to %d", id, len(c.nodes))
	}
	return c.nodes[id-1], nil
}

// living is node, of a broker whose process runs.
func (c *Cluster) living(id int) (*node, *process, error) {
	n, err := c.node(id)
	if err != nil {
		return nil, nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.process == nil || !n.process.running() {
		return nil, nil, fmt.Errorf("broker %d does not run", id)
	}
	return n, n.process, nil
}

// Kill ends a running broker by SIGKILL and returns when it is gone. That it
// ran is part of the contract: an error means that nothing was killed.
func (c *Cluster) Kill(id int) error {
	_, p, err := c.living(id)
	if err != nil {
		return fmt.Errorf("killing: %w", err)
	}
	p.kill()
	return nil
}

// stopTimeout: with controlled shutdown a broker hands over its partitions.
const stopTimeout = 60 * time.Second

// Stop ends a running broker by SIGTERM: it moves its leaders, writes its logs
// and leaves.
func (c *Cluster) Stop(id int) error {
	_, p, err := c.living(id)
	if err != nil {
		return fmt.Errorf("stopping: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(context.Background(), stopTimeout, errors.New("it still runs"))
	defer cancel()
	if err := p.stop(ctx); err != nil {
		return fmt.Errorf("stopping broker %d: %w", id, err)
	}
	return nil
}

// Start starts brokers that were killed or stopped, with the same ports and
// data, and returns when they serve. Those that need each other for a quorum
// are started by one call.
func (c *Cluster) Start(ids ...int) error {
	var nodes []*node
	for _, id := range ids {
		n, err := c.node(id)
		if err != nil {
			return fmt.Errorf("starting: %w", err)
		}
		if _, err := c.Pid(id); err == nil {
			return fmt.Errorf("starting: broker %d runs", id)
		}
		nodes = append(nodes, n)
	}
	for _, n := range nodes {
		if err := c.launch(n); err != nil {
			return fmt.Errorf("starting broker %d: %w", n.id, err)
		}
	}
	ctx, cancel := context.WithTimeoutCause(context.Background(), startTimeout, errNotReady)
	defer cancel()
	for _, n := range nodes {
		// Others may be down by intent: these must serve.
		if err := c.ready(ctx, n, len(nodes)); err != nil {
			return fmt.Errorf("starting: %w", err)
		}
	}
	return nil
}

// Pause stops a broker's process by SIGSTOP and returns when all of its threads
// stand still: its connections stay open and nothing answers.
func (c *Cluster) Pause(id int) error {
	n, p, err := c.living(id)
	if err != nil {
		return fmt.Errorf("pausing: %w", err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := suspend(p.cmd.Process); err != nil {
		return fmt.Errorf("pausing broker %d: %w", id, err)
	}
	n.paused = true
	if err := standsStill(p.cmd.Process.Pid); err != nil {
		return fmt.Errorf("pausing broker %d: %w", id, err)
	}
	return nil
}

// standsStill waits until a process that was sent SIGSTOP has stopped: a signal
// reaches the threads one by one, and a busy machine takes its time. Where there
// is no /proc nobody can tell.
func standsStill(pid int) error {
	for end := time.Now().Add(stopPatience); ; time.Sleep(time.Millisecond) {
		states, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		if err != nil {
			return err
		}
		moves := slices.ContainsFunc(states, func(name string) bool {
			text, err := os.ReadFile(name)
			_, state, found := bytes.Cut(text[bytes.LastIndexByte(text, ')')+1:], []byte(" "))
			return err == nil && found && !bytes.HasPrefix(state, []byte("T"))
		})
		switch {
		case !moves:
			return nil
		case time.Now().After(end):
			return fmt.Errorf("process %d has not stopped within %s", pid, stopPatience)
		}
	}
}

const stopPatience = 10 * time.Second

// Resume lets a paused broker go on and returns at once. If it was paused for
// longer than its session, it serves when it is let in again.
func (c *Cluster) Resume(id int) error {
	n, p, err := c.living(id)
	if err != nil {
		return fmt.Errorf("resuming: %w", err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.paused {
		return fmt.Errorf("resuming: broker %d was not paused", id)
	}
	if err := resume(p.cmd.Process); err != nil {
		return fmt.Errorf("resuming broker %d: %w", id, err)
	}
	n.paused = false
	return nil
}

// Pid returns the process id of a running broker.
func (c *Cluster) Pid(id int) (int, error) {
	if id < 1 || id > len(c.nodes) {
		return 0, fmt.Errorf("no broker %d", id)
	}
	n := c.nodes[id-1]
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.process == nil || !n.process.running() {
		return 0, fmt.Errorf("broker %d does not run", id)
	}
	return n.process.pid(), nil
}

// adminTimeout bounds what waits for a cluster to do as it was told.
const adminTimeout = 60 * time.Second

// admin calls f with a client of its own: one that lives on would know old
// leaders.
func (c *Cluster) admin(ctx context.Context, f func(context.Context, *kadm.Client) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, adminTimeout, fmt.Errorf("not done after %s", adminTimeout))
	defer cancel()
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.serving()...), kgo.MetadataMinAge(10*time.Millisecond), kgo.DialTimeout(2*time.Second))
	if err != nil {
		return err
	}
	defer cl.Close()
	return f(ctx, kadm.NewClient(cl))
}

// serving returns the addresses of the brokers that can answer, or all if none
// can: a paused one would be waited for.
func (c *Cluster) serving() []string {
	var addrs []string
	for _, n := range c.nodes {
		n.mu.Lock()
		if n.process != nil && n.process.running() && !n.paused {
			addrs = append(addrs, n.addr(Plaintext))
		}
		n.mu.Unlock()
	}
	if len(addrs) == 0 {
		return c.Addrs()
	}
	return addrs
}

// Leader returns the broker that leads a partition.
func (c *Cluster) Leader(ctx context.Context, topic string, partition int32) (int, error) {
	leader := 0
	err := c.admin(ctx, func(ctx context.Context, a *kadm.Client) error {
		p, err := describe(ctx, a, topic, partition)
		leader = int(p.Leader)
		return err
	})
	if err == nil && leader < 1 {
		err = errors.New("nobody leads")
	}
	if err != nil {
		return 0, fmt.Errorf("leader of %s/%d: %w", topic, partition, err)
	}
	return leader, nil
}

func describe(ctx context.Context, a *kadm.Client, topic string, partition int32) (kadm.PartitionDetail, error) {
	topics, err := a.ListTopics(ctx, topic)
	if err != nil {
		return kadm.PartitionDetail{}, err
	}
	t := topics[topic]
	if t.Err != nil {
		return kadm.PartitionDetail{}, t.Err
	}
	p, ok := t.Partitions[partition]
	if !ok {
		return p, errors.New("no such partition")
	}
	return p, nil
}

// MoveLeader makes another broker the leader of a partition, as a rebalance of
// the cluster would, and returns when it leads. That the leader was another
// one is part of the contract.
func (c *Cluster) MoveLeader(ctx context.Context, topic string, partition int32, to int) error {
	err := c.admin(ctx, func(ctx context.Context, a *kadm.Client) error {
		p, err := describe(ctx, a, topic, partition)
		if err != nil {
			return err
		}
		if int(p.Leader) == to {
			return errors.New("it leads already")
		}
		if err := prefer(ctx, a, p, int32(to)); err != nil {
			return err
		}
		return poll(ctx, func(ctx context.Context) error { return elect(ctx, a, topic, partition, int32(to)) })
	})
	if err != nil {
		return fmt.Errorf("moving the leader of %s/%d to broker %d: %w", topic, partition, to, err)
	}
	return nil
}

// prefer puts a broker first among the replicas of a partition, in the place
// of the last one if it is none of them.
func prefer(ctx context.Context, a *kadm.Client, p kadm.PartitionDetail, to int32) error {
	replicas := []int32{to}
	for _, r := range p.Replicas {
		if r != to && len(replicas) < len(p.Replicas) {
			replicas = append(replicas, r)
		}
	}
	if slices.Equal(replicas, p.Replicas) {
		return nil
	}
	var req kadm.AlterPartitionAssignmentsReq
	req.Assign(p.Topic, p.Partition, replicas)
	resp, err := a.AlterPartitionAssignments(ctx, req)
	if err != nil {
		return err
	}
	return resp.Error()
}

// elect asks for the preferred leader until it leads. It refuses until the new
// order of replicas holds and the broker is in sync.
func elect(ctx context.Context, a *kadm.Client, topic string, partition, to int32) error {
	if p, err := describe(ctx, a, topic, partition); err != nil || p.Leader == to {
		return err
	}
	set := kadm.TopicsSet{}
	set.Add(topic, partition)
	results, err := a.ElectLeaders(ctx, kadm.ElectPreferredReplica, set)
	if err != nil {
		return err
	}
	if err := results[topic][partition].Err; err != nil {
		return fmt.Errorf("electing: %w", err)
	}
	p, err := describe(ctx, a, topic, partition)
	if err != nil {
		return err
	}
	if p.Leader != to {
		return fmt.Errorf("broker %d leads", p.Leader)
	}
	return nil
}

// CreateTopic creates a topic replicated on all brokers, three at most, and
// returns when every broker that runs knows its leaders.
func (c *Cluster) CreateTopic(ctx context.Context, topic string, partitions int32, configs map[string]string) error {
	err := c.admin(ctx, func(ctx context.Context, a *kadm.Client) error {
		if _, err := a.CreateTopic(ctx, partitions, int16(min(len(c.nodes), 3)), pointers(configs), topic); err != nil {
			return err
		}
		return poll(ctx, func(ctx context.Context) error { return c.led(ctx, topic, partitions) })
	})
	if err != nil {
		return fmt.Errorf("creating topic %s: %w", topic, err)
	}
	return nil
}

// led asks each running broker whether all partitions of a topic have leaders.
func (c *Cluster) led(ctx context.Context, topic string, partitions int32) error {
	for _, n := range c.nodes {
		if !slices.Contains(c.serving(), n.addr(Plaintext)) {
			continue
		}
		cl, err := kgo.NewClient(kgo.SeedBrokers(n.addr(Plaintext)))
		if err != nil {
			return err
		}
		topics, err := kadm.NewClient(cl).ListTopics(ctx, topic)
		cl.Close()
		if err != nil {
			return err
		}
		if err := topics[topic].Err; err != nil {
			return err
		}
		led := 0
		for _, p := range topics[topic].Partitions {
			if p.Leader > 0 {
				led++
			}
		}
		if led < int(partitions) {
			return fmt.Errorf("broker %d knows leaders of %d of %d partitions", n.id, led, partitions)
		}
	}
	return nil
}
