package file

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
)

func TestLinesOfFiles(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		text string
		want []string
	}{
		{"empty file", "", []string{}},
		{"one line", "a\n", []string{"a"}},
		{"no newline at the end", "a\nb", []string{"a", "b"}},
		{"empty lines", "\n\na\n\n", []string{"", "", "a", ""}},
		{"carriage returns stay", "a\r\nb\r\n", []string{"a\r", "b\r"}},
		{"byte order mark stays", "\uFEFFa\n", []string{"\uFEFFa"}},
		{"NUL bytes", "a\x00b\n\x00\n", []string{"a\x00b", "\x00"}},
		{"invalid UTF-8", "\xff\xfe\n", []string{"\xff\xfe"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			plain := write(t, filepath.Join(dir, "in"), tt.text)
			zipped := write(t, filepath.Join(dir, "in.gz"), string(gzipped(t, tt.text)))
			zst := write(t, filepath.Join(dir, "in.ZST"), string(zstded(t, tt.text)))
			for _, path := range []string{plain, zipped, zst} {
				out := readAll(t, newHost(), config(func(c *Config) { c.Path = path }))
				if got := values(out); !slices.Equal(got, tt.want) {
					t.Errorf("%s: got %q, want %q", path, got, tt.want)
				}
			}
		})
	}
}

func zstded(t *testing.T, text string) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	return z.EncodeAll([]byte(text), nil)
}

func TestFilesOfGlobs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"b.txt", "a.txt", "x/c.txt", "x/y/d.txt", "x/y/skip.txt", "other.log", "[e].txt"} {
		write(t, filepath.Join(dir, name), filepath.Base(name)+"\n")
	}
	if err := os.Mkdir(filepath.Join(dir, "folder.txt"), 0o755); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		paths   []string
		exclude []string
		want    string
	}{
		{"a file", []string{"b.txt"}, nil, "b.txt"},
		{"in one folder", []string{"*.txt"}, nil, "[e].txt a.txt b.txt"},
		{"any folder", []string{"**/*.txt"}, []string{"skip.*"}, "[e].txt a.txt b.txt c.txt d.txt"},
		{"either", []string{"{a,b}.txt"}, nil, "a.txt b.txt"},
		{"each once", []string{"b.txt", "*.txt", "./a.txt"}, []string{"[[]e].txt"}, "a.txt b.txt"},
		{"name with brackets", []string{"[e].txt"}, nil, "[e].txt"},
		{"exclude by path", []string{"**/*.txt"}, []string{"**/y/*", "**/[[]e].txt"}, "a.txt b.txt c.txt"},
		{"no match", []string{"*.none"}, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := config(func(c *Config) {
				for _, p := range tt.paths {
					c.Paths = append(c.Paths, dir+"/"+p)
				}
				c.Exclude = tt.exclude
			})
			if got := strings.Join(values(readAll(t, newHost(), c)), " "); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	locked := write(t, filepath.Join(dir, "locked"), "a\n")
	if err := os.Chmod(locked, 0); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, path, want string
		skip             bool
	}{
		{"missing", dir + "/missing", "no such file", false},
		{"folder", dir, "is a directory; name its files with a glob", false},
		{"device", "/dev/null", "is no regular file", false},
		{"not permitted", locked, "permission denied", os.Geteuid() == 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.skip {
				t.Skip("root may read everything")
			}
			_, err := tryReadAll(t, newHost(), config(func(c *Config) { c.Path = tt.path }))
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), tt.path) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestVanishedFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := write(t, filepath.Join(dir, "a.txt"), "a\n")
	gone := write(t, filepath.Join(dir, "b.txt"), "b\n")
	write(t, filepath.Join(dir, "c.txt"), "c\n")
	for _, named := range []bool{false, true} {
		write(t, gone, "b\n")
		c := config(func(c *Config) { c.Path = dir + "/*.txt" })
		if named {
			c.Paths = []string{first, gone}
		}
		in, err := newInput(c, env())
		if err != nil {
			t.Fatal(err)
		}
		if err := in.Open(t.Context(), newHost()); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(gone); err != nil {
			t.Fatal(err)
		}
		var out []got
		var b *engine.Batch
		for err == nil {
			if b, err = in.Read(t.Context()); err == nil {
				out = append(out, take(t, b)...)
			}
		}
		if named != errors.Is(err, fs.ErrNotExist) || !named && (!errors.Is(err, engine.ErrEnd) || len(out) != 2) {
			t.Errorf("named %t: %v after %v", named, err, out)
		}
		if err := in.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestCompressedInPieces(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	two := append(gzipped(t, "a\nb"), gzipped(t, "c\nd\n")...)
	frames := append(zstded(t, "a\nb"), zstded(t, "c\nd\n")...)
	for path, data := range map[string][]byte{dir + "/two.gz": two, dir + "/two.zst": frames} {
		write(t, path, string(data))
		if got := values(readAll(t, newHost(), config(func(c *Config) { c.Path = path }))); !slices.Equal(got, []string{"a", "bc", "d"}) {
			t.Errorf("%s: got %q", path, got)
		}
	}
	plain := write(t, dir+"/plain.gz", "a\n")
	if got := values(readAll(t, newHost(), config(func(c *Config) { c.Path = plain; c.Compression = "none" }))); !slices.Equal(got, []string{"a"}) {
		t.Errorf("compression = none: got %q", got)
	}
}

// A compressed file that is cut at any byte gives whole records, then one
// failure, and nothing more when it is read again.
func TestCompressedCutShort(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	for i := range 40 {
		fmt.Fprintf(&text, "line %d of the file\n", i)
	}
	lines := strings.SplitAfter(text.String(), "\n")
	for suffix, data := range map[string][]byte{".gz": gzipped(t, text.String()), ".zst": zstded(t, text.String())} {
		for cut := 1; cut < len(data); cut += 3 {
			path := write(t, filepath.Join(t.TempDir(), "in"+suffix), string(data[:cut]))
			h := newHost()
			out := readAll(t, h, config(func(c *Config) { c.Path = path }))
			if len(out) == 0 {
				t.Fatalf("%s cut at %d: nothing was read", suffix, cut)
			}
			whole, last := out[:len(out)-1], out[len(out)-1]
			if last.err == "" || !strings.Contains(last.err, path) || !strings.Contains(last.err, "broken at byte") {
				t.Fatalf("%s cut at %d: the last record is %+v", suffix, cut, last)
			}
			for i, g := range whole {
				if g.err != "" || g.value+"\n" != lines[i] {
					t.Fatalf("%s cut at %d: record %d is %+v", suffix, cut, i, g)
				}
			}
			if !strings.HasPrefix(lines[len(whole)], last.value) {
				t.Fatalf("%s cut at %d: the failure holds %q", suffix, cut, last.value)
			}
			if again := readAll(t, h.next(), config(func(c *Config) { c.Path = path })); len(again) > 0 {
				t.Fatalf("%s cut at %d: read again: %v", suffix, cut, again)
			}
		}
	}
}

func TestDamagedCompression(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good := write(t, dir+"/z.txt", "after\n")
	for _, name := range []string{"/no.gz", "/no.zst"} {
		bad := write(t, dir+name, "this is not compressed at all\n")
		out := readAll(t, newHost(), config(func(c *Config) { c.Paths = []string{bad, good} }))
		if len(out) != 2 || out[0].err == "" || out[1].value != "after" || out[1].err != "" {
			t.Errorf("%s: got %+v", name, out)
		}
	}
}

// Reading goes on at the confirmed position, whatever was read behind it.
func TestResume(t *testing.T) {
	t.Parallel()
	rows := "id,text\n1,a\n2,\"b\nc\"\n\nbad\n4,d\n5,e"
	lines := "a\n\nbb\r\nccc\n\n\nd"
	tests := []struct {
		name, file string
		data       []byte
		edit       func(*Config)
	}{
		{"lines", "in.txt", []byte(lines), func(*Config) {}},
		{"gzip", "in.gz", gzipped(t, lines), func(*Config) {}},
		{"zstd", "in.zst", zstded(t, lines), func(*Config) {}},
		{"csv", "in.csv", []byte(rows), func(c *Config) { c.Format = "csv" }},
		{"csv gzip", "in.csv.gz", gzipped(t, rows), func(c *Config) { c.Format = "csv" }},
		{"multiline", "in.log", []byte("#a\nb\n#c\n#d\ne\n#f"), func(c *Config) { c.Multiline = multilineBlock("^#", 0) }},
		{"whole", "in.bin", []byte(lines), func(c *Config) { c.Format = "whole" }},
		{"whole and empty", "in.bin", nil, func(c *Config) { c.Format = "whole" }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := write(t, filepath.Join(t.TempDir(), tt.file), string(tt.data))
			c := config(func(c *Config) { c.Path = path; tt.edit(c) })
			first := newHost()
			first.limits.Records = 1
			want := readAll(t, first, c)
			if len(want) == 0 {
				t.Fatal("nothing was read")
			}
			for stop := range len(want) + 1 {
				h := newHost()
				h.limits.Records = 1
				in, err := newInput(c, env())
				if err != nil {
					t.Fatal(err)
				}
				if err := in.Open(t.Context(), h); err != nil {
					t.Fatal(err)
				}
				var got []got
				for i := range min(stop+2, len(want)) {
					b, err := in.Read(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					if i < stop {
						got = append(got, take(t, b)...)
					}
				}
				if err := in.Close(t.Context()); err != nil {
					t.Fatal(err)
				}
				got = append(got, readAll(t, h.next(), c)...)
				if !slices.Equal(got, want) {
					t.Errorf("after %d records:\n got %q\nwant %q", stop, got, want)
				}
			}
		})
	}
}

func TestFileThatChangedBetweenRuns(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(t *testing.T, path string)
		want   []string
	}{
		{"untouched", func(*testing.T, string) {}, []string{}},
		{"appended to", func(t *testing.T, path string) { add(t, path, "c\n") }, []string{"c"}},
		{"replaced", func(t *testing.T, path string) {
			write(t, path+".new", "a\nb\nc\n")
			rename(t, path+".new", path)
		}, []string{"a", "b", "c"}},
		{"rewritten", func(t *testing.T, path string) { write(t, path, "x\ny\nz\n") }, []string{"x", "y", "z"}},
		{"truncated", func(t *testing.T, path string) { write(t, path, "a\n") }, []string{"a"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := write(t, filepath.Join(t.TempDir(), "in"), "a\nb\n")
			c := config(func(c *Config) { c.Path = path })
			h := newHost()
			readAll(t, h, c)
			tt.change(t, path)
			if got := values(readAll(t, h.next(), c)); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestPositionOfAnotherKind(t *testing.T) {
	t.Parallel()
	path := write(t, filepath.Join(t.TempDir(), "in"), "a\nb\n")
	for _, state := range []string{"", "x", "1:2", "a:1:b", "1:1:x:y", "1:-1:x", "1:99999999:x"} {
		h := newHost()
		h.stored[path] = engine.Position{Offset: 2, State: state}
		if got := values(readAll(t, h, config(func(c *Config) { c.Path = path }))); len(got) != 2 {
			t.Errorf("state %q: got %q", state, got)
		}
	}
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	path := write(t, filepath.Join(t.TempDir(), "in.txt"), "a\nbc\nd\n")
	in, err := newInput(config(func(c *Config) { c.Path = path; c.Timestamp = "mtime" }), env())
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Open(t.Context(), newHost()); err != nil {
		t.Fatal(err)
	}
	b, err := in.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	m := b.Source().Info().Meta
	if m["path"] != path || m["file"] != "in.txt" || m["input"] != "input.file.in" {
		t.Errorf("meta %v", m)
	}
	if b.Origin(1) != path+"@2" || b.Offset(2) != 5 || b.Timestamps[2] != info.ModTime().UnixNano() {
		t.Errorf("origin %s, offset %d, timestamp %d", b.Origin(1), b.Offset(2), b.Timestamps[2])
	}
	b.Done()
	b.Release()
	if p := in.(engine.Progresser).Progress(); p.Done != 7 || p.Total != 7 {
		t.Errorf("progress %+v", p)
	}
	if err := in.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestProgressOfCompressedFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	total := int64(0)
	for i := range 3 {
		data := gzipped(t, strings.Repeat("line\n", 1000*i))
		total += int64(len(data))
		write(t, fmt.Sprintf("%s/%d.gz", dir, i), string(data))
	}
	h := newHost()
	c := config(func(c *Config) { c.Path = dir + "/*.gz" })
	for range 2 {
		in, err := newInput(c, env())
		if err != nil {
			t.Fatal(err)
		}
		if err := in.Open(t.Context(), h); err != nil {
			t.Fatal(err)
		}
		for {
			b, err := in.Read(t.Context())
			if err != nil {
				break
			}
			take(t, b)
		}
		if p := in.(engine.Progresser).Progress(); p.Done != total || p.Total != total {
			t.Errorf("progress %+v, want %d", p, total)
		}
		if err := in.Close(t.Context()); err != nil {
			t.Error(err)
		}
		h = h.next()
	}
}

// A line of 50 MB is one failed record, and its neighbours are whole.
func TestGiantLine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "in.gz")
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	for _, part := range []string{"before\n", strings.Repeat("x", 50<<20), "\nafter\n"} {
		if _, err := z.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, path, buf.String())
	out := readAll(t, newHost(), config(func(c *Config) { c.Path = path }))
	if len(out) != 3 || out[0].value != "before" || out[2].value != "after" || out[2].err != "" {
		t.Fatalf("%d records", len(out))
	}
	if out[1].err == "" || out[1].origin != "in.gz@7" || len(out[1].value) > 64<<10 || !strings.HasPrefix(out[1].value, "xxxx") {
		t.Errorf("the giant line: %q at %s with %d bytes", out[1].err, out[1].origin, len(out[1].value))
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		edit func(*Config)
		want string
	}{
		{"fine", func(*Config) {}, ""},
		{"no path", func(c *Config) { c.Path = "" }, ":no path"},
		{"bad globs", func(c *Config) { c.Paths = []string{"a["}; c.Exclude = []string{"{b"} }, "paths:invalid glob exclude:invalid glob"},
		{"whole and tail", func(c *Config) { c.Format = "whole"; c.Mode = "tail" }, "mode:a whole file cannot be followed"},
		{"gzip and tail", func(c *Config) { c.Compression = "gzip"; c.Mode = "tail" }, "mode:a compressed file cannot be followed"},
		{"tail's options in batch", func(c *Config) { c.Start = "end"; c.PartialTimeout = 1 }, "start:start is for tail partial_timeout:partial_timeout is for tail"},
		{"CSV options for lines", func(c *Config) { c.Header = false; c.Types = map[string]string{"a": "int"}; c.LazyQuotes = true }, "header:header is for CSV types:types is for CSV lazy_quotes:lazy_quotes is for CSV"},
		{"line options for CSV", func(c *Config) { c.Format = "csv"; c.StripCR = true; c.Multiline = multilineBlock("x", 0) }, "multiline:multiline joins lines strip_cr:strip_cr is for lines"},
		{"CSV without names", func(c *Config) { c.Format = "csv"; c.Header = false }, "columns:the columns have no names"},
		{"CSV delimiter", func(c *Config) { c.Format = "csv"; c.Delimiter = ";;" }, "delimiter:invalid delimiter"},
		{"CSV types", func(c *Config) {
			c.Format = "csv"
			c.Columns = []string{"a", "a"}
			c.Types = map[string]string{"b": "number"}
		}, "types:unknown column type types:type for an unknown column columns:invalid columns"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := config(func(c *Config) { c.Path = "in"; tt.edit(c) })
			var got []string
			for _, p := range c.Validate() {
				got = append(got, p.Option+":"+p.Summary)
				if p.Detail == "" {
					t.Errorf("%s has no remedy", p.Summary)
				}
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("got %q, want %q", s, tt.want)
			}
		})
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := write(t, dir+"/a.jsonl", "{\"n\":1}\n{\"n\":2}\n\n{\"n\":4}\n")
	b := write(t, dir+"/b.jsonl", "{\"n\":5}\r\n{\"n\":6}")
	long := strings.Repeat("x", 100)
	d := write(t, dir+"/d.csv", "x,y\n1,2\n3\n4,5\n\""+long+long+"\",1\n6,7\n")
	rec := func(source, value string, failed bool) enginetest.Record {
		r := enginetest.Record{Source: source, Value: []byte(value)}
		if failed {
			r.Failure.Reason = errors.New("any")
		}
		return r
	}
	lines := []enginetest.Record{
		rec(a, `{"n":1}`, false), rec(a, `{"n":2}`, false), rec(a, ``, false), rec(a, `{"n":4}`, false),
		rec(b, "{\"n\":5}\r", false), rec(b, `{"n":6}`, false),
	}
	rows := []enginetest.Record{
		rec(d, `{"x":"1","y":"2"}`, false), rec(d, `3`, true), rec(d, `{"x":"4","y":"5"}`, false),
		rec(d, "\""+long[:99], true), rec(d, `{"x":"6","y":"7"}`, false),
	}
	tests := []struct {
		name string
		edit func(*Config)
		want []enginetest.Record
		tail bool
	}{
		{"lines", func(c *Config) { c.Path = dir + "/*.jsonl" }, lines, false},
		{"csv", func(c *Config) { c.Path = d; c.Format = "csv"; c.MaxRecord = 100 }, rows, false},
		{"tail", func(c *Config) { c.Path = dir + "/*.jsonl" }, lines[:5], true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			enginetest.RunInput(t, enginetest.InputCase{
				New: func(t *testing.T) engine.Input {
					c := config(tt.edit)
					if tt.tail {
						c.Mode = "tail"
					}
					in, err := Factory().New(c, enginetest.Env(t, "input.file.in"))
					if err != nil {
						t.Fatal(err)
					}
					return in
				},
				Want: tt.want, OneOrder: !tt.tail, Unbounded: tt.tail,
			})
		})
	}
}
