package rules

// typeRules are about what the schemas of records, where they are known before
// a run, do not go with.
func typeRules() []Rule {
	return []Rule{
		{
			ID: UnknownField, Name: "unknown-field", Category: Expressions, Severity: Error,
			Summary: "An expression reads a field that the schema of its records does not have.",
			Doc: `Where the schema of an input is known, so is that of the records at every element behind it: see ` + "`" + `flow schema` + "`" + `. A field that is not part of it would be missing in every record.

The message names the nearest field, or the element that has removed or renamed it. If records have the field all the same, add it to the schema. JSON needs no schema at all: without one, every field
may be read, and a wrong name is found by no one.`,
			Bad: `schema "order" {
  field "id" { type = "int64" }
  field "state" { type = "enum(new, paid)" }
}

pipeline "p" {
  input "stdin" "in" {
    value "json" {
      schema = schema.order
    }
  }
  processor "filter" "paid" {
    where = "value.satte == 'paid'"
  }
  output "stdout" "out" {}
}
`,
			Good: `schema "order" {
  field "id" { type = "int64" }
  field "state" { type = "enum(new, paid)" }
}

pipeline "p" {
  input "stdin" "in" {
    value "json" {
      schema = schema.order
    }
  }
  processor "filter" "paid" {
    where = "value.state == 'paid'"
  }
  output "stdout" "out" {}
}
`,
		},
		{
			ID: NeverThere, Name: "never-there", Category: DeadCode, Severity: Warning,
			Summary: "An expression asks for a field that the schema of its records does not have.",
			Doc:     `` + "`" + `has(value.x)` + "`" + ` and ` + "`" + `'x' in value` + "`" + ` are false for every record, so what depends on them never happens. Correct the name, add the field to the schema, or remove the question.`,
			Bad: `schema "order" {
  field "id" { type = "int64" }
  field "state" { type = "enum(new, paid)" }
}

pipeline "p" {
  input "stdin" "in" {
    value "json" {
      schema = schema.order
    }
  }
  processor "filter" "paid" {
    where = "!has(value.staet)"
  }
  output "stdout" "out" {}
}
`,
			Good: `schema "order" {
  field "id" { type = "int64" }
  field "state" { type = "enum(new, paid)" }
}

pipeline "p" {
  input "stdin" "in" {
    value "json" {
      schema = schema.order
    }
  }
  processor "filter" "paid" {
    where = "has(value.state)"
  }
  output "stdout" "out" {}
}
`,
		},
		{
			ID: NoSymbol, Name: "no-symbol", Category: DeadCode, Severity: Warning,
			Summary: "An enum is compared with a text that is none of its symbols.",
			Doc:     `The comparison has the same result for every record. Write one of the symbols, or add it to the schema.`,
			Bad: `schema "order" {
  field "id" { type = "int64" }
  field "state" { type = "enum(new, paid)" }
}

pipeline "p" {
  input "stdin" "in" {
    value "json" {
      schema = schema.order
    }
  }
  processor "filter" "paid" {
    where = "value.state == 'payed'"
  }
  output "stdout" "out" {}
}
`,
			Good: `schema "order" {
  field "id" { type = "int64" }
  field "state" { type = "enum(new, paid)" }
}

pipeline "p" {
  input "stdin" "in" {
    value "json" {
      schema = schema.order
    }
  }
  processor "filter" "paid" {
    where = "value.state == 'paid'"
  }
  output "stdout" "out" {}
}
`,
		},
	}
}
