package file

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/flowrecords/flow/connections/ocf"
	"github.com/flowrecords/flow/connections/parquetfile"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/avro"
)

// container reads the records of a file that keeps their schema: an Avro
// container file, where what is behind a position is found by walking over whole
// blocks, or a Parquet file. Positions count records.
type container struct {
	r    reader
	enc  record.Encoding
	rows []uint32
	// bad is why the record that was read last is one that the next batch
	// reports, and long what it is.
	bad  error
	long []byte
}

// reader is what both kinds of files have in common.
type reader interface {
	// Next returns the next record, or io.EOF; a *parquetfile.RowError is of
	// that record alone.
	Next() ([]byte, error)
	Number() int64
	Skip(to int64) error
	Close()
}

func (c *container) close() {
	if c != nil {
		c.r.Close()
	}
}

// keptBytes is how much of a record over the limit goes to the errors edge.
const keptBytes = 4 << 10

// openContainer reads the header and goes to record number offset.
func (s *stream) openContainer(offset int64) error {
	s.records.close()
	s.records = nil
	if s.broken != nil {
		return nil
	}
	r, err := ocf.NewReader(bufio.NewReaderSize(s.r, 64<<10), max(ocf.DefaultBlock, 4*int64(s.in.cfg.MaxRecord)))
	if err == nil {
		s.share(r)
		s.records = &container{r: r, enc: r.Encoding()}
		err = s.records.skip(offset)
	}
	return s.spoiled(err)
}

func (c *container) skip(to int64) error {
	err := c.r.Skip(to)
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("it holds less than the %d records that were read before", to)
	}
	return err
}

// share gives files of one schema one encoding: what is prepared for it is
// prepared once.
func (s *stream) share(r *ocf.Reader) {
	if s.in.encodings == nil {
		s.in.encodings = map[string]*avro.Encoding{}
	}
	text := r.Schema.Text()
	if enc := s.in.encodings[text]; enc != nil {
		r.Use(enc)
		return
	}
	s.in.encodings[text] = r.Encoding()
}

// spoiled notes that the file is no good from here on, unless the disk is to
// blame.
func (s *stream) spoiled(err error) error {
	switch {
	case err == nil:
		return nil
	case s.raw.err != nil:
		return fmt.Errorf("reading %s at byte %d: %w", s.path, s.raw.n, s.raw.err)
	}
	s.eof = true
	s.broken = fmt.Errorf("reading %s: %w", s.path, err)
	return nil
}

// fillRecords is fill of a container file.
func (s *stream) fillRecords(b *engine.Batch) (bool, error) {
	c := s.records
	if s.broken != nil && (c == nil || s.eof) {
		return s.failRecord(b, nil, s.broken)
	}
	if c.bad != nil {
		bad := c.bad
		c.bad = nil
		return s.failRecord(b, append([]byte{}, c.long...), bad)
	}
	first := c.r.Number()
	c.rows = c.rows[:0]
	b.Value.Encoding = c.enc
	lim := s.in.host.Limits()
	for !s.eof && len(b.Value.Spans) < lim.Records && len(b.Value.Data) < lim.Bytes {
		v, err := c.r.Next()
		if errors.Is(err, io.EOF) {
			s.eof = true
			break
		}
		var row *parquetfile.RowError
		if errors.As(err, &row) {
			c.bad, c.long = fmt.Errorf("reading %s: %w", s.path, row), nil
			break
		}
		if err != nil {
			if err := s.spoiled(err); err != nil {
				return false, err
			}
			break
		}
		if len(v) > int(s.in.cfg.MaxRecord) {
			c.bad, c.long = fmt.Errorf("the record has %d bytes, more than max_record", len(v)), v
			break
		}
		c.rows = append(c.rows, uint32(len(c.rows)))
		b.Value.Add(v)
	}
	s.progress()
	if len(c.rows) == 0 {
		if s.broken != nil || c.bad != nil {
			return s.fillRecords(b)
		}
		return false, nil
	}
	s.begin(b, first, first+int64(len(c.rows)), c.rows, nil)
	return true, nil
}

// failRecord makes a batch of one failed record: one over the limit, or what is
// left of a file that is damaged.
func (s *stream) failRecord(b *engine.Batch, v []byte, why error) (bool, error) {
	number := int64(0)
	if s.records != nil {
		number = s.records.r.Number()
	}
	first := number
	if v != nil {
		first-- // it has been read
	} else {
		if s.over {
			return false, nil
		}
		s.over = true
		s.id.done = s.info.Size()
		s.state = s.id.String()
		number++
	}
	b.Value.Encoding = nil
	b.Value.Add(append([]byte{}, v[:min(len(v), keptBytes)]...))
	s.begin(b, first, number, []uint32{0}, why)
	return true, nil
}
