package funcs

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// token is one element of a strftime layout: literal text, or a conversion.
type token struct {
	conv byte // 0 for literal text
	lit  string
}

// compileStrftime splits a layout. Conversions that stand for several others
// are written out.
func compileStrftime(text string) ([]token, error) {
	var out []token
	for rest := text; rest != ""; {
		i := strings.IndexByte(rest, '%')
		if i < 0 {
			return append(out, token{lit: rest}), nil
		}
		if i > 0 {
			out = append(out, token{lit: rest[:i]})
		}
		rest = rest[i+1:]
		if rest == "" {
			return nil, fmt.Errorf("layout %s ends in a single %%: write %%%% for the sign", quote(text))
		}
		c := rest[0]
		rest = rest[1:]
		switch c {
		case '%':
			out = append(out, token{lit: "%"})
		case 'n', 't':
			out = append(out, token{lit: " "})
		case 'F':
			rest = "%Y-%m-%d" + rest
		case 'T':
			rest = "%H:%M:%S" + rest
		case 'R':
			rest = "%H:%M" + rest
		case 'D':
			rest = "%m/%d/%y" + rest
		case 'h':
			out = append(out, token{conv: 'b'})
		case 'Y', 'y', 'm', 'd', 'e', 'H', 'k', 'I', 'l', 'M', 'S', 'j', 'b', 'B', 'a', 'A', 'p', 'f', 'L', 'N', 'z', 'Z', 's', 'u', 'G', 'V':
			out = append(out, token{conv: c})
		default:
			return nil, fmt.Errorf("layout %s has the unknown conversion %%%c", quote(text), []rune(string(c) + rest)[0])
		}
	}
	return out, nil
}

func appendStrftime(dst []byte, toks []token, t time.Time) []byte {
	for _, k := range toks {
		if k.conv == 0 {
			dst = append(dst, k.lit...)
			continue
		}
		dst = appendConv(dst, k.conv, t)
	}
	return dst
}

func appendConv(dst []byte, conv byte, t time.Time) []byte {
	switch conv {
	case 'Y':
		return appendPadded(dst, t.Year(), 4, '0')
	case 'y':
		return appendPadded(dst, (t.Year()%100+100)%100, 2, '0')
	case 'm':
		return appendPadded(dst, int(t.Month()), 2, '0')
	case 'd':
		return appendPadded(dst, t.Day(), 2, '0')
	case 'e':
		return appendPadded(dst, t.Day(), 2, ' ')
	case 'H':
		return appendPadded(dst, t.Hour(), 2, '0')
	case 'k':
		return appendPadded(dst, t.Hour(), 2, ' ')
	case 'I':
		return appendPadded(dst, (t.Hour()+11)%12+1, 2, '0')
	case 'l':
		return appendPadded(dst, (t.Hour()+11)%12+1, 2, ' ')
	case 'M':
		return appendPadded(dst, t.Minute(), 2, '0')
	case 'S':
		return appendPadded(dst, t.Second(), 2, '0')
	case 'j':
		return appendPadded(dst, t.YearDay(), 3, '0')
	case 'L':
		return appendPadded(dst, t.Nanosecond()/1e6, 3, '0')
	case 'f':
		return appendPadded(dst, t.Nanosecond()/1e3, 6, '0')
	case 'N':
		return appendPadded(dst, t.Nanosecond(), 9, '0')
	case 's':
		return strconv.AppendInt(dst, t.Unix(), 10)
	case 'u':
		return strconv.AppendInt(dst, int64(isoWeekday(t)), 10)
	case 'G', 'V':
		year, week := t.ISOWeek()
		if conv == 'G' {
			return appendPadded(dst, year, 4, '0')
		}
		return appendPadded(dst, week, 2, '0')
	case 'b':
		return append(dst, t.Month().String()[:3]...)
	case 'B':
		return append(dst, t.Month().String()...)
	case 'a':
		return append(dst, t.Weekday().String()[:3]...)
	case 'A':
		return append(dst, t.Weekday().String()...)
	case 'p':
		return t.AppendFormat(dst, "PM")
	case 'z':
		return t.AppendFormat(dst, "-0700")
	default: // Z
		return t.AppendFormat(dst, "MST")
	}
}

func appendPadded(dst []byte, n, width int, pad byte) []byte {
	if n < 0 {
		dst = append(dst, '-')
		n = -n
	}
	digits := 1
	for x := n; x >= 10; x /= 10 {
		digits++
	}
	for ; digits < width; digits++ {
		dst = append(dst, pad)
	}
	return strconv.AppendInt(dst, int64(n), 10)
}

// isoWeekday is 1 for Monday to 7 for Sunday.
func isoWeekday(t time.Time) int { return (int(t.Weekday())+6)%7 + 1 }

// parts is what a strftime layout has read so far. What it does not name is
// the beginning of year 0, as in Go layouts.
type parts struct {
	year, month, day, yearDay int
	hour, minute, second      int
	nano                      int
	unix                      int
	pm, hasPM, half           bool
	hasUnix, hasZone          bool
	offset                    int
	zone                      string
}

func parseStrftime(toks []token, text string, loc *time.Location) (time.Time, error) {
	v := parts{month: 1, day: 1}
	rest := text
	var err error
	for _, k := range toks {
		if k.conv == 0 {
			rest, err = skipLiteral(rest, k.lit)
		} else {
			rest, err = v.read(k.conv, rest)
		}
		if err != nil {
			return time.Time{}, err
		}
	}
	if rest != "" {
		return time.Time{}, fmt.Errorf("%s is left over", quote(rest))
	}
	return v.time(loc)
}

// skipLiteral takes the layout's own text; a space there stands for any
// amount of white space, as numbers are often padded with it.
func skipLiteral(s, lit string) (string, error) {
	for lit != "" {
		if lit[0] == ' ' {
			trimmed := strings.TrimLeft(s, " \t\n")
			if trimmed == s {
				return "", errors.New("a space is missing")
			}
			s, lit = trimmed, strings.TrimLeft(lit, " ")
			continue
		}
		if s == "" || s[0] != lit[0] {
			return "", fmt.Errorf("%s is missing", quote(lit))
		}
		s, lit = s[1:], lit[1:]
	}
	return s, nil
}

func (v *parts) read(conv byte, s string) (string, error) {
	var err error
	switch conv {
	case 'Y':
		v.year, s, err = digits(s, 4, 0, 9999, "year")
	case 'y':
		if v.year, s, err = digits(s, 2, 0, 99, "year"); err == nil {
			v.year += 1900
			if v.year < 1969 {
				v.year += 100
			}
		}
	case 'm':
		v.month, s, err = digits(s, 2, 1, 12, "month")
	case 'd', 'e':
		v.day, s, err = digits(strings.TrimLeft(s, " "), 2, 1, 31, "day")
	case 'H', 'k':
		v.hour, s, err = digits(strings.TrimLeft(s, " "), 2, 0, 23, "hour")
	case 'I', 'l':
		v.hour, s, err = digits(strings.TrimLeft(s, " "), 2, 1, 12, "hour")
		v.half = true
	case 'M':
		v.minute, s, err = digits(s, 2, 0, 59, "minute")
	case 'S':
		v.second, s, err = digits(s, 2, 0, 59, "second")
	case 'j':
		v.yearDay, s, err = digits(s, 3, 1, 366, "day of the year")
	case 'f', 'L', 'N':
		v.nano, s, err = fraction(s)
	case 's':
		neg := strings.HasPrefix(s, "-")
		v.unix, s, err = digits(strings.TrimPrefix(s, "-"), 18, 0, 1e18, "count of seconds")
		if neg {
			v.unix = -v.unix
		}
		v.hasUnix = true
	case 'b', 'B':
		v.month, s, err = name(s, "month", 12, func(i int) string { return time.Month(i).String() })
	case 'a', 'A':
		_, s, err = name(s, "weekday", 7, func(i int) string { return time.Weekday(i % 7).String() })
	case 'p':
		v.hasPM = true
		switch {
		case len(s) >= 2 && strings.EqualFold(s[:2], "AM"):
		case len(s) >= 2 && strings.EqualFold(s[:2], "PM"):
			v.pm = true
		default:
			return "", errors.New("AM or PM is missing")
		}
		s = s[2:]
	case 'z':
		var ok bool
		if v.offset, s, ok = scanOffset(s); !ok {
			return "", errors.New("the offset is missing")
		}
		v.hasZone = true
	case 'Z':
		end := strings.IndexFunc(s, func(r rune) bool { return !unicode.IsLetter(r) })
		if end < 0 {
			end = len(s)
		}
		if end == 0 {
			return "", errors.New("the zone is missing")
		}
		v.zone, s = s[:end], s[end:]
	default:
		return "", fmt.Errorf("%%%c can only be written, not read", conv)
	}
	return s, err
}

func (v *parts) time(loc *time.Location) (time.Time, error) {
	if v.hasUnix {
		return time.Unix(int64(v.unix), int64(v.nano)).In(loc), nil
	}
	if v.half != v.hasPM {
		return time.Time{}, errors.New("%I and %p need each other")
	}
	hour := v.hour
	if v.half {
		hour %= 12
		if v.pm {
			hour += 12
		}
	}
	if v.yearDay > 0 {
		first := time.Date(v.year, 1, v.yearDay, 0, 0, 0, 0, time.UTC)
		if first.Year() != v.year {
			return time.Time{}, errors.New("day of the year out of range")
		}
		v.month, v.day = int(first.Month()), first.Day()
	}
	if d := time.Date(v.year, time.Month(v.month), v.day, 0, 0, 0, 0, time.UTC); d.Day() != v.day {
		return time.Time{}, errors.New("day out of range")
	}
	at := func(l *time.Location) time.Time {
		return time.Date(v.year, time.Month(v.month), v.day, hour, v.minute, v.second, v.nano, l)
	}
	switch {
	case v.hasZone:
		t := at(time.UTC).Add(-time.Duration(v.offset) * time.Second)
		if _, off := t.In(loc).Zone(); off == v.offset {
			return t.In(loc), nil
		}
		return t.In(fixedZone(v.offset)), nil
	case v.zone == "UTC" || v.zone == "GMT" || v.zone == "UT" || v.zone == "Z":
		return at(time.UTC), nil
	case v.zone != "":
		t := at(loc)
		if name, _ := t.Zone(); name != v.zone {
			return time.Time{}, unknownZone(v.zone)
		}
		return t, nil
	}
	return at(loc), nil
}

// digits reads up to width digits at the beginning of s.
func digits(s string, width, least, most int, what string) (int, string, error) {
	n, i := 0, 0
	for i < len(s) && i < width && '0' <= s[i] && s[i] <= '9' {
		n = n*10 + int(s[i]-'0')
		i++
	}
	if i == 0 {
		return 0, "", fmt.Errorf("the %s is missing", what)
	}
	if n < least || n > most {
		return 0, "", fmt.Errorf("%s out of range", what)
	}
	return n, s[i:], nil
}

// fraction reads the digits behind a decimal point as nanoseconds.
func fraction(s string) (int, string, error) {
	n, i := 0, 0
	for i < len(s) && i < 9 && '0' <= s[i] && s[i] <= '9' {
		n = n*10 + int(s[i]-'0')
		i++
	}
	if i == 0 {
		return 0, "", errors.New("the fraction is missing")
	}
	for range 9 - i {
		n *= 10
	}
	return n, s[i:], nil
}

// name reads the full or three-letter name of one of n things, in any case.
func name(s, what string, n int, nameOf func(int) string) (int, string, error) {
	for i := 1; i <= n; i++ {
		full := nameOf(i)
		for _, want := range [...]string{full, full[:3]} {
			if len(s) >= len(want) && strings.EqualFold(s[:len(want)], want) {
				return i, s[len(want):], nil
			}
		}
	}
	return 0, "", fmt.Errorf("the %s is missing", what)
}
