package kafka

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A group that does not answer a join, as in a rebalance that waits for a dead
// member, holds Close no longer than its context.
func TestCloseInARebalance(t *testing.T) {
	t.Parallel()
	c := startCluster(t, kfake.SeedTopics(1, "orders"))
	joining, answer := make(chan struct{}), make(chan struct{})
	defer close(answer)
	var once sync.Once
	c.ControlKey(int16(kmsg.JoinGroup), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		once.Do(func() { close(joining) })
		c.SleepControl(func() { <-answer })
		return nil, nil, false
	})
	in := testInput(t, c, newHost(), live("orders"))
	select {
	case <-joining:
	case <-time.After(patience):
		t.Fatal("the input does not join the group")
	}

	closed := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		closed <- in.Close(ctx)
	}()
	select {
	case err := <-closed:
		if err != nil {
			t.Errorf("Close: %v", err)
		}
	case <-time.After(closeWait):
		t.Error("Close waits for the group")
	}
}
