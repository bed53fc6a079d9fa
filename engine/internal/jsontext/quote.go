package jsontext

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

const (
	lsb = 0x0101010101010101
	// Wide marks the bytes of a word that are not ASCII.
	Wide = 0x8080808080808080
)

// Special marks the bytes of w that text in a JSON string cannot hold as they
// are: quote, backslash, control characters. Only the lowest mark is exact, a
// borrow may set marks above it.
func Special(w uint64) uint64 {
	return (((w ^ 0x02*lsb) - 0x21*lsb) | ((w ^ 0x5c*lsb) - lsb)) &^ w & Wide
}

// Odd marks the bytes of w that do not stand for themselves in a JSON string, or
// are not ASCII. Only the lowest mark is exact, a borrow may set marks above it.
func Odd(w uint64) uint64 {
	return (((w ^ 0x02*lsb) - 0x21*lsb) | ((w ^ 0x5c*lsb) - lsb) | w) & Wide
}

// PlainLen returns how many bytes of text stand for themselves in a JSON string
// and are ASCII.
func PlainLen(text []byte) int {
	i := 0
	for ; i+8 <= len(text) && Odd(binary.LittleEndian.Uint64(text[i:])) == 0; i += 8 {
	}
	for ; i < len(text); i++ {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			break
		}
	}
	return i
}

// AppendQuoted appends text as a JSON string with its quotes. Only what JSON
// asks for is escaped; a byte that is not UTF-8 becomes U+FFFD.
func AppendQuoted[T []byte | string](dst []byte, text T) []byte {
	return append(appendEscaped(append(dst, '"'), []byte(text)), '"')
}

func appendEscaped(dst, text []byte) []byte {
	for {
		n := PlainLen(text)
		dst = append(dst, text[:n]...)
		if text = text[n:]; len(text) == 0 {
			return dst
		}
		c := text[0]
		n = 1
		switch {
		case c >= utf8.RuneSelf:
			var r rune
			if r, n = utf8.DecodeRune(text); r == utf8.RuneError && n == 1 {
				dst = append(dst, "\uFFFD"...)
			} else {
				dst = append(dst, text[:n]...)
			}
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		case c == '\t':
			dst = append(dst, '\\', 't')
		case c == '\b':
			dst = append(dst, '\\', 'b')
		case c == '\f':
			dst = append(dst, '\\', 'f')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		text = text[n:]
	}
}

// AppendUnquoted appends what a valid JSON string, given with its quotes,
// stands for.
func AppendUnquoted(dst, quoted []byte) []byte {
	return AppendUnescaped(dst, quoted[1:len(quoted)-1])
}

// AppendUnescaped appends what the inside of a valid JSON string stands for.
// A surrogate without its pair becomes U+FFFD, as in encoding/json.
func AppendUnescaped(dst, text []byte) []byte {
	for {
		n := bytes.IndexByte(text, '\\')
		if n < 0 {
			return append(dst, text...)
		}
		dst = append(dst, text[:n]...)
		c := text[n+1]
		text = text[n+2:]
		switch c {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r := hex4(text)
			text = text[4:]
			if utf16.IsSurrogate(r) {
				pair := rune(utf8.RuneError)
				if len(text) >= 6 && text[0] == '\\' && text[1] == 'u' {
					pair = utf16.DecodeRune(r, hex4(text[2:]))
				}
				if r = pair; r != utf8.RuneError {
					text = text[6:]
				}
			}
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, c)
		}
	}
}

func hex4(b []byte) rune {
	return HexDigit(b[0])<<12 | HexDigit(b[1])<<8 | HexDigit(b[2])<<4 | HexDigit(b[3])
}

// HexDigit is what c is worth, -1 if it is no hexadecimal digit.
func HexDigit(c byte) rune {
	switch {
	case '0' <= c && c <= '9':
		return rune(c - '0')
	case 'a' <= c && c <= 'f':
		return rune(c - 'a' + 10)
	case 'A' <= c && c <= 'F':
		return rune(c - 'A' + 10)
	}
	return -1
}

// EscapeLen is how long the escape at the beginning of b is, -1 if it is none.
// Half a surrogate pair is one.
func EscapeLen(b []byte) int {
	if len(b) < 2 {
		return -1
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(b) < 6 {
			return -1
		}
		for _, c := range b[2:6] {
			if HexDigit(c) < 0 {
				return -1
			}
		}
		return 6
	}
	return -1
}
