package registered

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/flowrecords/flow/connections/registry"
	"github.com/flowrecords/flow/engine"
)

// Source says what records of one encoding are, and how they become data of a
// schema. S is a schema as the converter has it. It serves one goroutine.
type Source[S any] interface {
	// Own returns the schema that records have of themselves or by the option
	// schema; ErrNoSchema where there is none.
	Own() (S, error)
	// Name returns the full name of what s describes, for subjects; empty
	// where it has none. What is that which has none, such as a string.
	Name(s S) (name, what string)
	// Text is how s is registered. It may register first what s refers to.
	Text(ctx context.Context, s S) (registry.Text, error)
	// Parse reads a schema of the registry, with what it refers to.
	Parse(s *registry.Schema) (S, error)
	// Writer returns how records become data of s, and the bytes that stand
	// between the schema's id and the data (see Format.Middle).
	Writer(s S) (write Write, middle []byte, err error)
	// Unreadable says why data of writer cannot be read as reader; nil if it
	// can.
	Unreadable(writer, reader S) []string
}

// ErrNoSchema says that records have no schema of their own.
var ErrNoSchema = errors.New("the record has no schema to register: give the converter schema, use_latest or schema_id, or let the input read records with a schema")

// preparer finds out with which schema records are written.
type preparer[S any] struct {
	*Client
	from Source[S]
}

func (p *preparer[S]) prepare(topic string, m *engine.Meta) (*target, error) {
	ctx := Context(m)
	s, stored, err := p.schema(ctx, topic, m)
	if err != nil {
		return nil, err
	}
	t := &target{}
	var middle []byte
	if t.write, middle, err = p.from.Writer(s); err != nil {
		return nil, err
	}
	return t, t.frame(p.form, stored, middle)
}

// schema returns with which schema to write, and how the registry calls it.
func (p *preparer[S]) schema(ctx context.Context, topic string, m *engine.Meta) (s S, _ registry.Stored, err error) {
	var stored registry.Stored
	switch {
	case p.options.SchemaID != 0:
		r, err := p.Conn.ByID(ctx, p.options.SchemaID)
		if err != nil {
			return s, stored, err
		}
		stored = registry.Stored{ID: r.ID}
		if p.form == Header {
			if stored.GUID, err = p.Conn.GUID(ctx, r.ID); err != nil {
				return s, stored, err
			}
		}
		s, err = p.from.Parse(r)
		return s, stored, err
	case p.options.UseLatest:
		subject, err := p.subject(topic, m, func() (S, error) {
			own, err := p.from.Own()
			if err != nil {
				err = fmt.Errorf("with use_latest the name of the record is not known: give the option subject, or subject_strategy = \"topic\": %w", err)
			}
			return own, err
		})
		if err != nil {
			return s, stored, err
		}
		r, err := p.Conn.Latest(ctx, subject)
		if err != nil {
			return s, stored, err
		}
		s, err = p.from.Parse(r)
		return s, registry.Stored{ID: r.ID, GUID: r.GUID}, err
	}
	if s, err = p.from.Own(); err != nil || p.form == None {
		return s, stored, err
	}
	subject, err := p.subject(topic, m, func() (S, error) { return s, nil })
	if err != nil {
		return s, stored, err
	}
	stored, err = p.store(ctx, subject, s)
	return s, stored, err
}

// subject names the subject of records; of tells their schema.
func (p *preparer[S]) subject(topic string, m *engine.Meta, of func() (S, error)) (string, error) {
	if p.options.Subject != "" {
		return p.options.Subject, nil
	}
	strategy := p.options.SubjectStrategy
	if strategy != "record" && topic == "" {
		return "", errors.New(`the record goes to no topic, so its subject has no name: give the option subject, or subject_strategy = "record"`)
	}
	if strategy == "topic" {
		switch {
		case m != nil && m.Header:
			return topic + "-header-" + m.Name, nil
		case m != nil && m.Key:
			return topic + "-key", nil
		}
		return topic + "-value", nil
	}
	s, err := of()
	if err != nil {
		return "", err
	}
	name, what := p.from.Name(s)
	if name == "" {
		return "", fmt.Errorf("the schema is %s, which has no name: subject_strategy = %q needs a record", what, strategy)
	}
	if strategy == "record" {
		return name, nil
	}
	return topic + "-" + name, nil
}

// store finds or registers a schema.
func (p *preparer[S]) store(ctx context.Context, subject string, s S) (registry.Stored, error) {
	text, err := p.from.Text(ctx, s)
	if err != nil {
		return registry.Stored{}, err
	}
	if !p.options.AutoRegister {
		stored, err := p.Conn.Lookup(ctx, subject, text)
		if errors.Is(err, registry.ErrNotFound) {
			return stored, fmt.Errorf("the subject %s does not have the schema of the record (register it, or set auto_register = true, or use_latest = true): %w", subject, err)
		}
		return stored, err
	}
	stored, err := p.Conn.Register(ctx, subject, text)
	switch {
	case errors.Is(err, registry.ErrIncompatible):
		return stored, p.explain(ctx, subject, s, err)
	case err == nil && p.form == Header && stored.GUID == "":
		if found, err := p.Conn.Lookup(ctx, subject, text); err == nil {
			return found, nil
		}
	}
	return stored, err
}

// explain says which field makes a schema incompatible, by a comparison of our
// own with the latest version: what registries say differs from one to the
// other.
func (p *preparer[S]) explain(ctx context.Context, subject string, s S, refused error) error {
	remedy := "change the records so that they fit, register the schema by hand under a lower compatibility level, or write to another subject"
	latest, err := p.Conn.Latest(ctx, subject)
	if err != nil {
		return fmt.Errorf("%w; %s", refused, remedy)
	}
	old, err := p.from.Parse(latest)
	if err != nil {
		return fmt.Errorf("%w; %s", refused, remedy)
	}
	var reasons []string
	for _, why := range p.from.Unreadable(old, s) {
		reasons = append(reasons, "old data could not be read: "+why)
	}
	for _, why := range p.from.Unreadable(s, old) {
		reasons = append(reasons, "readers of the old schema could not read it: "+why)
	}
	if len(reasons) == 0 {
		return fmt.Errorf("%w; as flow compares them the latest version, %d, goes with it: an earlier one may not, or the registry has stricter rules; %s", refused, latest.Version, remedy)
	}
	const most = 3
	if len(reasons) > most {
		reasons = append(reasons[:most], fmt.Sprintf("and %d more", len(reasons)-most))
	}
	return fmt.Errorf("the schema of the record may not follow version %d of the subject %s: %s; %s: %w", latest.Version, subject, strings.Join(reasons, "; "), remedy, registry.ErrIncompatible)
}
