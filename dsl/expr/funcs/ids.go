package funcs

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/google/uuid"

	"github.com/flowrecords/flow/engine/record"
)

func (s *set) idFuncs() []def {
	fresh := func(name, doc, want string, make func(scratch []byte) (uuid.UUID, error)) def {
		return def{
			Func: Func{
				Name: name, Group: groupID, Doc: doc, Result: "string",
				Examples: []Example{ex(name+"()", want)},
			},
			impure: true,
			impl: func(*in) (any, error) {
				var scratch [16]byte
				id, err := make(scratch[:])
				return id.String(), err
			},
			fast: func(a fin) (record.Value, []byte, error) {
				// The randomness is read into the arena first: behind an
				// interface memory on the stack would escape.
				start := len(a.dst)
				a.dst = append(a.dst, uuid.Nil[:]...)
				id, err := make(a.dst[start:])
				a.dst = a.dst[:start]
				if err != nil {
					return a.done(record.Value{}, err)
				}
				a.dst = appendUUID(a.dst, id)
				return a.done(a.made(start), nil)
			},
		}
	}
	return []def{
		fresh("uuidv4", "A new random UUID.", `"3a51687f-96ad-44db-b209-20374e657c93"`, s.uuidv4),
		fresh("uuidv7", "A new UUID that begins with the time: later ones sort behind earlier ones, as keys of a database like it.",
			`"019b76da-a800-7000-ba51-687f96adc4db"`, s.uuidv7),
		{
			Func: Func{
				Name: "uuidv5", Group: groupID,
				Doc: "The UUID of a name within a namespace: the same name gives the same UUID, so that repeats of a record have one identity.",
				Params: []Param{
					p("namespace", "string", "`dns`, `url`, `oid`, `x500` or a UUID"), p("name", "string", "the name"),
				},
				Result: "string",
				Examples: []Example{
					ex(`uuidv5("url", "https://example.com/orders/1")`, `"9a79fce2-ac7a-5a27-a45e-9e18def5174d"`),
				},
			},
			impl: func(a *in) (any, error) {
				ns, name := a.text(0), a.text(1)
				if a.err != nil {
					return nil, nil
				}
				space, err := namespace(ns)
				if err != nil {
					return nil, err
				}
				return uuid.NewSHA1(space, []byte(name)).String(), nil
			},
			checks: map[int]func(any) string{0: func(arg any) string {
				if t, ok := arg.(string); ok {
					if _, err := namespace(t); err != nil {
						return err.Error()
					}
				}
				return ""
			}},
		},
		{
			Func: Func{
				Name: "isUUID", Group: groupID, Doc: "Whether a value is a UUID in its usual text form of 36 characters. False for null and for what is not text.",
				Params: []Param{p("text", "any", "the value")}, Result: "bool",
				Examples: []Example{ex(`isUUID("019b76da-a800-7000-bab0-c1d2e3f40516")`, `true`), ex(`isUUID("42")`, `false`)},
			},
			impl: func(a *in) (any, error) {
				t, ok := a.any(0).(string)
				return ok && isUUID([]byte(t)), nil
			},
			fast: func(a fin) (record.Value, []byte, error) {
				v := a.value(0)
				return a.done(record.BoolValue(v.Kind() == record.String && isUUID(v.Text())), nil)
			},
		},
	}
}

// uuidv4 reads from the library's randomness, not the package's, so that
// tests can fix it.
func (s *set) uuidv4(scratch []byte) (uuid.UUID, error) {
	if _, err := io.ReadFull(s.Rand, scratch); err != nil {
		return uuid.Nil, fmt.Errorf("reading randomness: %w", err)
	}
	id := uuid.UUID(scratch)
	id[6] = 0x40 | id[6]&0x0f
	id[8] = 0x80 | id[8]&0x3f
	return id, nil
}

// uuidv7 follows RFC 9562: milliseconds, then the fraction of a millisecond
// in 12 bits, so that ids of one machine sort by time below a millisecond too.
func (s *set) uuidv7(scratch []byte) (uuid.UUID, error) {
	if _, err := io.ReadFull(s.Rand, scratch[8:]); err != nil {
		return uuid.Nil, fmt.Errorf("reading randomness: %w", err)
	}
	id := uuid.UUID(scratch)
	now := s.Now()
	binary.BigEndian.PutUint64(id[:8], uint64(now.UnixMilli())<<16)
	frac := uint64(now.Nanosecond()%1e6) << 12 / 1e6
	id[6] = 0x70 | byte(frac>>8)
	id[7] = byte(frac)
	id[8] = 0x80 | id[8]&0x3f
	return id, nil
}

func appendUUID(dst []byte, id uuid.UUID) []byte {
	const digits = "0123456789abcdef"
	for i, b := range id {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			dst = append(dst, '-')
		}
		dst = append(dst, digits[b>>4], digits[b&15])
	}
	return dst
}

func namespace(name string) (uuid.UUID, error) {
	switch name {
	case "dns":
		return uuid.NameSpaceDNS, nil
	case "url":
		return uuid.NameSpaceURL, nil
	case "oid":
		return uuid.NameSpaceOID, nil
	case "x500":
		return uuid.NameSpaceX500, nil
	}
	if isUUID([]byte(name)) {
		return uuid.Parse(name)
	}
	return uuid.Nil, fmt.Errorf("unknown namespace %s: use dns, url, oid, x500 or a UUID", quote(name))
}

func isUUID(b []byte) bool {
	if len(b) != 36 {
		return false
	}
	for i, c := range b {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
			continue
		}
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}
