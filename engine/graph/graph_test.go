package graph_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/flowrecords/flow/engine/graph"
)

// parse reads a graph for people: one node a line, "kind name(port port) < from from".
// A from is NAME, NAME.PORT or errors. A dec is an input that decodes.
func parse(t *testing.T, text string) (nodes []graph.Node, names []string) {
	t.Helper()
	kinds := map[string]graph.Kind{"in": graph.Source, "dec": graph.Source, "proc": graph.Inner, "serial": graph.Inner, "out": graph.Sink}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	index := make(map[string]int)
	for i, line := range lines {
		fields := strings.Fields(line)
		name, ports, _ := strings.Cut(strings.TrimSuffix(fields[1], ")"), "(")
		index[name] = i
		names = append(names, name)
		n := graph.Node{Kind: kinds[fields[0]], Decodes: fields[0] == "dec", Serial: fields[0] == "serial"}
		if ports != "" {
			n.Ports = strings.Split(ports, ",")
		}
		nodes = append(nodes, n)
	}
	for i, line := range lines {
		_, from, _ := strings.Cut(line, "<")
		for _, f := range strings.Fields(from) {
			if f == graph.Errors {
				nodes[i].From = append(nodes[i].From, graph.Port{Node: graph.AllErrors, Name: graph.Errors})
				continue
			}
			name, port, _ := strings.Cut(f, ".")
			n, ok := index[name]
			if !ok {
				t.Fatalf("no node %q", name)
			}
			nodes[i].From = append(nodes[i].From, graph.Port{Node: n, Name: port})
		}
	}
	return nodes, names
}

func text(names []string, f graph.Finding) string {
	switch f.Problem {
	case graph.Cycle:
		var path []string
		for _, n := range f.Path {
			path = append(path, names[n])
		}
		return fmt.Sprintf("cycle %s at %s[%d]", strings.Join(path, ">"), names[f.Node], f.From)
	case graph.Unread:
		return fmt.Sprintf("unread %s.%s", names[f.Node], f.Port)
	case graph.Unreachable:
		return "unreachable " + names[f.Node]
	case graph.Twice:
		return fmt.Sprintf("twice %s[%d]", names[f.Node], f.From)
	}
	return "?"
}

func TestCheck(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		order    string // names joined; empty: no order
		findings []string
	}{
		{"chain", `
			in a
			proc p < a
			out o < p`, "a p o", nil},
		{"order does not depend on the file", `
			out o < p
			proc p < a
			in a`, "a p o", nil},
		{"fan out and in", `
			in a
			in b
			proc p < a b
			out o < p
			out q < p b`, "a b p o q", nil},
		{"unread input", `
			in a
			in b
			out o < a`, "a b o", []string{"unread b."}},
		{"dead end", `
			in a
			proc p < a
			proc q < a
			out o < q`, "a p q o", []string{"unread p."}},
		{"ports", `
			in a
			proc r(x,y) < a
			out o < r.x`, "a r o", []string{"unread r.", "unread r.y"}},
		{"errors need no reader, and reading them reads nothing else", `
			in a
			proc p < a
			out o < p.errors`, "a p o", []string{"unread p."}},
		{"cycle", `
			in a
			proc p < a q
			proc q < p
			out o < q`, "", []string{"cycle p>q at p[1]"}},
		{"self", `
			in a
			proc p < a p
			out o < p`, "", []string{"cycle p at p[1]"}},
		{"cycle through errors", `
			in a
			proc p < a q.errors
			proc q < p
			out o < q`, "", []string{"cycle p>q at p[1]"}},
		{"cycle without a source is one mistake", `
			in a
			proc p < q
			proc q < p
			proc r < q
			out o < a r`, "", []string{"cycle p>q at p[0]"}},
		{"unreachable", `
			in a
			proc p
			out o < a
			out q < p`, "a p o q", []string{"unreachable p", "unreachable q"}},
		{"twice", `
			in a
			out o < a a`, "a o", []string{"twice o[1]"}},
		{"errors of all", `
			in a
			proc p < a
			out dead < errors
			out o < p`, "a p o dead", nil},
		{"errors of all of a processor that also reads records", `
			in a
			proc p < a errors
			out o < p`, "a p o", nil},
		{"two that name each other's errors", `
			in a
			out o < a q.errors
			out q < o.errors`, "", []string{"cycle o>q at o[1]"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			nodes, names := parse(t, tt.in)
			order, findings := graph.Check(nodes)
			var got []string
			for _, f := range findings {
				got = append(got, text(names, f))
			}
			if !reflect.DeepEqual(got, tt.findings) {
				t.Errorf("findings %q, want %q", got, tt.findings)
			}
			var o []string
			for _, n := range order {
				o = append(o, names[n])
			}
			if strings.Join(o, " ") != tt.order {
				t.Errorf("order %q, want %q", strings.Join(o, " "), tt.order)
			}
		})
	}
}

func TestErrorReaders(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"none", `
			in a
			out o < a`, "a: o:"},
		{"all", `
			in a
			proc p < a
			out o < p
			out dead < errors`, "a:dead p:dead o:dead dead:"},
		{"a reader by name takes precedence", `
			in a
			proc p < a
			out o < p
			out own < p.errors
			out dead < errors`, "a:dead p:own o:dead own:dead dead:"},
		{"nothing behind the errors comes back", `
			in a
			proc p < errors
			out dead < p
			out o < a`, "a:p p: dead: o:p"},
		{"two readers of all", `
			in a
			out o < a
			out d1 < errors
			out d2 < errors`, "a:d1,d2 o:d1,d2 d1: d2:"},
		{"a reader of all that reads records too", `
			in a
			proc p < a
			out o < p errors`, "a:o p:o o:"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			nodes, names := parse(t, tt.in)
			var got []string
			for n, readers := range graph.ErrorReaders(nodes) {
				var r []string
				for _, m := range readers {
					r = append(r, names[m])
				}
				got = append(got, names[n]+":"+strings.Join(r, ","))
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("got %q, want %q", strings.Join(got, " "), tt.want)
			}
		})
	}
}

func TestChains(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"one", "in a\nproc p < a\nproc q < p\nproc r < q\nout o < r", "p,q,r"},
		{"fan-out breaks", "in a\nproc p < a\nproc q < p\nproc r < p\nout o < q r", "p q r"},
		{"an output beside breaks", "in a\nproc p < a\nout x < p\nproc q < p\nout o < q", "p q"},
		{"errors do not", "in a\nproc p < a\nproc q < p\nout x < p.errors\nout o < q", "p,q"},
		{"fan-in breaks", "in a\nproc p < a\nproc q < p a\nout o < q", "p q"},
		{"ports break", "in a\nproc r(x) < a\nproc p < r\nproc q < r.x\nout o < p q", "r p q"},
		{"serial breaks", "in a\nproc p < a\nserial q < p\nproc r < q\nproc s < r\nout o < s", "p q r,s"},
		{"serial beside serial", "in a\nserial p < a\nserial q < p\nout o < q", "p q"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			nodes, names := parse(t, tt.in)
			var got []string
			for _, chain := range graph.Chains(nodes) {
				var c []string
				for _, n := range chain {
					c = append(c, names[n])
				}
				got = append(got, strings.Join(c, ","))
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("got %q, want %q", strings.Join(got, " "), tt.want)
			}
		})
	}
}

func TestStages(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"nothing to decode", "in a\nproc p < a\nout o < p", "p"},
		{"decoded where it is read", "dec a\nproc p < a\nproc q < p\nout o < q", "a>p,q"},
		{"no processor", "dec a\nout o < a", "a>"},
		{"no stage at all", "in a\nout o < a", ""},
		{"two readers", "dec a\nproc p < a\nout x < a\nout o < p", "p a>"},
		{"two inputs into one", "dec a\ndec b\nproc p < a b\nout o < p", "p a> b>"},
		{"one chain each", "dec a\nin b\ndec c\nproc p < a\nproc q < b\nproc r < c\nout o < p q r", "a>p q c>r"},
		{"serial does not decode", "dec a\nserial p < a\nproc q < p\nout o < q", "p! q a>"},
		{"serial in the middle", "dec a\nproc p < a\nserial q < p\nout o < q", "a>p q!"},
		{"errors of the input beside", "dec a\nproc p < a\nout e < a.errors\nout o < p", "a>p"},
		{"only the errors of the input", "dec a\nproc p < a.errors\nproc q < a\nout o < p q", "p a>q"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			nodes, names := parse(t, tt.in)
			var got []string
			for _, s := range graph.Stages(nodes) {
				var text string
				if s.Decoder >= 0 {
					text = names[s.Decoder] + ">"
				}
				for i, n := range s.Nodes {
					if i > 0 {
						text += ","
					}
					text += names[n]
				}
				if s.Serial {
					text += "!"
				}
				got = append(got, text)
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("got %q, want %q", strings.Join(got, " "), tt.want)
			}
		})
	}
}

// TestRandom checks what must hold for any graph: an order exists exactly when
// there is no cycle, it holds every node once and each after what it reads,
// and chains hold every inner node once.
func TestRandom(t *testing.T) {
	t.Parallel()
	cycles, acyclic := 0, 0
	for seed := range uint64(3000) {
		nodes := random(rand.New(rand.NewPCG(seed, 1)))
		order, findings := graph.Check(nodes)
		cyclic := slices.ContainsFunc(findings, func(f graph.Finding) bool { return f.Problem == graph.Cycle })
		if cyclic {
			cycles++
		} else {
			acyclic++
		}
		if cyclic != (order == nil) {
			t.Fatalf("seed %d: order %v, findings %v", seed, order, findings)
		}
		if order != nil {
			checkOrder(t, seed, nodes, order)
		}
		var inner int
		for n := range nodes {
			if nodes[n].Kind == graph.Inner {
				inner++
			}
		}
		if !cyclic {
			if got := slices.Concat(graph.Chains(nodes)...); len(got) != inner {
				t.Fatalf("seed %d: chains hold %d of %d nodes", seed, len(got), inner)
			}
		}
	}
	if cycles < 100 || acyclic < 100 {
		t.Fatalf("%d cyclic and %d acyclic graphs: the test tests nothing", cycles, acyclic)
	}
}

func random(r *rand.Rand) []graph.Node {
	nodes := make([]graph.Node, 2+r.IntN(6))
	for n := range nodes {
		nodes[n].Kind = graph.Kind(r.IntN(3))
		if n == 0 {
			nodes[n].Kind = graph.Source
		}
		if nodes[n].Kind == graph.Inner && r.IntN(3) == 0 {
			nodes[n].Ports = []string{"x"}
		}
	}
	for n := range nodes {
		if nodes[n].Kind == graph.Source {
			continue
		}
		for range r.IntN(3) {
			m := r.IntN(len(nodes))
			if r.IntN(3) > 0 && n > 0 {
				m = r.IntN(n)
			}
			p := graph.Port{Node: m}
			switch {
			case r.IntN(6) == 0:
				p = graph.Port{Node: graph.AllErrors, Name: graph.Errors}
			case nodes[m].Kind == graph.Sink || r.IntN(5) == 0:
				p.Name = graph.Errors
			case len(nodes[m].Ports) > 0 && r.IntN(2) == 0:
				p.Name = "x"
			}
			nodes[n].From = append(nodes[n].From, p)
		}
	}
	return nodes
}

func checkOrder(t *testing.T, seed uint64, nodes []graph.Node, order []int) {
	t.Helper()
	at := make(map[int]int)
	for i, n := range order {
		at[n] = i
	}
	if len(at) != len(nodes) {
		t.Fatalf("seed %d: order %v of %d nodes", seed, order, len(nodes))
	}
	for n := range nodes {
		for _, p := range nodes[n].From {
			if p.Node != graph.AllErrors && at[p.Node] >= at[n] {
				t.Fatalf("seed %d: %d stands before %d, which it reads", seed, n, p.Node)
			}
		}
	}
	for n, readers := range graph.ErrorReaders(nodes) {
		for _, m := range readers {
			if at[m] <= at[n] {
				t.Fatalf("seed %d: %d stands before %d, whose errors it reads", seed, m, n)
			}
		}
	}
}
