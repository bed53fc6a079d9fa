package dsl

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/flowrecords/flow/dsl/rules"
	"github.com/flowrecords/flow/engine"
)

// rememberSecrets notes the texts within a sensitive value for scrub.
func (l *loader) rememberSecrets(v cty.Value) {
	raw, _ := v.UnmarkDeep()
	_ = cty.Walk(raw, func(_ cty.Path, v cty.Value) (bool, error) {
		switch {
		case !v.IsKnown() || v.IsNull():
		case v.Type() == cty.String:
			l.secrets = append(l.secrets, v.AsString())
		case v.Type() == cty.Number:
			l.secrets = append(l.secrets, numberText(v))
		}
		return true, nil
	})
}

// scrub takes secrets out of a message, and what env and file gave, which may
// be one (Invariant 7). Values of one or two characters would blot out half of
// every message and guard nothing.
func (l *loader) scrub(s string) string {
	for _, texts := range [][]string{l.secrets, l.outside} {
		for _, secret := range texts {
			if len(secret) > 2 {
				s = strings.ReplaceAll(s, secret, "(secret)")
			}
		}
	}
	return s
}

// holdsSecrets reports whether scrub has anything to look for.
func (l *loader) holdsSecrets() bool { return len(l.secrets)+len(l.outside) > 0 }

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

// secretLiteral warns of a secret that stands in the config as plain text.
func (d *decoder) secretLiteral(o *engine.Option, e hclsyntax.Expression) {
	if m, _ := d.literal(e); m != nil && m.text != "" {
		d.report(rules.PlainTextSecret, e.Range(), fmt.Sprintf("option %q holds a secret in plain text", o.Name), "Everyone who can read the file can read it. Use env(\"NAME\") or file(\"PATH\").")
	}
	d.blotLiterals(e)
}

// blotLiterals hides the texts of an expression from snippets, but what env
// and file are given: a name and a path are no secrets.
func (l *loader) blotLiterals(e hclsyntax.Expression) {
	for _, lit := range literalsOf(e, func(call string) bool { return call != "env" && call != "file" && call != "fileexists" }) {
		l.blots = append(l.blots, lit.SrcRange)
	}
}

// inURL finds the password of a URL.
var inURL = regexp.MustCompile(`://[^/?#\s"@:]*:([^/?#\s"@]+)@`)

// blotURLs hides passwords that stand in URLs of an option that is no secret:
// what refuses such a URL must not print it.
func (l *loader) blotURLs(e hclsyntax.Expression) {
	for _, lit := range literalsOf(e, func(string) bool { return true }) {
		f, r := l.files[lit.SrcRange.Filename], lit.SrcRange
		if f == nil || r.End.Byte > len(f.Bytes) {
			continue
		}
		for _, m := range inURL.FindAllSubmatchIndex(f.Bytes[r.Start.Byte:r.End.Byte], -1) {
			at := r
			at.Start.Byte, at.End.Byte = r.Start.Byte+m[2], r.Start.Byte+m[3]
			l.blots = append(l.blots, at)
			l.secrets = append(l.secrets, string(f.Bytes[at.Start.Byte:at.End.Byte]))
		}
	}
}

// blotSecretCalls hides texts that are given to secret() and sensitive().
func (l *loader) blotSecretCalls(e hclsyntax.Expression) {
	_ = hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		if c, ok := n.(*hclsyntax.FunctionCallExpr); ok && (c.Name == "secret" || c.Name == "sensitive") {
			for _, arg := range c.Args {
				l.blotLiterals(arg)
			}
		}
		return nil
	})
}

// literalsOf returns the literal texts of an expression; it enters only those
// calls that enter accepts.
func literalsOf(e hclsyntax.Expression, enter func(call string) bool) []*hclsyntax.LiteralValueExpr {
	w := &literalWalker{enter: enter}
	_ = hclsyntax.Walk(e, w)
	return w.found
}

type literalWalker struct {
	enter func(string) bool
	skip  int // calls around the node that are not entered
	found []*hclsyntax.LiteralValueExpr
}

func (w *literalWalker) Enter(n hclsyntax.Node) hcl.Diagnostics {
	switch n := n.(type) {
	case *hclsyntax.FunctionCallExpr:
		w.skip += boolInt(!w.enter(n.Name))
	case *hclsyntax.LiteralValueExpr:
		if w.skip == 0 && n.Val.Type() == cty.String {
			w.found = append(w.found, n)
		}
	}
	return nil
}

func (w *literalWalker) Exit(n hclsyntax.Node) hcl.Diagnostics {
	if c, ok := n.(*hclsyntax.FunctionCallExpr); ok {
		w.skip -= boolInt(!w.enter(c.Name))
	}
	return nil
}
