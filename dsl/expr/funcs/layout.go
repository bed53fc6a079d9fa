package funcs

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones work on machines without a zone database

	"github.com/flowrecords/flow/engine/record/javatime"
)

// layout is a compiled time layout of one of three families: a Go layout, a
// count since 1970, or strftime.
type layout struct {
	text  string
	goFmt string
	unit  time.Duration // of a count; 0 for the other families
	toks  []token
	java  *javatime.Pattern // of a layout that begins with java:
}

// namedLayout returns the Go layout of a name, or the unit of a count.
func namedLayout(name string) (string, time.Duration) {
	switch name {
	case "rfc3339":
		return time.RFC3339, 0
	case "rfc3339nano":
		return time.RFC3339Nano, 0
	case "rfc1123":
		return time.RFC1123, 0
	case "rfc1123z":
		return time.RFC1123Z, 0
	case "rfc822":
		return time.RFC822, 0
	case "rfc822z":
		return time.RFC822Z, 0
	case "rfc850":
		return time.RFC850, 0
	case "ansic":
		return time.ANSIC, 0
	case "date":
		return time.DateOnly, 0
	case "time":
		return time.TimeOnly, 0
	case "datetime":
		return time.DateTime, 0
	case "unix":
		return "", time.Second
	case "unixMilli":
		return "", time.Millisecond
	case "unixMicro":
		return "", time.Microsecond
	case "unixNano":
		return "", time.Nanosecond
	}
	return "", 0
}

const layoutNames = "rfc3339, rfc3339nano, rfc1123, rfc1123z, rfc822, rfc822z, rfc850, ansic, date, time, datetime, unix, unixMilli, unixMicro, unixNano"

func compileLayout(text string) (*layout, error) {
	l := &layout{text: text}
	if len(text) > 1<<10 {
		return nil, errors.New("the layout is longer than 1024 bytes")
	}
	if l.goFmt, l.unit = namedLayout(text); l.goFmt != "" || l.unit != 0 {
		return l, nil
	}
	if pattern, ok := strings.CutPrefix(text, "java:"); ok {
		var err error
		l.java, err = javatime.Compile(pattern, false)
		return l, err
	}
	if strings.Contains(text, "%") {
		var err error
		l.toks, err = compileStrftime(text)
		return l, err
	}
	// Two times that differ in everything look alike only in a layout
	// without elements: yyyy-MM-dd, for example.
	a := time.Date(2001, 2, 3, 4, 5, 6, 7, time.UTC).Format(text)
	b := time.Date(1999, 11, 22, 23, 44, 55, 888888888, time.FixedZone("XST", 3600)).Format(text)
	if a == b {
		return nil, fmt.Errorf("layout %s has no element of a time: write it as strftime (%%Y-%%m-%%d), as Go does (2006-01-02) or by name (%s)", quote(text), layoutNames)
	}
	l.goFmt = text
	return l, nil
}

func (l *layout) parse(text string, loc *time.Location) (time.Time, error) {
	switch {
	case l.unit != 0:
		return l.parseCount(text, loc)
	case l.java != nil:
		return l.java.Parse(text, time.Now(), loc)
	case l.toks != nil:
		t, err := parseStrftime(l.toks, text, loc)
		if err != nil {
			return t, l.mismatch(text, err)
		}
		return t, nil
	}
	t, err := parseGo(l.goFmt, text, loc)
	if err != nil {
		var pe *time.ParseError
		if errors.As(err, &pe) {
			err = nil
			if strings.HasSuffix(pe.Message, "out of range") {
				err = errors.New(strings.TrimPrefix(pe.Message, ": "))
			}
		}
		return t, l.mismatch(text, err)
	}
	return t, nil
}

func (l *layout) mismatch(text string, why error) error {
	if why != nil {
		return fmt.Errorf("%s does not match layout %s: %w", quote(text), l.text, why)
	}
	return fmt.Errorf("%s does not match layout %s", quote(text), l.text)
}

// parseGo is time.ParseInLocation, but refuses a zone abbreviation that it
// would read as UTC because neither UTC nor loc knows it.
func parseGo(goFmt, text string, loc *time.Location) (time.Time, error) {
	t, err := time.ParseInLocation(goFmt, text, loc)
	if err != nil || t.Location() == loc || t.Location() == time.UTC {
		return t, err
	}
	if name, off := t.Zone(); off == 0 && name != "" && name != "GMT" && name != "UTC" && name != "UT" {
		return time.Time{}, unknownZone(name)
	}
	return t, nil
}

func unknownZone(name string) error {
	return fmt.Errorf("zone %s is no offset and not known in the zone given", quote(name))
}

// parseCount reads a count since 1970, with a fraction if there is one.
func (l *layout) parseCount(text string, loc *time.Location) (time.Time, error) {
	whole, frac, hasFrac := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || hasFrac && (frac == "" || len(frac) > 18) {
		return time.Time{}, l.mismatch(text, nil)
	}
	rest := int64(0)
	if hasFrac {
		f, err := strconv.ParseUint(frac, 10, 63)
		if err != nil {
			return time.Time{}, l.mismatch(text, nil)
		}
		scaled := float64(f)
		for range frac {
			scaled /= 10
		}
		rest = int64(scaled*float64(l.unit) + 0.5)
		if strings.HasPrefix(whole, "-") {
			rest = -rest
		}
	}
	return countTime(n, l.unit).Add(time.Duration(rest)).In(loc), nil
}

// countTime is the time n units after 1970.
func countTime(n int64, unit time.Duration) time.Time {
	perSecond := int64(time.Second / unit)
	return time.Unix(n/perSecond, n%perSecond*int64(unit)).UTC()
}

// timeCount is the units between 1970 and t, the fraction cut off downward;
// false if they do not fit an int.
func timeCount(t time.Time, unit time.Duration) (int, bool) {
	perSecond := int64(time.Second / unit)
	s := t.Unix()
	n := s * perSecond
	if perSecond != 1 && n/perSecond != s {
		return 0, false
	}
	sub := int64(t.Nanosecond()) / int64(unit)
	if n > 0 && n+sub < 0 {
		return 0, false
	}
	return int(n + sub), true
}

func (l *layout) format(dst []byte, t time.Time) ([]byte, error) {
	switch {
	case l.unit != 0:
		n, ok := timeCount(t, l.unit)
		if !ok {
			return nil, fmt.Errorf("the time does not fit layout %s", l.text)
		}
		return strconv.AppendInt(dst, int64(n), 10), nil
	case l.java != nil:
		return l.java.Append(dst, t), nil
	case l.toks != nil:
		return appendStrftime(dst, l.toks, t), nil
	}
	return t.AppendFormat(dst, l.goFmt), nil
}

// loadZone reads a zone by its IANA name, or an offset such as +02:00.
func loadZone(name string) (*time.Location, error) {
	switch name {
	case "UTC", "Z":
		return time.UTC, nil
	case "", "Local":
		// The machine's own zone would make the same record differ by machine.
		return nil, fmt.Errorf("unknown zone %s: use a name such as Europe/Berlin, UTC or an offset such as +02:00", quote(name))
	}
	if name[0] == '+' || name[0] == '-' {
		if off, rest, ok := scanOffset(name); ok && rest == "" {
			return fixedZone(off), nil
		}
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("unknown zone %s: use a name such as Europe/Berlin, UTC or an offset such as +02:00", quote(name))
	}
	return loc, nil
}

func fixedZone(seconds int) *time.Location {
	if seconds == 0 {
		return time.UTC
	}
	return time.FixedZone("", seconds)
}

// scanOffset reads Z, +hh, +hhmm or +hh:mm at the beginning of s.
func scanOffset(s string) (seconds int, rest string, ok bool) {
	if strings.HasPrefix(s, "Z") || strings.HasPrefix(s, "z") {
		return 0, s[1:], true
	}
	if len(s) < 3 || s[0] != '+' && s[0] != '-' {
		return 0, s, false
	}
	h, err := strconv.ParseUint(s[1:3], 10, 8)
	if err != nil || h > 23 {
		return 0, s, false
	}
	seconds, rest = int(h)*3600, s[3:]
	sign := s[0]
	minutes := strings.TrimPrefix(rest, ":")
	if len(minutes) >= 2 {
		if m, err := strconv.ParseUint(minutes[:2], 10, 8); err == nil && m < 60 {
			seconds += int(m) * 60
			rest = minutes[2:]
		}
	}
	if sign == '-' {
		seconds = -seconds
	}
	return seconds, rest, true
}
