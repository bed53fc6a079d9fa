// Package timestampconverter is the processor timestamp_converter: it changes
// how a time is written.
package timestampconverter

import (
	"strings"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/javatime"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/processors/internal/transform"
)

// Config holds the options of timestamp_converter.
type Config struct {
	transform.Common
	Field     engine.PathOption `flow:"field" doc:"The path of the time. Without it the whole value or key is one." example:"\"created_at\""`
	Target    string            `flow:"target,required" oneof:"string unix date time timestamp" doc:"What it becomes: text in format, a number since 1970, a day, a time of the day or a timestamp. JSON without a schema writes the last three as 2006-01-02, 15:04:05.999999999 and RFC 3339."`
	Format    string            `flow:"format" doc:"The pattern of text, coming in or going out, as of Java's SimpleDateFormat: y year, M month, d day, H hour, m minute, s second, S fraction of a second, X offset. Without it text is RFC 3339." example:"\"yyyy-MM-dd HH:mm:ss.SSS\""`
	Precision string            `flow:"unix_precision" oneof:"seconds milliseconds microseconds nanoseconds" doc:"What numbers count, coming in or going out."`
	Zone      string            `flow:"zone" doc:"The time zone of text that names none, and of what goes out: UTC, a name such as Europe/Berlin." example:"\"Europe/Berlin\""`
	Connect   bool              `flow:"connect" doc:"Does as Kafka Connect's TimestampConverter: milliseconds at most, S is a number of milliseconds, text may go on behind the pattern and numbers run over their range, and without a schema a missing field becomes null."`
	transform.Nulls
}

// Defaults is what an empty block means.
func Defaults() *Config {
	return &Config{Common: transform.Common{On: transform.OnValue}, Precision: "milliseconds", Zone: "UTC"}
}

// Validate finds patterns and zones that cannot be.
func (c *Config) Validate() []engine.Problem {
	var ps []engine.Problem
	if c.Format != "" {
		if _, err := javatime.Compile(c.Format, c.Connect); err != nil {
			ps = append(ps, engine.Problem{Option: "format", Summary: "invalid pattern of a time", Detail: "In format, " + err.Error() + "."})
		}
	}
	if c.Connect && c.Target == "string" && c.Format == "" {
		ps = append(ps, engine.Problem{Option: "format", Summary: "connect with target string needs format", Detail: `Kafka Connect has no format of its own: give one, such as "yyyy-MM-dd'T'HH:mm:ss.SSSX".`})
	}
	if _, err := transform.Zone(c.Zone); err != nil {
		ps = append(ps, engine.Problem{Option: "zone", Summary: "unknown time zone", Detail: "In zone, " + err.Error() + "."})
	}
	return ps
}

func (c *Config) changes() engine.Changes {
	if len(c.Field.Path) == 0 {
		return c.Replaces(record.Path{})
	}
	paths := []record.Path{c.Field.Path}
	return c.Changes(paths, paths, nil)
}

func (c *Config) unit() schema.Unit {
	switch c.Precision {
	case "seconds":
		return schema.Second
	case "microseconds":
		return schema.Microsecond
	case "nanoseconds":
		return schema.Nanosecond
	}
	return schema.Millisecond
}

func (c *Config) zone() *time.Location {
	loc, _ := transform.Zone(c.Zone)
	return loc
}

// equal is the conversion as a map.
func (c *Config) equal() []string {
	connect := ""
	if c.Connect {
		connect = c.NotNull()
	}
	var options []string
	for _, o := range [][2]string{{"format", c.Format}, {"unit", c.Precision}, {"zone", c.Zone}} {
		if o[1] != "" && o[1] != "milliseconds" && o[1] != "UTC" {
			options = append(options, o[0]+": "+transform.Text(o[1]))
		}
	}
	if c.Connect {
		options = append(options, "mode: 'connect'")
	}
	arguments := ", '" + c.Target + "'"
	if len(options) > 0 {
		arguments += ", {" + strings.Join(options, ", ") + "}"
	}
	expression := func(_ int, ref string) string { return "convertTime(" + ref + arguments + ")" }
	if path := c.Field.Path; len(path) > 0 {
		return []string{c.SetFields(&c.Common, connect, []record.Path{path}, expression)}
	}
	return []string{c.Members(c.There(&c.Common, nil), c.Whole(expression(0, c.Read(c.Ref(nil)))))}
}
