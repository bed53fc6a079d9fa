package dsl

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/flowrecords/flow/dsl/rules"
	"github.com/flowrecords/flow/engine"
)

// connection is one connection block.
type connection struct {
	typ, name string
	block     *hclsyntax.Block
	// value is what the factory made; nil if the block has a mistake.
	value any
	// d and config are what the block was decoded with, for lint.
	d      *decoder
	config any
}

func (c *connection) address() string { return "connection." + c.typ + "." + c.name }

func (l *loader) declareConnection(b *hclsyntax.Block) {
	if !l.labels(b, blockUse("connection"), 2) {
		return
	}
	c := &connection{typ: b.Labels[0], name: b.Labels[1], block: b}
	if first, dup := l.conns[c.address()]; dup {
		l.duplicate(fmt.Sprintf("connection %q %q", c.typ, c.name), b.LabelRanges[1], first.block.LabelRanges[1])
		return
	}
	l.conns[c.address()] = c
	l.connList = append(l.connList, c)
}

// buildConnections makes each connection once; the elements share it.
func (l *loader) buildConnections() {
	for _, c := range l.connList {
		f, ok := l.reg.Connections[c.typ]
		if !ok {
			l.unknownType("connection", c.typ, c.block.LabelRanges[0], engine.Types(l.reg.Connections))
			continue
		}
		d := l.newDecoder(fmt.Sprintf("the %s connection", c.typ), c.block)
		config := d.config(engine.KindConnection, f.Component, c.block.Body)
		if d.failed {
			continue
		}
		env := l.opts.Env
		env.Element = c.address()
		value, err := f.New(config, env)
		if err != nil {
			l.report(rules.ComponentRule, c.block.DefRange(), "connection cannot be made", "%s.", upperFirst(err.Error()))
			continue
		}
		c.value, c.d, c.config = value, d, config
	}
}

func (l *loader) unknownType(kind, typ string, at hcl.Range, types []string) {
	detail := didYouMean(typ, types)
	if detail == "" && len(types) > 0 {
		detail = fmt.Sprintf(" There is %s.", list(types))
	}
	l.report(rules.UnknownComponent, at, fmt.Sprintf("unknown %s %q", kind, typ), "flow has no %s of this type.%s", kind, detail)
}

// connectionRef resolves connection.TYPE.NAME.
func (d *decoder) connectionRef(o *engine.Option, e hclsyntax.Expression) (ref engine.ConnectionRef) {
	form := fmt.Sprintf("connection.%s.NAME", o.System)
	t, diags := hcl.AbsTraversalForExpr(unwrapParens(e))
	if diags.HasErrors() || t.RootName() != "connection" {
		detail := fmt.Sprintf("Write it as %s = %s, without quotes.", o.Name, form)
		text := strings.Join(traversalNames(t), ".")
		if m, _ := d.literal(e); m != nil {
			text = m.text
		}
		c := d.lookup(strings.TrimPrefix(text, "connection."), o.System)
		if c != nil {
			detail += fmt.Sprintf(" Did you mean %s?", c.address())
		}
		d.fail(rules.WrongConnection, e.Range(), fmt.Sprintf("option %q must be a connection", o.Name), "%s", detail)
		if c != nil {
			d.fix(rules.Edit{Range: e.Range(), Text: c.address()})
		}
		return ref
	}
	parts := traversalNames(t)
	if len(parts) != 3 {
		d.fail(rules.WrongConnection, e.Range(), "connection without type and name", "Write it as %s.", form)
		return ref
	}
	address := strings.Join(parts, ".")
	c := d.conns[address]
	if c == nil {
		d.unknownConnection(o, e, parts[2], address)
		return ref
	}
	if c.typ != o.System {
		d.fail(rules.WrongConnection, e.Range(), fmt.Sprintf("connection of the wrong type %q", c.typ), "%s needs a connection of type %q: %s", upperFirst(d.what), o.System, form)
		return ref
	}
	if c.value == nil {
		d.failed = true // its own mistakes are reported
	}
	return engine.ConnectionRef{Name: address, Value: c.value}
}

// lookup finds a connection by name alone or by TYPE.NAME.
func (l *loader) lookup(text, system string) *connection {
	for _, c := range l.connList {
		if c.typ == system && (c.name == text || c.typ+"."+c.name == text) {
			return c
		}
	}
	return nil
}

func (d *decoder) unknownConnection(o *engine.Option, e hclsyntax.Expression, name, address string) {
	var fitting []string
	for _, c := range d.connList {
		if c.typ == o.System {
			fitting = append(fitting, c.address())
		}
	}
	detail := "No connection block declares it."
	switch near := nearest(address, fitting); {
	case near != "":
		detail += fmt.Sprintf(" Did you mean %s?", near)
	case len(fitting) > 0:
		detail += fmt.Sprintf(" There is %s.", list(fitting))
	default:
		detail += fmt.Sprintf(" Add one: connection %q %q { ... }", o.System, name)
	}
	d.fail(rules.UnknownConnection, e.Range(), fmt.Sprintf("unknown connection %q", address), "%s", detail)
}

// traversalNames returns the names of a.b.c; nil if it has another step.
func traversalNames(t hcl.Traversal) []string {
	parts := make([]string, 0, len(t))
	for _, s := range t {
		switch s := s.(type) {
		case hcl.TraverseRoot:
			parts = append(parts, s.Name)
		case hcl.TraverseAttr:
			parts = append(parts, s.Name)
		default:
			return nil
		}
	}
	return parts
}
