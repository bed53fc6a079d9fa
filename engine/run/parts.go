package run

import (
	"context"
	"fmt"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
)

// parts holds what an expand has made until the next segment reads it: never a
// part of a record that may still fail.
type parts struct {
	list  []*engine.Batch // the first used ones are in use
	used  int
	count int
}

func (p *parts) append(r *record.Record, parent *engine.Batch) error {
	if p.count++; p.count > limits.SplitRecords {
		return fmt.Errorf("splits into more than %d records", limits.SplitRecords)
	}
	if p.used > 0 {
		if ok, err := p.list[p.used-1].Append(r); ok || err != nil {
			return err
		}
		if p.bytes() > limits.SplitBytes {
			return fmt.Errorf("splits into more than %d bytes", limits.SplitBytes)
		}
	}
	if p.used == len(p.list) {
		p.list = append(p.list, engine.NewBatch())
	}
	b := p.list[p.used]
	b.Attach(parent)
	p.used++
	_, err := b.Append(r)
	return err
}

func (p *parts) bytes() int64 {
	n := int64(0)
	for _, b := range p.list[:p.used] {
		n += b.Bytes()
	}
	return n
}

// partsKept is how many batches a worker keeps for the parts of records.
const partsKept = 4

func (p *parts) reset() {
	for _, b := range p.list[:p.used] {
		b.Reset()
	}
	if len(p.list) > partsKept {
		clear(p.list[partsKept:])
		p.list = p.list[:partsKept]
	}
	p.used = 0
}

// expandRecord takes the parts of the loaded record, all or none.
func (s *segment) expandRecord(ctx context.Context, b *engine.Batch, i int) error {
	p, last := &s.parts, len(s.nodes)-1
	s.step = last
	used, mark := p.used, engine.Mark{}
	if used > 0 {
		mark = p.list[used-1].Mark()
	}
	p.count = 0
	row := s.r.Row
	err := s.expand(s.r, func(part *record.Record) error {
		part.Row = row
		return p.append(part, b)
	})
	if err != nil {
		for _, x := range p.list[used:p.used] {
			x.Reset()
		}
		if p.used = used; used > 0 {
			p.list[used-1].Rollback(mark)
		}
		s.failed[last]++
		return s.w.fails.add(s.nodes[last], b, i, s.r, err)
	}
	if p.count == 0 {
		s.dropped[last]++
	}
	s.out += int64(p.count)
	if p.used > 1 || p.used == 1 && p.list[0].Bytes() >= limits.BatchBytes {
		return s.flushParts(ctx)
	}
	return nil
}

// flushParts runs the next segment over the parts.
func (s *segment) flushParts(ctx context.Context) error {
	for _, b := range s.parts.list[:s.parts.used] {
		if _, err := s.next.run(ctx, b, false); err != nil {
			return err
		}
	}
	s.parts.reset()
	s.w.seg = s
	return nil
}
