package rules

// Ids of performance.
const (
	WholeValue       ID = "FL2410"
	RegexPerRecord   ID = "FL2411"
	RegexForText     ID = "FL2412"
	CostlyFirst      ID = "FL2413"
	OneWorkerNoOrder ID = "FL2414"
)

// performanceRules are about what makes a pipeline slow.
func performanceRules() []Rule {
	return []Rule{
		{
			ID: WholeValue, Name: "whole-value", Category: Performance, Severity: Warning,
			Summary: "An expression needs the whole value where single fields would do.",
			Doc: `flow looks only for the fields that a stage touches. An expression that needs the value as a whole, to list its names or to look up a member by a name that is not
fixed, makes it decode every field of every record, which takes several times as long.

Name the path: ` + "`" + `has(value.total)` + "`" + ` instead of ` + "`" + `'total' in value` + "`" + `, ` + "`" + `value.total` + "`" + ` instead of ` + "`" + `get(value, 'total')` + "`" + `.`,
			Bad: `pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "filter" "wanted" {
    where = "'total' in keys(value)"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
			Good: `pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "filter" "wanted" {
    where = "has(value.total)"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
		},
		{
			ID: RegexPerRecord, Name: "regex-per-record", Category: Performance, Severity: Warning,
			Summary: "A regular expression is built from the record.",
			Doc: `Building a regular expression takes far longer than looking for it. With a pattern that a record brings it is built for each one, and whoever writes the records
decides what it costs.

Use a fixed pattern, with alternatives where several are possible, or ` + "`" + `contains` + "`" + `, ` + "`" + `startsWith` + "`" + ` and ` + "`" + `endsWith` + "`" + ` for plain text.`,
			Bad: `pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "filter" "wanted" {
    where = "value.name matches value.pattern"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
			Good: `pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "filter" "wanted" {
    where = "value.name matches '^(anna|ben)[0-9]+'"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
		},
		{
			ID: RegexForText, Name: "regex-for-text", Category: Performance, Severity: Warning,
			Summary: "A regular expression has nothing that a comparison could not say.",
			Doc:     `` + "`" + `contains` + "`" + `, ` + "`" + `startsWith` + "`" + `, ` + "`" + `endsWith` + "`" + ` and ` + "`" + `==` + "`" + ` say the same as a pattern of plain characters, are easier to read and several times as fast.`,
			Bad: `pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "filter" "wanted" {
    where = "value.sku matches '^EU-'"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
			Good: `pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "filter" "wanted" {
    where = "value.sku startsWith 'EU-'"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
		},
		{
			ID: CostlyFirst, Name: "costly-condition-first", Category: Performance, Severity: Warning,
			Summary: "A condition goes through a list before it compares a field.",
			Doc: `` + "`" + `&&` + "`" + ` stops at the first part that does not hold. A comparison of one field takes nanoseconds, a predicate over a list many times that.

Put the comparison in front. It cannot fail, so the result is the same.`,
			Bad: `pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "filter" "wanted" {
    where = "any(value.items, .price > 100) && value.status == 'paid'"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
			Good: `pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "filter" "wanted" {
    where = "value.status == 'paid' && any(value.items, .price > 100)"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
		},
		{
			ID: OneWorkerNoOrder, Name: "order-none-one-worker", Category: Performance, Severity: Warning,
			Summary: "Order is given up for workers that are not there.",
			Doc: `` + "`" + `order = "none"` + "`" + ` lets the workers of a stage overtake each other. With ` + "`" + `workers = 1` + "`" + ` there is nobody to overtake, so nothing is gained, and a reader of the config
must think that order does not matter.

Remove ` + "`" + `order` + "`" + `, or allow more workers.`,
			Bad: `pipeline "orders" {
  order   = "none"
  workers = 1

  input "file" "in" {
    path = "incoming.jsonl"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
			Good: `pipeline "orders" {
  order = "none"

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
