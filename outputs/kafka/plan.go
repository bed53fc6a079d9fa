package kafka

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// plan turns records of a batch into records of the client: the options of
// the config, bound to the writer.
type plan struct {
	topic     engine.TemplateProgram // nil: the topic is literal
	literal   string
	key       engine.Program
	partition engine.Program
	timestamp engine.Program
	headers   []headerProgram
	rec       *record.Record // nil: no option looks at the record
	name      []byte
}

type headerProgram struct {
	name string
	prog engine.Program
}

func (p *plan) bind(c *Config) error {
	*p = plan{}
	layout := record.NewLayout()
	look := false
	var err error
	if text, ok := c.Topic.Source.Literal(); ok {
		p.literal = text
	} else {
		if p.topic, err = c.Topic.Source.Bind(layout); err != nil {
			return fmt.Errorf("topic: %w", err)
		}
		look = true
	}
	for _, x := range []struct {
		name string
		expr engine.Expression
		prog *engine.Program
	}{{"key", c.Key, &p.key}, {"partition", c.Partition, &p.partition}, {"timestamp", c.Timestamp, &p.timestamp}} {
		if x.expr.IsZero() {
			continue
		}
		if *x.prog, err = x.expr.Source.Bind(layout); err != nil {
			return fmt.Errorf("%s: %w", x.name, err)
		}
		look = true
	}
	for _, h := range c.Headers {
		prog, err := h.Expr.Source.Bind(layout)
		if err != nil {
			return fmt.Errorf("header %s: %w", h.Name, err)
		}
		p.headers = append(p.headers, headerProgram{h.Name, prog})
		look = true
	}
	if look {
		p.rec = record.NewRecord(layout)
	}
	return nil
}

func (p *plan) close() { *p = plan{} }

// fill makes the client's records of w.b. Records that cannot be written are
// refused one by one; an error is about the batch.
func (p *plan) fill(ctx context.Context, o *Output, w *write) error {
	b := w.b
	keys, times := len(b.Key.Spans) > 0, len(b.Timestamps) > 0
	now := o.now()
	var t *topic
	var err error
	if p.topic == nil {
		if t, err = o.topic(ctx, []byte(p.literal)); err != nil {
			return err
		}
	}
	for i := range w.recs {
		r := &w.recs[i]
		*r = kgo.Record{Value: b.Value.At(i), Partition: -1}
		if keys {
			r.Key = b.Key.At(i)
		}
		if times && b.Timestamps[i] != engine.NoTimestamp {
			r.Timestamp = time.Unix(0, b.Timestamps[i])
		}
		if hs := b.Headers.At(i); len(hs) > 0 || len(p.headers) > 0 {
			r.Headers = p.own(w, hs)
		}
		if p.rec != nil {
			b.Load(i, p.rec)
			to, reason, err := p.evaluate(ctx, o, w, r)
			if err != nil {
				return err
			}
			if reason != nil {
				w.refuse(i, reason)
				continue
			}
			if to != nil {
				t = to
			}
		}
		r.Topic = t.name
		if r.Partition >= t.partitions && t.missing == nil {
			if t, err = o.refresh(ctx, t); err != nil {
				return err
			}
		}
		reason := t.check(r, now)
		if errors.Is(reason, kerr.MessageTooLarge) { // the topic may take more by now
			if t, err = o.refresh(ctx, t); err != nil {
				return err
			}
			reason = t.check(r, now)
		}
		if reason != nil {
			w.refuse(i, reason)
		}
	}
	return nil
}

// own copies the headers of a record into the client's form, less those that
// an option sets.
func (p *plan) own(w *write, hs []record.Header) []kgo.RecordHeader {
	start := len(w.headers)
next:
	for _, h := range hs {
		for _, set := range p.headers {
			if set.name == h.Key {
				continue next
			}
		}
		w.headers = append(w.headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
	}
	return w.headers[start:len(w.headers):len(w.headers)]
}

// evaluate runs the options of the record that rec holds. reason is an error
// of the record, err one of the batch.
func (p *plan) evaluate(ctx context.Context, o *Output, w *write, r *kgo.Record) (t *topic, reason, err error) {
	if p.topic != nil {
		p.name, reason = p.topic.Append(p.name[:0], p.rec)
		if reason != nil {
			return nil, fmt.Errorf("topic: %w", reason), nil
		}
		if reason = engine.CheckTopic(p.name); reason != nil {
			return nil, fmt.Errorf("topic: %w", reason), nil
		}
		if t, err = o.topic(ctx, p.name); err != nil {
			return nil, nil, err
		}
	}
	if p.key != nil {
		if r.Key, reason = p.bytes(w, p.key); reason != nil {
			return nil, fmt.Errorf("key: %w", reason), nil
		}
	}
	if p.partition != nil {
		if r.Partition, reason = p.number(); reason != nil {
			return nil, fmt.Errorf("partition: %w", reason), nil
		}
	}
	if p.timestamp != nil {
		if reason = p.time(r); reason != nil {
			return nil, fmt.Errorf("timestamp: %w", reason), nil
		}
	}
	for _, h := range p.headers {
		v, reason := p.bytes(w, h.prog)
		if reason != nil {
			return nil, fmt.Errorf("header %s: %w", h.name, reason), nil
		}
		if v == nil {
			continue
		}
		start := len(w.headers) - len(r.Headers)
		w.headers = append(w.headers, kgo.RecordHeader{Key: h.name, Value: v})
		r.Headers = w.headers[start:len(w.headers):len(w.headers)]
	}
	return t, nil, nil
}

// bytes evaluates to bytes that stay until the write ends; nil for a null.
func (p *plan) bytes(w *write, prog engine.Program) ([]byte, error) {
	v, err := prog.Eval(p.rec)
	if err != nil || v.IsNil() {
		return nil, err
	}
	start := len(w.arena)
	if w.arena, err = v.AppendText(w.arena); err != nil {
		return nil, err
	}
	if len(w.arena) == start {
		return []byte{}, nil // an empty string is not a null
	}
	return w.arena[start:len(w.arena):len(w.arena)], nil
}

func (p *plan) number() (int32, error) {
	v, err := p.partition.Eval(p.rec)
	if err != nil || v.IsNil() {
		return -1, err
	}
	if v.Kind() != record.Int || v.Int() < 0 || v.Int() > math.MaxInt32 {
		return -1, fmt.Errorf("%s is no partition number", v)
	}
	return int32(v.Int()), nil
}

func (p *plan) time(r *kgo.Record) error {
	v, err := p.timestamp.Eval(p.rec)
	switch {
	case err != nil:
		return err
	case v.IsNil():
	case v.Kind() == record.Time:
		r.Timestamp = v.Time()
	case v.Kind() == record.Int:
		r.Timestamp = time.UnixMilli(v.Int())
	default:
		return fmt.Errorf("%s is neither a time nor milliseconds since 1970", v)
	}
	return nil
}
