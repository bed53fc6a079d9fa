package file

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flowrecords/flow/engine"
)

// follower is a tail input at work. Time is that of the synctest bubble.
type follower struct {
	t    *testing.T
	in   engine.Input
	h    *host
	held []*engine.Batch // read with hold, not confirmed
	hold bool
}

func follow(t *testing.T, h *host, edit func(*Config)) *follower {
	t.Helper()
	c := config(func(c *Config) { c.Mode = "tail"; edit(c) })
	if ps := c.Validate(); len(ps) > 0 {
		t.Fatalf("Validate: %v", ps)
	}
	in, err := newInput(c, env())
	if err != nil {
		t.Fatal(err)
	}
	in.(*input).watch = nil // what waits for the system never stands still in a bubble
	if err := in.Open(t.Context(), h); err != nil {
		t.Fatalf("Open: %v", err)
	}
	return &follower{t: t, in: in, h: h}
}

func (f *follower) stop() {
	f.t.Helper()
	if err := f.in.Close(f.t.Context()); err != nil {
		f.t.Errorf("Close: %v", err)
	}
}

// read reads for a while and returns all that came.
func (f *follower) read(d time.Duration) []got {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), d)
	defer cancel()
	var out []got
	for {
		b, err := f.in.Read(ctx)
		if err != nil {
			if ctx.Err() == nil {
				f.t.Fatalf("Read: %v", err)
			}
			return out
		}
		if f.hold {
			for i := range b.Len() {
				out = append(out, got{value: string(b.Value.At(i))})
			}
			f.held = append(f.held, b)
			continue
		}
		out = append(out, take(f.t, b)...)
	}
}

// want reads for three seconds and compares.
func (f *follower) want(lines ...string) {
	f.t.Helper()
	got := values(f.read(3 * time.Second))
	if !slices.Equal(got, lines) {
		f.t.Errorf("got %q, want %q", got, lines)
	}
}

func add(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// bubble runs f with a path in time of its own.
func bubble(t *testing.T, f func(t *testing.T, log string)) {
	t.Helper()
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) { f(t, filepath.Join(dir, "app.log")) })
}

func TestTailGrowth(t *testing.T) {
	bubble(t, func(t *testing.T, log string) {
		f := follow(t, newHost(), func(c *Config) { c.Path = log })
		defer f.stop()
		f.want()
		add(t, log, "a\nb")
		f.want("a")
		add(t, log, "c\n\n")
		f.want("bc", "")
		add(t, log, strings.Repeat("x\n", 5000))
		if n := len(f.read(time.Second)); n != 5000 {
			t.Errorf("%d records of 5000", n)
		}
	})
}

func TestTailPartialTimeout(t *testing.T) {
	bubble(t, func(t *testing.T, log string) {
		f := follow(t, newHost(), func(c *Config) { c.Path = log; c.PartialTimeout = 5 * time.Second })
		defer f.stop()
		add(t, log, "a\nb")
		f.want("a")
		if got := values(f.read(5 * time.Second)); !slices.Equal(got, []string{"b"}) {
			t.Errorf("got %q after the timeout", got)
		}
		add(t, log, "c\n")
		f.want("c")
	})
}

func TestTailMultiline(t *testing.T) {
	bubble(t, func(t *testing.T, log string) {
		f := follow(t, newHost(), func(c *Config) {
			c.Path = log
			c.Multiline = multilineBlock("^#", 5*time.Second)
		})
		defer f.stop()
		add(t, log, "#a\nb\n#c\nd\n#piece")
		f.want("#a\nb")
		if got := values(f.read(5 * time.Second)); !slices.Equal(got, []string{"#c\nd"}) {
			t.Errorf("got %q after the timeout", got)
		}
		f.want()
		add(t, log, "\n#e\n")
		f.want("#piece")
		if got := values(f.read(5 * time.Second)); !slices.Equal(got, []string{"#e"}) {
			t.Errorf("got %q after the timeout", got)
		}
	})
}

func TestTailRotationOutOfTheGlob(t *testing.T) {
	bubble(t, func(t *testing.T, log string) {
		h := newHost()
		f := follow(t, h, func(c *Config) { c.Path = log })
		add(t, log, "a\n")
		f.want("a")
		rename(t, log, log+".1")
		add(t, log+".1", "b\n")
		f.want("b")
		write(t, log, "")
		add(t, log+".1", "c\nd")
		f.want("c") // the new file is empty: the program still writes to the old one
		add(t, log, "e\n")
		f.want("d", "e")
		f.stop()
		f = follow(t, h.next(), func(c *Config) { c.Path = log })
		defer f.stop()
		f.want()
	})
}

// TestTailRotatedTwice: a file that came and went between two looks, while
// flow was stopped or waited for its outputs, is read in its place.
func TestTailRotatedTwice(t *testing.T) {
	for _, stopped := range []bool{false, true} {
		t.Run(fmt.Sprintf("stopped %v", stopped), func(t *testing.T) {
			bubble(t, func(t *testing.T, log string) {
				h := newHost()
				path := func(c *Config) { c.Path = log }
				f := follow(t, h, path)
				add(t, log, "a\n")
				f.want("a")
				if stopped {
					f.stop()
				}
				old := log
				for i, text := range []string{"b\n", "c\n", "d\n"} {
					add(t, log, text)
					rotate(t, log, 4)
					at := time.Now().Add(time.Duration(i-10) * time.Second)
					if err := os.Chtimes(log+".1", at, at); err != nil {
						t.Fatal(err)
					}
				}
				write(t, log+".bak", "no rotation\n")
				write(t, old, "e\n")
				if stopped {
					h = h.next()
					f = follow(t, h, path)
				}
				f.want("b", "c", "d", "e")
				f.stop()
				f = follow(t, h.next(), path)
				defer f.stop()
				f.want()
			})
		})
	}
}

func TestTailRotationWithinTheGlob(t *testing.T) {
	bubble(t, func(t *testing.T, log string) {
		h := newHost()
		glob := func(c *Config) { c.Path = log + "*" }
		f := follow(t, h, glob)
		add(t, log, "a\n")
		f.want("a")
		for i := range 3 {
			rotate(t, log, 3)
			add(t, log, fmt.Sprintf("n%d\n", i))
			add(t, log+".1", fmt.Sprintf("o%d\n", i))
			got := values(f.read(3 * time.Second))
			slices.Sort(got)
			if want := []string{fmt.Sprintf("n%d", i), fmt.Sprintf("o%d", i)}; !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		f.stop()
		f = follow(t, h.next(), glob)
		defer f.stop()
		f.want()
	})
}

// rotate renames path.n-1 to path.n and so on, path to path.1.
func rotate(t *testing.T, path string, keep int) {
	t.Helper()
	for i := keep - 1; i >= 0; i-- {
		from := path
		if i > 0 {
			from = fmt.Sprintf("%s.%d", path, i)
		}
		if _, err := os.Stat(from); err == nil {
			rename(t, from, fmt.Sprintf("%s.%d", path, i+1))
		}
	}
}

func TestTailSwappedNames(t *testing.T) {
	bubble(t, func(t *testing.T, log string) {
		h := newHost()
		glob := func(c *Config) { c.Path = log + "*" }
		add(t, log+".x", "x\n")
		add(t, log+".y", "y\n")
		f := follow(t, h, glob)
		f.want("x", "y")
		rename(t, log+".x", filepath.Join(filepath.Dir(log), "away"))
		rename(t, log+".y", log+".x")
		rename(t, filepath.Join(filepath.Dir(log), "away"), log+".y")
		f.want()
		add(t, log+".x", "y2\n")
		f.want("y2")
		add(t, log+".y", "x2\n")
		f.want("x2")
		f.stop()
		f = follow(t, h.next(), glob)
		defer f.stop()
		f.want()
	})
}

// Records of a renamed file wait until those read under its old name are
// confirmed.
func TestTailRenameWaitsForConfirmation(t *testing.T) {
	bubble(t, func(t *testing.T, log string) {
		h := newHost()
		glob := func(c *Config) { c.Path = log + "*" }
		f := follow(t, h, glob)
		f.hold = true
		add(t, log, "a\n")
		f.want("a")
		rename(t, log, log+".1")
		add(t, log+".1", "b\n")
		f.want()
		crashed := follow(t, h.next(), glob)
		crashed.want("a", "b")
		crashed.stop()
		for _, b := range f.held {
			b.Done()
			b.Release()
		}
		f.hold = false
		f.want("b")
		f.stop()
		again := follow(t, h.next(), glob)
		defer again.stop()
		again.want()
	})
}

func TestTailTruncation(t *testing.T) {
	tests := []struct {
		name   string
		before string
		after  string
		want   []string
	}{
		{"shorter", "aaaa\nbbbb\n", "c\n", []string{"c"}},
		{"empty", "aaaa\n", "", nil},
		{"longer than before", "a\n", "cccc\ndddd\n", []string{"cccc", "dddd"}},
		{"as long as before", "aa\n", "bb\n", []string{"bb"}},
		{"with a piece pending", "aa\npiece", "b\n", []string{"b"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, log string) {
				h := newHost()
				f := follow(t, h, func(c *Config) { c.Path = log })
				add(t, log, tt.before)
				if len(f.read(3*time.Second)) == 0 {
					t.Error("nothing was read before")
				}
				copied, err := os.ReadFile(log)
				if err != nil {
					t.Fatal(err)
				}
				write(t, log+".copy", string(copied))
				write(t, log, tt.after) // the same inode
				if err := os.Chtimes(log, time.Time{}, time.Now().Add(time.Hour)); err != nil {
					t.Fatal(err)
				}
				f.want(tt.want...)
				add(t, log, "more\n")
				f.want("more")
				f.stop()
				f = follow(t, h.next(), func(c *Config) { c.Path = log })
				defer f.stop()
				f.want()
			})
		})
	}
}

func TestTailFindsFiles(t *testing.T) {
	bubble(t, func(t *testing.T, log string) {
		dir := filepath.Dir(log)
		f := follow(t, newHost(), func(c *Config) { c.Path = dir + "/**/*.log"; c.Exclude = []string{"skip*"} })
		defer f.stop()
		write(t, filepath.Join(dir, "a.log"), "a\n")
		write(t, filepath.Join(dir, "x/y/b.log"), "b\n")
		write(t, filepath.Join(dir, "skip.log"), "c\n")
		f.want("a", "b")
		if err := os.Remove(filepath.Join(dir, "a.log")); err != nil {
			t.Fatal(err)
		}
		f.want()
		write(t, filepath.Join(dir, "a.log"), "new\n")
		f.want("new")
	})
}

func TestTailForgetsFilesThatAreGone(t *testing.T) {
	bubble(t, func(t *testing.T, log string) {
		f := follow(t, newHost(), func(c *Config) { c.Path = log + "*" })
		defer f.stop()
		for i := range 20 {
			write(t, fmt.Sprintf("%s.%d", log, i), "x\ny")
		}
		if n := len(f.read(3 * time.Second)); n != 20 {
			t.Errorf("%d records, want 20", n)
		}
		for i := range 20 {
			if err := os.Remove(fmt.Sprintf("%s.%d", log, i)); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(f.read(2 * goneQuiet)); n != 20 {
			t.Errorf("%d last lines without newline, want 20", n)
		}
		if n := len(f.in.(*input).tail.slots); n != 0 {
			t.Errorf("%d files that are gone are remembered", n)
		}
	})
}

func TestTailStartsAtTheEnd(t *testing.T) {
	bubble(t, func(t *testing.T, log string) {
		h := newHost()
		end := func(c *Config) { c.Path = log + "*"; c.Start = "end" }
		add(t, log, "old\n")
		f := follow(t, h, end)
		f.want()
		f.stop()
		add(t, log, "new\n")
		f = follow(t, h.next(), end)
		defer f.stop()
		f.want("new")
		add(t, log+".2", "later\n")
		f.want("later")
	})
}

func TestTailRotatedWhileStopped(t *testing.T) {
	tests := []struct {
		name string
		glob string
		want []string
	}{
		{"out of the glob", "", []string{"b", "c"}},
		{"within the glob", "*", []string{"c", "b"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, log string) {
				h := newHost()
				glob := func(c *Config) { c.Path = log + tt.glob }
				f := follow(t, h, glob)
				add(t, log, "a\n")
				f.want("a")
				f.stop()
				add(t, log, "b\n")
				rename(t, log, log+".1")
				write(t, log, "c\n")
				for range 2 {
					h = h.next()
					f = follow(t, h, glob)
					f.want(tt.want...)
					f.stop()
					tt.want = nil
				}
			})
		})
	}
}

func TestTailCompressedFileOnce(t *testing.T) {
	bubble(t, func(t *testing.T, log string) {
		h := newHost()
		glob := func(c *Config) { c.Path = log + "*" }
		f := follow(t, h, glob)
		whole := gzipped(t, "a\nb\nc")
		write(t, log+".gz", string(whole[:10]))
		f.want()
		write(t, log+".gz", string(whole))
		f.want()
		f.want("a", "b", "c")
		f.want()
		f.stop()
		f = follow(t, h.next(), glob)
		defer f.stop()
		if got := values(f.read(20 * time.Second)); len(got) > 0 {
			t.Errorf("read again: %q", got)
		}
	})
}

func TestTailRoundRobin(t *testing.T) {
	bubble(t, func(t *testing.T, log string) {
		for _, n := range []string{".a", ".b"} {
			write(t, log+n, strings.Repeat(n+"\n", 5000))
		}
		f := follow(t, newHost(), func(c *Config) { c.Path = log + "*" })
		defer f.stop()
		got := values(f.read(time.Second))
		if len(got) != 10000 {
			t.Fatalf("%d records, want 10000", len(got))
		}
		if first := slices.Index(got, ".b"); first > 1000 {
			t.Errorf("the second file's turn came after %d records", first)
		}
	})
}

// A writer that appends and rotates at random, and a reader that is killed at
// random: every line is read, and none twice that was confirmed.
func TestTailModel(t *testing.T) {
	for seed := range uint64(20) {
		for _, suffix := range []string{"", "*"} {
			t.Run(fmt.Sprintf("seed %d%s", seed, suffix), func(t *testing.T) {
				bubble(t, func(t *testing.T, log string) {
					r := rand.New(rand.NewPCG(seed, 1))
					h := newHost()
					glob := func(c *Config) { c.Path = log + suffix }
					f := follow(t, h, glob)
					written, seen := 0, map[string]int{}
					step := func() {
						for _, g := range f.read(time.Duration(r.IntN(5000)) * time.Millisecond) {
							seen[g.value]++
						}
					}
					for range 60 {
						switch r.IntN(6) {
						case 0, 1:
							add(t, log, fmt.Sprintf("line %d\n", written))
							written++
						case 2:
							add(t, log, fmt.Sprintf("line %d\nline %d\n", written, written+1))
							written += 2
						case 3:
							step()
						case 4:
							// The old one is read before another follows:
							// what is rotated twice meanwhile has no name
							// that is known.
							for range 3 {
								for _, g := range f.read(3 * time.Second) {
									seen[g.value]++
								}
							}
							if _, err := os.Stat(log); err == nil {
								rotate(t, log, 100)
							}
						case 5:
							f.stop()
							h = h.next()
							f = follow(t, h, glob)
						}
					}
					add(t, log, "the end\n")
					for range 3 {
						for _, g := range f.read(5 * time.Second) {
							seen[g.value]++
						}
					}
					f.stop()
					for i := range written {
						if n := seen[fmt.Sprintf("line %d", i)]; n != 1 {
							t.Errorf("line %d was read %d times", i, n)
						}
					}
					if seen["the end"] != 1 || len(seen) != written+1 {
						t.Errorf("%d lines read, %d written", len(seen), written+1)
					}
				})
			})
		}
	}
}
