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
			Summary:     "Reads topics of a Kafka cluster as a member of a consumer group.",
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
			return engine.Delivery{Positions: "consumer group " + c.Group + where, Resumes: true, Transactions: c.Connection.Name}
		},
	}
}

const description = `Each partition is a source of its own: its records stay in order, and its
position in the group moves only over records that every output has confirmed.
When another member takes a partition over, what is in flight is given a short
time, what is confirmed is committed, and what comes later moves nothing.

**Where it begins.** Where the group has a position, there; otherwise where
` + "`start_offsets` and `start`" + ` say, and unless that is the beginning the place is
stored at once, so that a crash before the first commit leaves nothing out.
` + "`start_again`" + ` goes back once for each new text. A position whose records are no
longer there stops the input with the offsets that are gone, unless
` + "`on_offset_gone`" + ` says how to go on; the same goes for a topic that was deleted
and made anew.

**Where it ends.** With ` + "`until`" + ` the pipeline ends by itself when this member has
read its partitions up to the end that they had at the start. Markers of
transactions, compacted and empty partitions are no obstacle; an open
transaction ends them for read_committed. What another member takes over it
reads to the end.

**Members.** After a crash the group waits for ` + "`session_timeout`" + ` before it gives
the partitions of the dead member to the restarted one; with ` + "`instance_id`" + ` it
goes on at once. A pipeline that stands still, because an output waits for its
system, stays in the group for as long as it takes: there is no longest time
between two polls, as Java's max.poll.interval.ms. A partition whose records
are not confirmed takes at most three quarters of ` + "`max_in_flight`" + ` while there are
others; then it alone is paused.

**What stops it.** Missing rights on a topic or group, names that brokers
refuse, another member with the same ` + "`instance_id`" + `, records that are gone: what
waiting does not change. Brokers that are away, leaders that move and topics
that do not exist yet are waited for.

**Expressions** see the record's ` + "`key`, `headers`, `timestamp`, `topic`, `partition`" + `
and ` + "`offset`" + `. A record with a null value is a tombstone and stays one.
` + "`meta.timestamp_type`" + ` is create where producers set the time, log_append where
the broker does. The input gathers small fetches for the pipeline's ` + "`linger`" + `; a
record after a pause goes on at once.

**Lag.** The metrics flow_input_lag_records and flow_input_lag_seconds tell for
each partition what is there and not confirmed, and how long the oldest of it
has been there: by its own time once it was read, before that by when it was
seen.

**Memory.** Peak of the whole process (resident set), 8 partitions of one broker
to an output that drops. "Full" is with a window that keeps as much unconfirmed
as ` + "`max_in_flight`" + ` allows.

| fetch | in flight | plain | zstd | 200-fold |
| --- | --- | --- | --- | --- |
| 1 | 8 | 71, 100 | 66, 99 | 95, 102 |
| 4 | 8 | 83, 101 | 84, 100 | 154, 164 |
| 4 | 32 | 89, 152 | 79, 148 | 148, 277 |
| 4 | 128 | 84, 341 | 83, 339 | 315, 386 |
| 16 | 32 | 146, 155 | 140, 152 | 147, 308 |
| 50 | 32 | 152, 195 | 143, 210 | 153, 298 |

All in MiB: ` + "`fetch_max_bytes`" + ` (4 is the default; a quarter of it for a partition, a fifth of
50), ` + "`max_in_flight`" + ` (32 is the default), then the memory with an output that
drops and with the full window. Plain is 980 bytes a record without compression,
zstd is JSON of 335 bytes, 200-fold is what zstd makes so much smaller.

What is fetched is compressed, and how much it grows shows only when it is read:
the first fetch asks for 1 MiB at most, and later ones follow what the stream
has shown. With many brokers ` + "`max_fetches`" + ` bounds how many fetches are held.`

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
