package funcs

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

const unitNames = "ns, us, ms, s, m, h, d or w"

// unitOf returns the length of a unit, 0 if it is unknown. A day is 24 hours.
func unitOf(name string) time.Duration {
	switch name {
	case "ns":
		return time.Nanosecond
	case "us", "µs", "μs":
		return time.Microsecond
	case "ms":
		return time.Millisecond
	case "s":
		return time.Second
	case "m":
		return time.Minute
	case "h":
		return time.Hour
	case "d":
		return 24 * time.Hour
	case "w":
		return 7 * 24 * time.Hour
	}
	return 0
}

func checkUnit(arg any) string {
	if t, ok := arg.(string); ok && unitOf(t) == 0 {
		return unknownUnit(t).Error()
	}
	return ""
}

func unknownUnit(t string) error { return fmt.Errorf("unknown unit %s: use %s", quote(t), unitNames) }

func (s *set) durationFuncs() []def {
	d := p("d", "duration", "the duration")
	unit := p("unit", "string", unitNames)
	return []def{
		{
			Func: Func{
				Name: "parseDuration", Group: groupDuration,
				Doc:    "A duration from a text such as `1h30m`, `250ms`, `1.5d` or ISO 8601 `PT1H30M`. A day is 24 hours, a week 7 days; months and years have no fixed length and are refused.",
				Params: []Param{p("text", "string", "the text")}, Result: "duration",
				Examples: []Example{
					ex(`parseDuration("1d2h")`, `"26h0m0s"`), ex(`parseDuration("PT1H30M")`, `"1h30m0s"`),
					exErr(`parseDuration("10")`, `parseDuration: "10" is not a duration: write a number with a unit, such as 10s`),
				},
			},
			impl: func(a *in) (any, error) { return parseDuration(a.text(0)) },
		},
		{
			Func: Func{
				Name: "formatDuration", Group: groupDuration,
				Doc:    "A duration as text: `1h30m0s`, or in the style `iso` `PT1H30M`.",
				Params: []Param{d, opt("style", "string", "`go` (the default) or `iso`")}, Result: "string",
				Examples: []Example{
					ex(`formatDuration(duration("90m"))`, `"1h30m0s"`), ex(`formatDuration(duration("90m"), "iso")`, `"PT1H30M"`),
				},
			},
			impl: func(a *in) (any, error) {
				v, style := a.duration(0), a.optText(1, "go")
				switch style {
				case "go":
					return v.String(), nil
				case "iso":
					return isoDuration(v), nil
				}
				return nil, unknownStyle(style)
			},
			checks: map[int]func(any) string{1: func(arg any) string {
				if t, ok := arg.(string); ok && t != "go" && t != "iso" {
					return unknownStyle(t).Error()
				}
				return ""
			}},
		},
		{
			Func: Func{
				Name: "durationOf", Group: groupDuration, Doc: "The duration of n units.",
				Params: []Param{p("n", "number", "how many"), unit}, Result: "duration",
				Examples: []Example{ex(`durationOf(1500, "ms")`, `"1.5s"`), ex(`durationOf(0.5, "h")`, `"30m0s"`)},
			},
			impl: func(a *in) (any, error) {
				n, name := a.number(0), a.text(1)
				u := unitOf(name)
				if a.err == nil && u == 0 {
					return nil, unknownUnit(name)
				}
				return timesUnit(n, u)
			},
			checks: map[int]func(any) string{1: checkUnit},
		},
		{
			Func: Func{
				Name: "durationIn", Group: groupDuration, Doc: "How many units a duration is, with its fraction.",
				Params: []Param{d, unit}, Result: "float",
				Examples: []Example{ex(`durationIn(duration("90m"), "h")`, `1.5`)},
			},
			impl: func(a *in) (any, error) {
				v, name := a.duration(0), a.text(1)
				u := unitOf(name)
				if a.err == nil && u == 0 {
					return nil, unknownUnit(name)
				}
				return float64(v) / float64(max(u, 1)), nil
			},
			checks: map[int]func(any) string{1: checkUnit},
		},
		{
			Func: Func{
				Name: "inSeconds", Group: groupDuration, Doc: "A duration in seconds, with its fraction.",
				Params: []Param{d}, Result: "float",
				Examples: []Example{ex(`inSeconds(duration("1m500ms"))`, `60.5`)},
			},
			impl: func(a *in) (any, error) { return a.duration(0).Seconds(), nil },
		},
		{
			Func: Func{
				Name: "inMillis", Group: groupDuration, Doc: "A duration in whole milliseconds, cut toward zero.",
				Params: []Param{d}, Result: "int",
				Examples: []Example{ex(`inMillis(duration("1.5s"))`, `1500`)},
			},
			impl: func(a *in) (any, error) { return int(a.duration(0).Milliseconds()), nil },
		},
	}
}

func unknownStyle(t string) error { return fmt.Errorf("unknown style %s: use go or iso", quote(t)) }

// timesUnit multiplies exactly for an int and to the nanosecond for a float.
func timesUnit(n any, u time.Duration) (time.Duration, error) {
	switch x := n.(type) {
	case int:
		d := time.Duration(x) * u
		if u != 0 && (d/u != time.Duration(x) || x == math.MinInt && u == -1) {
			return 0, errDurationRange(strconv.Itoa(x))
		}
		return d, nil
	case float64:
		f := math.Round(x * float64(u))
		if f != f || f >= 1<<63 || f < -1<<63 {
			return 0, errDurationRange(strconv.FormatFloat(x, 'g', -1, 64))
		}
		return time.Duration(f), nil
	}
	return 0, nil
}

func errDurationRange(n string) error {
	return fmt.Errorf("%s is too long for a duration (about 292 years)", n)
}

func parseDuration(text string) (time.Duration, error) {
	t := strings.TrimSpace(text)
	neg := strings.HasPrefix(t, "-")
	t = strings.TrimPrefix(strings.TrimPrefix(t, "-"), "+")
	var d time.Duration
	var ok bool
	if strings.HasPrefix(t, "P") {
		d, ok = parseISODuration(t[1:])
	} else if t == "0" {
		ok = true
	} else {
		d, ok = parseUnits(t, unitOf)
	}
	if !ok {
		if _, isNumber := parseFloat(t); isNumber {
			return 0, fmt.Errorf("%s is not a duration: write a number with a unit, such as %ss", quote(text), t)
		}
		return 0, fmt.Errorf("%s is not a duration", quote(text))
	}
	if neg {
		d = -d
	}
	return d, nil
}

// parseUnits reads numbers, each with a unit that unit knows; at least one.
func parseUnits(t string, unit func(string) time.Duration) (time.Duration, bool) {
	var sum time.Duration
	if t == "" {
		return 0, false
	}
	for t != "" {
		end := strings.IndexFunc(t, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
		if end <= 0 {
			return 0, false
		}
		digits := t[:end]
		t = t[end:]
		end = strings.IndexFunc(t, func(r rune) bool { return r == '.' || '0' <= r && r <= '9' })
		if end < 0 {
			end = len(t)
		}
		u := unit(t[:end])
		t = t[end:]
		if u == 0 {
			return 0, false
		}
		// time.ParseDuration adds up a fraction exactly, which a float cannot.
		whole, frac, _ := strings.Cut(digits, ".")
		part, ok := scale(whole, frac, u)
		if !ok || sum > math.MaxInt64-part {
			return 0, false
		}
		sum += part
	}
	return sum, true
}

func scale(whole, frac string, u time.Duration) (time.Duration, bool) {
	if whole == "" && frac == "" || strings.Contains(frac, ".") {
		return 0, false
	}
	var d time.Duration
	if whole != "" {
		n, err := strconv.ParseInt(whole, 10, 64)
		if err != nil || n > int64(math.MaxInt64/u) {
			return 0, false
		}
		d = time.Duration(n) * u
	}
	part := u
	for _, c := range []byte(frac) {
		// The rest that division drops is below a nanosecond of the unit.
		step := part / 10 * time.Duration(c-'0')
		step += part % 10 * time.Duration(c-'0') / 10
		part /= 10
		if d > math.MaxInt64-step {
			return 0, false
		}
		d += step
	}
	return d, true
}

func parseISODuration(t string) (time.Duration, bool) {
	date, clock, hasClock := strings.Cut(t, "T")
	var sum time.Duration
	if date != "" {
		d, ok := parseUnits(date, func(u string) time.Duration {
			switch u {
			case "D":
				return unitOf("d")
			case "W":
				return unitOf("w")
			}
			return 0
		})
		if !ok {
			return 0, false
		}
		sum = d
	}
	if !hasClock {
		return sum, date != ""
	}
	d, ok := parseUnits(clock, func(u string) time.Duration {
		switch u {
		case "H":
			return time.Hour
		case "M":
			return time.Minute
		case "S":
			return time.Second
		}
		return 0
	})
	if !ok || sum > math.MaxInt64-d {
		return 0, false
	}
	return sum + d, true
}

func isoDuration(d time.Duration) string {
	if d == 0 {
		return "PT0S"
	}
	out := []byte("PT")
	n := uint64(d)
	if d < 0 {
		out = []byte("-PT")
		n = -n
	}
	if h := n / uint64(time.Hour); h > 0 {
		out = append(strconv.AppendUint(out, h, 10), 'H')
	}
	if m := n / uint64(time.Minute) % 60; m > 0 {
		out = append(strconv.AppendUint(out, m, 10), 'M')
	}
	if rest := n % uint64(time.Minute); rest > 0 {
		out = strconv.AppendUint(out, rest/1e9, 10)
		if frac := rest % 1e9; frac > 0 {
			out = append(out, '.')
			out = append(out, strings.TrimRight(fmt.Sprintf("%09d", frac), "0")...)
		}
		out = append(out, 'S')
	}
	return string(out)
}
