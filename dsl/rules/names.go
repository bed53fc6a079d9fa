package rules

// nameRules are mistakes around the names of variables, locals, functions, connections and schemas.
func nameRules() []Rule {
	return []Rule{
		{
			ID: UnknownVariable, Name: "unknown-variable", Category: Names, Severity: Error,
			Summary: "A variable that no variable block declares.",
			Doc:     "A reference `var.NAME` and the flag `--var NAME=VALUE` both need `variable \"NAME\" { ... }` in the config.",
			Bad: `variable "path" {
  default = "out.jsonl"
}

pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = var.pfad
  }
}
`,
			Good: `variable "path" {
  default = "out.jsonl"
}

pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = var.path
  }
}
`,
		},
		{
			ID: UnknownLocal, Name: "unknown-local", Category: Names, Severity: Error,
			Summary: "A local that no locals block declares.",
			Doc:     "`local.NAME` refers to a pair in any `locals` block of the config. If it stands in another file, name that file too, or the folder.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = local.path
  }
}
`,
			Good: `locals {
  path = "out.jsonl"
}

pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = local.path
  }
}
`,
		},
		{
			ID: UnknownName, Name: "unknown-name", Category: Names, Severity: Error,
			Summary: "A bare word that means nothing.",
			Doc:     "Values of options come from `var.NAME`, `local.NAME` and functions. A text needs quotes.",
			Bad: `pipeline "p" {
  order = none
  input "stdin" "in" {}
  output "stdout" "out" {}
}
`,
			Good: `pipeline "p" {
  order = "none"
  input "stdin" "in" {}
  output "stdout" "out" {}
}
`,
		},
		{
			ID: MisplacedReference, Name: "misplaced-reference", Category: Names, Severity: Error,
			Summary: "A reference that only other options can take.",
			Doc:     "Elements are named in `from` only, a connection only in the option that asks for one. What belongs to a record (`value`, `topic` and so on) exists only while records flow: an option that takes an expression takes it as text in quotes.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = topic
  }
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = "out-{{ topic }}.jsonl"
  }
}
`,
		},
		{
			ID: UnknownConnection, Name: "unknown-connection", Category: Names, Severity: Error,
			Summary: "A connection that no block declares.",
			Doc:     "`connection = connection.TYPE.NAME` needs `connection \"TYPE\" \"NAME\" { ... }` in the config.",
			Bad: `connection "kafka" "main" {
  brokers = ["localhost:9092"]
}

pipeline "p" {
  input "kafka" "in" {
    connection = connection.kafka.mian
    topics     = ["orders"]
    group      = "orders-to-stdout"
  }
  output "stdout" "out" {}
}
`,
			Good: `connection "kafka" "main" {
  brokers = ["localhost:9092"]
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
			ID: WrongConnection, Name: "wrong-connection", Category: Names, Severity: Error, Fixable: true,
			Summary: "What is given as a connection is none, or one of another system.",
			Doc: "A connection is named without quotes by type and name: `connection = connection.kafka.main`." +
				"\n\n" +
				"`--fix` writes it so when the text names one connection of the right type.",
			Bad: `connection "kafka" "main" {
  brokers = ["localhost:9092"]
}

pipeline "p" {
  input "kafka" "in" {
    connection = "main"
    topics     = ["orders"]
    group      = "orders-to-stdout"
  }
  output "stdout" "out" {}
}
`,
			Good: `connection "kafka" "main" {
  brokers = ["localhost:9092"]
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
			ID: NotConstant, Name: "not-constant", Category: Names, Severity: Error,
			Summary: "A value that is needed first refers to another one.",
			Doc:     "Defaults of variables, `sensitive` and the values of a variable file are read before anything else has a value. Put what is made of variables into `locals`.",
			Bad: `variable "name" {
  default = "orders"
}

variable "path" {
  default = "${var.name}.jsonl"
}

pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = "${var.name}-${var.path}"
  }
}
`,
			Good: `variable "name" {
  default = "orders"
}

locals {
  path = "${var.name}.jsonl"
}

pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = "${var.name}-${local.path}"
  }
}
`,
		},
		{
			ID: Circle, Name: "circle", Category: Names, Severity: Error,
			Summary: "Locals or functions refer to each other in a circle.",
			Doc:     "None of them could ever get a value. The message shows the way round.",
			Bad: `locals {
  a = local.b
  b = local.a
}

pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = local.a
  }
}
`,
			Good: `locals {
  a = local.b
  b = "out.jsonl"
}

pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = local.a
  }
}
`,
		},
		{
			ID: WrongParameter, Name: "wrong-parameter", Category: Names, Severity: Error,
			Summary: "The parameters of a function are not a list of different names.",
			Doc:     "`params = [\"s\", \"n\"]`: names in quotes, each once, of letters, digits and `_`.",
			Bad: `function "hide" {
  params = ["the text"]
  result = "'****'"
}

pipeline "p" {
  input "stdin" "in" {}
  processor "map" "mask" {
    set = { card = "hide(value.card)" }
  }
  output "stdout" "out" {}
}
`,
			Good: `function "hide" {
  params = ["s"]
  result = "len(s) > 4 ? '****' + s[len(s)-4:] : '****'"
}

pipeline "p" {
  input "stdin" "in" {}
  processor "map" "mask" {
    set = { card = "hide(value.card)" }
  }
  output "stdout" "out" {}
}
`,
		},
		{
			ID: ReservedFunction, Name: "reserved-function", Category: Names, Severity: Error,
			Summary: "A function has the name of one of the language's own.",
			Doc:     "Functions of the language cannot be replaced: whoever reads an expression must be able to rely on them.",
			Bad: `function "lower" {
  params = ["s"]
  result = "s"
}

pipeline "p" {
  input "stdin" "in" {}
  output "stdout" "out" {}
}
`,
			Good: `function "plain" {
  params = ["s"]
  result = "lower(trim(s))"
}

pipeline "p" {
  input "stdin" "in" {}
  processor "map" "mail" {
    set = { mail = "plain(value.mail)" }
  }
  output "stdout" "out" {}
}
`,
		},
		{
			ID: UnknownConfigFunction, Name: "unknown-config-function", Category: Names, Severity: Error,
			Summary: "HCL has no function of this name.",
			Doc:     "Functions of HCL make values of options, as in Terraform: `lower`, `join`, `env`, `file` and so on. Functions of `function` blocks, and those for records, work in expressions only, which stand in quotes.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = lowr("OUT.jsonl")
  }
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = lower("OUT.jsonl")
  }
}
`,
		},
		{
			ID: WrongCall, Name: "wrong-call", Category: Names, Severity: Error,
			Summary: "A function of HCL is called with the wrong arguments, or fails.",
			Doc:     "The message names the argument. `env(\"NAME\")` fails when the variable is not set: a password is never made of nothing. For lint in CI set it, or give a default: `env(\"NAME\", \"\")`.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = lower("OUT.jsonl", "de")
  }
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = lower("OUT.jsonl")
  }
}
`,
		},
		{
			ID: NoResult, Name: "no-result", Category: Names, Severity: Error,
			Summary: "An expression of HCL has no result.",
			Doc:     "What stands outside quotes is evaluated when the config is read: a text is not added to a number, an object has only the members that it has, an index lies within its list.",
			Bad: `locals {
  paths = ["out.jsonl"]
}

pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = local.paths[1]
  }
}
`,
			Good: `locals {
  paths = ["out.jsonl"]
}

pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = local.paths[0]
  }
}
`,
		},
		{
			ID: UnknownSchema, Name: "unknown-schema", Category: Names, Severity: Error,
			Summary: "A schema block is referred to that does not exist.",
			Doc:     "Schema blocks stand at the top level of the config, `schema \"order\" { ... }`, and options refer to them by `schema.order`, without quotes.",
			Bad: `schema "order" {
  field "id" { type = "int64" }
}

pipeline "p" {
  input "stdin" "in" {
    value "json" {
      schema = schema.ordre
    }
  }
  output "stdout" "out" {
    value "json" {
      schema = schema.order
    }
  }
}
`,
			Good: `schema "order" {
  field "id" { type = "int64" }
}

pipeline "p" {
  input "stdin" "in" {
    value "json" {
      schema = schema.order
    }
  }
  output "stdout" "out" {
    value "json" {
      schema = schema.order
    }
  }
}
`,
		},
		{
			ID: WrongSchema, Name: "wrong-schema", Category: Names, Severity: Error, Fixable: true,
			Summary: "A schema cannot be read, or contradicts itself.",
			Doc: `A schema is written in one way: as fields, as the text of a type, or as Avro, JSON Schema or Kafka Connect's JSON. The types are those of [the language](../schemas.md): ` + "`int64`, `decimal(10,2)`, `timestamp(ms)`, `array<string>`, `struct{id int64, note string?}`" + `.
A type may also be the name of another schema block. A default must be a value of the type of its field. ` + "`--fix`" + ` takes the quotes from the name of a block.`,
			Bad: `schema "order" {
  field "id" { type = "int64" }
}

pipeline "p" {
  input "stdin" "in" {
    value "json" {
      schema = "schema.order"
    }
  }
  output "stdout" "out" {}
}
`,
			Good: `schema "order" {
  field "id" { type = "int64" }
}

pipeline "p" {
  input "stdin" "in" {
    value "json" {
      schema = schema.order
    }
  }
  output "stdout" "out" {}
}
`,
		},
	}
}
