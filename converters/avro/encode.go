package avroconv

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/flowrecords/flow/connections/registry"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/avro"
)

// target is what records of one encoding become under one subject.
type target struct {
	prefix []byte // before the data; nil: none
	header []byte // nil: none
	write  func(dst, src []byte) ([]byte, error)

	err error
	// until is when an error is looked at again; the zero time: never.
	until time.Time
}

// refusedFor is how long a refusal of the registry is good: somebody may change
// the level of a subject, and asking for each record would flood the registry.
const refusedFor = 10 * time.Second

// maxTargets bounds the topics that a working copy remembers.
const maxTargets = 1000

type encoder struct {
	*converter
	source  record.Encoding
	targets map[string]*target // by topic
	topic   string
	last    *target
}

func (c *converter) NewEncoder(from record.Encoding) engine.Encode {
	e := &encoder{converter: c, source: from, targets: map[string]*target{}}
	return e.encode
}

func (e *encoder) encode(dst, src []byte, m *engine.Meta) ([]byte, error) {
	if src == nil {
		return nil, nil
	}
	topic, key := "", false
	if m != nil {
		topic, key = m.Topic, m.Key
	}
	t := e.last
	if t == nil || topic != e.topic || t.err != nil {
		var err error
		if t, err = e.target(topic, key, m); err != nil {
			return dst, err
		}
		e.last, e.topic = t, topic
		if t.err != nil {
			return dst, t.err
		}
	}
	if t.header != nil {
		if m == nil || m.AddHeader == nil {
			return dst, errNoHeaders
		}
		name := headerValue
		if key {
			name = headerKey
		}
		m.AddHeader(name, t.header)
	}
	start := len(dst)
	out, err := t.write(append(dst, t.prefix...), src)
	if err != nil {
		return dst[:start], err
	}
	return notNil(out), nil
}

var errNoHeaders = engine.Fatal(errors.New(`this output has no headers: use wire = "prefix"`))

// target returns that of a topic. Its error is one that is not remembered: the
// registry is away.
func (e *encoder) target(topic string, key bool, m *engine.Meta) (*target, error) {
	if t := e.targets[topic]; t != nil && (t.err == nil || t.until.IsZero() || e.now().Before(t.until)) {
		return t, nil
	}
	t, err := e.prepare(topic, key, m)
	if err != nil {
		if _, away := errors.AsType[*engine.RetryError](err); away {
			return nil, err
		}
		if _, fatal := errors.AsType[*engine.FatalError](err); fatal {
			return nil, err
		}
		t = &target{err: err, until: e.now().Add(refusedFor)}
	}
	if len(e.targets) >= maxTargets {
		clear(e.targets)
	}
	e.targets[topic] = t
	return t, nil
}

func (c *converter) now() time.Time {
	if c.env.Now != nil {
		return c.env.Now()
	}
	return time.Now()
}

func (e *encoder) prepare(topic string, key bool, m *engine.Meta) (*target, error) {
	ctx := contextOf(m)
	if e.registry == nil {
		w, err := e.writer(e.given.Avro())
		return &target{write: w}, err
	}
	var s *avro.Schema
	var stored registry.Stored
	switch {
	case e.config.SchemaID != 0:
		r, err := e.registry.ByID(ctx, e.config.SchemaID)
		if err != nil {
			return nil, err
		}
		if s, err = parseRegistered(r); err != nil {
			return nil, err
		}
		stored = registry.Stored{ID: r.ID, GUID: r.GUID}
	case e.config.UseLatest:
		subject, err := e.subject(topic, key, nil)
		if err != nil {
			return nil, err
		}
		r, err := e.registry.Latest(ctx, subject)
		if err != nil {
			return nil, err
		}
		if s, err = parseRegistered(r); err != nil {
			return nil, err
		}
		stored = registry.Stored{ID: r.ID, GUID: r.GUID}
	default:
		var err error
		if s, err = e.own(); err != nil {
			return nil, err
		}
		if e.wire == "none" {
			break
		}
		subject, err := e.subject(topic, key, s)
		if err != nil {
			return nil, err
		}
		if stored, err = e.store(subject, s, m); err != nil {
			return nil, err
		}
	}
	w, err := e.writer(s)
	if err != nil {
		return nil, err
	}
	t := &target{write: w}
	switch e.wire {
	case "prefix":
		t.prefix = binary.BigEndian.AppendUint32([]byte{magicID}, uint32(stored.ID))
	case "header":
		guid, err := hex.DecodeString(strings.ReplaceAll(stored.GUID, "-", ""))
		if err != nil || len(guid) != 16 {
			return nil, engine.Fatal(fmt.Errorf(`the registry tells no GUID of the schema %d: use wire = "prefix"`, stored.ID))
		}
		t.header = append([]byte{magicGUID}, guid...)
	}
	return t, nil
}

var errNoSchema = errors.New("the record has no schema to register: give the converter schema, use_latest or schema_id, or let the input read records with a schema")

// own returns the schema of the records themselves.
func (e *encoder) own() (*avro.Schema, error) {
	if e.given != nil {
		return e.given.Avro(), nil
	}
	if enc, ok := e.source.(*avro.Encoding); ok && !e.config.Connect {
		return enc.Avro(), nil
	}
	s := record.SchemaOf(e.source)
	if s == nil {
		return nil, errNoSchema
	}
	return avro.FromSchema(s, e.from)
}

// subject names the subject of records of s.
func (e *encoder) subject(topic string, key bool, s *avro.Schema) (string, error) {
	if e.config.Subject != "" {
		return e.config.Subject, nil
	}
	strategy := e.config.SubjectStrategy
	if strategy != "record" && topic == "" {
		return "", errors.New(`the record goes to no topic, so its subject has no name: give the option subject, or subject_strategy = "record"`)
	}
	if strategy == "topic" {
		if key {
			return topic + "-key", nil
		}
		return topic + "-value", nil
	}
	if s == nil {
		enc, ok := e.source.(*avro.Encoding)
		if !ok {
			return "", fmt.Errorf("with use_latest the name of the record is not known: give the option subject, or subject_strategy = \"topic\"")
		}
		s = enc.Avro()
	}
	if s.Name == "" {
		return "", fmt.Errorf("the schema is %s, which has no name: subject_strategy = %q needs a record", s.Kind, strategy)
	}
	if strategy == "record" {
		return s.Name, nil
	}
	return topic + "-" + s.Name, nil
}

// store finds or registers a schema.
func (e *encoder) store(subject string, s *avro.Schema, m *engine.Meta) (registry.Stored, error) {
	ctx := contextOf(m)
	text := registry.Text{Type: registry.Avro, Text: s.Source()}
	if text.Text == "" {
		text.Text = s.Text()
	}
	if !e.config.AutoRegister {
		stored, err := e.registry.Lookup(ctx, subject, text)
		if errors.Is(err, registry.ErrNotFound) {
			return stored, fmt.Errorf("the subject %s does not have the schema of the record (register it, or set auto_register = true, or use_latest = true): %w", subject, err)
		}
		return stored, err
	}
	stored, err := e.registry.Register(ctx, subject, text)
	switch {
	case errors.Is(err, registry.ErrIncompatible):
		return stored, e.explain(subject, s, m, err)
	case err == nil && e.wire == "header" && stored.GUID == "":
		if found, err := e.registry.Lookup(ctx, subject, text); err == nil {
			return found, nil
		}
	}
	return stored, err
}

// explain says which field makes a schema incompatible, by a comparison of our
// own with the latest version: what registries say differs from one to the
// other.
func (e *encoder) explain(subject string, s *avro.Schema, m *engine.Meta, refused error) error {
	remedy := "change the records so that they fit, register the schema by hand under a lower compatibility level, or write to another subject"
	latest, err := e.registry.Latest(contextOf(m), subject)
	if err != nil {
		return fmt.Errorf("%w; %s", refused, remedy)
	}
	old, err := parseRegistered(latest)
	if err != nil {
		return fmt.Errorf("%w; %s", refused, remedy)
	}
	var reasons []string
	for _, i := range avro.Compatible(old, s) {
		reasons = append(reasons, "old data could not be read: "+i.String())
	}
	for _, i := range avro.Compatible(s, old) {
		reasons = append(reasons, "readers of the old schema could not read it: "+i.String())
	}
	if len(reasons) == 0 {
		return fmt.Errorf("%w; version %d, the latest, is compatible, an earlier one is not; %s", refused, latest.Version, remedy)
	}
	const most = 3
	if len(reasons) > most {
		reasons = append(reasons[:most], fmt.Sprintf("and %d more", len(reasons)-most))
	}
	return fmt.Errorf("the schema of the record may not follow version %d of the subject %s: %s; %s: %w", latest.Version, subject, strings.Join(reasons, "; "), remedy, registry.ErrIncompatible)
}

// writer returns how records of the source encoding become data of s.
func (e *encoder) writer(s *avro.Schema) (func(dst, src []byte) ([]byte, error), error) {
	own := record.SchemaOf(e.source)
	w, err := avro.NewWriter(s, own, avro.WriterOptions{Lenient: e.config.Lenient})
	if err != nil {
		return nil, fmt.Errorf("the records do not fit the Avro schema: %w", err)
	}
	if enc, ok := e.source.(*avro.Encoding); ok {
		if enc.Avro() == s {
			return func(dst, src []byte) ([]byte, error) { return append(dst, src...), nil }, nil
		}
		if v, err := avro.NewResolver(enc.Avro(), s); err == nil {
			return v.Append, nil
		}
	}
	if e.source == nil || record.IsJSON(e.source) {
		return w.Append, nil
	}
	var text []byte
	return func(dst, src []byte) (_ []byte, err error) {
		if text, err = e.source.AppendJSON(text[:0], src); err != nil {
			return dst, err
		}
		return w.Append(dst, text)
	}, nil
}
