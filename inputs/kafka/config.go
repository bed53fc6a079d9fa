package kafka

import (
	"fmt"
	"time"

	connkafka "github.com/flowrecords/flow/connections/kafka"
	"github.com/flowrecords/flow/engine"
)

// Config holds the options of the kafka input.
type Config struct {
	Connection  engine.ConnectionRef `flow:"connection,required" system:"kafka" doc:"The cluster to read from." example:"connection.kafka.main"`
	Topics      []string             `flow:"topics" doc:"Topics to read. Exactly one of topics and topics_regex is given. A topic that does not exist yet is waited for." example:"[\"orders\"]"`
	TopicsRegex engine.Pattern       `flow:"topics_regex" doc:"Read all topics whose whole name matches, those created later too. Internal topics are left out." example:"\"orders-.*\""`
	Group       string               `flow:"group,required" doc:"Consumer group. Its members share the partitions, and the cluster keeps its positions." example:"\"orders-to-files\""`
	InstanceID  string               `flow:"instance_id" doc:"Name of this member within the group, kept over restarts: a restart within session_timeout gets its partitions back without a rebalance. It must be unique in the group." example:"\"worker-1\""`

	Start     string `flow:"start" doc:"Where to begin in a partition for which the group has no position: earliest, latest, or a time in RFC 3339." example:"\"2026-01-31T00:00:00Z\""`
	Until     string `flow:"until" oneof:"never end" doc:"end stops the input when it has read what its partitions held at its start; partitions that other members of the group have are theirs to read. never goes on for ever."`
	Isolation string `flow:"isolation" oneof:"read_committed read_uncommitted" doc:"read_committed leaves out records of aborted transactions and waits for open ones."`

	FetchMaxBytes          engine.ByteSize `flow:"fetch_max_bytes" min:"64KiB" max:"1GiB" doc:"Most memory that one fetch from a broker takes, decompressed. Two fetches of each broker can be held at a time."`
	FetchMaxPartitionBytes engine.ByteSize `flow:"fetch_max_partition_bytes" min:"16KiB" max:"1GiB" doc:"Most memory that one partition takes in a fetch. A larger record is still read, alone."`
	FetchMaxWait           time.Duration   `flow:"fetch_max_wait" min:"1ms" max:"5m" doc:"How long a broker holds a fetch open while there is nothing to read."`

	SessionTimeout   time.Duration `flow:"session_timeout" min:"100ms" max:"30m" doc:"After this long without a sign of life the group gives this member's partitions to others. Brokers allow 6s to 30m unless told otherwise."`
	RebalanceTimeout time.Duration `flow:"rebalance_timeout" min:"1s" max:"1h" doc:"How long the group waits for its members in a rebalance."`
	RevokeWait       time.Duration `flow:"revoke_wait" min:"0s" max:"5m" doc:"When a partition is taken away, how long to wait for its records in flight, so that the next owner need not read them again. Must be under rebalance_timeout."`
	MetadataMaxAge   time.Duration `flow:"metadata_max_age" min:"100ms" max:"1h" doc:"How often to look for new topics and partitions."`
}

// Defaults is what an empty block means.
func Defaults() *Config {
	return &Config{
		Start:     "earliest",
		Until:     "never",
		Isolation: "read_committed",
		// Kafka's own 50 MiB would alone be a fifth of the memory that a
		// pipeline may use; above 1 MiB a larger fetch gains nothing.
		FetchMaxBytes:          4 << 20,
		FetchMaxPartitionBytes: 1 << 20,
		FetchMaxWait:           time.Second,
		SessionTimeout:         10 * time.Second,
		RebalanceTimeout:       30 * time.Second,
		RevokeWait:             3 * time.Second,
		MetadataMaxAge:         time.Minute,
	}
}

// Validate reports every mistake, each at its option.
func (c *Config) Validate() []engine.Problem {
	var ps []engine.Problem
	add := func(option, summary, detail string) {
		ps = append(ps, engine.Problem{Option: option, Summary: summary, Detail: detail})
	}
	switch {
	case len(c.Topics) == 0 && c.TopicsRegex.Regexp == nil:
		add("topics", "no topics", `Name the topics to read, topics = ["orders"], or give topics_regex.`)
	case len(c.Topics) > 0 && c.TopicsRegex.Regexp != nil:
		add("topics_regex", "topics and topics_regex exclude each other", "Remove one of the two.")
	}
	seen := map[string]bool{}
	for _, t := range c.Topics {
		if t == "" {
			add("topics", "empty topic name", "Remove the empty name.")
		}
		if seen[t] {
			add("topics", fmt.Sprintf("topic %q is listed twice", t), "Remove one of the two.")
		}
		seen[t] = true
	}
	if c.Group == "" {
		add("group", "group is empty", "The group's name is where positions are kept; give it one.")
	}
	if _, ok := startOffset(c.Start); !ok {
		add("start", "unknown start", `Write "earliest", "latest" or a time such as "2026-01-31T00:00:00Z".`)
	}
	if c.RevokeWait >= c.RebalanceTimeout {
		add("revoke_wait", "revoke_wait is not under rebalance_timeout", "The group would throw this member out while it waits. Lower revoke_wait or raise rebalance_timeout.")
	}
	return ps
}

// Factory describes the kafka input.
func Factory() engine.InputFactory {
	return engine.InputFactory{
		Component: engine.Component{
			Type:    "kafka",
			Summary: "Read topics of a Kafka cluster as a member of a consumer group",
			Description: `Each partition is a source of its own: its records stay in order, and its
position in the group moves only over records that every output has confirmed.
When another member takes a partition over, what is in flight is given a short
time, what is confirmed is committed, and what comes later moves nothing.

After a crash the group waits for ` + "`session_timeout`" + ` before it gives the
partitions of the dead member to the restarted one; with ` + "`instance_id`" + ` it goes
on at once.

Expressions see the record's ` + "`key`, `headers`, `timestamp`, `topic`, `partition`" + `
and ` + "`offset`" + `. A record with a null value is a tombstone and stays one.`,
			Defaults: func() any { return Defaults() },
			Examples: []engine.Example{
				{Title: "From a topic to a file", HCL: `connection "kafka" "main" {
  brokers = ["localhost:9092"]
}

pipeline "orders" {
  input "kafka" "orders" {
    connection = connection.kafka.main
    topics     = ["orders"]
    group      = "orders-to-file"
  }

  output "file" "orders" {
    path = "orders.jsonl"
  }
}`},
				{Title: "What all topics of a name hold now, then end", HCL: `connection "kafka" "main" {
  brokers = ["localhost:9092"]
}

pipeline "export" {
  input "kafka" "all" {
    connection   = connection.kafka.main
    topics_regex = "orders-.*"
    group        = "export"
    until        = "end"
  }

  output "file" "all" {
    path = "export.jsonl"
  }
}`},
			},
		},
		New:            func(config any, env engine.Env) (engine.Input, error) { return New(config.(*Config), env) },
		KeyConverter:   "string",
		ValueConverter: "json",
		Bounded:        func(config any) bool { return config.(*Config).Until == "end" },
		FixedTopics:    func(config any) []string { return config.(*Config).Topics },
		Streams:        func(config any) []string { return config.(*Config).streams() },
		Group:          func(config any) string { return config.(*Config).group() },
		Delivery: func(config any) engine.Delivery {
			c := config.(*Config)
			where := ""
			if conn, err := connkafka.Of(c.Connection); err == nil {
				where = " of " + conn.Where()
			}
			return engine.Delivery{Positions: "consumer group " + c.Group + where}
		},
	}
}

// streams names the topics within their cluster.
func (c *Config) streams() []string {
	conn, err := connkafka.Of(c.Connection)
	if err != nil {
		return nil
	}
	names := make([]string, len(c.Topics))
	for i, t := range c.Topics {
		names[i] = conn.Stream(t)
	}
	return names
}

// group names the consumer group within its cluster.
func (c *Config) group() string {
	conn, err := connkafka.Of(c.Connection)
	if err != nil {
		return ""
	}
	return "consumer group " + c.Group + " of " + conn.Where()
}

// New makes an input. It does no I/O.
func New(c *Config, env engine.Env) (*Input, error) {
	conn, err := connkafka.Of(c.Connection)
	if err != nil {
		return nil, err
	}
	return &Input{config: c, env: env, conn: conn, bounded: c.Until == "end"}, nil
}
