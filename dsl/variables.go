package dsl

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	hcljson "github.com/hashicorp/hcl/v2/json"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/flowrecords/flow/dsl/rules"
	"github.com/flowrecords/flow/engine"
)

// variable is one variable block and its value.
type variable struct {
	name      string
	block     *hclsyntax.Block
	typ       cty.Type
	defaults  *typeexpr.Defaults
	sensitive bool
	hasType   bool
	value     cty.Value // set by loadVariables; NilVal without a value
}

// envPrefix is the beginning of environment variables that set variables.
const envPrefix = "FLOW_VAR_"

func (l *loader) declareVariable(b *hclsyntax.Block) {
	if !l.labels(b, blockUse("variable"), 1) || !l.identifier(b.Labels[0], b.LabelRanges[0]) {
		return
	}
	name := b.Labels[0]
	if first, dup := l.variables[name]; dup {
		l.duplicate(fmt.Sprintf("variable %q", name), b.LabelRanges[0], first.block.LabelRanges[0])
		return
	}
	v := &variable{name: name, block: b, typ: cty.DynamicPseudoType}
	l.variables[name] = v
	l.only(b.Body, "variable", []string{"type", "default", "description", "sensitive"}, []string{"validation"})
	if a := b.Body.Attributes["sensitive"]; a != nil {
		val, ok := l.constant(a.Expr, nil)
		if ok && val.Type() == cty.Bool && val.IsKnown() && !val.IsNull() {
			v.sensitive = val.True()
		} else if ok {
			l.report(rules.WrongVariable, a.Expr.Range(), "sensitive is no bool", "Write true or false.")
		}
	}
	if a := b.Body.Attributes["type"]; a != nil {
		typ, defaults, diags := typeexpr.TypeConstraintWithDefaults(a.Expr)
		if diags.HasErrors() {
			l.report(rules.WrongVariable, a.Expr.Range(), "unknown type", "A type is string, number, bool, any, list(T), set(T), map(T), tuple([T, ...]) or object({ name = T }).%s",
				didYouMean(l.source(a.Expr.Range()), []string{"string", "number", "bool", "any"}))
			l.failed["var."+name] = true
			return
		}
		v.typ, v.defaults, v.hasType = typ, defaults, true
	}
}

// given is a value that comes from outside the config.
type given struct {
	text  string // from the command line or the environment
	value cty.Value
	at    *hcl.Range // in a variable file
	from  string     // for messages: --var, FLOW_VAR_x, a file
}

// loadVariables gives each variable its value. Precedence: --var, then
// --var-file, then FLOW_VAR_x, then the default; of two of one kind the later.
func (l *loader) loadVariables() {
	values := make(map[string]given)
	for name := range l.variables {
		if text, ok := l.environ[envPrefix+name]; ok {
			values[name] = given{text: text, from: envPrefix + name}
		}
	}
	for _, path := range l.opts.VarFiles {
		l.readVarFile(path, values)
	}
	for _, arg := range l.opts.Vars {
		name, text, ok := strings.Cut(arg, "=")
		switch {
		case !ok:
			l.add(rules.Finding(rules.WrongVarFlag, nil, "--var without a value",
				"Write it as --var name=value."))
		case name == "":
			l.add(rules.Finding(rules.WrongVarFlag, nil, "--var without a name",
				"Write it as --var name=value."))
		case l.variables[name] == nil:
			l.add(rules.Finding(rules.UnknownVariable, nil, fmt.Sprintf("unknown variable %q", name),
				fmt.Sprintf("--var sets a variable that no variable block declares.%s", didYouMean(name, slices.Collect(maps.Keys(l.variables))))))
		default:
			values[name] = given{text: text, from: "--var"}
		}
	}
	l.ctx = l.newContext()
	for _, name := range slices.Sorted(maps.Keys(l.variables)) {
		v := l.variables[name]
		if !l.failed["var."+name] {
			l.setVariable(v, values)
		}
		if v.value == cty.NilVal {
			l.failed["var."+name] = true
		}
	}
	l.setContext()
	for _, name := range slices.Sorted(maps.Keys(l.variables)) {
		l.validateVariable(l.variables[name])
	}
}

func (l *loader) readVarFile(path string, values map[string]given) {
	src, err := l.readLimited(path)
	if err != nil {
		l.add(rules.Finding(rules.UnreadableFile, nil, fmt.Sprintf("cannot read %q", path),
			fmt.Sprintf("Reading a variable file: %v.", cause(err))))
		return
	}
	name := filepath.Clean(path)
	var f *hcl.File
	var diags hcl.Diagnostics
	if len(src) > maxFileBytes {
		l.add(rules.Finding(rules.UnreadableFile, nil, fmt.Sprintf("cannot read %q", path),
			fmt.Sprintf("A variable file may have %s.", engine.ByteSize(maxFileBytes))))
		return
	}
	if strings.HasSuffix(name, ".json") {
		if d := tooDeepJSON(name, src); d != nil {
			diags = hcl.Diagnostics{d}
		} else {
			f, diags = hcljson.Parse(src, name)
		}
	} else if d := tooDeep(name, src); d != nil {
		diags = hcl.Diagnostics{d}
	} else {
		f, diags = hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	}
	if f != nil {
		l.files[name] = f
	}
	l.addSyntax(diags, src)
	if diags.HasErrors() {
		return
	}
	attrs, diags := f.Body.JustAttributes()
	for range diags {
		l.report(rules.BlocksInVarFile, f.Body.MissingItemRange(), "blocks in a variable file", "A variable file holds name = value pairs only.")
		break
	}
	for n, a := range attrs {
		v := l.variables[n]
		if v == nil {
			l.report(rules.UnusedValue, a.NameRange, fmt.Sprintf("unknown variable %q", n), "No variable block declares it, so the value is not used.%s", didYouMean(n, slices.Collect(maps.Keys(l.variables))))
			continue
		}
		if v.sensitive {
			l.blots = append(l.blots, a.Expr.Range())
		}
		val, diags := a.Expr.Value(nil)
		if diags.HasErrors() {
			l.report(rules.NotConstant, a.Expr.Range(), "value is not constant", "A variable file holds plain values: no references and no functions.")
			l.failed["var."+n] = true
			continue
		}
		at := a.Expr.Range()
		values[n] = given{value: val, at: &at, from: name}
	}
}

// setVariable converts the value that a variable has to its type.
func (l *loader) setVariable(v *variable, values map[string]given) {
	def := v.block.Body.Attributes["default"]
	defVal := cty.NilVal
	if def != nil {
		if v.sensitive {
			l.blotLiterals(def.Expr)
		}
		val, ok := l.constant(def.Expr, l.ctx)
		if !ok {
			l.failed["var."+v.name] = true
			return
		}
		if !v.hasType && val.Type().IsPrimitiveType() && !val.IsNull() {
			v.typ = val.Type() // a value from outside is text: the default says what it means
		}
		if defVal, ok = l.convertVariable(v, val, given{at: def.Expr.Range().Ptr()}); !ok {
			return
		}
	}
	in, isGiven := values[v.name]
	switch {
	case isGiven && in.at != nil:
		v.value, _ = l.convertVariable(v, in.value, in)
	case isGiven:
		if val, ok := l.parseGiven(v, in); ok {
			v.value, _ = l.convertVariable(v, val, in)
		}
	case def != nil:
		v.value = defVal
	default:
		l.report(rules.NoValue, v.block.DefRange(), fmt.Sprintf("variable %q has no value", v.name),
			"Give it one with --var %s=VALUE, with a variable file or with the environment variable %s%s, or add a default.", v.name, envPrefix, v.name)
	}
}

// parseGiven reads a value from the command line or the environment: text for
// a primitive type, an HCL value for lists, maps and objects.
func (l *loader) parseGiven(v *variable, in given) (cty.Value, bool) {
	if v.typ.IsPrimitiveType() || !v.hasType && v.block.Body.Attributes["default"] == nil {
		return cty.StringVal(in.text), true
	}
	fail := func(detail string) (cty.Value, bool) {
		l.add(rules.Finding(rules.WrongValue, nil, fmt.Sprintf("invalid value of variable %q", v.name), fmt.Sprintf("%s: %s", in.from, detail)))
		return cty.NilVal, false
	}
	if tooDeep("", []byte(in.text)) != nil {
		return fail("The value is nested too deeply.")
	}
	e, diags := hclsyntax.ParseExpression([]byte(in.text), in.from, hcl.InitialPos)
	if !diags.HasErrors() {
		var val cty.Value
		if val, diags = e.Value(nil); !diags.HasErrors() {
			return val, true
		}
	}
	if v.typ == cty.DynamicPseudoType {
		return cty.StringVal(in.text), true
	}
	return fail(fmt.Sprintf("Write a value of type %s as in a config, such as [\"a\", \"b\"].", typeexpr.TypeString(v.typ)))
}

// convertVariable brings a value to the variable's type and marks it.
func (l *loader) convertVariable(v *variable, val cty.Value, in given) (cty.Value, bool) {
	if v.defaults != nil && !val.IsNull() {
		val = v.defaults.Apply(val)
	}
	out, err := convert.Convert(val, v.typ)
	if err != nil {
		d := rules.Finding(rules.WrongValue, in.at, fmt.Sprintf("wrong type of variable %q", v.name),
			fmt.Sprintf("The type is %s: %s.", typeexpr.TypeString(v.typ), conversionError(err)))
		if in.at == nil {
			d.Detail = fmt.Sprintf("%s: %s", in.from, d.Detail)
		}
		l.add(d)
		return cty.NilVal, false
	}
	if v.sensitive {
		l.rememberSecrets(out)
		out = out.Mark(sensitiveMark)
	}
	return out, true
}

// conversionError is a library's error as part of a sentence. It never holds
// a value.
func conversionError(err error) string {
	var pe cty.PathError
	if errors.As(err, &pe) && len(pe.Path) > 0 {
		return fmt.Sprintf("at %s: %v", pathText(pe.Path), err)
	}
	return err.Error()
}

func pathText(p cty.Path) string {
	var b strings.Builder
	for _, s := range p {
		switch s := s.(type) {
		case cty.GetAttrStep:
			fmt.Fprintf(&b, ".%s", s.Name)
		case cty.IndexStep:
			if k, _ := s.Key.Unmark(); k.Type() == cty.String && k.IsKnown() && !k.IsNull() {
				fmt.Fprintf(&b, "[%q]", k.AsString())
			} else if k.Type() == cty.Number && k.IsKnown() && !k.IsNull() {
				fmt.Fprintf(&b, "[%s]", k.AsBigFloat().Text('f', -1))
			}
		}
	}
	return strings.TrimPrefix(b.String(), ".")
}

func (l *loader) validateVariable(v *variable) {
	for _, b := range v.block.Body.Blocks {
		if b.Type != "validation" || !l.labels(b, "validation", 0) {
			continue
		}
		l.only(b.Body, "validation", []string{"condition", "error_message"}, nil)
		cond, msg := b.Body.Attributes["condition"], b.Body.Attributes["error_message"]
		if cond == nil || msg == nil {
			l.report(rules.MissingOption, b.DefRange(), "validation is incomplete", "Give it a condition and an error_message.")
			continue
		}
		if l.failed["var."+v.name] {
			continue
		}
		val, ok := l.eval(cond.Expr)
		if !ok {
			continue
		}
		val, _ = val.UnmarkDeep()
		val, err := convert.Convert(val, cty.Bool)
		if err != nil || val.IsNull() || !val.IsKnown() {
			l.report(rules.WrongVariable, cond.Expr.Range(), "condition is no bool", "A condition is true or false, such as var.%s > 0.", v.name)
			continue
		}
		text, ok := l.eval(msg.Expr)
		if !ok || val.True() {
			continue
		}
		l.report(rules.RefusedValue, cond.Expr.Range(), fmt.Sprintf("invalid value of variable %q", v.name), "%s", l.printable(text))
	}
}

// printable is a text for people; a secret in it makes all of it one.
func (l *loader) printable(v cty.Value) string {
	raw, marks := v.UnmarkDeep()
	s, err := convert.Convert(raw, cty.String)
	if err != nil || s.IsNull() || !s.IsKnown() {
		return "(no text)"
	}
	if isSecret(marks) {
		return "The message is not shown, since it holds a secret."
	}
	return s.AsString()
}
