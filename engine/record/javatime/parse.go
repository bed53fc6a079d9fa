package javatime

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// parsed is what has been read so far; what a pattern does not name is that of
// 1970-01-01T00:00 UTC, as in Java.
type parsed struct {
	year, month, day      int
	yearDay, weekInMonth  int
	weekday               int // 1 is Monday
	hour, minute, second  int
	nanos                 int64
	pm, hasPM, half, bc   bool
	hasDay, hasMonth      bool
	zone                  *time.Location
	hasYearDay, hasInWeek bool
}

// Parse reads text. now says in which century a year of two digits lies: from
// 80 years before to 20 years behind it, as in Java. loc is the zone of a text
// that names none.
func (p *Pattern) Parse(text string, now time.Time, loc *time.Location) (time.Time, error) {
	v := parsed{year: 1970, month: 1, day: 1, zone: loc}
	rest := text
	for i := range p.fields {
		f := &p.fields[i]
		var err error
		if rest, err = p.read(&v, f, rest, now); err != nil {
			return time.Time{}, p.mismatch(text, err)
		}
	}
	if rest != "" && !p.java {
		return time.Time{}, p.mismatch(text, fmt.Errorf("%s is left over", quote(rest)))
	}
	t, err := v.time(p.java)
	if err != nil {
		return time.Time{}, p.mismatch(text, err)
	}
	return t, nil
}

func (p *Pattern) mismatch(text string, why error) error {
	return fmt.Errorf("%s does not match %s: %w", quote(text), p.text, why)
}

// quote shows at most the beginning of a text of a record.
func quote(s string) string {
	if len(s) > 60 {
		s = strings.ToValidUTF8(s[:60], "") + "..."
	}
	return strconv.Quote(s)
}

var errNumber = errors.New("a number is missing")

func (p *Pattern) read(v *parsed, f *field, rest string, now time.Time) (string, error) {
	if f.letter == 0 {
		after, ok := strings.CutPrefix(rest, f.lit)
		if !ok {
			return rest, fmt.Errorf("%s is missing", quote(f.lit))
		}
		return after, nil
	}
	switch f.letter {
	case 'G':
		return choose(rest, []string{"BC", "AD"}, func(i, _ int) { v.bc = i == 0 })
	case 'a':
		v.hasPM = true
		return choose(rest, []string{"AM", "PM"}, func(i, _ int) { v.pm = i == 1 })
	case 'E':
		return choose(rest, weekdays, func(i, _ int) { v.weekday = i%7 + 1 })
	case 'z', 'Z', 'X':
		return v.readZone(f, rest)
	case 'M', 'L':
		if f.count > 2 {
			v.hasMonth = true
			return choose(rest, months, func(i, _ int) { v.month = i%12 + 1 })
		}
	}
	n, digits, rest, err := f.digits(rest, p.java)
	if err != nil {
		return rest, err
	}
	v.put(f, n, digits, now, p.java)
	return rest, nil
}

var (
	months = []string{
		"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
	}
	weekdays = []string{
		"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
		"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun",
	}
)

// choose finds the longest of names that text begins with, whatever its case.
func choose(text string, names []string, found func(i, size int)) (string, error) {
	best, size := -1, 0
	for i, name := range names {
		if len(name) > size && len(text) >= len(name) && strings.EqualFold(text[:len(name)], name) {
			best, size = i, len(name)
		}
	}
	if best < 0 {
		return text, fmt.Errorf("one of %s is missing", strings.Join(names[:min(3, len(names))], ", "))
	}
	found(best, size)
	return text[size:], nil
}

// digits reads a number: all digits there are, or as many as the field has
// letters where another number follows at once.
func (f *field) digits(text string, java bool) (n int64, count int, rest string, err error) {
	sign := int64(1)
	rest = text
	if java {
		rest = strings.TrimLeft(rest, " \t")
		if !f.abuts && strings.HasPrefix(rest, "-") {
			sign, rest = -1, rest[1:]
		}
	}
	limit := 18
	if f.abuts {
		limit = f.count
	}
	for count < len(rest) && count < limit && rest[count]-'0' <= 9 {
		n = n*10 + int64(rest[count]-'0')
		count++
	}
	if count == 0 || f.abuts && count < limit {
		return 0, 0, text, errNumber
	}
	return sign * n, count, rest[count:], nil
}

// put stores a number.
func (v *parsed) put(f *field, n int64, digits int, now time.Time, java bool) {
	i := int(max(min(n, 1<<31), -1<<31))
	switch f.letter {
	case 'y':
		if f.count <= 2 && digits == 2 && n >= 0 {
			i = century(i, now)
		}
		v.year = i
	case 'M', 'L':
		v.month, v.hasMonth = i, true
	case 'd':
		v.day, v.hasDay = i, true
	case 'H':
		v.hour, v.half = i, false
	case 'k':
		v.hour, v.half = i%24, false
	case 'K':
		v.hour, v.half = i, true
	case 'h':
		v.hour, v.half = i%12, true
	case 'm':
		v.minute = i
	case 's':
		v.second = i
	case 'S':
		if java {
			v.nanos = int64(i) * 1e6
			return
		}
		for ; digits < 9; digits++ {
			n *= 10
		}
		for ; digits > 9; digits-- {
			n /= 10
		}
		v.nanos = n
	case 'u':
		v.weekday = i
	case 'D':
		v.yearDay, v.hasYearDay = i, true
	case 'F':
		v.weekInMonth, v.hasInWeek = i, true
	}
}

func century(two int, now time.Time) int {
	from := now.AddDate(-80, 0, 0).Year()
	year := from - from%100 + two
	if year < from {
		year += 100
	}
	return year
}

func (v *parsed) readZone(f *field, text string) (string, error) {
	if f.letter == 'X' && strings.HasPrefix(text, "Z") {
		v.zone = time.UTC
		return text[1:], nil
	}
	rest, named := text, false
	if f.letter != 'X' {
		for _, name := range []string{"GMT", "UTC", "UT"} {
			if after, ok := strings.CutPrefix(rest, name); ok {
				rest, named = after, true
				break
			}
		}
	}
	if rest == "" || rest[0] != '+' && rest[0] != '-' {
		if named {
			v.zone = time.UTC
			return rest, nil
		}
		return text, errors.New("a zone is missing, UTC or an offset")
	}
	seconds, after, ok := offset(rest, f)
	if !ok {
		return text, errors.New("the offset of the zone is not complete")
	}
	if v.zone = time.UTC; seconds != 0 {
		v.zone = time.FixedZone("", seconds)
	}
	return after, nil
}

// offset reads +hh, +hhmm or +hh:mm.
func offset(s string, f *field) (seconds int, rest string, ok bool) {
	two := func(s string) (int, bool) {
		if len(s) < 2 || s[0]-'0' > 9 || s[1]-'0' > 9 {
			return 0, false
		}
		return int(s[0]-'0')*10 + int(s[1]-'0'), true
	}
	h, ok := two(s[1:])
	if !ok || h > 23 {
		return 0, s, false
	}
	seconds, rest = h*3600, s[3:]
	if f.letter != 'X' || f.count > 1 {
		m, ok := two(strings.TrimPrefix(rest, ":"))
		if !ok || m > 59 {
			return 0, s, false
		}
		seconds, rest = seconds+m*60, strings.TrimPrefix(rest, ":")[2:]
	}
	if s[0] == '-' {
		seconds = -seconds
	}
	return seconds, rest, true
}

// time puts the parts together.
func (v *parsed) time(java bool) (time.Time, error) {
	hour := v.hour
	if v.half && v.pm {
		hour += 12
	}
	year := v.year
	if v.bc {
		year = 1 - year
	}
	if !java {
		if err := v.check(); err != nil {
			return time.Time{}, err
		}
	}
	t := time.Date(year, time.Month(v.month), v.day, hour, v.minute, v.second, 0, v.zone)
	if v.hasYearDay && !v.hasDay && !v.hasMonth {
		t = time.Date(year, 1, v.yearDay, hour, v.minute, v.second, 0, v.zone)
	}
	t = t.Add(time.Duration(v.nanos))
	if y := t.Year(); y < -9999 || y > 9999 && !java || y > 292_000_000 {
		return time.Time{}, errors.New("the year is out of range")
	}
	return t, nil
}

func (v *parsed) check() error {
	switch {
	case v.month < 1 || v.month > 12:
		return errors.New("the month is out of range")
	case v.day < 1 || v.day > time.Date(v.year, time.Month(v.month)+1, 0, 0, 0, 0, 0, time.UTC).Day():
		return errors.New("the day is out of range")
	case v.hour > 23 || v.half && v.hour > 11:
		return errors.New("the hour is out of range")
	case v.minute > 59:
		return errors.New("the minute is out of range")
	case v.second > 59:
		return errors.New("the second is out of range")
	case v.hasYearDay && (v.yearDay < 1 || v.yearDay > 366):
		return errors.New("the day of the year is out of range")
	}
	return nil
}
