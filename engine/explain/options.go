package explain

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/flowrecords/flow/engine"
)

// secretText stands for a secret.
const secretText = "(secret)"

// The kinds of options.
const (
	kindValue      = "value"
	kindExpression = "expression"
	kindTemplate   = "template"
	kindConnection = "connection"
	kindSecret     = "secret"
)

// options fills in the options that say something, and what they read.
func (d *describer) options(p *part) error {
	if p.el.Config == nil {
		return nil
	}
	spec, err := engine.Describe(p.el.Config)
	if err != nil {
		return err
	}
	var defaults reflect.Value
	if f := d.defaults(p.el); f != nil {
		defaults = reflect.ValueOf(f())
	}
	w := &optionWalker{p: p}
	w.walk("", spec, reflect.ValueOf(p.el.Config), defaults)
	if c := p.el.Changes; c != nil {
		p.reads.Add(engine.Reads{Value: c.Reads})
		if wholeOf(c.Reads) {
			p.whole = append(p.whole, "") // the element itself
		}
	}
	p.out.Options, p.out.Reads = w.out, readsText(p.reads)
	return nil
}

func (d *describer) defaults(el *engine.Element) func() any {
	r := d.opts.Registry
	if r == nil {
		return nil
	}
	switch el.Kind {
	case engine.KindInput:
		return r.Inputs[el.Type].Defaults
	case engine.KindProcessor:
		return r.Processors[el.Type].Defaults
	default:
		return r.Outputs[el.Type].Defaults
	}
}

type optionWalker struct {
	p   *part
	out []Option
}

// walk adds the options of a block. defaults is invalid where there are none.
func (w *optionWalker) walk(prefix string, s *engine.Spec, config, defaults reflect.Value) {
	for i := range s.Options {
		o := &s.Options[i]
		v := o.Field(config)
		var def reflect.Value
		if defaults.IsValid() {
			def = o.Field(defaults)
		}
		if o.Block != nil {
			w.block(prefix+o.Name, o, v, def)
			continue
		}
		if def.IsValid() && reflect.DeepEqual(v.Interface(), def.Interface()) || !def.IsValid() && v.IsZero() {
			continue
		}
		w.option(prefix+o.Name, o, v)
	}
}

func (w *optionWalker) block(name string, o *engine.Option, v, def reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		inner := reflect.Value{}
		if def.IsValid() && !def.IsNil() {
			inner = def.Elem()
		}
		w.walk(name+".", o.Block, v.Elem(), inner)
	case reflect.Slice:
		for i := range v.Len() {
			label := fmt.Sprint(i)
			if o.Block.Label != nil {
				label = o.Block.Label.Field(v.Index(i)).String()
			}
			w.walk(name+"."+label+".", o.Block, v.Index(i), reflect.Value{})
		}
	default:
		w.walk(name+".", o.Block, v, def)
	}
}

// option adds one option, each entry of a map of expressions by itself.
func (w *optionWalker) option(name string, o *engine.Option, v reflect.Value) {
	add := func(target, kind, text string) {
		w.out = append(w.out, Option{Name: name, Target: redact(target), Kind: kind, Text: redact(text)})
	}
	if o.Secret {
		if text := secretValue(v); text != "" {
			add("", kindSecret, text)
		}
		return
	}
	switch x := v.Interface().(type) {
	case engine.Expression:
		w.expression(name, "", x)
	case []engine.Expression:
		for i, e := range x {
			w.expression(fmt.Sprintf("%s[%d]", name, i), "", e)
		}
	case engine.Assignments:
		for _, a := range x {
			w.expression(name, a.Path.String(), a.Expr)
		}
	case engine.NamedExpressions:
		for _, n := range x {
			w.expression(name, n.Name, n.Expr)
		}
	case engine.Template:
		w.template(name, x)
	case []engine.Template:
		for i, t := range x {
			w.template(fmt.Sprintf("%s[%d]", name, i), t)
		}
	case engine.Renames:
		for _, r := range x {
			add(r.From.String(), kindValue, engine.HCLString(r.To.String()))
		}
	case engine.SchemaOption:
		if text := schemaText(x); text != "" {
			add("", kindValue, text)
		}
	case engine.ConnectionRef:
		if x.Name != "" {
			add("", kindConnection, x.Name)
		}
	default:
		if text := valueText(v); text != "" {
			add("", kindValue, text)
		}
	}
}

// schemaText is a schema as it was given: the name of a block, or its text.
func schemaText(o engine.SchemaOption) string {
	switch {
	case o.Name != "":
		return o.Name
	case o.Text != "":
		return engine.HCLString(o.Text)
	}
	return ""
}

func (w *optionWalker) expression(name, target string, e engine.Expression) {
	if !e.IsZero() {
		w.source(name, target, kindExpression, e.Source.Text(), e.Source)
	}
}

func (w *optionWalker) template(name string, t engine.Template) {
	if !t.IsZero() {
		w.source(name, "", kindTemplate, t.Source.Text(), t.Source)
	}
}

func (w *optionWalker) source(name, target, kind, text string, source any) {
	o := Option{Name: name, Target: redact(target), Kind: kind, Text: redact(strings.TrimSpace(text))}
	if r, ok := source.(engine.Reader); ok {
		reads := r.Reads()
		o.Reads = readsText(reads)
		w.p.reads.Add(reads)
		if wholeOf(reads.Value) {
			w.p.whole = append(w.p.whole, strings.TrimSuffix(name+"."+target, "."))
		}
	}
	w.out = append(w.out, o)
}

// secretValue says that there is a secret, and of a map which names have one.
func secretValue(v reflect.Value) string {
	switch {
	case v.Kind() == reflect.Map:
		var names []string
		for _, k := range v.MapKeys() {
			names = append(names, k.String()+" = "+secretText)
		}
		slices.Sort(names)
		if len(names) == 0 {
			return ""
		}
		return "{ " + strings.Join(names, ", ") + " }"
	case v.IsZero(), v.Kind() == reflect.Slice && v.Len() == 0:
		return ""
	}
	return secretText
}

// valueText writes a value as HCL; empty when there is none.
func valueText(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case time.Duration:
		return engine.HCLString(engine.DurationText(x))
	case engine.ByteSize:
		return engine.HCLString(x.String())
	case engine.PathOption:
		return engine.HCLString(x.Path.String())
	case engine.Pattern:
		if x.Regexp == nil {
			return ""
		}
		return engine.HCLString(x.String())
	}
	switch v.Kind() {
	case reflect.String:
		return engine.HCLString(v.String())
	case reflect.Slice:
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = valueText(v.Index(i))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case reflect.Map:
		var parts []string
		for _, k := range v.MapKeys() {
			parts = append(parts, k.String()+" = "+valueText(v.MapIndex(k)))
		}
		slices.Sort(parts)
		return "{ " + strings.Join(parts, ", ") + " }"
	default:
		return fmt.Sprint(v.Interface())
	}
}

var (
	userinfo = regexp.MustCompile(`(\b[A-Za-z][A-Za-z0-9+.-]*://)[^/?#\s'"]*@`)
	// credentials finds what a header carries that is written out.
	credentials = regexp.MustCompile(`(?i)\b((?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}`)
	// token finds what URLs carry in their query.
	token = regexp.MustCompile(`(?i)([?&](?:password|passwd|secret|token|access_token|api_?key|signature|sig)=)[^&#\s'"]+`)
)

// redact takes out of a text what URLs and headers carry to prove who one is.
func redact(s string) string {
	s = credentials.ReplaceAllStringFunc(s, func(found string) string {
		word, rest := found[:strings.LastIndexAny(found, " \t")+1], found[strings.LastIndexAny(found, " \t")+1:]
		if len(rest) < 16 && !strings.ContainsAny(rest, "0123456789=") {
			return found // a word of a language
		}
		return word + secretText
	})
	s = userinfo.ReplaceAllString(s, "${1}"+secretText+"@")
	return token.ReplaceAllString(s, "${1}"+secretText)
}
