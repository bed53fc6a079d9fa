package stdin

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open makes an input over a pipe and returns the pipe's other end.
func open(t *testing.T, l engine.BatchLimits, edit func(*Config)) (engine.Input, *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c := Defaults().(*Config)
	edit(c)
	if ps := c.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	in, err := newInput(c, enginetest.Env(t, "input.stdin.in"), r)
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Open(t.Context(), enginetest.NewHost(l)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = w.Close() // may be closed by the test
		if err := in.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
		if err := r.Close(); err != nil {
			t.Errorf("the input closed standard input: %v", err)
		}
	})
	return in, w
}

func send(t *testing.T, w *os.File, text string) {
	t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
}

// next returns the values of the next batch, nil at the end.
func next(t *testing.T, in engine.Input) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	b, err := in.Read(ctx)
	if errors.Is(err, engine.ErrEnd) {
		return nil
	}
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	var out []string
	for _, r := range enginetest.Records(b) {
		s := string(r.Value)
		if r.Failure.Reason != nil {
			s = "!" + s
		}
		out = append(out, s)
	}
	b.Done()
	b.Release()
	return out
}

func TestFormats(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		edit func(*Config)
		in   string
		want []string
	}{
		{"nothing", func(*Config) {}, "", nil},
		{"lines", func(*Config) {}, "a\n\nb", []string{"a", "", "b"}},
		{"csv", func(c *Config) { c.Format = "csv" }, "a,b\n1,\"2\n3\"\nbad\n4,5", []string{`{"a":"1","b":"2\n3"}`, "!bad", `{"a":"4","b":"5"}`}},
		{"whole", func(c *Config) { c.Format = "whole" }, "a\nb\n", []string{"a\nb\n"}},
		{"too long", func(c *Config) { c.MaxRecord = 10 }, strings.Repeat("x", 50) + "\na\n", []string{"!" + strings.Repeat("x", 10), "a"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in, w := open(t, engine.BatchLimits{}, tt.edit)
			send(t, w, tt.in)
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			var got []string
			for b := next(t, in); b != nil; b = next(t, in) {
				got = append(got, b...)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if b := next(t, in); b != nil {
				t.Errorf("after the end: %q", b)
			}
		})
	}
}

// What has arrived is delivered although more may come.
func TestDeliversWhatIsThere(t *testing.T) {
	t.Parallel()
	in, w := open(t, engine.BatchLimits{}, func(*Config) {})
	send(t, w, "a\nb\npie")
	if got := next(t, in); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("got %q", got)
	}
	send(t, w, "ce\n")
	if got := next(t, in); !slices.Equal(got, []string{"piece"}) {
		t.Errorf("got %q", got)
	}
}

func TestLingerFillsTheBatch(t *testing.T) {
	t.Parallel()
	in, w := open(t, engine.BatchLimits{Records: 2, Linger: time.Hour}, func(*Config) {})
	send(t, w, "a\n")
	go func() {
		_, _ = io.WriteString(w, "b\n") // a failure shows as a batch that never fills
	}()
	if got := next(t, in); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("got %q", got)
	}
}

func TestMultilineTimeout(t *testing.T) {
	t.Parallel()
	in, w := open(t, engine.BatchLimits{}, func(c *Config) {
		c.Multiline = multiline("^#", 10*time.Millisecond)
	})
	send(t, w, "#a\nb\n#c\nd\npie")
	for _, want := range []string{"#a\nb", "#c\nd"} {
		if got := next(t, in); !slices.Equal(got, []string{want}) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := in.Read(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v for the piece of a line", err)
	}
	send(t, w, "ce\n")
	if got := next(t, in); !slices.Equal(got, []string{"piece"}) {
		t.Errorf("got %q", got)
	}
}

// Nothing is left behind in a read when the context ends.
func TestReadIsInterrupted(t *testing.T) {
	t.Parallel()
	in, w := open(t, engine.BatchLimits{}, func(*Config) {})
	send(t, w, "piece")
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	start := time.Now()
	if _, err := in.Read(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if d := time.Since(start); d > time.Second {
		t.Errorf("Read returned %s after its context ended", d)
	}
	send(t, w, " and rest\n")
	if got := next(t, in); !slices.Equal(got, []string{"piece and rest"}) {
		t.Errorf("got %q", got)
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	enginetest.RunInput(t, enginetest.InputCase{
		New: func(t *testing.T) engine.Input {
			path := t.TempDir() + "/in"
			if err := os.WriteFile(path, []byte("a\nb\n\nc"), 0o644); err != nil {
				t.Fatal(err)
			}
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := f.Close(); err != nil {
					t.Error(err)
				}
			})
			in, err := newInput(Defaults(), enginetest.Env(t, "input.stdin.in"), f)
			if err != nil {
				t.Fatal(err)
			}
			return in
		},
		Want: []enginetest.Record{
			{Source: "stdin", Value: []byte("a")}, {Source: "stdin", Value: []byte("b")},
			{Source: "stdin", Value: []byte{}}, {Source: "stdin", Value: []byte("c")},
		},
		Forgets: true, OneOrder: true,
	})
}
