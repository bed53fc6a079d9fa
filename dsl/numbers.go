package dsl

import (
	"fmt"
	"math/big"
	"reflect"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/flowrecords/flow/dsl/rules"
	"github.com/flowrecords/flow/engine"
)

func (d *decoder) setDuration(o *engine.Option, p *time.Duration, val cty.Value, e hclsyntax.Expression) {
	if val.Type() == cty.Number && val.AsBigFloat().Sign() != 0 {
		d.fail(rules.WrongDuration, e.Range(), fmt.Sprintf("option %q has no unit", o.Name), "Write a duration with its unit, such as \"%ss\" or \"%sms\".", numberText(val), numberText(val))
		return
	}
	s, ok := d.text(o, val, e)
	if !ok {
		return
	}
	v, err := time.ParseDuration(s)
	if err != nil {
		d.fail(rules.WrongDuration, d.inText(e, s, 0, len(s)), fmt.Sprintf("option %q is no duration", o.Name), "Write a number with a unit of ns, us, ms, s, m or h, such as \"5ms\" or \"1m30s\".")
		return
	}
	if d.bounds(o, reflect.ValueOf(v), engine.DurationText(v), e) {
		*p = v
	}
}

func (d *decoder) setSize(o *engine.Option, p *engine.ByteSize, val cty.Value, e hclsyntax.Expression) {
	s, ok := d.text(o, val, e)
	if !ok {
		return
	}
	v, err := engine.ParseByteSize(s)
	if err != nil {
		d.fail(rules.WrongSize, d.inText(e, s, 0, len(s)), fmt.Sprintf("option %q is no size", o.Name), "Write bytes as a number or with a unit of B, KB, KiB, MB, MiB, GB, GiB, TB or TiB, such as \"64KiB\".")
		return
	}
	if d.bounds(o, reflect.ValueOf(v), v.String(), e) {
		*p = v
	}
}

func (d *decoder) setNumber(o *engine.Option, field reflect.Value, val cty.Value, e hclsyntax.Expression) {
	v, err := convert.Convert(val, cty.Number)
	if err != nil {
		d.wrongType(o, val, e)
		return
	}
	f := v.AsBigFloat()
	if field.CanFloat() {
		x, _ := f.Float64()
		if d.bounds(o, reflect.ValueOf(x), numberText(v), e) {
			field.SetFloat(x)
		}
		return
	}
	n, acc := f.Int64()
	if acc != big.Exact || field.OverflowInt(n) {
		d.fail(rules.WrongType, e.Range(), fmt.Sprintf("option %q is no whole number", o.Name), "%s is none that fits. Write a whole number.", numberText(v))
		return
	}
	if d.bounds(o, reflect.ValueOf(n), numberText(v), e) {
		field.SetInt(n)
	}
}

// numberText writes a number with all its digits, but for one whose digits
// would fill the memory.
func numberText(v cty.Value) string {
	f := v.AsBigFloat()
	if e := f.MantExp(nil); e > 4096 || e < -4096 {
		return f.Text('g', 10)
	}
	return f.Text('f', -1)
}

// bounds checks min and max of an option.
func (d *decoder) bounds(o *engine.Option, v reflect.Value, text string, e hclsyntax.Expression) bool {
	n, _ := engine.Number(v)
	lo, errLo := engine.ParseBound(v.Type(), o.Min)
	hi, errHi := engine.ParseBound(v.Type(), o.Max)
	tooLow, tooHigh := o.Min != "" && errLo == nil && n < lo, o.Max != "" && errHi == nil && n > hi
	if !tooLow && !tooHigh {
		return true
	}
	allowed := fmt.Sprintf("at least %s", o.Min)
	switch {
	case o.Min != "" && o.Max != "":
		allowed = fmt.Sprintf("from %s to %s", o.Min, o.Max)
	case o.Max != "":
		allowed = fmt.Sprintf("at most %s", o.Max)
	}
	word := "low"
	if tooHigh {
		word = "high"
	}
	d.fail(rules.OutOfBounds, e.Range(), fmt.Sprintf("option %q is too %s", o.Name, word), "%s is not allowed here: it must be %s.", text, allowed)
	return false
}
