package regexrouter

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// Factory describes regex_router.
func Factory() engine.ProcessorFactory {
	return engine.ProcessorFactory{
		Component: engine.Component{
			Type:    "regex_router",
			Summary: "Changes the topics that a regular expression matches.",
			Description: "The pattern must match the whole topic, which is then replaced. " +
				"What comes out must be a name that Kafka takes, and one of `topics` where that is given, or the record is an error.",
			Defaults: func() any { return Defaults() },
			Examples: []engine.Example{{Title: "Without the prefix of the source", HCL: `connection "kafka" "main" {
  brokers = ["localhost:9092"]
}

pipeline "orders" {
  input "kafka" "shop" {
    connection = connection.kafka.main
    topics     = ["shop.orders", "shop.customers"]
    group      = "shop"
  }

  processor "regex_router" "plain" {
    regex       = "shop\\.(.*)"
    replacement = "new-$1"
  }

  output "kafka" "new" {
    connection = connection.kafka.main
    topic      = "{{ topic }}"
  }
}
`}},
		},
		New: func(config any, _ engine.Env) (engine.Processor, error) {
			return &processor{config: config.(*Config), whole: config.(*Config).whole()}, nil
		},
		Changes: func(any) engine.Changes { return engine.Changes{Topic: true} },
		Equal:   func(config any) []string { return config.(*Config).equal() },
	}
}

type processor struct {
	config *Config
	whole  *regexp.Regexp
}

func (*processor) Ports() []string { return nil }

func (p *processor) Bind(l *record.Layout) (engine.Bound, error) {
	w := &worker{processor: p}
	return p.config.Bound(l, w.edit)
}

// worker keeps what became of the topics seen lately.
type worker struct {
	*processor
	seen map[string]routed
	last routed
	from string // of last
	some bool   // last is set
}

type routed struct {
	topic string
	err   error
}

// maxSeen bounds the topics that are remembered: they may come from content.
const maxSeen = 1024

func (w *worker) edit(r *record.Record) error {
	if !w.some || r.Topic != w.from {
		to, ok := w.seen[r.Topic]
		if !ok {
			if len(w.seen) >= maxSeen || w.seen == nil {
				w.seen = make(map[string]routed)
			}
			to = w.route(r.Topic)
			w.seen[r.Topic] = to
		}
		w.last, w.from, w.some = to, r.Topic, true
	}
	if w.last.err != nil {
		return w.last.err
	}
	r.Topic = w.last.topic
	return nil
}

// route returns what a topic becomes.
func (w *worker) route(topic string) routed {
	re := w.whole
	at := re.FindStringSubmatchIndex(topic)
	if topic == "" || at == nil {
		return routed{topic: topic}
	}
	if w.config.Connect {
		re = w.config.Regex.Regexp
		at = re.FindStringSubmatchIndex(topic)
	}
	out := append([]byte{}, topic[:at[0]]...)
	out = re.ExpandString(out, w.config.Replacement, topic, at)
	out = append(out, topic[at[1]:]...)
	if err := engine.CheckTopic(out); err != nil {
		return routed{err: fmt.Errorf("topic %s: %w", topic, err)}
	}
	if len(w.config.Topics) > 0 && !slices.Contains(w.config.Topics, string(out)) {
		return routed{err: fmt.Errorf("%q is not one of topics", out)}
	}
	return routed{topic: string(out)}
}
