package cast

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/javatime"
	"github.com/flowrecords/flow/engine/schema"
)

// TimeForm is a way in which a time is written.
type TimeForm string

// The forms: text of a pattern, a number since 1970, a day, a time of the day, a
// timestamp.
const (
	TimeText      TimeForm = "string"
	TimeUnix      TimeForm = "unix"
	TimeDate      TimeForm = "date"
	TimeOfDay     TimeForm = "time"
	TimeTimestamp TimeForm = "timestamp"
)

// Times changes how times are written. It may be used by many goroutines.
type Times struct {
	To TimeForm
	// Pattern of text, coming in or going out; nil: RFC 3339.
	Pattern *javatime.Pattern
	// Unit is what numbers count.
	Unit schema.Unit
	// Zone is that of text that names none, and of what goes out.
	Zone *time.Location
	// Mode Java: milliseconds at most, and numbers run over their range, as in
	// Kafka Connect's TimestampConverter.
	Mode Mode
	// Now is the clock, for patterns without a year of four digits.
	Now func() time.Time
}

var errNoTime = errors.New("a value of its type is no time")

// Schema is the type of what goes out for values of type from, an error one of
// all these values.
func (c *Times) Schema(from *schema.Schema) (*schema.Schema, error) {
	to := &schema.Schema{Optional: from.Optional}
	switch c.To {
	case TimeText:
		to.Type = schema.String
	case TimeUnix:
		to.Type = schema.Int64
	case TimeDate:
		to.Type = schema.Date
	case TimeOfDay:
		to.Type, to.Unit = schema.Time, c.unit(from)
	default:
		to.Type, to.Unit = schema.Timestamp, c.unit(from)
	}
	switch from.Type {
	case schema.Timestamp, schema.Date, schema.Time, schema.String, schema.Int64:
		return to, nil
	case schema.LocalTimestamp, schema.Int32, schema.Uint32, schema.Uint64:
		if c.Mode != Java {
			return to, nil
		}
	}
	return to, errNoTime
}

// unit is the precision of a time that is made of a type.
func (c *Times) unit(from *schema.Schema) schema.Unit {
	switch {
	case c.Mode == Java:
		return schema.Millisecond
	case from.Type == schema.String:
		return schema.Nanosecond
	case from.Type == schema.Timestamp, from.Type == schema.LocalTimestamp, from.Type == schema.Time:
		return from.Unit
	case from.Type == schema.Date:
		return schema.Second
	}
	return c.Unit
}

// Value writes v, which is neither missing nor null, as c says. typed: what goes
// out has a schema, so a day and a time of the day need not be text. A text
// result may lie in dst, to which it appends and which it returns.
func (c *Times) Value(dst []byte, v record.Value, typed bool) (record.Value, []byte, error) {
	t, err := c.read(v)
	if err != nil {
		return record.Value{}, dst, err
	}
	return c.write(dst, t, typed)
}

// read is what came in.
func (c *Times) read(v record.Value) (time.Time, error) {
	var t time.Time
	switch v.Kind() {
	case record.Time:
		t = v.Time()
	case record.Duration:
		t = time.Unix(0, int64(v.Duration()))
	case record.Int:
		t = fromUnix(v.Int(), c.Unit, c.Mode == Java)
	case record.String:
		var err error
		if t, err = c.parse(v.String()); err != nil {
			return t, err
		}
	default:
		return t, fmt.Errorf("a %s is no time", v.Kind())
	}
	if c.Mode == Java {
		t = time.UnixMilli(t.UnixMilli())
	} else if year := t.UTC().Year(); year < 0 || year > 9999 {
		return t, errors.New("the year is not one of four digits")
	}
	return t.In(c.Zone), nil
}

func (c *Times) parse(text string) (time.Time, error) {
	if c.Pattern != nil {
		return c.Pattern.Parse(text, c.Now(), c.Zone)
	}
	if c.Mode == Java {
		return time.Time{}, errors.New("it is a text, which needs format")
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return t, fmt.Errorf("%.60q is no time of RFC 3339, such as 2006-01-02T15:04:05Z; give the pattern as format", text)
	}
	return t, nil
}

func perSecond(u schema.Unit) int64 {
	switch u {
	case schema.Second:
		return 1
	case schema.Millisecond:
		return 1e3
	case schema.Microsecond:
		return 1e6
	}
	return 1e9
}

// fromUnix is the time n units after 1970. cut leaves milliseconds, cut off
// toward zero.
func fromUnix(n int64, u schema.Unit, cut bool) time.Time {
	per := perSecond(u)
	if cut && per > 1e3 {
		return time.UnixMilli(n / (per / 1e3))
	}
	seconds, rest := n/per, n%per
	return time.Unix(seconds, rest*(1e9/per))
}

// toUnix counts units since 1970, the rest cut off downward.
func toUnix(t time.Time, u schema.Unit) (int64, error) {
	per := perSecond(u)
	seconds, part := t.Unix(), int64(t.Nanosecond())/(1e9/per)
	if seconds > math.MaxInt64/per-1 || seconds < math.MinInt64/per+1 {
		return 0, errors.New("the time does not fit a number of this precision")
	}
	return seconds*per + part, nil
}

// javaUnix counts units in milliseconds as TimeUnit.convert does: cut off toward
// zero, and no further than a long goes.
func javaUnix(ms int64, u schema.Unit) int64 {
	per := perSecond(u)
	if per <= 1e3 {
		return ms / (1e3 / per)
	}
	switch factor := per / 1e3; {
	case ms > math.MaxInt64/factor:
		return math.MaxInt64
	case ms < math.MinInt64/factor:
		return math.MinInt64
	default:
		return ms * factor
	}
}

// write makes what goes out.
func (c *Times) write(dst []byte, t time.Time, typed bool) (record.Value, []byte, error) {
	start := len(dst)
	switch c.To {
	case TimeUnix:
		if c.Mode == Java {
			return record.IntValue(javaUnix(t.UnixMilli(), c.Unit)), dst, nil
		}
		n, err := toUnix(t, c.Unit)
		return record.IntValue(n), dst, err
	case TimeText:
		if c.Pattern != nil {
			dst = c.Pattern.Append(dst, t)
		} else {
			dst = t.AppendFormat(dst, time.RFC3339Nano)
		}
	case TimeDate:
		day := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
		if typed {
			return record.TimeValue(day), dst, nil
		}
		dst = day.AppendFormat(dst, time.DateOnly)
	case TimeOfDay:
		if typed {
			return record.DurationValue(time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second + time.Duration(t.Nanosecond())), dst, nil
		}
		dst = t.AppendFormat(dst, "15:04:05.999999999")
	default:
		return record.TimeValue(t.UTC()), dst, nil
	}
	return record.TextValue(dst[start:len(dst):len(dst)]), dst, nil
}
