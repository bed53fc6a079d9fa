package dsl

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/dsl/rules"
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
	// ignored are findings that comments hide.
	ignored hcl.Diagnostics
	blots   []hcl.Range // plain-text secrets in the sources
	// secrets are the values of sensitive variables and locals: scrub keeps
	// them out of messages that others have worded.
	secrets []string
	// outside are the texts that env and file gave. They may go anywhere, but
	// scrub keeps them out of messages too.
	outside []string

	variables  map[string]*variable
	locals     map[string]*local
	localList  []*local // in the order of the files
	funcs      map[string]*userFunction
	funcList   []*userFunction
	conns      map[string]*connection // by connection.TYPE.NAME
	connList   []*connection
	schemas    map[string]*schemaBlock // by label
	schemaList []*schemaBlock
	// schemaUses are the addresses of blocks that texts of options name.
	schemaUses []string
	pipelines  []*pipeline
	// typed are the places of findings that the types of records gave.
	typed   []hcl.Range
	seconds []*pipeline // pipelines whose name another one has
	// failed holds var.x and local.y that have no value because of a mistake
	// that is already reported; what depends on them is not reported again.
	failed map[string]bool

	ctx *hcl.EvalContext
	env *expr.Env
}

func (l *loader) add(d *hcl.Diagnostic) { l.diags = append(l.diags, d) }

// report adds a finding at a range. The detail says what to do.
func (l *loader) report(id rules.ID, at hcl.Range, summary, detail string, args ...any) {
	if len(args) > 0 {
		detail = fmt.Sprintf(detail, args...)
	}
	l.add(rules.Finding(id, at.Ptr(), summary, detail))
}

// fix attaches to the finding reported last what corrects it. It must be
// certain: a wrong fix is worse than none.
func (l *loader) fix(edits ...rules.Edit) {
	if n := len(l.diags); n > 0 && len(edits) > 0 {
		rules.AddFix(l.diags[n-1], edits...)
	}
}

// compile does everything after the files are parsed.
func (l *loader) compile() *Result {
	if !l.brokenSyntax() {
		l.collect()
		l.loadVariables()
		l.evalLocals()
		l.compileFunctions()
		l.buildSchemas()
		l.buildConnections()
		plan := l.buildPipelines()
		l.lint()
		return l.result(plan)
	}
	return l.result(&engine.Plan{})
}

// brokenSyntax reports whether a file could not be read as HCL. A partial
// tree would make mistakes of what is only missing, so it goes no further.
// What the parser says of a complete tree does no harm.
func (l *loader) brokenSyntax() bool {
	return slices.ContainsFunc(l.diags, func(d *hcl.Diagnostic) bool {
		return d.Severity == hcl.DiagError && rules.Of(d).Rule != rules.GivenTwice
	})
}

// maxDiags bounds what is reported of one config.
const maxDiags = 500

func (l *loader) result(plan *engine.Plan) *Result {
	l.ignores()
	l.diags, l.ignored = l.tidy(l.diags), l.tidy(l.ignored)
	if more := len(l.diags) - maxDiags; more > 0 {
		l.diags = append(l.diags[:maxDiags:maxDiags], rules.Finding(rules.TooLarge, nil, fmt.Sprintf("%d more mistakes", more),
			"They are not shown. Correct those above first."))
	}
	l.blot()
	return &Result{Plan: plan, Diags: l.diags, Hidden: l.ignored, Files: l.files}
}

// tidy sorts findings, drops repeated ones and takes secrets out of them.
func (l *loader) tidy(diags hcl.Diagnostics) hcl.Diagnostics {
	order := make(map[string]int, len(l.names))
	for i, name := range l.names {
		order[name] = i + 1
	}
	slices.SortStableFunc(diags, func(a, b *hcl.Diagnostic) int {
		if a.Subject == nil || b.Subject == nil {
			return cmp.Compare(boolInt(a.Subject != nil), boolInt(b.Subject != nil))
		}
		return cmp.Or(cmp.Compare(order[a.Subject.Filename], order[b.Subject.Filename]), cmp.Compare(a.Subject.Filename, b.Subject.Filename), cmp.Compare(a.Subject.Start.Byte, b.Subject.Start.Byte))
	})
	diags = slices.CompactFunc(diags, func(a, b *hcl.Diagnostic) bool {
		return a.Subject != nil && b.Subject != nil && *a.Subject == *b.Subject && a.Summary == b.Summary && a.Detail == b.Detail
	})
	for _, d := range diags {
		d.Summary, d.Detail = l.scrub(d.Summary), l.scrub(d.Detail)
	}
	return diags
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
			case "schema":
				l.declareSchema(b)
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

var topBlocks = []string{"variable", "locals", "connection", "schema", "function", "pipeline"}

func (l *loader) topAttribute(a *hclsyntax.Attribute) {
	if settingsSpec().Option(a.Name) != nil {
		l.report(rules.MisplacedOption, a.NameRange, fmt.Sprintf("option %q in the wrong place", a.Name), "%q is an option of a pipeline block. Move it there.", a.Name)
		return
	}
	if slices.Contains(topBlocks, a.Name) {
		l.report(rules.BlockOrOption, a.NameRange, fmt.Sprintf("%q is a block", a.Name), "Write it without the equals sign: %s { ... }", blockUse(a.Name))
		return
	}
	l.report(rules.UnknownOption, a.NameRange, fmt.Sprintf("unknown option %q", a.Name),
		"A file holds blocks only: %s.%s Values that you need in several places belong into a locals block, values of variables into a file for --var-file.", list(topBlocks), didYouMean(a.Name, topBlocks))
}

func (l *loader) topBlock(b *hclsyntax.Block) {
	switch b.Type {
	case "input", "processor", "output":
		l.report(rules.MisplacedBlock, b.DefRange(), fmt.Sprintf("%s outside a pipeline", b.Type), "Move the block into a pipeline block: pipeline \"NAME\" { ... }")
	case "test":
		l.report(rules.MisplacedBlock, b.DefRange(), "test outside a test file", "Blocks of this type stand in files *.test.hcl.")
	default:
		l.report(rules.UnknownBlock, b.TypeRange, fmt.Sprintf("unknown block %q", b.Type), "A file holds the blocks %s.%s", list(topBlocks), didYouMean(b.Type, topBlocks))
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
		l.report(rules.WrongLabels, at, fmt.Sprintf("%s needs %s", b.Type, labelCount(want)), "Write it as: %s { ... }", use)
		return false
	}
	for i, name := range b.Labels {
		if !isName(name) {
			l.report(rules.BadName, b.LabelRanges[i], fmt.Sprintf("%q is no name", name), "A name begins with a letter and goes on with letters, digits, _ and -.")
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
	l.report(rules.BadName, at, fmt.Sprintf("%q is no name", name), "Expressions use this name: it begins with a letter or _ and goes on with letters, digits and _.")
	return false
}

// duplicate reports a second declaration, with the place of the first.
func (l *loader) duplicate(what string, at, first hcl.Range) {
	l.report(rules.DeclaredTwice, at, fmt.Sprintf("%s is declared twice", what), "It stands at %s already. Remove one of the two, or choose another name.", place(first))
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
