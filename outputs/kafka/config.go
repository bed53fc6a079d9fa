package kafka

import (
	"fmt"
	"time"

	connkafka "github.com/flowrecords/flow/connections/kafka"
	"github.com/flowrecords/flow/engine"
)

// Config holds the options of the kafka output.
type Config struct {
	Connection engine.ConnectionRef    `flow:"connection,required" system:"kafka" doc:"The cluster to write to." example:"connection.kafka.main"`
	Topic      engine.Template         `flow:"topic,required,destination" doc:"Topic of each record." example:"\"orders-{{ value.country }}\""`
	Key        engine.Expression       `flow:"key" doc:"Key of each record; null for none. Without it a record keeps its own key." example:"\"value.id\""`
	Partition  engine.Expression       `flow:"partition" doc:"Partition of each record, a whole number. Null, and records without this option, go where partitioner and unkeyed put them." example:"\"value.shard\""`
	Headers    engine.NamedExpressions `flow:"headers" doc:"Headers to set beside those that the record has; one of the same name is replaced, and null sets none." example:"{ source = \"'flow'\" }"`
	Timestamp  engine.Expression       `flow:"timestamp" doc:"Time of each record: a time, or milliseconds since 1970. Without it, or where it is null, a record keeps its own time, and one without time gets the present." example:"\"value.created_at\""`

	Partitioner string `flow:"partitioner" oneof:"murmur2 crc32 fnv1a fnv1a_reference none" doc:"How the key of a record chooses its partition. Writers that share a topic must agree on it: murmur2 is the default of Kafka's Java client, kafka-python and KafkaJS; crc32 that of librdkafka and what builds on it (kcat, the Python, .NET and Go clients of Confluent), where an empty key counts as none; fnv1a that of Sarama, and Hash of segmentio/kafka-go; fnv1a_reference is the reference hash of both. none takes each record as one without key; it keeps its key, and the order per key is lost."`
	Unkeyed     string `flow:"unkeyed" oneof:"sticky round_robin" doc:"Where records without key go: sticky fills 64 KiB for one partition and goes on with another, rather one that has little waiting; round_robin changes with each record, which spreads them evenly and makes smaller batches."`

	Acks             string          `flow:"acks" oneof:"all leader none" doc:"Who must have a record before it counts as written: all in-sync replicas, the leader of the partition alone, or nobody. Only all is idempotent and loses nothing; with none even a refusal goes unnoticed."`
	AckTimeout       time.Duration   `flow:"ack_timeout" min:"100ms" max:"10m" doc:"How long a leader may wait for the other replicas before it says that they are late. The batch is then sent again, for as long as it takes."`
	Compression      string          `flow:"compression" oneof:"none gzip snappy lz4 zstd" doc:"How batches are compressed. One that does not become smaller is sent as it is."`
	CompressionLevel int             `flow:"compression_level" unit:"" min:"0" max:"22" doc:"How hard to compress: 1 to 9 with gzip and lz4, 1 to 22 with zstd, which knows four levels of effort: 1 to 2, 3 to 5, 6 to 9 and above. 0 is the codec's own choice: 6 with gzip, 3 with zstd, the fastest with lz4."`
	Linger           time.Duration   `flow:"linger" min:"0s" max:"1m" doc:"Longest wait for a fuller batch for a partition. Nothing waits when nothing more is coming."`
	BatchBytes       engine.ByteSize `flow:"batch_bytes" min:"1KiB" max:"64MiB" doc:"Most bytes of a batch of one partition, before compression. It bounds a record too; the topic's max.message.bytes bounds both further."`
	MaxBuffered      engine.ByteSize `flow:"max_buffered" min:"64KiB" max:"4GiB" doc:"Most bytes that are written and not acknowledged. What comes then waits."`

	CreateTopics *CreateTopics `flow:"create_topics,block" doc:"Create topics that are missing. Without it records for them are refused; the embedded broker's topics are always created. A topic that is there and differs from what the block says is used as it is, with a warning in the log."`
}

// CreateTopics holds the options of a create_topics block.
type CreateTopics struct {
	Partitions  int               `flow:"partitions" unit:"partitions" min:"0" max:"100000" doc:"Partitions of a new topic. 0 leaves it to the brokers." example:"6"`
	Replication int               `flow:"replication" unit:"copies" min:"0" max:"100" doc:"Copies of each partition. 0 leaves it to the brokers." example:"3"`
	Config      map[string]string `flow:"config" doc:"Configuration of a new topic, by Kafka's own names." example:"{ \"cleanup.policy\" = \"compact\" }"`
}

// Defaults is what an empty block means.
func Defaults() *Config {
	return &Config{
		Partitioner: "murmur2",
		Unkeyed:     "sticky",
		Acks:        acksAll,
		AckTimeout:  10 * time.Second,
		Compression: "snappy",
		Linger:      5 * time.Millisecond,
		// The default of max.message.bytes of a topic, less the frame.
		BatchBytes:  1000000,
		MaxBuffered: 8 << 20,
	}
}

const (
	acksAll    = "all"
	acksLeader = "leader"
	acksNone   = "none"
)

// Validate reports every mistake, each at its option.
func (c *Config) Validate() []engine.Problem {
	var ps []engine.Problem
	if c.MaxBuffered < c.BatchBytes {
		ps = append(ps, engine.Problem{
			Option:  "max_buffered",
			Summary: "max_buffered is under batch_bytes",
			Detail:  "A batch could never be full. Raise max_buffered or lower batch_bytes.",
		})
	}
	switch most := levels(c.Compression); {
	case c.CompressionLevel == 0:
	case most == 0:
		ps = append(ps, engine.Problem{
			Option:  "compression_level",
			Summary: "compression_level of a codec without levels",
			Detail:  "The compression " + c.Compression + " has no levels. Remove compression_level, or choose gzip, lz4 or zstd.",
		})
	case c.CompressionLevel > most:
		ps = append(ps, engine.Problem{
			Option:  "compression_level",
			Summary: "compression_level is too high",
			Detail:  fmt.Sprintf("The levels of %s are 1 to %d, and 0 for its own choice.", c.Compression, most),
		})
	}
	if c.Topic.Source != nil {
		if name, ok := c.Topic.Source.Literal(); ok {
			if err := engine.CheckTopic(name); err != nil {
				ps = append(ps, engine.Problem{Option: "topic", Summary: "invalid name of a topic", Detail: "In topic, " + err.Error() + "."})
			}
		}
	}
	if t := c.CreateTopics; t != nil {
		for name := range t.Config {
			if name == "" {
				ps = append(ps, engine.Problem{Option: "create_topics.config", Summary: "configuration without a name", Detail: "Give it one of Kafka's names of topic configurations."})
			}
		}
	}
	seen := map[string]bool{}
	for _, h := range c.Headers {
		switch {
		case h.Name == "":
			ps = append(ps, engine.Problem{Option: "headers", Summary: "header without a name", Detail: "Give the header a name."})
		case seen[h.Name]:
			ps = append(ps, engine.Problem{Option: "headers", Summary: "header " + h.Name + " is set twice", Detail: "Remove one of the two."})
		}
		seen[h.Name] = true
	}
	return ps
}

// Factory describes the kafka output.
func Factory() engine.OutputFactory {
	return engine.OutputFactory{
		Component: engine.Component{
			Type:    "kafka",
			Summary: "Writes records to topics of a Kafka cluster.",
			Description: `Writing is idempotent and waits for all in-sync replicas: a record counts as
written when the cluster cannot lose it, and the client's own repeats are
recognised by the brokers. Up to five requests are on their way to a broker at
once, which is what idempotence allows. While brokers are away records wait
and the pipeline slows down; nothing is given up, however long it takes.

A record that the cluster refuses for good (too large, a time that the topic
does not accept, a topic that does not exist or may not be written) goes to
the errors edge alone, with the reason. What the topic's configuration and the
rights on it tell is found before sending; another refusal makes what was sent
behind it come again, in order.

Records of one key go to one partition and keep their order, also when a
broker fails or a partition moves. Records without a key are spread over the
partitions; set ` + "`partition`" + ` to keep their order too. A null value stays one,
a tombstone.`,
			Defaults: func() any { return Defaults() },
			Examples: []engine.Example{
				{Title: "Lines of a file into a topic", HCL: `connection "kafka" "main" {
  brokers = ["localhost:9092"]
}

pipeline "load" {
  input "file" "orders" {
    paths = ["orders.jsonl"]
  }

  output "kafka" "orders" {
    connection = connection.kafka.main
    topic      = "orders"
    key        = "value.id"
  }
}`},
				{Title: "Copy topics under another name, partition by partition", HCL: `connection "kafka" "main" {
  brokers = ["localhost:9092"]
}

pipeline "copy" {
  input "kafka" "all" {
    connection = connection.kafka.main
    topics     = ["orders", "payments"]
    group      = "copy"
  }

  output "kafka" "copies" {
    connection = connection.kafka.main
    topic      = "copy-of-{{ topic }}"
    partition  = "partition"

    create_topics {
      partitions  = 6
      replication = 3
      config      = { "cleanup.policy" = "compact" }
    }
  }
}`},
				{Title: "Fewer bytes on the wire, and keys where librdkafka puts them", HCL: `connection "kafka" "main" {
  brokers = ["localhost:9092"]
}

pipeline "events" {
  input "file" "events" {
    paths = ["events.jsonl"]
  }

  output "kafka" "events" {
    connection        = connection.kafka.main
    topic             = "events"
    key               = "value.user"
    timestamp         = "value.at"
    partitioner       = "crc32"
    compression       = "zstd"
    compression_level = 6
    batch_bytes       = "512KiB"
    linger            = "50ms"
  }
}`},
			},
		},
		New:      func(config any, env engine.Env) (engine.Output, error) { return New(config.(*Config), env) },
		Streams:  func(config any) []string { return config.(*Config).streams() },
		Delivery: func(config any) engine.Delivery { return config.(*Config).delivery() },
	}
}

// streams names the topic within its cluster if it is the same for all records.
func (c *Config) streams() []string {
	conn, err := connkafka.Of(c.Connection)
	if err != nil || c.Topic.IsZero() {
		return nil
	}
	if topic, ok := c.Topic.Source.Literal(); ok {
		return []string{conn.Stream(topic)}
	}
	return nil
}

// delivery says what a confirmation means.
func (c *Config) delivery() engine.Delivery {
	if conn, err := connkafka.Of(c.Connection); err == nil && conn.Embedded() {
		return engine.Delivery{
			Confirms: "the broker in this process has written it",
			Lossy:    "a power cut can take what the embedded broker has written, since it does not force each write to the disk",
		}
	}
	switch c.Acks {
	case acksLeader:
		return engine.Delivery{
			Confirms: "the leader of its partition has it (acks=leader)",
			Lossy:    "a leader that fails takes with it what no other replica has yet; set acks to all",
		}
	case acksNone:
		return engine.Delivery{
			Confirms: "it was sent (acks=none)",
			Lossy:    "brokers do not answer, so what they refuse or never get is not noticed; set acks to all",
		}
	}
	return engine.Delivery{Confirms: "all in-sync replicas have it (acks=all)", Transactions: c.transactions(), Producer: c.producer()}
}

// New makes an output. It does no I/O.
func New(c *Config, env engine.Env) (*Output, error) {
	conn, err := connkafka.Of(c.Connection)
	if err != nil {
		return nil, err
	}
	o := &Output{config: c, env: env, conn: conn, create: c.CreateTopics}
	if o.create == nil && conn.Embedded() {
		o.create = &CreateTopics{}
	}
	return o, nil
}
