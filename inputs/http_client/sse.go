package httpclient

import (
	"bytes"
	"strconv"
	"time"
)

// sse reads a stream of server-sent events line by line, as the HTML standard
// says.
type sse struct {
	data  []byte
	typ   string
	any   bool   // a data line was there
	id    string // of the last event that had one
	next  string // becomes id with the event
	retry time.Duration
	begun bool
	over  bool // data is over the limit, and cut there
	max   int
}

// line takes a line without its end and reports whether an event is complete.
func (s *sse) line(p []byte) bool {
	if !s.begun {
		s.begun = true
		p = bytes.TrimPrefix(p, []byte("\xef\xbb\xbf"))
	}
	if len(p) == 0 {
		s.id = s.next
		return s.any
	}
	name, value, _ := bytes.Cut(p, []byte{':'})
	value = bytes.TrimPrefix(value, []byte{' '})
	switch string(name) {
	case "data":
		if s.any {
			s.add('\n')
		}
		s.any = true
		s.add(value...)
	case "event":
		s.typ = string(value)
	case "id":
		if bytes.IndexByte(value, 0) < 0 {
			s.next = string(value)
		}
	case "retry":
		if n, err := strconv.ParseUint(string(value), 10, 32); err == nil {
			s.retry = min(time.Duration(n)*time.Millisecond, longestRetry)
		}
	}
	return false
}

// longestRetry bounds the pause that a server may ask for.
const longestRetry = time.Hour

func (s *sse) add(p ...byte) {
	if room := s.max - len(s.data); len(p) > room {
		p, s.over = p[:room], true
	}
	s.data = append(s.data, p...)
}

// reset begins the next event.
func (s *sse) reset() { s.data, s.typ, s.any, s.over = nil, "", false, false }
