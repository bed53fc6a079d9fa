package funcs

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/flowrecords/flow/engine/record"
)

func (s *set) encodingFuncs() []def {
	data := []Param{p("data", "string|bytes", "what to encode; a string as its UTF-8 bytes")}
	encode := func(name, doc, expr, want string, enc func(dst, data []byte) []byte) def {
		return def{
			Func: Func{Name: name, Group: groupEncoding, Doc: doc, Params: data, Result: "string", Examples: []Example{ex(expr, want)}},
			impl: func(a *in) (any, error) { return string(enc(nil, a.data(0))), nil },
			fast: func(a fin) (record.Value, []byte, error) {
				data, start := a.data(0), len(a.dst)
				a.dst = enc(a.dst, data)
				return a.done(a.made(start), nil)
			},
		}
	}
	decode := func(name, doc, expr, want string, dec func(string) ([]byte, error)) def {
		return def{
			Func: Func{
				Name: name, Group: groupEncoding, Doc: doc,
				Params: []Param{p("text", "string", "the encoded text")}, Result: "bytes",
				Examples: []Example{ex(expr, want)},
			},
			impl: func(a *in) (any, error) {
				b, err := dec(a.text(0))
				if b == nil {
					b = []byte{}
				}
				return b, err
			},
		}
	}
	return []def{
		encode("base64Encode", "Standard base64 with padding, of text or bytes.", `base64Encode("flow?>")`, `"Zmxvdz8+"`, base64.StdEncoding.AppendEncode),
		decode("base64Decode", "The bytes of standard base64, with or without padding. Use `toString` for text.",
			`toString(base64Decode("ZmxvdyE="))`, `"flow!"`, func(t string) ([]byte, error) {
				return decodeBase64(base64.RawStdEncoding, t)
			}),
		encode("base64urlEncode", "Base64 with the alphabet for URLs and file names, without padding.", `base64urlEncode("flow?>")`, `"Zmxvdz8-"`, base64.RawURLEncoding.AppendEncode),
		decode("base64urlDecode", "The bytes of base64 with the alphabet for URLs, with or without padding.",
			`toString(base64urlDecode("ZmxvdyE"))`, `"flow!"`, func(t string) ([]byte, error) {
				return decodeBase64(base64.RawURLEncoding, t)
			}),
		encode("hexEncode", "Two lower-case hex digits for each byte.", `hexEncode("flow")`, `"666c6f77"`, hex.AppendEncode),
		decode("hexDecode", "The bytes of hex digits, upper or lower case.", `toString(hexDecode("666C6f77"))`, `"flow"`, func(t string) ([]byte, error) {
			b, err := hex.DecodeString(t)
			if err != nil {
				return nil, fmt.Errorf("%s is not hex", quote(t))
			}
			return b, nil
		}),
	}
}

func decodeBase64(enc *base64.Encoding, t string) ([]byte, error) {
	b, err := enc.DecodeString(strings.TrimRight(t, "="))
	if err != nil {
		return nil, fmt.Errorf("%s is not base64", quote(t))
	}
	return b, nil
}
