package deadletters

import (
	"testing"

	"github.com/flowrecords/flow/engine/record"
)

// TestBody: the bytes that failed come back from an envelope as they were,
// whatever they look like.
func TestBody(t *testing.T) {
	t.Parallel()
	coded := func(s string) *string { return &s }
	tests := []struct {
		name, raw string
		coded     *string
		said      string
		want      string
		null      bool
		as        record.Encoding
	}{
		{name: "json", raw: `{"a":1}`, said: "json", want: `{"a":1}`, as: record.JSON},
		{name: "a JSON string", raw: `"abc"`, said: "json", want: `"abc"`, as: record.JSON},
		{name: "JSON null", raw: `null`, said: "json", want: `null`, as: record.JSON},
		{name: "a tombstone", raw: `null`, null: true, as: record.Opaque},
		{name: "broken JSON", raw: `"{\"a\":"`, said: "invalid_json", want: `{"a":`, as: record.JSON},
		{name: "a word that should be JSON", raw: `"abc"`, said: "invalid_json", want: `abc`, as: record.JSON},
		{name: "text", raw: `"17"`, said: "text", want: `17`, as: record.Text},
		{name: "text with quotes", raw: `"\"17\""`, said: "text", want: `"17"`, as: record.Text},
		{name: "bytes", raw: `"a b"`, said: "bytes", want: `a b`, as: record.Opaque},
		{name: "bytes that are JSON", raw: `"abc"`, said: "json_bytes", want: `"abc"`, as: record.Opaque},
		{name: "bytes that are an object", raw: `{"a":1}`, said: "json_bytes", want: `{"a":1}`, as: record.Opaque},
		{name: "bytes that are no text", coded: coded("/w=="), said: "bytes", want: "\xff", as: record.Opaque},
		{name: "of an older envelope", raw: `{"a":1}`, want: `{"a":1}`, as: record.JSON},
		{name: "text of an older envelope", raw: `"abc"`, want: `abc`, as: record.Text},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, as, err := body([]byte(tt.raw), tt.coded, tt.said)
			if err != nil || string(got) != tt.want || (got == nil) != tt.null || as != tt.as {
				t.Errorf("got %q as %v, %v", got, as, err)
			}
		})
	}
}

// FuzzParseEnvelope: a line is a letter or an error, never a panic, and a letter
// says why it is one.
func FuzzParseEnvelope(f *testing.F) {
	for _, s := range []string{"", "{}", "null", "[1]", `{"headers":[{"key":"flow.error.reason","value":"x"}],"value":"\ud800"}`,
		`{"error":{"reason":"r"},"value_base64":"/w==","key":7,"offset":9e99}`, `{"error":{"reason":"r"},"timestamp":"x"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		l, err := parseEnvelope(line)
		if (l == nil) == (err == nil) {
			t.Fatalf("%v, %v", l, err)
		}
		if l != nil && l.Reason == "" && l.Element == "" {
			t.Error("a letter without a reason")
		}
	})
}
