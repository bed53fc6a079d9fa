package framing

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record/csvrow"
)

// rec is a record as a test looks at it.
type rec struct {
	value  string
	offset int64
	failed bool
}

func (r rec) String() string {
	if r.failed {
		return fmt.Sprintf("%d!%q", r.offset, r.value)
	}
	return fmt.Sprintf("%d:%q", r.offset, r.value)
}

func lines() Options {
	return Options{Format: Lines, MaxRecord: 1 << 20, Records: limits.BatchRecords, Bytes: limits.BatchBytes}
}

func multiline(start string) Options {
	o := lines()
	o.Format, o.Start, o.MaxLines = Multiline, regexp.MustCompile(start), 1000
	return o
}

func csv() Options {
	o := lines()
	o.Format, o.Header, o.Dialect = CSV, true, csvrow.Dialect{Delimiter: ','}
	return o
}

// feed cuts data in pieces whose sizes repeat, from an offset on, and returns
// the records and the position behind each batch.
func feed(t testing.TB, o Options, data []byte, offset int64, sizes ...int) (out []rec, ends []int64) {
	t.Helper()
	c := New(o, offset)
	if offset > 0 && c.NeedsHeader() {
		t.Fatal("a header is expected behind the start")
	}
	if offset > 0 && o.Header && !c.ReadHeader(data, true) {
		t.Fatal("the header was not read")
	}
	rest, turn := data[offset:], 0
	last := offset
	for {
		b := engine.NewBatch()
		c.Begin(b)
		for !c.Full() && len(rest) > 0 {
			n := min(len(rest), sizes[turn%len(sizes)])
			turn++
			n = copy(c.Space(), rest[:n])
			rest = rest[n:]
			c.Wrote(n)
		}
		if len(rest) == 0 {
			c.End()
		}
		if c.Empty() {
			c.Abandon()
			if c.Pending() != 0 || c.Offset() != int64(len(data)) {
				t.Fatalf("%d bytes pending at offset %d after the end at %d", c.Pending(), c.Offset(), len(data))
			}
			return out, ends
		}
		r := c.Finish()
		if b.Len() != len(r.Rows) || b.Len() > o.Records {
			t.Fatalf("%d records, %d rows, at most %d records", b.Len(), len(r.Rows), o.Records)
		}
		for i := range b.Len() {
			out = append(out, rec{string(b.Value.At(i)), r.First + int64(r.Rows[i]), r.Err != nil})
			s := b.Value.Spans[i]
			if b.Value.Lines && (b.Value.Data[s.End] != '\n' || bytes.IndexByte(b.Value.At(i), '\n') >= 0) {
				t.Fatalf("the promise of Lines is broken by %q", b.Value.At(i))
			}
		}
		if b.Value.Lines && bytes.Count(b.Value.Data, []byte{'\n'}) != b.Len() {
			t.Fatalf("%d records and %d newlines", b.Len(), bytes.Count(b.Value.Data, []byte{'\n'}))
		}
		if r.First < last || r.End <= r.First && o.Format != Whole {
			t.Fatalf("batch from %d to %d follows one to %d", r.First, r.End, last)
		}
		last = r.End
		ends = append(ends, r.End)
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	with := func(o Options, edit func(*Options)) Options { edit(&o); return o }
	long := strings.Repeat("x", 50)
	kept := long[:20]
	limit := func(o Options) Options { o.MaxRecord = 20; return o }
	tests := []struct {
		name string
		o    Options
		in   string
		want string
	}{
		{"no bytes", lines(), "", ``},
		{"lines", lines(), "a\nbc\n\nd", `0:"a" 2:"bc" 5:"" 6:"d"`},
		{"carriage returns stay", lines(), "a\r\n\r\n", `0:"a\r" 3:"\r"`},
		{"carriage returns go", with(lines(), func(o *Options) { o.StripCR = true }), "a\r\nb\n\r\nc\r", `0:"a" 3:"b" 5:"" 7:"c"`},
		{"line at the limit", limit(lines()), long[:20] + "\nb\n", `0:"` + long[:20] + `" 21:"b"`},
		{"line over the limit", limit(lines()), "a\n" + long + "\nb\n", `0:"a" 2!"` + kept + `" 53:"b"`},
		{"last line over the limit", limit(lines()), "a\n" + long, `0:"a" 2!"` + kept + `"`},
		{"only lines over the limit", limit(lines()), long + "\n" + long + "\n", `0!"` + kept + `" 51!"` + kept + `"`},

		{"multiline", multiline("^#"), "#a\nb\n\n#c\n#d\ne", `0:"#a\nb\n" 6:"#c" 9:"#d\ne"`},
		{"multiline without a start", multiline("^#"), "a\nb\n#c\n", `0:"a\nb" 4:"#c"`},
		{"multiline with many lines", with(multiline("^#"), func(o *Options) { o.MaxLines = 2 }), "#a\nb\nc\nd\ne\n", `0:"#a\nb" 5:"c\nd" 9:"e"`},
		{"multiline grows over the limit", limit(multiline("^#")), "#a\nbbbbbbbbbb\ncccccccccc\n#d", `0:"#a\nbbbbbbbbbb" 14:"cccccccccc" 25:"#d"`},
		{"multiline with a line over the limit", limit(multiline("^#")), "#a\n" + long + "\nb\n#c", `0:"#a" 3!"` + kept + `" 54:"b" 56:"#c"`},

		{"csv", csv(), "a,b\n1,\"x\n\"\"y\"\r\n\n3,4", `4:"{\"a\":\"1\",\"b\":\"x\\n\\\"y\"}" 16:"{\"a\":\"3\",\"b\":\"4\"}"`},
		{"csv with a byte order mark", csv(), "\uFEFFa\n1\n", `5:"{\"a\":\"1\"}"`},
		{"csv with only a header", csv(), "a,b", ``},
		{"csv without header", with(csv(), func(o *Options) { o.Header = false; o.Columns = []string{"x", "y"} }), "1,2\n", `0:"{\"x\":\"1\",\"y\":\"2\"}"`},
		{"csv with other names", with(csv(), func(o *Options) { o.Columns = []string{"x"} }), "a\n1\n", `2:"{\"x\":\"1\"}"`},
		{"csv with wrong rows", csv(), "a,b\n1\n1,2\n1,2,3\n\"x\"y,z\n\xff,1\n3,4\n", `4!"1" 6:"{\"a\":\"1\",\"b\":\"2\"}" 10!"1,2,3" 16!"\"x\"y,z" 23!"\xff,1" 27:"{\"a\":\"3\",\"b\":\"4\"}"`},
		{"csv with an open quote at the end", csv(), "a\n1\n\"x\ny\n", `2:"{\"a\":\"1\"}" 4!"\"x\ny"`},
		{"csv with types", with(csv(), func(o *Options) {
			o.Types = map[string]csvrow.Type{"n": csvrow.Int}
			o.Nulls = []string{""}
		}), "n,s\n7,\n,\"\"\nx,y\n", `4:"{\"n\":7,\"s\":null}" 7:"{\"n\":null,\"s\":\"\"}" 11!"x,y"`},
		{"csv with a bad header", csv(), "a,a\n1,2\n3,4\n", `4!"1,2" 8!"3,4"`},
		{"csv with a row over the limit", limit(csv()), "a\n" + long + "\n1\n", `2!"` + kept + `" 53:"{\"a\":\"1\"}"`},
		{"csv with an open quote over the limit", limit(csv()), "a\n1\n\"" + long + "\n" + "2\n", `2:"{\"a\":\"1\"}" 4!"\"` + kept[1:] + `" 56:"{\"a\":\"2\"}"`},
		{"csv with a quote missing", limit(csv()), "a\n\"x\n" + strings.Repeat("2\n", 12), `2!"\"x"` + numbered(5, 12, "{\\\"a\\\":\\\"2\\\"}")},
		{"csv with a quote missing, lazy", with(limit(csv()), func(o *Options) { o.Dialect.Lazy = true }), "a\n\"x\n" + strings.Repeat("2\n", 12), `2!"\"x\n` + strings.Repeat(`2\n`, 8) + `2"` + numbered(23, 3, "{\\\"a\\\":\\\"2\\\"}")},
		{"csv with a header over the limit", limit(csv()), long + "\n1\n", `0!"` + kept + `" 51!"1"`},

		{"whole", with(lines(), func(o *Options) { o.Format = Whole }), "a\nb\n", `0:"a\nb\n"`},
		{"whole and empty", with(lines(), func(o *Options) { o.Format = Whole }), "", `0:""`},
		{"whole over the limit", with(limit(lines()), func(o *Options) { o.Format = Whole }), long + "\n" + long, `0!"` + kept + `"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, records := range []int{1, 2, 512} {
				for size := 1; size <= len(tt.in)+1; size++ {
					o := tt.o
					o.Records = records
					got, _ := feed(t, o, []byte(tt.in), 0, size)
					if s := join(got); s != tt.want {
						t.Fatalf("pieces of %d, batches of %d:\n got %s\nwant %s", size, records, s, tt.want)
					}
				}
			}
		})
	}
}

// join prints records.
func join(rs []rec) string {
	parts := make([]string, 0, len(rs))
	for _, r := range rs {
		parts = append(parts, r.String())
	}
	return strings.Join(parts, " ")
}

// numbered is n equal records of two bytes each, from an offset on.
func numbered(offset, n int, value string) string {
	s := ""
	for i := range n {
		s += fmt.Sprintf(" %d:\"%s\"", offset+2*i, value)
	}
	return s
}

func TestResumeAtEveryBatch(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		o    Options
		in   string
	}{
		{"lines", lines(), "a\nbb\n\nccc\n\nd"},
		{"multiline", multiline("^#"), "x\n#a\nb\n#c\n#d\ne\nf\n#"},
		{"csv", csv(), "a,b\n1,2\n\n\"x\ny\",3\nbad\n5,6\n7,8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.o.Records = 1
			all, ends := feed(t, tt.o, []byte(tt.in), 0, 3)
			for i, end := range ends {
				rest, _ := feed(t, tt.o, []byte(tt.in), end, 4)
				if !slices.Equal(rest, all[i+1:]) {
					t.Errorf("from %d on: got %v, want %v", end, rest, all[i+1:])
				}
			}
		})
	}
}

func TestFlush(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		o       Options
		in      string
		partial bool
		then    string
		want    string
	}{
		{"lines wait", lines(), "a\nb", false, "c\n", `0:"a" 2:"bc"`},
		{"partial line", lines(), "b", true, "c\nd\n", `0:"b" 1:"c" 3:"d"`},
		{"multiline", multiline("^#"), "#a\nb\n", false, "c\n#d\n", `0:"#a\nb" 5:"c" 7:"#d"`},
		{"multiline keeps the piece", multiline("^#"), "#a\nb\nc", false, "d\n#e\n", `0:"#a\nb" 5:"cd" 8:"#e"`},
		{"multiline partial", multiline("^#"), "#a\nb", true, "c\n", `0:"#a\nb" 4:"c"`},
		{"partial row", csv(), "a,b\n1,2", true, "\n3,4\n", `4:"{\"a\":\"1\",\"b\":\"2\"}" 8:"{\"a\":\"3\",\"b\":\"4\"}"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := New(tt.o, 0)
			var out []rec
			finish := func(b *engine.Batch) {
				if c.Empty() {
					c.Abandon()
					return
				}
				r := c.Finish()
				for i := range b.Len() {
					out = append(out, rec{string(b.Value.At(i)), r.First + int64(r.Rows[i]), r.Err != nil})
				}
			}
			step := func(f func()) {
				b := engine.NewBatch()
				c.Begin(b)
				f()
				finish(b)
			}
			step(func() { c.Wrote(copy(c.Space(), tt.in)) })
			step(func() { c.Flush(tt.partial) })
			step(func() { c.Wrote(copy(c.Space(), tt.then)) })
			step(c.End)
			if s := join(out); s != tt.want {
				t.Errorf("got %s, want %s", s, tt.want)
			}
		})
	}
}

// A line of any size costs no more memory than its limit.
func TestGiantLineIsNotHeld(t *testing.T) {
	t.Parallel()
	o := lines()
	c := New(o, 0)
	b := engine.NewBatch()
	c.Begin(b)
	const size = 50 << 20
	for fed := 0; fed < size; {
		p := c.Space()
		p = p[:min(len(p), size-fed)]
		for i := range p {
			p[i] = 'x'
		}
		fed += len(p)
		c.Wrote(len(p))
		if len(c.raw) > o.MaxRecord+smallestRead || cap(c.raw) > 2*o.MaxRecord+smallestRead {
			t.Fatalf("%d bytes held, %d taken", len(c.raw), cap(c.raw))
		}
	}
	c.Wrote(copy(c.Space(), "\nnext\n"))
	r := c.Finish()
	if r.Err == nil || r.First != 0 || r.End != size+1 || len(b.Value.At(0)) != keptBytes {
		t.Errorf("got %+v with %d bytes", r, len(b.Value.At(0)))
	}
	b = engine.NewBatch()
	c.Begin(b)
	c.End()
	if r := c.Finish(); string(b.Value.At(0)) != "next" || r.First != size+1 {
		t.Errorf("got %q at %d", b.Value.At(0), r.First)
	}
}

func TestFail(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{lines(), csv()} {
		c := New(o, 0)
		b := engine.NewBatch()
		c.Begin(b)
		c.Wrote(copy(c.Space(), "a\nb\nrest"))
		r := c.Finish()
		if b.Len() == 0 || r.Err != nil {
			t.Fatalf("got %d records, %v", b.Len(), r.Err)
		}
		b = engine.NewBatch()
		c.Begin(b)
		c.Fail(fmt.Errorf("broken"))
		if r = c.Finish(); r.Err == nil || string(b.Value.At(0)) != "rest" || r.First != 4 || r.End != 8 {
			t.Errorf("got %+v, %q", r, b.Value.At(0))
		}
	}
}

// FuzzLines compares with the simplest splitter there is.
func FuzzLines(f *testing.F) {
	f.Add([]byte("a\nb\r\n\nc"), uint8(3), uint8(2), uint8(7))
	f.Add([]byte(strings.Repeat("x", 300)+"\ny\n"), uint8(100), uint8(1), uint8(200))
	f.Fuzz(func(t *testing.T, data []byte, size, records, limit uint8) {
		o := lines()
		o.Records, o.MaxRecord, o.Bytes = int(records)+1, int(limit)+1, int(size)*4+1
		got, _ := feed(t, o, data, 0, int(size)+1, 1, int(limit)+1)
		var want []rec
		for at := 0; at < len(data); {
			end := bytes.IndexByte(data[at:], '\n')
			next := at + end + 1
			if end < 0 {
				end, next = len(data)-at, len(data)
			}
			want = append(want, rec{string(data[at : at+end]), int64(at), end > o.MaxRecord})
			at = next
		}
		if len(got) != len(want) {
			t.Fatalf("got %d records %v, want %d %v", len(got), got, len(want), want)
		}
		for i, g := range got {
			w := want[i]
			if w.failed {
				w.value = w.value[:min(o.MaxRecord, keptBytes)]
			}
			if g != w {
				t.Fatalf("record %d: got %v, want %v", i, g, w)
			}
		}
	})
}

// FuzzPieces: the sizes of pieces and batches change nothing, and reading goes
// on at the end of any batch.
func FuzzPieces(f *testing.F) {
	f.Add([]byte("a,b\n1,\"2\n3\"\n\n4,5,6\n\"7"), uint8(2), uint8(3), uint8(0))
	f.Add([]byte("#a\nb\n#c\nd\n\n"), uint8(1), uint8(1), uint8(1))
	f.Add([]byte("\xef\xbb\xbfa\n\"b\"\r\nc"), uint8(2), uint8(1), uint8(200))
	f.Fuzz(func(t *testing.T, data []byte, format, size, records uint8) {
		o := []Options{lines(), multiline("^#"), csv(), {Format: Whole}}[format%4]
		o.MaxRecord, o.Records, o.Bytes = 40, 512, 1<<16
		if o.Format == Multiline {
			o.MaxLines = 4
		}
		o.StripCR = o.Format == Lines && format >= 128
		want, _ := feed(t, o, data, 0, len(data)+1)
		o.Records, o.Bytes = int(records)+1, int(size)+1
		got, ends := feed(t, o, data, 0, int(size)+1, 2)
		check := func(got, want []rec) {
			if len(got) != len(want) {
				t.Fatalf("got %v, want %v", got, want)
			}
			for i := range got {
				if got[i] != want[i] {
					t.Fatalf("record %d: got %v, want %v", i, got[i], want[i])
				}
			}
		}
		check(got, want)
		if len(ends) == 0 || o.Format == Whole || data[ends[0]-1] != '\n' {
			return
		}
		rest, _ := feed(t, o, data, ends[0], int(size)+1)
		behind := slices.IndexFunc(want, func(r rec) bool { return r.offset >= ends[0] })
		if behind < 0 {
			behind = len(want)
		}
		check(rest, want[behind:])
	})
}

func TestNoAllocationPerRecord(t *testing.T) {
	data := []byte(strings.Repeat(strings.Repeat("x", 299)+"\n", 512))
	b := engine.NewBatch()
	b.Value.Data = make([]byte, 0, limits.BatchBytes+4096)
	c := New(lines(), 0)
	run := func() {
		b.Value.Data, b.Value.Spans = b.Value.Data[:0], b.Value.Spans[:0]
		c.Begin(b)
		for rest := data; len(rest) > 0 && !c.Full(); {
			n := copy(c.Space(), rest)
			rest = rest[n:]
			c.Wrote(n)
		}
		c.Finish()
	}
	run()
	run()
	if n := testing.AllocsPerRun(20, run); n > 0 {
		t.Errorf("%v allocations for a batch", n)
	}
}

func BenchmarkLines(b *testing.B) {
	const size, count = 300, 512
	data := []byte(strings.Repeat(strings.Repeat("x", size-1)+"\n", count))
	b.Run("bare loop", func(b *testing.B) {
		b.ReportAllocs()
		buf := make([]byte, len(data))
		spans := make([]engine.Span, 0, count)
		for b.Loop() {
			copy(buf, data)
			spans = spans[:0]
			for at := 0; at < len(buf); {
				n := bytes.IndexByte(buf[at:], '\n')
				spans = append(spans, engine.Span{Start: uint32(at), End: uint32(at + n)})
				at += n + 1
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/count, "ns/record")
	})
	b.Run("cutter", func(b *testing.B) {
		b.ReportAllocs()
		batch := engine.NewBatch()
		batch.Value.Data = make([]byte, 0, limits.BatchBytes+4096)
		c := New(lines(), 0)
		for b.Loop() {
			batch.Value.Data, batch.Value.Spans = batch.Value.Data[:0], batch.Value.Spans[:0]
			c.Begin(batch)
			for rest := data; len(rest) > 0 && !c.Full(); {
				n := copy(c.Space(), rest)
				rest = rest[n:]
				c.Wrote(n)
			}
			c.Finish()
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/count, "ns/record")
	})
	b.Run("csv", func(b *testing.B) {
		rows := []byte(strings.Repeat("some text,12345,\"quoted, text\",2026-01-01T00:00:00Z\n", count))
		b.ReportAllocs()
		batch := engine.NewBatch()
		o := csv()
		o.Header, o.Columns = false, []string{"a", "b", "c", "d"}
		c := New(o, 0)
		for b.Loop() {
			batch.Value.Data, batch.Value.Spans = batch.Value.Data[:0], batch.Value.Spans[:0]
			c.Begin(batch)
			for rest := rows; len(rest) > 0 && !c.Full(); {
				n := copy(c.Space(), rest)
				rest = rest[n:]
				c.Wrote(n)
			}
			c.Finish()
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/count, "ns/record")
	})
}
