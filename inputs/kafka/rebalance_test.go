package kafka

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/flowrecords/flow/engine"
)

var (
	commitFault    = kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.GroupAuthorizationFailed}
	heartbeatWatch = kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Count: -1, Observe: true}
)

func live(topic string) func(*Config) {
	return func(c *Config) {
		c.Topics = []string{topic}
		c.SessionTimeout = 2 * time.Second
		c.RebalanceTimeout = 5 * time.Second
		c.RevokeWait = time.Second
	}
}

// reader reads an input in the background and hands over its batches.
func reader(t *testing.T, in *Input) (batches <-chan *engine.Batch, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out := make(chan *engine.Batch)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			b, err := in.Read(ctx)
			if err != nil {
				if ctx.Err() == nil {
					t.Errorf("reading: %v", err)
				}
				return
			}
			select {
			case out <- b:
			case <-ctx.Done():
				return
			}
		}
	}()
	stop = func() {
		cancel()
		<-ended
	}
	t.Cleanup(stop)
	return out, stop
}

func receive(t *testing.T, ch <-chan *engine.Batch) *engine.Batch {
	t.Helper()
	select {
	case b := <-ch:
		return b
	case <-time.After(patience):
		t.Fatal("no batch")
		return nil
	}
}

// A second member takes one of two partitions over while its records are in
// flight and are never confirmed in time. Their confirmation comes late, after
// the new owner has committed further, and must move nothing.
func TestLateConfirmationAfterARevokeMovesNothing(t *testing.T) {
	t.Parallel()
	c := startCluster(t, kfake.SeedTopics(2, "orders"))
	produce(t, c, numbered("orders", 0, 0, 10)...)
	produce(t, c, numbered("orders", 1, 100, 10)...)

	h1 := newHost()
	in1 := testInput(t, c, h1, live("orders"))
	batches1, stop1 := reader(t, in1)
	held := map[string]*engine.Batch{}
	for range 2 {
		b := receive(t, batches1)
		held[b.Source().Info().ID] = b
	}
	if len(held) != 2 {
		t.Fatalf("batches of %d partitions, want 2", len(held))
	}

	h2 := newHost()
	in2 := testInput(t, c, h2, live("orders"))
	batches2, _ := reader(t, in2)
	b2 := receive(t, batches2) // the new owner reads the same records again
	id := b2.Source().Info().ID
	if held[id] == nil || b2.Offset(0) != 0 {
		t.Fatalf("the new owner begins %s at %d", id, b2.Offset(0))
	}
	late := h1.source(id)
	if !late.Revoked() {
		t.Fatal("the partition was not revoked: this run proves nothing")
	}
	p := b2.Source().Info().Partition
	confirm(b2)
	produce(t, c, numbered("orders", p, 500, 5)...)
	confirm(receive(t, batches2))
	commitAll(t, in2, h2)
	if got := committed(c, "g", "orders", p); got != 15 {
		t.Fatalf("the new owner's position is %d, want 15", got)
	}

	confirm(held[id])
	if late.Late() != 1 {
		t.Fatalf("%d late confirmations, want 1", late.Late())
	}
	commitAll(t, in1, h1)
	if err := in1.Commit(testContext(t), []*engine.Source{late}); err != nil {
		t.Fatal(err)
	}
	if got := committed(c, "g", "orders", p); got != 15 {
		t.Errorf("the late confirmation has moved the position to %d", got)
	}

	// The partition that stayed is not disturbed.
	for other, b := range held {
		if other == id {
			continue
		}
		confirm(b)
		commitAll(t, in1, h1)
		if got := committed(c, "g", "orders", 1-p); got != 10 {
			t.Errorf("position of the partition that stayed is %d, want 10", got)
		}
	}
	stop1()
}

// What is confirmed while the group waits for the revoke is committed, so the
// next owner does not read it again.
func TestRevokeWaitsForRecordsInFlight(t *testing.T) {
	t.Parallel()
	c := startCluster(t, kfake.SeedTopics(2, "orders"))
	produce(t, c, numbered("orders", 0, 0, 10)...)
	produce(t, c, numbered("orders", 1, 100, 10)...)

	h1 := newHost()
	in1 := testInput(t, c, h1, func(c *Config) {
		live("orders")(c)
		c.RebalanceTimeout = 2 * patience
		c.RevokeWait = patience
	})
	batches1, stop1 := reader(t, in1)
	held := []*engine.Batch{receive(t, batches1), receive(t, batches1)}

	h2 := newHost()
	in2 := testInput(t, c, h2, live("orders"))
	batches2, _ := reader(t, in2)
	leaving := func() bool {
		in1.mu.Lock()
		defer in1.mu.Unlock()
		for _, p := range in1.parts {
			if p.leaving {
				return true
			}
		}
		return false
	}
	waitFor(t, leaving)
	confirm(held...)
	if _, err := c.WaitGroupInfo(testContext(t), "g", func(g *kfake.GroupInfo) bool {
		return len(g.Commits["orders"]) > 0
	}); err != nil {
		t.Fatal("nothing was committed at the revoke:", err)
	}
	produce(t, c, numbered("orders", 0, 500, 1)...)
	produce(t, c, numbered("orders", 1, 500, 1)...)
	if b := receive(t, batches2); b.Offset(0) != 10 {
		t.Errorf("the next owner begins at %d, want 10", b.Offset(0))
	} else {
		confirm(b)
	}
	stop1()
}

// waitFor waits for a condition that has no signal.
func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("the condition did not come true")
		}
	}
}

// A member that was thrown out finds its partitions lost: it commits nothing
// for them, joins again and goes on at the stored position.
func TestLostPartitions(t *testing.T) {
	t.Parallel()
	c := startCluster(t, kfake.SeedTopics(1, "orders"))
	produce(t, c, numbered("orders", 0, 0, 10)...)
	h := newHost()
	h.limits.Records = 5
	in := testInput(t, c, h, live("orders"))
	batches, _ := reader(t, in)
	confirm(receive(t, batches)) // confirmed before the loss, and not committed
	first := receive(t, batches)
	lost := first.Source()

	fault := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Err: kerr.UnknownMemberID})
	again := receive(t, batches)
	if fault.Hits() == 0 {
		t.Fatal("no heartbeat was refused: this run proves nothing")
	}
	if again.Source() == lost || !lost.Revoked() {
		t.Fatal("the partition was not lost")
	}
	if again.Offset(0) != 0 {
		t.Errorf("reading goes on at %d, want 0: nothing was committed", again.Offset(0))
	}
	confirm(first)
	if err := in.Commit(testContext(t), []*engine.Source{lost}); err != nil {
		t.Fatal(err)
	}
	commitAll(t, in, h)
	if got := committed(c, "g", "orders", 0); got != -1 {
		t.Errorf("position %d was stored from a lost assignment", got)
	}
	confirm(again, receive(t, batches))
	commitAll(t, in, h)
	if got := committed(c, "g", "orders", 0); got != 10 {
		t.Errorf("position %d, want 10", got)
	}
}

// Two members in turn join and leave while records arrive: nothing is lost.
func TestRebalancesLoseNothing(t *testing.T) {
	t.Parallel()
	const parts, rounds, per = 4, 4, 50
	c := startCluster(t, kfake.SeedTopics(parts, "orders"))
	seen := map[int32]map[int64]bool{}
	for p := range int32(parts) {
		seen[p] = map[int64]bool{}
	}
	note := func(b *engine.Batch) {
		p := b.Source().Info().Partition
		for i := range b.Len() {
			seen[p][b.Offset(i)] = true
		}
		confirm(b)
	}
	missing := func(upTo int) bool {
		for p := range int32(parts) {
			if len(seen[p]) < upTo {
				return true
			}
		}
		return false
	}
	h1 := newHost()
	in1 := testInput(t, c, h1, live("orders"))
	batches1, _ := reader(t, in1)
	for r := range rounds {
		for p := range int32(parts) {
			produce(t, c, numbered("orders", p, r*per, per)...)
		}
		h2 := newHost()
		in2 := testInput(t, c, h2, live("orders"))
		batches2, stop2 := reader(t, in2)
		if _, err := c.WaitGroupInfo(testContext(t), "g", func(g *kfake.GroupInfo) bool {
			return g != nil && len(g.Members) == 2
		}); err != nil {
			t.Fatal(err)
		}
		deadline := time.After(patience)
		for missing((r + 1) * per) {
			select {
			case b := <-batches1:
				note(b)
			case b := <-batches2:
				note(b)
			case <-deadline:
				t.Fatalf("round %d: records are missing", r)
			}
			commitAll(t, in1, h1)
			commitAll(t, in2, h2)
		}
		stop2()
		closeInput(t, in2)
	}
}

// A bounded input that loses its partitions has not finished: it goes on when
// it has them again.
func TestBoundedInputLosesItsPartitions(t *testing.T) {
	t.Parallel()
	c := startCluster(t, kfake.SeedTopics(2, "orders"))
	produce(t, c, numbered("orders", 0, 0, 100)...)
	produce(t, c, numbered("orders", 1, 100, 100)...)
	h := newHost()
	h.limits.Records = 10
	in := testInput(t, c, h, func(c *Config) {
		live("orders")(c)
		c.Until = "end"
	})
	first := readN(t, in, 10)
	fault := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Err: kerr.UnknownMemberID})
	waitFor(t, func() bool { return first[0].Source().Revoked() })
	if fault.Hits() == 0 {
		t.Fatal("no heartbeat was refused: this run proves nothing")
	}
	_, values := readAll(t, in)
	wantNumbers(t, values["orders/0"], 0, 100)
	wantNumbers(t, values["orders/1"], 100, 100)
	confirm(first...)
}
