package rules

// typeRules are about what the schemas of records, where they are known before
// a run, do not go with.
func typeRules() []Rule {
	return []Rule{
		{
			ID: OptionNoField, Name: "option-unknown-field", Category: Options, Severity: Error,
			Summary: "An option names a field that the schema of its records does not have.",
			Doc: "Where the schema of an input is known, so is that of the records at every element behind it: see `flow schema`. A processor that removes, renames, masks or converts a field which is not part of it would do nothing, or refuse every record; " +
				"a column of CSV without its field would always be empty." +
				"\n\n" +
				"The message names the nearest field, or the element that has removed or renamed it. If records have the field all the same, add it to the schema.",
			Bad: `schema "order" {
  field "id" { type = "int64" }
  field "email" { type = "string?" }
  field "lines" { type = "array<string>" }
}

pipeline "p" {
  input "stdin" "in" {
    value "json" {
      schema = schema.order
    }
  }
  processor "mask_field" "private" {
    fields = ["emial"]
  }
  output "stdout" "out" {}
}
`,
			Good: `schema "order" {
  field "id" { type = "int64" }
  field "email" { type = "string?" }
  field "lines" { type = "array<string>" }
}

pipeline "p" {
  input "stdin" "in" {
    value "json" {
      schema = schema.order
    }
  }
  processor "mask_field" "private" {
    fields = ["email"]
  }
  output "stdout" "out" {}
}
`,
		},
		{
			ID: OptionMisfit, Name: "option-does-not-fit", Category: Options, Severity: Error,
			Summary: "A processor cannot do with a field what an option says, since its type does not allow it.",
			Doc: "Every record would be refused: a list is no number, a number is no time, nothing can be set within a text. The schema of the records at the processor, which `flow schema` shows, says so before the first one comes." +
				"\n\n" +
				"Name another field, convert it before, or correct the schema if that is what is wrong.",
			Bad: `schema "order" {
  field "id" { type = "int64" }
  field "email" { type = "string?" }
  field "lines" { type = "array<string>" }
}

pipeline "p" {
  input "stdin" "in" {
    value "json" {
      schema = schema.order
    }
  }
  processor "cast" "numbers" {
    fields = { lines = "int32" }
  }
  output "stdout" "out" {}
}
`,
			Good: `schema "order" {
  field "id" { type = "int64" }
  field "email" { type = "string?" }
  field "lines" { type = "array<string>" }
}

pipeline "p" {
  input "stdin" "in" {
    value "json" {
      schema = schema.order
    }
  }
  processor "cast" "texts" {
    fields = { id = "string" }
  }
  output "stdout" "out" {}
}
`,
		},
		{
			ID: OutputMisfit, Name: "records-do-not-fit", Category: Options, Severity: Error,
			Summary: "An output, or its converter, cannot write the records that arrive there.",
			Doc: "Every record would be refused: the schema of the option lacks a field or gives it another type, the format has no such type, or it allows no such name. The schema of the records, which `flow schema` shows at the output, says so before the first one comes." +
				"\n\n" +
				"Make the records fit with a processor before the output, or correct the schema of the option. A format that cannot carry a type often has an option that says what becomes of it; the message names it.",
			Bad: `schema "order" {
  field "id" { type = "int64" }
  field "email" { type = "string?" }
  field "lines" { type = "array<string>" }
}

pipeline "p" {
  input "stdin" "in" {
    value "json" {
      schema = schema.order
    }
  }
  output "stdout" "out" {
    value "json" {
      schema = "struct{id int64, total float64}"
    }
  }
}
`,
			Good: `schema "order" {
  field "id" { type = "int64" }
  field "email" { type = "string?" }
  field "lines" { type = "array<string>" }
}

pipeline "p" {
  input "stdin" "in" {
    value "json" {
      schema = schema.order
    }
  }
  processor "map" "total" {
    set = { total = "float(value.id)" }
  }
  output "stdout" "out" {
    value "json" {
      schema = "struct{id int64, total float64?}"
    }
  }
}
`,
		},
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
