package deadletters

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Source is where errors outputs have written failed records. It is used by
// one goroutine at a time.
type Source interface {
	// Name is for people.
	Name() string
	// Parts returns the source partitions with their ends as of now: what is
	// written later is not read, so a replay whose records fail again does not
	// go round for ever.
	Parts(ctx context.Context) ([]*Part, error)
	Close()
}

// Part is a source partition: a file, a partition of a topic.
type Part struct {
	// ID tells it from all others wherever they are: an absolute path, a topic
	// with its cluster.
	ID         string
	Source     Source
	Start, End int64

	open func(ctx context.Context, from int64) (reader, error)
}

// reader gives the letters of a part in order, then io.EOF. *Unreadable is
// about one of them; the next call goes on behind it.
type reader interface {
	next(ctx context.Context) (*Letter, error)
	close()
}

// Unreadable is something in a source that is no failed record.
type Unreadable struct {
	ID  string
	Err error
}

func (e *Unreadable) Error() string { return e.ID + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *Unreadable) Unwrap() error { return e.Err }

// ErrStop ends Scan without an error.
var ErrStop = errors.New("enough")

// Set is what one command reads.
type Set struct {
	Sources []Source
	// Ledger says what was replayed already; nil if that is not known.
	Ledger *Ledger
	// Unreadable, if set, is told of what is no failed record.
	Unreadable func(*Unreadable)

	parts []*Part
}

// Open finds the parts and their ends. It is called once, before all else.
func (s *Set) Open(ctx context.Context) error {
	for _, src := range s.Sources {
		parts, err := src.Parts(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", src.Name(), err)
		}
		s.parts = append(s.parts, parts...)
	}
	return nil
}

// Parts are what Open has found.
func (s *Set) Parts() []*Part { return s.parts }

// Close lets go of all sources.
func (s *Set) Close() {
	for _, src := range s.Sources {
		src.Close()
	}
}

// Scan calls yield with every letter, part by part, until an error.
func (s *Set) Scan(ctx context.Context, yield func(*Letter) error) error {
	for _, p := range s.parts {
		if err := s.scanPart(ctx, p, yield); err != nil {
			if errors.Is(err, ErrStop) {
				return nil
			}
			return err
		}
	}
	return nil
}

func (s *Set) scanPart(ctx context.Context, p *Part, yield func(*Letter) error) error {
	r, err := s.open(ctx, p)
	if err != nil {
		return err
	}
	defer r.close()
	for {
		l, err := r.next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = yield(l)
		}
		if err != nil {
			return err
		}
	}
}

// marking is a reader that knows what was replayed and passes over what is no
// failed record.
type marking struct {
	reader
	set    *Set
	part   *Part
	cursor cursor
}

func (s *Set) open(ctx context.Context, p *Part) (*marking, error) {
	r, err := p.open(ctx, p.Start)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.Source.Name(), err)
	}
	return &marking{reader: r, set: s, part: p, cursor: s.Ledger.of(p.ID)}, nil
}

func (m *marking) next(ctx context.Context) (*Letter, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		l, err := m.reader.next(ctx)
		var bad *Unreadable
		switch {
		case errors.As(err, &bad):
			if m.set.Unreadable != nil {
				m.set.Unreadable(bad)
			}
			continue
		case err != nil:
			return nil, err
		}
		l.Part = m.part
		l.Replayed = m.cursor.has(l)
		return l, nil
	}
}
