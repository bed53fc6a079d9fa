package kafka

import (
	"net"
	"strings"
	"time"

	"github.com/flowrecords/flow/connections/tlsconf"
	"github.com/flowrecords/flow/engine"
)

// Config holds the options of a kafka connection.
type Config struct {
	Brokers []string `flow:"brokers" doc:"Addresses of some brokers of the cluster, host:port. The others are found through them. Exactly one of brokers and embedded is given." example:"[\"localhost:9092\"]"`

	Embedded           string `flow:"embedded" doc:"Folder of a Kafka-protocol broker that runs inside this process and keeps its topics there. It serves demos and tests: one process, no replication, no fsync of each write." example:"\"demo/kafka\""`
	EmbeddedPartitions int    `flow:"embedded_partitions" unit:"partitions" min:"1" max:"1000" doc:"Partitions of a topic that is created in the embedded broker without a number."`
	EmbeddedPort       int    `flow:"embedded_port" unit:"" min:"0" max:"65535" doc:"Port on 127.0.0.1 at which the embedded broker listens, for other clients. 0 takes a free one."`

	ClientID string `flow:"client_id" doc:"Name by which brokers know this client in logs and quotas. Empty: flow, the pipeline and the element." example:"\"orders-flow\""`
	Rack     string `flow:"rack" doc:"Rack or zone in which this process runs, as brokers name theirs (broker.rack). Inputs then read from the copy of a partition in their own rack, where brokers allow it (replica.selector.class)." example:"\"eu-west-1a\""`

	DialTimeout    time.Duration   `flow:"dial_timeout" min:"10ms" max:"10m" doc:"Longest wait for a connection to a broker, TLS included."`
	RequestTimeout time.Duration   `flow:"request_timeout" min:"100ms" max:"10m" doc:"Longest wait for the answer to a request, added to what the request itself allows the broker."`
	RetryTimeout   time.Duration   `flow:"retry_timeout" min:"0s" max:"1h" doc:"How long a request that failed is repeated before its failure counts; fetching and producing go on for as long as it takes. 0s: 30s, and the session timeout for requests of a group."`
	IdleTimeout    time.Duration   `flow:"idle_timeout" min:"1s" max:"24h" doc:"How long a connection that nobody uses is kept. Less than the brokers' own limit (connections.max.idle.ms, 10m), and that of what lies between."`
	MetadataMaxAge time.Duration   `flow:"metadata_max_age" min:"100ms" max:"1h" doc:"How often to look for new partitions and leaders when nothing makes it necessary. Inputs have an option of their own."`
	MetadataMinAge time.Duration   `flow:"metadata_min_age" min:"10ms" max:"1m" doc:"Shortest time between two looks, however necessary they are."`
	MaxReadBytes   engine.ByteSize `flow:"max_read_bytes" min:"1MiB" max:"2047MiB" doc:"Largest answer of a broker that is read, as a guard against what is no broker. It must be above what inputs fetch at once."`

	TransactionalID    string        `flow:"transactional_id" doc:"What the transactional ids of pipelines with delivery = \"exactly_once\" begin with; the pipeline's name follows, and where several workers may share a consumer group a part of the process' own. Whoever writes in these transactions needs WRITE and DESCRIBE on them." example:"\"team-a-\""`
	TransactionTimeout time.Duration `flow:"transaction_timeout" min:"5s" max:"5m" doc:"How long brokers wait, beyond commit_interval, for the end of a transaction before they take it back. As long may what a killed worker wrote hold up those who read committed records only."`
	PositionsTopic     string        `flow:"positions_topic" doc:"Compacted topic in which pipelines with delivery = \"exactly_once\" keep the positions of inputs that have no consumer group, in the transaction that writes the records. It is created when it is missing."`

	TLS  *TLS  `flow:"tls,block" doc:"Encrypt connections. An empty block trusts the system's certificate authorities. Files are read again when they change, for connections that are made from then on."`
	SASL *SASL `flow:"sasl,block" doc:"Authenticate."`
}

// TLS holds the options of a tls block.
type TLS = tlsconf.Client

// Defaults is what an empty block means.
func Defaults() *Config {
	return &Config{
		EmbeddedPartitions: 1,
		DialTimeout:        10 * time.Second,
		RequestTimeout:     10 * time.Second,
		IdleTimeout:        30 * time.Second,
		MetadataMaxAge:     5 * time.Minute,
		MetadataMinAge:     250 * time.Millisecond,
		MaxReadBytes:       100 << 20,
		TransactionalID:    "flow-",
		TransactionTimeout: 30 * time.Second,
		PositionsTopic:     "flow-positions",
	}
}

// Validate reports every mistake, each at its option.
func (c *Config) Validate() []engine.Problem {
	var ps []engine.Problem
	add := func(option, summary, detail string) {
		ps = append(ps, engine.Problem{Option: option, Summary: summary, Detail: detail})
	}
	switch {
	case len(c.Brokers) == 0 && c.Embedded == "":
		add("", "no brokers", `Name some brokers, brokers = ["localhost:9092"], or a folder for a broker inside this process, embedded = "demo/kafka".`)
	case len(c.Brokers) > 0 && c.Embedded != "":
		add("embedded", "brokers and embedded exclude each other", "A connection leads either to the named brokers or to the one inside this process. Remove one of the two.")
	}
	for _, b := range c.Brokers {
		host, port, err := net.SplitHostPort(b)
		if err != nil || host == "" || port == "" {
			add("brokers", "broker address without host or port", "Write "+quote(b)+` as host:port, for example "localhost:9092".`)
		}
	}
	if c.Embedded != "" {
		if c.TLS != nil {
			add("tls", "tls with an embedded broker", "The embedded broker speaks plain text to its own process only. Remove the tls block.")
		}
		if c.SASL != nil {
			add("sasl", "sasl with an embedded broker", "The embedded broker asks for no password. Remove the sasl block.")
		}
	}
	if c.MetadataMinAge > c.MetadataMaxAge {
		add("metadata_min_age", "metadata_min_age is over metadata_max_age", "Lower metadata_min_age or raise metadata_max_age.")
	}
	ps = append(ps, c.transactionalProblems()...)
	if c.Embedded != "" {
		return ps
	}
	ps = append(ps, c.TLS.Problems("tls")...)
	return append(ps, c.SASL.problems()...)
}

func quote(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` }

// Factory describes the kafka connection.
func Factory() engine.ConnectionFactory {
	return engine.ConnectionFactory{
		Component: engine.Component{
			Type:    "kafka",
			Summary: "A Kafka cluster, or a broker inside this process.",
			Description: `Settings that all inputs and outputs of one cluster share. Each element
has its own client; the settings and the embedded broker are common.

With ` + "`embedded`" + ` flow starts a broker in its own process at first use and stops it
after the last. Its topics, records and committed positions lie in the folder
and are there again at the next start. One process at a time can use a folder.
Everything else of the config is the same for a real cluster: replace that one
line by ` + "`brokers`" + `.`,
			Defaults: func() any { return Defaults() },
			Examples: []engine.Example{
				{Title: "A cluster", HCL: `connection "kafka" "main" {
  brokers = ["kafka-1:9093", "kafka-2:9093"]
  tls {}
}`},
				{Title: "A cluster that asks for a password", HCL: `connection "kafka" "secure" {
  brokers = ["kafka.example.com:9093"]
  tls {}
  sasl {
    mechanism = "scram-sha-512"
    username  = "flow"
    password  = env("KAFKA_PASSWORD")
  }
}`},
				{Title: "A cluster that asks for a token of an identity provider", HCL: `connection "kafka" "cloud" {
  brokers = ["kafka.example.com:9093"]
  tls {}
  sasl {
    mechanism = "oauthbearer"

    client_credentials {
      url           = "https://login.example.com/oauth2/token"
      client_id     = "flow"
      client_secret = env("KAFKA_CLIENT_SECRET")
      scope         = ["kafka"]
    }
  }
}`},
				{Title: "A cluster that asks for a certificate", HCL: `connection "kafka" "mutual" {
  brokers = ["kafka.example.com:9093"]
  tls {
    ca_file   = "ca.pem"
    cert_file = "client.pem"
    key_file  = "client-key.pem"
  }
}`},
				{Title: "A broker inside this process", HCL: `connection "kafka" "demo" {
  embedded = "demo/kafka"
}`},
			},
		},
		New: func(config any, env engine.Env) (any, error) {
			c := New(config.(*Config))
			c.env = env
			return c, nil
		},
	}
}
