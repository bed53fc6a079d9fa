// Package large makes configs to measure lint with.
package large

import (
	"fmt"
	"strings"
)

// Config is a config of at least so many lines that lint finds nothing in: pipelines of 40 lines each with
// conditions, maps, a router and functions.
func Config(lines int) string {
	var b strings.Builder
	b.WriteString("variable \"min\" {\n  default = 100\n}\n\nfunction \"masked\" {\n  params = [\"s\"]\n  result = \"'****' + s[-4:]\"\n}\n\n")
	for i := 0; strings.Count(b.String(), "\n") < lines; i++ {
		fmt.Fprintf(&b, `pipeline "orders_%[1]d" {
  commit_interval = "2s"

  input "file" "in" {
    path = "in/%[1]d/*.jsonl"
    mode = "tail"
  }

  processor "filter" "paid" {
    where = "value.status == 'paid' && value.total >= var.min && value.country in ['KR', 'JP', 'DE', 'FR']"
  }

  processor "map" "shape" {
    rename = { order_id = "id" }
    remove = ["internal", "debug.trace"]
    set = {
      total           = "roundTo(value.price * value.quantity, 2)"
      "customer.card" = "masked(value.customer.card)"
      region          = "value.country in ['KR', 'JP'] ? 'asia' : 'europe'"
    }
    key = "value.order_id"
  }

  processor "route" "region" {
    case "asia" {
      when = "value.region == 'asia' && value.total > 1000"
    }
  }

  output "file" "asia" {
    from = [processor.region.asia]
    path = "out/asia-%[1]d-{{ lower(value.country) }}.jsonl"
  }

  output "file" "others" {
    from = [processor.region]
    path = "out/others-%[1]d.jsonl"
  }

  output "file" "failed" {
    from   = [errors]
    path   = "out/failed-%[1]d.jsonl"
    format = "envelope"
  }
}

`, i)
	}
	return b.String()
}
