package dsl_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/dsl/rules"
)

// frames are configs around a piece of one.
var frames = map[string][2]string{
	"map":    {"pipeline \"p\" {\n  input \"stdin\" \"in\" {}\n  processor \"map\" \"m\" {\n", "\n  }\n  output \"stdout\" \"out\" {}\n}\n"},
	"filter": {"variable \"min\" {\n  default = 1\n}\npipeline \"p\" {\n  input \"stdin\" \"in\" {}\n  processor \"filter\" \"f\" {\n", "\n  }\n  output \"stdout\" \"out\" {}\n}\n"},
	"file":   {"pipeline \"p\" {\n  input \"stdin\" \"in\" {}\n  output \"file\" \"out\" {\n    path = \"out.jsonl\"\n", "\n  }\n}\n"},
	"input":  {"pipeline \"p\" {\n  input \"file\" \"in\" {\n", "\n  }\n  output \"stdout\" \"out\" {}\n}\n"},
	"output": {"pipeline \"p\" {\n  input \"stdin\" \"in\" {}\n  output \"stdout\" \"out\" {\n", "\n  }\n}\n"},
	"plain":  {"", ""},
}

// TestFixes: what is certain is corrected so that the mistake is gone, and
// nothing else is touched.
func TestFixes(t *testing.T) {
	t.Parallel()
	const none = "" // no fix
	tests := []struct{ name, frame, in, want string }{
		{"block with an equals sign", "file", "rotate = {\n size = \"1MiB\"\n}", "rotate {\n size = \"1MiB\"\n}"},
		{"on one line with one option", "file", "rotate={ size = \"1MiB\" }", "rotate { size = \"1MiB\" }"},
		{"commas go", "file", "rotate = {\n size = \"1MiB\",\n records = 5, # five, at most\n}", "rotate {\n size = \"1MiB\"\n records = 5 # five, at most\n}"},
		{"two options on one line", "file", "rotate = { size = \"1MiB\", records = 5 }", none},
		{"colons are no equals signs", "file", "rotate = {\n size: \"1MiB\"\n}", none},
		{"quoted names are none", "file", "rotate = {\n \"size\" = \"1MiB\"\n}", none},
		{"no object", "file", "rotate = \"1MiB\"", none},
		{"option without an equals sign", "map", "set {\n a = \"1\"\n}", "set = {\n a = \"1\"\n}"},
		{"option with a label", "map", "set \"a\" {\n a = \"1\"\n}", none},
		{"option that is no object", "file", "fsync {\n}", none},
		{"lone text for a list", "input", "paths = \"a.jsonl\"", "paths = [\"a.jsonl\"]"},
		{"lone text of several lines", "input", "paths = <<EOT\na.jsonl\nEOT", none},
		{"lone number for a list", "input", "paths = 5", none},
		{"from without brackets", "output", "from = input.in", "from = [input.in]"},
		{"from as a call", "output", "from = lower(\"x\")", none},
		{"from in quotes", "output", "from = [\"input.in\"]", "from = [input.in]"},
		{"from with its type in quotes", "output", "from = [\"input.stdin.in\"]", "from = [input.stdin.in]"},
		{"errors in quotes", "output", "from = [input.in, \"errors\"]", "from = [input.in, errors]"},
		{"from in quotes that is unknown", "output", "from = [\"input.on\"]", none},
		{"expression without quotes", "filter", "where = value.a == 1", "where = \"value.a == 1\""},
		{"texts in it", "filter", "where = value.a == \"x\" || value.a == \"y\"", "where = \"value.a == 'x' || value.a == 'y'\""},
		{"texts with quotes in it", "filter", "where = value.a == \"it's\"", none},
		{"texts with escapes in it", "filter", "where = value.a == \"a\\nb\"", none},
		{"no expression by itself", "filter", "where = value.a == file(\"x\")", none},
		{"interpolation", "filter", "where = \"value.a > ${var.min}\"", "where = \"value.a > var.min\""},
		{"interpolation with space", "filter", "where = \"${ var.min } < value.a\"", "where = \"var.min < value.a\""},
		{"interpolation alone", "map", "key = \"${local.k}\"\n}\n}\nlocals {\n k = \"x\"", none},
		{"interpolation in a text", "filter", "where = \"value.a == '${var.min}'\"", none},
		{"interpolation of a call", "filter", "where = \"value.a > ${max(var.min, 2)}\"", none},
		{"one equals sign", "filter", "where = \"value.a = 1\"", "where = \"value.a == 1\""},
		{"one equals sign of two mistakes", "filter", "where = \"value.a = 1 = 2 +\"", none},
		{"braces of a template", "filter", "where = \"{{ value.a == 1 }}\"", "where = \"value.a == 1\""},
		{"braces without space", "map", "key = \"{{value.a}}\"", "key = \"value.a\""},
		{"text around braces", "map", "key = \"x-{{ value.a }}\"", none},
		{"two pairs of braces", "map", "key = \"{{ value.a }}{{ value.b }}\"", none},
		{"single quotes", "map", "key = 'value.a'", "key = \"value.a\""},
		{"more quotes on the line", "map", "key = 'it\\'s'", none},
		{"double quotes within", "map", "key = 'a\"b'", none},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			frame := frames[tt.frame]
			src := []byte(frame[0] + tt.in + frame[1])
			compile := func(src []byte) *dsl.Result {
				return dsl.LoadSources(map[string][]byte{"f.hcl": src}, dsl.Options{Registry: registry(t)})
			}
			res := compile(src)
			checkRules(t, res.Diags)
			if len(res.Diags) == 0 {
				t.Fatal("there is no mistake")
			}
			fixed := 0
			for _, d := range res.Diags {
				edits := rules.Of(d).Fix
				if len(edits) == 0 || rules.Of(d).Rule[:4] > "FL19" {
					continue
				}
				fixed++
				var ok bool
				if src, ok = rules.Apply(src, edits); !ok {
					t.Fatalf("the edits %v cannot be made", edits)
				}
			}
			if tt.want == none {
				if fixed > 0 {
					t.Errorf("it becomes\n%s", src)
				}
				return
			}
			if want := frame[0] + tt.want + frame[1]; string(src) != want {
				t.Errorf("got\n%s\nwant\n%s", src, want)
			}
			for _, d := range compile(src).Diags {
				if rules.Of(d).Rule < "FL19" && !strings.Contains(frame[0], "variable") {
					t.Errorf("after it there is %s", d.Summary)
				}
			}
		})
	}
}

func TestApply(t *testing.T) {
	t.Parallel()
	at := func(from, to int, text string) rules.Edit {
		e := rules.Edit{Text: text}
		e.Range.Start.Byte, e.Range.End.Byte = from, to
		return e
	}
	tests := []struct {
		name  string
		edits []rules.Edit
		want  string
	}{
		{"none", nil, "abcdef"},
		{"in any order", []rules.Edit{at(4, 5, "E"), at(0, 1, "A")}, "AbcdEf"},
		{"put in at a place that is replaced", []rules.Edit{at(1, 2, "B"), at(1, 1, "(")}, "a(Bcdef"},
		{"at the end", []rules.Edit{at(6, 6, "!")}, "abcdef!"},
		{"overlap", []rules.Edit{at(0, 3, ""), at(2, 4, "")}, ""},
		{"behind the end", []rules.Edit{at(6, 7, "")}, ""},
		{"backwards", []rules.Edit{at(3, 2, "")}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			given := slices.Clone(tt.edits)
			got, ok := rules.Apply([]byte("abcdef"), tt.edits)
			if ok != (tt.want != "") || ok && string(got) != tt.want || !ok && string(got) != "abcdef" {
				t.Errorf("%q, %v", got, ok)
			}
			if !slices.Equal(given, tt.edits) {
				t.Error("the edits were changed")
			}
		})
	}
}
