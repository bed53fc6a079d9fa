package rules

// wiringRules are mistakes in how elements are joined.
func wiringRules() []Rule {
	return []Rule{
		{
			ID: WrongFrom, Name: "wrong-from", Category: Wiring, Severity: Error, Fixable: true,
			Summary: "from is not a list of elements.",
			Doc: "`from` takes a list of references without quotes: `from = [input.a, processor.route.kr, errors]`." +
				"\n\n" +
				"`--fix` adds the brackets around one reference and takes quotes away from a reference to an element that exists.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  output "stdout" "out" {
    from = input.in
  }
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  output "stdout" "out" {
    from = [input.in]
  }
}
`,
		},
		{
			ID: UnknownElement, Name: "unknown-element", Category: Wiring, Severity: Error,
			Summary: "A reference to an element that the pipeline does not have.",
			Doc:     "References reach elements of the same pipeline: `input.NAME`, `processor.NAME`, `processor.NAME.PORT`, `errors`. To hand records to another pipeline, write them to a file or topic that it reads.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  output "stdout" "out" {
    from = [input.inn]
  }
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  output "stdout" "out" {
    from = [input.in]
  }
}
`,
		},
		{
			ID: UnknownPort, Name: "unknown-port", Category: Wiring, Severity: Error,
			Summary: "The element has no port of this name.",
			Doc:     "A `route` has a port for each case, beside the main one for the rest. Every element has the port `errors`.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  processor "route" "by_country" {
    case "kr" {
      when = "value.country == 'KR'"
    }
  }
  output "file" "kr" {
    from = [processor.by_country.kr]
    path = "kr.jsonl"
  }
  output "file" "jp" {
    from = [processor.by_country.jp]
    path = "jp.jsonl"
  }
  output "file" "rest" {
    path = "rest.jsonl"
  }
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  processor "route" "by_country" {
    case "kr" {
      when = "value.country == 'KR'"
    }
    case "jp" {
      when = "value.country == 'JP'"
    }
  }
  output "file" "kr" {
    from = [processor.by_country.kr]
    path = "kr.jsonl"
  }
  output "file" "jp" {
    from = [processor.by_country.jp]
    path = "jp.jsonl"
  }
  output "file" "rest" {
    path = "rest.jsonl"
  }
}
`,
		},
		{
			ID: AmbiguousReference, Name: "ambiguous-reference", Category: Wiring, Severity: Error,
			Summary: "A reference means an element and a port of another one.",
			Doc:     "`processor.A.B` is the port B of the element A, or the element B of type A. Write type, name and port, or rename one of the two.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  processor "route" "map" {
    case "shape" {
      when = "value.city == 'Seoul'"
    }
  }
  processor "map" "shape" {
    set = { a = "1" }
  }
  output "stdout" "out" {
    from = [processor.map.shape]
  }
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  processor "route" "cities" {
    case "seoul" {
      when = "value.city == 'Seoul'"
    }
  }
  processor "map" "shape" {
    set = { a = "1" }
  }
  output "stdout" "out" {
    from = [processor.map.shape, processor.cities.seoul]
  }
}
`,
		},
		{
			ID: OutputRead, Name: "output-read", Category: Wiring, Severity: Error,
			Summary: "An element reads from an output.",
			Doc:     "An output is where records leave the pipeline. To write to two outputs, let both read the same element. What can be read of an output is its errors: `output.NAME.errors`.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  output "file" "first" {
    path = "a.jsonl"
  }
  output "file" "second" {
    from = [output.first]
    path = "b.jsonl"
  }
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  output "file" "first" {
    path = "a.jsonl"
  }
  output "file" "second" {
    from = [input.in]
    path = "b.jsonl"
  }
}
`,
		},
		{
			ID: ElementCircle, Name: "element-circle", Category: Wiring, Severity: Error,
			Summary: "Elements read from each other in a circle.",
			Doc:     "Records would run round for ever. The message shows the way round; change one of the `from`.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  processor "filter" "a" {
    from  = [input.in, processor.b]
    where = "value.a == 1"
  }
  processor "filter" "b" {
    from  = [processor.a]
    where = "value.b == 1"
  }
  output "stdout" "out" {
    from = [processor.b]
  }
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  processor "filter" "a" {
    from  = [input.in]
    where = "value.a == 1"
  }
  processor "filter" "b" {
    from  = [processor.a]
    where = "value.b == 1"
  }
  output "stdout" "out" {
    from = [processor.b]
  }
}
`,
		},
		{
			ID: ReadTwice, Name: "read-twice", Category: Wiring, Severity: Error,
			Summary: "An element reads the same thing twice.",
			Doc:     "Each record would come twice. If it may arrive on two ways, that is fine; the same port twice is not.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  output "stdout" "out" {
    from = [input.in, input.stdin.in]
  }
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  output "stdout" "out" {
    from = [input.in]
  }
}
`,
		},
		{
			ID: Unread, Name: "nobody-reads", Category: Wiring, Severity: Error,
			Summary: "Nobody reads what an element gives.",
			Doc:     "Its records would vanish. flow drops nothing because nobody said what to do with it: add a `from` to the element that is to read it, or drop the records with `output \"drop\" \"NAME\" { from = [...] }`, where they are counted.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  processor "route" "by_country" {
    case "kr" {
      when = "value.country == 'KR'"
    }
  }
  output "stdout" "rest" {}
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  processor "route" "by_country" {
    case "kr" {
      when = "value.country == 'KR'"
    }
  }
  output "file" "kr" {
    from = [processor.by_country.kr]
    path = "kr.jsonl"
  }
  output "stdout" "rest" {}
}
`,
		},
		{
			ID: OutputBeforeProcessors, Name: "output-before-processors", Category: Wiring, Severity: Error,
			Summary: "An output without from stands before the processors.",
			Doc:     "Order is the default wiring, so it would get the records as they come from the inputs. In most files that is not what was meant. Move it behind the processors, or say what it reads with `from`.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
  output "stdout" "out" {}
  processor "filter" "paid" {
    where = "value.status == 'paid'"
  }
  output "file" "paid" {
    path = "paid.jsonl"
  }
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  output "stdout" "out" {
    from = [input.in]
  }
  processor "filter" "paid" {
    where = "value.status == 'paid'"
  }
  output "file" "paid" {
    path = "paid.jsonl"
  }
}
`,
		},
		{
			ID: IncompletePipeline, Name: "incomplete-pipeline", Category: Wiring, Severity: Error,
			Summary: "A pipeline has no input or no output.",
			Doc:     "It needs at least one of each. An `output \"drop\"` is for records that nobody wants, an `input \"generate\"` makes records.",
			Bad: `pipeline "p" {
  input "stdin" "in" {}
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  output "stdout" "out" {}
}
`,
		},
		{
			ID: SecondInput, Name: "second-exclusive-input", Category: Wiring, Severity: Error,
			Summary: "Two inputs would share a source that can be read once.",
			Doc:     "Standard input is there once for the whole process: each of the two would get a part of its bytes. Only one can listen at an address. Let several elements read the one input, or give the other one another address.",
			Bad: `pipeline "p" {
  input "stdin" "a" {}
  input "stdin" "b" {}
  output "stdout" "out" {}
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  output "stdout" "out" {}
  output "file" "copy" {
    path = "copy.jsonl"
  }
}
`,
		},
		{
			ID: UnknownPipeline, Name: "unknown-pipeline", Category: Wiring, Severity: Error,
			Summary: "after names a pipeline that the config does not have.",
			Doc:     "`after` lists names of pipelines of the same config, in quotes.",
			Bad: `pipeline "load" {
  input "stdin" "in" {}
  output "stdout" "out" {}
}

pipeline "report" {
  after = ["laod"]
  input "file" "in" {
    path = "orders.jsonl"
  }
  output "stdout" "out" {}
}
`,
			Good: `pipeline "load" {
  input "stdin" "in" {}
  output "stdout" "out" {}
}

pipeline "report" {
  after = ["load"]
  input "file" "in" {
    path = "orders.jsonl"
  }
  output "stdout" "out" {}
}
`,
		},
		{
			ID: PipelineCircle, Name: "pipeline-circle", Category: Wiring, Severity: Error,
			Summary: "Pipelines wait for each other.",
			Doc:     "Neither could ever start.",
			Bad: `pipeline "load" {
  after = ["load"]
  input "stdin" "in" {}
  output "stdout" "out" {}
}
`,
			Good: `pipeline "load" {
  input "stdin" "in" {}
  output "stdout" "out" {}
}
`,
		},
		{
			ID: WaitsForEndless, Name: "waits-for-endless", Category: Wiring, Severity: Error,
			Summary: "A pipeline waits for one that never ends.",
			Doc:     "`after` waits until another pipeline has ended by itself. One with an input without an end (`mode = \"tail\"`, a topic without `until = \"end\"`) never does.",
			Bad: `pipeline "load" {
  input "file" "in" {
    path = "orders.jsonl"
    mode = "tail"
  }
  output "stdout" "out" {}
}

pipeline "report" {
  after = ["load"]
  input "file" "in" {
    path = "report.jsonl"
  }
  output "stdout" "out" {}
}
`,
			Good: `pipeline "load" {
  input "file" "in" {
    path = "orders.jsonl"
  }
  output "stdout" "out" {}
}

pipeline "report" {
  after = ["load"]
  input "file" "in" {
    path = "report.jsonl"
  }
  output "stdout" "out" {}
}
`,
		},
	}
}
