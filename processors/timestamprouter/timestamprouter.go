package timestamprouter

import (
	"errors"
	"fmt"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/javatime"
	"github.com/flowrecords/flow/processors/internal/transform"
)

// Factory describes timestamp_router.
func Factory() engine.ProcessorFactory {
	return engine.ProcessorFactory{
		Component: engine.Component{
			Type:    "timestamp_router",
			Summary: "Puts the time of a record into its topic.",
			Description: "The time is the record's timestamp; a record without one is an error. " +
				"What comes out must be a name that Kafka takes.",
			Defaults: func() any { return Defaults() },
			Examples: []engine.Example{{Title: "A topic for each day", HCL: `connection "kafka" "main" {
  brokers = ["localhost:9092"]
}

pipeline "orders" {
  input "kafka" "orders" {
    connection = connection.kafka.main
    topics     = ["orders"]
    group      = "orders"
  }

  processor "timestamp_router" "daily" {
    topic_format     = "[topic]-[timestamp]"
    timestamp_format = "yyyy-MM-dd"
    zone             = "Europe/Berlin"
  }

  output "kafka" "daily" {
    connection = connection.kafka.main
    topic      = "{{ topic }}"
  }
}
`}},
		},
		New: func(config any, _ engine.Env) (engine.Processor, error) {
			p := &processor{config: config.(*Config), zone: config.(*Config).zone()}
			var err error
			if p.format, err = javatime.Compile(p.config.Format, true); err != nil {
				return nil, fmt.Errorf("timestamp_format: %w", err)
			}
			p.literals, p.holes = p.config.parts()
			return p, nil
		},
		Changes: func(any) engine.Changes { return engine.Changes{Topic: true} },
		Equal:   func(config any) []string { return config.(*Config).equal() },
	}
}

type processor struct {
	config          *Config
	format          *javatime.Pattern
	zone            *time.Location
	literals, holes []string
}

func (*processor) Ports() []string { return nil }

func (p *processor) Bind(l *record.Layout) (engine.Bound, error) {
	w := &worker{processor: p}
	return p.config.Bound(l, w.edit)
}

type worker struct {
	*processor
	names transform.Interner
	text  []byte
}

var errNoTimestamp = errors.New("the record has no timestamp")

func (w *worker) edit(r *record.Record) error {
	if !r.HasTimestamp {
		return errNoTimestamp
	}
	text := append(w.text[:0], w.literals[0]...)
	for i, hole := range w.holes {
		if hole == "topic" {
			text = append(text, r.Topic...)
		} else {
			text = w.format.Append(text, r.Time().In(w.zone))
		}
		text = append(text, w.literals[i+1]...)
	}
	w.text = text
	if err := engine.CheckTopic(text); err != nil {
		return fmt.Errorf("topic: %w", err)
	}
	r.Topic = w.names.String(text)
	return nil
}
