package kafka

import (
	connkafka "github.com/flowrecords/flow/connections/kafka"
	"github.com/flowrecords/flow/engine"
)

// Factory describes the kafka input.
func Factory() engine.InputFactory {
	return engine.InputFactory{
		Component: engine.Component{
			Type:        "kafka",
			Summary:     "Read topics of a Kafka cluster as a member of a consumer group",
			Description: description,
			Defaults:    func() any { return Defaults() },
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
    connection     = connection.kafka.main
    topics_regex   = "orders-.*"
    topics_exclude = ".*-dead"
    group          = "export"
    until          = "now"
  }

  output "file" "all" {
    path = "export.jsonl"
  }
}`},
				{Title: "One day again, whatever the group has read", HCL: `connection "kafka" "main" {
  brokers = ["localhost:9092"]
}

pipeline "replay" {
  input "kafka" "orders" {
    connection  = connection.kafka.main
    topics      = ["orders"]
    group       = "orders-replay"
    start       = "2026-01-30T00:00:00Z"
    until       = "2026-01-31T00:00:00Z"
    start_again = "30 January, second try"
  }

  output "file" "orders" {
    path = "replay.jsonl"
  }
}`},
			},
		},
		New:            func(config any, env engine.Env) (engine.Input, error) { return New(config.(*Config), env) },
		KeyConverter:   "string",
		ValueConverter: "json",
		Bounded:        func(config any) bool { return config.(*Config).bounded() },
		FixedTopics:    func(config any) []string { return config.(*Config).Topics },
		Streams:        func(config any) []string { return config.(*Config).streams() },
		Group:          func(config any) string { return config.(*Config).group() },
		Delivery: func(config any) engine.Delivery {
			c := config.(*Config)
			where := ""
			if conn, err := connkafka.Of(c.Connection); err == nil {
				where = " of " + conn.Where()
			}
			return engine.Delivery{Positions: "consumer group " + c.Group + where, Resumes: true}
		},
	}
}

const description = `Each partition is a source of its own: its records stay in order, and its
position in the group moves only over records that every output has confirmed.
When another member takes a partition over, what is in flight is given a short
time, what is confirmed is committed, and what comes later moves nothing.

After a crash the group waits for ` + "`session_timeout`" + ` before it gives the
partitions of the dead member to the restarted one; with ` + "`instance_id`" + ` it goes
on at once.

Expressions see the record's ` + "`key`, `headers`, `timestamp`, `topic`, `partition`" + `
and ` + "`offset`" + `. A record with a null value is a tombstone and stays one.
` + "`meta.timestamp_type`" + ` is create where producers set the time, log_append where
the broker does.`

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
	in := &Input{config: c, env: env, conn: conn, bounded: c.bounded()}
	if in.starts, err = places(c.StartOffsets, wordEarliest, wordLatest); err != nil {
		return nil, err
	}
	if in.stops, err = places(c.UntilOffsets); err != nil {
		return nil, err
	}
	return in, nil
}
