package file

import (
	"errors"
	"fmt"

	"github.com/flowrecords/flow/engine"
)

// write puts the records of a batch into the buffers of their files. After an
// error the caller rolls back.
func (o *output) write(b *engine.Batch) error {
	first := o.current.records
	var t *target // of the record before
	if o.paths == nil && first < b.Len() {
		var err error
		if t, err = o.ready(o.path); err != nil {
			return err
		}
		if t.framer.Direct(b) && t.takes(b) {
			return o.copyLines(t, b, first)
		}
	}
	for i := first; i < b.Len(); i++ {
		var err error
		if t, err = o.writeRecord(t, b, i); err != nil {
			return err
		}
	}
	return nil
}

// begin makes current the progress of b, which is not zero for a batch that
// failed after a part of it had become good. After a failure it returns false
// for every batch but the first that failed: the engine writes the failed ones
// again without waiting, and if the first fails once more the second must not
// overtake it (Invariant 4).
func (o *output) begin(b *engine.Batch) bool {
	o.clock = o.now()
	o.current = progress{batch: b}
	if o.cause == nil {
		return true
	}
	if o.again.batch != b {
		return false
	}
	o.current = o.again
	o.current.outcome.Rewind(o.current.records, o.current.mark)
	o.again, o.cause = progress{}, nil
	return true
}

// takes reports that a batch of lines fits as a whole before the file rotates.
func (t *target) takes(b *engine.Batch) bool {
	r := t.o.cfg.Rotate
	if r == nil {
		return true
	}
	if t.full(int64(b.Len()), t.o.clock) || r.Records > 0 && int64(b.Len()) > r.Records {
		return false
	}
	return r.Size == 0 || t.size+t.buffered()+int64(len(b.Value.Data)) <= int64(r.Size)
}

// copyLines takes records that already are lines: as one range of the batch's
// own memory where none was filtered out, in as few copies as can be otherwise.
func (o *output) copyLines(t *target, b *engine.Batch, first int) error {
	o.touch(t)
	spans, data := b.Value.Spans, b.Value.Data
	for i := first; i < len(spans); {
		if spans[i].Null() {
			o.frame(t, b, i)
			i++
			continue
		}
		end := i + 1
		for end < len(spans) && spans[end].Start == spans[end-1].End+1 {
			end++
		}
		run := data[spans[i].Start : spans[end-1].End+1]
		t.fresh += int64(end - i)
		if i == first && end == len(spans) && t.comp == nil {
			t.refer(run)
			return nil
		}
		t.buf = append(t.buf, run...)
		i = end
	}
	return t.flushLong()
}

// flushLong bounds what is buffered.
func (t *target) flushLong() error {
	if t.buffered() < memberBytes {
		return nil
	}
	return t.flush()
}

// writeRecord puts one record into the buffer of its file, which it returns.
// last is the file of the record before.
func (o *output) writeRecord(last *target, b *engine.Batch, i int) (*target, error) {
	t := last
	if o.paths != nil {
		var err error
		if t, err = o.route(b, i); err != nil || t == nil {
			return nil, err
		}
	}
	if t.full(1, o.clock) {
		var err error
		if t, err = o.turn(t, i); err != nil {
			return nil, err
		}
	}
	before := len(t.buf)
	o.touch(t)
	o.frame(t, b, i)
	if len(t.buf) > before && t.over() && (t.size+t.ranged > 0 || before > t.sealed) {
		t.buf = t.buf[:before]
		t.fresh--
		var err error
		if t, err = o.turn(t, i); err != nil {
			return nil, err
		}
		o.touch(t)
		o.frame(t, b, i)
	}
	return t, t.flushLong()
}

// route returns the file of a record; nil when the record is refused.
func (o *output) route(b *engine.Batch, i int) (*target, error) {
	o.current.at = i
	text, err := o.paths.render(b, i)
	if err != nil {
		o.current.outcome.Add(i, err)
		return nil, nil
	}
	if e, ok := o.targets[string(text)]; ok && e.Value.(*target).checked == o.group.id+1 {
		o.used.MoveToFront(e)
		return e.Value.(*target), nil
	}
	path, err := o.paths.resolve(string(text))
	if err != nil {
		o.current.outcome.Add(i, err)
		return nil, nil
	}
	t, err := o.ready(path)
	if err != nil && isBadName(err) {
		o.current.outcome.Add(i, err)
		return nil, nil
	}
	return t, err
}

// touch marks a file as having what is not good yet.
func (o *output) touch(t *target) {
	if t.empty() {
		t.framer.Restart()
		t.opened = o.clock
	}
	if !t.dirty {
		t.dirty = true
		o.dirty = append(o.dirty, t)
	}
}

// frame appends record i to the file's buffer.
func (o *output) frame(t *target, b *engine.Batch, i int) {
	buf, err := t.framer.Append(t.buf, b, i)
	if !o.current.outcome.Add(i, err) {
		return
	}
	if len(buf) > len(t.buf) {
		t.fresh++
	}
	t.buf = buf
}

// turn completes a file and opens its successor. The records before i become
// good first.
func (o *output) turn(t *target, i int) (*target, error) {
	o.current.at = i
	if err := o.commitPart(); err != nil {
		return nil, err
	}
	if err := o.retire(t); err != nil {
		return nil, err
	}
	return o.ready(t.path)
}

// commitPart makes good what was written so far, in the middle of a batch.
func (o *output) commitPart() error {
	if err := o.commit(); err != nil {
		return err
	}
	o.current.records, o.current.mark = o.current.at, o.current.outcome.Mark()
	return nil
}

// ready returns the open file of a path, unchanged by others since the last
// group and free of what a failure left.
func (o *output) ready(path string) (*target, error) {
	for {
		t, err := o.target(path)
		if err != nil {
			return nil, err
		}
		if err := t.mend(); err != nil {
			return nil, engine.Retry(err)
		}
		err = t.check(o.group.id)
		if err == nil {
			return t, nil
		}
		if !errors.Is(err, errGone) {
			return nil, err
		}
		lost := t.size != t.good || t.dirty
		o.logger.Warn("the file was removed by somebody else; a new one is begun", "path", t.path)
		o.drop(t)
		if lost {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
}

// drop lets go of a file that has no name any more.
func (o *output) drop(t *target) {
	_ = t.j.remove(o.fs)
	t.j = nil
	t.letGo()
	o.forget(t)
	for i, d := range o.dirty {
		if d == t {
			o.dirty = append(o.dirty[:i], o.dirty[i+1:]...)
			break
		}
	}
}

// target returns the open file of a path, opening it if need be.
func (o *output) target(path string) (*target, error) {
	if e, ok := o.targets[path]; ok {
		if o.used.Front() != e {
			o.used.MoveToFront(e)
		}
		return e.Value.(*target), nil
	}
	if o.used.Len() >= o.cfg.MaxOpen {
		// What is not good yet must not depend on a file that is closed.
		if err := o.commitPart(); err != nil {
			return nil, err
		}
		if err := o.retire(o.used.Back().Value.(*target)); err != nil {
			return nil, err
		}
	}
	t, err := o.openTarget(path)
	if err != nil {
		return nil, err
	}
	o.targets[path] = o.used.PushFront(t)
	select {
	case o.wake <- struct{}{}:
	default:
	}
	return t, nil
}
