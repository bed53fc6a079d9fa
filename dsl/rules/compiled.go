package rules

// compiledRules belong to the categories of lint, but are found by compilation: with them the config does not run, or they need what only the compiler has.
func compiledRules() []Rule {
	return []Rule{
		{
			ID: NoExactlyOnce, Name: "no-exactly-once", Category: Delivery, Severity: Error,
			Summary: "The pipeline cannot give exactly_once.",
			Doc: `With ` + "`exactly_once`" + ` positions are stored as one with what the outputs hold, and after a crash every output takes back what came after that, before it is read again. So
each output must be able to take back, be keyed so that a repeat changes nothing, or throw away; and each input must go on exactly where the outputs end. The message names
the elements that cannot, with the reason: an output such as stdout, whose bytes are gone; a file that rotates; an option by which confirmed records may be lost; an input
that is read only once.

With ` + "`at_least_once`" + `, which is the default, nothing is lost, and records since the last stored position may come twice after a crash.`,
			Bad: `pipeline "p" {
  delivery = "exactly_once"
  input "file" "in" {
    path = "orders.jsonl"
  }
  output "stdout" "out" {}
}
`,
			Good: `pipeline "p" {
  delivery = "exactly_once"
  input "file" "in" {
    path = "orders.jsonl"
  }
  output "file" "out" {
    path = "paid.jsonl"
  }
}
`,
		},
		{
			ID: NoCheckpoint, Name: "no-checkpoint", Category: Delivery, Severity: Error,
			Summary: "The positions of the pipeline cannot be kept where checkpoint says.",
			Doc: `With ` + "`checkpoint = connection.kafka.NAME`" + ` the positions of a pipeline are in a topic, and a process on any machine goes on where the one before ended. So nothing else may be
tied to one machine: not what a processor such as dedupe remembers, which lies in files beside the positions, and not the files of an output that delivers exactly_once, whose
marks are stored as one with the positions. With exactly_once into Kafka the positions are in the transaction that writes the records, so checkpoint can only name the connection of the outputs.
A broker inside the process (` + "`embedded`" + `) serves no other one.

Without ` + "`checkpoint`" + ` all of this is in ` + "`state_dir`" + `.`,
			Bad: `connection "kafka" "main" {
  brokers = ["localhost:9092"]
}
pipeline "p" {
  checkpoint = connection.kafka.main
  input "file" "in" {
    path = "orders.jsonl"
  }
  processor "dedupe" "once" {
    by     = "value.id"
    within = "1h"
  }
  output "stdout" "out" {}
}
`,
			Good: `connection "kafka" "main" {
  brokers = ["localhost:9092"]
}
pipeline "p" {
  checkpoint = connection.kafka.main
  input "file" "in" {
    path = "orders.jsonl"
  }
  output "stdout" "out" {}
}
`,
		},
		{
			ID: DestinationByContent, Name: "destination-by-content", Category: Security, Severity: Error,
			Summary: "Record content alone decides where data goes.",
			Doc:     "Whoever writes the records could send them to any topic, index or file. Begin the destination with fixed text, choose between fixed texts, or list what it may give next to it (`topics = [...]`). `{{ topic }}` alone is fine where the input's topics are a fixed list.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = "{{ value.file }}"
  }
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = "out/{{ value.file }}"
  }
}
`,
		},
		{
			ID: SensitiveValue, Name: "sensitive-value", Category: Security, Severity: Error,
			Summary: "A sensitive value is given to an option that is shown.",
			Doc:     "Options that are no secrets appear in logs, in errors and in `flow explain`. Give the value to an option that is a secret, or say with `nonsensitive(...)` that what was made of it is none.",
			Bad: `var: token=hunter2
-- main.hcl --
variable "token" {
  type      = string
  sensitive = true
}

pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = "out-${var.token}.jsonl"
  }
}
`,
			Good: `var: token=hunter2
-- main.hcl --
variable "token" {
  type      = string
  sensitive = true
}

pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = "out-${nonsensitive(length(var.token))}.jsonl"
  }
}
`,
		},
		{
			ID: PlainTextSecret, Name: "plain-text-secret", Category: Security, Severity: Warning,
			Summary: "A secret stands in the config as plain text.",
			Doc:     "Everyone who can read the file, its history or a copy of it can read the secret. Take it from the environment with `env(\"NAME\")` or from a file with `file(\"PATH\")`.",
			Bad: `connection "kafka" "main" {
  brokers = ["localhost:9092"]
  sasl {
    mechanism = "plain"
    username  = "app"
    password  = "hunter2"
  }
}

pipeline "p" {
  input "kafka" "in" {
    connection = connection.kafka.main
    topics     = ["orders"]
    group      = "orders-to-stdout"
  }
  output "stdout" "out" {}
}
`,
			Good: `env: KAFKA_PASSWORD=hunter2
-- main.hcl --
connection "kafka" "main" {
  brokers = ["localhost:9092"]
  sasl {
    mechanism = "plain"
    username  = "app"
    password  = env("KAFKA_PASSWORD")
  }
}

pipeline "p" {
  input "kafka" "in" {
    connection = connection.kafka.main
    topics     = ["orders"]
    group      = "orders-to-stdout"
  }
  output "stdout" "out" {}
}
`,
		},
		{
			ID: ReadsWhatItWrites, Name: "reads-what-it-writes", Category: Operations, Severity: Error,
			Summary: "An output writes a file that an input of the config reads.",
			Doc:     "The input would read what the pipeline writes, without end, or a file that is half written. Choose another path, or let one pipeline wait for the other with `after`.",
			Bad: `pipeline "p" {
  input "file" "in" {
    path = "orders.jsonl"
  }
  output "file" "out" {
    path   = "orders.jsonl"
    append = true
  }
}
`,
			Good: `pipeline "p" {
  input "file" "in" {
    path = "orders.jsonl"
  }
  output "file" "out" {
    path = "copy.jsonl"
  }
}
`,
		},
	}
}
