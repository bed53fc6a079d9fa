package format

import (
	"bytes"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

// layout is what HCL's own tools make of a file, with newlines alone at the
// ends of lines, no blank lines at its begin and end, and one newline there.
// src is returned where the result has other tokens.
func layout(src []byte, name string) []byte {
	tokens, diags := hclsyntax.LexConfig(src, name, hcl.InitialPos)
	if diags.HasErrors() {
		return src
	}
	out := hclwrite.Format(plainLines(src, tokens))
	out = bytes.TrimLeft(out, "\n")
	// The end of a file is no part of a text: a heredoc there is closed.
	out = bytes.TrimRight(out, " \t\n")
	if len(out) > 0 {
		out = append(out, '\n')
	}
	now, diags := hclsyntax.LexConfig(out, name, hcl.InitialPos)
	if diags.HasErrors() || !sameTokens(tokens, now) {
		return src
	}
	return out
}

// plainLines takes carriage returns out, but for those in the lines of a
// heredoc, which are part of a text, and white space at the ends of comments.
func plainLines(src []byte, tokens hclsyntax.Tokens) []byte {
	var out bytes.Buffer
	end := 0
	for _, t := range tokens {
		out.Write(bytes.ReplaceAll(src[end:t.Range.Start.Byte], []byte("\r"), nil))
		end = t.Range.End.Byte
		out.Write(plainToken(t))
	}
	out.Write(src[end:])
	return out.Bytes()
}

func plainToken(t hclsyntax.Token) []byte {
	switch t.Type {
	case hclsyntax.TokenNewline:
		return []byte("\n")
	case hclsyntax.TokenOHeredoc:
		return bytes.ReplaceAll(t.Bytes, []byte("\r\n"), []byte("\n"))
	case hclsyntax.TokenComment:
		lines := bytes.SplitAfter(t.Bytes, []byte("\n"))
		for i, line := range lines {
			plain := bytes.TrimRight(line, " \t\r\n")
			if bytes.HasSuffix(line, []byte("\n")) {
				plain = append(plain[:len(plain):len(plain)], '\n')
			}
			lines[i] = plain
		}
		return bytes.Join(lines, nil)
	}
	return t.Bytes
}

// sameTokens compares all but blank lines at the ends.
func sameTokens(a, b hclsyntax.Tokens) bool {
	a, b = inner(a), inner(b)
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Type != b[i].Type || !bytes.Equal(content(a[i]), content(b[i])) {
			return false
		}
	}
	return true
}

// inner leaves out the end of the file and newlines at both ends.
func inner(tokens hclsyntax.Tokens) hclsyntax.Tokens {
	for len(tokens) > 0 && tokens[0].Type == hclsyntax.TokenNewline {
		tokens = tokens[1:]
	}
	for len(tokens) > 0 && (tokens[len(tokens)-1].Type == hclsyntax.TokenNewline || tokens[len(tokens)-1].Type == hclsyntax.TokenEOF) {
		tokens = tokens[:len(tokens)-1]
	}
	return tokens
}

// content is what of a token may not change.
func content(t hclsyntax.Token) []byte {
	switch t.Type {
	case hclsyntax.TokenNewline, hclsyntax.TokenOHeredoc, hclsyntax.TokenComment:
		return bytes.TrimRight(plainToken(t), "\n")
	}
	return t.Bytes
}
