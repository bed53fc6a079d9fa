package dsl

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/flowrecords/flow/dsl/rules"
)

// ignoreMark begins a comment that hides findings:
//
//	# flow:ignore FL2203 the broker is a local one for tests
//
// docs/rules/README.md gives its rules to users: a comment behind something is
// for its line, one by itself for the line below. Where an option begins on
// that line, all lines of the option count; of a block only the header does.
const ignoreMark = "flow:ignore"

// ignore is one comment.
type ignore struct {
	file string
	// first and last are the lines whose findings it hides.
	first, last int
	// from and to are what --fix removes when it hides nothing: the comment
	// with the space before it, or its whole line.
	from, to int
	ids      []ignoredID
	reason   string
	// text is the comment itself.
	text hcl.Range
}

// ignoredID is one rule that a comment names.
type ignoredID struct {
	rule rules.Rule
	at   hcl.Range
	// next is where the id behind it, or the reason, begins.
	next int
	// ok: there is such a rule, and its findings can be hidden.
	ok   bool
	hits int
}

// ignores hides what comments name and reports comments that are wrong.
func (l *loader) ignores() {
	var all []*ignore
	for _, name := range slices.Sorted(maps.Keys(l.files)) {
		if f := l.files[name]; bytes.Contains(f.Bytes, []byte(ignoreMark)) && !strings.HasSuffix(name, ".json") {
			all = append(all, l.fileIgnores(name, f)...)
		}
	}
	if len(all) == 0 {
		return
	}
	failed := l.errors() > 0
	for _, i := range all {
		l.checkIgnore(i)
	}
	l.diags = slices.DeleteFunc(l.diags, func(d *hcl.Diagnostic) bool {
		hidden := false
		for _, i := range all {
			hidden = i.hide(d) || hidden
		}
		if hidden {
			l.ignored = append(l.ignored, d)
		}
		return hidden
	})
	if failed {
		return // what is not looked for with an error may be there
	}
	for _, i := range all {
		l.useless(i)
	}
}

// hide reports whether the comment hides a finding, and counts it.
func (i *ignore) hide(d *hcl.Diagnostic) bool {
	if i.reason == "" || d.Subject == nil || d.Subject.Filename != i.file || d.Subject.Start.Line < i.first || d.Subject.Start.Line > i.last {
		return false
	}
	for n := range i.ids {
		if id := &i.ids[n]; id.ok && id.rule.ID == rules.Of(d).Rule {
			id.hits++
			info := rules.Of(d)
			info.Reason = i.reason
			d.Extra = info
			return true
		}
	}
	return false
}

// checkIgnore reports what is wrong with a comment whatever it hides.
func (l *loader) checkIgnore(i *ignore) {
	form := "Write it as: # " + ignoreMark + " FL2203 why this is right here"
	if len(i.ids) == 0 {
		l.report(rules.IgnoreWithoutReason, i.text, "comment names no rule", "%s", form)
		return
	}
	for n := range i.ids {
		id := &i.ids[n]
		switch {
		case id.rule.ID == "":
			name := l.source(id.at)
			l.report(rules.UnknownIgnored, id.at, fmt.Sprintf("unknown rule %s", shown(name)), "Rules have ids and names, such as FL2203 and plain-text-secret.%s", didYouMean(name, ruleNames()))
		case id.rule.Severity == rules.Error:
			l.report(rules.ErrorIgnored, id.at, fmt.Sprintf("%s cannot be ignored", id.rule.ID), "It is an error, with which the config does not run. Only warnings can be ignored.")
		case id.rule.Unignorable():
			l.report(rules.ErrorIgnored, id.at, fmt.Sprintf("%s cannot be ignored", id.rule.ID), "It is about these comments. Correct the comment.")
		case i.reason != "":
			id.ok = true
		}
	}
	if i.reason == "" {
		l.report(rules.IgnoreWithoutReason, i.text, "comment gives no reason", "It hides nothing without one. %s", form)
	}
}

// ruleNames are the ids and names of all rules that can be ignored.
func ruleNames() []string {
	var out []string
	for _, r := range rules.All() {
		if !r.Unignorable() {
			out = append(out, string(r.ID), r.Name)
		}
	}
	return out
}

// useless reports the rules of a comment that hid nothing.
func (l *loader) useless(i *ignore) {
	kept := slices.ContainsFunc(i.ids, func(id ignoredID) bool { return !id.ok || id.hits > 0 })
	for n, id := range i.ids {
		if !id.ok || id.hits > 0 {
			continue
		}
		l.report(rules.UselessIgnore, id.at, fmt.Sprintf("no %s to ignore here", id.rule.ID), "There is no such finding %s. Remove the comment, or put it where the finding is.", i.where())
		switch {
		case kept && n+1 < len(i.ids):
			l.fix(rules.Edit{Range: l.span(i.file, id.at.Start.Byte, id.next)})
		case kept:
			l.fix(rules.Edit{Range: l.span(i.file, i.ids[n-1].at.End.Byte, id.at.End.Byte)})
		case n == 0:
			l.fix(rules.Edit{Range: l.span(i.file, i.from, i.to)})
		}
	}
}

func (i *ignore) where() string {
	if i.first == i.last {
		return fmt.Sprintf("on line %d", i.first)
	}
	return fmt.Sprintf("on lines %d to %d", i.first, i.last)
}

// span is a range of bytes of a file.
func (l *loader) span(file string, from, to int) hcl.Range {
	src := l.files[file].Bytes
	return hcl.Range{Filename: file, Start: posAt(src, from), End: posAt(src, to)}
}

// fileIgnores finds the comments of a file.
func (l *loader) fileIgnores(name string, f *hcl.File) []*ignore {
	tokens, _ := hclsyntax.LexConfig(f.Bytes, name, hcl.InitialPos)
	var ends map[int]int
	var out []*ignore
	for n, t := range tokens {
		if t.Type != hclsyntax.TokenComment {
			continue
		}
		i, ok := l.readIgnore(f.Bytes, t)
		if !ok {
			continue
		}
		line := bytes.LastIndexByte(f.Bytes[:t.Range.Start.Byte], '\n') + 1
		i.first = t.Range.Start.Line
		i.from, i.to = t.Range.Start.Byte, i.text.End.Byte
		if alone := len(bytes.TrimSpace(f.Bytes[line:t.Range.Start.Byte])) == 0; alone {
			i.from, i.to = line, t.Range.End.Byte
			i.first = lineBelow(tokens[n+1:])
		} else {
			for i.from > 0 && (f.Bytes[i.from-1] == ' ' || f.Bytes[i.from-1] == '\t') {
				i.from--
			}
		}
		if ends == nil {
			ends = optionLines(f)
		}
		i.last = max(i.first, ends[i.first])
		out = append(out, i)
	}
	return out
}

// lineBelow is the line of the next token that is something.
func lineBelow(tokens hclsyntax.Tokens) int {
	for _, t := range tokens {
		if t.Type != hclsyntax.TokenComment && t.Type != hclsyntax.TokenNewline {
			return t.Range.Start.Line
		}
	}
	return 0
}

// optionLines are the lines on which options begin and end.
func optionLines(f *hcl.File) map[int]int {
	ends := make(map[int]int)
	body, ok := f.Body.(*hclsyntax.Body)
	if !ok {
		return ends
	}
	var walk func(b *hclsyntax.Body)
	walk = func(b *hclsyntax.Body) {
		for _, a := range b.Attributes {
			first := a.SrcRange.Start.Line
			ends[first] = max(ends[first], a.SrcRange.End.Line)
		}
		for _, inner := range b.Blocks {
			walk(inner.Body)
		}
	}
	walk(body)
	return ends
}

// readIgnore takes a comment apart; false for any other comment.
func (l *loader) readIgnore(src []byte, t hclsyntax.Token) (*ignore, bool) {
	end := t.Range.Start.Byte + len(bytes.TrimRight(t.Bytes, "\r\n"))
	at := t.Range.Start.Byte
	switch {
	case bytes.HasPrefix(src[at:], []byte("#")):
		at++
	case bytes.HasPrefix(src[at:], []byte("//")):
		at += 2
	default:
		return nil, false // /* */ may span lines
	}
	at = skipSpace(src, at, end)
	if !bytes.HasPrefix(src[at:end], []byte(ignoreMark)) {
		return nil, false
	}
	rest := at + len(ignoreMark)
	if at = skipSpace(src, rest, end); at == rest && at < end {
		return nil, false // another word
	}
	i := &ignore{file: t.Range.Filename, text: hcl.Range{Filename: t.Range.Filename, Start: t.Range.Start, End: posAt(src, end)}}
	for at < end {
		n := bytes.IndexAny(src[at:end], " \t,:")
		if n < 0 {
			n = end - at
		}
		if n == 0 {
			break
		}
		id := ignoredID{at: l.span(i.file, at, at+n)}
		id.rule, _ = rules.Lookup(string(src[at : at+n]))
		at = skipSpace(src, at+n, end)
		comma := at < end && src[at] == ','
		if at < end && (comma || src[at] == ':') {
			at = skipSpace(src, at+1, end)
		}
		id.next = at
		i.ids = append(i.ids, id)
		if !comma {
			break
		}
	}
	i.reason = strings.TrimSpace(string(src[min(at, end):end]))
	return i, true
}

func skipSpace(src []byte, at, end int) int {
	for at < end && (src[at] == ' ' || src[at] == '\t') {
		at++
	}
	return at
}
