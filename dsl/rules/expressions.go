package rules

// expressionRules are mistakes in expressions and templates.
func expressionRules() []Rule {
	return []Rule{
		{
			ID: ExprSyntax, Name: "expression-syntax", Category: Expressions, Severity: Error, Fixable: true,
			Summary: "An expression cannot be read.",
			Doc: "[The language](../language.md#expressions) of expressions is that of expr-lang: operators as in most languages, texts in single or double quotes, `==` for equality, `a ? b : c` for choices." +
				"\n\n" +
				"`--fix` doubles a single `=`, and takes the `{{ }}` of a template away from an expression, when the result is right as it stands.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  processor "filter" "paid" {
    where = "value.status = 'paid'"
  }
  output "stdout" "out" {}
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  processor "filter" "paid" {
    where = "value.status == 'paid'"
  }
  output "stdout" "out" {}
}
`,
		},
		{
			ID: ExprEmpty, Name: "expression-empty", Category: Expressions, Severity: Error,
			Summary: "An expression is empty.",
			Doc:     "Write an expression, or leave the option out.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  processor "filter" "paid" {
    where = ""
  }
  output "stdout" "out" {}
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  processor "filter" "paid" {
    where = "value.paid == true"
  }
  output "stdout" "out" {}
}
`,
		},
		{
			ID: ExprTooLarge, Name: "expression-too-large", Category: Expressions, Severity: Error,
			Summary: "An expression, or a number in it, is too large.",
			Doc:     "Whole numbers have 64 bits; write a decimal point to make a number a float. The bounds of an expression's text and parts keep its memory bounded; split a larger one into several steps.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  processor "filter" "huge" {
    where = "value.n == 99999999999999999999"
  }
  output "stdout" "out" {}
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  processor "filter" "huge" {
    where = "value.n == 99999999999999999999.0"
  }
  output "stdout" "out" {}
}
`,
		},
		{
			ID: ExprUnknownName, Name: "expression-unknown-name", Category: Expressions, Severity: Error,
			Summary: "An expression uses a name that means nothing.",
			Doc:     "An expression sees `value`, `key`, `headers`, `topic`, `partition`, `offset`, `timestamp` and `meta` of the record, and `var.*` and `local.*`. A member of the value is written with its path: `value.status`. A constant text needs quotes of its own: `\"'paid'\"`.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  processor "filter" "paid" {
    where = "status == 'paid'"
  }
  output "stdout" "out" {}
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  processor "filter" "paid" {
    where = "value.status == 'paid'"
  }
  output "stdout" "out" {}
}
`,
		},
		{
			ID: ExprUnknownFunction, Name: "expression-unknown-function", Category: Expressions, Severity: Error,
			Summary: "An expression calls a function that there is not.",
			Doc:     "[The functions](../functions.md) of expressions are others than those of HCL, which make values of options. `function` blocks add to them.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  processor "filter" "paid" {
    where = "lowr(value.status) == 'paid'"
  }
  output "stdout" "out" {}
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  processor "filter" "paid" {
    where = "lower(value.status ?? '') == 'paid'"
  }
  output "stdout" "out" {}
}
`,
		},
		{
			ID: ExprWrongArguments, Name: "expression-wrong-arguments", Category: Expressions, Severity: Error,
			Summary: "A function of an expression gets the wrong arguments.",
			Doc:     "Their number or a type does not fit. `:doc NAME` in `flow expr` and [the reference](../functions.md) show what a function takes.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  processor "filter" "paid" {
    where = "lower() == 'paid'"
  }
  output "stdout" "out" {}
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  processor "filter" "paid" {
    where = "lower(value.status ?? '') == 'paid'"
  }
  output "stdout" "out" {}
}
`,
		},
		{
			ID: ExprTypes, Name: "expression-types", Category: Expressions, Severity: Error,
			Summary: "An operator does not take what it is given.",
			Doc:     "Types of constants, of functions' results and of the record's own fields (`offset`, `timestamp`) are known before anything runs, so a text is not multiplied and a time not compared with a number. `int(...)`, `float(...)`, `string(...)` and `date(...)` convert.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  processor "filter" "late" {
    where = "offset > 'ten'"
  }
  output "stdout" "out" {}
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  processor "filter" "late" {
    where = "offset > 10"
  }
  output "stdout" "out" {}
}
`,
		},
		{
			ID: ExprNotBool, Name: "condition-not-bool", Category: Expressions, Severity: Error,
			Summary: "A condition is something else than true or false.",
			Doc:     "There is no truth of texts and numbers: compare with something. A value that may be missing is no bool either: `value.paid == true`.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  processor "filter" "paid" {
    where = "'paid'"
  }
  output "stdout" "out" {}
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  processor "filter" "paid" {
    where = "value.status == 'paid'"
  }
  output "stdout" "out" {}
}
`,
		},
		{
			ID: ExprFails, Name: "expression-always-fails", Category: Expressions, Severity: Error,
			Summary: "An expression fails whatever the record is.",
			Doc:     "Constants are computed when the config is read, and this computation fails; at run time it would make every record an error.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  processor "filter" "paid" {
    where = "int('many') > 1"
  }
  output "stdout" "out" {}
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  processor "filter" "paid" {
    where = "value.n == 12"
  }
  output "stdout" "out" {}
}
`,
		},
		{
			ID: ExprNoMember, Name: "expression-no-member", Category: Expressions, Severity: Error,
			Summary: "An expression reads a member of something that has none.",
			Doc:     "`topic` is text, `offset` a number: they have no members. Headers have names that are texts. A constant has only the members that are written there.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  processor "filter" "orders" {
    where = "topic.name == 'orders'"
  }
  output "stdout" "out" {}
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  processor "filter" "orders" {
    where = "topic == 'orders'"
  }
  output "stdout" "out" {}
}
`,
		},
		{
			ID: ExprNameTaken, Name: "expression-name-taken", Category: Expressions, Severity: Error,
			Summary: "A name given by let or to a parameter means something else already.",
			Doc:     "Names of the record, of constants and of functions cannot be given again, so that they mean the same everywhere.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  processor "filter" "paid" {
    where = "let value = 1; value == 1"
  }
  output "stdout" "out" {}
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  processor "filter" "paid" {
    where = "let status = value.status; status == 'paid' || status == 'sent'"
  }
  output "stdout" "out" {}
}
`,
		},
		{
			ID: ExprPattern, Name: "expression-pattern", Category: Expressions, Severity: Error,
			Summary: "A regular expression within an expression cannot be read.",
			Doc:     "Patterns have [RE2's syntax](https://github.com/google/re2/wiki/Syntax): no look-around and no references back.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  processor "filter" "numbers" {
    where = "value.id matches '[0-9'"
  }
  output "stdout" "out" {}
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  processor "filter" "numbers" {
    where = "value.id matches '^[0-9]+$'"
  }
  output "stdout" "out" {}
}
`,
		},
		{
			ID: ExprNoRecord, Name: "no-record-here", Category: Expressions, Severity: Error,
			Summary: "An expression uses the record where there is none.",
			Doc:     "A function sees its parameters, constants and other functions, not the record. What it works on is passed to it, so that it means the same wherever it is called.",
			Bad: `function "hide" {
  params = []
  result = "value.card[0:4] + '****'"
}

pipeline "p" {
  input "stdin" "in" {}
  processor "map" "mask" {
    set = { card = "hide()" }
  }
  output "stdout" "out" {}
}
`,
			Good: `function "hide" {
  params = ["s"]
  result = "s[0:4] + '****'"
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
			ID: TemplateHole, Name: "template-hole", Category: Expressions, Severity: Error,
			Summary: "A hole of a template is not closed, or never gives text.",
			Doc:     "A template is literal text with holes `{{ expression }}`. What a hole gives must be a text, number, bool or time; a record for which it is null is an error of that record. Two braces themselves are written `{{ \"{{\" }}`.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = "out-{{ value.day.jsonl"
  }
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = "out-{{ value.day }}.jsonl"
  }
}
`,
		},
		{
			ID: Interpolation, Name: "interpolation", Category: Expressions, Severity: Error, Fixable: true,
			Summary: "HCL's ${ } stands in an expression or in a hole of a template.",
			Doc: "It would paste text into code: a value with a quote would break the expression, or change what it does. Expressions see `var.*` and `local.*` themselves, as typed values." +
				"\n\n" +
				"`--fix` takes the `${ }` away from a variable or local that stands outside of quotes.",
			Bad: `variable "min" {
  default = 100
}

pipeline "p" {
  input "stdin" "in" {}
  processor "filter" "large" {
    where = "value.amount == ${var.min}"
  }
  output "stdout" "out" {}
}
`,
			Good: `variable "min" {
  default = 100
}

pipeline "p" {
  input "stdin" "in" {}
  processor "filter" "large" {
    where = "value.amount == var.min"
  }
  output "stdout" "out" {}
}
`,
		},
		{
			ID: UnquotedExpression, Name: "unquoted-expression", Category: Expressions, Severity: Error, Fixable: true,
			Summary: "An expression does not stand in quotes.",
			Doc: "What stands outside quotes is HCL and is evaluated once, when the config is read. An expression is evaluated for each record and stands in quotes." +
				"\n\n" +
				"`--fix` adds them when the result is an expression without a mistake.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  processor "filter" "paid" {
    where = value.status == "paid"
  }
  output "stdout" "out" {}
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  processor "filter" "paid" {
    where = "value.status == 'paid'"
  }
  output "stdout" "out" {}
}
`,
		},
		{
			ID: HoleOutside, Name: "hole-outside-template", Category: Expressions, Severity: Error,
			Summary: "What a variable, local or function gives to a template holds {{.",
			Doc:     "Values are literal text in a template. If they could hold holes, whoever sets a variable could run expressions. Write the hole in the option itself.",
			Bad: `locals {
  name = "{{ topic }}"
}

pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = "out-${local.name}.jsonl"
  }
}
`,
			Good: `locals {
  prefix = "out"
}

pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = "${local.prefix}-{{ topic }}.jsonl"
  }
}
`,
		},
	}
}
