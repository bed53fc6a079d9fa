package expr

import (
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm/runtime"

	"github.com/flowrecords/flow/engine/record"
)

// slice is x[from:to] of text; of anything else expr itself is asked.
func (b *builder) slice(n *ast.CallNode) (code, bool) {
	bound := func(n ast.Node) (valueFn, bool) {
		if c, ok := n.(*ast.ConstantNode); ok && c.Value == (absent{}) {
			return nil, true
		}
		c, ok := b.node(n)
		return c.val, ok
	}
	x, ok := b.node(n.Arguments[0])
	if !ok {
		return code{}, false
	}
	from, ok := bound(n.Arguments[1])
	if !ok {
		return code{}, false
	}
	to, ok := bound(n.Arguments[2])
	if !ok {
		return code{}, false
	}
	val, text := x.val, b.text(n)
	return code{val: func(m *machine) record.Value {
		v := val(m)
		lo, hi := record.Value{}, record.Value{}
		if to != nil {
			hi = to(m)
		}
		if from != nil {
			lo = from(m)
		}
		if m.err != nil {
			return record.NullValue()
		}
		if v.Kind() == record.String && (from == nil || isNumber(lo)) && (to == nil || isNumber(hi)) {
			return sliceText(v, from != nil, lo, to != nil, hi)
		}
		return m.sliceBoxed(v, from != nil, lo, to != nil, hi, text)
	}}, true
}

func sliceText(v record.Value, hasFrom bool, from record.Value, hasTo bool, to record.Value) record.Value {
	s := v.Text()
	if hasFrom && !hasTo {
		// The last few, as masks keep them: what is in front need not be counted.
		if lo := toInt(from); lo < 0 && lo >= -min(len(s), 16) {
			if tail := s[len(s)+lo:]; isASCII(tail) {
				return record.TextValue(tail)
			}
		}
	}
	size := utf8.RuneCount(s)
	lo, hi := 0, size
	if hasFrom {
		lo = toInt(from)
	}
	if hasTo {
		hi = toInt(to)
	}
	lo, hi = sliceBounds(lo, hi, size)
	if size != len(s) {
		lo, hi = runeOffset(s, lo), runeOffset(s, hi)
	}
	return record.TextValue(s[lo:hi])
}

func isASCII(s []byte) bool {
	for _, c := range s {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func toInt(v record.Value) int {
	if v.Kind() == record.Int {
		return int(v.Int())
	}
	return int(v.Float())
}

func (m *machine) sliceBoxed(v record.Value, hasFrom bool, from record.Value, hasTo bool, to record.Value, text string) (out record.Value) {
	defer func() {
		if p := recover(); p != nil {
			m.failf("%w: %s", recovered(p), text)
			out = record.NullValue()
		}
	}()
	args := []any{v.Any(), any(absent{}), any(absent{})}
	if hasFrom {
		args[1] = from.Any()
	}
	if hasTo {
		args[2] = to.Any()
	}
	res, err := callSlice(args...)
	if err == nil {
		out, err = fromAny(res)
	}
	if err != nil {
		m.failf("%w: %s", err, text)
		return record.NullValue()
	}
	return out
}

// callSlice is x[from:to] of the language with text counted in characters.
// An absent bound is nil.
func callSlice(args ...any) (any, error) {
	x, from, to := args[0], args[1], args[2]
	s, isText := x.(string)
	if !isText {
		if to == (absent{}) {
			to = runtime.Len(x)
		}
		if from == (absent{}) {
			from = 0
		}
		return runtime.Slice(x, from, to), nil
	}
	a, b := 0, utf8.RuneCountInString(s)
	size := b
	if to != (absent{}) {
		b = runtime.ToInt(to)
	}
	if from != (absent{}) {
		a = runtime.ToInt(from)
	}
	lo, hi := sliceBounds(a, b, size)
	if size != len(s) {
		lo, hi = runeOffset(s, lo), runeOffset(s, hi)
	}
	return s[lo:hi], nil
}

// absent stands for a bound that a slice does not name.
type absent struct{}

// sliceBounds applies the language's rules to the bounds of a slice.
func sliceBounds(a, b, size int) (int, int) {
	if a < 0 {
		a = max(size+a, 0)
	}
	if b < 0 {
		b = max(size+b, 0)
	}
	b = min(b, size)
	return min(a, b), b
}

// runeOffset returns the byte at which character n of s begins.
func runeOffset[T string | []byte](s T, n int) int {
	i := 0
	for ; n > 0 && i < len(s); n-- {
		if s[i] < utf8.RuneSelf {
			i++
			continue
		}
		var one [utf8.UTFMax]byte
		_, size := utf8.DecodeRune(one[:copy(one[:], s[i:])])
		i += size
	}
	return i
}
