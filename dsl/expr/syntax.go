package expr

import (
	"strings"

	"github.com/expr-lang/expr/ast"
)

// Parse checks the syntax of an expression and its bounds alone: names and
// types mean nothing to it, so neither constants nor HCL's functions need be
// known. With problems the tree is nil.
func (e *Env) Parse(text string) (ast.Node, []Problem) {
	_, tree, problems := e.front(text)
	if len(problems) > 0 {
		return nil, problems
	}
	return tree.Node, nil
}

// HoleRange is where the expression of a template's hole stands, in bytes:
// behind the {{ and in front of the }}.
type HoleRange struct{ From, To int }

// TemplateHoles finds the holes of a template without a look at what stands
// in them.
func TemplateHoles(text string) ([]HoleRange, []Problem) {
	var holes []HoleRange
	for rest := 0; ; {
		i := strings.Index(text[rest:], "{{")
		if i < 0 {
			return holes, nil
		}
		open := rest + i
		end := holeEnd(text, open+2)
		if end < 0 {
			return holes, []Problem{unclosedHole(open, len(text))}
		}
		holes = append(holes, HoleRange{open + 2, end})
		rest = end + 2
	}
}
