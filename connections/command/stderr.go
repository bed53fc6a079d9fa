package command

import (
	"bytes"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/limits"
)

const (
	// lineBytes is how much of a line is kept.
	lineBytes = 1 << 10
	// lineRate is how many lines a second are logged, after a burst of
	// lineBurst; the others are counted.
	lineRate  = 10
	lineBurst = 100
)

// logged writes the lines of one of a child's streams to the log, within
// bounds: whatever the child writes, it is read, so that it never waits.
type logged struct {
	log     *slog.Logger
	stream  string // "stderr"
	now     func() time.Time
	secrets *strings.Replacer

	// mu guards last; all else belongs to the reading goroutine.
	mu   sync.Mutex
	last string

	line       []byte // its beginning
	tokens     float64
	filled     time.Time
	suppressed int
}

func newLogged(env engine.Env, secrets map[string]engine.Secret, stream string) *logged {
	l := &logged{log: env.Logger, stream: stream, now: env.Now, tokens: lineBurst}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	if l.now == nil {
		l.now = time.Now
	}
	var pairs []string
	for _, s := range secrets {
		// One or two characters would blot out half of every line.
		if text := s.Reveal(); len(text) > 2 {
			pairs = append(pairs, text, s.String())
		}
	}
	l.secrets = strings.NewReplacer(pairs...)
	l.filled = l.now()
	return l
}

// copy reads to the end.
func (l *logged) copy(r io.Reader) {
	buf := make([]byte, 8<<10)
	for {
		n, err := r.Read(buf)
		l.write(buf[:n])
		if err != nil {
			return
		}
	}
}

func (l *logged) write(p []byte) {
	for len(p) > 0 {
		piece := p
		n := bytes.IndexByte(p, '\n')
		if n >= 0 {
			piece = p[:n]
		}
		l.line = append(l.line, piece[:min(len(piece), lineBytes-len(l.line))]...)
		if n < 0 {
			return
		}
		l.flush()
		p = p[n+1:]
	}
}

// flush logs the line that is complete.
func (l *logged) flush() {
	text := l.clean(l.line)
	l.line = l.line[:0]
	if text == "" {
		return
	}
	l.mu.Lock()
	l.last = text
	l.mu.Unlock()
	now := l.now()
	l.tokens = min(lineBurst, l.tokens+lineRate*max(0, now.Sub(l.filled).Seconds()))
	l.filled = now
	if l.tokens < 1 {
		l.suppressed++
		return
	}
	l.tokens--
	l.tell()
	l.log.Info("the command writes", l.stream, text)
}

// tell says how many lines were left out.
func (l *logged) tell() {
	if l.suppressed > 0 {
		l.log.Warn("the command writes too much; lines were left out of the log", "stream", l.stream, "lines", l.suppressed)
		l.suppressed = 0
	}
}

// end logs what has no newline behind it.
func (l *logged) end() {
	l.flush()
	l.tell()
}

// clean makes a line fit for a log (Invariant 7).
func (l *logged) clean(p []byte) string {
	s := l.secrets.Replace(strings.ToValidUTF8(string(p), "\uFFFD"))
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case unicode.IsControl(r):
			return -1
		}
		return r
	}, s))
}

// lastLine returns what the child said last, short enough for an error.
func (l *logged) lastLine() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	const most = 2 * limits.ExcerptBytes
	if len(l.last) <= most {
		return l.last
	}
	return strings.ToValidUTF8(l.last[:most], "") + "..."
}
