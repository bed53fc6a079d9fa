package kafka

import (
	"fmt"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// Topics implements engine.Addressed: converters name schemas by the topic that
// a record goes to.
func (o *Output) Topics() (func(b *engine.Batch, i int) (string, error), error) {
	if text, ok := o.config.Topic.Source.Literal(); ok {
		return func(*engine.Batch, int) (string, error) { return text, nil }, nil
	}
	layout := record.NewLayout()
	prog, err := o.config.Topic.Source.Bind(layout)
	if err != nil {
		return nil, fmt.Errorf("topic: %w", err)
	}
	rec := record.NewRecord(layout)
	var name []byte
	last := ""
	return func(b *engine.Batch, i int) (string, error) {
		b.Load(i, rec)
		var err error
		if name, err = prog.Append(name[:0], rec); err != nil {
			return "", err
		}
		if string(name) != last {
			last = string(name)
		}
		return last, nil
	}, nil
}

var _ engine.Addressed = (*Output)(nil)

// QuickFlush implements engine.QuickFlusher.
func (*Output) QuickFlush() {}
