package kafka

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	connkafka "github.com/flowrecords/flow/connections/kafka"
)

const (
	protocolClassic  = "classic"
	protocolConsumer = "consumer"
)

// protocol returns the group protocol that config and cluster have in common.
func (in *Input) protocol(ctx context.Context, client *kgo.Client) (string, error) {
	if in.config.GroupProtocol != protocolConsumer {
		return protocolClassic, nil
	}
	brokers, err := kadm.NewClient(client).ApiVersions(ctx)
	if err != nil {
		return "", connkafka.Classify("asking brokers what they know", err)
	}
	for _, b := range brokers {
		if b.Err != nil {
			continue // a broker that is away decides nothing
		}
		if most, ok := b.KeyMaxVersion(int16(kmsg.ConsumerGroupHeartbeat)); !ok || most < 1 {
			in.logger().Warn(`a broker does not know group_protocol = "consumer" (KIP-848, Kafka 4.0): using classic`, "broker", b.NodeID)
			return protocolClassic, nil
		}
	}
	return protocolConsumer, nil
}

// membership returns the client's options of the group. With the protocol
// consumer the cluster has times of its own.
func (c *Config) membership(protocol string) []kgo.Opt {
	heartbeat := c.HeartbeatInterval
	if heartbeat == 0 {
		heartbeat = min(3*time.Second, c.SessionTimeout/4)
	}
	opts := []kgo.Opt{
		kgo.SessionTimeout(c.SessionTimeout),
		kgo.RebalanceTimeout(c.RebalanceTimeout),
		kgo.HeartbeatInterval(heartbeat),
		kgo.Balancers(c.balancer(protocol)...),
	}
	if protocol == protocolConsumer {
		opts = append(opts, kgo.ServerSideBalancer())
	}
	if c.InstanceID != "" {
		opts = append(opts, kgo.InstanceID(c.InstanceID))
	}
	return opts
}

// balancer returns who assigns partitions. The client names the assignors of
// the cluster by those of its own that do about the same; the second one is
// for a cluster that only finds out at the join that it may not use the
// protocol.
func (c *Config) balancer(protocol string) []kgo.GroupBalancer {
	if protocol == protocolConsumer {
		if c.Assignor == "range" {
			return []kgo.GroupBalancer{kgo.RangeBalancer(), kgo.CooperativeStickyBalancer()}
		}
		return []kgo.GroupBalancer{kgo.StickyBalancer(), kgo.CooperativeStickyBalancer()}
	}
	switch c.Assignor {
	case "sticky":
		return []kgo.GroupBalancer{kgo.StickyBalancer()}
	case "range":
		return []kgo.GroupBalancer{kgo.RangeBalancer()}
	case "round_robin":
		return []kgo.GroupBalancer{kgo.RoundRobinBalancer()}
	}
	return []kgo.GroupBalancer{kgo.CooperativeStickyBalancer()}
}

// resetOffset is what the client does about an offset that is out of range
// while it reads.
func resetOffset(onGone string) kgo.Offset {
	switch onGone {
	case wordEarliest:
		return kgo.NewOffset().AtStart()
	case wordLatest:
		return kgo.NewOffset().AtEnd()
	}
	return kgo.NoResetOffset()
}
