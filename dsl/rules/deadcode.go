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

// deadCodeRules are about other steps that have no effect.
func deadCodeRules() []Rule {
	return []Rule{
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
	}
}
