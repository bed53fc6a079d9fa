package connect_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/flowrecords/flow/dsl/connect"
)

func TestTransform(t *testing.T) {
	t.Parallel()
	props := map[string]string{
		"transforms":                 "route, drop ,nothing",
		"transforms.route.type":      "org.apache.kafka.connect.transforms.RegexRouter",
		"transforms.route.regex":     `shop\.(\p{Alpha}+)`,
		"transforms.route.predicate": "p", "transforms.route.negate": "true",
		"transforms.route.replacement": "new-$12",
		"transforms.drop.type":         "org.apache.kafka.connect.transforms.Filter",
		"transforms.drop.predicate":    "p",
		"transforms.nothing.type":      "org.apache.kafka.connect.transforms.ReplaceField$Value",
		"transforms.nothing.blacklist": "x",
		"predicates":                   "p",
		"predicates.p.type":            "org.apache.kafka.connect.transforms.predicates.HasHeaderKey",
		"predicates.p.name":            "trace",
	}
	elements, findings := connect.Transforms(props)
	var got strings.Builder
	for _, e := range elements {
		got.WriteString(e.HCL())
	}
	const want = `processor "regex_router" "route" {
  regex       = "shop\\.([a-zA-Z]+)"
  replacement = "new-$${1}2"
  when        = "!hasHeader(\"trace\")"
}
processor "filter" "drop" {
  where = "!hasHeader(\"trace\")"
}
`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
	if len(findings) != 2 || findings[0].Property != "transforms.nothing.blacklist" || findings[1].Summary != "changes nothing" {
		t.Errorf("findings %v", findings)
	}
}

func TestRegex(t *testing.T) {
	t.Parallel()
	tests := []struct {
		java      string
		yes, no   string
		wantError string
	}{
		{java: `a\Q.*\Eb`, yes: "a.*b", no: "axxb"},
		{java: `[\w&&[^a]]`, wantError: "an intersection of classes (&&) at character 4"},
		{java: `[a[b]]`, wantError: "a class within a class at character 3"},
		{java: `a(?=b)`, wantError: "a look-ahead (?=...) at character 2"},
		{java: `(a)\1`, wantError: `a reference to a group (\1) at character 4`},
		{java: `a++`, wantError: "a possessive quantifier (+) at character 3"},
		{java: `a+?b`, yes: "aab", no: "b"},
		{java: `\p{Upper}\p{javaUpperCase}`, wantError: `\p{javaUpperCase} at character 10`},
		{java: `\u0041\x42`, yes: "AB", no: "ab"},
		{java: `[]a]+`, yes: "]a", no: "b"},
		{java: `(?<year>\d{4})`, yes: "2024", no: "x"},
		{java: `\h+`, yes: " \t", no: "x"},
	}
	for _, tt := range tests {
		got, err := connect.Regex(tt.java)
		if tt.wantError != "" {
			if err == nil || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(tt.wantError)) {
				t.Errorf("%s: %v, want %s", tt.java, err, tt.wantError)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.java, err)
			continue
		}
		re := regexp.MustCompile("^(?:" + got + ")$")
		if !re.MatchString(tt.yes) || re.MatchString(tt.no) {
			t.Errorf("%s became %s: %v %v", tt.java, got, re.MatchString(tt.yes), re.MatchString(tt.no))
		}
	}
}

// FuzzRegex: what can be translated compiles, and nothing panics.
func FuzzRegex(f *testing.F) {
	for _, s := range []string{`a\Q.*\Eb`, `[\w&&[^a]]`, `(a)\1`, `\p{Alpha}`, `[^\]]`, `\`, `\p`, `\u12`, `{`, `(?i)a`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, java string) {
		out, err := connect.Regex(java)
		if err != nil {
			return
		}
		if _, err := regexp.Compile(out); err != nil {
			t.Errorf("%q became %q: %v", java, out, err)
		}
	})
}
