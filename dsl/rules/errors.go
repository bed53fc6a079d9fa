package rules

// Ids of errors.
const (
	ErrorsUnread   ID = "FL2110"
	ErrorsBack     ID = "FL2111"
	ErrorsReadBack ID = "FL2112"
	ErrorsDropped  ID = "FL2113"
)

// errorsRules are about where failed records go.
func errorsRules() []Rule {
	return []Rule{
		{
			ID: ErrorsUnread, Name: "errors-unread", Category: Errors, Severity: Warning,
			Summary: "A pipeline without end has steps that can fail, and nobody reads its errors: the first bad record stops it.",
			Doc: `A record that fails for good goes to the readers of ` + "`errors`" + `. Without one the pipeline stops and names the record, so that nothing is lost.
For a run that ends by itself that is a fair answer. A service that reads for ever stands still at night for one record that lacks a field.

Add an output for failed records. Steps that cannot fail, such as a comparison with ==, do not count, and neither do inputs that make up their records.`,
			Bad: `pipeline "orders" {
  input "file" "in" {
    path = "/var/log/orders.jsonl"
    mode = "tail"
  }

  processor "map" "total" {
    set = { total = "value.price * value.quantity" }
  }

  output "file" "out" {
    path = "totals.jsonl"
  }
}
`,
			Good: `pipeline "orders" {
  input "file" "in" {
    path = "/var/log/orders.jsonl"
    mode = "tail"
  }

  processor "map" "total" {
    set = { total = "value.price * value.quantity" }
  }

  output "file" "out" {
    path = "totals.jsonl"
  }

  output "file" "failed" {
    from   = [errors]
    path   = "failed.jsonl"
    format = "envelope"
  }
}
`,
		},
		{
			ID: ErrorsBack, Name: "errors-lead-back", Category: Errors, Severity: Warning,
			Summary: "Failed records are read together with good ones.",
			Doc: `A failed record is as it was before the step that failed. Read together with good ones, it goes where the results go, and nothing in its value
tells it apart. A handler of the errors of *all* elements that leads back has a second effect: what stands behind a reader of ` + "`errors`" + ` is left out of
` + "`errors`" + `, so whatever fails there, a good record too, stops the pipeline.

Give failed records an output of their own. To repair those of one element, read its port, ` + "`from = [processor.NAME.errors]`" + `, with a processor, and let the
output read both processors.`,
			Bad: `pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "map" "total" {
    set = { total = "value.price * value.quantity" }
  }

  output "file" "out" {
    from = [processor.total, errors]
    path = "orders.jsonl"
  }
}
`,
			Good: `pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "map" "total" {
    set = { total = "value.price * value.quantity" }
  }

  processor "map" "without" {
    from = [processor.total.errors]
    set  = { total = "nil" }
  }

  output "file" "out" {
    from = [processor.total, processor.without]
    path = "orders.jsonl"
  }
}
`,
		},
		{
			ID: ErrorsReadBack, Name: "errors-read-back", Category: Errors, Severity: Warning,
			Summary: "Failed records are written to what the same pipeline reads.",
			Doc: `A record that cannot be processed comes back, fails again and is written again: it goes round for ever, and more come.

Write failed records to a topic of their own. Another pipeline may read that one, to repair and send back what it can.`,
			Bad: `connection "kafka" "main" {
  brokers = ["localhost:9092"]
}

pipeline "orders" {
  input "kafka" "orders" {
    connection = connection.kafka.main
    topics     = ["orders"]
    group      = "totals"
  }

  processor "map" "total" {
    set = { total = "value.price * value.quantity" }
  }

  output "file" "out" {
    path = "orders.jsonl"
  }

  output "kafka" "failed" {
    from       = [errors]
    connection = connection.kafka.main
    topic      = "orders"
  }
}
`,
			Good: `connection "kafka" "main" {
  brokers = ["localhost:9092"]
}

pipeline "orders" {
  input "kafka" "orders" {
    connection = connection.kafka.main
    topics     = ["orders"]
    group      = "totals"
  }

  processor "map" "total" {
    set = { total = "value.price * value.quantity" }
  }

  output "file" "out" {
    path = "orders.jsonl"
  }

  output "kafka" "failed" {
    from       = [errors]
    connection = connection.kafka.main
    topic      = "orders-failed"
  }
}
`,
		},
		{
			ID: ErrorsDropped, Name: "errors-dropped", Category: Errors, Severity: Warning,
			Summary: "The errors of all elements are thrown away.",
			Doc: `Whatever fails is gone without a trace but a count: also what an output refused because somebody changed a schema, and also for a reason that nobody
thought of when the config was written.

Write failed records somewhere. Where the failures of one step are expected and worth nothing, drop those alone: ` + "`from = [processor.NAME.errors]`" + `.`,
			Bad: `pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }

  output "drop" "failed" {
    from = [errors]
  }
}
`,
			Good: `pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }

  output "file" "failed" {
    from   = [errors]
    path   = "failed.jsonl"
    format = "envelope"
  }
}
`,
		},
	}
}
