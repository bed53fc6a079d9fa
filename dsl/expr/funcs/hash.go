package funcs

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/fnv"

	"github.com/cespare/xxhash/v2"

	"github.com/flowrecords/flow/engine/record"
)

// hexHash describes a cryptographic hash that gives lower-case hex. sum
// appends the digest to dst.
func hexHash(name, doc, want string, sum func(dst, data []byte) []byte) def {
	return def{
		Func: Func{
			Name: name, Group: groupHash, Doc: doc,
			Params:   []Param{p("data", "string|bytes", "what to hash; a string as its UTF-8 bytes")},
			Result:   "string",
			Examples: []Example{ex(name+`("flow")`, `"`+want+`"`)},
		},
		impl: func(a *in) (any, error) {
			var buf [sha512.Size]byte
			return hex.EncodeToString(sum(buf[:0], a.data(0))), nil
		},
		fast: func(a fin) (record.Value, []byte, error) {
			data := a.data(0)
			start := len(a.dst)
			var buf [sha512.Size]byte
			a.dst = hex.AppendEncode(a.dst, sum(buf[:0], data))
			return a.done(a.made(start), nil)
		},
	}
}

// newHash returns the constructor of a hash by name; nil if it is unknown.
func newHash(name string) func() hash.Hash {
	switch name {
	case "md5":
		return md5.New
	case "sha1":
		return sha1.New
	case "sha256":
		return sha256.New
	case "sha512":
		return sha512.New
	}
	return nil
}

const hashNames = "md5, sha1, sha256 or sha512"

func checkHash(arg any) string {
	if s, ok := arg.(string); ok && newHash(s) == nil {
		return "unknown hash " + quote(s) + ": use " + hashNames
	}
	return ""
}

func (s *set) hashFuncs() []def {
	return []def{
		hexHash("sha256", "The SHA-256 digest in hex. The choice for keys and fingerprints.",
			"3b21278178ed3463f3bde3a35f088caf6d99ff1b2f647d9a0c2b8de599ec3dc6",
			func(dst, data []byte) []byte { d := sha256.Sum256(data); return append(dst, d[:]...) }),
		hexHash("sha512", "The SHA-512 digest in hex.",
			"8f0ae317a8b4d0c738bdc063680bc664532585d133ad9d5c05edb5d6332f553634758301ee310814cf40265728410990063d13f025a9ad57df4e0ae02c03b0e2",
			func(dst, data []byte) []byte { d := sha512.Sum512(data); return append(dst, d[:]...) }),
		hexHash("sha1", "The SHA-1 digest in hex, for systems that ask for it. It does not resist forgery.",
			"d8f7e9c783be82328ffc2f348b0f257b671c1107",
			func(dst, data []byte) []byte { d := sha1.Sum(data); return append(dst, d[:]...) }),
		hexHash("md5", "The MD5 digest in hex, for systems that ask for it. It does not resist forgery.",
			"cff5497121104c2b8e0cb41ed2083a9b",
			func(dst, data []byte) []byte { d := md5.Sum(data); return append(dst, d[:]...) }),
		{
			Func: Func{
				Name: "hmac", Group: groupHash,
				Doc: "The keyed digest (HMAC) in hex: a fingerprint that nobody without the key can compute or guess back, as masking of short values needs.",
				Params: []Param{
					p("data", "string|bytes", "what to hash"),
					p("key", "string|bytes", "the secret key"),
					p("hash", "string", hashNames),
				},
				Result:   "string",
				Examples: []Example{ex(`hmac("flow", "key", "sha256")`, `"4fd418d5bb6b198ded1fd573d6c07e2aea732a2e637f6c609a044a8d3f3fd10f"`)},
			},
			impl: func(a *in) (any, error) {
				data, key, name := a.data(0), a.data(1), a.text(2)
				make := newHash(name)
				if make == nil {
					return nil, fmt.Errorf("unknown hash %s: use %s", quote(name), hashNames)
				}
				h := hmac.New(make, key)
				_, _ = h.Write(data) // a hash never fails
				return hex.EncodeToString(h.Sum(nil)), nil
			},
			checks: map[int]func(any) string{2: checkHash},
		},
		intHash("crc32", "The CRC-32 (IEEE) checksum, from 0 to 4294967295.", `1388369520`,
			func(data []byte) int { return int(crc32.ChecksumIEEE(data)) }),
		intHash("fnv32", "The 32-bit FNV-1a hash, from 0 to 4294967295.", `3184006805`, func(data []byte) int {
			h := uint32(2166136261)
			for _, b := range data {
				h = (h ^ uint32(b)) * 16777619
			}
			return int(h)
		}),
		intHash("fnv64", "The 64-bit FNV-1a hash as a signed integer.", `-3043359704921892267`, func(data []byte) int {
			h := fnv.New64a()
			_, _ = h.Write(data)
			return int(h.Sum64())
		}),
		intHash("xxhash64", "The 64-bit xxHash as a signed integer: the fastest, for sampling and partitioning.", `-8902822926800703565`,
			func(data []byte) int { return int(xxhash.Sum64(data)) }),
	}
}

// intHash describes a checksum or hash that gives an integer.
func intHash(name, doc, want string, sum func([]byte) int) def {
	return def{
		Func: Func{
			Name: name, Group: groupHash, Doc: doc,
			Params:   []Param{p("data", "string|bytes", "what to hash; a string as its UTF-8 bytes")},
			Result:   "int",
			Examples: []Example{ex(name+`("flow")`, want)},
		},
		impl: func(a *in) (any, error) { return sum(a.data(0)), nil },
		fast: func(a fin) (record.Value, []byte, error) { return a.done(record.IntValue(int64(sum(a.data(0)))), nil) },
	}
}
