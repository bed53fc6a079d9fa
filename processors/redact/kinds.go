package redact

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"math/big"
	"net/netip"
	"regexp"
	"unicode/utf8"
)

// kind finds one kind of text.
type kind struct {
	// may rules most texts out cheaply; nil: it cannot.
	may  func(text []byte) bool
	find *regexp.Regexp
	// is checks what find has found; nil: it is right. It may shorten it.
	is func(match []byte) (n int, ok bool)
	// alone: no letter or digit may stand right before or behind it.
	alone bool
}

// kindOf returns a kind by its name in the config. Patterns are compiled here, so
// that who redacts nothing does not pay for them.
func kindOf(name string) kind {
	switch name {
	case "card":
		return kind{may: digits(13), find: regexp.MustCompile(`\d(?:[ -]?\d){12,18}`), is: isCard, alone: true}
	case "email":
		return kind{may: func(t []byte) bool { return bytes.IndexByte(t, '@') > 0 }, find: regexp.MustCompile(`[\pL\pN._%+'-]+@(?:[\pL\pN](?:[\pL\pN-]*[\pL\pN])?\.)+\pL{2,}`)}
	case "phone":
		return kind{may: digits(7), find: regexp.MustCompile(`\+\d(?:[ ().-]{0,2}\d){6,14}|(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}`), alone: true}
	case "iban":
		return kind{may: digits(2), find: regexp.MustCompile(`[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}`), is: isIBAN, alone: true}
	case "ip":
		return kind{may: func(t []byte) bool { return bytes.ContainsAny(t, ".:") }, find: regexp.MustCompile(`[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:[0-9]{0,3}(?:\.[0-9]{1,3}){3})?`), is: isIP, alone: true}
	}
	panic("redact: kind " + name) // oneof has let nothing else through
}

// digits reports whether a text has so many of them.
func digits(n int) func([]byte) bool {
	return func(text []byte) bool {
		count := 0
		for _, c := range text {
			if c-'0' <= 9 {
				if count++; count == n {
					return true
				}
			}
		}
		return false
	}
}

// next returns the first place at or behind from.
func (k *kind) next(text []byte, from int) []int {
	for from < len(text) {
		at := k.find.FindIndex(text[from:])
		if at == nil {
			return nil
		}
		at[0], at[1] = at[0]+from, at[1]+from
		if k.is != nil {
			n, ok := k.is(text[at[0]:at[1]])
			if !ok {
				from = at[0] + step(text[at[0]:])
				continue
			}
			at[1] = at[0] + n
		}
		if k.alone && (wordBefore(text, at[0]) || wordBehind(text, at[1])) {
			from = at[0] + step(text[at[0]:])
			continue
		}
		if at[0] == at[1] { // a pattern that can match nothing
			from = at[0] + step(text[at[0]:])
			continue
		}
		return at
	}
	return nil
}

func step(text []byte) int {
	_, n := utf8.DecodeRune(text)
	return max(n, 1)
}

func isWord(c byte) bool {
	return c-'0' <= 9 || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c >= utf8.RuneSelf
}

func wordBefore(text []byte, at int) bool { return at > 0 && isWord(text[at-1]) }

func wordBehind(text []byte, at int) bool { return at < len(text) && isWord(text[at]) }

// isCard checks the digit that the Luhn formula (ISO/IEC 7812-1) puts last.
// Of a longer run of digits only the whole counts.
func isCard(match []byte) (int, bool) {
	sum, n, double := 0, 0, false
	for i := len(match) - 1; i >= 0; i-- {
		d := int(match[i] - '0')
		if d < 0 || d > 9 {
			continue
		}
		n++
		if double {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		double = !double
		sum += d
	}
	return len(match), n >= 13 && n <= 19 && sum%10 == 0
}

var mod97 = big.NewInt(97)

// isIBAN checks the two digits of ISO 13616. The match may run on into the
// words behind it, so shorter ones are tried, too.
func isIBAN(match []byte) (int, bool) {
	for n := len(match); n >= 15; n-- {
		if match[n-1] == ' ' {
			continue
		}
		plain := bytes.ReplaceAll(match[:n], []byte(" "), nil)
		if len(plain) < 15 || len(plain) > 34 {
			continue
		}
		if n < len(match) && isWord(match[n]) {
			continue
		}
		turned := append(append([]byte{}, plain[4:]...), plain[:4]...)
		var number []byte
		for _, c := range turned {
			if c >= 'A' {
				number = append(number, '1'+(c-'A')/10, '0'+(c-'A')%10)
			} else {
				number = append(number, c)
			}
		}
		x, ok := new(big.Int).SetString(string(number), 10)
		if ok && x.Mod(x, mod97).Int64() == 1 {
			return n, true
		}
	}
	return 0, false
}

// isIP leaves out ::, which stands for no address.
func isIP(match []byte) (int, bool) {
	a, err := netip.ParseAddr(string(match))
	return len(match), err == nil && !a.IsUnspecified()
}

// mask writes what stands for a text.
type mask struct {
	config *Config
	mac    hash.Hash // nil unless mode is hash
}

func newMask(c *Config) *mask {
	m := &mask{config: c}
	if c.Mode == "hash" {
		m.mac = hmac.New(sha256.New, []byte(c.Secret.Reveal()))
	}
	return m
}

const hashBytes = 16

func (m *mask) append(dst, text []byte) []byte {
	switch m.config.Mode {
	case "remove":
		return dst
	case "hash":
		m.mac.Reset()
		m.mac.Write(text) // a hash never fails
		return hex.AppendEncode(dst, m.mac.Sum(nil)[:hashBytes])
	case "keep_last":
		dst = append(dst, m.config.With...)
		if utf8.RuneCount(text) > 2*m.config.Keep {
			at := len(text)
			for range m.config.Keep {
				_, n := utf8.DecodeLastRune(text[:at])
				at -= n
			}
			dst = append(dst, text[at:]...)
		}
		return dst
	}
	return append(dst, m.config.With...)
}
