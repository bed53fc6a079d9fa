package rules

// syntaxRules are what keeps a file from being read, and blocks in the wrong form.
func syntaxRules() []Rule {
	return []Rule{
		{
			ID: UnreadableFile, Name: "unreadable-file", Category: Syntax, Severity: Error,
			Summary: "A file or folder of the config cannot be read.",
			Doc:     "The file is missing, is not readable for this user, or is larger than a config may be (4 MiB). A folder is a config only if it holds files `*.hcl` beside `*.test.hcl`. Relative paths start at the folder in which flow runs.",
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
			ID: NotUTF8, Name: "not-utf8", Category: Syntax, Severity: Error,
			Summary: "A file of the config is not UTF-8 text.",
			Doc:     "HCL is UTF-8. A byte that begins no character comes from another encoding or from binary data. Save the file as UTF-8, without a byte order mark.",
			Bad:     "locals {\n  city = \"S\xe9oul\"\n}\n",
			Good: `pipeline "p" {
  input "stdin" "in" {}
  processor "map" "city" {
    set = { city = "'Séoul'" }
  }
  output "stdout" "out" {}
}
`,
		},
		{
			ID: TooLarge, Name: "beyond-a-bound", Category: Syntax, Severity: Error,
			Summary: "Something in the config is beyond what flow reads: nesting, the exponent of a number, the number of mistakes.",
			Doc:     "Bounds keep hostile or generated text from exhausting memory: at most 200 open brackets, exponents up to 400, 500 reported findings. A config that is written by people stays far below them.",
			Bad: `locals {
  most = 1e500
}
`,
			Good: `locals {
  most = 1e9
}

pipeline "p" {
  input "stdin" "in" {}
  processor "map" "cap" {
    set = { most = "local.most" }
  }
  output "stdout" "out" {}
}
`,
		},
		{
			ID: WrongSyntax, Name: "wrong-syntax", Category: Syntax, Severity: Error,
			Summary: "The text is not HCL.",
			Doc:     "The parser could not read the text at this place. Until that is corrected, nothing else of the config is checked, because what is missing would be reported as many further mistakes.",
			Bad: `locals {
  both = true & false
}
`,
			Good: `locals {
  both = true && false
}

pipeline "p" {
  input "stdin" "in" {}
  processor "map" "flag" {
    set = { both = "local.both" }
  }
  output "stdout" "out" {}
}
`,
		},
		{
			ID: MissingEquals, Name: "missing-equals-or-brace", Category: Syntax, Severity: Error,
			Summary: "A line is neither an option nor the beginning of a block.",
			Doc:     "An option is `NAME = VALUE`. A block is `TYPE \"LABEL\" {`, with the brace on the same line.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path "out.jsonl"
  }
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = "out.jsonl"
  }
}
`,
		},
		{
			ID: UnclosedBlock, Name: "unclosed-block", Category: Syntax, Severity: Error,
			Summary: "A block has no closing brace.",
			Doc:     "The place is that of the block that is still open at the end of the file. The brace may be missing further down, in a block within it; `flow fmt` shows by the indentation where.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  output "stdout" "out" {}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  output "stdout" "out" {}
}
`,
		},
		{
			ID: UnclosedText, Name: "unclosed-text", Category: Syntax, Severity: Error,
			Summary: "A text has no closing quote on its line.",
			Doc:     "A text in quotes ends on the line on which it begins. One of several lines is a heredoc: `<<-EOT`, the lines, and `EOT` on a line of its own.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = "out.jsonl
  }
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = "out.jsonl"
  }
}
`,
		},
		{
			ID: SingleQuotes, Name: "single-quotes", Category: Syntax, Severity: Error, Fixable: true,
			Summary: "A text of HCL stands in single quotes.",
			Doc: "HCL knows double quotes only. Single quotes are for texts within an expression, which itself stands in double quotes: `where = \"value.status == 'paid'\"`." +
				"\n\n" +
				"`--fix` turns the quotes when they are the only ones on the line.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = 'out.jsonl'
  }
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = "out.jsonl"
  }
}
`,
		},
		{
			ID: WrongEscape, Name: "wrong-escape", Category: Syntax, Severity: Error,
			Summary: "A backslash in a text begins no escape that HCL knows.",
			Doc:     "HCL knows `\\n`, `\\r`, `\\t`, `\\\"`, `\\\\`, `\\uXXXX` and `\\UXXXXXXXX`. A backslash itself, as in a regular expression, is written twice; in a heredoc once.",
			Bad: `pipeline "p" {
  input "file" "in" {
    path = "app.log"
    multiline {
      start = "^\d{4}-"
    }
  }
  output "stdout" "out" {}
}
`,
			Good: `pipeline "p" {
  input "file" "in" {
    path = "app.log"
    multiline {
      start = "^\\d{4}-"
    }
  }
  output "stdout" "out" {}
}
`,
		},
		{
			ID: CrowdedLine, Name: "crowded-line", Category: Syntax, Severity: Error,
			Summary: "One line holds more than one option.",
			Doc:     "Each option stands on a line of its own. Only a block with a single option may be written on one line: `output \"file\" \"out\" { path = \"out.jsonl\" }`.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" { path = "out.jsonl" append = true }
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path   = "out.jsonl"
    append = true
  }
}
`,
		},
		{
			ID: MisplacedBlock, Name: "misplaced-block", Category: Syntax, Severity: Error,
			Summary: "A block stands where blocks of its type do not.",
			Doc:     "`input`, `processor` and `output` stand in a `pipeline` block and do not nest. `key`, `value` and `header_values` belong to inputs and outputs, which convert. `test` blocks stand in files `*.test.hcl`.",
			Bad: `input "stdin" "in" {}

pipeline "p" {
  input "stdin" "main" {}
  output "stdout" "out" {}
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  output "stdout" "out" {}
}
`,
		},
		{
			ID: WrongLabels, Name: "wrong-labels", Category: Syntax, Severity: Error,
			Summary: "A block has too many or too few labels.",
			Doc:     "Elements and connections have a type and a name, pipelines, variables and functions a name, `locals` none. A converter's label is its type: `value \"csv\" {`.",
			Bad: `pipeline {
  input "stdin" "in" {}
  output "stdout" "out" {}
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  output "stdout" "out" {}
}
`,
		},
		{
			ID: BadName, Name: "bad-name", Category: Syntax, Severity: Error,
			Summary: "A label that is a name cannot be one.",
			Doc:     "Names begin with a letter and go on with letters, digits, `_` and `-`, so that a reference can be written with them. Names of variables, locals and functions have no `-`: in an expression that would be a minus.",
			Bad: `pipeline "all orders" {
  input "stdin" "in" {}
  output "stdout" "out" {}
}
`,
			Good: `pipeline "all-orders" {
  input "stdin" "in" {}
  output "stdout" "out" {}
}
`,
		},
		{
			ID: DeclaredTwice, Name: "declared-twice", Category: Syntax, Severity: Error,
			Summary: "Two blocks of one kind have the same name.",
			Doc:     "A reference could mean either of them, and positions, metrics and logs go by the name. The message tells where the first one stands, which may be in another file of the folder.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = "a.jsonl"
  }
  output "file" "out" {
    path = "b.jsonl"
  }
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = "a.jsonl"
  }
  output "file" "copy" {
    path = "b.jsonl"
  }
}
`,
		},
		{
			ID: NoPipeline, Name: "no-pipeline", Category: Syntax, Severity: Error,
			Summary: "The config has no pipeline.",
			Doc:     "There is nothing to run. A config needs at least one `pipeline` block with an input and an output. Files of one config that are named one by one must all be named: `flow lint a.hcl b.hcl`, or their folder.",
			Bad: `# Nothing here yet.
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  output "stdout" "out" {}
}
`,
		},
		{
			ID: UnknownBlock, Name: "unknown-block", Category: Syntax, Severity: Error,
			Summary: "There is no block of this type here.",
			Doc:     "A file holds `variable`, `locals`, `connection`, `function` and `pipeline` blocks. Which blocks a component takes is shown by `flow show`, for example `flow show output file`.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = "out.jsonl"
    rotation {
      size = "1MiB"
    }
  }
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = "out.jsonl"
    rotate {
      size = "1MiB"
    }
  }
}
`,
		},
	}
}
