package cast

import (
	"bytes"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// Default returns the default of a schema, which has one, as a value of its
// type.
func Default(s *schema.Schema) (record.Value, error) {
	bare := s.Clone()
	bare.Default = nil
	d := record.NewDoc(record.NewProjection())
	d.Reset(record.JSONOf(bare), s.Default)
	v, err := d.Get(record.Root)
	return v.Own(), err
}

// Defaults puts defaults in the place of nulls. It belongs to one goroutine.
type Defaults struct {
	of     *schema.Schema
	whole  record.Value // Missing: there is no default
	fields []defaulted
	err    error
}

// defaulted is a field that may be null and has a default.
type defaulted struct {
	name []byte
	text []byte
}

// Fill returns v, a value of s, with its default if it is null, and if it is a
// struct with those of its fields that are null. filled reports that there was
// one. A result may lie in dst, to which it appends and which it returns.
func (f *Defaults) Fill(dst []byte, v record.Value, s *schema.Schema) (out record.Value, buf []byte, filled bool, err error) {
	if s == nil {
		return v, dst, false, nil
	}
	if s != f.of {
		f.prepare(s)
	}
	switch {
	case v.IsNil():
		if f.err != nil || f.whole.Kind() == record.Missing {
			return v, dst, false, f.err
		}
		return f.whole, dst, true, nil
	case len(f.fields) == 0 || v.Kind() != record.Object:
		return v, dst, false, nil
	}
	return f.members(dst, v)
}

func (f *Defaults) prepare(s *schema.Schema) {
	*f = Defaults{of: s}
	if len(s.Default) > 0 {
		f.whole, f.err = Default(s)
	}
	for _, x := range s.Fields {
		if len(x.Schema.Default) > 0 && !bytes.Equal(x.Schema.Default, []byte("null")) {
			f.fields = append(f.fields, defaulted{[]byte(x.Name), x.Schema.Default})
		}
	}
}

func (f *Defaults) members(dst []byte, v record.Value) (out record.Value, buf []byte, filled bool, err error) {
	start := len(dst)
	buf = append(dst, '{')
	err = v.Members(func(name []byte, m record.Value) error {
		if len(buf) > start+1 {
			buf = append(buf, ',')
		}
		buf = append(record.AppendQuoted(buf, name), ':')
		if m.Kind() == record.Null {
			for _, x := range f.fields {
				if bytes.Equal(x.name, name) {
					buf, filled = append(buf, x.text...), true
					return nil
				}
			}
		}
		var err error
		buf, err = m.AppendJSON(buf)
		return err
	})
	if err != nil || !filled {
		return v, dst, false, err
	}
	buf = append(buf, '}')
	return record.RawJSON(buf[start:len(buf):len(buf)]), buf, true, nil
}
