// Package timestamprouter is the processor timestamp_router: it puts the time
// of a record into its topic.
package timestamprouter

import (
	"regexp"
	"strings"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record/javatime"
	"github.com/flowrecords/flow/processors/internal/transform"
)

// Config holds the options of timestamp_router.
type Config struct {
	transform.Filtered
	Topic  string `flow:"topic_format" doc:"The new topic: [topic] stands for the old one, [timestamp] for the time. Kafka Connect's $${topic} and $${timestamp} mean the same." example:"\"[topic]-[timestamp]\""`
	Format string `flow:"timestamp_format" doc:"The pattern of the time, as of Java's SimpleDateFormat: y year, M month, d day, H hour, m minute, s second." example:"\"yyyyMMdd\""`
	Zone   string `flow:"zone" doc:"The time zone in which a day begins: UTC, a name such as Europe/Berlin." example:"\"Europe/Berlin\""`
}

// Defaults is what an empty block means.
func Defaults() *Config {
	return &Config{Topic: "[topic]-[timestamp]", Format: "yyyyMMdd", Zone: "UTC"}
}

// Validate finds patterns and zones that cannot be.
func (c *Config) Validate() []engine.Problem {
	var ps []engine.Problem
	if _, err := javatime.Compile(c.Format, true); err != nil {
		ps = append(ps, engine.Problem{Option: "timestamp_format", Summary: "invalid pattern of a time", Detail: "In timestamp_format, " + err.Error() + "."})
	}
	if literals, holes := c.parts(); len(holes) == 0 {
		if err := engine.CheckTopic([]byte(literals[0])); err != nil {
			ps = append(ps, engine.Problem{Option: "topic_format", Summary: "invalid name of a topic", Detail: "In topic_format, " + err.Error() + "."})
		}
	}
	if _, err := transform.Zone(c.Zone); err != nil {
		ps = append(ps, engine.Problem{Option: "zone", Summary: "unknown time zone", Detail: "In zone, " + err.Error() + "."})
	}
	return ps
}

var hole = regexp.MustCompile(`\[(topic|timestamp)\]|\$\{(topic|timestamp)\}`)

// parts splits the topic: literal text, then a hole, then literal text and so on.
func (c *Config) parts() (literals, holes []string) {
	at := 0
	for _, m := range hole.FindAllStringSubmatchIndex(c.Topic, -1) {
		literals = append(literals, c.Topic[at:m[0]])
		holes = append(holes, strings.Trim(c.Topic[m[0]:m[1]], "[]${}"))
		at = m[1]
	}
	return append(literals, c.Topic[at:]), holes
}

func (c *Config) zone() *time.Location {
	loc, _ := transform.Zone(c.Zone)
	return loc
}

func (c *Config) equal() []string {
	literals, holes := c.parts()
	var terms []string
	for i, text := range literals {
		if text != "" || i == 0 && len(holes) == 0 {
			terms = append(terms, transform.Text(text))
		}
		if i < len(holes) {
			term := holes[i]
			if term == "timestamp" {
				time := "timestamp"
				if c.Zone != "UTC" {
					time = "inZone(timestamp, " + transform.Text(c.Zone) + ")"
				}
				term = "formatTime(" + time + ", " + transform.Text("java:"+c.Format) + ")"
			}
			terms = append(terms, term)
		}
	}
	return []string{c.Map("", transform.Option("topic", strings.Join(terms, " + ")))}
}
