package dsl

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/apparentlymart/go-textseg/v15/textseg"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// mapped is text from an HCL string or heredoc that knows where each of its
// bytes stands in the file.
type mapped struct {
	text       string
	start, end []int // by byte of text, offsets in the file
	all        hcl.Range
	src        []byte
	// opaque: the text stands elsewhere, in a file or a variable.
	opaque bool
}

// at is the range in the file of a range of the text. An empty one becomes
// the character at its place.
func (m *mapped) at(offset, length int) hcl.Range {
	if len(m.start) == 0 {
		return m.all
	}
	offset = min(max(offset, 0), len(m.start))
	last := min(max(offset+length, offset), len(m.start)) - 1
	var from, to int
	switch {
	case last >= offset:
		from, to = m.start[offset], m.end[last]
	case offset < len(m.start):
		from, to = m.start[offset], m.end[offset]
	default: // behind the end: the quote, or the end of the heredoc's line
		from = m.end[len(m.end)-1]
		to = from
		if from < len(m.src) && m.src[from] == '"' {
			to++
		}
	}
	return hcl.Range{Filename: m.all.Filename, Start: posAt(m.src, from), End: posAt(m.src, to)}
}

// posAt is the position of an offset in a file, counted as HCL does: columns
// are characters as people see them.
func posAt(src []byte, offset int) hcl.Pos {
	offset = min(offset, len(src))
	head := string(src[:offset])
	line := strings.Count(head, "\n")
	begin := strings.LastIndexByte(head, '\n') + 1
	n, err := textseg.TokenCount(src[begin:offset], textseg.ScanGraphemeClusters)
	if err != nil {
		n = offset - begin
	}
	return hcl.Pos{Line: line + 1, Column: n + 1, Byte: offset}
}

// literal returns the text of a string or heredoc without interpolation. part
// is the first piece that is not literal; both are nil for an expression that
// is no string at all.
func (l *loader) literal(e hclsyntax.Expression) (m *mapped, part hclsyntax.Expression) {
	e = unwrapParens(e)
	if w, ok := e.(*hclsyntax.TemplateWrapExpr); ok {
		return nil, w
	}
	t, ok := e.(*hclsyntax.TemplateExpr)
	if !ok {
		return nil, nil
	}
	m = l.newMapped(t.SrcRange)
	for _, p := range t.Parts {
		lit, ok := p.(*hclsyntax.LiteralValueExpr)
		if !ok || lit.Val.Type() != cty.String {
			return nil, p
		}
		m.addLiteral(lit)
	}
	return m, nil
}

func unwrapParens(e hclsyntax.Expression) hclsyntax.Expression {
	for {
		p, ok := e.(*hclsyntax.ParenthesesExpr)
		if !ok {
			return e
		}
		e = p.Expression
	}
}

func (l *loader) newMapped(at hcl.Range) *mapped {
	m := &mapped{all: at}
	if f := l.files[at.Filename]; f != nil {
		m.src = f.Bytes
	}
	return m
}

// heredoc reports whether the text stands in a heredoc.
func (m *mapped) heredoc() bool {
	return m.all.Start.Byte+1 < len(m.src) && m.src[m.all.Start.Byte] == '<'
}

// addLiteral appends a literal piece. Line by line, what HCL made of it is the
// end of what stands in the file: a flush heredoc takes indentation away.
func (m *mapped) addLiteral(lit *hclsyntax.LiteralValueExpr) {
	val := lit.Val.AsString()
	from, to := lit.SrcRange.Start.Byte, lit.SrcRange.End.Byte
	if from > to || to > len(m.src) {
		m.addOpaque(val, m.all)
		return
	}
	text, start, end := unescape(string(m.src[from:to]), from, !m.heredoc())
	valLines, lines := strings.SplitAfter(val, "\n"), strings.SplitAfter(text, "\n")
	if len(valLines) != len(lines) {
		m.addOpaque(val, lit.SrcRange)
		return
	}
	offset, n := 0, len(m.text)
	for i, line := range lines {
		if !strings.HasSuffix(line, valLines[i]) {
			m.text, m.start, m.end = m.text[:n], m.start[:n], m.end[:n]
			m.addOpaque(val, lit.SrcRange)
			return
		}
		skip := len(line) - len(valLines[i])
		m.text += valLines[i]
		m.start = append(m.start, start[offset+skip:offset+len(line)]...)
		m.end = append(m.end, end[offset+skip:offset+len(line)]...)
		offset += len(line)
	}
}

// addOpaque appends text of which only the whole has a place.
func (m *mapped) addOpaque(text string, at hcl.Range) {
	m.text += text
	for range len(text) {
		m.start, m.end = append(m.start, at.Start.Byte), append(m.end, at.End.Byte)
	}
}

// unescape resolves HCL's escapes and returns for each byte where the
// character that it belongs to stands. base is the offset of raw.
func unescape(raw string, base int, quoted bool) (string, []int, []int) {
	var b strings.Builder
	var start, end []int
	for i := 0; i < len(raw); {
		_, n := utf8.DecodeRuneInString(raw[i:])
		text := raw[i : i+n]
		switch {
		case strings.HasPrefix(raw[i:], "$${"), strings.HasPrefix(raw[i:], "%%{"):
			text, n = raw[i+1:i+3], 3
		case quoted && raw[i] == '\\' && i+1 < len(raw):
			text, n = unescapeOne(raw[i:])
		}
		b.WriteString(text)
		for range len(text) {
			start, end = append(start, base+i), append(end, base+i+n)
		}
		i += n
	}
	return b.String(), start, end
}

func unescapeOne(raw string) (text string, n int) {
	digits := 0
	switch raw[1] {
	case 'n':
		return "\n", 2
	case 'r':
		return "\r", 2
	case 't':
		return "\t", 2
	case '"', '\\':
		return raw[1:2], 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	}
	if digits == 0 || len(raw) < 2+digits {
		return raw[:1], 1
	}
	r, err := strconv.ParseUint(raw[2:2+digits], 16, 32)
	if err != nil || !utf8.ValidRune(rune(r)) {
		return raw[:1], 1
	}
	return string(rune(r)), 2 + digits
}
