package deadletters

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/flowrecords/flow/engine/limits"
)

// maxLine bounds a line: the largest record as base64, and its headers.
const maxLine = 2*limits.RecordBytes + limits.BatchBytes

// Files is a Source of files of envelopes.
type Files struct {
	// Name is what people call it: a path, or an output.
	Title string
	// Paths in the order in which they are read.
	Paths []string
}

// Name implements Source.
func (s *Files) Name() string { return s.Title }

// Parts implements Source. A file ends where it does now.
func (s *Files) Parts(context.Context) ([]*Part, error) {
	var parts []*Part
	for _, path := range s.Paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%s is no regular file", path)
		}
		id, err := filepath.Abs(path)
		if err != nil {
			return nil, err
		}
		label := ""
		if len(s.Paths) > 1 {
			label = path + ":"
		}
		size := info.Size()
		parts = append(parts, &Part{ID: id, Source: s, End: size, open: func(context.Context, int64) (reader, error) {
			return openFile(path, label, size)
		}})
	}
	return parts, nil
}

// Close implements Source.
func (s *Files) Close() {}

// fileReader reads the lines of a file up to the size that it had.
type fileReader struct {
	f      *os.File
	in     *bufio.Reader
	unzip  func()
	packed bool
	path   string
	label  string
	line   int
	offset int64
}

func openFile(path, label string, size int64) (*fileReader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r := &fileReader{f: f, path: path, label: label, unzip: func() {}}
	in := io.LimitReader(f, size)
	switch strings.ToLower(filepath.Ext(path)) {
	case ".gz", ".gzip":
		z, err := gzip.NewReader(in)
		if err != nil && !errors.Is(err, io.EOF) {
			_ = f.Close()
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if err == nil {
			in, r.packed = z, true
		}
	case ".zst", ".zstd":
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxLine))
		if err != nil {
			_ = f.Close()
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		in, r.packed, r.unzip = z, true, z.Close
	}
	r.in = bufio.NewReaderSize(in, 64<<10)
	return r, nil
}

// next implements reader.
func (r *fileReader) next(context.Context) (*Letter, error) {
	for {
		line, err := r.read()
		at := r.offset
		r.offset += int64(len(line))
		if len(line) == 0 && err != nil {
			if errors.Is(err, io.EOF) || r.packed && errors.Is(err, io.ErrUnexpectedEOF) {
				return nil, io.EOF // a file that is being written may end anywhere
			}
			return nil, fmt.Errorf("%s: %w", r.path, err)
		}
		r.line++
		whole := err == nil
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		l, bad := parseEnvelope(line)
		if bad != nil {
			if !whole {
				return nil, io.EOF // the last line is being written
			}
			return nil, &Unreadable{ID: r.label + strconv.Itoa(r.line), Err: bad}
		}
		l.ID, l.Offset, l.Next = r.label+strconv.Itoa(r.line), at, r.offset
		return l, nil
	}
}

// read returns a line with its newline; the last one may have none, and then
// comes with an error.
func (r *fileReader) read() ([]byte, error) {
	var line []byte
	for {
		part, err := r.in.ReadSlice('\n')
		if line = append(line, part...); len(line) > maxLine {
			return nil, fmt.Errorf("line %d is longer than %d MiB", r.line+1, maxLine>>20)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

func (r *fileReader) close() {
	r.unzip()
	_ = r.f.Close()
}

// below lists the files that a template with this literal beginning may have
// written.
func below(prefix string) ([]string, error) {
	var paths []string
	err := filepath.WalkDir(filepath.Dir(prefix+"x"), func(path string, e os.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() && strings.HasPrefix(path, filepath.Clean(prefix)) && !strings.HasPrefix(e.Name(), ".") {
			paths = append(paths, path)
		}
		return err
	})
	slices.Sort(paths)
	return paths, err
}
