package rules

// Ids of operations.
const (
	TemporaryState      ID = "FL2310"
	CommitAboveSession  ID = "FL2311"
	NoDrain             ID = "FL2312"
	InFlightBelowBatch  ID = "FL2313"
	LingerWithoutEffect ID = "FL2314"
	SharedFile          ID = "FL2315"
	ReadsItsOutput      ID = "FL2316"
	WindowAboveInFlight ID = "FL2317"
	HastyRetries        ID = "FL2318"
	HastyCommits        ID = "FL2319"
)

// operationsRules are about what hurts at night.
func operationsRules() []Rule {
	return []Rule{
		{
			ID: TemporaryState, Name: "temporary-state-dir", Category: Operations, Severity: Warning,
			Summary: "Positions are kept in a folder that the system empties.",
			Doc: `The positions in ` + "`" + `state_dir` + "`" + ` say where an input goes on. A folder such as /tmp is emptied at a restart of the machine at the latest, and then everything is read again.

Choose a folder that stays, such as /var/lib/flow. Inputs whose system keeps their positions, as a consumer group does, do not count.`,
			Bad: `pipeline "orders" {
  state_dir = "/tmp/flow"

  input "file" "in" {
    path = "incoming.jsonl"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
			Good: `pipeline "orders" {
  state_dir = "/var/lib/flow"

  input "file" "in" {
    path = "incoming.jsonl"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
		},
		{
			ID: CommitAboveSession, Name: "commit-above-session-timeout", Category: Operations, Severity: Warning,
			Summary: "Positions are stored more rarely than a member of a consumer group must show that it lives.",
			Doc: `When a worker dies, the group gives its partitions to others after ` + "`" + `session_timeout` + "`" + `. They go on at the stored position. With a longer ` + "`" + `commit_interval` + "`" + ` they
read again all that was done since, which is more than the time the worker was gone.

Store positions several times within the session: the default is a second.`,
			Bad: `connection "kafka" "main" {
  brokers = ["localhost:9092"]
}

pipeline "orders" {
  commit_interval = "1m"

  input "kafka" "orders" {
    connection = connection.kafka.main
    topics     = ["orders"]
    group      = "orders-to-file"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
			Good: `connection "kafka" "main" {
  brokers = ["localhost:9092"]
}

pipeline "orders" {
  commit_interval = "2s"

  input "kafka" "orders" {
    connection = connection.kafka.main
    topics     = ["orders"]
    group      = "orders-to-file"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
		},
		{
			ID: NoDrain, Name: "no-drain", Category: Operations, Severity: Warning,
			Summary: "A stop waits for nothing that is in flight.",
			Doc: `With ` + "`" + `drain_timeout = "0s"` + "`" + ` a stop cuts what is on its way. Nothing is lost, but all of it is read again by the next start, so every deployment makes duplicates.

Give it the time that the slowest output needs for what may be in flight.`,
			Bad: `pipeline "orders" {
  drain_timeout = "0s"

  input "file" "in" {
    path = "incoming.jsonl"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
			Good: `pipeline "orders" {
  drain_timeout = "30s"

  input "file" "in" {
    path = "incoming.jsonl"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
		},
		{
			ID: InFlightBelowBatch, Name: "in-flight-below-batch", Category: Operations, Severity: Warning,
			Summary: "Less may be in flight than one batch may hold.",
			Doc: `` + "`" + `max_in_flight` + "`" + ` bounds what is read and not yet confirmed. Below ` + "`" + `batch_bytes` + "`" + ` no batch is ever full, and while one is on its way nothing more is read: input and
outputs take turns instead of working at the same time.

Let ` + "`" + `max_in_flight` + "`" + ` be several times ` + "`" + `batch_bytes` + "`" + `.`,
			Bad: `pipeline "orders" {
  max_in_flight = "128KiB"

  input "file" "in" {
    path = "incoming.jsonl"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
			Good: `pipeline "orders" {
  batch_bytes   = "64KiB"
  max_in_flight = "1MiB"

  input "file" "in" {
    path = "incoming.jsonl"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
		},
		{
			ID: LingerWithoutEffect, Name: "linger-without-effect", Category: Operations, Severity: Warning, Fixable: true,
			Summary: "A pipeline waits for fuller batches of one record.",
			Doc: `` + "`" + `linger` + "`" + ` is how long a batch waits for more records. With ` + "`" + `batch_records = 1` + "`" + ` each is full at once.

Remove ` + "`" + `linger` + "`" + `, or allow larger batches.`,
			Bad: `pipeline "orders" {
  batch_records = 1
  linger        = "50ms"

  input "file" "in" {
    path = "incoming.jsonl"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
			Good: `pipeline "orders" {
  batch_records = 1

  input "file" "in" {
    path = "incoming.jsonl"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
		},
		{
			ID: SharedFile, Name: "two-outputs-one-file", Category: Operations, Severity: Warning,
			Summary: "Two outputs write one file.",
			Doc: `Only one can have a file open, so that records never mix: the second is refused when the pipeline starts.

Let one output read both elements, ` + "`" + `from = [...]` + "`" + `, or choose another path. Pipelines that wait for each other may write one file in turn.`,
			Bad: `pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "route" "region" {
    case "asia" {
      when = "value.country in ['KR', 'JP']"
    }
  }

  output "file" "asia" {
    from = [processor.region.asia]
    path = "orders.jsonl"
  }

  output "file" "others" {
    from = [processor.region]
    path = "orders.jsonl"
  }
}
`,
			Good: `pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "route" "region" {
    case "asia" {
      when = "value.country in ['KR', 'JP']"
    }
  }

  output "file" "asia" {
    from = [processor.region.asia]
    path = "asia.jsonl"
  }

  output "file" "others" {
    from = [processor.region]
    path = "others.jsonl"
  }
}
`,
		},
		{
			ID: ReadsItsOutput, Name: "reads-its-output", Category: Operations, Severity: Warning,
			Summary: "A pipeline writes all that it reads to what it reads.",
			Doc: `Each record comes back and is written again, for ever and ever faster.

Write to another topic. The rule says nothing where a filter or a router on the way may leave records out.`,
			Bad: `connection "kafka" "main" {
  brokers = ["localhost:9092"]
}

pipeline "orders" {
  input "kafka" "orders" {
    connection = connection.kafka.main
    topics     = ["orders"]
    group      = "shape"
  }

  processor "map" "shape" {
    remove = ["internal"]
  }

  output "kafka" "orders" {
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
    group      = "shape"
  }

  processor "map" "shape" {
    remove = ["internal"]
  }

  output "kafka" "shaped" {
    connection = connection.kafka.main
    topic      = "orders-shaped"
  }
}
`,
		},
		{
			ID: WindowAboveInFlight, Name: "window-above-in-flight", Category: Operations, Severity: Warning,
			Summary: "A processor gathers more than may be in flight.",
			Doc: `What a window holds is not confirmed, so it is in flight. When ` + "`" + `bytes` + "`" + ` of the window is not below ` + "`" + `max_in_flight` + "`" + ` of the pipeline, windows end
before they are full.

Raise ` + "`" + `max_in_flight` + "`" + `, or lower ` + "`" + `bytes` + "`" + `.`,
			Bad: `pipeline "orders" {
  max_in_flight = "8MiB"

  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "batch" "together" {
    records = 100000
    bytes   = "64MiB"
    period  = "10s"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
			Good: `pipeline "orders" {
  max_in_flight = "64MiB"

  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "batch" "together" {
    records = 100000
    bytes   = "4MiB"
    period  = "10s"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
		},
		{
			ID: HastyRetries, Name: "hasty-retries", Category: Operations, Severity: Warning,
			Summary: "A server that is down is tried again almost without a pause.",
			Doc: `` + "`" + `retry_max` + "`" + ` is the longest pause between two tries. Below a tenth of a second all elements knock at a server that is just standing up, and fill the log meanwhile.

Leave it at its default, or use a second or more.`,
			Bad: `pipeline "orders" {
  retry_max = "10ms"

  input "file" "in" {
    path = "incoming.jsonl"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
			Good: `pipeline "orders" {
  retry_max = "10s"

  input "file" "in" {
    path = "incoming.jsonl"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
		},
		{
			ID: HastyCommits, Name: "hasty-commits", Category: Operations, Severity: Warning,
			Summary: "Positions are stored many times a second.",
			Doc: `Each time costs a forced write or a request to a broker. What it buys is that less is read again after a crash: with an interval of a second that is a second's records.

Leave ` + "`" + `commit_interval` + "`" + ` at its default.`,
			Bad: `pipeline "orders" {
  commit_interval = "5ms"

  input "file" "in" {
    path = "incoming.jsonl"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
			Good: `pipeline "orders" {
  commit_interval = "1s"

  input "file" "in" {
    path = "incoming.jsonl"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
		},
	}
}
