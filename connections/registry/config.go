package registry

import (
	"slices"
	"strings"
	"time"

	"github.com/flowrecords/flow/connections/http"
	"github.com/flowrecords/flow/engine"
)

// Config holds the options of a registry connection.
type Config struct {
	URLs []string `flow:"urls,required" doc:"Base URLs of the registry's servers, with their path if there is one. When one does not answer, the next is asked." example:"[\"https://registry.example.com:8081\"]"`

	http.ClientConfig

	Retries   int           `flow:"retries" unit:"retries" min:"0" max:"20" doc:"How often all servers are asked again before a request counts as failed. Elements then wait and try again for as long as it takes."`
	RetryWait time.Duration `flow:"retry_wait" min:"1ms" max:"1m" doc:"Wait before the first of these; it doubles with each."`

	CacheSchemas int           `flow:"cache_schemas" unit:"schemas" min:"1" max:"1000000" doc:"Most schemas that are kept. What was read once stays usable while the registry is away."`
	LatestTTL    time.Duration `flow:"latest_ttl" min:"0s" max:"24h" doc:"How long the answer to which version of a subject is the latest is good. When the registry is away it stays good until it is back."`
	MissingTTL   time.Duration `flow:"missing_ttl" min:"0s" max:"1h" doc:"How long the answer that there is no schema of an id is good, so that records with a wrong id do not flood the registry."`
	Normalize    bool          `flow:"normalize" doc:"Ask the registry to compare schemas in a normal form when it registers and looks up, so that the order of properties makes no new version."`
	Context      string        `flow:"context" doc:"Context of the registry in which subjects and ids are. Empty: the default one." example:"\"staging\""`
}

// Defaults is what an empty block means.
func Defaults() *Config {
	c := &Config{
		ClientConfig: http.DefaultClientConfig(),
		Retries:      2,
		RetryWait:    200 * time.Millisecond,
		CacheSchemas: 1000,
		LatestTTL:    5 * time.Minute,
		MissingTTL:   10 * time.Second,
	}
	c.Timeout = 10 * time.Second
	return c
}

// Validate reports every mistake, each at its option.
func (c *Config) Validate() []engine.Problem {
	var ps []engine.Problem
	if len(c.URLs) == 0 {
		ps = append(ps, engine.Problem{Option: "urls", Summary: "no URL", Detail: `Name the servers of the registry: urls = ["http://localhost:8081"].`})
	}
	for i, u := range c.URLs {
		if slices.Contains(c.URLs[:i], u) {
			ps = append(ps, engine.Problem{Option: "urls", Summary: "a URL is there twice", Detail: "Remove one of the two " + u + "."})
			continue
		}
		ps = append(ps, http.CheckURL("urls", u)...)
		if strings.ContainsRune(u, '?') {
			ps = append(ps, engine.Problem{Option: "urls", Summary: "a base URL with a query", Detail: "Paths are put behind the URL. Remove everything from the question mark on."})
		}
	}
	if strings.ContainsAny(c.Context, ":/") {
		ps = append(ps, engine.Problem{Option: "context", Summary: "a context with a colon or a slash", Detail: `Write the name alone, without the colons and the point that the registry puts around it: context = "staging".`})
	}
	return append(ps, c.Problems()...)
}

// Factory describes the registry connection.
func Factory() engine.ConnectionFactory {
	return engine.ConnectionFactory{
		Component: engine.Component{
			Type:    "registry",
			Summary: "A schema registry.",
			Description: `Settings that the converters of one registry share: ` + "`avro`, `protobuf` and `json_schema`" + `.
It speaks the REST interface of Confluent's Schema Registry, as Apicurio (at
` + "`/apis/ccompat/v7`" + `), Karapace and Redpanda do.

What was read once is kept: while the registry is away, records go on as long as
their schemas are known. A schema that is not known then makes its element wait
until the registry is back; no record is lost or skipped for that. Credentials
that are refused stop the pipeline.`,
			Defaults: func() any { return Defaults() },
			Examples: []engine.Example{
				{Title: "A registry", HCL: `connection "registry" "main" {
  urls = ["http://localhost:8081"]
}`},
				{Title: "Two servers, a password and a private authority", HCL: `connection "registry" "secure" {
  urls = ["https://registry-1.example.com:8081", "https://registry-2.example.com:8081"]

  basic {
    user     = "flow"
    password = env("REGISTRY_PASSWORD")
  }

  tls {
    ca_file = "ca.pem"
  }
}`},
				{Title: "A token of an identity provider", HCL: `connection "registry" "cloud" {
  urls = ["https://registry.example.com"]

  client_credentials {
    url           = "https://login.example.com/oauth2/token"
    client_id     = "flow"
    client_secret = env("REGISTRY_CLIENT_SECRET")
    scope         = ["registry"]
  }

  secret_headers = {
    target-sr-cluster = "lsrc-1"
  }
}`},
			},
		},
		New: func(config any, env engine.Env) (any, error) { return New(config.(*Config), env), nil },
	}
}
