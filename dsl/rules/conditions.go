package rules

// conditionRules are about conditions that decide nothing.
func conditionRules() []Rule {
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
	}
}
