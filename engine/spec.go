package engine

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Spec describes the options of a *Config or of a nested block, in the order
// of its fields. Decoding, diagnostics, docs and completion have no other
// source.
type Spec struct {
	Options []Option
	// Label is the option that holds the block's label; nil without one. Its
	// Name is empty.
	Label *Option
}

// Option is one option of a component.
type Option struct {
	// Name as it stands in HCL.
	Name string
	// Type for people: "string", "duration", "list of string",
	// "connection.kafka", "block".
	Type string
	// Doc is one or two sentences.
	Doc string
	// Default is HCL text of what the option means when it is absent; empty
	// when it then means nothing. It never holds a secret (Invariant 7).
	Default string
	// Example is HCL text of a value.
	Example string
	// OneOf lists the allowed values of a string.
	OneOf []string
	// Min and Max are bounds as text of the option's type.
	Min, Max string
	// Unit is what a number counts ("records"), empty for one that counts
	// nothing; UnitsDuration or UnitsSize; empty for all else.
	Unit string
	// Since is the version of flow in which the option came; empty: its
	// component's.
	Since string
	// System is the type of connection that a ConnectionRef asks for.
	System string
	// Notations are those in which text in a schema option may be written.
	Notations []string
	// Allow names the list of string next to a destination that holds all
	// results that it may have.
	Allow string

	// Whole: a number, or a list of them, without fractions.
	Whole bool
	// Required: the option must be given.
	Required bool
	// Bool: an expression whose result must be a bool.
	Bool bool
	// Shown: people see the result, so it must not use a secret.
	Shown bool
	// Destination: a text that decides where data goes.
	Destination bool
	// URL: the text is a URL, whose scheme and host are literal and whose holes
	// are percent-encoded.
	URL bool
	// Secret: its value must never be shown.
	Secret bool
	// Repeated: a block that may stand many times.
	Repeated bool
	// Block holds the options of a nested block; nil for all else.
	Block *Spec

	index []int
	// unitSaid: the tag unit is there, be it empty.
	unitSaid bool
}

// The units in which durations and sizes are written.
const (
	UnitsDuration = "ns, us, ms, s, m, h"
	UnitsSize     = "B, KB, KiB, MB, MiB, GB, GiB, TB, TiB"
)

// Field returns the field of the option in a config: what Describe was given,
// or the struct of the block.
func (o *Option) Field(config reflect.Value) reflect.Value {
	for config.Kind() == reflect.Pointer {
		config = config.Elem()
	}
	return config.FieldByIndex(o.index)
}

// Option returns the option of that name, nil if there is none.
func (s *Spec) Option(name string) *Option {
	for i := range s.Options {
		if s.Options[i].Name == name {
			return &s.Options[i]
		}
	}
	return nil
}

// Names returns the names of all options and blocks.
func (s *Spec) Names() []string {
	names := make([]string, len(s.Options))
	for i := range s.Options {
		names[i] = s.Options[i].Name
	}
	return names
}

// Describe reads the tags of a *Config (see options.go) and, as defaults, its
// values. An error is a bug of the component.
func Describe(config any) (*Spec, error) {
	v := reflect.ValueOf(config)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return nil, fmt.Errorf("describing %T: want a pointer to a struct", config)
	}
	s := &Spec{}
	d := describer{}
	if err := d.describe(s, v.Elem(), nil); err != nil {
		return nil, fmt.Errorf("describing %T: %w", config, err)
	}
	return s, nil
}

// maxSpecDepth stops a Config type that contains itself.
const maxSpecDepth = 8

type describer struct{ depth int }

func (d *describer) describe(s *Spec, v reflect.Value, index []int) error {
	t := v.Type()
	for i := range t.NumField() {
		f := t.Field(i)
		at := append(append([]int(nil), index...), i)
		tag, tagged := f.Tag.Lookup("flow")
		if f.Anonymous && !tagged && f.Type.Kind() == reflect.Struct {
			if err := d.describe(s, v.Field(i), at); err != nil {
				return err
			}
			continue
		}
		if !tagged || tag == "-" {
			continue
		}
		o, label, err := d.option(f, tag, v.Field(i))
		if err != nil {
			return fmt.Errorf("field %s: %w", f.Name, err)
		}
		o.index = at
		if label {
			if s.Label != nil {
				return fmt.Errorf("field %s: the block has a second label", f.Name)
			}
			s.Label = &o
			continue
		}
		if s.Option(o.Name) != nil {
			return fmt.Errorf("field %s: option %q is there twice", f.Name, o.Name)
		}
		s.Options = append(s.Options, o)
	}
	return s.checkAllow()
}

// checkAllow checks that what the tag allow names is there.
func (s *Spec) checkAllow() error {
	for i := range s.Options {
		o := &s.Options[i]
		if o.Allow == "" {
			continue
		}
		if list := s.Option(o.Allow); list == nil || list.Type != "list of string" {
			return fmt.Errorf("option %q: allow names %q, which is no list of string", o.Name, o.Allow)
		}
	}
	return nil
}

// version is what Since may be.
var version = regexp.MustCompile(`^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$`)

var optionName = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)

func (d *describer) option(f reflect.StructField, tag string, v reflect.Value) (o Option, label bool, err error) {
	name, flags, _ := strings.Cut(tag, ",")
	o = Option{Name: name, Doc: f.Tag.Get("doc"), Example: f.Tag.Get("example"), Min: f.Tag.Get("min"), Max: f.Tag.Get("max"),
		System: f.Tag.Get("system"), Allow: f.Tag.Get("allow"), OneOf: strings.Fields(f.Tag.Get("oneof")), Since: f.Tag.Get("since"), Notations: strings.Fields(f.Tag.Get("notation"))}
	o.Unit, o.unitSaid = f.Tag.Lookup("unit")
	if o.Since != "" && !version.MatchString(o.Since) {
		return o, false, fmt.Errorf("since %q is no version such as 0.2.0", o.Since)
	}
	block := false
	for flag := range strings.SplitSeq(flags, ",") {
		switch flag {
		case "":
		case "required":
			o.Required = true
		case "bool":
			o.Bool = true
		case "shown":
			o.Shown = true
		case "destination":
			o.Destination = true
		case "url":
			o.URL = true
		case "block":
			block = true
		case "label":
			label = true
		default:
			return o, false, fmt.Errorf("unknown flag %q", flag)
		}
	}
	if !f.IsExported() {
		return o, false, fmt.Errorf("an option's field must be exported")
	}
	if label {
		if name != "" || f.Type.Kind() != reflect.String {
			return o, false, fmt.Errorf("a label is a string without a name")
		}
		o.Type = "string"
		return o, true, nil
	}
	if !optionName.MatchString(name) {
		return o, false, fmt.Errorf("%q is no lower_snake_case name", name)
	}
	if block {
		err = d.block(&o, v)
	} else {
		err = o.scalar(f.Type, v)
	}
	return o, false, err
}

func (d *describer) block(o *Option, v reflect.Value) error {
	o.Type = "block"
	t := v.Type()
	elem := v
	switch {
	case t.Kind() == reflect.Struct:
	case t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct:
		elem = reflect.New(t.Elem()).Elem()
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		o.Repeated = true
		elem = reflect.New(t.Elem()).Elem()
	default:
		return fmt.Errorf("a block is a struct, a pointer to one or a slice of them, not %s", t)
	}
	if d.depth++; d.depth > maxSpecDepth {
		return fmt.Errorf("blocks are nested deeper than %d", maxSpecDepth)
	}
	defer func() { d.depth-- }()
	o.Block = &Spec{}
	return d.describe(o.Block, elem, nil)
}

// scalar fills in what an attribute's Go type says and checks the tags that
// go with it.
func (o *Option) scalar(t reflect.Type, v reflect.Value) error {
	name, err := typeName(t, o.System)
	if err != nil {
		return err
	}
	o.Type, o.Secret = name, strings.Contains(name, "secret")
	if o.Bool && name != "expression" {
		return fmt.Errorf("flag bool on a %s", name)
	}
	if o.Destination && name != "template" && name != "expression" {
		return fmt.Errorf("flag destination on a %s", name)
	}
	if o.URL && (name != "template" || !o.Destination) {
		return fmt.Errorf("flag url on what is no template of a destination")
	}
	if o.Allow != "" && !o.Destination {
		return fmt.Errorf("allow without destination")
	}
	if len(o.OneOf) > 0 && name != "string" && name != "list of string" {
		return fmt.Errorf("oneof on a %s", name)
	}
	if err := o.unit(t, strings.TrimPrefix(name, "list of ")); err != nil {
		return err
	}
	if err := o.checkNotations(name); err != nil {
		return err
	}
	if name == "connection." {
		return fmt.Errorf("a connection needs the tag system")
	}
	if err := o.checkBounds(t); err != nil {
		return err
	}
	o.Default = defaultText(v)
	return nil
}

// unit settles Unit and Whole; elem is the type of the option or of the
// elements of its list.
func (o *Option) unit(t reflect.Type, elem string) error {
	if o.unitSaid && elem != "number" {
		return fmt.Errorf("unit on a %s", elem)
	}
	switch elem {
	case "duration":
		o.Unit = UnitsDuration
	case "size":
		o.Unit = UnitsSize
	case "number":
		if t.Kind() == reflect.Slice {
			t = t.Elem()
		}
		o.Whole = t.Kind() != reflect.Float64
	}
	return nil
}

// checkNotations checks that a schema says how its text is written.
func (o *Option) checkNotations(name string) error {
	switch {
	case name != "schema" && len(o.Notations) > 0:
		return fmt.Errorf("notation on a %s", name)
	case name == "schema" && len(o.Notations) == 0:
		return fmt.Errorf("a schema needs the tag notation")
	}
	for _, n := range o.Notations {
		if len(o.Notations) > 1 && n != NotationProtobuf && !slices.Contains(Notations(), n) {
			return fmt.Errorf("the notation %q cannot be told from others", n)
		}
	}
	return nil
}

func (o *Option) checkBounds(t reflect.Type) error {
	for _, b := range []string{o.Min, o.Max} {
		if b == "" {
			continue
		}
		if _, err := ParseBound(t, b); err != nil {
			return fmt.Errorf("bound %q: %w", b, err)
		}
	}
	return nil
}

var (
	typeDuration         = reflect.TypeFor[time.Duration]()
	typeByteSize         = reflect.TypeFor[ByteSize]()
	typeSecret           = reflect.TypeFor[Secret]()
	typeExpression       = reflect.TypeFor[Expression]()
	typeTemplate         = reflect.TypeFor[Template]()
	typePath             = reflect.TypeFor[PathOption]()
	typePattern          = reflect.TypeFor[Pattern]()
	typeConnection       = reflect.TypeFor[ConnectionRef]()
	typeSchema           = reflect.TypeFor[SchemaOption]()
	typeAssignments      = reflect.TypeFor[Assignments]()
	typeRenames          = reflect.TypeFor[Renames]()
	typeNamedExpressions = reflect.TypeFor[NamedExpressions]()
)

func typeName(t reflect.Type, system string) (string, error) {
	switch t {
	case typeDuration:
		return "duration", nil
	case typeByteSize:
		return "size", nil
	case typeSecret:
		return "secret", nil
	case typeExpression:
		return "expression", nil
	case typeTemplate:
		return "template", nil
	case typePath:
		return "path", nil
	case typePattern:
		return "pattern", nil
	case typeConnection:
		return "connection." + system, nil
	case typeSchema:
		return "schema", nil
	case typeAssignments:
		return "map of path to expression", nil
	case typeRenames:
		return "map of path to path", nil
	case typeNamedExpressions:
		return "map of expression", nil
	}
	switch t.Kind() {
	case reflect.String:
		return "string", nil
	case reflect.Bool:
		return "bool", nil
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Float64:
		return "number", nil
	case reflect.Slice:
		elem, err := typeName(t.Elem(), system)
		if err != nil || strings.Contains(elem, " of ") {
			return "", fmt.Errorf("no option can have the type %s", t)
		}
		return "list of " + elem, nil
	case reflect.Map:
		if t.Key().Kind() == reflect.String {
			switch elem, err := typeName(t.Elem(), system); {
			case err == nil && (elem == "string" || elem == "secret"):
				return "map of " + elem, nil
			}
		}
	}
	return "", fmt.Errorf("no option can have the type %s", t)
}

// ParseBound reads a bound of the tags min and max for an option of type t as
// a number: nanoseconds of a duration, bytes of a size. Those of a list are
// bounds of its elements.
func ParseBound(t reflect.Type, text string) (float64, error) {
	switch {
	case t.Kind() == reflect.Slice:
		return ParseBound(t.Elem(), text)
	case t == typeDuration:
		d, err := time.ParseDuration(text)
		return float64(d), err
	case t == typeByteSize:
		n, err := ParseByteSize(text)
		return float64(n), err
	case t.Kind() == reflect.Int || t.Kind() == reflect.Int32 || t.Kind() == reflect.Int64 || t.Kind() == reflect.Float64:
		return strconv.ParseFloat(text, 64)
	}
	return 0, fmt.Errorf("a %s has no bounds", t)
}

// defaultText writes a value as HCL, empty for one that stands for absence.
func defaultText(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case time.Duration:
		return strconv.Quote(DurationText(x))
	case ByteSize:
		return strconv.Quote(x.String())
	case Expression:
		if x.Source != nil {
			return HCLString(x.Source.Text())
		}
		return ""
	case Template:
		if x.Source != nil {
			return HCLString(x.Source.Text())
		}
		return ""
	case PathOption:
		if len(x.Path) > 0 {
			return HCLString(x.Path.String())
		}
		return ""
	case Pattern:
		if x.Regexp != nil {
			return HCLString(x.Regexp.String())
		}
		return ""
	case Secret, ConnectionRef, SchemaOption, Assignments, Renames, NamedExpressions:
		return ""
	}
	switch v.Kind() {
	case reflect.String:
		if v.Len() == 0 {
			return ""
		}
		return HCLString(v.String())
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Int, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case reflect.Slice:
		if v.Len() == 0 {
			return ""
		}
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = defaultText(v.Index(i))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return ""
}

// DurationText writes a duration as it stands in a config: 5ms, 10m, 1h30m.
func DurationText(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

var hclEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "${", "$${", "%{", "%%{")

// HCLString writes s as a quoted HCL string that reads back as s.
func HCLString(s string) string {
	return `"` + hclEscapes.Replace(s) + `"`
}
