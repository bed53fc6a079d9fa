package rules

// Ids of delivery.
const (
	InputReadOnce ID = "FL2010"
	LossyOutput   ID = "FL2011"
	SharedGroup   ID = "FL2012"
	NoPositions   ID = "FL2013"
)

// deliveryRules are about what weakens the guarantee of a pipeline.
func deliveryRules() []Rule {
	return []Rule{
		{
			ID: InputReadOnce, Name: "input-read-once", Category: Delivery, Severity: Warning,
			Summary: "A pipeline promises at_least_once, and one of its inputs cannot be read again.",
			Doc: `After a crash an input goes on where its confirmed records ended. An input that delivers its bytes only once, such as a pipe,
has nothing to go back to: what was read and not yet confirmed is lost. The rule fires where the config states the guarantee in words.

Put something in front that can be read again, such as a file or a topic, or leave ` + "`delivery`" + ` out.`,
			Bad: `pipeline "orders" {
  delivery = "at_least_once"

  input "stdin" "in" {}

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
			Good: `pipeline "orders" {
  delivery = "at_least_once"

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
			ID: LossyOutput, Name: "lossy-confirmation", Category: Delivery, Severity: Warning,
			Summary: "An option lets an output confirm records that may still be lost, and positions move on with these confirmations.",
			Doc: `An output confirms a record when it is as safe as its options promise; the input's position then moves past it, and it is never read again.
With an option such as ` + "`fsync = \"never\"`" + ` a record can be confirmed and still be lost, so the pipeline no longer gives what at_least_once says.

Leave the option at its default. Where the loss is accepted, say so with an ignore.`,
			Bad: `pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  output "file" "out" {
    path  = "orders.jsonl"
    fsync = "never"
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
}
`,
		},
		{
			ID: NoPositions, Name: "checkpoint-without-effect", Category: Delivery, Severity: Warning, Fixable: true,
			Summary: "The checkpoint of a pipeline has no positions to keep.",
			Doc: `Inputs with a consumer group have their positions kept by Kafka, those that answer a sender by the sender, and what can be read once has none. For them ` + "`checkpoint`" + ` does nothing.

Remove the line. Workers that shall share the work of a Kafka input need only the same ` + "`group`" + `.`,
			Bad: `connection "kafka" "main" {
  brokers = ["localhost:9092"]
}

pipeline "orders" {
  checkpoint = connection.kafka.main

  input "kafka" "in" {
    connection = connection.kafka.main
    topics     = ["orders"]
    group      = "orders"
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
  input "kafka" "in" {
    connection = connection.kafka.main
    topics     = ["orders"]
    group      = "orders"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
		},
		{
			ID: SharedGroup, Name: "shared-consumer-group", Category: Delivery, Severity: Warning,
			Summary: "Two inputs read the same topics as members of one consumer group, so each gets only a part of the records.",
			Doc: `The members of a consumer group share its partitions. That is how several workers divide the work of one pipeline; two inputs of one config that
read the same topics in one group take each other's records away, and their positions with them.

Give each input its own group, or let several elements read one input with ` + "`from`" + `. Pipelines that wait for each other are left out.`,
			Bad: `connection "kafka" "main" {
  brokers = ["localhost:9092"]
}

pipeline "archive" {
  input "kafka" "orders" {
    connection = connection.kafka.main
    topics     = ["orders"]
    group      = "orders"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}

pipeline "count" {
  input "kafka" "orders" {
    connection = connection.kafka.main
    topics     = ["orders"]
    group      = "orders"
  }

  output "stdout" "out" {}
}
`,
			Good: `connection "kafka" "main" {
  brokers = ["localhost:9092"]
}

pipeline "archive" {
  input "kafka" "orders" {
    connection = connection.kafka.main
    topics     = ["orders"]
    group      = "orders-archive"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}

pipeline "count" {
  input "kafka" "orders" {
    connection = connection.kafka.main
    topics     = ["orders"]
    group      = "orders-count"
  }

  output "stdout" "out" {}
}
`,
		},
	}
}
