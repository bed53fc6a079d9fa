package lint

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"regexp"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/flowrecords/flow/dsl/rules"
	"github.com/flowrecords/flow/engine"
)

// securityOf checks the options of a block, whatever it is of.
func (k *checker) securityOf(p *Part) {
	addrs := p.addresses()
	for _, a := range addrs {
		k.plainURL(p, a)
		k.secretURL(a)
	}
	k.withoutTLS(p, addrs)
	k.openListener(p, addrs)
	for _, o := range p.Options {
		switch v := o.Value; {
		case !o.Given || o.Expr == nil:
		case o.Name == "insecure_skip_verify" && v.Kind() == reflect.Bool && v.Bool() && !allLocal(addrs):
			k.report(rules.UnverifiedTLS, o.Expr.Range(), "certificates are not verified",
				"Whoever sits on the way can pose as the server, read everything and change it. Trust the server's authority instead: ca_file = \"ca.pem\"")
		case o.Type == "string" && modeName(o.Name) && worldWritable.MatchString(v.String()):
			k.report(rules.WorldWritable, o.Expr.Range(), "everyone on the machine can change the file",
				"The last digit lets others write. Use 0640 or 0644.")
		}
	}
}

func modeName(name string) bool {
	return name == "mode" || name == "permissions" || strings.HasSuffix(name, "_mode")
}

// worldWritable is a Unix mode whose last digit lets others write.
var worldWritable = regexp.MustCompile(`^0?[0-7]?[0-7]{2}[2367]$`)

// address is a text option that names a host.
type address struct {
	option *Option
	// scheme is that of a URL, "" for HOST:PORT.
	scheme, user, host string
	at                 hcl.Range
}

// addresses are the hosts that the options of a part name.
func (p *Part) addresses() []address {
	var out []address
	add := func(o *Option, text string, at hcl.Range) {
		if a, ok := parseAddress(text); ok {
			a.option, a.at = o, at
			out = append(out, a)
		}
	}
	for _, o := range p.Options {
		if !o.Given || o.Expr == nil || o.Secret {
			continue
		}
		switch v := o.Value.Interface().(type) {
		case string:
			add(o, v, o.Expr.Range())
		case []string:
			for i, s := range v {
				at := o.Expr.Range()
				if len(o.Elements) == len(v) {
					at = o.Elements[i]
				}
				add(o, s, at)
			}
		case engine.Template:
			if v.Source != nil {
				add(o, v.Source.Text(), o.Expr.Range())
			}
		}
	}
	return out
}

var (
	urlStart = regexp.MustCompile(`^([a-zA-Z][a-zA-Z0-9+.-]*)://([^/?#\s]*)`)
	hostPort = regexp.MustCompile(`^(\[[0-9a-fA-F:.%]*\]|[A-Za-z0-9._-]*):[0-9]{1,5}$`)
)

// parseAddress takes a URL or HOST:PORT apart; false for other texts, and
// where a hole of a template decides the host.
func parseAddress(text string) (address, bool) {
	if m := urlStart.FindStringSubmatch(text); m != nil {
		a := address{scheme: strings.ToLower(m[1]), host: m[2]}
		if i := strings.LastIndexByte(a.host, '@'); i >= 0 {
			a.user, a.host = a.host[:i], a.host[i+1:]
		}
		if strings.Contains(a.host, "{{") {
			return a, false
		}
		if h, _, err := net.SplitHostPort(a.host); err == nil {
			a.host = h
		}
		return a, a.host != ""
	}
	if hostPort.MatchString(text) {
		h, _, err := net.SplitHostPort(text)
		return address{host: h}, err == nil
	}
	return address{}, false
}

// local reports whether a host is this machine.
func local(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if host == "" || host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "host.docker.internal" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && (ip.IsLoopback() || ip.IsUnspecified() || ip.Unmap().IsLoopback())
}

func allLocal(addrs []address) bool {
	for _, a := range addrs {
		if !local(a.host) {
			return false
		}
	}
	return len(addrs) > 0
}

// plainURL finds URLs that go over a network as plain text.
func (k *checker) plainURL(p *Part, a address) {
	if a.scheme != "http" && a.scheme != "ws" || local(a.host) {
		return
	}
	with := ""
	if p.hasSecret() || a.user != "" {
		with = ", and so is the password or token that goes with it"
	}
	k.report(rules.NoTLS, a.at, "data goes over the network as plain text",
		"What is sent to %s can be read and changed on the way%s. Use %ss://.", a.host, with, a.scheme)
}

// withoutTLS finds connections to other machines where TLS could be switched
// on and is not.
func (k *checker) withoutTLS(p *Part, addrs []address) {
	for _, a := range addrs {
		tls := p.Option(sibling(a.option.Path, "tls"))
		if a.scheme != "" || tls == nil || tls.Block == nil || tls.Given || tls.Block.Option("client_ca_file") != nil || local(a.host) {
			continue
		}
		with := ""
		if p.hasSecret() {
			with = ", and so is the password"
		}
		k.report(rules.NoTLS, a.at, "data goes over the network as plain text",
			"What is sent to %s can be read and changed on the way%s. Add a block: tls {}", a.host, with)
		return
	}
}

// openListener finds servers that anyone on the network may use. A tls block
// that knows authorities of clients is that of a server.
func (k *checker) openListener(p *Part, addrs []address) {
	for _, a := range addrs {
		tls := p.Option(sibling(a.option.Path, "tls"))
		if a.scheme != "" || tls == nil || tls.Block == nil || tls.Block.Option("client_ca_file") == nil {
			continue
		}
		host := strings.Trim(a.host, "[]")
		ip, err := netip.ParseAddr(host)
		if host != "" && (err != nil || !ip.IsUnspecified()) {
			continue
		}
		if p.hasSecret() || p.given("tls.client_ca_file") || p.given("tls.client_ca") {
			continue
		}
		k.report(rules.OpenListener, a.at, "everyone who reaches this machine can send records",
			"It listens at all addresses and asks for no password, token or certificate. Listen at one address, such as 127.0.0.1, or ask for a token.")
		return
	}
}

func (p *Part) given(path string) bool {
	o := p.Option(path)
	return o != nil && o.Given
}

// sibling is the path of another option of the same block.
func sibling(path, name string) string {
	return path[:strings.LastIndexByte(path, '.')+1] + name
}

// hasSecret reports whether an option that holds a secret is given, beside
// the keys of a tls block.
func (p *Part) hasSecret() bool {
	for _, o := range p.Options {
		if o.Secret && o.Given && !strings.HasPrefix(o.Path, "tls.") && !o.Value.IsZero() {
			return true
		}
	}
	return false
}

// secretURL finds a password within a URL that stands in the file.
func (k *checker) secretURL(a address) {
	_, password, ok := strings.Cut(a.user, ":")
	if !ok || password == "" || strings.Contains(password, "{{") {
		return
	}
	src := k.config.Sources[a.at.Filename]
	if a.at.End.Byte > len(src) || !bytes.Contains(src[a.at.Start.Byte:a.at.End.Byte], []byte(password)) {
		return // from the environment, or another place
	}
	k.report(rules.SecretInURL, a.at, fmt.Sprintf("option %q holds a password in plain text", a.option.Name),
		"Everyone who can read the file can read it, and URLs end up in logs. Use the options for a name and a password with env(\"NAME\") or file(\"PATH\"), or build the URL with them.")
}

// secretName is a name whose value is a secret, by its last words.
var secretName = regexp.MustCompile(`(?i)(^|_)(password|passwd|passphrase|secret|token|api_?key|access_?key|secret_?key|private_?key|signing_?key|credentials?)$`)

// secretDefaults finds secrets among variables and locals.
func (k *checker) secretDefaults(d *Declaration) {
	if d.Default == nil || d.Kind != "variable" && d.Kind != "local" || !d.Sensitive && !secretName.MatchString(d.Name) {
		return
	}
	text, ok := literalString(d.Default)
	if !ok || text == "" {
		return
	}
	detail := "Everyone who can read the file can read it. Leave the default out and give the value with %s, or with a file for --var-file that is not checked in."
	if d.Kind == "local" {
		detail = "Everyone who can read the file can read it. Use env(\"%s\") or file(\"PATH\")."
		k.report(rules.PlainSecret, d.Default.Range(), fmt.Sprintf("local %q holds a secret in plain text", d.Name), detail, strings.ToUpper(d.Name))
		return
	}
	k.report(rules.PlainSecret, d.Default.Range(), fmt.Sprintf("variable %q has a secret as its default", d.Name), detail, "FLOW_VAR_"+d.Name)
}

// literalString is the text of an HCL string without interpolation.
func literalString(e hclsyntax.Expression) (string, bool) {
	for {
		p, ok := e.(*hclsyntax.ParenthesesExpr)
		if !ok {
			break
		}
		e = p.Expression
	}
	t, ok := e.(*hclsyntax.TemplateExpr)
	if !ok {
		return "", false
	}
	var b strings.Builder
	for _, part := range t.Parts {
		lit, ok := part.(*hclsyntax.LiteralValueExpr)
		if !ok || lit.Val.Type() != cty.String {
			return "", false
		}
		b.WriteString(lit.Val.AsString())
	}
	return b.String(), true
}

// leaks finds a secret that is written into records as it is.
func (k *checker) leaks(e *Element, t *Text) {
	if e.Kind != engine.KindProcessor || t.Spec.Bool {
		return
	}
	for _, s := range t.Syntax {
		var check func(n ast.Node)
		check = func(n ast.Node) {
			switch n := n.(type) {
			case *ast.BinaryNode:
				if n.Operator == "+" {
					check(n.Left)
					check(n.Right)
				}
			case *ast.MemberNode:
				root, ok := n.Node.(*ast.IdentifierNode)
				name, named := n.Property.(*ast.StringNode)
				if !ok || !named || root.Value != "var" || !k.sensitive(name.Value) {
					return
				}
				k.report(rules.SecretInRecord, t.place(s, n), "a secret is written into records",
					"var.%s is sensitive, and whoever reads the records can read it. If it is to prove something, write a hash or a signature of it, such as hmac(...).", name.Value)
			}
		}
		check(s.Root)
	}
}

func (k *checker) sensitive(variable string) bool {
	for _, d := range k.config.Declarations {
		if d.Kind == "variable" && d.Name == variable {
			return d.Sensitive
		}
	}
	return false
}
