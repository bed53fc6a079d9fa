package file

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/flowrecords/flow/connections/ocf"
	"github.com/flowrecords/flow/connections/parquetfile"
	"github.com/flowrecords/flow/outputs/internal/frame"
)

// A Parquet file is made when it is complete, from the rows that wait in the
// partial file (see frame.RowsOf): as .NAME.rows, which gets the final name. The
// partial file is removed then. A process that dies between the two would leave
// both, so the journal says before the first that they are one: if .NAME.rows is
// gone by the next start, the file is there and only the partial one has to go.

// columns is how far that has come.
type columns uint8

const (
	spooled columns = iota // the partial file is the only one
	made                   // .NAME.rows is complete, and the journal says so
	named                  // it has its final name
)

// layoutColumns is the layout in a journal that says made.
const layoutColumns = "parquet/made"

var errPublished = errors.New("a file that is complete left its partial one behind")

// rowsName is where the columns of a partial file are made.
func rowsName(partial string) string { return partial[:len(partial)-len(partialMark)] + ".rows" }

// published looks, for a journal that says made, which of the files is left.
func (t *target) published(s *state) error {
	if s.layout != layoutColumns || !t.partial() {
		return nil
	}
	there, err := t.o.exists(rowsName(t.name))
	if err != nil {
		return err
	}
	if there {
		s.layout = "" // it is made again
		return nil
	}
	t.good, t.columns = t.size, named
	return errPublished
}

// complete gives a partial file, whose records are all good, its final name.
func (t *target) complete() error {
	if t.columns == spooled {
		s, err := t.rows()
		if err != nil {
			return fmt.Errorf("completing %s: %w", t.path, err)
		}
		if s == nil {
			return t.publish(t.name)
		}
		if err := t.makeColumns(s); err != nil {
			return fmt.Errorf("completing %s: %w", t.path, err)
		}
	}
	if t.columns == made {
		if err := t.publish(rowsName(t.name)); err != nil {
			return err
		}
		t.columns = named
	}
	if err := t.o.fs.Remove(t.name); err != nil {
		return fmt.Errorf("removing %s: %w", t.name, err)
	}
	return nil
}

// rows returns the schema of the rows that wait in the file, nil if it holds
// something else: the configuration may have changed since it was begun.
func (t *target) rows() (*parquetfile.Schema, error) {
	head := make([]byte, len(ocf.Magic))
	if _, err := t.h.ReadAt(head, 0); err != nil || !bytes.Equal(head, ocf.Magic) {
		return nil, nil //nolint:nilerr // too short for a container
	}
	h, err := ocf.ReadHeader(bufio.NewReader(io.NewSectionReader(t.h, 0, t.size)))
	if err != nil {
		return nil, nil //nolint:nilerr // lines may begin so
	}
	return frame.RowsOf(h)
}

// makeColumns makes the Parquet file, forces it to the disk and tells the
// journal.
func (t *target) makeColumns(s *parquetfile.Schema) error {
	o, name := t.o, rowsName(t.name)
	perm := os.FileMode(0o666)
	if o.perm != 0 {
		perm = o.perm
	}
	h, err := o.fs.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, perm)
	if err != nil {
		return err
	}
	if o.perm != 0 {
		err = h.Chmod(o.perm)
	}
	if err == nil {
		err = t.writeColumns(h, s)
	}
	if err == nil && o.cfg.Fsync != fsyncNever {
		if err = h.Sync(); err != nil {
			err = hard(err) // as Sync explains
		}
	}
	if cerr := h.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		_ = o.fs.Remove(name)
		return err
	}
	if o.cfg.Fsync != fsyncNever {
		if err := o.syncFolder(filepath.Dir(name)); err != nil {
			return err
		}
	}
	t.columns = made
	err = t.note()
	if err == nil && o.cfg.Fsync != fsyncNever {
		err = t.syncJournal()
	}
	if err != nil {
		t.columns = spooled
	}
	return err
}

// writeColumns puts the rows of the partial file into columns.
func (t *target) writeColumns(h handle, s *parquetfile.Schema) error {
	r, err := ocf.NewReader(bufio.NewReaderSize(io.NewSectionReader(t.h, 0, t.size), 64<<10), 0)
	if err != nil {
		return err
	}
	defer r.Close()
	out := bufio.NewWriterSize(h, 256<<10)
	c := &t.o.cfg.Parquet
	w, err := parquetfile.NewWriter(out, s, parquetfile.WriterOptions{
		Compression: c.Compression, Level: t.o.cfg.Level, GroupBytes: int64(c.RowGroupSize), GroupRows: c.RowGroupRecords,
	})
	if err != nil {
		return err
	}
	var rows []byte
	for {
		v, err := r.Next()
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err == nil {
			rows = append(rows, frame.Row(v)...)
		}
		if len(rows) >= memberBytes || err != nil {
			if werr := w.Write(rows); werr != nil {
				return werr
			}
			rows = rows[:0]
		}
		if err != nil {
			break
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return out.Flush()
}
