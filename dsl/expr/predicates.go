package expr

import (
	"github.com/expr-lang/expr/ast"
)

// predicate resolves the functions that ask about the record itself, as Kafka
// Connect's predicates do: they become what reads just that.
func (r *resolver) predicate(n *ast.CallNode, name string) (ast.Node, bool) {
	switch {
	case name == "topicMatches" && len(n.Arguments) == 1:
		topic := r.root(n, "topic")
		call := &ast.CallNode{Callee: &ast.IdentifierNode{Value: "regexMatchWhole"}, Arguments: []ast.Node{topic, n.Arguments[0]}}
		r.used[name] = true
		return r.replace(n, r.checkCall(call, r.env.lib["regexMatchWhole"])), true
	case name == "hasHeader" && len(n.Arguments) == 1:
		r.used[name] = true
		if text, ok := literal(n.Arguments[0]); ok {
			header, isText := text.(string)
			if !isText {
				return nil, false // the checker says so
			}
			member := &ast.MemberNode{Node: &ast.IdentifierNode{Value: "headers"}, Property: &ast.StringNode{Value: header}}
			f := r.refOf(r.at(n, member))
			if f == nil {
				return n, true // a problem was found
			}
			asked := *f
			asked.has, asked.label = true, "hasHeader("+f.label+")"
			return r.replace(n, r.refNode(&asked)), true
		}
		in := &ast.BinaryNode{Operator: "in", Left: n.Arguments[0], Right: r.root(n, "headers")}
		return r.replace(n, in), true
	case name == "nothing" && len(n.Arguments) == 0:
		r.used[name] = true
		return r.replace(n, r.refNode(&ref{kind: refNothing, label: "nothing()"})), true
	case name == "isTombstone" && len(n.Arguments) == 0:
		r.used[name] = true
		if f := r.refOf(r.root(n, "value")); f == nil {
			return n, true
		}
		return r.replace(n, r.refNode(&ref{kind: refTombstone, label: "isTombstone()"})), true
	}
	return nil, false
}

// root is a name of the record that stands where n does.
func (r *resolver) root(n ast.Node, name string) ast.Node {
	return r.at(n, &ast.IdentifierNode{Value: name})
}

func (r *resolver) at(n, made ast.Node) ast.Node {
	s := r.span(n)
	ast.Walk(&made, placer{r, n, s})
	return r.access(made)
}

// placer gives made nodes the place of the one that they stand for.
type placer struct {
	r    *resolver
	from ast.Node
	at   span
}

func (p placer) Visit(n *ast.Node) {
	(*n).SetLocation(p.from.Location())
	p.r.spans[*n] = p.at
}
