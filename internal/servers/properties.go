package servers

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// format makes a broker's folder: its properties, and the data folder as the
// storage tool would leave it. The tool itself costs a JVM of a second.
func (c *Cluster) format(n *node) error {
	data := filepath.Join(n.dir, "data")
	if err := os.MkdirAll(data, 0o755); err != nil {
		return err
	}
	if err := writeProperties(filepath.Join(n.dir, "server.properties"), c.properties(n)); err != nil {
		return err
	}
	bootstrap, err := os.ReadFile(filepath.Join(c.store, templateDir, bootstrapFile))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(data, bootstrapFile), bootstrap, 0o644); err != nil {
		return err
	}
	return writeProperties(filepath.Join(data, "meta.properties"), map[string]string{
		"version": "1", "cluster.id": clusterID, "node.id": strconv.Itoa(n.id), "directory.id": newUUID(),
	})
}

// clusterID is one for all: clusters are told apart by their ports.
const clusterID = "AAAAAAAAAAAAAAAAAAAAAQ"

// newUUID returns a UUID as Kafka writes them.
func newUUID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	id[0] &= 0x7f           // Kafka takes no leading dash
	return base64.RawURLEncoding.EncodeToString(id[:])
}

func (c *Cluster) properties(n *node) map[string]string {
	replicas, minISR := strconv.Itoa(min(c.opts.Brokers, 3)), strconv.Itoa(max(1, min(c.opts.Brokers, 3)-1))
	p := map[string]string{
		"process.roles":                    "broker,controller",
		"node.id":                          strconv.Itoa(n.id),
		"controller.listener.names":        string(controller),
		"inter.broker.listener.name":       string(Plaintext),
		"log.dirs":                         "data",
		"num.partitions":                   "4",
		"default.replication.factor":       replicas,
		"min.insync.replicas":              minISR,
		"group.initial.rebalance.delay.ms": "0",

		"offsets.topic.replication.factor":         replicas,
		"offsets.topic.num.partitions":             "1",
		"transaction.state.log.replication.factor": replicas,
		"transaction.state.log.min.isr":            minISR,
		"transaction.state.log.num.partitions":     "1",

		"share.coordinator.state.topic.replication.factor": replicas,
		"share.coordinator.state.topic.min.isr":            minISR,
		"share.coordinator.state.topic.num.partitions":     "1",

		// A broker that was killed is let in again when its session is over.
		// With 1 s it comes back sooner, but a busy machine fences living ones.
		"broker.heartbeat.interval.ms": "200",
		"broker.session.timeout.ms":    "3000",
		// Transactions of workers that were killed end soon after their time-out.
		"transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
		// Members of the new group protocol take over after seconds otherwise.
		"group.consumer.heartbeat.interval.ms":     "500",
		"group.consumer.min.heartbeat.interval.ms": "100",
		"group.min.session.timeout.ms":             "100",
		"group.consumer.min.session.timeout.ms":    "1000",
		// The broker alone says how long such a member may be silent.
		"group.consumer.session.timeout.ms": "6000",
		// The cleaner would take 128 MiB.
		"log.cleaner.dedupe.buffer.size": "4194304",
	}
	c.listenerProperties(n, p)
	if c.secrets != nil {
		c.secrets.properties(c.dir, p)
	}
	if c.opts.ACLs {
		p["authorizer.class.name"] = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
		p["super.users"] = "User:" + Admin + ";User:ANONYMOUS"
		p["allow.everyone.if.no.acl.found"] = "false"
	}
	if c.opts.Racks {
		p["broker.rack"] = "rack-" + strconv.Itoa(n.id)
		p["replica.selector.class"] = "org.apache.kafka.common.replica.RackAwareReplicaSelector"
	}
	maps.Copy(p, c.opts.Properties)
	return p
}

func (c *Cluster) listenerProperties(n *node, p map[string]string) {
	var listen, advertise, protocols, voters []string
	for _, l := range append(c.listeners(), controller) {
		listen = append(listen, fmt.Sprintf("%s://%s", l, n.addr(l)))
		protocols = append(protocols, fmt.Sprintf("%s:%s", l, l.protocol()))
		switch l {
		case controller:
		case Proxied:
			advertise = append(advertise, fmt.Sprintf("%s://%s", l, loopback(n.advertised)))
		default:
			advertise = append(advertise, fmt.Sprintf("%s://%s", l, n.addr(l)))
		}
	}
	for _, other := range c.nodes {
		voters = append(voters, fmt.Sprintf("%d@%s", other.id, other.addr(controller)))
	}
	p["listeners"] = strings.Join(listen, ",")
	p["advertised.listeners"] = strings.Join(advertise, ",")
	p["listener.security.protocol.map"] = strings.Join(protocols, ",")
	p["controller.quorum.voters"] = strings.Join(voters, ",")
}
