package http

import "github.com/flowrecords/flow/engine"

// Factory describes the http output.
func Factory() engine.OutputFactory {
	return engine.OutputFactory{
		Component: engine.Component{
			Type:        "http",
			Summary:     "Sends records to an HTTP server, one by one or several in a request.",
			Description: description,
			Defaults:    func() any { return Defaults() },
			Examples:    examples(),
		},
		New: func(config any, env engine.Env) (engine.Output, error) {
			return newOutput(config.(*Config), env), nil
		},
		ValueConverter: "json",
		Delivery:       func(config any) engine.Delivery { return config.(*Config).delivery() },
	}
}

const description = `
A record is confirmed when the server has answered its request with a status of
` + "`success_statuses`" + `. Until then it is not: after a broken connection, a timeout or
a status of ` + "`retry_statuses`" + ` the request is sent again, for as long as it takes,
with pauses that grow and are as long as the server asks for with Retry-After.
A server may so see a record twice; ` + "`idempotency_key`" + ` lets it recognise that.

**Statuses.** ` + "`stop_statuses`" + ` (redirects to elsewhere, bad credentials) stop the
pipeline, with nothing lost. Every other status is permanent: the records of
the request go to the errors edge with the status and the beginning of the
answer. Where a request has several records and the status is one of
` + "`split_statuses`" + `, the request is sent again in halves until only the records
that the server refuses are left: finding one of 500 takes about 18 requests.
A server that has taken a part of a request that it refuses sees that part
again, so split only what a server takes as a whole or may see twice.

**Order.** With ` + "`concurrency = 1`" + `, the default, all records arrive in order. With
more, ` + "`order`" + ` says what keeps it: by default records of the same key never
overtake each other, also when one of them has to be sent again; what comes
behind it waits.

**URLs** begin with a literal scheme and host, so that no record chooses where
data goes. What ` + "`{{ }}`" + ` gives is percent-encoded: a slash, a question mark or a
space of a value stays within its place. A query of many names is written as
` + "`?{{ buildQuery(value.query) }}`" + `. A record that would make a path segment of
` + "`.`" + ` or ` + "`..`" + ` is refused.

**Values** are sent as JSON; ` + "`value \"string\" {}`" + ` or ` + "`value \"bytes\" {}`" + ` sends them as
they are, with body = "single".
`

func examples() []engine.Example {
	return []engine.Example{
		{Title: "Several records in a request", HCL: `pipeline "events" {
  input "file" "events" {
    path = "events.jsonl"
  }

  output "http" "collect" {
    url           = "https://collect.example.com/v1/events"
    body          = "ndjson"
    batch_records = 1000
    compression   = "gzip"
    bearer_token  = env("COLLECT_TOKEN", "")
  }

  output "file" "refused" {
    from   = [errors]
    path   = "refused.jsonl"
    format = "envelope"
  }
}
`},
		{Title: "A request for each record, in the order of each customer", HCL: `pipeline "orders" {
  input "file" "orders" {
    path = "orders.jsonl"
  }

  processor "map" "key" {
    key = "value.customer"
  }

  output "http" "shop" {
    url             = "https://shop.example.com/customers/{{ value.customer }}/orders"
    concurrency     = 16
    idempotency_key = "value.id"
    headers = {
      X-Region = "value.region"
    }
  }
}
`},
	}
}
