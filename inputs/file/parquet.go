package file

import (
	"errors"
	"io"

	"github.com/flowrecords/flow/connections/parquetfile"
	"github.com/flowrecords/flow/engine/record"
)

// openParquet reads the footer and goes to row number offset.
func (s *stream) openParquet(offset int64) error {
	s.records.close()
	s.records = nil
	if s.packed {
		return s.spoiled(errors.New("a Parquet file that is compressed as a whole cannot be read from its end: unpack it"))
	}
	r, err := parquetfile.NewReader(&random{s.raw}, s.info.Size())
	if err == nil {
		s.shareSchema(r)
		s.records = &container{r: r, enc: record.JSONOf(r.Schema().Flow())}
		err = s.records.skip(offset)
		s.progress()
	}
	return s.spoiled(err)
}

// maxSchemas bounds the schemas that are kept to be shared.
const maxSchemas = 64

// shareSchema gives files of one schema one pointer, so that what is prepared
// for it is prepared once.
func (s *stream) shareSchema(r *parquetfile.Reader) {
	for _, known := range s.in.schemas {
		if r.Use(known) {
			return
		}
	}
	if len(s.in.schemas) < maxSchemas {
		s.in.schemas = append(s.in.schemas, r.Schema())
	}
}

// random reads anywhere in the file, keeping the error of the disk.
type random struct{ c *counter }

func (r *random) ReadAt(p []byte, at int64) (int, error) {
	n, err := r.c.f.ReadAt(p, at)
	if err != nil && err != io.EOF {
		r.c.err = err
	}
	return n, err
}

// progress counts what of the file has been read.
func (s *stream) progress() {
	if s.records != nil {
		if r, ok := s.records.r.(*parquetfile.Reader); ok {
			s.raw.n = r.Done()
		}
	}
	s.count(s.raw.n)
}
