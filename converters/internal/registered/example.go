package registered

import (
	"strings"

	"github.com/flowrecords/flow/engine"
)

// Example shows how records are read with a registry and written again.
func Example(converter string) engine.Example {
	return engine.Example{Title: "Read with a registry, add a field, write with the registry", HCL: strings.ReplaceAll(`connection "kafka" "main" {
  brokers = ["localhost:9092"]
}

connection "registry" "main" {
  urls = ["http://localhost:8081"]
}

pipeline "totals" {
  input "kafka" "orders" {
    connection = connection.kafka.main
    topics     = ["orders"]
    group      = "totals"

    value "CONVERTER" {
      registry = connection.registry.main
    }
  }

  processor "map" "total" {
    set = { total = "value.price * value.quantity" }
  }

  output "kafka" "totals" {
    connection = connection.kafka.main
    topic      = "totals"

    value "CONVERTER" {
      registry = connection.registry.main
    }
  }

  output "file" "failed" {
    from   = [errors]
    path   = "failed.jsonl"
    format = "envelope"
  }
}
`, "CONVERTER", converter)}
}
