package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// tagged is a converter whose bytes say what they are: a letter of the type of
// the value and its JSON or text.
type tagged struct{ given *schema.Schema }

func (tagged) Decoded() record.Encoding { return record.JSON }

func (c tagged) Decodes() *schema.Schema { return nil }
func (c tagged) Encodes() *schema.Schema { return c.given }

var _ engine.Typed = tagged{}

func (tagged) NewDecoder() engine.Decode {
	as := map[byte]record.Encoding{'t': record.Text, 'b': record.Opaque, 'j': nil}
	for letter, t := range map[byte]schema.Type{'i': schema.Int64, 's': schema.String, 'x': schema.Bytes, 'd': schema.Timestamp} {
		as[letter] = record.JSONOf(schema.New(t))
	}
	return func(dst, src []byte, m *engine.Meta) ([]byte, record.Encoding, error) {
		switch {
		case !m.Header || m.Key || m.Headers != nil || m.AddHeader != nil || m.Topic != "t":
			return dst, nil, fmt.Errorf("meta %+v", *m)
		case src == nil:
			return nil, nil, nil
		case string(src) == "bad":
			return append(dst, "half"...), nil, errors.New("it is bad")
		}
		return append(dst, src[1:]...), as[src[0]], nil
	}
}

func (tagged) NewEncoder(from record.Encoding) engine.Encode {
	tag := from.Name()
	if s := record.SchemaOf(from); s != nil {
		tag = s.Type.String()
	}
	return func(dst, src []byte, m *engine.Meta) ([]byte, error) {
		if src == nil {
			return nil, nil
		}
		if string(src) == "bad" {
			return append(dst, "half"...), errors.New("it is bad")
		}
		return append(append(append(dst, tag...), ':'), src...), nil
	}
}

// fixed are converters that change nothing.
type fixed struct{ enc record.Encoding }

func (f fixed) Decoded() record.Encoding               { return f.enc }
func (fixed) NewDecoder() engine.Decode                { return nil }
func (fixed) NewEncoder(record.Encoding) engine.Encode { return nil }
func header(name, value string) record.Header          { return record.Header{Key: name, Value: []byte(value)} }
func headersText(list []record.Header) (out []string) {
	for _, h := range list {
		if h.Value == nil {
			out = append(out, h.Key)
			continue
		}
		out = append(out, h.Key+"="+string(h.Value))
	}
	return out
}

func TestHeaderDecoding(t *testing.T) {
	t.Parallel()
	tests := []struct {
		conv     engine.Converter
		in, want string
	}{
		{tagged{}, `t"a" é`, `"a" é`},
		{tagged{}, "b\xff\x00", "\xff\x00"},
		{tagged{}, `j"a\"\u00e9"`, `a"é`},
		{tagged{}, `j 12.50 `, "12.50"},
		{tagged{}, `jtrue`, "true"},
		{tagged{}, `j{"a": [1]}`, `{"a": [1]}`},
		{tagged{}, `jnull`, "(null)"},
		{tagged{}, `j""`, ""},
		{tagged{}, `i5`, "5"},
		{tagged{}, `s"5"`, "5"},
		{tagged{}, `x"/wA="`, "\xff\x00"},
		{tagged{}, `d"2026-01-02T03:04:05Z"`, "2026-01-02T03:04:05Z"},
		{tagged{}, `j{`, "error"},
		{fixed{record.JSON}, `"x"`, "x"},
		{fixed{record.JSON}, ``, "error"},
	}
	for _, tt := range tests {
		out, _, err := engine.HeaderDecoding(tt.conv)([]byte("+"), []byte(tt.in), nil, &engine.Meta{Header: true, Topic: "t"})
		got := strings.TrimPrefix(string(out), "+")
		switch {
		case err != nil:
			got = "error"
		case out == nil:
			got = "(null)"
		}
		if got != tt.want {
			t.Errorf("%q became %q (%v), want %q", tt.in, got, err, tt.want)
		}
	}
	for _, c := range []engine.Converter{nil, fixed{record.Text}, fixed{record.Opaque}} {
		if engine.HeaderDecoding(c) != nil || engine.HeaderEncoding(c) != nil {
			t.Errorf("%v has something to do", c)
		}
	}
}

func TestHeaderEncoding(t *testing.T) {
	t.Parallel()
	of := func(typ schema.Type) engine.Converter { return tagged{schema.New(typ)} }
	tests := []struct {
		conv     engine.Converter
		in, want string
	}{
		{tagged{}, "a", "text:a"},
		{tagged{}, "", "text:"},
		{tagged{}, "5", "int64:5"},
		{tagged{}, "-9223372036854775808", "int64:-9223372036854775808"},
		{tagged{}, "1.5", "float64:1.5"},
		{tagged{}, "true", "bool:true"},
		{tagged{}, "false", "bool:false"},
		{tagged{}, `{"a": 1}`, `json:{"a": 1}`},
		{tagged{}, `[]`, `json:[]`},
		// Their text would not come back.
		{tagged{}, "1.50", "text:1.50"},
		{tagged{}, "007", "text:007"},
		{tagged{}, "-0", "text:-0"},
		{tagged{}, "1e3", "text:1e3"},
		{tagged{}, "9223372036854775808", "text:9223372036854775808"},
		{tagged{}, "12345678901234567890123456789012345", "text:12345678901234567890123456789012345"},
		{tagged{}, "NaN", "text:NaN"},
		{tagged{}, "null", "text:null"},
		{tagged{}, ` 5`, "text: 5"},
		{tagged{}, `"a"`, `text:"a"`},
		{tagged{}, `{a}`, "text:{a}"},
		{tagged{}, "truest", "text:truest"},
		{tagged{}, "\xff", "bytes:\xff"},
		{tagged{}, "5\xff", "bytes:5\xff"},
		// The converter says what it writes.
		{of(schema.String), "5", `string:"5"`},
		{of(schema.String), `a"`, `string:"a\""`},
		{of(schema.String), "\xff", "error: the text is not valid UTF-8"},
		{of(schema.UUID), "123e4567-e89b-12d3-a456-426614174000", `uuid:"123e4567-e89b-12d3-a456-426614174000"`},
		{of(schema.UUID), "5", `error: "5" is not of type uuid`},
		{of(schema.Bytes), "5\xff", `bytes:"Nf8="`},
		{of(schema.Float64), "5", "json:5"}, // an integer beyond 2^53 is refused
		{of(schema.Float64), "-0", "float64:-0"},
		{of(schema.Float64), "5.5", "float64:5.5"},
		{of(schema.Float64), "1e300", "float64:1e300"},
		{of(schema.Float64), "NaN", `float64:"NaN"`},
		{of(schema.Float64), "x", `error: "x" is not of type float64`},
		{of(schema.Int32), "2147483648", "error: 2147483648 is not of type int32"},
		{of(schema.Int32), " 5", `error: " 5" is not of type int32`},
		{of(schema.Int32), "", `error: "" is not of type int32`},
		{of(schema.Bool), "true", "bool:true"},
		{of(schema.Bool), "1", "error: "},
		{of(schema.Timestamp), "2026-01-02T03:04:05Z", `timestamp:"2026-01-02T03:04:05Z"`},
		{of(schema.Struct), "{}", "json:{}"},
		{of(schema.Any), "5", "json:5"},
		{of(schema.Any), "x", "text:x"},
	}
	for _, tt := range tests {
		out, _, err := engine.HeaderEncoding(tt.conv)([]byte("+"), []byte(tt.in), nil, &engine.Meta{})
		got := strings.TrimPrefix(string(out), "+")
		if want, fails := strings.CutPrefix(tt.want, "error: "); fails {
			if err == nil || !strings.Contains(err.Error(), want) || got != "" {
				t.Errorf("%q became %q (%v), want an error %q", tt.in, got, err, want)
			}
			continue
		}
		if got != tt.want || err != nil {
			t.Errorf("%q became %q (%v), want %q", tt.in, got, err, tt.want)
		}
	}
	if out, _, err := engine.HeaderEncoding(tagged{})(nil, nil, nil, &engine.Meta{}); out != nil || err != nil {
		t.Errorf("a null became %q, %v", out, err)
	}
}

// TestTranscoderHeaders: headers of flow and of converters stay, a refused
// record is as it was, and memory of one batch is not that of the next.
func TestTranscoderHeaders(t *testing.T) {
	t.Parallel()
	records := []enginetest.Record{
		{Value: []byte("a"), Headers: []record.Header{header("x", "i1"), header("__value_schema_id", "raw"), {Key: "none"}, header("flow.error.reason", "bad")}},
		{Value: []byte("b")},
		{Value: []byte("c"), Headers: []record.Header{header("x", "i2"), header("y", "bad")}},
		{Value: []byte("bad"), Headers: []record.Header{header("x", "i3")}},
		{Value: []byte("d"), Headers: []record.Header{header("empty", "t"), header("n", "jnull")}},
	}
	upper := func(dst, src []byte, _ record.Encoding, m *engine.Meta) ([]byte, record.Encoding, error) {
		if string(src) == "bad" {
			return dst, nil, errors.New("bad value")
		}
		if m.AddHeader("added", src); m.Header {
			return dst, nil, errors.New("no header")
		}
		return append(append(dst, '+'), src...), record.Text, nil
	}
	for _, borrowed := range []bool{false, true} {
		tr := &engine.Transcoder{Value: upper, Headers: engine.HeaderDecoding(tagged{}), Adds: true}
		var earlier []*engine.Batch
		for round := range 3 {
			src := begun(records, "t")
			b := src
			if borrowed {
				b = engine.NewBatch()
				b.Borrow(src, []uint32{0, 1, 2, 3, 4})
				b.Inherit(src)
			}
			before := enginetest.Records(src)
			var failed []string
			kept, err := tr.Run(t.Context(), b, func(i int, reason error) {
				same(t, "unchanged while failing", enginetest.Records(b), before)
				failed = append(failed, fmt.Sprint(i, reason))
			})
			if err != nil || !slices.Equal(failed, []string{"2 header y: it is bad", "3 bad value"}) || !slices.Equal(kept, []uint32{0, 1, 4}) {
				t.Fatalf("round %d: failed %v, kept %v, %v", round, failed, kept, err)
			}
			if borrowed {
				same(t, "the owner of borrowed memory", enginetest.Records(src), before)
			}
			earlier = append(earlier, b)
		}
		for _, b := range earlier {
			var got []string
			for _, r := range enginetest.Records(b) {
				got = append(got, fmt.Sprintf("%s%q", r.Value, headersText(r.Headers)))
			}
			want := []string{`+a["x=1" "__value_schema_id=raw" "none" "flow.error.reason=bad" "added=a"]`, `+b["added=b"]`, `+d["empty=" "n" "added=d"]`}
			if !slices.Equal(got, want) {
				t.Errorf("borrowed %v: got %s\nwant %s", borrowed, got, want)
			}
			b.Release()
		}
	}
}

// TestTranscoderHeadersWait: what the converter needs is away for a while, or for
// good.
func TestTranscoderHeadersWait(t *testing.T) {
	t.Parallel()
	away, waits := 2, 0
	tr := &engine.Transcoder{Headers: func(dst, src []byte, _ record.Encoding, _ *engine.Meta) ([]byte, record.Encoding, error) {
		if away--; away >= 0 {
			return append(dst, "half"...), nil, engine.Retry(errors.New("away"))
		}
		return append(append(dst, 'd'), src...), nil, nil
	}}
	tr.Wait = func(context.Context, *engine.RetryError) error { waits++; return nil }
	records := []enginetest.Record{{Value: []byte("a"), Headers: []record.Header{header("x", "1"), header("y", "2")}}}
	b := begun(records, "t")
	fail := func(i int, reason error) { t.Errorf("record %d: %v", i, reason) }
	if kept, err := tr.Run(t.Context(), b, fail); err != nil || kept != nil || waits != 2 {
		t.Fatal(kept, err, waits)
	}
	if got := headersText(b.Headers.At(0)); !slices.Equal(got, []string{"x=d1", "y=d2"}) {
		t.Errorf("headers %v", got)
	}
	b.Release()

	stop := errors.New("stopped")
	for _, cause := range []error{stop, engine.Fatal(stop)} {
		away = 1
		tr.Wait = func(context.Context, *engine.RetryError) error { return cause }
		b = begun(records, "t")
		before := enginetest.Records(b)
		if _, err := tr.Run(t.Context(), b, fail); !errors.Is(err, stop) {
			t.Errorf("error %v", err)
		}
		same(t, "after a stop", enginetest.Records(b), before)
		b.Release()
	}
}
