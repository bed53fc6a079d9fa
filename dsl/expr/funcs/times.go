package funcs

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/flowrecords/flow/engine/record"
)

// zone reads an optional zone argument; none if it was not given.
func (s *set) zone(a *in, i int, none *time.Location) *time.Location {
	if !a.has(i) {
		return none
	}
	t := a.text(i)
	if a.err != nil {
		return time.UTC
	}
	loc, err := s.zones.get(t)
	if err != nil {
		a.err = fmt.Errorf("%s: %w", a.fn.Name, err)
		return time.UTC
	}
	return loc
}

func (s *set) layout(a *in, i int) *layout {
	t := a.text(i)
	if a.err != nil {
		return nil
	}
	l, err := s.layouts.get(t)
	if err != nil {
		a.err = fmt.Errorf("%s: %w", a.fn.Name, err)
	}
	return l
}

func (s *set) checkZone(arg any) string {
	if t, ok := arg.(string); ok {
		if _, err := s.zones.get(t); err != nil {
			return err.Error()
		}
	}
	return ""
}

func (s *set) checkLayout(arg any) string {
	if t, ok := arg.(string); ok {
		if _, err := s.layouts.get(t); err != nil {
			return err.Error()
		}
	}
	return ""
}

// checkReadLayout also refuses what can only be written.
func (s *set) checkReadLayout(arg any) string {
	if msg := s.checkLayout(arg); msg != "" {
		return msg
	}
	if t, ok := arg.(string); ok {
		l, _ := s.layouts.get(t)
		for _, k := range l.toks {
			if k.conv == 'u' || k.conv == 'G' || k.conv == 'V' {
				return fmt.Sprintf("%%%c can only be written, not read", k.conv)
			}
		}
	}
	return ""
}

const aboutLayouts = " The layout is strftime (`%Y-%m-%d %H:%M:%S`), Go's (`2006-01-02 15:04:05`), Java's behind `java:` (`java:yyyy-MM-dd HH:mm:ss`) or a name: " + layoutNames + "."

func (s *set) timeFuncs() []def {
	t := p("t", "time", "the time")
	lay := p("layout", "string", "the layout")
	zone := opt("zone", "string", "a zone such as Europe/Berlin or +02:00")
	out := []def{
		{
			Func: Func{
				Name: "parseTime", Group: groupTime,
				Doc: "Reads a time." + aboutLayouts + " Where the text has no zone it is in the zone given, else in UTC. What the layout does not name is the beginning of year 0.",
				Params: []Param{
					p("text", "string", "the time as text"), lay, zone,
				},
				Result: "time",
				Examples: []Example{
					ex(`parseTime("01/Mar/2026:10:00:00 +0100", "%d/%b/%Y:%H:%M:%S %z")`, `"2026-03-01T10:00:00+01:00"`),
					ex(`parseTime("2026-07-01 10:00", "2006-01-02 15:04", "Europe/Berlin")`, `"2026-07-01T10:00:00+02:00"`),
					ex(`parseTime("1767225600123", "unixMilli")`, `"2026-01-01T00:00:00.123Z"`),
					exErr(`parseTime("x", "%Y-%m-%d")`, `parseTime: "x" does not match layout %Y-%m-%d: the year is missing`),
				},
			},
			impl: func(a *in) (any, error) {
				text, l, loc := a.text(0), s.layout(a, 1), s.zone(a, 2, time.UTC)
				if a.err != nil {
					return nil, nil
				}
				return l.parse(text, loc)
			},
			checks: map[int]func(any) string{1: s.checkReadLayout, 2: s.checkZone},
		},
		{
			Func: Func{
				Name: "formatTime", Group: groupTime,
				Doc:    "Writes a time, in its own zone or in the one given." + aboutLayouts,
				Params: []Param{t, lay, zone}, Result: "string",
				Examples: []Example{
					ex(`formatTime(fromUnix(1767225600), "%Y/%m/%d")`, `"2026/01/01"`),
					ex(`formatTime(fromUnix(1767225600), "rfc3339", "Asia/Seoul")`, `"2026-01-01T09:00:00+09:00"`),
				},
			},
			impl: func(a *in) (any, error) {
				v, l := a.time(0), s.layout(a, 1)
				loc := s.zone(a, 2, v.Location())
				if a.err != nil {
					return nil, nil
				}
				b, err := l.format(nil, v.In(loc))
				return string(b), err
			},
			fast: func(a fin) (record.Value, []byte, error) {
				v, text := a.time(0), a.text(1)
				if a.err != nil {
					return a.done(record.Value{}, nil)
				}
				l, err := s.layouts.get(view(text))
				if err != nil {
					return a.done(record.Value{}, err)
				}
				if a.has(2) {
					name := a.text(2)
					if a.err != nil {
						return a.done(record.Value{}, nil)
					}
					loc, err := s.zones.get(view(name))
					if err != nil {
						return a.done(record.Value{}, err)
					}
					v = v.In(loc)
				}
				start := len(a.dst)
				dst, err := l.format(a.dst, v)
				if err != nil {
					return a.done(record.Value{}, err)
				}
				a.dst = dst
				return a.done(a.made(start), nil)
			},
			checks: map[int]func(any) string{1: s.checkLayout, 2: s.checkZone},
		},
		{
			Func: Func{
				Name: "inZone", Group: groupTime, Doc: "The same instant in another zone.",
				Params: []Param{t, p("zone", "string", "a zone such as Europe/Berlin or +02:00")}, Result: "time",
				Examples: []Example{ex(`inZone(toTime("2026-01-01T00:00:00Z"), "America/New_York")`, `"2025-12-31T19:00:00-05:00"`)},
			},
			impl:   func(a *in) (any, error) { v := a.time(0); return v.In(s.zone(a, 1, time.UTC)), nil },
			checks: map[int]func(any) string{1: s.checkZone},
		},
		{
			Func: Func{
				Name: "truncateTime", Group: groupTime,
				Doc: "The beginning of the second, minute, hour, day, week (Monday), month, quarter or year that a time lies in, by the clock of its own zone or of the one given;" +
					" or, with a duration, the time rounded down to a multiple of it since year 1 in UTC.",
				Params: []Param{t, p("unit", "string|duration", unitWords+", or a duration"), zone}, Result: "time",
				Examples: []Example{
					ex(`truncateTime(toTime("2026-05-20T10:47:31Z"), "month")`, `"2026-05-01T00:00:00Z"`),
					ex(`truncateTime(toTime("2026-05-20T10:47:31Z"), duration("15m"))`, `"2026-05-20T10:45:00Z"`),
					ex(`truncateTime(toTime("2026-05-20T23:00:00Z"), "day", "Asia/Seoul")`, `"2026-05-21T00:00:00+09:00"`),
				},
			},
			impl: func(a *in) (any, error) {
				v := a.time(0)
				v = v.In(s.zone(a, 2, v.Location()))
				switch u := a.any(1).(type) {
				case time.Duration:
					if u <= 0 {
						return nil, errors.New("the duration is not positive")
					}
					return v.Truncate(u), nil
				case string:
					return truncate(v, u)
				}
				a.wrong(1, "string or duration")
				return nil, nil
			},
			checks: map[int]func(any) string{
				1: func(arg any) string {
					if u, ok := arg.(string); ok {
						if _, err := truncate(time.Time{}, u); err != nil {
							return err.Error()
						}
					}
					return ""
				},
				2: s.checkZone,
			},
		},
		{
			Func: Func{
				Name: "addDate", Group: groupTime,
				Doc: "A time moved by years, months and days of the calendar, by the clock of its zone. A day that the month does not have runs over into the next: 31 January and a month is 3 March.",
				Params: []Param{
					t, p("years", "int", "years to add, may be negative"), p("months", "int", "months to add"), p("days", "int", "days to add"),
				},
				Result: "time",
				Examples: []Example{
					ex(`addDate(toTime("2026-01-31T08:00:00Z"), 0, 0, 1)`, `"2026-02-01T08:00:00Z"`),
					ex(`addDate(toTime("2026-03-15"), -1, 1, 0)`, `"2025-04-15T00:00:00Z"`),
				},
			},
			impl: func(a *in) (any, error) {
				v, y, m, d := a.time(0), a.int(1), a.int(2), a.int(3)
				for _, n := range [...]int{y, m, d} {
					if n < -1e7 || n > 1e7 {
						return nil, fmt.Errorf("%d is out of range", n)
					}
				}
				return v.AddDate(y, m, d), nil
			},
		},
	}
	for _, u := range [...]struct {
		suffix, words, want string
		unit                time.Duration
	}{
		{"", "seconds", "1767225600", time.Second},
		{"Milli", "milliseconds", "1767225600000", time.Millisecond},
		{"Micro", "microseconds", "1767225600000000", time.Microsecond},
		{"Nano", "nanoseconds", "1767225600000000000", time.Nanosecond},
	} {
		out = append(out, toUnix("toUnix"+u.suffix, u.words, u.want, u.unit), fromUnix("fromUnix"+u.suffix, u.words, u.want, u.unit))
	}
	return out
}

func toUnix(name, words, want string, unit time.Duration) def {
	outOfRange := errors.New("the time is too far from 1970 to be counted in " + words)
	return def{
		Func: Func{
			Name: name, Group: groupTime, Doc: "The whole " + words + " since 1970 UTC.",
			Params: []Param{p("t", "time", "the time")}, Result: "int",
			Examples: []Example{ex(name+`(toTime("2026-01-01"))`, want)},
		},
		impl: func(a *in) (any, error) {
			n, ok := timeCount(a.time(0), unit)
			if !ok {
				return nil, outOfRange
			}
			return n, nil
		},
		fast: func(a fin) (record.Value, []byte, error) {
			n, ok := timeCount(a.time(0), unit)
			if !ok {
				return a.done(record.Value{}, outOfRange)
			}
			return a.done(record.IntValue(int64(n)), nil)
		},
	}
}

func fromUnix(name, words, from string, unit time.Duration) def {
	return def{
		Func: Func{
			Name: name, Group: groupTime, Doc: "The time, in UTC, that lies this many " + words + " after 1970. A fraction counts.",
			Params: []Param{p("n", "number", "how many")}, Result: "time",
			Examples: []Example{ex(name+"("+from+")", `"2026-01-01T00:00:00Z"`)},
		},
		impl: func(a *in) (any, error) {
			switch n := a.number(0).(type) {
			case int:
				return inYears(countTime(int64(n), unit))
			case float64:
				whole := math.Floor(n)
				if !(math.Abs(whole) < 1<<62) {
					return nil, errYears
				}
				rest := time.Duration((n - whole) * float64(unit))
				return inYears(countTime(int64(whole), unit).Add(rest))
			}
			return nil, nil
		},
	}
}

var errYears = errors.New("the time lies outside the years 0 to 9999")

// inYears refuses times that RFC 3339 cannot write: mostly milliseconds that
// were taken for seconds.
func inYears(t time.Time) (any, error) {
	if y := t.Year(); y < 0 || y > 9999 {
		return nil, errYears
	}
	return t, nil
}

const unitWords = "second, minute, hour, day, week, month, quarter or year"

func truncate(t time.Time, unit string) (time.Time, error) {
	y, m, d := t.Date()
	day := func(m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, t.Location()) }
	sub := time.Duration(t.Nanosecond())
	switch unit {
	case "second":
		return t.Add(-sub), nil
	case "minute":
		return t.Add(-sub - time.Duration(t.Second())*time.Second), nil
	case "hour":
		return t.Add(-sub - time.Duration(t.Second())*time.Second - time.Duration(t.Minute())*time.Minute), nil
	case "day":
		return day(m, d), nil
	case "week":
		return day(m, d-isoWeekday(t)+1), nil
	case "month":
		return day(m, 1), nil
	case "quarter":
		return day((m-1)/3*3+1, 1), nil
	case "year":
		return day(1, 1), nil
	}
	return t, fmt.Errorf("unknown unit %s: use %s", quote(unit), unitWords)
}

// clockPartFuncs are the numbers of the calendar and the clock.
func (s *set) clockPartFuncs() []def {
	part := func(name, doc, want string, of func(time.Time) int) def {
		return def{
			Func: Func{
				Name: name, Group: groupTime, Doc: doc + " By the clock of the time's own zone or of the one given.",
				Params: []Param{p("t", "time", "the time"), opt("zone", "string", "a zone such as Europe/Berlin or +02:00")},
				Result: "int", Examples: []Example{ex(name+`(toTime("2026-05-20T10:47:31Z"))`, want)},
			},
			impl: func(a *in) (any, error) {
				v := a.time(0)
				return of(v.In(s.zone(a, 1, v.Location()))), nil
			},
			checks: map[int]func(any) string{1: s.checkZone},
		}
	}
	return []def{
		part("yearOf", "The year.", "2026", time.Time.Year),
		part("monthOf", "The month, 1 to 12.", "5", func(t time.Time) int { return int(t.Month()) }),
		part("dayOf", "The day of the month, 1 to 31.", "20", time.Time.Day),
		part("hourOf", "The hour, 0 to 23.", "10", time.Time.Hour),
		part("minuteOf", "The minute, 0 to 59.", "47", time.Time.Minute),
		part("secondOf", "The second, 0 to 59.", "31", time.Time.Second),
		part("weekday", "The day of the week, 1 for Monday to 7 for Sunday.", "3", isoWeekday),
		part("dayOfYear", "The day of the year, 1 to 366.", "140", time.Time.YearDay),
		part("isoWeek", "The week of the year by ISO 8601, 1 to 53.", "21", func(t time.Time) int { _, w := t.ISOWeek(); return w }),
	}
}
