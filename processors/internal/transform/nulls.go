package transform

import (
	"bytes"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
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
	f := &filler{plans: &Plans[[]defaulted]{Make: defaultsOf}}
	planner := f.plans.Planner()
	return func(r *record.Record) error {
		d := c.Doc(r)
		s := SchemaOf(d)
		if s == nil || d.IsNull() {
			return edit(r)
		}
		defaults, err := planner.Of(s)
		if err != nil || len(defaults) == 0 {
			return edit(r)
		}
		was, filled, err := f.fill(d, s, defaults)
		if err != nil {
			return err
		}
		if !filled {
			return edit(r)
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

type filler struct {
	plans *Plans[[]defaulted]
	text  []byte
}

// defaulted is a field that may be null and has a default.
type defaulted struct {
	name []byte
	text []byte
}

func defaultsOf(s *schema.Schema) ([]defaulted, error) {
	var out []defaulted
	for _, f := range s.Fields {
		if len(f.Schema.Default) > 0 && !bytes.Equal(f.Schema.Default, []byte("null")) {
			out = append(out, defaulted{[]byte(f.Name), f.Schema.Default})
		}
	}
	return out, nil
}

// fill writes the document with defaults in the place of nulls. was is how it
// was.
func (f *filler) fill(d *record.Doc, s *schema.Schema, defaults []defaulted) (was []byte, filled bool, err error) {
	root, err := d.Get(record.Root)
	if err != nil || root.Kind() != record.Object {
		return nil, false, err
	}
	f.text = append(f.text[:0], '{')
	err = root.Members(func(name []byte, v record.Value) error {
		if len(f.text) > 1 {
			f.text = append(f.text, ',')
		}
		f.text = append(record.AppendQuoted(f.text, name), ':')
		if v.Kind() == record.Null {
			for _, x := range defaults {
				if bytes.Equal(x.name, name) {
					f.text, filled = append(f.text, x.text...), true
					return nil
				}
			}
		}
		var err error
		f.text, err = v.AppendJSON(f.text)
		return err
	})
	if err != nil || !filled {
		return nil, false, err
	}
	if was, err = root.AppendJSON(nil); err != nil {
		return nil, false, err
	}
	return was, true, d.SetAs(record.Root, record.RawJSON(append(f.text, '}')), s)
}
