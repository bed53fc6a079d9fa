package kafka

import (
	"net"
	"strings"
	"time"

	"github.com/flowrecords/flow/engine"
)

// Config holds the options of a kafka connection.
type Config struct {
	Brokers []string `flow:"brokers" doc:"Addresses of some brokers of the cluster, host:port. The others are found through them. Exactly one of brokers and embedded is given." example:"[\"localhost:9092\"]"`

	Embedded           string `flow:"embedded" doc:"Folder of a Kafka-protocol broker that runs inside this process and keeps its topics there. It serves demos and tests: one process, no replication, no fsync of each write." example:"\"demo/kafka\""`
	EmbeddedPartitions int    `flow:"embedded_partitions" unit:"partitions" min:"1" max:"1000" doc:"Partitions of a topic that is created in the embedded broker without a number."`
	EmbeddedPort       int    `flow:"embedded_port" unit:"" min:"0" max:"65535" doc:"Port on 127.0.0.1 at which the embedded broker listens, for other clients. 0 takes a free one."`

	ClientID       string        `flow:"client_id" doc:"Name by which brokers know this client in logs and quotas. Empty: flow, the pipeline and the element." example:"\"orders-flow\""`
	DialTimeout    time.Duration `flow:"dial_timeout" min:"10ms" max:"10m" doc:"Longest wait for a connection to a broker."`
	RequestTimeout time.Duration `flow:"request_timeout" min:"10ms" max:"10m" doc:"Longest wait for the answer to a request, added to what the request itself allows the broker."`

	TLS  *TLS  `flow:"tls,block" doc:"Encrypt connections. An empty block trusts the system's certificate authorities."`
	SASL *SASL `flow:"sasl,block" doc:"Authenticate with a name and a password."`
}

// TLS holds the options of a tls block.
type TLS struct {
	CAFile             string `flow:"ca_file" doc:"PEM file of the certificate authorities to trust instead of the system's." example:"\"ca.pem\""`
	CertFile           string `flow:"cert_file" doc:"PEM file of this client's certificate. key_file goes with it." example:"\"client.pem\""`
	KeyFile            string `flow:"key_file" doc:"PEM file of the certificate's private key." example:"\"client-key.pem\""`
	ServerName         string `flow:"server_name" doc:"Name that the brokers' certificates must carry, if it is not the host that is dialled." example:"\"kafka.internal\""`
	InsecureSkipVerify bool   `flow:"insecure_skip_verify" doc:"Accept any certificate. Whoever sits between flow and the brokers can then read and change all data."`
}

// SASL holds the options of a sasl block.
type SASL struct {
	Mechanism string        `flow:"mechanism,required" oneof:"plain scram-sha-256 scram-sha-512" doc:"How the password is proved. plain sends it as it is and needs tls on any network that is not trusted." example:"\"scram-sha-512\""`
	Username  string        `flow:"username,required" doc:"Name to authenticate as." example:"\"flow\""`
	Password  engine.Secret `flow:"password,required" doc:"Password of the name." example:"env(\"KAFKA_PASSWORD\")"`
}

// Defaults is what an empty block means.
func Defaults() *Config {
	return &Config{
		EmbeddedPartitions: 1,
		DialTimeout:        10 * time.Second,
		RequestTimeout:     10 * time.Second,
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
	if c.TLS != nil {
		if (c.TLS.CertFile == "") != (c.TLS.KeyFile == "") {
			add("tls", "certificate without key or key without certificate", "cert_file and key_file go together: give both or none.")
		}
	}
	return ps
}

func quote(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` }

// Factory describes the kafka connection.
func Factory() engine.ConnectionFactory {
	return engine.ConnectionFactory{
		Component: engine.Component{
			Type:    "kafka",
			Summary: "A Kafka cluster, or a broker inside this process",
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
				{Title: "A broker inside this process", HCL: `connection "kafka" "demo" {
  embedded = "demo/kafka"
}`},
			},
		},
		New: func(config any, _ engine.Env) (any, error) { return New(config.(*Config)), nil },
	}
}
