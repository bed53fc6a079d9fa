package frame

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

func framer(t testing.TB, edit func(*Options)) *Framer {
	t.Helper()
	o := DefaultOptions()
	if edit != nil {
		edit(&o)
	}
	f, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func batchOf(enc record.Encoding, values ...string) *engine.Batch {
	b := engine.NewBatch()
	b.Value.Encoding = enc
	for _, v := range values {
		if v == "<null>" {
			b.Value.Add(nil)
			continue
		}
		b.Value.Add([]byte(v))
	}
	return b
}

// all frames every record; a refused one becomes its error in angles.
func all(f *Framer, b *engine.Batch) string {
	var out []byte
	for i := range b.Len() {
		before := string(out)
		var err error
		if out, err = f.Append(out, b, i); err != nil {
			if string(out) != before {
				return "a refused record was written: " + string(out)
			}
			out = append(out, "<"+err.Error()+">\n"...)
		}
	}
	return string(out)
}

func TestCSV(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		edit func(*Options)
		enc  record.Encoding
		in   []string
		want string
	}{
		{name: "columns of the first record", in: []string{`{"b":1,"a":"x"}`, `{"a":"y","b":2}`}, want: "b,a\n1,x\n2,y\n"},
		{name: "named columns", edit: func(o *Options) { o.Columns = []string{"a", "c"} }, in: []string{`{"a":1}`}, want: "a,c\n1,\n"},
		{name: "no header", edit: func(o *Options) { o.Columns, o.Header = []string{"a"}, false }, in: []string{`{"a":1}`}, want: "1\n"},
		{
			name: "quotes", in: []string{`{"a,b":"say \"hi\"","c":"line\nbreak","d":" blank "}`},
			want: "\"a,b\",c,d\n\"say \"\"hi\"\"\",\"line\nbreak\",\" blank \"\n",
		},
		{name: "null", edit: func(o *Options) { o.Null = "NULL" }, in: []string{`{"a":null,"b":"NULL"}`}, want: "a,b\nNULL,\"NULL\"\n"},
		{name: "delimiter", edit: func(o *Options) { o.Delimiter = "\t" }, in: []string{`{"a":1,"b":"x\ty"}`}, want: "a\tb\n1\t\"x\ty\"\n"},
		{name: "first record is refused", in: []string{`{`, `[]`, `{}`, `{"a":1}`}, want: "<invalid JSON: unexpected end looking for a member's name at byte 1>\n" +
			"<the value is not a JSON object, so it has no columns>\n<the object has no members to make columns of>\na\n1\n"},
		{name: "extra member", in: []string{`{"a":1}`, `{"a":2,"b":3}`}, want: "a\n1\n<member \"b\" is no column>\n"},
		{name: "extra ignored", edit: func(o *Options) { o.Extra = "ignore" }, in: []string{`{"a":1}`, `{"a":2,"b":3}`}, want: "a\n1\n2\n"},
		{name: "empty tombstone", edit: func(o *Options) { o.Tombstones = "empty" }, in: []string{"<null>", `{"a":1,"b":2}`, "<null>"},
			want: "<" + errNoColumns.Error() + ">\na,b\n1,2\n,\n"},
		{name: "text", enc: record.Text, in: []string{"x"}, want: "<csv needs JSON objects, and the value is text (a json converter decodes it)>\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			enc := tt.enc
			if enc == nil {
				enc = record.JSON
			}
			f := framer(t, func(o *Options) {
				o.Format = CSV
				if tt.edit != nil {
					tt.edit(o)
				}
			})
			for range 2 { // a second file has a header of its own
				if got := all(f, batchOf(enc, tt.in...)); got != tt.want {
					t.Errorf("got %q, want %q", got, tt.want)
				}
				f.Restart()
			}
		})
	}
}

func TestCSVResume(t *testing.T) {
	t.Parallel()
	f := framer(t, func(o *Options) { o.Format = CSV })
	if err := f.Resume([]byte("\xef\xbb\xbfb,\"a \"\"x\"\"\"\r\n")); err != nil {
		t.Fatal(err)
	}
	if got := all(f, batchOf(record.JSON, `{"a \"x\"":1,"b":2}`)); got != "2,1\n" {
		t.Errorf("got %q", got)
	}
	for _, header := range []string{"a,a\n", "\"a\n"} {
		if err := framer(t, func(o *Options) { o.Format = CSV }).Resume([]byte(header)); err == nil {
			t.Errorf("the header %q was taken", header)
		}
	}
}

func TestTombstones(t *testing.T) {
	t.Parallel()
	for _, format := range []string{Lines, Raw, CSV} {
		f := framer(t, func(o *Options) { o.Format = format })
		if _, err := f.Append(nil, batchOf(nil, "<null>"), 0); !errors.Is(err, errTombstone) {
			t.Errorf("%s: %v", format, err)
		}
		f = framer(t, func(o *Options) { o.Format, o.Tombstones = format, "skip" })
		if out, err := f.Append(nil, batchOf(nil, "<null>"), 0); !errors.Is(err, ErrSkipped) || len(out) != 0 {
			t.Errorf("%s: %q, %v", format, out, err)
		}
	}
}

func TestEnvelope(t *testing.T) {
	t.Parallel()
	b := engine.NewBatch()
	b.Value.Encoding, b.Key.Encoding = record.JSON, record.Text
	for _, v := range []string{`{"a": 1}`, "{", "\xff", ""} {
		b.Value.Add([]byte(v))
		b.Key.Add([]byte("17"))
	}
	b.Value.Add(nil)
	b.Key.Add(nil)
	b.Headers.List = []record.Header{{Key: "h", Value: []byte("1")}, {Key: "h", Value: []byte{0xfe}}, {Key: "n", Value: nil}}
	b.Headers.Ends = []uint32{3, 3, 3, 3, 3}
	b.Timestamps = []int64{0, engine.NoTimestamp, 1, 1_700_000_000_000_000_001, -1}
	b.Topics = []string{"t", "t", "", "t\"", "t"}
	s := engine.NewSource(engine.SourceInfo{ID: "t/3", Partition: 3}, nil, nil)
	s.Begin(b, engine.Position{}, 40, nil)
	want := `{"topic":"t","partition":3,"offset":40,"timestamp":"1970-01-01T00:00:00Z","key":"17","value":{"a":1},` +
		`"headers":[{"key":"h","value":"1"},{"key":"h","value_base64":"/g=="},{"key":"n","value":null}]}
{"topic":"t","partition":3,"offset":41,"key":"17","value":"{"}
{"partition":3,"offset":42,"timestamp":"1970-01-01T00:00:00.000000001Z","key":"17","value_base64":"/w=="}
{"topic":"t\"","partition":3,"offset":43,"timestamp":"2023-11-14T22:13:20.000000001Z","key":"17","value":""}
{"topic":"t","partition":3,"offset":44,"timestamp":"1969-12-31T23:59:59.999999999Z","key":null,"value":null}
`
	if got := all(framer(t, func(o *Options) { o.Format = Envelope }), b); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// FuzzEnvelope: whatever the bytes are, an envelope is one line of valid JSON
// that holds them.
func FuzzEnvelope(f *testing.F) {
	for _, s := range []string{"", "{}", "\xff", "a\nb", `"\ud800"`, "1e999", " [1 , 2 ] ", "\u2028<>"} {
		f.Add([]byte(s), true)
		f.Add([]byte(s), false)
	}
	f.Fuzz(func(t *testing.T, p []byte, isText bool) {
		enc := record.JSON
		if isText {
			enc = record.Text
		}
		out, err := framer(t, func(o *Options) { o.Format = Envelope }).Append(nil, batchOf(enc, string(p)), 0)
		if err != nil || strings.IndexByte(string(out), '\n') != len(out)-1 || !json.Valid(out) {
			t.Fatalf("%q: %q, %v", p, out, err)
		}
		var e struct {
			Value  json.RawMessage `json:"value"`
			Base64 *string         `json:"value_base64"`
		}
		if err := json.Unmarshal(out, &e); err != nil {
			t.Fatal(err)
		}
		switch s := ""; {
		case string(p) == "<null>":
		case e.Base64 != nil:
			if got, err := base64.StdEncoding.DecodeString(*e.Base64); err != nil || string(got) != string(p) || utf8.Valid(p) {
				t.Errorf("%q became the base64 text %q", p, *e.Base64)
			}
		case !isText && json.Valid(p):
		case json.Unmarshal(e.Value, &s) != nil || s != string(p):
			t.Errorf("%q became %s", p, e.Value)
		}
	})
}

// TestOutcome: what a batch's done is told, also after a part of it was
// written again.
func TestOutcome(t *testing.T) {
	t.Parallel()
	refusal := errors.New("no")
	var o Outcome
	if err := o.Err(); err != nil {
		t.Errorf("an empty outcome is %v", err)
	}
	if !o.Add(0, nil) || o.Err() != nil {
		t.Error("a written record is not written")
	}
	o.Add(1, refusal)
	o.Add(2, ErrSkipped)
	mark := o.Mark()
	o.Add(3, ErrSkipped)
	o.Add(4, refusal)
	o.Rewind(3, mark)
	o.Add(3, ErrSkipped)
	o.Add(4, nil)
	var refused *engine.RecordErrors
	var skipped *engine.Skipped
	err := o.Err()
	if !errors.As(err, &refused) || len(refused.Reasons) != 1 || !errors.Is(refused.Reasons[1], refusal) {
		t.Errorf("refused: %v", err)
	}
	if !errors.As(err, &skipped) || skipped.Records != 2 || skipped.Reason != "tombstone" {
		t.Errorf("skipped: %v", err)
	}
	var alone Outcome
	alone.Add(0, ErrSkipped)
	if _, ok := alone.Err().(*engine.Skipped); !ok {
		t.Errorf("only skipped: %T", alone.Err())
	}
}
