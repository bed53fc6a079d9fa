package dsl

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/flowrecords/flow/dsl/rules"
	"github.com/flowrecords/flow/engine"
)

// maxFileBytes and the nesting bounds keep hostile text from exhausting the
// stack of the HCL parser, which recurses.
const (
	maxFileBytes = 4 << 20
	maxNesting   = 200
	maxOperators = 10_000
	// maxExponent bounds numbers, which HCL keeps with all their digits: a
	// short 1e999999999 becomes a gigabyte when it is written out.
	maxExponent = 400
)

func (l *loader) readPaths(paths []string) {
	for _, path := range paths {
		if _, ok := l.opts.Overlay[filepath.Clean(path)]; ok {
			l.readFile(path)
			continue
		}
		info, err := os.Stat(path)
		if err != nil {
			l.fileError(path, err)
			continue
		}
		if !info.IsDir() {
			l.readFile(path)
			continue
		}
		entries, err := os.ReadDir(path)
		if err != nil {
			l.fileError(path, err)
			continue
		}
		found := false
		for _, e := range entries {
			if !e.IsDir() && IsConfigName(e.Name()) {
				found = true
				if file := filepath.Join(path, e.Name()); !l.isVarFile(file) {
					l.readFile(file)
				}
			}
		}
		if !found {
			l.add(rules.Finding(rules.UnreadableFile, nil, fmt.Sprintf("no config in folder %q", path),
				"A config is made of all files *.hcl of a folder but *.test.hcl. There is none."))
		}
	}
}

// IsConfigName reports whether a file of this name in a folder is part of the
// config that the folder is.
func IsConfigName(name string) bool {
	return strings.HasSuffix(name, ".hcl") && !strings.HasSuffix(name, ".test.hcl") && !strings.HasPrefix(name, ".")
}

// isVarFile reports whether a file of a folder holds values of variables and
// so is no part of the config.
func (l *loader) isVarFile(path string) bool {
	return slices.ContainsFunc(l.opts.VarFiles, func(v string) bool { return filepath.Clean(v) == path })
}

func (l *loader) readFile(path string) {
	src, err := l.readLimited(path)
	if err != nil {
		l.fileError(path, err)
		return
	}
	l.addSource(filepath.Clean(path), src)
}

// readLimited reads a file up to one byte more than is allowed, so that a
// device without end ends too.
func (l *loader) readLimited(path string) ([]byte, error) {
	if src, ok := l.opts.Overlay[filepath.Clean(path)]; ok {
		return src, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read from
	return io.ReadAll(io.LimitReader(f, maxFileBytes+1))
}

func (l *loader) fileError(path string, err error) {
	l.add(rules.Finding(rules.UnreadableFile, nil, fmt.Sprintf("cannot read %q", path),
		fmt.Sprintf("Reading the config: %v.", cause(err))))
}

// addSource parses one file. A file that is named twice counts once.
func (l *loader) addSource(name string, src []byte) {
	if _, dup := l.files[name]; dup {
		return
	}
	l.names = append(l.names, name)
	empty := &hcl.File{Bytes: src, Body: &hclsyntax.Body{}}
	l.files[name] = empty
	at := hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}
	if len(src) > maxFileBytes {
		empty.Bytes = nil
		l.report(rules.TooLarge, at, "file is too large", "A config file may have %s.", engine.ByteSize(maxFileBytes))
		return
	}
	if !utf8.Valid(src) {
		l.invalidUTF8(name, src)
		return
	}
	if d := tooDeep(name, src); d != nil {
		l.add(d)
		return
	}
	f, diags := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	l.addSyntax(diags, src)
	if f != nil {
		l.files[name] = f
	}
}

func (l *loader) invalidUTF8(name string, src []byte) {
	offset := 0
	for offset < len(src) {
		r, n := utf8.DecodeRune(src[offset:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		offset += n
	}
	start := posAt(src, offset)
	end := start
	end.Byte++
	end.Column++
	l.report(rules.NotUTF8, hcl.Range{Filename: name, Start: start, End: end}, "file is not UTF-8",
		"The byte 0x%02x begins no character. Save the file as UTF-8.", src[offset])
}

// tooDeep finds text that nests deeper than any config does.
func tooDeep(name string, src []byte) *hcl.Diagnostic {
	tokens, _ := hclsyntax.LexConfig(src, name, hcl.InitialPos)
	depth, operators := 0, 0
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc,
			hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			depth++
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc,
			hclsyntax.TokenTemplateSeqEnd:
			depth = max(0, depth-1)
		case hclsyntax.TokenQuestion, hclsyntax.TokenBang, hclsyntax.TokenMinus:
			operators++
		case hclsyntax.TokenNumberLit:
			if hugeNumber(t.Bytes) {
				return rules.Finding(rules.TooLarge, t.Range.Ptr(), "number is out of range",
					fmt.Sprintf("An exponent is at most %d.", maxExponent))
			}
		}
		if depth > maxNesting || operators > maxOperators {
			return rules.Finding(rules.TooLarge, t.Range.Ptr(), "config is nested too deeply",
				fmt.Sprintf("At most %d brackets may be open at once.", maxNesting))
		}
	}
	return nil
}

func hugeNumber(text []byte) bool {
	i := bytes.IndexAny(text, "eE")
	if i < 0 {
		return false
	}
	n, err := strconv.Atoi(string(text[i+1:]))
	return err != nil || n > maxExponent || n < -maxExponent
}

// tooDeepJSON is tooDeep for a variable file in JSON.
func tooDeepJSON(name string, src []byte) *hcl.Diagnostic {
	depth, text := 0, false
	for i := 0; i < len(src); i++ {
		switch c := src[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case !text && (c == '[' || c == '{'):
			depth++
		case !text && (c == ']' || c == '}'):
			depth--
		}
		if depth > maxNesting {
			at := posAt(src, i)
			return rules.Finding(rules.TooLarge, &hcl.Range{Filename: name, Start: at, End: at}, "variable file is nested too deeply",
				fmt.Sprintf("At most %d brackets may be open at once.", maxNesting))
		}
	}
	return nil
}
