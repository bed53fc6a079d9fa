package funcs

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/flowrecords/flow/engine/record"
)

// conversion describes a conversion to one type with an optional fallback.
// fast handles what it can without boxing and reports whether it did.
func conversion[T any](name, typ, doc string, conv func(any) (T, error), examples ...Example) def {
	return def{
		Func: Func{
			Name: name, Group: groupConvert,
			Doc: doc + " Null is an error; with a fallback both null and what cannot be converted give the fallback.",
			Params: []Param{
				p("x", "any", "what to convert"),
				opt("fallback", typ, "the result if x is null or cannot be converted"),
			},
			Result: typ, Examples: examples,
		},
		impl: func(a *in) (any, error) {
			v, err := conv(a.any(0))
			if err == nil {
				return v, nil
			}
			if !a.has(1) {
				return nil, err
			}
			// The fallback is checked by converting it, which leaves a value
			// of the right type as it is.
			v, err = conv(a.any(1))
			if err != nil {
				return nil, fmt.Errorf("fallback: %w", err)
			}
			return v, nil
		},
	}
}

func (s *set) convertFuncs() []def {
	toInt := conversion("toInt", "int",
		"An integer from a number without fraction, a text (`\"42\"`, `\" -7 \"`, `\"3.0\"`) or a boolean (1, 0). Use `floor` or `round` for fractions, `parseInt` for other bases.",
		toInt,
		ex(`toInt("42")`, `42`), ex(`toInt(3.0)`, `3`), ex(`toInt("n/a", -1)`, `-1`),
		exErr(`toInt(3.5)`, `toInt: 3.5 has a fraction`))
	toInt.fast = fastConversion(toIntSlot, boxInt)
	toFloat := conversion("toFloat", "float", "A float from a number, a text (`\"1.5e3\"`) or a boolean (1, 0).", toFloat,
		ex(`toFloat("1.5e3")`, `1500`), ex(`toFloat(2)`, `2`), ex(`toFloat(nil, 0.5)`, `0.5`))
	toFloat.fast = fastConversion(toFloatSlot, boxFloat)
	toBool := conversion("toBool", "bool", "A boolean from true, yes, on, y, t, 1 or false, no, off, n, f, 0, as text in any case or as a number.", toBool,
		ex(`toBool("Yes")`, `true`), ex(`toBool(0)`, `false`), ex(`toBool("maybe", false)`, `false`),
		exErr(`toBool("maybe")`, `toBool: "maybe" is neither true nor false`))
	toBool.fast = fastConversion(toBoolSlot, boxBool)
	toString := conversion("toString", "string",
		"Text as it is, bytes that are UTF-8, numbers in their shortest form, times in RFC 3339, durations as `1h30m0s`, arrays and objects as JSON.", toText,
		ex(`toString(1.50)`, `"1.5"`), ex(`toString(b"abc")`, `"abc"`), ex(`toString([1, true])`, `"[1,true]"`), ex(`toString(nil, "")`, `""`))
	toString.fast = fastToString
	return []def{
		toInt, toFloat, toBool, toString, castFunc(),
		{
			Func: Func{
				Name: "toBytes", Group: groupConvert, Doc: "The UTF-8 bytes of a text; bytes as they are.",
				Params: []Param{p("text", "string|bytes", "what to convert")}, Result: "bytes",
				Examples: []Example{ex(`hexEncode(toBytes("é"))`, `"c3a9"`)},
			},
			impl: func(a *in) (any, error) {
				if b := a.data(0); b != nil {
					return b, nil
				}
				return []byte{}, nil
			},
		},
		conversion("toTime", "time",
			"A time from RFC 3339 text and its common relatives: a space instead of the T, no zone (then UTC), no seconds, or a date alone."+
				" For other forms use `parseTime`, for numbers `fromUnix` and its kin.", toTime,
			ex(`toTime("2026-03-01T12:30:00+02:00")`, `"2026-03-01T12:30:00+02:00"`),
			ex(`toTime("2026-03-01 12:30:00.5")`, `"2026-03-01T12:30:00.5Z"`),
			ex(`toTime("2026-03-01")`, `"2026-03-01T00:00:00Z"`)),
		conversion("toDuration", "duration", "A duration from a text as `parseDuration` reads it; a duration as it is.", toDuration,
			ex(`toDuration("1h30m")`, `"1h30m0s"`)),
	}
}

var errNull = errors.New("x is null")

func notConvertible(v any, to string) error {
	if v == nil {
		return errNull
	}
	return fmt.Errorf("cannot make %s of a value of type %s", to, typeName(v))
}

func toInt(v any) (int, error) {
	switch x := v.(type) {
	case bool:
		return int(boolBit(x)), nil
	case float64:
		return floatToInt(x)
	case float32:
		return floatToInt(float64(x))
	case string:
		return textToInt(x)
	}
	if n, ok := asInt(v); ok {
		return n, nil
	}
	return 0, notConvertible(v, "an int")
}

func boolBit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func floatToInt(f float64) (int, error) {
	switch {
	case f != f || f >= 1<<63 || f < -1<<63:
		return 0, fmt.Errorf("%v does not fit an int", f)
	case f != math.Trunc(f):
		return 0, fmt.Errorf("%v has a fraction", f)
	}
	return int(f), nil
}

func textToInt(text string) (int, error) {
	t := strings.TrimSpace(text)
	n, err := strconv.ParseInt(t, 10, 64)
	if err == nil {
		return int(n), nil
	}
	if errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("%s does not fit an int", quote(text))
	}
	f, ok := parseFloat(t)
	if !ok {
		return 0, fmt.Errorf("%s is not an int", quote(text))
	}
	// Beyond 2^53 a float is no longer the number that the text says.
	if math.Abs(f) > 1<<53 {
		return 0, fmt.Errorf("%s is not exact as an int", quote(text))
	}
	if f != math.Trunc(f) {
		return 0, fmt.Errorf("%s has a fraction", quote(text))
	}
	return int(f), nil
}

// parseFloat reads a decimal number, without the hex floats, underscores,
// infinities and NaN that strconv also takes.
func parseFloat(t string) (float64, bool) {
	for _, c := range []byte(t) {
		if (c < '0' || c > '9') && !strings.ContainsRune("+-.eE", rune(c)) {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(t, 64)
	return f, err == nil
}

func toFloat(v any) (float64, error) {
	switch x := v.(type) {
	case bool:
		return float64(boolBit(x)), nil
	case float64:
		return x, nil
	case float32:
		return float64(x), nil
	case string:
		f, ok := parseFloat(strings.TrimSpace(x))
		if !ok {
			return 0, fmt.Errorf("%s is not a number", quote(x))
		}
		return f, nil
	}
	if n, ok := asInt(v); ok {
		return float64(n), nil
	}
	return 0, notConvertible(v, "a float")
}

func toBool(v any) (bool, error) {
	switch x := v.(type) {
	case bool:
		return x, nil
	case string:
		return textToBool(x)
	case float64:
		return floatToBool(x)
	case float32:
		return floatToBool(float64(x))
	}
	if n, ok := asInt(v); ok {
		return floatToBool(float64(n))
	}
	return false, notConvertible(v, "a bool")
}

func floatToBool(f float64) (bool, error) {
	if f != 0 && f != 1 {
		return false, fmt.Errorf("%v is neither 0 nor 1", f)
	}
	return f == 1, nil
}

func textToBool(text string) (bool, error) {
	var buf [8]byte
	t := strings.TrimSpace(text)
	if len(t) < len(buf) {
		low := buf[:copy(buf[:], t)]
		for i, c := range low {
			if 'A' <= c && c <= 'Z' {
				low[i] = c + 'a' - 'A'
			}
		}
		switch string(low) {
		case "true", "yes", "on", "y", "t", "1":
			return true, nil
		case "false", "no", "off", "n", "f", "0":
			return false, nil
		}
	}
	return false, fmt.Errorf("%s is neither true nor false", quote(text))
}

// toText is toString: nothing that it returns needs a second look at the type.
func toText(v any) (string, error) {
	switch x := v.(type) {
	case nil:
		return "", errNull
	case string:
		return x, nil
	case []byte:
		if !utf8.Valid(x) {
			return "", errors.New("the bytes are not UTF-8")
		}
		return string(x), nil
	case bool:
		return strconv.FormatBool(x), nil
	case float64:
		return string(appendFloat(nil, x)), nil
	case time.Time:
		return x.Format(time.RFC3339Nano), nil
	case time.Duration:
		return x.String(), nil
	}
	if n, ok := asInt(v); ok {
		return strconv.Itoa(n), nil
	}
	b, err := appendJSON(nil, v, 0)
	return string(b), err
}

// appendFloat writes a number as records do; NaN and infinities by name.
func appendFloat(dst []byte, f float64) []byte {
	out, err := record.AppendFloat(dst, f)
	if err != nil {
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	return out
}

func toTime(v any) (time.Time, error) {
	switch x := v.(type) {
	case time.Time:
		return x, nil
	case string:
		for _, layout := range [...]string{
			time.RFC3339, "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05", "2006-01-02 15:04:05",
			"2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05 Z0700", "2006-01-02 15:04:05Z0700",
			"2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly,
		} {
			if t, err := parseGo(layout, strings.TrimSpace(x), time.UTC); err == nil {
				return t, nil
			}
		}
		return time.Time{}, fmt.Errorf("%s is not a time: use parseTime with its layout", quote(x))
	}
	if _, ok := asInt(v); ok {
		return time.Time{}, errors.New("a number may count seconds or milliseconds: use fromUnix, fromUnixMilli, fromUnixMicro or fromUnixNano")
	}
	return time.Time{}, notConvertible(v, "a time")
}

func toDuration(v any) (time.Duration, error) {
	switch x := v.(type) {
	case time.Duration:
		return x, nil
	case string:
		return parseDuration(x)
	}
	if _, ok := asInt(v); ok {
		return 0, errors.New("a number has no unit: use durationOf")
	}
	return 0, notConvertible(v, "a duration")
}

func boxInt(n int) record.Value       { return record.IntValue(int64(n)) }
func boxFloat(f float64) record.Value { return record.FloatValue(f) }
func boxBool(b bool) record.Value     { return record.BoolValue(b) }

// fastConversion is conversion over slots. A slot that is neither null, bool,
// number nor text cannot be converted, so boxing it costs only on errors.
func fastConversion[T any](conv func(record.Value) (T, error), box func(T) record.Value) func(fin) (record.Value, []byte, error) {
	return func(a fin) (record.Value, []byte, error) {
		v, err := conv(a.value(0))
		if err == nil || !a.has(1) {
			return a.done(box(v), err)
		}
		if v, err = conv(a.value(1)); err != nil {
			err = fmt.Errorf("fallback: %w", err)
		}
		return a.done(box(v), err)
	}
}

func toIntSlot(v record.Value) (int, error) {
	switch v.Kind() {
	case record.Int:
		return int(v.Int()), nil
	case record.Float:
		return floatToInt(v.Float())
	case record.Bool:
		return int(boolBit(v.Bool())), nil
	case record.String:
		return textToInt(view(v.Text()))
	}
	return toInt(v.Any())
}

func toFloatSlot(v record.Value) (float64, error) {
	switch v.Kind() {
	case record.Int, record.Float:
		return v.Float(), nil
	case record.String:
		t := view(v.Text())
		if f, ok := parseFloat(strings.TrimSpace(t)); ok {
			return f, nil
		}
	}
	return toFloat(v.Any())
}

func toBoolSlot(v record.Value) (bool, error) {
	switch v.Kind() {
	case record.Bool:
		return v.Bool(), nil
	case record.String:
		return textToBool(view(v.Text()))
	}
	return toBool(v.Any())
}

func fastToString(a fin) (record.Value, []byte, error) {
	v, err := toStringSlot(&a, a.value(0))
	if err != nil && a.has(1) {
		if v, err = toStringSlot(&a, a.value(1)); err != nil {
			err = fmt.Errorf("fallback: %w", err)
		}
	}
	return a.done(v, err)
}

func toStringSlot(a *fin, v record.Value) (record.Value, error) {
	start := len(a.dst)
	switch v.Kind() {
	case record.String:
		return v, nil
	case record.Int:
		a.dst = strconv.AppendInt(a.dst, v.Int(), 10)
	case record.Float:
		a.dst = appendFloat(a.dst, v.Float())
	case record.Bool:
		a.dst = strconv.AppendBool(a.dst, v.Bool())
	default:
		t, err := toText(v.Any())
		if err != nil {
			return record.Value{}, err
		}
		return record.StringValue(t), nil
	}
	return a.made(start), nil
}
