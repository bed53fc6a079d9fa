package protobufconv

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/flowrecords/flow/connections/registry"
	"github.com/flowrecords/flow/converters/internal/registered"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/protobuf"
)

func (c *converter) NewEncoder(from record.Encoding) engine.Encode {
	return registered.NewEncoder(c.Client, &source{c, from})
}

// source is what records of one encoding are. It implements registered.Source.
type source struct {
	*converter
	enc record.Encoding
}

func (s *source) Own() (*text, error) {
	if s.given != nil {
		return s.given, nil
	}
	if enc, ok := s.enc.(*protobuf.Encoding); ok {
		t := &text{file: enc.Message().File, message: enc.Message(), enc: enc}
		if r := s.noted(enc); r != nil {
			t.text, t.refs = r.Text.Text, r.References
			return t, nil
		}
		if !slices.ContainsFunc(t.file.Imports, func(path string) bool { return !protobuf.IsWellKnown(path) }) {
			t.text = t.file.Text()
			return t, nil
		}
		// What it imports is not at hand: all goes into one file.
	}
	own := record.SchemaOf(s.enc)
	if own == nil {
		return nil, registered.ErrNoSchema
	}
	m, err := protobuf.FromSchema(own, s.config.from())
	if err != nil {
		return nil, err
	}
	return newText(m.File, m, m.File.Text())
}

// noted returns the schema of this registry that records were read with.
func (s *source) noted(enc *protobuf.Encoding) *registry.Schema {
	if s.Conn == nil {
		return nil
	}
	return s.Conn.Noted(enc.Message())
}

func (s *source) Name(t *text) (name, what string) { return t.message.Name, "a message" }

// Text returns the file, and registers first those that it imports, each under
// its path as the subject, as others do.
func (s *source) Text(ctx context.Context, t *text) (registry.Text, error) {
	out := registry.Text{Type: registry.Protobuf, Text: t.text, References: t.refs}
	if t.refs != nil {
		return out, nil
	}
	var err error
	out.References, err = s.references(ctx, t, t.file.Imports, map[string]registry.Reference{})
	return out, err
}

func (s *source) references(ctx context.Context, t *text, imports []string, done map[string]registry.Reference) ([]registry.Reference, error) {
	var refs []registry.Reference
	for _, path := range imports {
		in := t.imports[path]
		if in == nil {
			continue // one that the registry knows
		}
		ref, there := done[path]
		if !there {
			inner, err := s.references(ctx, t, in.file.Imports, done)
			if err != nil {
				return nil, err
			}
			if ref, err = s.reference(ctx, path, registry.Text{Type: registry.Protobuf, Text: in.text, References: inner}); err != nil {
				return nil, fmt.Errorf("registering the imported file %s: %w", path, err)
			}
			done[path] = ref
		}
		refs = append(refs, ref)
	}
	return refs, nil
}

// reference finds or registers an imported file.
func (s *source) reference(ctx context.Context, path string, text registry.Text) (registry.Reference, error) {
	if s.config.AutoRegister {
		if _, err := s.Conn.Register(ctx, path, text); err != nil {
			return registry.Reference{}, err
		}
	}
	stored, err := s.Conn.Lookup(ctx, path, text)
	if errors.Is(err, registry.ErrNotFound) {
		err = fmt.Errorf("the subject %s does not have it (register it, or set auto_register = true): %w", path, err)
	}
	return registry.Reference{Name: path, Subject: path, Version: stored.Version}, err
}

// Parse finds in a file of the registry the message that records are: the one
// that the option names, else the one that they are called after, else the
// first.
func (s *source) Parse(r *registry.Schema) (*text, error) {
	f, err := parseRegistered(r)
	if err != nil {
		return nil, err
	}
	name := s.config.Message
	if name == "" {
		if own := record.SchemaOf(s.enc); own != nil && find(f.Messages, own.Name) != nil {
			name = own.Name
		}
	}
	m, err := pick(f, name)
	if err != nil {
		return nil, err
	}
	return newText(f, m, r.Text.Text)
}

func (s *source) Unreadable(writer, reader *text) []string {
	return protobuf.Compatible(writer.message, reader.message)
}

// Writer returns how records of the source encoding become data of t.
func (s *source) Writer(t *text) (registered.Write, []byte, error) {
	index := appendIndex(nil, t.message.Index())
	if enc, ok := s.enc.(*protobuf.Encoding); ok && protobuf.Same(enc.Message(), t.message) {
		return func(dst, src []byte) ([]byte, error) { return append(dst, src...), nil }, index, nil
	}
	w, err := t.enc.NewWriter(record.SchemaOf(s.enc), protobuf.WriterOptions{Lenient: s.config.Lenient})
	if err != nil {
		return nil, nil, fmt.Errorf("the records do not fit the Protobuf schema: %w", err)
	}
	if s.enc == nil || record.IsJSON(s.enc) {
		return w.Append, index, nil
	}
	var text []byte
	return func(dst, src []byte) (_ []byte, err error) {
		if text, err = s.enc.AppendJSON(text[:0], src); err != nil {
			return dst, err
		}
		return w.Append(dst, text)
	}, index, nil
}
