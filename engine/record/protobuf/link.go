package protobuf

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// link gives the elements of a file their features and finds the types that its
// fields name.
func (s *Set) link(f *File) error {
	over, err := optionFeatures(f.Options, fileFeatures)
	if err != nil {
		return err
	}
	f.features = featuresOf(f.Syntax).with(over)
	if err := s.declare(f.Messages, f.Enums, f.features); err != nil {
		return err
	}
	return s.fields(f.Messages)
}

// declare makes the types known, those within first to last.
func (s *Set) declare(messages []*Message, enums []*Enum, above features) error {
	for _, m := range messages {
		if s.messages[m.Name] != nil || s.enums[m.Name] != nil {
			return fmt.Errorf("the type %s is declared twice", m.Name)
		}
		s.messages[m.Name] = m
		over, err := optionFeatures(m.Options, messageFeatures)
		if err != nil {
			return err
		}
		m.features = above.with(over)
		if err := s.declare(m.Nested, m.Enums, m.features); err != nil {
			return err
		}
	}
	for _, e := range enums {
		if s.messages[e.Name] != nil || s.enums[e.Name] != nil {
			return fmt.Errorf("the type %s is declared twice", e.Name)
		}
		s.enums[e.Name] = e
		over, err := optionFeatures(e.Options, enumFeatures)
		if err != nil {
			return err
		}
		e.features = above.with(over)
	}
	return nil
}

func (s *Set) fields(messages []*Message) error {
	for _, m := range messages {
		numbers, names := map[int]bool{}, map[string]bool{}
		for _, o := range m.Oneofs {
			over, err := optionFeatures(o.Options, oneofFeatures)
			if err != nil {
				return err
			}
			if o.features = m.features.with(over); len(o.Fields) == 0 {
				return fmt.Errorf("message %s: the oneof %s has no fields", m.Name, o.Name)
			}
			if !o.synthetic() {
				names[o.Name] = true
			}
		}
		for _, f := range m.Fields {
			err := s.field(m, f)
			switch {
			case err != nil:
			case numbers[f.Number]:
				err = fmt.Errorf("another field has the number %d", f.Number)
			case names[f.Name]:
				err = errors.New("the name is there twice")
			}
			if err != nil {
				return fmt.Errorf("message %s: field %s: %w", m.Name, f.Name, err)
			}
			numbers[f.Number], names[f.Name] = true, true
		}
		if err := s.fields(m.Nested); err != nil {
			return err
		}
	}
	return nil
}

func (s *Set) field(m *Message, f *Field) error {
	over, err := optionFeatures(f.Options, fieldFeatures)
	if err != nil {
		return err
	}
	above := m.features
	if f.Oneof != nil {
		above = f.Oneof.features
	}
	f.features = above.with(over)
	if f.Proto3Optional {
		f.features.presence = presenceExplicit
	}
	if f.JSONName == "" {
		f.JSONName = jsonName(f.Name)
	}
	switch f.Kind {
	case 0, MessageKind, GroupKind, EnumKind: // 0 leaves it to the name
		if err := s.resolve(m, f); err != nil {
			return err
		}
	}
	if f.Kind == MessageKind && f.Message.MapEntry {
		return checkEntry(f)
	}
	if f.IsRequired() && f.Label == Optional && f.Kind == GroupKind {
		return errors.New("a group that is required by a feature")
	}
	return nil
}

// resolve finds the type that a field names: a full name after a point, else
// from the inside out.
func (s *Set) resolve(m *Message, f *Field) error {
	find := func(name string) bool {
		f.Message, f.Enum = s.messages[name], s.enums[name]
		return f.Message != nil && f.Kind != EnumKind || f.Enum != nil && (f.Kind == 0 || f.Kind == EnumKind)
	}
	if full, ok := strings.CutPrefix(f.typeName, "."); ok {
		if !find(full) {
			return fmt.Errorf("the type %s is not declared in this file nor in those that it imports", full)
		}
	} else {
		in := m.Name
		for !find(qualified(in, f.typeName)) {
			if in == "" {
				return fmt.Errorf("the type %s is not declared in this file nor in those that it imports", f.typeName)
			}
			in = scope(in)
		}
	}
	if f.Kind == 0 {
		if f.Kind = MessageKind; f.Message == nil {
			f.Kind = EnumKind
		}
	}
	if f.Kind == EnumKind {
		f.Message = nil
	} else {
		f.Enum = nil
	}
	return nil
}

func checkEntry(f *Field) error {
	e := f.Message
	if f.Label != Repeated || len(e.Fields) != 2 || e.Fields[0].Number != 1 || e.Fields[1].Number != 2 || e.Fields[0].Label == Repeated || e.Fields[1].Label == Repeated {
		return fmt.Errorf("%s is no entry of a map", e.Name)
	}
	switch e.Fields[0].Kind {
	case DoubleKind, FloatKind, BytesKind, MessageKind, GroupKind, EnumKind:
		return fmt.Errorf("%s is no type of a map's key", e.Fields[0].Kind)
	}
	return nil
}

// jsonName returns the name that a field has in Protobuf's JSON.
func jsonName(name string) string {
	b := make([]byte, 0, len(name))
	up := false
	for i := range len(name) {
		c := name[i]
		if c == '_' {
			up = true
			continue
		}
		if up && c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		up = false
		b = append(b, c)
	}
	return string(b)
}

// defaultBytes reads the default of a bytes field, in which descriptors escape
// as C does.
func defaultBytes(text string) ([]byte, error) {
	var out []byte
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c != '\\' {
			out = append(out, c)
			continue
		}
		if i++; i == len(text) {
			return nil, errors.New("it ends within an escape")
		}
		switch c = text[i]; c {
		case 'n', 'r', 't', 'a', 'b', 'f', 'v':
			out = append(out, "\n\r\t\a\b\f\v"[strings.IndexByte("nrtabfv", c)])
		case 'x', 'X':
			end := i + 1
			for end < len(text) && end < i+3 && strings.IndexByte("0123456789abcdefABCDEF", text[end]) >= 0 {
				end++
			}
			v, err := strconv.ParseUint(text[i+1:end], 16, 8)
			if err != nil {
				return nil, fmt.Errorf("the escape \\%c is not complete", c)
			}
			out, i = append(out, byte(v)), end-1
		case '0', '1', '2', '3', '4', '5', '6', '7':
			end := i
			for end < len(text) && end < i+3 && text[end] >= '0' && text[end] <= '7' {
				end++
			}
			v, err := strconv.ParseUint(text[i:end], 8, 8)
			if err != nil {
				return nil, fmt.Errorf("the escape \\%s is no byte", text[i:end])
			}
			out, i = append(out, byte(v)), end-1
		default:
			out = append(out, c)
		}
	}
	return out, nil
}
