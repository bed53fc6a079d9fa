package engine

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// CheckRegistry reports every component of r that is not described as it must
// be: a summary and an example each, a doc for each option, a unit for each
// number, a default within the option's own rules unless the option is
// required, versions that fit, and a New function.
// Whoever builds a binary with components of his own runs it in a test.
func CheckRegistry(r *Registry) error {
	var errs []error
	for _, t := range Types(r.Inputs) {
		f := r.Inputs[t]
		errs = append(errs, checkComponent(KindInput, f.Component, f.New != nil)...)
	}
	for _, t := range Types(r.Processors) {
		f := r.Processors[t]
		errs = append(errs, checkComponent(KindProcessor, f.Component, f.New != nil)...)
	}
	for _, t := range Types(r.Outputs) {
		f := r.Outputs[t]
		errs = append(errs, checkComponent(KindOutput, f.Component, f.New != nil)...)
		if f.Delivery == nil {
			errs = append(errs, fmt.Errorf("output %q: has no Delivery: say when a record is confirmed", t))
		}
	}
	for _, t := range Types(r.Converters) {
		f := r.Converters[t]
		errs = append(errs, checkComponent(KindConverter, f.Component, f.New != nil)...)
	}
	for _, t := range Types(r.Connections) {
		f := r.Connections[t]
		errs = append(errs, checkComponent(KindConnection, f.Component, f.New != nil)...)
	}
	errs = append(errs, checkDefaultConverters(r)...)
	return errors.Join(append(errs, checkDeliveries(r)...)...)
}

func checkComponent(kind Kind, c Component, hasNew bool) (errs []error) {
	fail := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s %q: %s", kind, c.Type, fmt.Sprintf(format, args...)))
	}
	if !optionName.MatchString(c.Type) {
		fail("its type is no lower_snake_case name")
	}
	if c.Summary == "" || strings.Contains(c.Summary, "\n") || !strings.HasSuffix(c.Summary, ".") {
		fail("its summary is no line that ends with a full stop: %q", c.Summary)
	}
	if len(c.Examples) == 0 {
		fail("has no example")
	}
	since := c.Since
	if since == "" {
		since = FirstRelease
	}
	if !version.MatchString(since) {
		fail("Since %q is no version such as %s", c.Since, FirstRelease)
		since = FirstRelease
	}
	if !hasNew {
		fail("has no New")
	}
	if c.Defaults == nil {
		fail("has no Defaults")
		return errs
	}
	config := c.Defaults()
	if a, b := reflect.ValueOf(config), reflect.ValueOf(c.Defaults()); a.Kind() == reflect.Pointer && a.Type().Elem().Size() > 0 && a.Pointer() == b.Pointer() {
		fail("Defaults returns the same config twice")
	}
	spec, err := Describe(config)
	if err != nil {
		fail("%v", err)
		return errs
	}
	checkSpec(spec, "", since, reflect.ValueOf(config), fail)
	return errs
}

// checkSpec checks the options of a block that came in the version since.
// config is invalid within a block that is absent by default: it has no
// defaults to check.
func checkSpec(s *Spec, prefix, since string, config reflect.Value, fail func(string, ...any)) {
	for i := range s.Options {
		o := &s.Options[i]
		name := prefix + o.Name
		if o.Doc == "" {
			fail("option %s has no doc", name)
		}
		if o.Unit == "" && !o.unitSaid && strings.HasSuffix(o.Type, "number") {
			fail("option %s is a number without the tag unit: say what it counts, or unit:\"\" if that is nothing", name)
		}
		from := since
		if o.Since != "" {
			if from = o.Since; olderVersion(from, since) {
				fail("option %s is of version %s and so older than what it belongs to, which is of %s", name, from, since)
			}
		}
		if o.Block != nil {
			var inner reflect.Value
			if config.IsValid() && o.Field(config).Kind() == reflect.Struct {
				inner = o.Field(config)
			}
			checkSpec(o.Block, name+".", from, inner, fail)
			continue
		}
		if o.Required && o.Default != "" && o.Default != "0" && o.Default != "false" && o.Default != `"0s"` && o.Default != `"0B"` {
			fail("option %s is required and has a default", name)
		}
		if config.IsValid() && !o.Required {
			checkDefault(o, name, o.Field(config), fail)
		}
	}
}

// olderVersion compares two versions by number.
func olderVersion(a, b string) bool {
	parts := func(v string) (n [3]int) {
		for i, p := range strings.SplitN(v, ".", 3) {
			n[i], _ = strconv.Atoi(p)
		}
		return n
	}
	x, y := parts(a), parts(b)
	return slices.Compare(x[:], y[:]) < 0
}

// checkDefault checks that the default obeys what the option asks of a user.
func checkDefault(o *Option, name string, v reflect.Value, fail func(string, ...any)) {
	if len(o.OneOf) > 0 && v.Kind() == reflect.String && !slices.Contains(o.OneOf, v.String()) {
		fail("option %s: the default %q is none of %q", name, v.String(), o.OneOf)
	}
	if o.Min == "" && o.Max == "" {
		return
	}
	n, ok := Number(v)
	if !ok {
		return
	}
	if lo, err := ParseBound(v.Type(), o.Min); o.Min != "" && err == nil && n < lo {
		fail("option %s: the default %s is below %s", name, o.Default, o.Min)
	}
	if hi, err := ParseBound(v.Type(), o.Max); o.Max != "" && err == nil && n > hi {
		fail("option %s: the default %s is above %s", name, o.Default, o.Max)
	}
}

// Number returns a number, duration or size as ParseBound counts it.
func Number(v reflect.Value) (float64, bool) {
	switch {
	case v.CanInt():
		return float64(v.Int()), true
	case v.CanFloat():
		return v.Float(), true
	}
	return 0, false
}

func checkDefaultConverters(r *Registry) (errs []error) {
	check := func(kind Kind, t, part, converter string) {
		if _, ok := r.Converters[converter]; converter != "" && !ok {
			errs = append(errs, fmt.Errorf("%s %q: the default %s converter %q does not exist", kind, t, part, converter))
		}
	}
	for _, t := range Types(r.Inputs) {
		check(KindInput, t, "key", r.Inputs[t].KeyConverter)
		check(KindInput, t, "value", r.Inputs[t].ValueConverter)
	}
	for _, t := range Types(r.Outputs) {
		check(KindOutput, t, "key", r.Outputs[t].KeyConverter)
		check(KindOutput, t, "value", r.Outputs[t].ValueConverter)
	}
	return errs
}

// checkDeliveries checks what components say of a config with defaults. It
// must be an answer also when required options are missing.
func checkDeliveries(r *Registry) (errs []error) {
	check := func(kind Kind, t string, d Delivery) {
		fail := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("%s %q: Delivery: %s", kind, t, fmt.Sprintf(format, args...)))
		}
		v := reflect.ValueOf(d)
		for i := range v.NumField() {
			name, text := v.Type().Field(i).Name, v.Field(i)
			if text.Kind() == reflect.String && !partOfSentence(text.String()) {
				fail("%s is no part of a sentence, without capital and full stop: %q", name, text.String())
			}
		}
		switch output := kind == KindOutput; {
		case output && (d.Positions != "" || d.Once != "" || d.Resumes):
			fail("Positions, Once and Resumes are of inputs")
		case !output && (d.Confirms != "" || d.Lossy != "" || d.Discards || d.Idempotent != "" || d.Marks || d.Unmarked != ""):
			fail("Confirms, Lossy, Discards, Idempotent, Marks and Unmarked are of outputs")
		case d.Resumes && d.Positions == "":
			fail("an input whose positions flow keeps resumes at them anyway")
		case d.Marks && d.Unmarked != "":
			fail("it says why it does not mark, and that it does")
		case output && d.Confirms == "":
			fail("Confirms does not say when a record is confirmed")
		case d.Discards && d.Lossy != "":
			fail("what is thrown away on purpose is not lossy")
		}
	}
	for _, t := range Types(r.Inputs) {
		if f := r.Inputs[t]; f.Delivery != nil && f.Defaults != nil {
			check(KindInput, t, f.Delivery(f.Defaults()))
		}
	}
	for _, t := range Types(r.Outputs) {
		if f := r.Outputs[t]; f.Delivery != nil && f.Defaults != nil {
			check(KindOutput, t, f.Delivery(f.Defaults()))
		}
	}
	return errs
}

func partOfSentence(s string) bool {
	return s == "" || !unicode.IsUpper([]rune(s)[0]) && !strings.HasSuffix(s, ".")
}
