package funcs

import (
	"fmt"
	"time"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/cast"
	"github.com/flowrecords/flow/engine/record/javatime"
	"github.com/flowrecords/flow/engine/schema"
)

// convertTimeFunc is what the processor timestamp_converter does with a field.
func (s *set) convertTimeFunc() def {
	return def{
		Func: Func{
			Name: "convertTime", Group: groupTime,
			Doc: "A time in another form, as the processor `timestamp_converter` has it. What x is says its kind: a time, a text of the pattern `format`, a number of `unit` since 1970. It becomes text of that pattern (`string`), such a number (`unix`), a day (`date`), " +
				"a time of the day (`time`) or a time (`timestamp`). Of a path with a schema the last three are of that type; elsewhere a day is the text `2006-01-02` and a time of the day `15:04:05.999999999`. " +
				"Options: `format`, a pattern of Java's SimpleDateFormat (without it RFC 3339), `unit` (seconds, milliseconds, microseconds, nanoseconds; milliseconds if not given), `zone` (UTC if not given) and `mode` " +
				"(`connect`: in every detail as Kafka Connect's TimestampConverter).",
			Params: []Param{p("x", "any", "the time"), p("form", "string", "string, unix, date, time or timestamp"), opt("options", "object", "format, unit, zone, mode")},
			Result: "any",
			Examples: []Example{
				ex(`convertTime(1700000000123, "string", {format: "dd.MM.yyyy HH:mm", zone: "Europe/Berlin"})`, `"14.11.2023 23:13"`),
				ex(`convertTime("2023-11-14T22:13:20Z", "unix", {unit: "seconds"})`, `1700000000`),
				ex(`convertTime("2023-11-14T22:13:20Z", "date")`, `"2023-11-14"`),
				exErr(`convertTime(true, "date")`, `convertTime: a bool is no time`),
			},
			NamesType: true,
			OfPath: func(args []any) (PathFunc, error) {
				c, err := s.timesOf(args)
				return func(dst []byte, x record.Value, t *schema.Schema) (record.Value, []byte, error) {
					if x.IsNil() {
						return x, dst, errNull
					}
					typed := t != nil && t.Type != schema.Any
					if typed {
						if _, err := c.Schema(t); err != nil {
							return x, dst, err
						}
					}
					return c.Value(dst, x, typed)
				}, err
			},
			TypeOfPath: func(t *schema.Schema, args []any) *schema.Schema {
				c, err := s.timesOf(args)
				if err != nil || t == nil || t.Type == schema.Any {
					return nil
				}
				to, err := c.Schema(t.AsRequired())
				if err != nil {
					return nil
				}
				return to
			},
		},
		checks: map[int]func(any) string{1: func(arg any) string {
			if _, err := s.timesOf([]any{arg}); err != nil {
				return err.Error()
			}
			return ""
		}},
		impl: func(a *in) (any, error) {
			x, args := a.any(0), []any{a.text(1)}
			if a.has(2) {
				args = append(args, a.object(2))
			}
			if a.err != nil {
				return nil, nil
			}
			c, err := s.timesOf(args)
			if err != nil {
				return nil, err
			}
			if x == nil {
				return nil, errNull
			}
			v, err := record.FromAny(x)
			if err != nil {
				return nil, fmt.Errorf("%s is no time", typeName(x))
			}
			out, _, err := c.Value(nil, v, false)
			return out.Any(), err
		},
	}
}

// timesOf reads the arguments of convertTime behind x.
func (s *set) timesOf(args []any) (*cast.Times, error) {
	form := textArg(args, 0)
	c := &cast.Times{To: cast.TimeForm(form), Unit: schema.Millisecond, Zone: time.UTC, Now: s.Now}
	switch c.To {
	case cast.TimeText, cast.TimeUnix, cast.TimeDate, cast.TimeOfDay, cast.TimeTimestamp:
	default:
		return c, fmt.Errorf("%s is no form: it is string, unix, date, time or timestamp", quote(form))
	}
	if len(args) < 2 {
		return c, nil
	}
	given, _ := asObject(args[1])
	format, mode, zone := "", "", "UTC"
	err := options(given, map[string]func(any) bool{
		"format": func(v any) (ok bool) { format, ok = v.(string); return ok },
		"mode":   func(v any) (ok bool) { mode, ok = v.(string); return ok },
		"zone":   func(v any) (ok bool) { zone, ok = v.(string); return ok },
		"unit": func(v any) (ok bool) {
			c.Unit, ok = map[any]schema.Unit{"seconds": schema.Second, "milliseconds": schema.Millisecond, "microseconds": schema.Microsecond, "nanoseconds": schema.Nanosecond}[v]
			return ok
		},
	})
	if err == nil {
		c.Mode, err = modeOf(mode)
	}
	if err == nil {
		c.Zone, err = s.zones.get(zone)
	}
	if err == nil && format != "" {
		c.Pattern, err = javatime.Compile(format, c.Mode == cast.Java)
	}
	return c, err
}
