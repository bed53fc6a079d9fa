package playground

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
)

// Samples reads a stream of JSON values: one on each line, one behind the
// other, or spread over lines. It holds one value at a time (Invariant 5).
type Samples struct {
	// Each makes a record of every element of an array.
	Each bool
	// Waiting, if set, is called before a read that may block.
	Waiting func()

	in  *bufio.Reader
	dec *json.Decoder
	// buf is what was read from in and is not given out yet; buf[0] is the
	// byte number base of dec's input.
	buf  []byte
	base int64
	// again is what dec reads before in: the rest of buf when dec began anew.
	again []byte

	// lines: a value ended on the line on which it began, so behind a mistake
	// the next line is the next value.
	lines bool
	array bool // within an array whose elements are records
	n     int
	done  bool
}

// NewSamples returns a reader of the values in r.
func NewSamples(r io.Reader) *Samples {
	s := &Samples{in: bufio.NewReaderSize(r, 64<<10)}
	s.dec = json.NewDecoder(s)
	s.dec.UseNumber()
	return s
}

// BadRecord is text that is no JSON value. More values may follow.
type BadRecord struct {
	// Number counts records from 1.
	Number int
	Err    error
	// Text is the beginning of what was read.
	Text string
}

func (e *BadRecord) Error() string { return fmt.Sprintf("record %d: %v", e.Number, e.Err) }

// Unwrap returns the cause.
func (e *BadRecord) Unwrap() error { return e.Err }

var errTooLong = fmt.Errorf("longer than %d MiB, the most that a record may have", limits.RecordBytes>>20)

// slack is how far the decoder may have read beyond the end of a value.
const slack = 1 << 20

// Read is what the decoder reads from; it is not for others.
func (s *Samples) Read(p []byte) (int, error) {
	if len(s.again) > 0 {
		n := copy(p, s.again)
		s.again = s.again[n:]
		return n, nil
	}
	if len(s.buf) > limits.RecordBytes+slack {
		return 0, errTooLong
	}
	s.wait()
	n, err := s.in.Read(p)
	s.buf = append(s.buf, p[:n]...)
	return n, err
}

func (s *Samples) wait() {
	if s.Waiting != nil && s.in.Buffered() == 0 {
		s.Waiting()
	}
}

// Number is how many records were read, bad ones included.
func (s *Samples) Number() int { return s.n }

// Next returns the bytes of the next record, valid until the next call. It
// returns io.EOF at the end, *BadRecord for text that is no record, and any
// other error if the input cannot be read.
func (s *Samples) Next() ([]byte, error) {
	for !s.done {
		s.drop(s.dec.InputOffset())
		more := s.dec.More()
		at := s.dec.InputOffset()
		s.drop(at)
		switch {
		case s.array && !more:
			if _, err := s.dec.Token(); err != nil {
				s.n++
				return nil, s.fail(err)
			}
			s.array = false
			continue
		case !s.array && s.Each && more && len(s.buf) > 0 && s.buf[0] == '[':
			if _, err := s.dec.Token(); err != nil {
				s.n++
				return nil, s.fail(err)
			}
			s.array = true
			continue
		}
		var raw json.RawMessage
		err := s.dec.Decode(&raw)
		if errors.Is(err, io.EOF) && !s.array && len(bytes.TrimSpace(s.buf)) == 0 {
			s.done = true
			break
		}
		s.n++
		if err == nil && len(raw) > limits.RecordBytes {
			err = errTooLong
		}
		if err != nil {
			return nil, s.fail(err)
		}
		if !s.array && !s.lines {
			s.lines = s.lineEnds(int(s.dec.InputOffset()-s.base), raw)
		}
		if err := record.ValidateJSON(raw); err != nil {
			return nil, &BadRecord{Number: s.n, Err: err, Text: excerpt(raw)}
		}
		return raw, nil
	}
	return nil, io.EOF
}

// lineEnds reports whether the value that ends at end stands alone on a line.
func (s *Samples) lineEnds(end int, raw []byte) bool {
	if bytes.IndexByte(raw, '\n') >= 0 {
		return false
	}
	for _, c := range s.buf[min(end, len(s.buf)):] {
		switch c {
		case ' ', '\t', '\r':
		default:
			return c == '\n'
		}
	}
	return false
}

// drop forgets what lies before offset.
func (s *Samples) drop(offset int64) {
	if n := int(offset - s.base); n > 0 {
		n = min(n, len(s.buf))
		s.buf = s.buf[n:]
		s.base = offset
	}
}

// fail ends the value at hand, and goes on behind its line if that is where
// the next one begins.
func (s *Samples) fail(err error) error {
	var syntax *json.SyntaxError
	bad := &BadRecord{Number: s.n, Text: excerpt(firstLine(s.buf))}
	offset := len(s.buf)
	switch {
	case errors.As(err, &syntax):
		if offset = int(syntax.Offset - s.base); offset < 0 || offset > len(s.buf) {
			offset = len(s.buf)
		}
	case errors.Is(err, errTooLong):
		bad.Err = errTooLong
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
	default:
		s.done = true
		return fmt.Errorf("reading records: %w", err)
	}
	line := bytes.IndexByte(s.buf, '\n')
	alone := line < 0 || s.lines || offset <= line+1
	if s.array {
		alone = false // what follows is in the middle of the array
	}
	if bad.Err == nil {
		text := s.buf
		if alone && line >= 0 {
			text = s.buf[:line]
		}
		bad.Err = record.ValidateJSON(text)
		if bad.Err == nil {
			bad.Err = err
		}
	}
	if !alone {
		s.done = true
		bad.Err = fmt.Errorf("%w; where the next record begins is not known, so reading ends here", bad.Err)
		return bad
	}
	s.skipLine()
	return bad
}

// skipLine begins anew behind the next newline.
func (s *Samples) skipLine() {
	for {
		if i := bytes.IndexByte(s.buf, '\n'); i >= 0 {
			s.restart(s.buf[i+1:])
			return
		}
		s.wait()
		chunk := make([]byte, 64<<10)
		n, err := s.in.Read(chunk)
		s.buf = append(s.buf[:0], chunk[:n]...)
		if err != nil && bytes.IndexByte(s.buf, '\n') < 0 {
			s.done = true
			return
		}
	}
}

func (s *Samples) restart(rest []byte) {
	s.buf, s.again, s.base = slices.Clone(rest), slices.Clone(rest), 0
	s.dec = json.NewDecoder(s)
}

func firstLine(b []byte) []byte {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	return line
}
