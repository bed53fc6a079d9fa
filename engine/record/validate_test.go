package record

import (
	"strings"
	"testing"

	"github.com/flowrecords/flow/engine/limits"
)

// validityCases are compared with encoding/json one by one and are the seeds
// of the fuzz target.
var validityCases = []string{
	``, ` `, `null`, ` null `, "null\r", "null\r\n", `nul`, `nulll`, `true`, `tru e`, `false`, `falsey`,
	`0`, `-0`, `-`, `01`, `1.`, `.1`, `1.0`, `1e5`, `1E+5`, `1e-`, `1e`, `-1.5e-10`, `+1`, `0x1`, `1_000`, `NaN`, `Infinity`, `1e999`,
	`123456789012345678901234567890`, `1 2`, `1,`,
	`""`, `"`, `"a`, `"\`, `"\"`, `"\\"`, `"\/\b\f\n\r\t\""`, `"\a"`, `"\u00e9"`, `"\u00g9"`, `"\u12"`, `"\ud800"`, `"\ud83d\ude00"`,
	`"\ud83d\u0041"`, `"\udc00\ud800"`, `"\ud83d\ud83d\ude00"`, "\"tab\there\"", "\"\x00\"", "\"\x1f\"", "\"\x7f\"", "\"\xff\"", "\"é\"", "\"\xc3\"",
	"\"plain text that is longer than a word \xc3\xa9 and on\"", "\"plain text that is longer than a word \xc3 and on\"", "\"\xed\xa0\x80\"",
	"\"a longer text with a control \x01 character\"", "\xef\xbb\xbf{}", "\xff", "é",
	`[]`, `[ ]`, `[1]`, `[1,]`, `[,1]`, `[1 2]`, `[1,2`, `[`, `]`, `[}`, `[[],[[]]]`, `[1]]`, `['a']`,
	`{}`, `{ }`, `{"a":1}`, `{"a":1,}`, `{,}`, `{"a"}`, `{"a":}`, `{"a" : 1 , "b":2}`, `{a:1}`, `{"a":1 "b":2}`, `{"a":1`, `{"a":`, `{"a"`, `{"a`, `{"`, `{`, `{]`,
	`{"a":1,"a":{"b":2}}`, `{"\u0061":1}`, "{\"a\":\n\t1}", `{"a":1}x`, `{"a":1}}`, "{\"a\xff\":1}", `{"b":{"c":1,"d":[1,{"e":2}]}}`,
	`{"b":{"c":1,"d":[1,{"e":2}],"c":}}`, `{"items":[{"sku":"S-1"}],"id":"x"}`, `{"items":[{"sku":"S-1"},],"id":"x"}`,
	`{"b":{"d":[1,{"e":"x"}`, `{"id":"0123456789","b":{"c":"0123456789012345678901234567890"}}`, `[1,{"a":[{"b":null}]},"x"]`,
}

func TestValidity(t *testing.T) {
	t.Parallel()
	p := NewProjection()
	for _, s := range []string{"a", "b.c", "b.d[1]", "b.d[-1].e", "id", "items[0].sku"} {
		p.Add(mustPath(s))
	}
	d := NewDoc(p)
	cases := append([]string{
		strings.Repeat("[", limits.JSONDepth) + strings.Repeat("]", limits.JSONDepth),
		strings.Repeat("[", limits.JSONDepth+1) + strings.Repeat("]", limits.JSONDepth+1),
		strings.Repeat(`{"a":`, limits.JSONDepth) + "1" + strings.Repeat("}", limits.JSONDepth),
		strings.Repeat(`{"a":`, limits.JSONDepth+1) + "1" + strings.Repeat("}", limits.JSONDepth+1),
		`{"b":{"d":[1,` + strings.Repeat("[", limits.JSONDepth-3) + strings.Repeat("]", limits.JSONDepth-3) + `]}}`,
		`{"b":{"d":[1,` + strings.Repeat("[", limits.JSONDepth-2) + strings.Repeat("]", limits.JSONDepth-2) + `]}}`,
		strings.Repeat("[", 1e6),
	}, validityCases...)
	for _, c := range cases {
		checkValidity(t, d, []byte(c))
		// Every cut of a text stands at the end of its memory.
		for n := range min(len(c), 80) {
			checkValidity(t, d, []byte(c[:n]))
		}
		// And in the middle of a longer one.
		for _, pad := range []int{1, 3, 8, 20} {
			checkValidity(t, d, []byte(strings.Repeat(" ", pad)+c+strings.Repeat(" ", pad)))
		}
	}
}

func TestValidateJSONErrors(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want string }{
		{``, "invalid JSON: unexpected end looking for a value at byte 0"},
		{`{"a":1 x}`, "invalid JSON: invalid character 'x' after object member at byte 7"},
		{`{"a" 1}`, "invalid JSON: invalid character '1' after a member's name at byte 5"},
		{`{a:1}`, "invalid JSON: invalid character 'a' looking for a member's name at byte 1"},
		{`{"a":1,}`, "invalid JSON: invalid character '}' looking for a member's name at byte 7"},
		{`[1,]`, "invalid JSON: invalid character ']' looking for a value at byte 3"},
		{`[1 2]`, "invalid JSON: invalid character '2' after array element at byte 3"},
		{`[1`, "invalid JSON: unexpected end after array element at byte 2"},
		{`1 2`, "invalid JSON: invalid character '2' after the value at byte 2"},
		{`"\q"`, "invalid JSON: invalid character 'q' after a backslash at byte 2"},
		{`"\u00x0"`, `invalid JSON: invalid character 'x' in a \u escape at byte 5`},
		{"\"a\nb\"", `invalid JSON: invalid character '\n' in a string at byte 2`},
		{"\"a\xff\"", "invalid JSON: invalid UTF-8 byte 0xff in a string at byte 2"},
		{`"abc`, "invalid JSON: unexpected end in a string at byte 4"},
		{`-x`, "invalid JSON: invalid character 'x' in a number at byte 1"},
		{`1.x`, "invalid JSON: invalid character 'x' after a decimal point at byte 2"},
		{`1e+`, "invalid JSON: unexpected end in a number at byte 3"},
		{`01`, "invalid JSON: invalid character '1' after the value at byte 1"},
		{`trve`, "invalid JSON: invalid character 'v' in true at byte 2"},
		{`'a'`, `invalid JSON: invalid character "'" looking for a value at byte 0`},
		{strings.Repeat("[", limits.JSONDepth+1), "invalid JSON: nested deeper than 512 at byte 512"},
		{"\x00", `invalid JSON: invalid character '\x00' looking for a value at byte 0`},
	}
	for _, tt := range tests {
		err := ValidateJSON([]byte(tt.in))
		if err == nil || err.Error() != tt.want {
			t.Errorf("ValidateJSON(%.40q) = %v, want %s", tt.in, err, tt.want)
		}
	}
}
