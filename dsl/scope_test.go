package dsl_test

import (
	"strings"
	"testing"

	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/engine/record"
)

const scopeConfig = `
variable "limit" {
  default = 20
}
variable "token" {
  sensitive = true
  default   = "s3cr3t \"in quotes\""
}
locals {
  rates = { EUR = 1.5 }
  auth  = "Bearer ${var.token}"
}
function "total" {
  params      = ["o"]
  result      = "o.price * o.quantity"
  description = "What it costs."
}
function "signed" {
  params = ["s"]
  result = "hmac(s, var.token, 'sha256')"
}
`

func scope(t *testing.T) *dsl.Scope {
	t.Helper()
	return dsl.LoadSources(map[string][]byte{"c.hcl": []byte(scopeConfig)}, dsl.Options{}).Scope()
}

func TestScopeConstants(t *testing.T) {
	t.Parallel()
	var got []string
	for _, c := range scope(t).Constants() {
		if c.Secret && c.Value != nil {
			t.Errorf("%s: a secret has the value %v", c.Name, c.Value)
		}
		got = append(got, c.Name+map[bool]string{true: " secret"}[c.Secret])
	}
	if want := "var.limit, var.token secret, local.auth secret, local.rates"; strings.Join(got, ", ") != want {
		t.Errorf("got %s, want %s", strings.Join(got, ", "), want)
	}
	fs := scope(t).Functions()
	if len(fs) != 2 || fs[0].Name != "total" || fs[0].Description != "What it costs." || fs[0].Params[0] != "o" {
		t.Errorf("functions: %+v", fs)
	}
}

func TestScopeCompile(t *testing.T) {
	t.Parallel()
	s := scope(t)
	for _, c := range []struct {
		text, result, secrets string
		mode                  expr.Mode
	}{
		{"total(value) + var.limit", "26", "", expr.ModeClosures},
		{"var.limit * 2", "40", "", expr.ModeConstant},
		{"local.rates.EUR", "1.5", "", expr.ModeConstant},
		{"upper(var.token)", "", "var.token", expr.ModeConstant},
		{"len(local.auth) + value.price", "", "local.auth", expr.ModeClosures},
		{"signed('x')", "", "var.token", expr.ModeConstant},
		{"var", "", "var", expr.ModeConstant},
	} {
		got, problems := s.Compile(c.text)
		if len(problems) > 0 {
			t.Errorf("%s: %v", c.text, problems)
			continue
		}
		if got.Mode != c.mode || strings.Join(got.Secrets, " ") != c.secrets {
			t.Errorf("%s: mode %s, secrets %q", c.text, got.Mode, got.Secrets)
		}
		l := record.NewLayout()
		p, err := got.Bind(l)
		if err != nil {
			t.Fatal(err)
		}
		r := record.NewRecord(l)
		r.Value.Reset(record.JSON, []byte(`{"price":2,"quantity":3}`))
		v, err := p.Eval(r)
		if err != nil || c.result != "" && v.String() != c.result {
			t.Errorf("%s: %s, %v", c.text, v, err)
		}
	}
}

// TestScopeKeepsSecrets: neither a mistake nor an error of a record says what
// a secret is.
func TestScopeKeepsSecrets(t *testing.T) {
	t.Parallel()
	s := scope(t)
	for _, text := range []string{"int(var.token)", "var.token * 2", "duration(local.auth)", "signed(1)", "var.token.x.y"} {
		got, problems := s.Compile(text)
		for _, p := range problems {
			if strings.Contains(p.Summary+p.Detail, "s3cr3t") {
				t.Errorf("%s: %+v", text, p)
			}
		}
		if len(problems) > 0 {
			continue
		}
		l := record.NewLayout()
		p, err := got.Bind(l)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Eval(record.NewRecord(l)); err != nil && strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: %v", text, err)
		}
	}
	json, err := record.StringValue(`Bearer s3cr3t "in quotes"`).AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	if hidden := s.Hide(string(json)); strings.Contains(hidden, "s3cr3t") || record.ValidateJSON([]byte(hidden)) != nil {
		t.Errorf("in a record: %s", hidden)
	}
}

func TestScopeType(t *testing.T) {
	t.Parallel()
	s := scope(t)
	for text, want := range map[string]string{
		"value.a": "any", "value.a == 1": "bool", "upper(value.a)": "string", "len(value.a) + 1": "int", "1.5": "float", "nil": "nil",
		"[1]": "array", "{a: 1}": "object", "var.limit": "int", "total(value)": "any", "timestamp": "time or nil", "topic": "string",
		"duration('1h')": "duration", "value.a ? 'x' : 1": "any", "value.a ? 'x' : 'y'": "string", "now()": "time",
	} {
		if got, problems := s.Type(text); got != want || len(problems) > 0 {
			t.Errorf("%s: %s, want %s %v", text, got, want, problems)
		}
	}
	if _, problems := s.Type("valu"); len(problems) != 1 {
		t.Errorf("an unknown name: %v", problems)
	}
}
