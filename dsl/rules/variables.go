package rules

// variableRules are mistakes around the values of variables.
func variableRules() []Rule {
	return []Rule{
		{
			ID: NoValue, Name: "variable-without-value", Category: Names, Severity: Error,
			Summary: "A variable has no default, and nobody gives it a value.",
			Doc:     "A value comes from `--var NAME=VALUE`, from a file of `--var-file`, or from the environment variable `FLOW_VAR_NAME`. For lint in CI give the values of one environment, or a default.",
			Bad: `variable "path" {}

pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = var.path
  }
}
`,
			Good: `var: path=out.jsonl
-- main.hcl --
variable "path" {}

pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = var.path
  }
}
`,
		},
		{
			ID: WrongValue, Name: "wrong-value", Category: Names, Severity: Error,
			Summary: "The value given to a variable does not have its type.",
			Doc:     "On the command line and in the environment, a text, number or bool is plain text, and anything else is written as in a config: `--var 'topics=[\"a\", \"b\"]'`.",
			Bad: `var: workers=many
-- main.hcl --
variable "workers" {
  type = number
}

pipeline "p" {
  workers = var.workers
  input "stdin" "in" {}
  output "stdout" "out" {}
}
`,
			Good: `var: workers=2
-- main.hcl --
variable "workers" {
  type = number
}

pipeline "p" {
  workers = var.workers
  input "stdin" "in" {}
  output "stdout" "out" {}
}
`,
		},
		{
			ID: RefusedValue, Name: "refused-value", Category: Names, Severity: Error,
			Summary: "A validation of the variable refuses its value.",
			Doc:     "The message is the `error_message` of the `validation` block.",
			Bad: `var: region=mars
-- main.hcl --
variable "region" {
  type = string
  validation {
    condition     = contains(["kr", "jp"], var.region)
    error_message = "There is no region ${var.region}."
  }
}

pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = "out-${var.region}.jsonl"
  }
}
`,
			Good: `var: region=kr
-- main.hcl --
variable "region" {
  type = string
  validation {
    condition     = contains(["kr", "jp"], var.region)
    error_message = "There is no region ${var.region}."
  }
}

pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = "out-${var.region}.jsonl"
  }
}
`,
		},
		{
			ID: WrongVariable, Name: "wrong-variable", Category: Names, Severity: Error,
			Summary: "A variable block does not say what it must.",
			Doc:     "`type` is a type such as `string` or `list(number)`, `sensitive` is true or false, the `condition` of a validation gives true or false.",
			Bad: `variable "path" {
  type    = text
  default = "out.jsonl"
}

pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = var.path
  }
}
`,
			Good: `variable "path" {
  type    = string
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
			ID: UnusedValue, Name: "unused-value", Category: Names, Severity: Warning,
			Summary: "A variable file gives a value to a variable that nobody declares.",
			Doc:     "It is a warning only, so that several configs can share one file. If the name is a misspelt one, the variable that was meant keeps its default.",
			Bad: `var-file: values.hclvars
-- main.hcl --
variable "path" {
  default = "out.jsonl"
}

pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = var.path
  }
}
-- values.hclvars --
paht = "orders.jsonl"
`,
			Good: `var-file: values.hclvars
-- main.hcl --
variable "path" {
  default = "out.jsonl"
}

pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = var.path
  }
}
-- values.hclvars --
path = "orders.jsonl"
`,
		},
		{
			ID: WrongVarFlag, Name: "wrong-var-flag", Category: Names, Severity: Error,
			Summary: "A flag --var is not of the form name=value.",
			Doc:     "Write `--var name=value`. A value with spaces or quotes needs the quotes of the shell around the whole: `--var 'topics=[\"a\", \"b\"]'`.",
			Bad: `var: path
-- main.hcl --
variable "path" {
  default = "out.jsonl"
}

pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = var.path
  }
}
`,
			Good: `var: path=orders.jsonl
-- main.hcl --
variable "path" {
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
			ID: BlocksInVarFile, Name: "blocks-in-variable-file", Category: Names, Severity: Error,
			Summary: "A variable file holds a block.",
			Doc:     "A variable file holds `NAME = VALUE` lines only, or is a JSON object in a file `*.json`. Blocks belong to the config.",
			Bad: `var-file: values.hclvars
-- main.hcl --
variable "path" {
  default = "out.jsonl"
}

pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = var.path
  }
}
-- values.hclvars --
variable "path" {
  default = "orders.jsonl"
}
`,
			Good: `var-file: values.hclvars
-- main.hcl --
variable "path" {
  default = "out.jsonl"
}

pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = var.path
  }
}
-- values.hclvars --
path = "orders.jsonl"
`,
		},
	}
}
