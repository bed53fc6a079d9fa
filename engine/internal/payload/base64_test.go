package payload

import (
	"bytes"
	"encoding/base64"
	"testing"
)

// FuzzFew64 compares with the standard library.
func FuzzFew64(f *testing.F) {
	for _, text := range []string{"", "AA==", "AAA=", "BNI=", "AB==", "//////////8=", "AAAAAAAAAAA=", "AAAAAAAAAAAA", "gAAAAAAAAAA=", "=AAA", "A=AA", "AA=A", "A", "AAAA", "-AAA", "===="} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if bytes.ContainsAny(text, "\r\n") {
			return // no string holds them, and the library leaves them out
		}
		raw, err := base64.StdEncoding.Strict().AppendDecode(nil, text)
		v, size := few64(text)
		if err != nil || len(raw) == 0 || len(raw) > 8 {
			if size != 0 {
				t.Errorf("%q is read as %d of %d bytes: %v", text, v, size, err)
			}
			return
		}
		want := int64(int8(raw[0]))
		for _, c := range raw[1:] {
			want = want<<8 | int64(c)
		}
		if v != want || size != len(raw) {
			t.Errorf("%q is read as %d of %d bytes, not as %d of %d", text, v, size, want, len(raw))
		}
	})
}
