package dsl

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/engine"
)

// loader compiles one config. It is used once, by one goroutine.
type loader struct {
	opts    Options
	reg     *engine.Registry
	environ map[string]string
	specs   map[string]*engine.Spec

	names []string // files in the order in which they were given
	files map[string]*hcl.File
	diags hcl.Diagnostics
	blots []hcl.Range // plain-text secrets in the sources
	// secrets are the values of sensitive variables and locals: scrub keeps
	// them out of messages that others have worded.
	secrets []string
	// outside are the texts that env and file gave, which are kept out of
	// what the evaluation of HCL says.
	outside []string

	variables map[string]*variable
	locals    map[string]*local
	localList []*local // in the order of the files
	funcs     map[string]*userFunction
	funcList  []*userFunction
	conns     map[string]*connection // by connection.TYPE.NAME
	connList  []*connection
	pipelines []*pipeline
	// failed holds var.x and local.y that have no value because of a mistake
	// that is already reported; what depends on them is not reported again.
	failed map[string]bool

	ctx *hcl.EvalContext
	env *expr.Env
}

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
			if name := e.Name(); !e.IsDir() && strings.HasSuffix(name, ".hcl") && !strings.HasSuffix(name, ".test.hcl") && !strings.HasPrefix(name, ".") {
				found = true
				l.readFile(filepath.Join(path, name))
			}
		}
		if !found {
			l.add(&hcl.Diagnostic{Severity: hcl.DiagError, Summary: fmt.Sprintf("no config in folder %q", path),
				Detail: "A config is made of all files *.hcl of a folder but *.test.hcl. There is none."})
		}
	}
}

func (l *loader) readFile(path string) {
	src, err := os.ReadFile(path)
	if err != nil {
		l.fileError(path, err)
		return
	}
	l.addSource(filepath.Clean(path), src)
}

func (l *loader) fileError(path string, err error) {
	l.add(&hcl.Diagnostic{Severity: hcl.DiagError, Summary: fmt.Sprintf("cannot read %q", path),
		Detail: fmt.Sprintf("Reading the config: %v.", cause(err))})
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
		l.errorf(at, "file is too large", "A config file may have %s.", engine.ByteSize(maxFileBytes))
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
	l.errorf(hcl.Range{Filename: name, Start: start, End: end}, "file is not UTF-8",
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
				return &hcl.Diagnostic{Severity: hcl.DiagError, Subject: t.Range.Ptr(), Summary: "number is out of range",
					Detail: fmt.Sprintf("An exponent is at most %d.", maxExponent)}
			}
		}
		if depth > maxNesting || operators > maxOperators {
			return &hcl.Diagnostic{Severity: hcl.DiagError, Subject: t.Range.Ptr(), Summary: "config is nested too deeply",
				Detail: fmt.Sprintf("At most %d brackets may be open at once.", maxNesting)}
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
			return &hcl.Diagnostic{Severity: hcl.DiagError, Subject: &hcl.Range{Filename: name, Start: at, End: at}, Summary: "variable file is nested too deeply",
				Detail: fmt.Sprintf("At most %d brackets may be open at once.", maxNesting)}
		}
	}
	return nil
}

func (l *loader) add(d *hcl.Diagnostic) { l.diags = append(l.diags, d) }

// errorf reports a mistake at a range. The detail says what to do.
func (l *loader) errorf(at hcl.Range, summary, detail string, args ...any) {
	if len(args) > 0 {
		detail = fmt.Sprintf(detail, args...)
	}
	l.add(&hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: at.Ptr()})
}

func (l *loader) warnf(at hcl.Range, summary, detail string, args ...any) {
	if len(args) > 0 {
		detail = fmt.Sprintf(detail, args...)
	}
	l.add(&hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: summary, Detail: detail, Subject: at.Ptr()})
}

// compile does everything after the files are parsed.
func (l *loader) compile() *Result {
	if !l.brokenSyntax() {
		l.collect()
		l.loadVariables()
		l.evalLocals()
		l.compileFunctions()
		l.buildConnections()
		plan := l.buildPipelines()
		return l.result(plan)
	}
	return l.result(&engine.Plan{})
}

// brokenSyntax reports whether a file could not be read as HCL. A partial
// tree would make mistakes of what is only missing, so it goes no further.
// What the parser says of a complete tree does no harm.
func (l *loader) brokenSyntax() bool {
	return slices.ContainsFunc(l.diags, func(d *hcl.Diagnostic) bool {
		return d.Severity == hcl.DiagError && d.Summary != summaryTwice
	})
}

func (l *loader) result(plan *engine.Plan) *Result {
	order := make(map[string]int, len(l.names))
	for i, name := range l.names {
		order[name] = i + 1
	}
	slices.SortStableFunc(l.diags, func(a, b *hcl.Diagnostic) int {
		if a.Subject == nil || b.Subject == nil {
			return cmp.Compare(boolInt(a.Subject != nil), boolInt(b.Subject != nil))
		}
		return cmp.Or(cmp.Compare(order[a.Subject.Filename], order[b.Subject.Filename]), cmp.Compare(a.Subject.Filename, b.Subject.Filename), cmp.Compare(a.Subject.Start.Byte, b.Subject.Start.Byte))
	})
	l.diags = slices.CompactFunc(l.diags, func(a, b *hcl.Diagnostic) bool {
		return a.Subject != nil && b.Subject != nil && *a.Subject == *b.Subject && a.Summary == b.Summary && a.Detail == b.Detail
	})
	for _, d := range l.diags {
		d.Summary, d.Detail = l.scrub(d.Summary), l.scrub(d.Detail)
	}
	l.blot()
	return &Result{Plan: plan, Diags: l.diags, Files: l.files}
}

// scrub takes secrets out of a message (Invariant 7). Values of one or two
// characters would blot out half of every message and guard nothing.
func (l *loader) scrub(s string) string {
	for _, secret := range l.secrets {
		if len(secret) > 2 {
			s = strings.ReplaceAll(s, secret, "(secret)")
		}
	}
	return s
}

// blot overwrites plain-text secrets in the sources that snippets are printed
// from, keeping every position.
func (l *loader) blot() {
	for _, r := range l.blots {
		f := l.files[r.Filename]
		if f == nil || r.End.Byte > len(f.Bytes) {
			continue
		}
		f.Bytes = bytes.Clone(f.Bytes)
		for i := r.Start.Byte; i < r.End.Byte; i++ {
			if c := f.Bytes[i]; c != '"' && c != '\n' && c != '\r' {
				f.Bytes[i] = '*'
			}
		}
	}
}

// collect sorts the blocks of all files by type.
func (l *loader) collect() {
	for _, name := range l.names {
		body, ok := l.files[name].Body.(*hclsyntax.Body)
		if !ok {
			continue
		}
		for _, a := range sortedAttrs(body) {
			l.topAttribute(a)
		}
		for _, b := range body.Blocks {
			switch b.Type {
			case "variable":
				l.declareVariable(b)
			case "locals":
				l.declareLocals(b)
			case "connection":
				l.declareConnection(b)
			case "function":
				l.declareFunction(b)
			case "pipeline":
				l.declarePipeline(b)
			default:
				l.topBlock(b)
			}
		}
	}
}

var topBlocks = []string{"variable", "locals", "connection", "function", "pipeline"}

func (l *loader) topAttribute(a *hclsyntax.Attribute) {
	if settingsSpec().Option(a.Name) != nil {
		l.errorf(a.NameRange, fmt.Sprintf("option %q in the wrong place", a.Name), "%q is an option of a pipeline block. Move it there.", a.Name)
		return
	}
	if slices.Contains(topBlocks, a.Name) {
		l.errorf(a.NameRange, fmt.Sprintf("%q is a block", a.Name), "Write it without the equals sign: %s { ... }", blockUse(a.Name))
		return
	}
	l.errorf(a.NameRange, fmt.Sprintf("unknown option %q", a.Name),
		"A file holds blocks only: %s.%s Values that you need in several places belong into a locals block.", list(topBlocks), didYouMean(a.Name, topBlocks))
}

func (l *loader) topBlock(b *hclsyntax.Block) {
	switch b.Type {
	case "input", "processor", "output":
		l.errorf(b.DefRange(), fmt.Sprintf("%s outside a pipeline", b.Type), "Move the block into a pipeline block: pipeline \"NAME\" { ... }")
	case "test":
		l.errorf(b.DefRange(), "test outside a test file", "Blocks of this type stand in files *.test.hcl.")
	default:
		l.errorf(b.TypeRange, fmt.Sprintf("unknown block %q", b.Type), "A file holds the blocks %s.%s", list(topBlocks), didYouMean(b.Type, topBlocks))
	}
}

// blockUse says how a block of the top level begins.
func blockUse(typ string) string {
	switch typ {
	case "locals":
		return "locals"
	case "connection":
		return `connection "TYPE" "NAME"`
	}
	return typ + ` "NAME"`
}

// labels checks that a block has exactly the labels that its type asks for
// and that the last one is a name.
func (l *loader) labels(b *hclsyntax.Block, use string, want int) bool {
	if len(b.Labels) != want {
		at := b.TypeRange
		if len(b.Labels) > want {
			at = b.LabelRanges[want]
		}
		l.errorf(at, fmt.Sprintf("%s needs %s", b.Type, labelCount(want)), "Write it as: %s { ... }", use)
		return false
	}
	for i, name := range b.Labels {
		if !isName(name) {
			l.errorf(b.LabelRanges[i], fmt.Sprintf("%q is no name", name), "A name begins with a letter and goes on with letters, digits, _ and -.")
			return false
		}
	}
	return true
}

func labelCount(n int) string {
	switch n {
	case 0:
		return "no label"
	case 1:
		return "one label"
	}
	return "two labels"
}

// isName says what can be an element's, pipeline's or connection's name: what
// a reference can be written with.
func isName(s string) bool {
	for i, r := range s {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z':
		case i > 0 && (r >= '0' && r <= '9' || r == '_' || r == '-'):
		default:
			return false
		}
	}
	return s != ""
}

// isIdentifier says what expressions can refer to: a name without -, which
// would be a minus there.
func isIdentifier(s string) bool {
	return isName(strings.TrimLeft(s, "_")) && !strings.Contains(s, "-")
}

// identifier checks the label of a block that expressions refer to.
func (l *loader) identifier(name string, at hcl.Range) bool {
	if isIdentifier(name) {
		return true
	}
	l.errorf(at, fmt.Sprintf("%q is no name", name), "Expressions use this name: it begins with a letter or _ and goes on with letters, digits and _.")
	return false
}

// duplicate reports a second declaration, with the place of the first.
func (l *loader) duplicate(what string, at, first hcl.Range) {
	l.errorf(at, fmt.Sprintf("%s is declared twice", what), "It stands at %s already. Remove one of the two, or choose another name.", place(first))
}

func place(r hcl.Range) string {
	return fmt.Sprintf("%s:%d:%d", r.Filename, r.Start.Line, r.Start.Column)
}

func sortedAttrs(body *hclsyntax.Body) []*hclsyntax.Attribute {
	attrs := make([]*hclsyntax.Attribute, 0, len(body.Attributes))
	for _, a := range body.Attributes {
		attrs = append(attrs, a)
	}
	slices.SortFunc(attrs, func(a, b *hclsyntax.Attribute) int {
		return cmp.Compare(a.NameRange.Start.Byte, b.NameRange.Start.Byte)
	})
	return attrs
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// lowerFirst makes a library's summary look like ours: no capital at the
// beginning unless it is an abbreviation.
func lowerFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if next, _ := utf8.DecodeRuneInString(s[n:]); unicode.IsUpper(r) && !unicode.IsUpper(next) {
		return string(unicode.ToLower(r)) + s[n:]
	}
	return s
}
