package rules

// unusedRules are about what is declared and never read.
func unusedRules() []Rule {
	return []Rule{
		{
			ID: UnusedVariable, Name: "unused-variable", Category: DeadCode, Severity: Warning,
			Summary: "Nothing uses a variable.",
			Doc: `Whoever sets it believes that it changes something. It is not removed by ` + "`" + `--fix` + "`" + `, since ` + "`" + `--var` + "`" + ` and variable files may still give it a value.

Remove the block and what sets it, or use it.`,
			Bad: `variable "min_total" {
  default = 100
}

pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "filter" "wanted" {
    where = "value.total > 100"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
			Good: `variable "min_total" {
  default = 100
}

pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "filter" "wanted" {
    where = "value.total > var.min_total"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
		},
		{
			ID: UnusedLocal, Name: "unused-local", Category: DeadCode, Severity: Warning, Fixable: true,
			Summary: "Nothing that runs uses a local.",
			Doc:     `A local that only other unused ones refer to counts too. Remove it, ` + "`" + `--fix` + "`" + ` does, or use it.`,
			Bad: `locals {
  min_total = 100
}

pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "filter" "wanted" {
    where = "value.total > 100"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
			Good: `locals {
  min_total = 100
}

pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "filter" "wanted" {
    where = "value.total > local.min_total"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
		},
		{
			ID: UnusedFunction, Name: "unused-function", Category: DeadCode, Severity: Warning, Fixable: true,
			Summary: "Nothing that runs calls a function of the config.",
			Doc:     `A function that only other unused ones call counts too. Remove it, ` + "`" + `--fix` + "`" + ` does, or call it.`,
			Bad: `function "mask_card" {
  params = ["card"]
  result = "'****' + card[-4:]"
}

pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "map" "shape" {
    remove = ["card"]
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
			Good: `function "mask_card" {
  params = ["card"]
  result = "'****' + card[-4:]"
}

pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "map" "shape" {
    set = { card = "mask_card(value.card)" }
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
		},
		{
			ID: UnusedConnection, Name: "unused-connection", Category: DeadCode, Severity: Warning, Fixable: true,
			Summary: "No element uses a connection.",
			Doc:     `Remove it, ` + "`" + `--fix` + "`" + ` does, or use it.`,
			Bad: `connection "kafka" "main" {
  brokers = ["localhost:9092"]
}

pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
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
			ID: UnusedParameter, Name: "unused-parameter", Category: DeadCode, Severity: Warning,
			Summary: "The result of a function does not depend on one of its parameters.",
			Doc:     `Whoever calls the function gives it something that changes nothing. Remove the parameter from the function and from its calls, or use it.`,
			Bad: `function "masked" {
  params = ["text", "left"]
  result = "'****' + text[-4:]"
}

pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "map" "shape" {
    set = { card = "masked(value.card, 4)" }
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
			Good: `function "masked" {
  params = ["text", "left"]
  result = "'****' + text[-left:]"
}

pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "map" "shape" {
    set = { card = "masked(value.card, 4)" }
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
		},
		{
			ID: UnusedLet, Name: "unused-let", Category: DeadCode, Severity: Warning,
			Summary: "A name that let declares is not used.",
			Doc:     `What it computes is thrown away. Remove it, or use the name in what follows.`,
			Bad: `pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "map" "shape" {
    set = { total = "let net = value.price * value.quantity; value.price * 1.19" }
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

  processor "map" "shape" {
    set = { total = "let net = value.price * value.quantity; net * 1.19" }
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
		},
		{
			ID: UnusedSchema, Name: "unused-schema", Category: DeadCode, Severity: Warning, Fixable: true,
			Summary: "Nothing uses a schema.",
			Doc:     "Remove it, `--fix` does, or give it to an option: `schema = schema.NAME`.",
			Bad: `schema "order" {
  field "id" { type = "int64" }
}

pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
			Good: `schema "order" {
  field "id" { type = "int64" }
}

pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"

    value "json" {
      schema = schema.order
    }
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
		},
	}
}
