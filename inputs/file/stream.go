package file

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/inputs/internal/framing"
)

// stream reads one file into batches. It belongs to the goroutine of Read.
type stream struct {
	in   *input
	path string // as opened
	f    *os.File
	info os.FileInfo // as of opening
	id   identity
	// state is the text of id, made anew only when id changes.
	state string
	src   *engine.Source

	packed bool // compressed
	// counted is how much of the file is in the input's progress.
	counted int64
	raw     *counter
	r       io.Reader
	unzip   io.Closer
	cut     *framing.Cutter
	records *container // of format = "avro" and "parquet"; nil otherwise

	// eof: the end was reached. broken: the compressed data ended or was
	// damaged there; it is reported behind the records before it.
	eof    bool
	broken error
	// over: the failure has been reported, nothing more comes.
	over bool
}

// counter counts the bytes read and keeps the error of the file itself, so
// that a bad disk is not taken for bad data.
type counter struct {
	f   *os.File
	n   int64
	err error
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.f.Read(p)
	c.n += int64(n)
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}

// open opens a file as the source of that name and goes to where the first of
// the stored positions says that belongs to it.
func (in *input) open(ctx context.Context, path, source string, stored ...engine.Position) (*stream, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("opening: %w", err)
	}
	if err := regular(path, info); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening: %w", err)
	}
	s := &stream{in: in, path: path, f: f, src: in.source(source)}
	if err := s.start(ctx, stored); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// regular refuses what is no file that has an end.
func regular(path string, info fs.FileInfo) error {
	switch {
	case info.IsDir():
		return fmt.Errorf("reading %s: it is a directory; name its files with a glob such as %s", path, filepath.Join(path, "*"))
	case !info.Mode().IsRegular():
		return fmt.Errorf("reading %s: it is no regular file; pipes are read by the input stdin", path)
	}
	return nil
}

func (s *stream) start(ctx context.Context, stored []engine.Position) (err error) {
	// Stat again: the name may stand for another file by now.
	if s.info, err = s.f.Stat(); err != nil {
		return fmt.Errorf("reading the size of %s: %w", s.path, err)
	}
	if err := regular(s.path, s.info); err != nil {
		return err
	}
	if s.id, err = identify(s.f, s.info); err != nil {
		return fmt.Errorf("reading %s: %w", s.path, err)
	}
	offset, done, err := s.resume(stored)
	if err != nil {
		return err
	}
	s.state = s.id.String()
	if done {
		s.eof, s.over = true, true
		s.raw = &counter{f: s.f}
		s.cut = framing.New(s.in.framing, offset)
		return nil
	}
	return s.seek(ctx, offset)
}

// resume decides where to begin. A file that is none of those that were read
// is read from its beginning.
func (s *stream) resume(stored []engine.Position) (offset int64, done bool, err error) {
	log := s.in.env.Logger.With("path", s.path)
	rewritten := false
	for _, p := range stored {
		was, err := parseIdentity(p)
		if err != nil {
			log.Warn("a position cannot be used", "error", err)
			continue
		}
		same, err := was.matches(s.f, s.info)
		if err != nil {
			return 0, false, fmt.Errorf("reading %s: %w", s.path, err)
		}
		short := s.in.cfg.compression(s.path) == "none" && !s.in.cfg.container() && p.Offset > s.info.Size()
		switch {
		case same && was.done >= 0:
			return 0, was.done == s.info.Size(), nil
		case same && !short:
			return p.Offset, false, nil
		case was.inode == s.id.inode:
			rewritten = true
		}
	}
	switch {
	case rewritten:
		log.Warn("file was truncated or rewritten, reading it from its beginning")
	case len(stored) > 0:
		log.Info("file was replaced, reading it from its beginning")
	}
	return 0, false, nil
}

// seek begins to read at an offset of the uncompressed stream.
func (s *stream) seek(ctx context.Context, offset int64) error {
	if _, err := s.f.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("reading %s: %w", s.path, err)
	}
	s.closeUnzip()
	s.eof, s.broken, s.over = false, nil, false
	s.raw = &counter{f: s.f}
	s.r = s.raw
	if err := s.decompress(); err != nil {
		return err
	}
	if s.in.cfg.Format == "avro" {
		return s.openContainer(offset)
	}
	if s.in.cfg.Format == "parquet" {
		return s.openParquet(offset)
	}
	s.cut = framing.New(s.in.framing, offset)
	if offset == 0 || s.broken != nil {
		return nil
	}
	if s.in.cfg.Format == "csv" && s.in.cfg.Header {
		if err := s.readHeader(); err != nil {
			return err
		}
	}
	return s.skip(ctx, offset)
}

// skip moves from the start of the stream to offset to.
func (s *stream) skip(ctx context.Context, to int64) error {
	if !s.packed {
		s.r = s.raw
		if _, err := s.f.Seek(to, io.SeekStart); err != nil {
			return fmt.Errorf("reading %s: %w", s.path, err)
		}
		s.raw.n = to
		return nil
	}
	for at := int64(0); at < to; {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		n, err := io.CopyN(io.Discard, s.r, min(to-at, 16<<20))
		at += n
		if err != nil {
			return s.ended(err, to)
		}
	}
	return nil
}

// ended deals with a compressed stream that ends or breaks before the stored
// offset.
func (s *stream) ended(err error, offset int64) error {
	if s.raw.err != nil {
		return fmt.Errorf("reading %s: %w", s.path, s.raw.err)
	}
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("it holds less than the %d bytes that were read before", offset)
	}
	s.breaks(err)
	return nil
}

// readHeader reads the CSV header at the start of a file that goes on further
// behind. The stream then stands at its start again.
func (s *stream) readHeader() error {
	var buf []byte
	for {
		at := len(buf)
		buf = append(buf, make([]byte, 4096)...)
		n, err := io.ReadFull(s.r, buf[at:])
		buf = buf[:at+n]
		ended := err != nil || len(buf) > int(s.in.cfg.MaxRecord)
		if s.raw.err != nil {
			return fmt.Errorf("reading the header of %s: %w", s.path, s.raw.err)
		}
		if s.cut.ReadHeader(buf, ended) || ended {
			s.r = io.MultiReader(bytes.NewReader(buf), s.r)
			return nil
		}
	}
}

// decompress puts the decompressor in front of the file.
func (s *stream) decompress() error {
	kind := s.in.cfg.compression(s.path)
	s.packed = kind != "none"
	if !s.packed {
		return nil
	}
	buffered := bufio.NewReaderSize(s.raw, 64<<10)
	if _, err := buffered.Peek(1); err == io.EOF {
		s.r = buffered // an empty file is an empty stream
		return nil
	}
	switch kind {
	case "gzip":
		z, err := gzip.NewReader(buffered)
		if err != nil {
			return s.badStart(err)
		}
		s.r, s.unzip = z, z
	case "zstd":
		// One goroutine, and a bound on what a hostile frame may ask for.
		z, err := zstd.NewReader(buffered, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return s.badStart(err)
		}
		s.r, s.unzip = z, z.IOReadCloser()
	}
	return nil
}

// maxWindow is the largest zstd window, that of zstd --long=27.
const maxWindow = 128 << 20

func (s *stream) badStart(err error) error {
	if s.raw.err != nil {
		return fmt.Errorf("reading %s: %w", s.path, s.raw.err)
	}
	s.breaks(err)
	return nil
}

// breaks notes that the compressed data is no good from here on.
func (s *stream) breaks(err error) {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the file is cut short")
	}
	s.eof = true
	s.broken = fmt.Errorf("decompressing %s: broken at byte %d of %d: %w", s.path, s.raw.n, s.info.Size(), err)
}

// readSize is the most that is read without looking at the context.
const readSize = 4 << 20

// count tells the progress how much of the file has been read.
func (s *stream) count(n int64) {
	s.in.done.Add(n - s.counted)
	s.counted = n
}

// atEnd says what becomes of the bytes behind the last record at the end of
// what is there.
type atEnd uint8

const (
	endWaits  atEnd = iota // for the rest of the record
	endLines               // whole lines are a record now
	endAll                 // all of it is a record now, but the file may go on
	endOfFile              // nothing more comes
)

// fill reads until the batch is full or no more bytes are there now, and
// reports whether the batch holds a record and was begun.
func (s *stream) fill(b *engine.Batch, end atEnd) (bool, error) {
	if s.in.cfg.container() {
		return s.fillRecords(b)
	}
	s.cut.Begin(b)
	if s.eof && s.broken == nil && end == endOfFile {
		s.cut.End()
	}
	for read := 0; !s.cut.Full() && !s.eof && read < readSize; {
		n, err := s.r.Read(s.cut.Space())
		if n > 0 {
			read += n
			s.count(s.raw.n)
			s.cut.Wrote(n)
		}
		switch {
		case err == nil:
		case s.raw.err != nil:
			s.cut.Abandon()
			return false, fmt.Errorf("reading %s at byte %d: %w", s.path, s.raw.n, s.raw.err)
		case err == io.EOF:
			s.eof = true
			if end == endOfFile {
				s.cut.End()
			}
		default:
			s.breaks(err)
		}
	}
	if s.eof && s.broken == nil && s.cut.Empty() && (end == endLines || end == endAll) {
		s.cut.Flush(end == endAll)
	}
	if s.cut.Empty() && s.broken != nil && !s.over {
		s.over = true
		s.id.done = s.info.Size()
		s.state = s.id.String()
		s.cut.Fail(s.broken)
	}
	if s.cut.Empty() {
		s.cut.Abandon()
		return false, nil
	}
	s.seal(b)
	return true, nil
}

// seal gives the batch its place in the source.
func (s *stream) seal(b *engine.Batch) {
	r := s.cut.Finish()
	if s.in.framing.Format == framing.Whole {
		s.id.done = s.info.Size()
		s.state = s.id.String()
	}
	s.begin(b, r.First, r.End, r.Rows, r.Err)
}

// begin hands the batch to the source; err is why its only record failed.
func (s *stream) begin(b *engine.Batch, first, end int64, rows []uint32, err error) {
	s.src.Begin(b, engine.Position{Offset: end, State: s.state}, first, rows)
	if err != nil {
		b.Failures = append(b.Failures[:0], engine.Failure{Reason: err, Element: s.in.env.Element, Origin: b.Origin(0)})
	}
	if s.in.cfg.Timestamp == "mtime" {
		at := s.info.ModTime().UnixNano()
		for range b.Len() {
			b.Timestamps = append(b.Timestamps, at)
		}
	}
}

// finished reports that nothing more comes from a file that ends.
func (s *stream) finished() bool { return s.eof && (s.over || s.broken == nil) }

func (s *stream) closeUnzip() {
	if s.unzip != nil {
		_ = s.unzip.Close() // only checks what was read, which is checked already
		s.unzip = nil
	}
}

func (s *stream) close() {
	s.records.close()
	s.closeUnzip()
	_ = s.f.Close() // it was only read
}
