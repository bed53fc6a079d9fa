package rules

// Ids of dead code.
const (
	ConstantCondition  ID = "FL2510"
	NeverHolds         ID = "FL2511"
	AlwaysHolds        ID = "FL2512"
	RedundantCondition ID = "FL2513"
	ComparedWithBool   ID = "FL2514"
	ShadowedCase       ID = "FL2515"
	UnusedVariable     ID = "FL2516"
	UnusedLocal        ID = "FL2517"
	UnusedFunction     ID = "FL2518"
	UnusedConnection   ID = "FL2519"
	OverwrittenSet     ID = "FL2520"
	ReadsGone          ID = "FL2521"
	RemovesGone        ID = "FL2522"
	SetToItself        ID = "FL2523"
	SameBranches       ID = "FL2524"
	UnusedParameter    ID = "FL2525"
	UnusedLet          ID = "FL2526"
	DuplicateElement   ID = "FL2527"
	UnusedSchema       ID = "FL2528"
	NeverThere         ID = "FL2529"
	NoSymbol           ID = "FL2530"
)

// deadCodeRules are about what has no effect.
func deadCodeRules() []Rule {
	return []Rule{
		{
			ID: ConstantCondition, Name: "constant-condition", Category: DeadCode, Severity: Warning, Fixable: true,
			Summary: "A condition is the same for every record.",
			Doc: `A filter that lets everything or nothing through, or a ` + "`" + `when` + "`" + ` that is always true, was most likely meant otherwise: a name in quotes too many compares a text with
itself, a value that was tried out was left.

Write a condition on the record. A switch belongs into a variable, ` + "`" + `where = "var.all || value.status == 'paid'"` + "`" + `: conditions that depend on ` + "`" + `var` + "`" + ` or ` + "`" + `local` + "`" + ` are not reported.
` + "`" + `--fix` + "`" + ` removes a ` + "`" + `when` + "`" + ` that is always true.`,
			Bad: `pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "map" "shape" {
    when = "true"
    set  = { total = "value.price * value.quantity" }
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
    when = "value.price != nil"
    set  = { total = "value.price * value.quantity" }
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
		},
		{
			ID: NeverHolds, Name: "condition-never-holds", Category: DeadCode, Severity: Warning,
			Summary: "A condition can hold for no record.",
			Doc: `Its parts exclude each other, or a function never gives what it is compared with, as in ` + "`" + `lower(value.country) == 'KR'` + "`" + `. What depends on it never happens.

Most often ` + "`" + `||` + "`" + ` was meant, or one side of a range is the wrong way round. A filter in front that excludes the condition counts too.`,
			Bad: `pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "filter" "wanted" {
    where = "value.status == 'paid' && value.status == 'sent'"
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
    where = "value.status == 'paid' || value.status == 'sent'"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
		},
		{
			ID: AlwaysHolds, Name: "condition-always-holds", Category: DeadCode, Severity: Warning,
			Summary: "A condition holds for every record.",
			Doc: `One of its parts is always true: ` + "`" + `value.status != 'paid' || value.status != 'sent'` + "`" + ` leaves nothing out, since no status is both.

Most often ` + "`" + `&&` + "`" + ` was meant.`,
			Bad: `pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "filter" "wanted" {
    where = "value.status != 'paid' || value.status != 'sent'"
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
    where = "value.status != 'paid' && value.status != 'sent'"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
		},
		{
			ID: RedundantCondition, Name: "redundant-condition", Category: DeadCode, Severity: Warning, Fixable: true,
			Summary: "A part of a condition adds nothing to the others.",
			Doc: `What is there twice, or follows from what was asked before, makes a reader look for a difference. Often one of the two was to be something else.

Remove it, ` + "`" + `--fix` + "`" + ` does, or write what was meant. A guard such as ` + "`" + `value.total != nil && value.total > 5` + "`" + ` is no such part.`,
			Bad: `pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "filter" "wanted" {
    where = "value.total > 100 && value.total > 50"
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
    where = "value.total > 100 && value.total < 500"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
		},
		{
			ID: ComparedWithBool, Name: "compared-with-bool", Category: DeadCode, Severity: Warning, Fixable: true,
			Summary: "What is true or false already is compared with true or false.",
			Doc: `` + "`" + `(value.total > 100) == true` + "`" + ` is ` + "`" + `value.total > 100` + "`" + `. Fields may be compared with true: ` + "`" + `value.active == true` + "`" + ` is false where the field is missing, and says so.

` + "`" + `--fix` + "`" + ` removes the comparison.`,
			Bad: `pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "filter" "wanted" {
    where = "(value.total > 100) == true"
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
    where = "value.total > 100 && value.active == true"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
		},
		{
			ID: ShadowedCase, Name: "shadowed-case", Category: DeadCode, Severity: Warning,
			Summary: "A case of a router gets no record, since an earlier case takes them all.",
			Doc: `A record goes to the first case that holds. When an earlier one holds for everything that a later one asks for, the later one never has its turn.

Put the narrower case in front.`,
			Bad: `pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "route" "size" {
    case "large" {
      when = "value.total > 100"
    }
    case "huge" {
      when = "value.total > 1000"
    }
  }

  output "file" "out" {
    from = [processor.size, processor.size.large, processor.size.huge]
    path = "orders.jsonl"
  }
}
`,
			Good: `pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "route" "size" {
    case "huge" {
      when = "value.total > 1000"
    }
    case "large" {
      when = "value.total > 100"
    }
  }

  output "file" "out" {
    from = [processor.size, processor.size.large, processor.size.huge]
    path = "orders.jsonl"
  }
}
`,
		},
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
			ID: OverwrittenSet, Name: "overwritten-set", Category: DeadCode, Severity: Warning,
			Summary: "A member is set, and overwritten or removed before anything reads it.",
			Doc: `The first value is computed for nothing. Either a step in between was to read it, or it is left over.

Remove it.`,
			Bad: `pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "map" "first" {
    set = { total = "value.price * value.quantity" }
  }

  processor "map" "second" {
    set = { total = "value.price * value.quantity - value.rebate" }
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

  processor "map" "first" {
    set = { total = "value.price * value.quantity" }
  }

  processor "map" "second" {
    set = { total = "value.total - value.rebate" }
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
		},
		{
			ID: ReadsGone, Name: "reads-what-is-gone", Category: DeadCode, Severity: Warning,
			Summary: "An expression reads a member that an earlier processor has removed or renamed.",
			Doc: `Behind ` + "`" + `remove` + "`" + `, ` + "`" + `rename` + "`" + ` and ` + "`" + `keep` + "`" + ` a member is missing for every record. A comparison with it is then always false, a computation fails, and neither says why.

Read it before it is taken away, use its new name, or keep it until here.`,
			Bad: `pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "map" "shape" {
    rename = { order_id = "id" }
  }

  processor "filter" "known" {
    where = "value.order_id != nil"
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
    rename = { order_id = "id" }
  }

  processor "filter" "known" {
    where = "value.id != nil"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
		},
		{
			ID: RemovesGone, Name: "removes-what-is-gone", Category: DeadCode, Severity: Warning,
			Summary: "A member is removed or renamed that is not there any more.",
			Doc: `What is not there is no error for ` + "`" + `remove` + "`" + ` and ` + "`" + `rename` + "`" + `, so a name that an earlier step took away goes unnoticed. Within one processor ` + "`" + `keep` + "`" + ` comes first, then ` + "`" + `remove` + "`" + `,
then ` + "`" + `rename` + "`" + `, then ` + "`" + `set` + "`" + `.

Remove the name, or correct it.`,
			Bad: `pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "map" "shape" {
    remove = ["internal"]
  }

  processor "map" "clean" {
    remove = ["internal.trace", "debug"]
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
    remove = ["internal"]
  }

  processor "map" "clean" {
    remove = ["debug"]
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
		},
		{
			ID: SetToItself, Name: "set-to-itself", Category: DeadCode, Severity: Warning,
			Summary: "A member or a part of the record is set to what it is.",
			Doc: `` + "`" + `set = { id = "value.id" }` + "`" + ` changes nothing where the member is there and makes a null of it where it is not. Most often another name was meant on one of the two sides.

Remove it. Where the null is meant, say so: ` + "`" + `value.id ?? nil` + "`" + ` is not reported by this rule.`,
			Bad: `pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "map" "shape" {
    set = { id = "value.id", total = "value.price * value.quantity" }
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
    set = { id = "value.order_id", total = "value.price * value.quantity" }
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
		},
		{
			ID: SameBranches, Name: "same-branches", Category: DeadCode, Severity: Warning,
			Summary: "Both branches of a condition are the same.",
			Doc:     `Whatever the condition is, the result is the same. One of the two was to be something else.`,
			Bad: `pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "map" "shape" {
    set = { price = "value.member ? value.price : value.price" }
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
    set = { price = "value.member ? value.price * 0.9 : value.price" }
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
			ID: DuplicateElement, Name: "duplicate-element", Category: DeadCode, Severity: Warning,
			Summary: "A list that is searched, or an object, has the same thing twice.",
			Doc:     `In a list one is enough to be found; in an object only the last counts. One of the two was most likely to be something else.`,
			Bad: `pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "filter" "wanted" {
    where = "value.country in ['KR', 'JP', 'KR']"
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
    where = "value.country in ['KR', 'JP', 'CN']"
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
