package http

import "github.com/flowrecords/flow/engine"

// Factory describes the http input.
func Factory() engine.InputFactory {
	return engine.InputFactory{
		Component: engine.Component{
			Type:        "http",
			Summary:     "Takes records from HTTP requests and answers each when its records are confirmed.",
			Description: description,
			Defaults:    Defaults,
			Examples:    examples(),
		},
		New:            newInput,
		KeyConverter:   "string",
		ValueConverter: "json",
		Bounded:        func(any) bool { return false },
		FixedTopics:    func(any) []string { return nil },
		Listens:        func(config any) []string { return []string{config.(*Config).Address} },
		Delivery: func(any) engine.Delivery {
			return engine.Delivery{Positions: "the sender, who sends again what was not answered with success"}
		},
	}
}

const description = `
A request is answered with success, 200 unless ` + "`status`" + ` says otherwise, only
when every record of it is confirmed by the outputs that it reached, and written
through to the disk where an output does that. A sender who repeats what was not
answered with success loses nothing, also when flow is killed. What was confirmed
but whose answer got lost comes twice then.

| answer | means |
| --- | --- |
| 200 | every record is confirmed; the body is ` + "`{\"records\": N}`" + ` |
| 400 | the body is not well-formed; the body of the answer names the line |
| 401 | token, password or signature is missing or wrong |
| 404, 405 | the path or the method takes no records |
| 408 | the body did not arrive within body_timeout |
| 413 | the body or a record of it is too large |
| 415 | the content type or the compression is not known |
| 503 | too much is waiting, the pipeline stops, or the records were not confirmed in time: send again after Retry-After |

A body is taken as a whole or not at all: of one with a malformed line nothing
enters the pipeline. JSON is checked as it is received, so a sender learns of it.
With ` + "`format = \"raw\"`" + ` nothing is checked. Name a converter that fits
(` + "`value \"string\" {}`" + `) and an output that reads the errors: what cannot be
converted would otherwise stop the pipeline, and anybody who may send could do that.

Bodies may be compressed with gzip. Memory is bounded by max_buffer and
max_requests; beyond them requests are answered with 503 at once. ` + "`timestamp`" + ` is when
a request was received, ` + "`offset`" + ` counts records since the start. Records of one request
keep their order, and so do requests of a sender who waits for each answer.

At a stop no more connections are accepted, requests that the pipeline has taken
are answered when they are confirmed, and all others with 503.
`

func examples() []engine.Example {
	return []engine.Example{
		{Title: "Orders by POST, one a request or one a line", HCL: `pipeline "orders" {
  input "http" "orders" {
    address       = "127.0.0.1:8080"
    paths         = ["/orders"]
    bearer_tokens = [env("INGEST_TOKEN")]
    key_header    = "X-Customer"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`},
		{Title: "A signed webhook over HTTPS", HCL: `pipeline "hooks" {
  input "http" "hooks" {
    address = ":8443"
    paths   = ["/hooks/"]
    request = ["path"]
    signature {
      header  = "X-Hub-Signature-256"
      prefix  = "sha256="
      secrets = [env("HOOK_SECRET")]
    }
    tls {
      cert_file = "server.pem"
      key_file  = "server-key.pem"
    }
  }

  output "file" "out" {
    path = "hooks.jsonl"
  }
}
`},
	}
}
