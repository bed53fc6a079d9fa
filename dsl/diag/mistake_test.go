package diag_test

import (
	"strings"
	"testing"

	"github.com/flowrecords/flow/dsl/diag"
)

func TestWriteMistake(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		m    diag.Mistake
		want string
	}{
		{"no place", diag.Mistake{Where: "record 3", Summary: "it is wrong", Text: "a", Offset: -1}, "record 3: error: it is wrong\n"},
		{
			"a range", diag.Mistake{Summary: "unknown name", Text: "1 + valu", Offset: 4, Length: 4, Detail: "Write value."},
			"error: unknown name\n\n  1 | 1 + valu\n    |     ^^^^\n\n  Write value.\n",
		},
		{
			"the second line", diag.Mistake{Summary: "wrong", Text: "[1,\n  é + x,\n2]", Offset: 6, Length: 6},
			"error: wrong\n\n  1 | [1,\n  2 |   é + x,\n    |   ^^^^^\n  3 | 2]\n",
		},
		{"the end", diag.Mistake{Summary: "not complete", Text: "1 +", Offset: 3}, "error: not complete\n\n  1 | 1 +\n    |    ^\n"},
		{"beyond the end", diag.Mistake{Summary: "x", Text: "1", Offset: 9, Length: 9}, "error: x\n\n  1 | 1\n    |  ^\n"},
		{"nothing moves the cursor", diag.Mistake{Where: "\x1b[2J", Summary: "\x1bc", Text: "'\x1b[A'", Offset: 0, Length: 1}, "\ufffd[2J: error: \ufffdc\n\n  1 | '\ufffd[A'\n    | ^\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var b strings.Builder
			if err := diag.WriteMistake(&b, c.m, false, 80); err != nil || b.String() != c.want {
				t.Errorf("got\n%s\nwant\n%s\n%v", b.String(), c.want, err)
			}
		})
	}
}
