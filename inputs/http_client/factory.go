package httpclient

import "github.com/flowrecords/flow/engine"

// Factory describes the http_client input.
func Factory() engine.InputFactory {
	return engine.InputFactory{
		Component: engine.Component{
			Type:        "http_client",
			Summary:     "Asks an HTTP server for records: page by page at intervals, or as a stream.",
			Description: description,
			Defaults:    Defaults,
			Examples:    examples(),
		},
		New:            newInput,
		KeyConverter:   "string",
		ValueConverter: "json",
		Bounded:        func(config any) bool { return config.(*Config).Once },
		FixedTopics:    func(any) []string { return nil },
		Delivery: func(config any) engine.Delivery {
			if c := config.(*Config); c.Stream && c.Format == "ndjson" && c.Cursor == nil {
				return engine.Delivery{Once: "a stream without cursor goes on with what is new"}
			}
			return engine.Delivery{}
		},
	}
}

const description = `
A poll asks for ` + "`url`" + ` and, with a block ` + "`cursor`" + `, for the pages behind it, one after the
other and the next poll after ` + "`interval`" + `. The cursor of the next page is found in the
answer (` + "`path`" + `), a header of it (` + "`header`" + `), the header Link (` + "`link`" + `) or the last record
(` + "`record`" + `), and sent as a parameter of the query. It is the input's position and is
stored when every record of the page is confirmed: after a crash the page is asked
for again, so its records can come twice, and none is lost. A page is the last when
it names no cursor, the one that was sent, ` + "`more`" + ` is false, or it has no records. The
next poll goes on behind a cursor that the last page named; see ` + "`at_end`" + ` for one that
named none.

ETag and Last-Modified of an answer are kept with the position, and the same page is
asked for with If-None-Match and If-Modified-Since: what is unchanged is not read
again, also after a restart.

Streams are read as they come. The position of server-sent events is their id, sent
as Last-Event-ID when the stream is connected anew; the data of an event is the
record, its type and id are the headers ` + "`sse.event`" + ` and ` + "`sse.id`" + `. A stream of lines goes
on behind the last record with ` + "`cursor { record, param }`" + `; without it, what comes while
nobody is connected is not read. Status 204 ends a stream for good.

A status of 408, 425, 429 or 5xx, a connection that breaks and an answer that is no
JSON are tried again until it works, after Retry-After if the server asks for it. Any
other status stops the pipeline. ` + "`offset`" + ` counts records.
`

func examples() []engine.Example {
	return []engine.Example{
		{Title: "New orders by the id of the last one", HCL: `pipeline "orders" {
  input "http_client" "orders" {
    url          = "https://api.example.com/orders?limit=500"
    records      = "data"
    bearer_token = env("API_TOKEN")
    interval     = "30s"
    rate         = 5
    cursor {
      record = "id"
      param  = "after"
      start  = "0"
    }
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`},
		{Title: "All pages once, by the header Link", HCL: `pipeline "issues" {
  input "http_client" "issues" {
    url  = "https://api.example.com/issues?per_page=100"
    once = true
    cursor {
      link = true
    }
  }

  output "stdout" "out" {}
}
`},
		{Title: "Server-sent events", HCL: `pipeline "changes" {
  input "http_client" "changes" {
    url    = "https://stream.example.com/v1/changes"
    format = "sse"
  }

  output "stdout" "out" {}
}
`},
	}
}
