package explain

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/flowrecords/flow/engine"
)

const (
	// labelColumns bounds a line of a node's label, labelLines how many options
	// it shows.
	labelColumns = 48
	labelLines   = 4
)

// drawing writes a plan as a graph in one of two languages.
type drawing struct {
	b      strings.Builder
	indent int
	// ids are those of elements, by pipeline and address.
	ids map[string]string
}

func (d *drawing) line(format string, args ...any) {
	fmt.Fprintf(&d.b, strings.Repeat("  ", d.indent)+format+"\n", args...)
}

// number gives every element an id: e1, e2, ... No name of a config is one.
func (d *drawing) number(plan *Plan) {
	d.ids = make(map[string]string)
	for i := range plan.Pipelines {
		p := &plan.Pipelines[i]
		for k := range p.Elements {
			d.ids[p.Name+"\x00"+p.Elements[k].Address] = fmt.Sprintf("e%d", len(d.ids)+1)
		}
	}
}

func (d *drawing) id(p *Pipeline, address string) string { return d.ids[p.Name+"\x00"+address] }

// link is one arrow.
type link struct {
	from, to, label string
	errors          bool
}

// links are the arrows of a pipeline, those of errors resolved.
func (d *drawing) links(p *Pipeline) []link {
	var out []link
	for i := range p.Elements {
		e := &p.Elements[i]
		for _, f := range e.From {
			if f.Port != engine.ErrorsPort {
				out = append(out, link{from: d.id(p, f.Element), to: d.id(p, e.Address), label: f.Port})
			}
		}
	}
	for i := range p.Elements {
		e := &p.Elements[i]
		for _, r := range e.Errors {
			out = append(out, link{from: d.id(p, e.Address), to: d.id(p, r), label: engine.ErrorsPort, errors: true})
		}
	}
	return out
}

// groups are the elements of a pipeline as they are drawn: those of a stage
// together, others alone with number 0.
func groups(p *Pipeline) []group {
	var out []group
	for i := range p.Elements {
		e := &p.Elements[i]
		number := 0
		if e.Kind == string(engine.KindProcessor) {
			number = e.Stage
		}
		if k := slices.IndexFunc(out, func(g group) bool { return number > 0 && g.stage == number }); k >= 0 {
			out[k].elements = append(out[k].elements, e)
			continue
		}
		out = append(out, group{stage: number, elements: []*Element{e}})
	}
	return out
}

type group struct {
	stage    int
	elements []*Element
}

// label is what stands in a node: the element and what it decides on.
func label(e *Element) []string {
	lines := []string{e.Address}
	for _, o := range e.Options {
		if o.Kind != kindExpression && o.Kind != kindTemplate {
			continue
		}
		if len(lines) > labelLines {
			lines = append(lines, "…")
			break
		}
		name := o.Name
		if o.Target != "" {
			name += " " + o.Target
		}
		lines = append(lines, short(plain(name+": "+strings.Join(strings.Fields(o.Text), " "))))
	}
	return lines
}

func short(s string) string {
	if utf8.RuneCountInString(s) <= labelColumns {
		return s
	}
	return string([]rune(s)[:labelColumns-1]) + "…"
}

func stageLabel(p *Pipeline, number int) string {
	return fmt.Sprintf("stage %d: %s", number, workersText(&p.Stages[number-1]))
}

// WriteDOT writes a plan as a directed graph for Graphviz.
func WriteDOT(w io.Writer, plan *Plan) error {
	d := &drawing{}
	d.number(plan)
	d.line("digraph flow {")
	d.indent++
	d.line("rankdir=LR;")
	d.line("compound=true;")
	d.line(`node [shape=box, style=rounded, fontname="sans-serif"];`)
	d.line(`edge [fontname="sans-serif", fontsize=10];`)
	for i := range plan.Pipelines {
		d.dotPipeline(i, &plan.Pipelines[i])
	}
	for i := range plan.Pipelines {
		p := &plan.Pipelines[i]
		for _, name := range p.After {
			if k := slices.IndexFunc(plan.Pipelines, func(q Pipeline) bool { return q.Name == name }); k >= 0 {
				q := &plan.Pipelines[k]
				d.line("%s -> %s [ltail=cluster_p%d, lhead=cluster_p%d, style=dotted, label=%s];",
					d.id(q, q.Elements[len(q.Elements)-1].Address), d.id(p, p.Elements[0].Address), k+1, i+1, dotText("then"))
			}
		}
	}
	d.indent--
	d.line("}")
	_, err := io.WriteString(w, d.b.String())
	return err
}

func (d *drawing) dotPipeline(i int, p *Pipeline) {
	d.line("subgraph cluster_p%d {", i+1)
	d.indent++
	d.line("label=%s;", dotText("pipeline "+p.Name, strings.Join(headline(p), ", ")))
	for _, g := range groups(p) {
		if g.stage > 0 {
			d.line("subgraph cluster_p%d_s%d {", i+1, g.stage)
			d.indent++
			d.line("style=dashed;")
			d.line("label=%s;", dotText(stageLabel(p, g.stage)))
		}
		for _, e := range g.elements {
			shape := map[string]string{string(engine.KindInput): "cds", string(engine.KindOutput): "cylinder"}[e.Kind]
			if shape == "" {
				shape = "box"
			}
			d.line("%s [shape=%s, label=%s];", d.id(p, e.Address), shape, dotText(label(e)...))
		}
		if g.stage > 0 {
			d.indent--
			d.line("}")
		}
	}
	for _, l := range d.links(p) {
		var attrs []string
		if l.label != "" {
			attrs = append(attrs, "label="+dotText(l.label))
		}
		if l.errors {
			attrs = append(attrs, "style=dashed", "color=red")
		}
		if len(attrs) > 0 {
			d.line("%s -> %s [%s];", l.from, l.to, strings.Join(attrs, ", "))
			continue
		}
		d.line("%s -> %s;", l.from, l.to)
	}
	d.indent--
	d.line("}")
}

var dotEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// dotText quotes lines as one text, each beginning at the left.
func dotText(lines ...string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i, l := range lines {
		if i > 0 {
			b.WriteString(`\n`)
		}
		b.WriteString(dotEscapes.Replace(plain(l)))
	}
	b.WriteByte('"')
	return b.String()
}

// WriteMermaid writes a plan as a Mermaid flowchart, which Markdown viewers
// draw.
func WriteMermaid(w io.Writer, plan *Plan) error {
	d := &drawing{}
	d.number(plan)
	d.line("flowchart LR")
	d.indent++
	for i := range plan.Pipelines {
		d.mermaidPipeline(i, &plan.Pipelines[i])
	}
	for i := range plan.Pipelines {
		for _, name := range plan.Pipelines[i].After {
			if k := slices.IndexFunc(plan.Pipelines, func(q Pipeline) bool { return q.Name == name }); k >= 0 {
				d.line("p%d -. %s .-> p%d", k+1, mermaidText("then"), i+1)
			}
		}
	}
	_, err := io.WriteString(w, d.b.String())
	return err
}

func (d *drawing) mermaidPipeline(i int, p *Pipeline) {
	d.line("subgraph p%d [%s]", i+1, mermaidText("pipeline "+p.Name, strings.Join(headline(p), ", ")))
	d.indent++
	for _, g := range groups(p) {
		if g.stage > 0 {
			d.line("subgraph p%ds%d [%s]", i+1, g.stage, mermaidText(stageLabel(p, g.stage)))
			d.indent++
		}
		for _, e := range g.elements {
			open, end := "[", "]"
			switch e.Kind {
			case string(engine.KindInput):
				open, end = "([", "])"
			case string(engine.KindOutput):
				open, end = "[(", ")]"
			}
			d.line("%s%s%s%s", d.id(p, e.Address), open, mermaidText(label(e)...), end)
		}
		if g.stage > 0 {
			d.indent--
			d.line("end")
		}
	}
	for _, l := range d.links(p) {
		switch {
		case l.errors:
			d.line("%s -. %s .-> %s", l.from, mermaidText(l.label), l.to)
		case l.label != "":
			d.line("%s -- %s --> %s", l.from, mermaidText(l.label), l.to)
		default:
			d.line("%s --> %s", l.from, l.to)
		}
	}
	d.indent--
	d.line("end")
}

// mermaidText quotes lines as one text. All but letters, digits, spaces and a
// few signs without a meaning become entity codes, since a quoted text is read
// as Markdown and HTML.
func mermaidText(lines ...string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i, l := range lines {
		if i > 0 {
			b.WriteString("<br/>")
		}
		for _, r := range plain(l) {
			if r > 0x7f || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || strings.ContainsRune(" .,:()/+=?!'{}", r) {
				b.WriteRune(r)
				continue
			}
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
