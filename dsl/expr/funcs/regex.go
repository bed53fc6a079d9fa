package funcs

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"sync"

	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
)

type regex struct {
	*regexp.Regexp
	// all matches a text as a whole. It is made at the first use.
	all   *regexp.Regexp
	once  sync.Once
	named bool // has at least one named group
}

// The bounds of a pattern: one that record content made must not take the
// memory. Matching is linear in the text whatever the pattern.
const (
	maxPattern = 16 << 10
	maxProgram = 10_000
)

// whole returns the pattern as it must match all of a text.
func (re *regex) whole() *regexp.Regexp {
	// In a group of its own the pattern compiles if it does alone.
	re.once.Do(func() { re.all = regexp.MustCompile(`^(?:` + re.String() + `)$`) })
	return re.all
}

func compileRegex(pattern string) (*regex, error) {
	if len(pattern) > maxPattern {
		return nil, fmt.Errorf("the pattern is longer than %d bytes", maxPattern)
	}
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		var se *syntax.Error
		if errors.As(err, &se) {
			return nil, fmt.Errorf("pattern: %s at %s", se.Code, quote(se.Expr))
		}
		return nil, fmt.Errorf("pattern: %w", err)
	}
	prog, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, fmt.Errorf("pattern: %w", err)
	}
	if len(prog.Inst) > maxProgram {
		return nil, errors.New("the pattern is too large once its repetitions are written out")
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("pattern: %w", err)
	}
	out := &regex{Regexp: re}
	for _, name := range re.SubexpNames() {
		out.named = out.named || name != ""
	}
	return out, nil
}

// regex reads the pattern argument and compiles it.
func (s *set) regex(a *in, i int) *regex {
	t := a.text(i)
	if a.err != nil {
		return nil
	}
	re, err := s.regexes.get(t)
	if err != nil {
		a.err = fmt.Errorf("%s: %w", a.fn.Name, err)
	}
	return re
}

func (s *set) checkRegex(arg any) string {
	if t, ok := arg.(string); ok {
		if _, err := s.regexes.get(t); err != nil {
			return err.Error()
		}
	}
	return ""
}

func (s *set) regexFuncs() []def {
	text := p("text", "string", "where to look")
	pattern := p("pattern", "string", "a regular expression in RE2 syntax; in quotes each backslash is written twice, in backquotes once")
	checks := map[int]func(any) string{1: s.checkRegex}
	mk := func(name, doc, result string, more []Param, impl func(a *in, t string, re *regex) (any, error), examples ...Example) def {
		return def{
			Func: Func{
				Name: name, Group: groupRegex, Doc: doc, Params: append([]Param{text, pattern}, more...),
				Result: result, Examples: examples,
			},
			checks: checks,
			impl: func(a *in) (any, error) {
				t, re := a.text(0), s.regex(a, 1)
				if a.err != nil {
					return nil, nil
				}
				return impl(a, t, re)
			},
		}
	}
	match := mk("regexMatch", "Whether the pattern is found anywhere in the text. Anchor it with ^ and $ for the whole text.", "bool", nil,
		func(_ *in, t string, re *regex) (any, error) { return re.MatchString(t), nil },
		ex("regexMatch(\"order-42\", `^order-\\d+$`)", `true`))
	match.fast = func(a fin) (record.Value, []byte, error) {
		t, pat := a.text(0), a.text(1)
		if a.err != nil {
			return a.done(record.Value{}, nil)
		}
		re, err := s.regexes.get(view(pat))
		if err != nil {
			return a.done(record.Value{}, err)
		}
		return a.done(record.BoolValue(re.Match(t)), nil)
	}
	whole := mk("regexMatchWhole", "Whether the pattern matches the text from its beginning to its end.", "bool", nil,
		func(_ *in, t string, re *regex) (any, error) { return re.whole().MatchString(t), nil },
		ex("regexMatchWhole(\"order-42\", `order-\\d+`)", `true`), ex("regexMatchWhole(\"my order-42\", `order-\\d+`)", `false`))
	whole.fast = func(a fin) (record.Value, []byte, error) {
		t, pat := a.text(0), a.text(1)
		if a.err != nil {
			return a.done(record.Value{}, nil)
		}
		re, err := s.regexes.get(view(pat))
		if err != nil {
			return a.done(record.Value{}, err)
		}
		return a.done(record.BoolValue(re.whole().Match(t)), nil)
	}
	return []def{
		match, whole,
		mk("regexReplace", "Replaces every match. In the replacement `$1` or `${name}` stand for a group, `$0` for the match, `$$` for a dollar sign.", "string",
			[]Param{p("replacement", "string", "what to put in place of each match"), opt("limit", "int", "the most matches that are replaced, the first ones; all if not given")},
			func(a *in, t string, re *regex) (any, error) {
				tmpl, limit := a.text(2), a.optInt(3, limits.ExprMemory)
				if a.err != nil {
					return nil, nil
				}
				if limit < 1 {
					return nil, errors.New("limit is less than 1")
				}
				if a.has(3) {
					return regexReplaceSome(re, t, tmpl, limit)
				}
				return regexReplace(re, t, tmpl)
			},
			ex("regexReplace(\"2026-03-01\", `(\\d+)-(\\d+)-(\\d+)`, \"$3.$2.$1\")", `"01.03.2026"`),
			ex("regexReplace(\"a-b-c\", `-`, \"+\", 1)", `"a+b-c"`),
			exErr("regexReplace(\"a1\", `(\\d)`, \"$1x\")", `regexReplace: the pattern has no group 1x (write ${1}x for group 1 followed by text)`)),
		mk("regexExtract", "The first group of the first match, or the whole match where the pattern has no group; null if nothing matches. A null text is an error.", "string|null",
			[]Param{opt("group", "int", "the number of the group, 0 for the whole match")},
			func(a *in, t string, re *regex) (any, error) {
				group := a.optInt(2, min(1, re.NumSubexp()))
				if a.err == nil && (group < 0 || group > re.NumSubexp()) {
					return nil, fmt.Errorf("the pattern has no group %d", group)
				}
				m := re.FindStringSubmatchIndex(t)
				if m == nil || a.err != nil || m[2*group] < 0 {
					return nil, nil
				}
				return t[m[2*group]:m[2*group+1]], nil
			},
			ex("regexExtract(\"order-42/eu\", `order-(\\d+)`)", `"42"`),
			ex("regexExtract(\"order-42/eu\", `us$`)", `null`)),
		mk("regexExtractAll", "The first group, or the whole match where there is no group, of every match. No match gives an empty array.", "array", nil,
			func(_ *in, t string, re *regex) (any, error) {
				group := min(1, re.NumSubexp())
				out := []any{}
				for _, m := range re.FindAllStringSubmatchIndex(t, limits.ExprMemory+1) {
					if m[2*group] < 0 {
						out = append(out, nil)
						continue
					}
					out = append(out, t[m[2*group]:m[2*group+1]])
				}
				return bounded(out)
			},
			ex("regexExtractAll(\"a=1, b=22\", `=(\\d+)`)", `["1","22"]`)),
		mk("regexGroups", "An object of the named groups of the first match; null if nothing matches. A group that took no part is null. A null text is an error.", "object|null", nil,
			func(_ *in, t string, re *regex) (any, error) {
				if !re.named {
					return nil, errors.New("the pattern has no named group: write (?P<name>...)")
				}
				m := re.FindStringSubmatchIndex(t)
				if m == nil {
					return nil, nil
				}
				out := map[string]any{}
				for i, name := range re.SubexpNames() {
					switch {
					case name == "":
					case m[2*i] < 0:
						out[name] = nil
					default:
						out[name] = t[m[2*i]:m[2*i+1]]
					}
				}
				return out, nil
			},
			ex("regexGroups(\"GET /a 200\", `^(?P<method>\\S+) (?P<path>\\S+)`)", `{"method":"GET","path":"/a"}`)),
		mk("regexSplit", "The parts of the text between the matches.", "array",
			[]Param{opt("limit", "int", "the most parts; the last one then holds the rest")},
			func(a *in, t string, re *regex) (any, error) {
				n := a.optInt(2, limits.ExprMemory+1)
				if a.err == nil && n < 1 {
					return nil, errors.New("limit is less than 1")
				}
				out := []any{}
				for _, part := range re.Split(t, min(n, limits.ExprMemory+1)) {
					out = append(out, part)
				}
				return bounded(out)
			},
			ex("regexSplit(\"a, b;c\", `[,;]\\s*`)", `["a","b","c"]`)),
		{
			Func: Func{
				Name: "regexEscape", Group: groupRegex, Doc: "A pattern that matches exactly this text.",
				Params: []Param{p("text", "string", "the text")}, Result: "string",
				Examples: []Example{ex(`regexEscape("1+1")`, `"1\\+1"`)},
			},
			impl: func(a *in) (any, error) { return regexp.QuoteMeta(a.text(0)), nil },
		},
	}
}

// bounded refuses an array that is longer than an expression may make.
func bounded(out []any) (any, error) {
	if len(out) > limits.ExprMemory {
		return nil, fmt.Errorf("the result has more than %d elements", limits.ExprMemory)
	}
	return out, nil
}

func regexReplace(re *regex, text, tmpl string) (any, error) {
	refs, err := re.templateRefs(tmpl)
	if err != nil {
		return nil, err
	}
	// The result is built in one piece by the library, so its size is bounded
	// from above first: by the most matches there can be, then by how many
	// there are. Groups lie in disjoint matches, so one reference adds at
	// most the text once.
	size := func(matches int) int { return len(text)*(1+refs) + matches*len(tmpl) }
	if size(len(text)+1) > 2*maxText {
		matches := 0
		_ = re.ReplaceAllStringFunc(text, func(string) string { matches++; return "" })
		if size(matches) > 4*maxText {
			return nil, tooLong()
		}
	}
	out := re.ReplaceAllString(text, tmpl)
	if len(out) > maxText {
		return nil, tooLong()
	}
	return out, nil
}

// regexReplaceSome is regexReplace of the first matches.
func regexReplaceSome(re *regex, text, tmpl string, limit int) (any, error) {
	if _, err := re.templateRefs(tmpl); err != nil {
		return nil, err
	}
	var out []byte
	at := 0
	for _, m := range re.FindAllStringSubmatchIndex(text, min(limit, limits.ExprMemory)) {
		out = re.ExpandString(append(out, text[at:m[0]]...), tmpl, text, m)
		if at = m[1]; len(out) > maxText {
			return nil, tooLong()
		}
	}
	if out = append(out, text[at:]...); len(out) > maxText {
		return nil, tooLong()
	}
	return string(out), nil
}

// templateRefs counts the references of a replacement and refuses one to a
// group that the pattern does not have: the library would put nothing there.
func (re *regex) templateRefs(tmpl string) (int, error) {
	refs := 0
	for {
		i := strings.IndexByte(tmpl, '$')
		if i < 0 || i+1 == len(tmpl) {
			return refs, nil
		}
		tmpl = tmpl[i+1:]
		if tmpl[0] == '$' {
			tmpl = tmpl[1:]
			continue
		}
		name := tmpl
		if tmpl[0] == '{' {
			end := strings.IndexByte(tmpl, '}')
			if end < 0 {
				return 0, errors.New("a ${ in the replacement has no }")
			}
			name = tmpl[1:end]
		} else {
			end := strings.IndexFunc(tmpl, func(r rune) bool {
				return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
			})
			if end >= 0 {
				name = tmpl[:end]
			}
		}
		if name == "" {
			continue
		}
		refs++
		if n, err := strconv.Atoi(name); err == nil && n <= re.NumSubexp() || re.SubexpIndex(name) >= 0 {
			continue
		}
		if digits := strings.TrimRight(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"); digits != "" && digits != name {
			return 0, fmt.Errorf("the pattern has no group %s (write ${%s}%s for group %s followed by text)", quoteName(name), digits, name[len(digits):], digits)
		}
		return 0, fmt.Errorf("the pattern has no group %s", quoteName(name))
	}
}

func quoteName(name string) string {
	if len(name) > 40 {
		return name[:40] + "..."
	}
	return name
}
