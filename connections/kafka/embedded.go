package kafka

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/twmb/franz-go/pkg/kfake"
)

// embedded is a broker inside this process. Its records lie on disk, not in
// memory, so its memory does not grow with its topics (Invariant 5).
type embedded struct {
	cluster *kfake.Cluster
	lock    *os.File
}

func startEmbedded(c *Config) (*embedded, error) {
	if err := os.MkdirAll(c.Embedded, 0o755); err != nil {
		return nil, err
	}
	// Two brokers that append to the same segments would destroy both logs.
	lock, err := lockFile(filepath.Join(c.Embedded, "flow.lock"))
	if err != nil {
		return nil, err
	}
	// The port is taken anew at each start: the address is handed to clients
	// of this process, never stored.
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.Ports(c.EmbeddedPort),
		kfake.DefaultNumPartitions(c.EmbeddedPartitions),
		kfake.DataDir(filepath.Join(c.Embedded, "data")),
	)
	if err != nil {
		_ = lock.Close()
		return nil, err
	}
	return &embedded{cluster: cluster, lock: lock}, nil
}

func (e *embedded) addresses() []string { return e.cluster.ListenAddrs() }

func (e *embedded) stop() error {
	e.cluster.Close()
	if err := e.lock.Close(); err != nil {
		return fmt.Errorf("unlocking the embedded broker: %w", err)
	}
	return nil
}
