package expr_test

import (
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/engine/record"
)

func TestTemplate(t *testing.T) {
	t.Parallel()
	const doc = `{"c":"KR","n":7,"f":1.50,"t":true,"nul":null,"o":{"a":1},"l":[1]}`
	tests := []struct {
		text, want, err string
	}{
		{"plain", "plain", ""},
		{"", "", ""},
		{"orders-{{ lower(value.c) }}", "orders-kr", ""},
		{"{{value.n}}{{value.t}}/{{ value.f }}", "7true/1.50", ""},
		{`a {{ "{{" }} b {{ '}}' }}`, "a {{ b }}", ""},
		{"{ {a} }", "{ {a} }", ""},
		{"}} {", "}} {", ""},
		{"x{{ {'a': 'b'}['a'] }}y", "xby", ""},
		{"x{{ {'a': {'b': value.c}}.a.b }}y", "xKRy", ""},
		{"{{ topic }}-{{ partition }}", "orders-3", ""},
		{"{{ local.prefix }}{{ value.c }}", "orders-KR", ""},
		{"{{ value.nope }}", "", "{{ value.nope }} is nil, not text"},
		{"{{ value.nul }}", "", "{{ value.nul }} is nil, not text"},
		{"{{ value.o }}", "", "{{ value.o }} is object, not text"},
		{"{{ value.l }}", "", "{{ value.l }} is array, not text"},
		{"{{ value.x.y }}", "", "value.x is nil, so it has no member y"},
		{"{{ timestamp.Format('2006') }}", "2023", ""},
	}
	e := env(t)
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			t.Parallel()
			src, ps := e.CompileTemplate(tt.text)
			if len(ps) > 0 {
				t.Fatalf("%+v", ps)
			}
			if src.Text() != tt.text {
				t.Errorf("Text() is %q", src.Text())
			}
			l := record.NewLayout()
			p, err := src.Bind(l)
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Append([]byte("> "), rec(l, doc))
			if tt.err != "" {
				if err == nil || err.Error() != tt.err || string(got) != "> " {
					t.Fatalf("got %q, error %v; want error %s", got, err, tt.err)
				}
				return
			}
			if err != nil || string(got) != "> "+tt.want {
				t.Fatalf("got %q, error %v; want %q", got, err, tt.want)
			}
		})
	}
}

func TestTemplateProblems(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, at, summary string }{
		{"é{{ value.a", "{{ value.a", "The hole is not closed"},
		{"é{{ foo }}x", "foo", "Unknown name foo"},
		{"a{{ }}", " ", "The expression is empty"},
		{"a{{ nil }}", "{{ nil }}", "The hole is always nil"},
		{"a{{ [1] }}b", "{{ [1] }}", "The hole is always array"},
		{"a{{ 'x }} b", "{{ 'x }} b", "The hole is not closed"},
		{"{{ bar }} {{ 'a' + 1 }}", "bar", "Unknown name bar"},
	}
	e := env(t)
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			t.Parallel()
			src, ps := e.CompileTemplate(tt.text)
			if src != nil || len(ps) == 0 {
				t.Fatalf("source %v, problems %v", src, ps)
			}
			p := ps[0]
			if got := tt.text[p.Offset : p.Offset+p.Length]; got != tt.at || p.Summary != tt.summary {
				t.Errorf("got %q %s, want %q %s", got, p.Summary, tt.at, tt.summary)
			}
		})
	}
	if _, ps := e.CompileTemplate("{{ bar }} {{ 'a' + 1 }}"); len(ps) != 2 {
		t.Errorf("not every hole is checked: %+v", ps)
	}
}

func TestTemplateFacts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text, prefix string
		literal      bool
		topic        bool
		holes        string
	}{
		{"orders", "orders", true, false, ""},
		{"orders-{{ value.c }}-x-{{ value.d + 1 }}", "orders-", false, false, " value.c | value.d + 1 "},
		{"{{ topic }}", "", false, true, " topic "},
		{"{{topic}}x", "", false, false, "topic"},
		{"{{ topic + '' }}", "", false, false, " topic + '' "},
		{"{{ local.prefix }}{{ value.c }}", "orders-", false, false, " value.c "},
		{"{{ local.prefix }}", "orders-", true, false, ""},
	}
	e := env(t)
	for _, tt := range tests {
		src, ps := e.CompileTemplate(tt.text)
		if len(ps) > 0 {
			t.Fatalf("%s: %+v", tt.text, ps)
		}
		tpl := src.(*expr.Template)
		var holes []string
		for _, h := range tpl.Holes() {
			holes = append(holes, h.Text())
		}
		_, literal := tpl.Literal()
		if tpl.LiteralPrefix() != tt.prefix || literal != tt.literal || tpl.OnlyTopic() != tt.topic || strings.Join(holes, "|") != tt.holes {
			t.Errorf("%s: prefix %q, literal %v, only topic %v, holes %q", tt.text, tpl.LiteralPrefix(), literal, tpl.OnlyTopic(), holes)
		}
	}
}

func TestTemplateForURL(t *testing.T) {
	t.Parallel()
	const doc = `{"id":"a/b c?d=é&x#y","dots":"..","n":7,"t":"x.y-z_~0","q":{"b":"1 2","a":"&"}}`
	e := env(t)
	for _, tt := range []struct {
		text, want string
		literal    bool
	}{
		{"http://h/x?y=z#", "http://h/x?y=z#", true},
		{"http://h/{{ value.id }}/x", "http://h/a%2Fb%20c%3Fd%3D%C3%A9%26x%23y/x", true},
		{"http://h?id={{ value.id }}&n={{ value.n }}", "http://h?id=a%2Fb%20c%3Fd%3D%C3%A9%26x%23y&n=7", true},
		{"http://h/{{ value.t }}", "http://h/x.y-z_~0", true},
		{"http://h/?{{ buildQuery(value.q) }}", "http://h/?a=%26&b=1+2", true},
		{"http://h/{{ 'a/b' }}/{{ value.n }}", "http://h/a/b/7", true},
		{"http://h{{ value.id }}/x", "http://ha%2Fb%20c%3Fd%3D%C3%A9%26x%23y/x", false},
		{"http://{{ value.n }}/x", "http://7/x", false},
		{"http:///{{ value.n }}", "http:///7", false},
		{"{{ value.n }}", "7", false},
	} {
		t.Run(tt.text, func(t *testing.T) {
			t.Parallel()
			src, ps := e.CompileTemplate(tt.text)
			if len(ps) > 0 {
				t.Fatalf("%+v", ps)
			}
			u := src.(*expr.Template).ForURL()
			if u.LiteralHost() != tt.literal {
				t.Errorf("literal host: %v", u.LiteralHost())
			}
			l := record.NewLayout()
			p, err := u.Bind(l)
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Append([]byte("/ "), rec(l, doc))
			if err != nil || string(got) != "/ "+tt.want {
				t.Errorf("got %q, error %v; want %q", got, err, tt.want)
			}
		})
	}
}

// FuzzTemplateForURL: whatever a record holds stays within its place of a URL,
// and is there as it was.
func FuzzTemplateForURL(f *testing.F) {
	for _, s := range []string{"a/b?c#d&e=f%20 g", "..", "\x00\n", "é世界", "%", "+"} {
		f.Add(s)
	}
	e := env(f)
	src, ps := e.CompileTemplate("http://h/{{ value.s }}?q={{ value.s }}")
	if len(ps) > 0 {
		f.Fatal(ps)
	}
	t := src.(*expr.Template).ForURL()
	f.Fuzz(func(tt *testing.T, s string) {
		if !utf8.ValidString(s) {
			tt.Skip()
		}
		l := record.NewLayout()
		p, err := t.Bind(l)
		if err != nil {
			tt.Fatal(err)
		}
		got, err := p.Append(nil, rec(l, `{"s":`+string(record.AppendQuoted(nil, []byte(s)))+`}`))
		if err != nil {
			tt.Fatal(err)
		}
		u, err := url.Parse(string(got))
		if err != nil {
			tt.Fatalf("%q: %v", got, err)
		}
		if u.Host != "h" || u.Path != "/"+s || u.Query().Get("q") != s || len(u.Query()) != 1 || u.Fragment != "" || strings.Count(u.EscapedPath(), "/") != 1 {
			tt.Errorf("%q became %q", s, got)
		}
	})
}
