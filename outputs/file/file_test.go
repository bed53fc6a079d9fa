package file

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/record"
)

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		child()
		return
	}
	goleak.VerifyTestMain(m)
}

func TestWrite(t *testing.T) {
	t.Parallel()
	holes := func() *engine.Batch { // as after a filter
		b := batchOf("1", "2", "3", "4", "5")
		b.Value.Spans = append(b.Value.Spans[1:3], b.Value.Spans[4])
		return b
	}
	nulls := func() *engine.Batch {
		b := batchOf("1", "2")
		b.Value.Spans = []engine.Span{b.Value.Spans[0], engine.NullSpan, b.Value.Spans[1]}
		return b
	}
	loose := func() *engine.Batch {
		b := batchOf(`{"a":1}`, "{\n \"a\" : \"x\\ny\" }", "")
		b.Value.Lines = false
		return b
	}
	text := func() *engine.Batch { return keyed("k=one\ntwo", "k=three") }
	empty := func() *engine.Batch { return engine.NewBatch() }
	tests := []struct {
		name    string
		edit    func(*Config)
		batch   func() *engine.Batch
		want    string
		refused int
		skipped int64
	}{
		{name: "lines in one piece", batch: func() *engine.Batch { return batchOf("1", "", "2") }, want: "1\n\n2\n"},
		{name: "lines with holes", batch: holes, want: "2\n3\n5\n"},
		{name: "nothing", batch: empty, want: ""},
		{name: "tombstones are refused", batch: nulls, want: "1\n2\n", refused: 1},
		{name: "tombstones skipped", edit: func(c *Config) { c.Tombstones = "skip" }, batch: nulls, want: "1\n2\n", skipped: 1},
		{name: "tombstones empty", edit: func(c *Config) { c.Tombstones = "empty" }, batch: nulls, want: "1\n\n2\n"},
		{name: "json on one line", batch: loose, want: "{\"a\":1}\n{\"a\":\"x\\ny\"}\n\n"},
		{name: "text with newline is refused", batch: text, want: "three\n", refused: 1},
		{name: "text with newline kept", edit: func(c *Config) { c.Newlines = "keep" }, batch: text, want: "one\ntwo\nthree\n"},
		{name: "raw", edit: func(c *Config) { c.Format = "raw" }, batch: text, want: "one\ntwothree"},
	}
	for _, tt := range tests {
		for _, base := range []string{"out", "out.gz", "out.zst"} {
			t.Run(tt.name+" "+base, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				path := filepath.Join(dir, base)
				edit := tt.edit
				if edit == nil {
					edit = func(*Config) {}
				}
				h := start(t, config(path, edit), newFaultFS(), nil)
				h.put(tt.batch())
				h.put(tt.batch())
				h.write(tt.batch())
				h.close()
				wantContent(t, path, tt.want+tt.want+tt.want)
				wantFiles(t, dir, base)
				if len(h.refused) != tt.refused || h.skipped != 3*tt.skipped || h.err != nil {
					t.Errorf("refused %v, skipped %d, stopped by %v", h.refused, h.skipped, h.err)
				}
			})
		}
	}
}

// TestExisting is what happens to a file that has content.
func TestExisting(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, base, before, after, err string
		edit                           func(*Config)
	}{
		{name: "added to", base: "a", before: "old\n", after: "old\n1\n"},
		{name: "without last newline", base: "a", before: "old", after: "old\n1\n"},
		{name: "raw", base: "a", before: "old", after: "old1", edit: func(c *Config) { c.Format = "raw" }},
		{name: "no append", base: "a", before: "old\n", edit: func(c *Config) { c.Append = false }, err: "append is false"},
		{name: "no append, empty", base: "a", before: "", edit: func(c *Config) { c.Append = false }, after: "1\n"},
		{name: "plain into gzip", base: "a.gz", before: "old\n", err: "compression none"},
		{name: "gzip into plain", base: "a", before: "\x1f\x8b\x08", err: "compression gzip"},
		{name: "partial of somebody else", base: "a", edit: func(c *Config) { c.Rotate = &Rotate{Records: 1} }, err: "journal"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), tt.base)
			edit := tt.edit
			if edit == nil {
				edit = func(*Config) {}
			}
			c := config(path, edit)
			if err := os.WriteFile(path, []byte(tt.before), 0o600); err != nil {
				t.Fatal(err)
			}
			if c.Rotate != nil {
				if err := os.WriteFile(partialName(path), []byte("x"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			h, err := tryStart(t, c, newFaultFS(), nil)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("got %v, want %q", err, tt.err)
				}
				if got, _ := os.ReadFile(path); string(got) != tt.before {
					t.Errorf("the file was changed to %q", got)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			h.write(batchOf("1"))
			h.close()
			wantContent(t, path, tt.after)
		})
	}
}

// TestCSVContinues goes on with the header that a file has.
func TestCSVContinues(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"a.csv", "a.csv.gz", "a.csv.zst"} {
		path := filepath.Join(t.TempDir(), base)
		edit := func(c *Config) { c.Format = "csv" }
		for range 2 {
			h := start(t, config(path, edit), newFaultFS(), nil)
			h.write(batchOf(`{"a":1,"b":"x,\"y\""}`, `{"b":null,"a":"2"}`))
			h.write(batchOf(`{"c":1}`, `[1]`))
			h.close()
			if len(h.refused) != 2 {
				t.Errorf("%s: refused %v", base, h.refused)
			}
		}
		row := "1,\"x,\"\"y\"\"\"\n2,\n"
		wantContent(t, path, "a,b\n"+row+row)
		_, err := tryStart(t, config(path, edit, func(c *Config) { c.Columns = []string{"b", "a"} }), newFaultFS(), nil)
		if err == nil || !strings.Contains(err.Error(), `header "a,b"`) {
			t.Errorf("%s: other columns: %v", base, err)
		}
	}
}

// TestChangedByOthers: what somebody else does to the file at a quiet moment
// is respected.
func TestChangedByOthers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		do   func(path string) error
		want string
	}{
		{name: "truncated", do: func(p string) error { return os.Truncate(p, 0) }, want: "2\n"},
		{name: "removed", do: os.Remove, want: "2\n"},
		{name: "added to", want: "1\nforeign\n2\n", do: func(p string) error {
			f, err := os.OpenFile(p, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			if _, err := f.WriteString("foreign"); err != nil {
				return err
			}
			return f.Close()
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "a")
			h := start(t, config(path), newFaultFS(), nil)
			h.write(batchOf("1"))
			if err := tt.do(path); err != nil {
				t.Fatal(err)
			}
			h.write(batchOf("2"))
			h.close()
			wantContent(t, path, tt.want)
			wantFiles(t, dir, "a")
		})
		t.Run(tt.name+" before confirmation", func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "a")
			h := start(t, config(path), newFaultFS(), nil)
			h.write(batchOf("0"))
			h.put(batchOf("1"))
			if err := tt.do(path); err != nil {
				t.Fatal(err)
			}
			h.put(batchOf("2"))
			h.close()
			got := content(t, path)
			if !strings.HasSuffix(got, "1\n2\n") || h.retries == 0 {
				t.Errorf("the file holds %q after %d retries", got, h.retries)
			}
		})
	}
}

// TestReplaced: a journal does not cut a file that took the place of the one
// that it speaks of.
func TestReplaced(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a")
	h := start(t, config(path), newFaultFS(), nil)
	h.write(batchOf("1"))
	h.abandon()
	if err := os.WriteFile(path+".new", []byte("something else\nwith a tail"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	h = start(t, config(path), newFaultFS(), nil)
	h.write(batchOf("2"))
	h.close()
	wantContent(t, path, "something else\nwith a tail\n2\n")
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "new", "a")
	h := start(t, config(path, func(c *Config) { c.Mode = "0606" }), newFaultFS(), nil)
	h.write(batchOf("1"))
	h.close()
	fi, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if fi.Mode().Perm() != 0o606 {
		t.Errorf("mode is %v", fi.Mode())
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	h = start(t, config(path, func(c *Config) { c.Mode = "0606" }), newFaultFS(), nil)
	h.close()
	if fi, _ := os.Stat(path); fi.Mode().Perm() != 0o600 {
		t.Errorf("the mode of a file that was there is now %v", fi.Mode())
	}
	_, err = tryStart(t, config(filepath.Join(dir, "none", "a"), func(c *Config) { c.Mkdir = false }), newFaultFS(), nil)
	if err == nil || !os.IsNotExist(unwrapAll(err)) {
		t.Errorf("a missing folder: %v", err)
	}
	if _, err := tryStart(t, config(dir), newFaultFS(), nil); err == nil {
		t.Error("a folder was opened as a file")
	}
}

func unwrapAll(err error) error {
	for {
		u, ok := err.(interface{ Unwrap() error })
		if !ok || u.Unwrap() == nil {
			return err
		}
		if _, ok := err.(*fs.PathError); ok {
			return err
		}
		err = u.Unwrap()
	}
}

// TestDevice writes to what is no regular file.
func TestDevice(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(os.DevNull); err != nil {
		t.Skip(err)
	}
	h := start(t, config(os.DevNull), nil, nil)
	h.write(batchOf("1", "2"))
	h.close()
	if len(h.confirmed) != 2 || h.err != nil {
		t.Errorf("confirmed %q, %v", h.confirmed, h.err)
	}
	if _, err := os.Stat("/dev/full"); err == nil {
		h := start(t, config("/dev/full", func(c *Config) { c.OnFull = "stop" }), nil, nil)
		h.write(batchOf("1"))
		if h.err == nil {
			t.Error("a full device took a record")
		}
	}
}

// TestMembers ends a member at a megabyte, and at a flush, so that what is
// confirmed can be read.
func TestMembers(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.gz")
	h := start(t, config(path), newFaultFS(), nil)
	line := strings.Repeat("x", 1000)
	var list []string
	for range 500 {
		list = append(list, line)
	}
	h.put(batchOf(list...))
	h.put(batchOf(list...))
	if len(h.confirmed) != 0 {
		t.Errorf("%d records are confirmed and not written", len(h.confirmed))
	}
	h.put(batchOf(list...))
	if len(h.confirmed) != 1500 || len(content(t, path)) != 1500*1001 {
		t.Errorf("%d records are confirmed, %d bytes can be read", len(h.confirmed), len(content(t, path)))
	}
	h.write(batchOf("end"))
	h.flush()
	if !strings.HasSuffix(content(t, path), "\nend\n") {
		t.Error("what was flushed cannot be read")
	}
	h.close()
}

func TestValidate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		option string
		edit   func(*Config)
	}{
		{"", func(*Config) {}},
		{"rotate", func(c *Config) { c.Rotate = &Rotate{} }},
		{"append", func(c *Config) { c.Rotate, c.Append = &Rotate{Records: 1}, false }},
		{"mode", func(c *Config) { c.Mode = "rw" }},
		{"mode", func(c *Config) { c.Mode = "01777" }},
		{"compression_level", func(c *Config) { c.Compression, c.Level = "gzip", 10 }},
		{"compression_level", func(c *Config) { c.Compression, c.Level = "none", 1 }},
		{"delimiter", func(c *Config) { c.Delimiter = "ab" }},
		{"columns", func(c *Config) { c.Format, c.Columns = "csv", []string{"a", "a"} }},
		{"columns", func(c *Config) { c.Format, c.Header = "csv", false }},
		{"columns", func(c *Config) { c.Columns = []string{"a"} }},
	}
	for _, tt := range tests {
		ps := config("a", tt.edit).Validate()
		switch {
		case tt.option == "" && len(ps) > 0:
			t.Errorf("the defaults have mistakes: %v", ps)
		case tt.option != "" && (len(ps) != 1 || ps[0].Option != tt.option || ps[0].Detail == ""):
			t.Errorf("want a mistake at %s, got %v", tt.option, ps)
		}
	}
}

// TestEnvelopeOfFailures is what an errors file holds.
func TestEnvelopeOfFailures(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "failed.jsonl")
	h := start(t, config(path, func(c *Config) { c.Format = "envelope" }), newFaultFS(), nil)
	b := keyed("k=\xff\x00broken")
	b.Value.Encoding = record.JSON
	b.Failures = []engine.Failure{{Reason: os.ErrInvalid, Element: "processor.map.shape", Origin: "in.jsonl@7"}}
	h.write(b)
	h.close()
	wantContent(t, path, `{"partition":0,"offset":0,"key":"k","value_base64":"/wBicm9rZW4=",`+
		`"error":{"reason":"invalid argument","element":"processor.map.shape","origin":"in.jsonl@7"}}`+"\n")
}

func TestConformance(t *testing.T) {
	t.Parallel()
	envelope := func(r enginetest.Record) (enginetest.Record, error) { return r, nil }
	tests := []struct {
		name, base string
		edit       func(*Config)
		arrives    func(enginetest.Record) (enginetest.Record, error)
		read       func(t *testing.T, text string) []enginetest.Record
	}{
		{name: "lines", base: "a", read: readLines},
		{name: "synced", base: "a", edit: func(c *Config) { c.Fsync = fsyncBatch }, read: readLines},
		{name: "gzip", base: "a.gz", read: readLines},
		{name: "zstd", base: "a.zst", read: readLines},
		{name: "rotate", base: "a", edit: func(c *Config) { c.Rotate = &Rotate{Records: 3} }, read: readLines},
		{name: "rotate zstd", base: "a.zst", edit: func(c *Config) { c.Rotate = &Rotate{Size: 100} }, read: readLines},
		{name: "envelope", base: "a", edit: func(c *Config) { c.Format = "envelope" }, arrives: envelope, read: readEnvelopes},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			edit := tt.edit
			if edit == nil {
				edit = func(*Config) {}
			}
			enginetest.RunOutput(t, enginetest.OutputCase{
				New: func(t *testing.T) enginetest.Target {
					dir := t.TempDir()
					open := func(t *testing.T) engine.Output {
						o, err := newOutput(config(filepath.Join(dir, tt.base), edit), engine.Env{}, newFaultFS())
						if err != nil {
							t.Fatal(err)
						}
						return o
					}
					again := open
					if config("", edit).Rotate != nil {
						again = nil
					}
					return enginetest.Target{Output: open(t), Again: again, Read: func(t *testing.T) []enginetest.Record {
						var list []enginetest.Record
						for _, name := range files(t, dir) {
							list = append(list, tt.read(t, content(t, filepath.Join(dir, name)))...)
						}
						return list
					}}
				},
				Arrives: tt.arrives,
				Away: func(t *testing.T) engine.Output {
					fsys := newFaultFS()
					fsys.onCall = func(string, string) error { return syscall.EIO }
					// A file that rotates is not opened before it has a record.
					o, err := newOutput(config(filepath.Join(t.TempDir(), tt.base), edit, func(c *Config) { c.Rotate = nil }), engine.Env{}, fsys)
					if err != nil {
						t.Fatal(err)
					}
					return o
				},
			})
		})
	}
}

func readLines(_ *testing.T, text string) []enginetest.Record {
	var list []enginetest.Record
	for line := range strings.Lines(text) {
		list = append(list, enginetest.Record{Value: []byte(strings.TrimSuffix(line, "\n"))})
	}
	return list
}

// readEnvelopes reads what envelope writes with a JSON decoder.
func readEnvelopes(t *testing.T, text string) []enginetest.Record {
	t.Helper()
	type part struct {
		Key    string          `json:"key"`
		Value  json.RawMessage `json:"value"`
		Base64 []byte          `json:"value_base64"`
	}
	bytesOf := func(raw json.RawMessage, base64 []byte, text bool) []byte {
		switch {
		case base64 != nil:
			return base64
		case len(raw) == 0 || string(raw) == "null":
			return nil
		case text || string(raw) == `""`: // an empty value is no JSON
			s := ""
			if err := json.Unmarshal(raw, &s); err != nil {
				t.Fatal(err)
			}
			return []byte(s)
		}
		return raw
	}
	var list []enginetest.Record
	for line := range strings.Lines(text) {
		var e struct {
			Topic     string          `json:"topic"`
			Offset    int64           `json:"offset"`
			Timestamp *time.Time      `json:"timestamp"`
			Key       json.RawMessage `json:"key"`
			Value     json.RawMessage `json:"value"`
			Headers   []part          `json:"headers"`
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		r := enginetest.Record{Topic: e.Topic, Offset: e.Offset, Key: bytesOf(e.Key, nil, false), Value: bytesOf(e.Value, nil, false)}
		if e.Timestamp != nil {
			r.Timestamp, r.HasTimestamp = e.Timestamp.UnixNano(), true
		}
		for _, h := range e.Headers {
			r.Headers = append(r.Headers, record.Header{Key: h.Key, Value: bytesOf(h.Value, h.Base64, true)})
		}
		list = append(list, r)
	}
	return list
}
