package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/creack/pty"
)

// terminal is a process in a real pseudo terminal whose output is drawn on a
// screen of characters, as a person would see it.
type terminal struct {
	t      *testing.T
	cmd    *exec.Cmd
	tty    *os.File
	exited chan error
	ended  chan struct{} // the reader has ended
	change chan struct{} // something was drawn

	mu     sync.Mutex // guards screen and output
	screen *vt
	output strings.Builder
}

// startTerminal runs flow on a screen of the given size.
func startTerminal(t *testing.T, dir string, cols, rows int, environ []string, args ...string) *terminal {
	t.Helper()
	cmd := exec.Command(flowCommand(t), args...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), "TERM=xterm-256color", "HOME="+dir, "XDG_STATE_HOME="+dir+"/state", "INPUTRC=/dev/null", "NO_COLOR=")
	cmd.Env = append(cmd.Env, environ...)
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: uint16(rows), Cols: uint16(cols)})
	if err != nil {
		t.Fatal(err)
	}
	x := &terminal{t: t, cmd: cmd, tty: tty, exited: make(chan error, 1), ended: make(chan struct{}), change: make(chan struct{}, 1), screen: newVT(cols, rows)}
	go x.read()
	go func() {
		err := cmd.Wait()
		<-x.ended
		x.exited <- err
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-x.ended
		_ = tty.Close()
	})
	return x
}

// read draws what the process writes, and answers when it asks where the
// cursor is.
func (x *terminal) read() {
	defer close(x.ended)
	buf := make([]byte, 32<<10)
	for {
		n, err := x.tty.Read(buf)
		x.mu.Lock()
		x.output.Write(buf[:n])
		answers := x.screen.write(buf[:n])
		x.mu.Unlock()
		for _, a := range answers {
			_, _ = x.tty.WriteString(a)
		}
		select {
		case x.change <- struct{}{}:
		default:
		}
		if err != nil { // EIO when the process has ended
			return
		}
	}
}

// keys types; wait looks until the screen is as it should be.
func (x *terminal) keys(text string) {
	x.t.Helper()
	if _, err := x.tty.WriteString(text); err != nil {
		x.t.Fatal(err)
	}
}

func (x *terminal) wait(what string, ok func(screen string) bool) string {
	x.t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		text := x.text()
		if ok(text) {
			return text
		}
		select {
		case <-x.change:
		case <-deadline:
			x.t.Fatalf("%s did not come. The screen:\n%s", what, text)
		}
	}
}

// see waits until a text stands on the screen.
func (x *terminal) see(text string) string {
	x.t.Helper()
	return x.wait(strconv.Quote(text), func(screen string) bool { return strings.Contains(screen, text) })
}

// last waits until the last line of the screen that is not empty is text.
func (x *terminal) last(text string) {
	x.t.Helper()
	x.wait("the last line "+strconv.Quote(text), func(screen string) bool {
		lines := strings.Split(strings.TrimRight(screen, "\n"), "\n")
		return lines[len(lines)-1] == text
	})
}

func (x *terminal) text() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.screen.String()
}

func (x *terminal) bytes() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.output.String()
}

// resize changes the window, of which the process is told by a signal.
func (x *terminal) resize(cols, rows int) {
	x.t.Helper()
	x.mu.Lock()
	x.screen.resize(cols, rows)
	x.mu.Unlock()
	if err := pty.Setsize(x.tty, &pty.Winsize{Rows: uint16(rows), Cols: uint16(cols)}); err != nil {
		x.t.Fatal(err)
	}
}

// left waits until the process has ended.
func (x *terminal) left() error {
	x.t.Helper()
	select {
	case err := <-x.exited:
		return err
	case <-time.After(30 * time.Second):
		x.t.Fatalf("the process did not end. The screen:\n%s", x.text())
		return nil
	}
}

// vt draws the part of what terminals understand that line editors use.
type vt struct {
	cols, rows int
	above      [][]rune // scrolled out
	lines      [][]rune
	x, y       int
	wrap       bool // the next character begins a new line
	savedX     int
	savedY     int
	rest       []byte // a sequence that is not complete
}

func newVT(cols, rows int) *vt {
	s := &vt{}
	s.resize(cols, rows)
	return s
}

func (s *vt) resize(cols, rows int) {
	s.cols, s.rows = cols, rows
	for len(s.lines) < rows {
		s.lines = append(s.lines, nil)
	}
	for len(s.lines) > rows {
		if s.y < len(s.lines)-1 {
			s.lines = s.lines[:len(s.lines)-1]
		} else {
			s.scroll()
			s.lines = s.lines[:len(s.lines)-1]
			s.y--
		}
	}
	s.x, s.wrap = min(s.x, cols-1), false
}

// String is all that was drawn, what scrolled out included.
func (s *vt) String() string {
	var b strings.Builder
	for _, l := range append(append([][]rune{}, s.above...), s.lines...) {
		b.WriteString(strings.TrimRight(string(l), " ") + "\n")
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

func (s *vt) scroll() {
	s.above = append(s.above, s.lines[0])
	s.lines = append(s.lines[1:], nil)
}

func (s *vt) down() {
	if s.y == s.rows-1 {
		s.scroll()
	} else {
		s.y++
	}
}

func (s *vt) put(r rune) {
	if s.wrap {
		s.x, s.wrap = 0, false
		s.down()
	}
	line := s.lines[s.y]
	for len(line) <= s.x {
		line = append(line, ' ')
	}
	line[s.x] = r
	s.lines[s.y] = line
	if s.x == s.cols-1 {
		s.wrap = true
	} else {
		s.x++
	}
}

// write draws, and returns what the terminal answers.
func (s *vt) write(p []byte) (answers []string) {
	b := append(s.rest, p...)
	s.rest = nil
	for len(b) > 0 {
		if b[0] == 0x1b {
			n, answer, whole := s.escape(b)
			if !whole {
				s.rest = append([]byte(nil), b...)
				return answers
			}
			if answer != "" {
				answers = append(answers, answer)
			}
			b = b[n:]
			continue
		}
		if !utf8.FullRune(b) {
			s.rest = append([]byte(nil), b...)
			return answers
		}
		r, n := utf8.DecodeRune(b)
		b = b[n:]
		switch r {
		case '\r':
			s.x, s.wrap = 0, false
		case '\n':
			s.down()
			s.wrap = false
		case '\b':
			s.x, s.wrap = max(0, s.x-1), false
		case '\t':
			s.x = min(s.cols-1, s.x/8*8+8)
		default:
			if r >= ' ' && r != 0x7f {
				s.put(r)
			}
		}
	}
	return answers
}

// escape obeys one sequence and returns its length.
func (s *vt) escape(b []byte) (n int, answer string, whole bool) {
	if len(b) < 2 {
		return 0, "", false
	}
	switch b[1] {
	case '[':
	case ']': // a title, until BEL
		if i := strings.IndexByte(string(b), 7); i >= 0 {
			return i + 1, "", true
		}
		return 0, "", false
	case 'D':
		s.down()
		return 2, "", true
	case '7':
		s.savedX, s.savedY = s.x, s.y
		return 2, "", true
	case '8':
		s.x, s.y, s.wrap = s.savedX, s.savedY, false
		return 2, "", true
	default:
		return 2, "", true
	}
	i := 2
	for i < len(b) && (b[i] < 0x40 || b[i] > 0x7e) {
		i++
	}
	if i == len(b) {
		return 0, "", false
	}
	return i + 1, s.control(string(b[2:i]), b[i]), true
}

func (s *vt) control(params string, final byte) (answer string) {
	var nums []int
	for f := range strings.SplitSeq(strings.TrimLeft(params, "?>"), ";") {
		n, err := strconv.Atoi(f)
		if err != nil {
			n = 0
		}
		nums = append(nums, n)
	}
	first := max(nums[0], 1)
	if final != 'm' && final != 'h' && final != 'l' && final != 'n' && final != 'K' && final != 'J' && final != 'q' {
		s.wrap = false
	}
	switch final {
	case 'A':
		s.y = max(0, s.y-first)
	case 'B':
		s.y = min(s.rows-1, s.y+first)
	case 'C':
		s.x = min(s.cols-1, s.x+first)
	case 'D':
		s.x = max(0, s.x-first)
	case 'G':
		s.x = min(s.cols-1, first-1)
	case 'H', 'f':
		column := 1
		if len(nums) > 1 {
			column = max(nums[1], 1)
		}
		s.y, s.x = min(s.rows-1, first-1), min(s.cols-1, column-1)
	case 'J':
		s.eraseScreen(nums[0])
	case 'K':
		s.eraseLine(nums[0])
	case 'P':
		if line := s.lines[s.y]; s.x < len(line) {
			s.lines[s.y] = append(line[:s.x], line[min(len(line), s.x+first):]...)
		}
	case 's':
		s.savedX, s.savedY = s.x, s.y
	case 'u':
		s.x, s.y = s.savedX, s.savedY
	case 'n':
		if nums[0] == 6 {
			return fmt.Sprintf("\x1b[%d;%dR", s.y+1, s.x+1)
		}
	}
	return ""
}

func (s *vt) eraseScreen(how int) {
	switch how {
	case 0:
		s.eraseLine(0)
		for y := s.y + 1; y < s.rows; y++ {
			s.lines[y] = nil
		}
	case 1:
		s.eraseLine(1)
		for y := range s.y {
			s.lines[y] = nil
		}
	default:
		for y := range s.lines {
			s.lines[y] = nil
		}
	}
}

func (s *vt) eraseLine(how int) {
	line := s.lines[s.y]
	switch {
	case how == 0 && s.x < len(line):
		s.lines[s.y] = line[:s.x]
	case how == 1:
		for x := range min(s.x+1, len(line)) {
			line[x] = ' '
		}
	case how == 2:
		s.lines[s.y] = nil
	}
}
