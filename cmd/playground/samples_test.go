package playground

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
)

// readAll lists records, and the errors between them as "! N".
func readAll(t testing.TB, s *Samples) []string {
	t.Helper()
	var out []string
	for {
		b, err := s.Next()
		var bad *BadRecord
		switch {
		case errors.Is(err, io.EOF):
			return out
		case errors.As(err, &bad):
			out = append(out, "! "+bad.Error())
		case err != nil:
			return append(out, "!! "+err.Error())
		default:
			out = append(out, string(b))
		}
		if len(out) > 100_000 {
			t.Fatal("no end")
		}
	}
}

func TestSamples(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, in string
		each     bool
		want     []string
	}{
		{"nothing", " \n\t", false, nil},
		{"lines", "{\"a\":1}\n{\"a\":2}\r\n\n3\n", false, []string{`{"a":1}`, `{"a":2}`, "3"}},
		{"one behind the other", `{"a":1}{"a":2} 3 "x"[4]null`, false, []string{`{"a":1}`, `{"a":2}`, "3", `"x"`, "[4]", "null"}},
		{"over lines", "{\n \"a\": [\n1]\n}\n{\"b\"\n:2}", false, []string{"{\n \"a\": [\n1]\n}", "{\"b\"\n:2}"}},
		{"each", "[1, {\"a\":2},\n[3]] 4 [] [5]", true, []string{"1", `{"a":2}`, "[3]", "4", "5"}},
		{"an array alone", "[1,2]", false, []string{"[1,2]"}},
		{"a line cut short", "1\n{\"a\":\n{\"a\":2}\n", false, []string{"1", "! record 2: invalid JSON: unexpected end looking for a value at byte 5", `{"a":2}`}},
		{"the first line is bad", "nope\n1\n", false, []string{"! record 1: ", "1"}},
		{"garbage behind a value", "1\n2 x\n3\n", false, []string{"1", "2", "! record 3: ", "3"}},
		{"a closing bracket", "1\n}\n2", false, []string{"1", "! record 2: ", "2"}},
		{"cut at the end", "1\n[2", false, []string{"1", "! record 2: "}},
		{"in the middle of a document", "{\n\"a\": nope,\n\"b\": 1\n}\n{}", false, []string{"! record 1: "}},
		{"in the middle of an array", "[1, nope, 3]\n4", true, []string{"1", "! record 2: "}},
		{"text that is not UTF-8", "\"\xff\"\n1\n", false, []string{"! record 1: ", "1"}},
		{"a byte order mark", "\ufeff1\n2\n", false, []string{"! record 1: ", "2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, r := range []io.Reader{strings.NewReader(c.in), iotest.OneByteReader(strings.NewReader(c.in))} {
				s := NewSamples(r)
				s.Each = c.each
				got := readAll(t, s)
				if len(got) != len(c.want) {
					t.Fatalf("got %q, want %q", got, c.want)
				}
				for i := range got {
					if got[i] != c.want[i] && (!strings.HasPrefix(c.want[i], "!") || !strings.HasPrefix(got[i], c.want[i])) {
						t.Errorf("%d: got %q, want %q", i, got[i], c.want[i])
					}
				}
			}
		})
	}
}

// TestSamplesBounded: a value beyond the limit is refused without being held,
// whatever comes behind it (Invariant 5).
func TestSamplesBounded(t *testing.T) {
	t.Parallel()
	long := `"` + strings.Repeat("x", limits.RecordBytes+3*slack) + "\"\n"
	got := readAll(t, NewSamples(strings.NewReader("1\n"+long+"2\n")))
	if len(got) != 3 || got[0] != "1" || !strings.Contains(got[1], "longer than 16 MiB") || got[2] != "2" {
		t.Errorf("got %.200q", got)
	}
	endless := NewSamples(io.MultiReader(strings.NewReader("["), endlessZeros{}))
	endless.Each = true
	for range 100_000 {
		if _, err := endless.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if n := cap(endless.buf); n > 4<<20 {
		t.Errorf("%d bytes are held of an endless array", n)
	}
}

type endlessZeros struct{}

func (endlessZeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = "0,"[i%2]
	}
	return len(p) &^ 1, nil
}

// TestSamplesWaits: what lies ready is given out before a read that may block.
func TestSamplesWaits(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	s := NewSamples(r)
	waits := 0
	s.Waiting = func() { waits++ }
	go func() {
		_, _ = w.Write([]byte("1\n2\n"))
		_ = w.Close()
	}()
	if got := readAll(t, s); len(got) != 2 {
		t.Fatalf("got %q", got)
	}
	if waits < 2 {
		t.Errorf("asked %d times", waits)
	}
}

func TestSamplesError(t *testing.T) {
	t.Parallel()
	s := NewSamples(io.MultiReader(strings.NewReader("1\n"), iotest.ErrReader(errors.New("the disk is gone"))))
	if got := readAll(t, s); len(got) != 2 || got[1] != "!! reading records: the disk is gone" {
		t.Errorf("got %q", got)
	}
}

// FuzzSamples: no input panics or hangs, each record is valid JSON, and valid
// input gives what encoding/json gives.
func FuzzSamples(f *testing.F) {
	for _, seed := range []string{"1 2\n{}", "[1,\n2]", "{\"a\":\n{\"b\":1}\n2", "nope\n\"x", "[[1],[2]] 3", "\xff\n1"} {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	f.Fuzz(func(t *testing.T, in []byte, each bool) {
		s := NewSamples(bytes.NewReader(in))
		s.Each = each
		got := readAll(t, s)
		clean := true
		for _, g := range got {
			if strings.HasPrefix(g, "!") {
				clean = false
			} else if err := record.ValidateJSON([]byte(g)); err != nil {
				t.Errorf("%q: %v", g, err)
			}
		}
		if each || !clean {
			return
		}
		d := json.NewDecoder(bytes.NewReader(in))
		for i := 0; ; i++ {
			var raw json.RawMessage
			if err := d.Decode(&raw); errors.Is(err, io.EOF) {
				if i != len(got) {
					t.Errorf("%d records, want %d", len(got), i)
				}
				return
			} else if err != nil {
				t.Fatalf("no error was found in %q: %v", in, err)
			}
			if i >= len(got) || string(raw) != got[i] {
				t.Fatalf("record %d of %q: %q", i, in, got)
			}
		}
	})
}
