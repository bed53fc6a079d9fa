// Package javatime formats and parses times by the patterns of Java's
// SimpleDateFormat (yyyy-MM-dd'T'HH:mm:ss.SSSXXX), in English names and the
// Gregorian calendar.
package javatime

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Pattern is a compiled pattern. It is safe for all goroutines.
type Pattern struct {
	text   string
	fields []field
	// java: exactly as Java does it (see Compile).
	java bool
}

// field is a run of one letter, or literal text.
type field struct {
	letter byte // 0 for literal text
	count  int
	lit    string
	// abuts: the next field is a number, too, so only count digits are this one's.
	abuts bool
}

const maxPattern = 1 << 10

// Compile reads a pattern. An error says what cannot be done and where.
//
// With java times are as Java makes them: S is a number of milliseconds however
// many letters there are, text may go on behind the pattern, and a number
// beyond its range runs over (month 13 is January of the next year). Without it
// S is the fraction of a second with as many digits as there are letters, and
// text that is not wholly of the pattern is an error.
func Compile(text string, java bool) (*Pattern, error) {
	if len(text) > maxPattern {
		return nil, fmt.Errorf("the pattern is longer than %d bytes", maxPattern)
	}
	if !utf8.ValidString(text) {
		return nil, fmt.Errorf("the pattern is not UTF-8")
	}
	p := &Pattern{text: text, java: java}
	for i := 0; i < len(text); {
		n, err := p.next(i)
		if err != nil {
			return nil, err
		}
		i += n
	}
	for i := range p.fields[:max(len(p.fields)-1, 0)] {
		p.fields[i].abuts = p.fields[i].numeric() && p.fields[i+1].numeric()
	}
	if !java && len(p.fields) == 0 {
		return nil, fmt.Errorf("the pattern is empty")
	}
	return p, nil
}

// next reads the field at i and returns its length.
func (p *Pattern) next(i int) (int, error) {
	c := p.text[i]
	switch {
	case c == '\'':
		return p.quoted(i)
	case letter(c):
		n := 1
		for i+n < len(p.text) && p.text[i+n] == c {
			n++
		}
		if err := supported(c, n, i); err != nil {
			return 0, err
		}
		p.fields = append(p.fields, field{letter: c, count: n})
		return n, nil
	}
	n := 1
	for i+n < len(p.text) && p.text[i+n] != '\'' && !letter(p.text[i+n]) {
		n++
	}
	p.literal(p.text[i : i+n])
	return n, nil
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func (p *Pattern) literal(s string) {
	if k := len(p.fields) - 1; k >= 0 && p.fields[k].letter == 0 {
		p.fields[k].lit += s
		return
	}
	p.fields = append(p.fields, field{lit: s})
}

// quoted reads text in single quotes, which stand for themselves when doubled.
func (p *Pattern) quoted(i int) (int, error) {
	if strings.HasPrefix(p.text[i:], "''") {
		p.literal("'")
		return 2, nil
	}
	var b strings.Builder
	for j := i + 1; j < len(p.text); j++ {
		if p.text[j] != '\'' {
			b.WriteByte(p.text[j])
			continue
		}
		if j+1 < len(p.text) && p.text[j+1] == '\'' {
			b.WriteByte('\'')
			j++
			continue
		}
		p.literal(b.String())
		return j + 1 - i, nil
	}
	return 0, fmt.Errorf("the quote at character %d is not closed", i+1)
}

func supported(c byte, n, at int) error {
	switch c {
	case 'G', 'y', 'M', 'L', 'd', 'H', 'm', 's', 'S', 'E', 'u', 'D', 'F', 'a', 'k', 'K', 'h', 'z', 'Z':
		return nil
	case 'X':
		if n <= 3 {
			return nil
		}
		return fmt.Errorf("the letter X at character %d stands more than three times", at+1)
	case 'Y', 'w', 'W':
		return fmt.Errorf("the letter %c at character %d is a number of a week, which depends on a locale: use yyyy, MM and dd", c, at+1)
	}
	return fmt.Errorf("the letter %c at character %d is none of a pattern: put text into single quotes", c, at+1)
}

// numeric reports whether a field is written in digits.
func (f *field) numeric() bool {
	switch f.letter {
	case 0, 'G', 'E', 'a', 'z', 'Z', 'X':
		return false
	case 'M', 'L':
		return f.count <= 2
	}
	return true
}

// String is the pattern as written.
func (p *Pattern) String() string { return p.text }

// Append appends t, in its own zone.
func (p *Pattern) Append(dst []byte, t time.Time) []byte {
	for i := range p.fields {
		dst = p.fields[i].append(dst, t, p.java)
	}
	return dst
}

func (f *field) append(dst []byte, t time.Time, java bool) []byte {
	switch f.letter {
	case 0:
		return append(dst, f.lit...)
	case 'G':
		if t.Year() <= 0 {
			return append(dst, "BC"...)
		}
		return append(dst, "AD"...)
	case 'y':
		year := t.Year()
		if year <= 0 {
			year = 1 - year
		}
		if f.count == 2 {
			return padded(dst, year%100, 2)
		}
		return padded(dst, year, f.count)
	case 'M', 'L':
		return f.appendName(dst, int(t.Month()), t.Month().String(), 3)
	case 'E':
		return f.appendText(dst, t.Weekday().String())
	case 'a':
		if t.Hour() < 12 {
			return append(dst, "AM"...)
		}
		return append(dst, "PM"...)
	case 'S':
		if java {
			return padded(dst, t.Nanosecond()/1e6, f.count)
		}
		return fraction(dst, t.Nanosecond(), f.count)
	case 'z':
		return appendZoneName(dst, t)
	case 'Z':
		return t.AppendFormat(dst, "-0700")
	case 'X':
		return t.AppendFormat(dst, [...]string{"Z07", "Z0700", "Z07:00"}[f.count-1])
	}
	return padded(dst, f.number(t), f.count)
}

// number is what a field that is only a number stands for.
func (f *field) number(t time.Time) int {
	switch f.letter {
	case 'd':
		return t.Day()
	case 'H':
		return t.Hour()
	case 'k':
		return (t.Hour()+23)%24 + 1
	case 'K':
		return t.Hour() % 12
	case 'h':
		return (t.Hour()+11)%12 + 1
	case 'm':
		return t.Minute()
	case 's':
		return t.Second()
	case 'u':
		return (int(t.Weekday())+6)%7 + 1
	case 'D':
		return t.YearDay()
	default: // F
		return (t.Day()-1)/7 + 1
	}
}

func (f *field) appendName(dst []byte, n int, name string, short int) []byte {
	switch {
	case f.count < 3:
		return padded(dst, n, f.count)
	case f.count == 3:
		return append(dst, name[:short]...)
	}
	return append(dst, name...)
}

func (f *field) appendText(dst []byte, name string) []byte {
	if f.count < 4 {
		return append(dst, name[:3]...)
	}
	return append(dst, name...)
}

func appendZoneName(dst []byte, t time.Time) []byte {
	name, offset := t.Zone()
	if name == "" || name[0] == '+' || name[0] == '-' {
		if offset == 0 {
			return append(dst, "UTC"...)
		}
		return t.AppendFormat(append(dst, "GMT"...), "-07:00")
	}
	return append(dst, name...)
}

func padded(dst []byte, n, width int) []byte {
	var buf [20]byte
	i := len(buf)
	for {
		i--
		buf[i] = byte('0' + n%10)
		if n /= 10; n == 0 {
			break
		}
	}
	for k := len(buf) - i; k < width; k++ {
		dst = append(dst, '0')
	}
	return append(dst, buf[i:]...)
}

// fraction writes the first digits of a fraction of a second.
func fraction(dst []byte, nanos, digits int) []byte {
	for unit := 100_000_000; digits > 0; digits-- {
		if unit == 0 {
			dst = append(dst, '0')
			continue
		}
		dst = append(dst, byte('0'+nanos/unit%10))
		unit /= 10
	}
	return dst
}
