package http

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"

	"github.com/flowrecords/flow/engine/record"
)

// refusal is an answer other than success.
type refusal struct {
	status int
	text   string
	line   int // of the body; 0: none
}

func (r *refusal) Error() string { return r.text }

func refuse(status int, format string, args ...any) *refusal {
	return &refusal{status: status, text: fmt.Sprintf(format, args...)}
}

// formatOf says what the body of a request is.
func (c *Config) formatOf(r *http.Request) (string, *refusal) {
	if c.Format != "auto" {
		return c.Format, nil
	}
	given := r.Header.Get("Content-Type")
	media, _, err := mime.ParseMediaType(given)
	switch {
	case err != nil:
	case media == "application/json" || strings.HasSuffix(media, "+json"):
		return "json", nil
	case media == "application/x-ndjson" || media == "application/ndjson" || media == "application/jsonl" || media == "application/x-jsonlines" || media == "application/jsonlines":
		return "ndjson", nil
	}
	return "", refuse(http.StatusUnsupportedMediaType, "Content-Type %.100q: send application/json for one record or application/x-ndjson for a record a line", given)
}

// read receives a body within all limits. The bytes that it takes of the
// buffer are those of the result; with a refusal it has given them back.
func (s *server) read(r *http.Request) ([]byte, *refusal) {
	limit := int64(s.cfg.MaxBody)
	if r.ContentLength > limit {
		return nil, s.tooLarge()
	}
	var v *verifier
	if s.cfg.Signature != nil {
		if v = s.cfg.Signature.verifier(r, s.env.Now()); v == nil {
			return nil, refuse(http.StatusUnauthorized, "no good signature")
		}
	}
	// What is compressed is bounded as well: a body must not be endless by
	// holding nothing.
	raw := &bounded{r: r.Body, left: limit}
	var src io.Reader = raw
	if v != nil {
		src = io.TeeReader(raw, v)
	}
	body := src
	switch coding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))); coding {
	case "", "identity":
	case "gzip", "x-gzip":
		body = &gunzip{src: src}
	default:
		return nil, refuse(http.StatusUnsupportedMediaType, "Content-Encoding %.100q: send gzip or none", coding)
	}
	data, err := s.readAll(&bounded{r: body, left: limit}, r.ContentLength)
	if err == nil && v != nil {
		// The sender has signed also what may follow the compressed bytes.
		if _, err = io.Copy(io.Discard, src); err == nil && !v.good() {
			err = refuse(http.StatusUnauthorized, "no good signature")
		}
	}
	if err != nil {
		s.buffer.release(int64(cap(data)))
		return nil, s.bodyRefusal(err)
	}
	return data, nil
}

func (s *server) tooLarge() *refusal {
	return refuse(http.StatusRequestEntityTooLarge, "the body is larger than max_body, which is %d bytes", int64(s.cfg.MaxBody))
}

func (s *server) bodyRefusal(err error) *refusal {
	var ref *refusal
	switch {
	case errors.As(err, &ref):
		return ref
	case errors.Is(err, errTooLarge):
		return s.tooLarge()
	case errors.Is(err, errNoRoom):
		return refuse(http.StatusServiceUnavailable, "too much is waiting: send the request again later")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return refuse(http.StatusRequestTimeout, "the body did not arrive within body_timeout")
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum):
		return refuse(http.StatusBadRequest, "the body is no gzip: %v", err)
	}
	return refuse(http.StatusBadRequest, "the body broke off: %v", err)
}

var (
	errTooLarge = errors.New("larger than the limit")
	errNoRoom   = errors.New("no room in the buffer")
)

// bounded fails after left bytes.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	if int64(n) > b.left {
		return int(b.left), errTooLarge
	}
	b.left -= int64(n)
	return n, err
}

// gunzip starts with the first read, so that nothing of a body is read before
// it is wanted.
type gunzip struct {
	src io.Reader
	z   *gzip.Reader
}

func (g *gunzip) Read(p []byte) (int, error) {
	if g.z == nil {
		z, err := gzip.NewReader(g.src)
		if errors.Is(err, io.EOF) {
			err = gzip.ErrHeader // an empty body is none
		}
		if err != nil {
			return 0, err
		}
		g.z = z
	}
	return g.z.Read(p)
}

// firstBody is how much memory a body of unknown size begins with.
const firstBody = 4 << 10

// readAll takes memory from the buffer before it makes it, and no more than
// has arrived asks for: a length that a sender announces is worth nothing. The
// bytes taken are the capacity of the result, also with an error.
func (s *server) readAll(r io.Reader, announced int64) ([]byte, error) {
	size, limit := int64(firstBody), int64(s.cfg.MaxBody)
	if announced >= 0 {
		size = announced + 1 // one more to see the end
	}
	size = min(size, 16*firstBody, limit)
	var data []byte
	var last [1]byte // is read when all that may be taken is
	for {
		room := data[len(data):cap(data)]
		switch have := int64(cap(data)); {
		case len(room) > 0:
		case have == limit:
			room = last[:]
		default:
			if have > 0 {
				size = min(have, limit-have) // twice as much as there is
			}
			if !s.buffer.take(size) {
				return data, errNoRoom
			}
			grown := make([]byte, len(data), have+size)
			copy(grown, data)
			data, room = grown, grown[len(data):cap(grown)]
		}
		n, err := r.Read(room) // which never gives more than the limit
		data = data[:len(data)+n]
		if err == io.EOF {
			return data, nil
		}
		if err != nil {
			return data, err
		}
	}
}

// check counts the records of a body and finds what is wrong with it: all of it
// is taken or nothing.
func (c *Config) check(format string, data []byte) (int, *refusal) {
	switch format {
	case "raw":
		return 1, nil
	case "json":
		if len(bytes.TrimSpace(data)) == 0 {
			return 0, refuse(http.StatusBadRequest, "the body is empty; JSON is expected")
		}
		if err := record.ValidateJSON(data); err != nil {
			return 0, badJSON(data, err, 0)
		}
		return 1, nil
	}
	n, line := 0, 0
	for rest := data; len(rest) > 0; {
		var rec []byte
		rec, rest = nextLine(rest)
		line++
		switch {
		case len(rec) == 0:
		case len(rec) > int(c.MaxRecord):
			r := refuse(http.StatusRequestEntityTooLarge, "line %d is larger than max_record, which is %d bytes", line, int64(c.MaxRecord))
			r.line = line
			return 0, r
		default:
			if err := record.ValidateJSON(rec); err != nil {
				return 0, badJSON(rec, err, line)
			}
			n++
		}
	}
	return n, nil
}

// nextLine cuts a line of NDJSON off, without white space around it.
func nextLine(data []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(data, []byte{'\n'})
	return bytes.Trim(line, " \t\r"), rest
}

// badJSON says where a JSON text is wrong. line is that of a line of NDJSON, 0
// for a body that is one text, whose lines are counted.
func badJSON(text []byte, err error, line int) *refusal {
	var syntax *record.SyntaxError
	if !errors.As(err, &syntax) {
		return &refusal{status: http.StatusBadRequest, text: err.Error(), line: line}
	}
	column := syntax.Offset + 1
	if line == 0 {
		before := text[:min(syntax.Offset, len(text))]
		line = bytes.Count(before, []byte{'\n'}) + 1
		column = len(before) - bytes.LastIndexByte(before, '\n')
	}
	r := refuse(http.StatusBadRequest, "line %d, column %d: invalid JSON: %s", line, column, syntax.Msg)
	r.line = line
	return r
}
