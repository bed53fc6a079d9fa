package file

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/flowrecords/flow/connections/ocf"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record/avro"
)

// container reads the records of an Avro container file. Positions count
// records: what is behind one is found by walking over whole blocks.
type container struct {
	r    *ocf.Reader
	rows []uint32
	// long is a record over the limit that the next batch reports.
	long []byte
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
		s.records = &container{r: r}
		s.share(r)
		err = r.Skip(offset)
		if errors.Is(err, io.EOF) {
			err = fmt.Errorf("it holds less than the %d records that were read before", offset)
		}
	}
	return s.spoiled(err)
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
	if c.long != nil {
		long := c.long
		c.long = nil
		return s.failRecord(b, long, fmt.Errorf("the record has %d bytes, more than max_record", len(long)))
	}
	first := c.r.Number()
	c.rows = c.rows[:0]
	b.Value.Encoding = c.r.Encoding()
	lim := s.in.host.Limits()
	for !s.eof && len(b.Value.Spans) < lim.Records && len(b.Value.Data) < lim.Bytes {
		v, err := c.r.Next()
		if errors.Is(err, io.EOF) {
			s.eof = true
			break
		}
		if err != nil {
			if err := s.spoiled(err); err != nil {
				return false, err
			}
			break
		}
		if len(v) > int(s.in.cfg.MaxRecord) {
			c.long = v
			break
		}
		c.rows = append(c.rows, uint32(len(c.rows)))
		b.Value.Add(v)
	}
	s.count(s.raw.n)
	if len(c.rows) == 0 {
		if s.broken != nil || c.long != nil {
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
