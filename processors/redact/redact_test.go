package redact

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

func patterns(texts ...string) []engine.Pattern {
	var ps []engine.Pattern
	for _, t := range texts {
		ps = append(ps, engine.Pattern{Regexp: regexp.MustCompile(t)})
	}
	return ps
}

// bound returns what redacts one value.
func bound(t testing.TB, c *Config) func(enc record.Encoding, value string) (string, error) {
	t.Helper()
	if ps := c.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	l := record.NewLayout()
	b, err := newRedact(c).Bind(l)
	if err != nil {
		t.Fatal(err)
	}
	r := record.NewRecord(l)
	return func(enc record.Encoding, value string) (string, error) {
		r.Value.Reset(enc, []byte(value))
		r.Key.Reset(record.Text, nil)
		r.ResetHeaders(nil)
		if keep, err := b.Step(r); err != nil || !keep {
			return "", err
		}
		out, err := r.Value.AppendTo(nil)
		return string(out), err
	}
}

func config(change func(*Config)) *Config {
	c := Defaults()
	change(c)
	return c
}

func TestFields(t *testing.T) {
	t.Parallel()
	fields := patterns("password", ".*_token", "card number")
	for name, c := range map[string]*Config{
		"replace": config(func(c *Config) { c.Fields = fields }),
		"remove":  config(func(c *Config) { c.Fields, c.Mode = fields, "remove" }),
		"keep":    config(func(c *Config) { c.Fields, c.Mode, c.Keep, c.With = fields, "keep_last", 2, "*" }),
		"hash":    config(func(c *Config) { c.Fields, c.Mode, c.Secret = fields, "hash", engine.NewSecret("k") }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			redact := bound(t, c)
			for _, tt := range []struct{ in, replace, remove, keep, hash string }{
				{`{"a":1,"password":"geheim"}`, `{"a":1,"password":"[redacted]"}`, `{"a":1}`, `{"a":1,"password":"*im"}`, ""},
				{`{"PassWord": {"x": [1, "}"]}, "a":1}`, `{"PassWord": "[redacted]", "a":1}`, `{"a":1}`, `{"PassWord": "*]}", "a":1}`, ""},
				{`{"password":null,"b":"passwords"}`, `{"password":null,"b":"passwords"}`, `{"b":"passwords"}`, `{"password":null,"b":"passwords"}`, `{"password":null,"b":"passwords"}`},
				{`[{"x_token":true},{"y":[{"z_token":12345}]}]`, `[{"x_token":"[redacted]"},{"y":[{"z_token":"[redacted]"}]}]`, `[{},{"y":[{}]}]`, `[{"x_token":"*"},{"y":[{"z_token":"*45"}]}]`, ""},
				{`{"p\u0061ssword":"ge\"heim","a":"b"}`, `{"p\u0061ssword":"[redacted]","a":"b"}`, `{"a":"b"}`, `{"p\u0061ssword":"*im","a":"b"}`, ""},
				{`{"a":1,"password":"x","b_token":"y"}`, `{"a":1,"password":"[redacted]","b_token":"[redacted]"}`, `{"a":1}`, `{"a":1,"password":"*","b_token":"*"}`, ""},
				{`{"passwords":"x","my password":"x"}`, `{"passwords":"x","my password":"x"}`, `{"passwords":"x","my password":"x"}`, `{"passwords":"x","my password":"x"}`, `{"passwords":"x","my password":"x"}`},
				{`7`, `7`, `7`, `7`, `7`},
				{`{}`, `{}`, `{}`, `{}`, `{}`},
			} {
				got, err := redact(record.JSON, tt.in)
				want := map[string]string{"replace": tt.replace, "remove": tt.remove, "keep": tt.keep, "hash": tt.hash}[name]
				if name == "hash" && tt.hash != tt.in {
					if !json.Valid([]byte(got)) || got == tt.in {
						t.Errorf("%s became %s", tt.in, got)
					}
					continue
				}
				if err != nil || got != want {
					t.Errorf("%s: got %s, want %s, error %v", tt.in, got, want, err)
				}
			}
		})
	}
}

// TestHash: equal values stay equal, others do not, and the key matters.
func TestHash(t *testing.T) {
	t.Parallel()
	hash := func(key, value string) string {
		redact := bound(t, config(func(c *Config) { c.Fields, c.Mode, c.Secret = patterns("id"), "hash", engine.NewSecret(key) }))
		got, err := redact(record.JSON, `{"id":"`+value+`"}`)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	a, b, c := hash("k", "1"), hash("k", "2"), hash("l", "1")
	if a != hash("k", "1") || a == b || a == c || len(a) != len(`{"id":""}`)+2*hashBytes {
		t.Error(a, b, c)
	}
}

func TestKinds(t *testing.T) {
	t.Parallel()
	redact := bound(t, config(func(c *Config) {
		c.Values, c.Patterns, c.With = []string{"card", "email", "phone", "iban", "ip"}, patterns(`sk-\w{8,}`), "#"
	}))
	for in, want := range map[string]string{
		"pay with 4111 1111 1111 1111, please": "pay with #, please",
		"4111-1111-1111-1111":                  "#",
		"4111111111111112":                     "4111111111111112", // wrong check digit
		"x4111111111111111":                    "x4111111111111111",
		"order 41111111111111110000000":        "order 41111111111111110000000",
		"5500005555555559 and 340000000000009": "# and #",
		"mail jo.doe+x@mail.example.com!":      "mail #!",
		"müller@exämple.de, a@b":               "#, a@b",
		"@home":                                "@home",
		"call +49 (0)30 123456-78 now":         "call # now",
		"(555) 123-4567 or 555.123.4567":       "# or #",
		"2026-01-02T03:04:05Z":                 "2026-01-02T03:04:05Z",
		"2026-01-02 03:04:05.123456":           "2026-01-02 03:04:05.123456",
		"id 1234567890":                        "id 1234567890",
		"GB82 WEST 1234 5698 7654 32 is mine":  "# is mine",
		"DE89370400440532013000":               "#",
		"DE88370400440532013000":               "DE88370400440532013000",
		"from 10.0.0.1 to 2001:db8::1 and ::1": "from # to # and #",
		"999.1.1.1 at 12:34:56":                "999.1.1.1 at 12:34:56",
		"key sk-abcdef12345 end":               "key # end",
		"":                                     "", "plain": "plain",
	} {
		got, err := redact(record.Text, in)
		if err != nil || got != want {
			t.Errorf("%q: got %q, want %q, error %v", in, got, want, err)
		}
		quoted, _ := json.Marshal(map[string]any{"deep": []string{in}})
		wantQuoted, _ := json.Marshal(map[string]any{"deep": []string{want}})
		if got, err := redact(record.JSON, string(quoted)); err != nil || got != string(wantQuoted) {
			t.Errorf("%s: got %s, want %s, error %v", quoted, got, wantQuoted, err)
		}
	}
	if got, err := redact(record.JSON, `{"card":4111111111111111,"n":4111111111111112,"f":1.50}`); err != nil || got != `{"card":"#","n":4111111111111112,"f":1.50}` {
		t.Errorf("numbers: %s, %v", got, err)
	}
}

func TestKeyAndHeaders(t *testing.T) {
	t.Parallel()
	c := config(func(c *Config) {
		c.Fields, c.Values, c.In = patterns("password"), []string{"email"}, []string{"value", "key", "headers"}
	})
	l := record.NewLayout()
	b, err := newRedact(c).Bind(l)
	if err != nil {
		t.Fatal(err)
	}
	r := record.NewRecord(l)
	r.Value.Reset(record.JSON, []byte(`{"password":"x"}`))
	r.Key.Reset(record.Text, []byte("me@example.com"))
	r.ResetHeaders([]record.Header{{Key: "Password", Value: []byte("x")}, {Key: "from", Value: []byte("a me@example.com b")}, {Key: "null"}, {Key: "other", Value: []byte("x")}})
	if _, err := b.Step(r); err != nil {
		t.Fatal(err)
	}
	key, _ := r.Key.AppendTo(nil)
	var headers []string
	for _, h := range r.Headers() {
		headers = append(headers, h.Key+"="+string(h.Value))
	}
	if got := string(key) + "; " + strings.Join(headers, ", "); got != "[redacted]; null=, other=x, Password=[redacted], from=a [redacted] b" &&
		got != "[redacted]; Password=[redacted], from=a [redacted] b, null=, other=x" {
		t.Error(got)
	}
}

func walk(v any, field func(name string, v any)) {
	switch v := v.(type) {
	case map[string]any:
		for name, x := range v {
			field(name, x)
			walk(x, field)
		}
	case []any:
		for _, x := range v {
			walk(x, field)
		}
	}
}

// FuzzRedact: valid JSON stays valid JSON, and no field that is looked for
// stays.
func FuzzRedact(f *testing.F) {
	for _, s := range []string{`{"password":"x","a":[1,{"x_token":null}]}`, `{"a":"me@example.com 4111111111111111"}`, `"\u0041@b.cd"`, `{"password":1,"password":2}`, `[]`, ` { "a" : "b" , "password" : [ ] } `} {
		f.Add(s, "replace")
		f.Add(s, "remove")
	}
	f.Fuzz(func(t *testing.T, value, mode string) {
		if mode != "remove" {
			mode = "replace"
		}
		redact := bound(t, config(func(c *Config) {
			c.Fields, c.Values, c.Mode = patterns("password", ".*_token"), []string{"card", "email", "phone", "iban", "ip"}, mode
		}))
		got, err := redact(record.JSON, value)
		if err != nil {
			return
		}
		if !json.Valid([]byte(got)) {
			t.Fatalf("%q became %q", value, got)
		}
		var tree any
		if err := json.Unmarshal([]byte(got), &tree); err == nil {
			walk(tree, func(name string, v any) {
				if strings.EqualFold(name, "password") && v != nil && (mode == "remove" || v != "[redacted]") {
					t.Errorf("%q keeps a field: %q", value, got)
				}
			})
		}
	})
}

func BenchmarkRedact(b *testing.B) {
	order := `{"id":12345678,"customer":{"name":"Jo Doe","email":"jo.doe@example.com","address":{"street":"1 Long Street","city":"Springfield","zip":"12345"}},"items":[{"sku":"a-1","qty":2,"price":9.99},{"sku":"b-2","qty":1,"price":19.5}],"password":"x","note":"nothing to see here, please move on","at":"2026-01-02T03:04:05Z"}`
	for name, c := range map[string]*Config{
		"fields": config(func(c *Config) { c.Fields = patterns("password", ".*_token") }),
		"values": config(func(c *Config) { c.Values = []string{"card", "email"} }),
	} {
		b.Run(name, func(b *testing.B) {
			redact := bound(b, c)
			b.SetBytes(int64(len(order)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := redact(record.JSON, order); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
