package deadletters

import (
	"context"
	"errors"
	"io"
	"math"
	"sync/atomic"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// metaInput is where a source says which input it belongs to.
const metaInput = "input"

// input reads the letters that go to one element. It implements engine.Input.
type input struct {
	replay *Replay
	place  *engine.Element
	addr   string
	raw    bool // values are bytes that the engine decodes
	host   engine.Host

	parts  []*Part
	reader *marking
	source *engine.Source
	held   *Letter // read, and not fit for the last batch
	last   int64   // end of the last letter that went back
	done   atomic.Int64
	total  atomic.Int64
}

func newInput(r *Replay, place *engine.Element) *input {
	return &input{replay: r, place: place, addr: addressOf(place), raw: place.Kind == engine.KindInput}
}

// Open implements engine.Input.
func (in *input) Open(_ context.Context, h engine.Host) error {
	in.host, in.parts = h, in.replay.Set.Parts()
	for _, p := range in.parts {
		in.total.Add(p.End - p.Start)
	}
	return nil
}

// Progress implements engine.Progresser.
func (in *input) Progress() engine.Progress {
	return engine.Progress{Done: in.done.Load(), Total: in.total.Load()}
}

// Read implements engine.Input.
func (in *input) Read(ctx context.Context) (*engine.Batch, error) {
	b, err := in.host.NewBatch(ctx)
	if err != nil {
		return nil, err
	}
	f := &filling{b: b, limits: in.host.Limits()}
	for {
		l, err := in.next(ctx)
		if err != nil && !errors.Is(err, io.EOF) {
			b.Release()
			return nil, err
		}
		if err != nil || !f.takes(l) { // the end of a part, or of the batch
			in.held = l
			if err != nil {
				in.nextPart()
			}
			if b.Len() > 0 {
				return in.begin(f), nil
			}
			if in.reader == nil && len(in.parts) == 0 {
				b.Release()
				return nil, engine.ErrEnd
			}
			continue
		}
		f.add(l)
	}
}

// next returns the next letter that goes back, io.EOF at the end of the part.
func (in *input) next(ctx context.Context) (*Letter, error) {
	if l := in.held; l != nil {
		in.held = nil
		return l, nil
	}
	if in.reader == nil {
		if len(in.parts) == 0 {
			return nil, io.EOF
		}
		p := in.parts[0]
		r, err := in.replay.Set.open(ctx, p)
		if err != nil {
			return nil, err
		}
		in.reader, in.last = r, -1
		in.source = in.host.Source(engine.SourceInfo{ID: p.ID, Meta: map[string]string{metaInput: in.addr}})
	}
	for {
		l, err := in.reader.next(ctx)
		if err != nil {
			return nil, err
		}
		in.done.Add(l.Next - l.Offset)
		ok, err := in.replay.Choose(l)
		if err != nil || !ok || l.Replayed || in.replay.Target.Foreign(l) {
			continue // the dry run has counted it
		}
		if place, err := in.replay.Target.Place(l); err != nil || place.Address() != in.place.Address() {
			continue
		}
		if in.raw {
			l.Record.ValueAs, l.Record.KeyAs = record.Opaque, record.Opaque
		}
		return l, nil
	}
}

func (in *input) nextPart() {
	if in.reader != nil {
		in.reader.close()
		in.reader, in.parts = nil, in.parts[1:]
	}
}

// begin seals a batch and notes its letters until they are stored.
func (in *input) begin(f *filling) *engine.Batch {
	key := flight{in.addr, in.source.Info().ID}
	in.replay.mu.Lock()
	q := in.replay.flying[key]
	if q == nil {
		q = &queue{}
		in.replay.flying[key] = q
	}
	for i := range f.letters {
		f.letters[i].follows = f.letters[i].offset == in.last
		in.last = f.letters[i].next
	}
	q.letters = append(q.letters, f.letters...)
	in.replay.mu.Unlock()
	last := f.letters[len(f.letters)-1]
	in.source.Begin(f.b, engine.Position{Offset: last.next}, f.first, f.rows)
	return f.b
}

// Close implements engine.Input.
func (in *input) Close(context.Context) error {
	if in.reader != nil {
		in.reader.close()
	}
	return nil
}

// filling is a batch that letters are added to.
type filling struct {
	b       *engine.Batch
	limits  engine.BatchLimits
	letters []flown
	first   int64
	rows    []uint32
	keyed   bool
}

// takes reports whether a letter fits: a batch has one encoding, and room.
func (f *filling) takes(l *Letter) bool {
	if l == nil || f.b.Len() == 0 {
		return l != nil
	}
	return f.b.Len() < f.limits.Records && len(f.b.Value.Data)+len(f.b.Key.Data) < f.limits.Bytes &&
		f.b.Value.Encoding == l.Record.ValueAs && (l.Record.Key == nil || !f.keyed || f.b.Key.Encoding == l.Record.KeyAs) &&
		l.Offset-f.first <= math.MaxUint32
}

func (f *filling) add(l *Letter) {
	x := &l.Record
	if f.b.Len() == 0 {
		f.first, f.b.Value.Encoding = l.Offset, x.ValueAs
		f.b.Value.Lines, f.b.Key.Lines = false, false
	}
	if x.Key != nil && !f.keyed {
		f.keyed, f.b.Key.Encoding = true, x.KeyAs
	}
	f.rows = append(f.rows, uint32(l.Offset-f.first))
	f.b.Value.Add(x.Value)
	f.b.Key.Add(x.Key)
	f.b.Topics = append(f.b.Topics, x.Topic)
	at := int64(engine.NoTimestamp)
	if x.HasTimestamp {
		at = x.Timestamp.UnixNano()
	}
	f.b.Timestamps = append(f.b.Timestamps, at)
	f.b.Headers.List = append(f.b.Headers.List, x.Headers...)
	f.b.Headers.Ends = append(f.b.Headers.Ends, uint32(len(f.b.Headers.List)))
	f.letters = append(f.letters, flown{offset: l.Offset, next: l.Next, hash: l.hash(), origin: l.Origin,
		topic: x.Topic, number: x.Partition, at: x.Offset, attempts: l.Attempts})
}

// ParseWhen reads a time of the command line: RFC 3339, a day, or a duration
// back from now.
func ParseWhen(text string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(text); err == nil {
		if d < 0 {
			d = -d
		}
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errors.New("write a time such as 2026-03-01T12:00:00Z, a day, or a time back from now such as 2h")
}
