package transform

import (
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/cast"
)

// Nulls has the option replace_null_with_default.
type Nulls struct {
	ReplaceNull bool `flow:"replace_null_with_default" doc:"Every field that is null and has a default in its schema gets its default first, as in Kafka Connect. Without it a null stays null."`
}

// Filled returns an edit that gives fields their defaults first, if the option
// says so.
func (n *Nulls) Filled(c *Common, edit Edit) Edit {
	if !n.ReplaceNull {
		return edit
	}
	var defaults cast.Defaults
	var text []byte
	return func(r *record.Record) error {
		d := c.Doc(r)
		s := SchemaOf(d)
		if s == nil || d.IsNull() {
			return edit(r)
		}
		root, err := d.Get(record.Root)
		if err != nil {
			return err
		}
		if root.Kind() != record.Object {
			return edit(r)
		}
		full, buf, filled, err := defaults.Fill(text[:0], root, s)
		if err != nil {
			return err
		}
		if !filled {
			return edit(r)
		}
		text = buf
		was, err := root.AppendJSON(nil)
		if err != nil {
			return err
		}
		if err = d.SetAs(record.Root, full, s); err != nil {
			return err
		}
		if err = edit(r); err != nil {
			// The edit has the one mark that a document has.
			if back := d.SetAs(record.Root, record.RawJSON(was), s); back != nil {
				return back
			}
		}
		return err
	}
}
