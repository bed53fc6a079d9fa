package connect

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Regex translates a regular expression of Java to RE2. An error says which
// construct cannot be, and where.
func Regex(java string) (string, error) {
	r := regexReader{text: java}
	if err := r.all(); err != nil {
		return "", err
	}
	out := r.out.String()
	if _, err := regexp.Compile(out); err != nil {
		return "", fmt.Errorf("it is not a regular expression that can be used here: %w", err)
	}
	return out, nil
}

type regexReader struct {
	text string
	i    int
	out  strings.Builder
	// atom: a quantifier may follow.
	quantified bool
}

func (r *regexReader) unsupported(what string, at int) error {
	return fmt.Errorf("%s at character %d is not supported: RE2, which matches in linear time, has no such thing", what, runeAt(r.text, at))
}

func (r *regexReader) all() error {
	for r.i < len(r.text) {
		at := r.i
		switch c := r.text[r.i]; c {
		case '\\':
			if err := r.escape(false); err != nil {
				return err
			}
			r.quantified = false
			continue
		case '[':
			if err := r.class(); err != nil {
				return err
			}
			r.quantified = false
			continue
		case '(':
			if err := r.group(); err != nil {
				return err
			}
			r.quantified = false
			continue
		case '*', '+', '?', '{':
			if c == '+' && r.quantified {
				return r.unsupported("a possessive quantifier (+)", at)
			}
			if c == '{' {
				end := strings.IndexByte(r.text[r.i:], '}')
				if end > 0 {
					r.out.WriteString(r.text[r.i : r.i+end+1])
					r.i += end + 1
					r.quantified = true
					continue
				}
			}
			r.quantified = !r.quantified
		default:
			r.quantified = false
		}
		_, n := utf8.DecodeRuneInString(r.text[r.i:])
		r.out.WriteString(r.text[r.i : r.i+n])
		r.i += n
	}
	return nil
}

func (r *regexReader) group() error {
	at := r.i
	rest := r.text[r.i:]
	for _, g := range []struct{ begin, what string }{
		{"(?=", "a look-ahead (?=...)"}, {"(?!", "a look-ahead (?!...)"}, {"(?<=", "a look-behind (?<=...)"}, {"(?<!", "a look-behind (?<!...)"}, {"(?>", "an atomic group (?>...)"},
	} {
		if strings.HasPrefix(rest, g.begin) {
			return r.unsupported(g.what, at)
		}
	}
	if m := flags.FindString(rest); m != "" && strings.ContainsAny(m, "dxuU") {
		return r.unsupported("the flag in "+m, at)
	}
	r.out.WriteByte('(')
	r.i++
	if strings.HasPrefix(rest, "(?") {
		r.out.WriteByte('?')
		r.i++
	}
	return nil
}

var flags = regexp.MustCompile(`^\(\?[a-zA-Z]*-?[a-zA-Z]*[:)]`)

// Java's names of classes that RE2 has under another name.
var posix = strings.NewReplacer(
	"Lower", "a-z", "Upper", "A-Z", "ASCII", `\x00-\x7F`, "Alpha", "a-zA-Z", "Digit", "0-9", "Alnum", "a-zA-Z0-9",
	"Punct", "!-/:-@\\[-`{-~", "Graph", "!-~", "Print", " -~", "Blank", ` \t`, "Cntrl", `\x00-\x1F\x7F`, "XDigit", "0-9a-fA-F", "Space", ` \t\n\x0B\f\r`,
)

// escape translates what follows a backslash. Within a class no new one begins.
func (r *regexReader) escape(inClass bool) error {
	at := r.i
	if r.i+1 >= len(r.text) {
		return fmt.Errorf("the backslash at character %d has nothing behind it", runeAt(r.text, at))
	}
	c := r.text[r.i+1]
	r.i += 2
	wrap := func(set string) {
		if inClass {
			r.out.WriteString(set)
		} else {
			r.out.WriteString("[" + set + "]")
		}
	}
	switch {
	case c >= '1' && c <= '9' || c == 'k':
		return r.unsupported("a reference to a group (\\"+string(c)+")", at)
	case strings.IndexByte("GZRXNb", c) >= 0 && inClass, strings.IndexByte("GRXNc", c) >= 0:
		return r.unsupported("\\"+string(c), at)
	case c == 'Z':
		r.out.WriteString(`(?:\n?\z)`)
	case c == 'e':
		r.out.WriteString(`\x1B`)
	case c == 'h':
		wrap(` \t\x{A0}\x{1680}\x{180e}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}`)
	case c == 'v':
		wrap(`\n\x0B\f\r\x{85}\x{2028}\x{2029}`)
	case c == 's':
		wrap(` \t\n\x0B\f\r`)
	case c == 'S' && !inClass:
		r.out.WriteString(`[^ \t\n\x0B\f\r]`)
	case c == 'H' && !inClass, c == 'V' && !inClass:
		return r.unsupported("\\"+string(c), at)
	case c == 'u':
		if r.i+4 > len(r.text) {
			return fmt.Errorf("the escape at character %d is not complete", runeAt(r.text, at))
		}
		r.out.WriteString(`\x{` + r.text[r.i:r.i+4] + `}`)
		r.i += 4
	case c == '0':
		n := 0
		for n < 3 && r.i+n < len(r.text) && r.text[r.i+n] >= '0' && r.text[r.i+n] <= '7' {
			n++
		}
		v, err := strconv.ParseUint(r.text[r.i:r.i+n], 8, 8)
		if err != nil {
			return fmt.Errorf("the octal escape at character %d is not complete", runeAt(r.text, at))
		}
		fmt.Fprintf(&r.out, `\x%02X`, v)
		r.i += n
	case c == 'Q':
		rest := r.text[r.i:]
		text, _, closed := strings.Cut(rest, `\E`)
		r.i += len(text)
		if closed {
			r.i += 2
		}
		r.out.WriteString(regexp.QuoteMeta(text))
	case c == 'E':
	case c == 'p' || c == 'P':
		return r.property(c, at, inClass)
	case c < utf8.RuneSelf && !isWord(c):
		r.out.WriteString(regexp.QuoteMeta(string(c)))
		if inClass && (c == '-' || c == '&' || c == '~') {
			// QuoteMeta leaves them; within a class a dash is a range.
			s := r.out.String()
			r.out.Reset()
			r.out.WriteString(s[:len(s)-1] + `\` + string(c))
		}
	case c >= utf8.RuneSelf:
		r.i--
		_, n := utf8.DecodeRuneInString(r.text[r.i:])
		r.out.WriteString(r.text[r.i : r.i+n])
		r.i += n
	default:
		r.out.WriteString(`\` + string(c))
	}
	return nil
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func (r *regexReader) property(c byte, at int, inClass bool) error {
	name := ""
	if r.i < len(r.text) && r.text[r.i] == '{' {
		end := strings.IndexByte(r.text[r.i:], '}')
		if end < 0 {
			return fmt.Errorf("the brace at character %d is not closed", runeAt(r.text, r.i))
		}
		name = r.text[r.i+1 : r.i+end]
		r.i += end + 1
	} else if r.i < len(r.text) {
		name = r.text[r.i : r.i+1]
		r.i++
	}
	if set := posix.Replace(name); set != name && strings.Contains(" Lower Upper ASCII Alpha Digit Alnum Punct Graph Print Blank Cntrl XDigit Space ", " "+name+" ") {
		if name == "XDigit" {
			set = "0-9a-fA-F"
		}
		switch {
		case inClass && c == 'P':
			return r.unsupported("\\P{"+name+"} within a class", at)
		case inClass:
			r.out.WriteString(set)
		case c == 'P':
			r.out.WriteString("[^" + set + "]")
		default:
			r.out.WriteString("[" + set + "]")
		}
		return nil
	}
	plain := strings.TrimPrefix(name, "Is")
	if _, err := regexp.Compile(`\p{` + plain + `}`); err != nil {
		return r.unsupported(fmt.Sprintf("\\%c{%s}", c, name), at)
	}
	fmt.Fprintf(&r.out, `\%c{%s}`, c, plain)
	return nil
}

// class translates [...]. Java's classes may hold others and be cut with
// others; RE2 would read that as something else.
func (r *regexReader) class() error {
	open := r.i
	r.out.WriteByte('[')
	r.i++
	if r.i < len(r.text) && r.text[r.i] == '^' {
		r.out.WriteByte('^')
		r.i++
	}
	for first := true; r.i < len(r.text); first = false {
		c := r.text[r.i]
		switch {
		case c == ']' && !first:
			r.out.WriteByte(']')
			r.i++
			return nil
		case c == ']':
			r.out.WriteString(`\]`)
			r.i++
		case c == '[':
			return r.unsupported("a class within a class", r.i)
		case strings.HasPrefix(r.text[r.i:], "&&"):
			return r.unsupported("an intersection of classes (&&)", r.i)
		case c == '\\':
			if err := r.escape(true); err != nil {
				return err
			}
		default:
			_, n := utf8.DecodeRuneInString(r.text[r.i:])
			r.out.WriteString(r.text[r.i : r.i+n])
			r.i += n
		}
	}
	return fmt.Errorf("the class at character %d is not closed", runeAt(r.text, open))
}

// Replacement translates the replacement of Java's Matcher for a pattern that
// Regex gave: \ takes the next character as it is, $1 and ${name} are groups.
func Replacement(java, pattern string) (string, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for i := 0; i < len(java); i++ {
		c := java[i]
		switch {
		case c == '\\':
			if i++; i == len(java) {
				return "", fmt.Errorf("the backslash at its end has nothing behind it")
			}
			if java[i] == '$' {
				out.WriteByte('$')
			}
			out.WriteByte(java[i])
		case c != '$':
			out.WriteByte(c)
		case strings.HasPrefix(java[i:], "${"):
			end := strings.IndexByte(java[i:], '}')
			if end < 0 {
				return "", fmt.Errorf("the brace at character %d is not closed", runeAt(java, i+1))
			}
			name := java[i+2 : i+end]
			if re.SubexpIndex(name) < 0 {
				return "", fmt.Errorf("the pattern has no group %s", name)
			}
			out.WriteString(java[i : i+end+1])
			i += end
		default:
			n, digits := 0, 0
			for i+1+digits < len(java) && java[i+1+digits]-'0' <= 9 {
				next := n*10 + int(java[i+1+digits]-'0')
				if digits > 0 && next > re.NumSubexp() {
					break
				}
				n = next
				digits++
			}
			if digits == 0 {
				return "", fmt.Errorf("the $ at character %d names no group: write \\$ for the sign", runeAt(java, i))
			}
			if n > re.NumSubexp() {
				return "", fmt.Errorf("the pattern has no group %d", n)
			}
			fmt.Fprintf(&out, "${%d}", n)
			i += digits
		}
	}
	return out.String(), nil
}
