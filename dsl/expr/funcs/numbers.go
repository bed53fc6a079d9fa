package funcs

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

func (s *set) numberFuncs() []def {
	x := p("x", "number", "the number")
	float := func(name, doc, expr, want string, f func(float64) (float64, error)) def {
		return def{
			Func: Func{Name: name, Group: groupNumber, Doc: doc, Params: []Param{x}, Result: "float", Examples: []Example{ex(expr, want)}},
			impl: func(a *in) (any, error) { return f(a.float(0)) },
		}
	}
	return []def{
		{
			Func: Func{
				Name: "roundTo", Group: groupNumber,
				Doc:    "The number rounded to decimal digits behind the point, or before it if negative. It works on the digits that the number is written with, halves away from zero: 1.005 gives 1.01.",
				Params: []Param{x, p("digits", "int", "-20 to 20")}, Result: "float",
				Examples: []Example{ex(`roundTo(1.005, 2)`, `1.01`), ex(`roundTo(-1234.5, -2)`, `-1200`)},
			},
			impl: func(a *in) (any, error) {
				v, n := a.float(0), a.int(1)
				if n < -20 || n > 20 {
					return nil, errors.New("digits is not -20 to 20")
				}
				return roundDecimal(v, n), nil
			},
		},
		{
			Func: Func{
				Name: "formatNumber", Group: groupNumber,
				Doc: "A number with a fixed count of decimals, rounded like `roundTo`, and separators if given.",
				Params: []Param{
					x, p("decimals", "int", "0 to 20"),
					opt("thousands", "string", "what stands between groups of three digits"),
					opt("point", "string", "the decimal point; a dot if not given"),
				},
				Result:   "string",
				Examples: []Example{ex(`formatNumber(1234567.891, 2, ",")`, `"1,234,567.89"`), ex(`formatNumber(1234.5, 2, ".", ",")`, `"1.234,50"`)},
			},
			impl: func(a *in) (any, error) {
				v, n, thousands, point := a.number(0), a.int(1), a.optText(2, ""), a.optText(3, ".")
				if a.err != nil {
					return nil, nil
				}
				if n < 0 || n > 20 {
					return nil, errors.New("decimals is not 0 to 20")
				}
				if len(thousands) > 16 || len(point) > 16 {
					return nil, errors.New("a separator is longer than 16 bytes")
				}
				return formatNumber(v, n, thousands, point)
			},
		},
		{
			Func: Func{
				Name: "clamp", Group: groupNumber, Doc: "The number, or the bound that it lies beyond.",
				Params: []Param{x, p("least", "number", "the lower bound"), p("most", "number", "the upper bound")}, Result: "number",
				Examples: []Example{ex(`clamp(120, 0, 100)`, `100`), ex(`clamp(0.5, 0, 1)`, `0.5`)},
			},
			impl: func(a *in) (any, error) {
				v, least, most := a.number(0), a.number(1), a.number(2)
				if a.err != nil {
					return nil, nil
				}
				switch {
				case less(most, least):
					return nil, errors.New("least is more than most")
				case less(v, least):
					return least, nil
				case less(most, v):
					return most, nil
				}
				return v, nil
			},
		},
		{
			Func: Func{
				Name: "divInt", Group: groupNumber, Doc: "The whole part of a / b, exactly. The operator / always gives a float.",
				Params: []Param{p("a", "int", "what to divide"), p("b", "int", "what to divide by")}, Result: "int",
				Examples: []Example{ex(`divInt(7, 2)`, `3`), ex(`divInt(-7, 2)`, `-3`), exErr(`divInt(1, 0)`, `divInt: division by zero`)},
			},
			impl: func(a *in) (any, error) {
				n, d := a.int(0), a.int(1)
				switch {
				case a.err != nil:
					return nil, nil
				case d == 0:
					return nil, errors.New("division by zero")
				case n == math.MinInt && d == -1:
					return nil, errors.New("the result does not fit an int")
				}
				return n / d, nil
			},
		},
		{
			Func: Func{
				Name: "sign", Group: groupNumber, Doc: "-1, 0 or 1.", Params: []Param{x}, Result: "int",
				Examples: []Example{ex(`sign(-2.5)`, `-1`)},
			},
			impl: func(a *in) (any, error) {
				switch f := a.float(0); {
				case f > 0:
					return 1, nil
				case f < 0:
					return -1, nil
				}
				return 0, nil
			},
		},
		{
			Func: Func{
				Name: "isFinite", Group: groupNumber, Doc: "Whether a number is neither infinite nor the result of an impossible calculation such as 0 / 0. JSON can write no other.",
				Params: []Param{x}, Result: "bool",
				Examples: []Example{ex(`isFinite(1 / 4)`, `true`), exIn(`isFinite(value.a / value.b)`, `{"a": 0, "b": 0}`, `false`)},
			},
			impl: func(a *in) (any, error) { f := a.float(0); return !math.IsNaN(f) && !math.IsInf(f, 0), nil },
		},
		float("sqrt", "The square root.", `sqrt(9)`, `3`, func(f float64) (float64, error) {
			if f < 0 {
				return 0, errors.New("x is negative")
			}
			return math.Sqrt(f), nil
		}),
		float("ln", "The natural logarithm.", `ln(1)`, `0`, logarithm(math.Log)),
		float("log10", "The logarithm to base 10.", `log10(1000)`, `3`, logarithm(math.Log10)),
		float("exp", "e to the power of x.", `exp(0)`, `1`, func(f float64) (float64, error) { return math.Exp(f), nil }),
	}
}

func logarithm(f func(float64) float64) func(float64) (float64, error) {
	return func(x float64) (float64, error) {
		if x <= 0 {
			return 0, errors.New("x is not positive")
		}
		return f(x), nil
	}
}

// less compares two numbers, ints exactly.
func less(a, b any) bool {
	x, ok := a.(int)
	y, ok2 := b.(int)
	if ok && ok2 {
		return x < y
	}
	return asFloat(a) < asFloat(b)
}

func asFloat(v any) float64 {
	switch x := v.(type) {
	case int:
		return float64(x)
	case float64:
		return x
	}
	return 0
}

// roundDecimal rounds on the shortest decimal digits of x, halves away from
// zero: scaling by a power of ten would round 1.005 down, because the float
// lies below what people read.
func roundDecimal(x float64, places int) float64 {
	if x == 0 || math.IsNaN(x) || math.IsInf(x, 0) {
		return x
	}
	text := strconv.FormatFloat(math.Abs(x), 'e', -1, 64)
	mant, exp, _ := strings.Cut(text, "e")
	e, _ := strconv.Atoi(exp) // FormatFloat wrote it
	ds := []byte(strings.Replace(mant, ".", "", 1))
	keep := e + 1 + places
	if keep >= len(ds) {
		return x
	}
	if keep < 0 || keep == 0 && ds[0] < '5' {
		return 0
	}
	up := ds[keep] >= '5'
	ds = ds[:keep]
	if up {
		i := keep - 1
		for ; i >= 0 && ds[i] == '9'; i-- {
			ds[i] = '0'
		}
		if i >= 0 {
			ds[i]++
		} else {
			ds = append([]byte{'1'}, ds...)
		}
	}
	out, _ := strconv.ParseFloat(fmt.Sprintf("%se%d", ds, -places), 64) // digits are valid; overflow gives an infinity
	return math.Copysign(out, x)
}

func formatNumber(v any, decimals int, thousands, point string) (any, error) {
	var text string
	switch x := v.(type) {
	case int:
		text = strconv.Itoa(x)
		if decimals > 0 {
			text += "." + strings.Repeat("0", decimals)
		}
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, fmt.Errorf("cannot write %v", x)
		}
		text = strconv.FormatFloat(roundDecimal(x, decimals), 'f', decimals, 64)
	}
	neg := strings.HasPrefix(text, "-")
	whole, frac, hasFrac := strings.Cut(strings.TrimPrefix(text, "-"), ".")
	var b strings.Builder
	if neg && strings.ContainsAny(text, "123456789") {
		b.WriteByte('-')
	}
	for i, c := range []byte(whole) {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteString(thousands)
		}
		b.WriteByte(c)
	}
	if hasFrac {
		b.WriteString(point)
		b.WriteString(frac)
	}
	return b.String(), nil
}
