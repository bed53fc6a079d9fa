package redact

import (
	"bytes"
	"regexp"
	"slices"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/processors/internal/transform"
)

// Factory describes redact.
func Factory() engine.ProcessorFactory {
	return engine.ProcessorFactory{
		Component: engine.Component{
			Type:    "redact",
			Summary: "Takes personal data and secrets out of records, by field name and by what a text looks like.",
			Description: "Fields are found by name at any depth, in arrays, too; a field that matches is redacted whole, whatever it holds. " +
				"Kinds of values are found within all texts, but not within the names of fields. What is not redacted stays byte for byte.\n\n" +
				"A null stays null. Numbers are looked at as text, for `card`. " +
				"With a schema every value keeps its type: in place of a number, a time and the like stands a null, or the empty value of its type where it may not be null. Fields that are removed go from the schema. " +
				"Finding personal data by its look is never complete: name the fields that you know.",
			Defaults: func() any { return Defaults() },
			Examples: []engine.Example{{Title: "No passwords, cards or e-mail addresses", HCL: `pipeline "customers" {
  input "file" "customers" {
    path = "customers.jsonl"
  }

  processor "redact" "personal" {
    fields = ["password", ".*_token"]
    values = ["card", "email"]
  }

  output "stdout" "out" {}
}
`}},
		},
		New: func(config any, _ engine.Env) (engine.Processor, error) {
			return newRedact(config.(*Config)), nil
		},
		Schemas: func(config any, in engine.Schemas) (engine.Schemas, []engine.Problem) {
			return newRedact(config.(*Config)).schemas(in)
		},
		Changes: func(config any) engine.Changes { return config.(*Config).changes() },
	}
}

type redact struct {
	config *Config
	names  *regexp.Regexp // nil: no fields
	kinds  []kind
	parts  struct{ value, key, headers bool }
	plans  transform.Plans[*schema.Schema]
}

func newRedact(c *Config) *redact {
	p := &redact{config: c}
	var names []byte
	for i, f := range c.Fields {
		if i > 0 {
			names = append(names, '|')
		}
		names = append(names, "(?:"+f.String()+")"...)
	}
	if len(names) > 0 {
		// The parts compile, so the whole does.
		p.names = regexp.MustCompile("(?is)^(?:" + string(names) + ")$")
	}
	for _, name := range c.Values {
		p.kinds = append(p.kinds, kindOf(name))
	}
	for _, x := range c.Patterns {
		p.kinds = append(p.kinds, kind{find: x.Regexp})
	}
	p.plans.Make = p.plan
	p.parts.value = slices.Contains(c.In, "value")
	p.parts.key = slices.Contains(c.In, "key")
	p.parts.headers = slices.Contains(c.In, "headers")
	return p
}

func (*redact) Ports() []string { return nil }

func (p *redact) Bind(l *record.Layout) (engine.Bound, error) {
	w := p.worker()
	w.value.id, w.key.id = l.Value.Add(nil), l.Key.Add(nil)
	return engine.Bound{Step: w.step}, nil
}

func (p *redact) worker() *worker {
	return &worker{
		redact: p, mask: newMask(p.config), known: make(map[string]bool),
		value: part{planner: p.plans.Planner()}, key: part{planner: p.plans.Planner()},
	}
}

// worker is the working copy of a redact.
type worker struct {
	*redact
	mask       *mask
	value, key part
	known      map[string]bool // names that were looked at: whether they match
	name       []byte          // scratch: a name without escapes
	text       []byte          // scratch: a text without escapes
	clean      []byte          // scratch: the text redacted
}

// part is the value or the key.
type part struct {
	id      record.PathID
	planner *transform.Planner[*schema.Schema]
	enc     record.Encoding // of result
	source  []byte          // as it is
	result  []byte          // redacted; lives until the next record
}

func (w *worker) step(r *record.Record) (bool, error) {
	// Everything that can fail comes before the first edit.
	value, err := w.look(r.Value, &w.value, w.parts.value)
	if err != nil {
		return false, err
	}
	key, err := w.look(r.Key, &w.key, w.parts.key)
	if err != nil {
		return false, err
	}
	if value {
		r.Value.Reset(w.value.enc, w.value.result)
	}
	if key {
		r.Key.Reset(w.key.enc, w.key.result)
	}
	if w.parts.headers {
		w.headers(r)
	}
	return true, nil
}

// look redacts a document into p.result and reports whether that differs.
func (w *worker) look(d *record.Doc, p *part, wanted bool) (bool, error) {
	if !wanted || d.IsNull() {
		return false, nil
	}
	v, err := d.Get(p.id)
	if err != nil {
		return false, err
	}
	if s := d.Schema(); s != nil {
		return w.typed(d, p, s)
	}
	if p.enc = d.Encoding(); p.enc != record.JSON {
		var changed bool
		p.result, changed = w.redactText(p.result[:0], v.Text())
		return changed, nil
	}
	if p.source, err = v.AppendJSON(p.source[:0]); err != nil {
		return false, err
	}
	s := scan{w: w, src: p.source, dst: p.result[:0]}
	s.value()
	s.dst = append(s.dst, s.src[s.copied:]...)
	p.result = s.dst
	return s.changed, nil
}

// typed is look for a document with a schema.
func (w *worker) typed(d *record.Doc, p *part, s *schema.Schema) (bool, error) {
	to, err := p.planner.Of(s)
	if err != nil {
		return false, err
	}
	if p.source, err = d.AppendTo(p.source[:0]); err != nil {
		return false, err
	}
	text, err := d.Encoding().AppendJSON(nil, p.source)
	if err != nil {
		return false, err
	}
	t := typed{w: w}
	p.result, err = t.append(p.result[:0], record.RawJSON(text), s, false)
	p.enc = record.JSONOf(to)
	return t.changed || to != s, err
}

func (w *worker) headers(r *record.Record) {
	for _, h := range slices.Clone(r.Headers()) {
		if h.Value == nil {
			continue
		}
		if w.matches([]byte(h.Key)) {
			if w.config.Mode == "remove" {
				r.DeleteHeader(h.Key)
			} else {
				r.SetHeader(h.Key, w.mask.append(nil, h.Value))
			}
			continue
		}
		if text, changed := w.redactText(nil, h.Value); changed {
			r.SetHeader(h.Key, text)
		}
	}
}

// maxKnown bounds the names that are remembered: names come from outside.
const maxKnown = 4096

// matches reports whether a field of that name is redacted.
func (w *worker) matches(name []byte) bool {
	if w.names == nil {
		return false
	}
	if is, ok := w.known[string(name)]; ok {
		return is
	}
	if len(w.known) >= maxKnown {
		clear(w.known)
	}
	is := w.names.Match(name)
	w.known[string(name)] = is
	return is
}

// redactText appends text without what the kinds find in it, or nothing if
// that is nothing.
func (w *worker) redactText(dst, text []byte) (_ []byte, changed bool) {
	for i := range w.kinds {
		k := &w.kinds[i]
		if k.may != nil && !k.may(text) {
			continue
		}
		from := 0
		var out []byte
		for from < len(text) {
			at := k.next(text, from)
			if at == nil {
				break
			}
			if out == nil {
				out = make([]byte, 0, len(text)+32)
			}
			out = append(out, text[from:at[0]]...)
			out = w.mask.append(out, text[at[0]:at[1]])
			from, changed = at[1], true
		}
		if out != nil {
			text = append(out, text[from:]...)
		}
	}
	if !changed {
		return dst, false
	}
	return append(dst, text...), true
}

// scan goes over valid JSON text and copies it, redacted.
type scan struct {
	w        *worker
	src, dst []byte
	at       int // where the scan is
	copied   int // src is in dst up to here
	changed  bool
}

// value goes over one value.
func (s *scan) value() {
	s.space()
	switch s.src[s.at] {
	case '{':
		s.object()
	case '[':
		s.at++
		for s.space(); s.src[s.at] != ']'; s.space() {
			s.value()
			if s.space(); s.src[s.at] == ',' {
				s.at++
			}
		}
		s.at++
	default:
		from := s.at
		s.scalar()
		s.redactScalar(from, s.at)
	}
}

func (s *scan) object() {
	s.at++
	kept := 0 // members that stay
	for s.space(); s.src[s.at] != '}'; s.space() {
		from := s.at
		s.string()
		name := s.unquote(&s.w.name, s.src[from:s.at])
		s.space()
		s.at++ // the colon
		s.space()
		begin := s.at
		if !s.w.matches(name) {
			s.value()
			kept++
		} else {
			s.skip()
			if s.w.config.Mode == "remove" {
				s.drop(from, kept)
				continue
			}
			kept++
			s.redactField(begin, s.at)
		}
		if s.space(); s.src[s.at] == ',' {
			s.at++
		}
	}
	s.at++
}

// drop leaves out the member from..at with one of the commas beside it.
func (s *scan) drop(from, kept int) {
	s.space()
	s.flush(from)
	if s.src[s.at] == ',' {
		s.at++
		s.space()
	} else if kept > 0 { // the last one: the comma before goes
		end := len(bytes.TrimRight(s.dst, " \t\r\n"))
		if end > 0 && s.dst[end-1] == ',' {
			s.dst = s.dst[:end-1]
		}
	}
	s.copied, s.changed = s.at, true
}

// flush copies the source up to here.
func (s *scan) flush(to int) {
	s.dst = append(s.dst, s.src[s.copied:to]...)
	s.copied = to
}

// redactField replaces the value of a field whole. A null stays.
func (s *scan) redactField(from, to int) {
	raw := s.src[from:to]
	if raw[0] == 'n' {
		return
	}
	text := raw
	if raw[0] == '"' {
		text = s.unquote(&s.w.text, raw)
	}
	s.w.clean = s.w.mask.append(s.w.clean[:0], text)
	s.put(from, to)
}

// redactScalar replaces what the kinds find in a text or number.
func (s *scan) redactScalar(from, to int) {
	raw := s.src[from:to]
	if len(s.w.kinds) == 0 || raw[0] == 't' || raw[0] == 'f' || raw[0] == 'n' {
		return
	}
	text := raw
	if raw[0] == '"' {
		text = s.unquote(&s.w.text, raw)
	}
	var changed bool
	if s.w.clean, changed = s.w.redactText(s.w.clean[:0], text); changed {
		s.put(from, to)
	}
}

// put writes the clean text in place of a range of the source.
func (s *scan) put(from, to int) {
	s.flush(from)
	s.dst = record.AppendQuoted(s.dst, s.w.clean)
	s.copied, s.changed = to, true
}

func (s *scan) unquote(scratch *[]byte, quoted []byte) []byte {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	*scratch = record.AppendUnquoted((*scratch)[:0], quoted)
	return *scratch
}

func (s *scan) space() {
	for s.at < len(s.src) && (s.src[s.at] == ' ' || s.src[s.at] == '\t' || s.src[s.at] == '\n' || s.src[s.at] == '\r') {
		s.at++
	}
}

// scalar steps over a string, number or word.
func (s *scan) scalar() {
	if s.src[s.at] == '"' {
		s.string()
		return
	}
	for ; s.at < len(s.src); s.at++ {
		switch s.src[s.at] {
		case ',', ']', '}', ' ', '\t', '\r', '\n':
			return
		}
	}
}

func (s *scan) string() {
	for s.at++; s.src[s.at] != '"'; s.at++ {
		if s.src[s.at] == '\\' {
			s.at++
		}
	}
	s.at++
}

// skip steps over any value.
func (s *scan) skip() {
	depth := 0
	for {
		switch s.src[s.at] {
		case '{', '[':
			depth++
			s.at++
		case '}', ']':
			depth--
			s.at++
		case ',', ':', ' ', '\t', '\r', '\n':
			s.at++
			continue
		default:
			s.scalar()
		}
		if depth == 0 {
			return
		}
	}
}
