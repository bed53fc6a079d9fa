package rules

// optionRules are mistakes in options and their values.
func optionRules() []Rule {
	return []Rule{
		{
			ID: UnknownOption, Name: "unknown-option", Category: Options, Severity: Error,
			Summary: "An option that the block does not have.",
			Doc:     "An option that nobody reads would have no effect and hide that it has none. The message names the nearest one; `flow show KIND TYPE` lists all.",
			Bad: `pipeline "p" {
  workrs = 2
  input "stdin" "in" {}
  output "stdout" "out" {}
}
`,
			Good: `pipeline "p" {
  workers = 2
  input "stdin" "in" {}
  output "stdout" "out" {}
}
`,
		},
		{
			ID: MisplacedOption, Name: "misplaced-option", Category: Options, Severity: Error,
			Summary: "An option stands in a block that does not have it, while another one does.",
			Doc:     "Options of the pipeline (`workers`, `linger`, `batch_records` and so on) stand directly in the `pipeline` block. `from` belongs to processors and outputs: an input reads from its own source.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  output "stdout" "out" {
    linger = "10ms"
  }
}
`,
			Good: `pipeline "p" {
  linger = "10ms"
  input "stdin" "in" {}
  output "stdout" "out" {}
}
`,
		},
		{
			ID: BlockOrOption, Name: "block-or-option", Category: Options, Severity: Error, Fixable: true,
			Summary: "A block is written as an option, or an option as a block.",
			Doc: "A block has no equals sign: `rotate { ... }`. An option has one, also when its value stands in braces: `set = { ... }`." +
				"\n\n" +
				"`--fix` adds or removes the equals sign when what stands in the braces means the same either way.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = "out.jsonl"
    rotate = {
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
		{
			ID: GivenTwice, Name: "given-twice", Category: Options, Severity: Error,
			Summary: "An option, or a block that may stand once, is there twice.",
			Doc:     "Which of the two counts would be a guess. Remove one.",
			Bad: `pipeline "p" {
  linger = "5ms"
  linger = "10ms"
  input "stdin" "in" {}
  output "stdout" "out" {}
}
`,
			Good: `pipeline "p" {
  linger = "10ms"
  input "stdin" "in" {}
  output "stdout" "out" {}
}
`,
		},
		{
			ID: MissingOption, Name: "missing-option", Category: Options, Severity: Error,
			Summary: "A required option is not given.",
			Doc:     "The component has no default that would be right for everybody. The message says what the option is for and gives an example.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  processor "filter" "paid" {
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
			ID: NullOption, Name: "null-option", Category: Options, Severity: Error,
			Summary: "A required option, an element of a list or a new name is null.",
			Doc:     "`null` stands for the absence of an option, so a required one cannot be null. This happens when a variable without a value is passed through: give it a default, or take nulls out of a list with `compact(...)`.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  output "file" "out" {
    path = null
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
			ID: WrongType, Name: "wrong-type", Category: Options, Severity: Error, Fixable: true,
			Summary: "The value of an option has the wrong type.",
			Doc: "Values are converted where nothing is lost: `\"5\"` is a number, `5` a text. A list needs brackets, also around a single element." +
				"\n\n" +
				"`--fix` puts a single text into brackets where a list of texts is asked for.",
			Bad: `pipeline "p" {
  input "file" "in" {
    paths = "orders.jsonl"
  }
  output "stdout" "out" {}
}
`,
			Good: `pipeline "p" {
  input "file" "in" {
    paths = ["orders.jsonl"]
  }
  output "stdout" "out" {}
}
`,
		},
		{
			ID: WrongDuration, Name: "wrong-duration", Category: Options, Severity: Error,
			Summary: "A duration without its unit, or that is none.",
			Doc:     "A duration is a text of numbers with units: `\"5ms\"`, `\"1m30s\"`. The units are `ns`, `us`, `ms`, `s`, `m` and `h`. A bare number is refused, because whether seconds or milliseconds are meant cannot be seen.",
			Bad: `pipeline "p" {
  linger = 5
  input "stdin" "in" {}
  output "stdout" "out" {}
}
`,
			Good: `pipeline "p" {
  linger = "5ms"
  input "stdin" "in" {}
  output "stdout" "out" {}
}
`,
		},
		{
			ID: WrongSize, Name: "wrong-size", Category: Options, Severity: Error,
			Summary: "A size that is none.",
			Doc:     "A size is a number of bytes, or a text with a unit: `B`, `KB`, `MB`, `GB`, `TB` count in thousands, `KiB`, `MiB`, `GiB`, `TiB` in 1024.",
			Bad: `pipeline "p" {
  batch_bytes = "64K"
  input "stdin" "in" {}
  output "stdout" "out" {}
}
`,
			Good: `pipeline "p" {
  batch_bytes = "64KiB"
  input "stdin" "in" {}
  output "stdout" "out" {}
}
`,
		},
		{
			ID: OutOfBounds, Name: "out-of-bounds", Category: Options, Severity: Error,
			Summary: "A value is higher or lower than is allowed.",
			Doc:     "The bounds stand in the reference of the option and in the message. They keep memory bounded and the numbers sensible.",
			Bad: `pipeline "p" {
  workers = 1000
  input "stdin" "in" {}
  output "stdout" "out" {}
}
`,
			Good: `pipeline "p" {
  workers = 16
  input "stdin" "in" {}
  output "stdout" "out" {}
}
`,
		},
		{
			ID: NotAllowed, Name: "not-allowed", Category: Options, Severity: Error,
			Summary: "The option takes a few fixed texts, and this is none of them.",
			Doc:     "The message lists what is allowed.",
			Bad: `pipeline "p" {
  input "file" "in" {
    path = "orders.jsonl"
    mode = "tale"
  }
  output "stdout" "out" {}
}
`,
			Good: `pipeline "p" {
  input "file" "in" {
    path = "orders.jsonl"
    mode = "tail"
  }
  output "stdout" "out" {}
}
`,
		},
		{
			ID: WrongPattern, Name: "wrong-pattern", Category: Options, Severity: Error,
			Summary: "A regular expression cannot be read.",
			Doc:     "Patterns have [RE2's syntax](https://github.com/google/re2/wiki/Syntax): no look-around and no references back, and in return matching takes a time that grows with the text only. A backslash is written twice in a text of HCL.",
			Bad: `pipeline "p" {
  input "file" "in" {
    path = "app.log"
    multiline {
      start = "^[0-9"
    }
  }
  output "stdout" "out" {}
}
`,
			Good: `pipeline "p" {
  input "file" "in" {
    path = "app.log"
    multiline {
      start = "^[0-9]"
    }
  }
  output "stdout" "out" {}
}
`,
		},
		{
			ID: WrongPath, Name: "wrong-path", Category: Options, Severity: Error,
			Summary: "A path within a record cannot be read.",
			Doc:     "A path is written as in an expression: `customer.email`, `items[0].sku`. A name with a dot or another special character stands in brackets and quotes: `[\"a.b\"]`.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  processor "map" "clean" {
    remove = ["customer..email"]
  }
  output "stdout" "out" {}
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  processor "map" "clean" {
    remove = ["customer.email"]
  }
  output "stdout" "out" {}
}
`,
		},
		{
			ID: NotWrittenOut, Name: "not-written-out", Category: Options, Severity: Error,
			Summary: "An object of expressions must be written out where it is used.",
			Doc:     "The members of `set`, `rename` and `headers` are expressions and paths, which are checked at their place in the file, and their order counts. So the object cannot come from a variable or a function.",
			Bad: `locals {
  fields = { total = "value.price" }
}

pipeline "p" {
  input "stdin" "in" {}
  processor "map" "shape" {
    set = local.fields
  }
  output "stdout" "out" {}
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  processor "map" "shape" {
    set = { total = "value.price" }
  }
  output "stdout" "out" {}
}
`,
		},
		{
			ID: UnknownComponent, Name: "unknown-component", Category: Options, Severity: Error,
			Summary: "flow has no input, processor, output, converter or connection of this type.",
			Doc:     "`flow list` shows all. A binary of your own may have more; lint with that one.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  output "stdot" "out" {}
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  output "stdout" "out" {}
}
`,
		},
		{
			ID: ComponentRule, Name: "component-rule", Category: Options, Severity: Error,
			Summary: "The options of a component do not go together.",
			Doc:     "Each component has rules between its options that no single option shows: one of two must be given, one asks for another. The message is the component's own and says what to do.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  processor "map" "nothing" {
  }
  output "stdout" "out" {}
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  processor "map" "clean" {
    remove = ["internal"]
  }
  output "stdout" "out" {}
}
`,
		},
	}
}
