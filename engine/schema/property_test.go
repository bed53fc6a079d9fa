package schema_test

import (
	"encoding/json"
	"testing"

	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/schematest"
)

const seeds = 400

// each runs check over schemas of all kinds.
func each(t *testing.T, o schematest.Options, check func(t *testing.T, g *schematest.Generator, s *schema.Schema)) {
	t.Helper()
	for seed := range uint64(seeds) {
		o.Recursive = seed%2 == 1
		g := schematest.New(seed, o)
		s := g.Schema()
		if err := s.Validate(); err != nil {
			t.Fatalf("seed %d: %s: %v", seed, s, err)
		}
		check(t, g, s)
		if t.Failed() {
			t.Fatalf("seed %d: %s", seed, s)
		}
	}
}

func TestTypeTextOfAny(t *testing.T) {
	t.Parallel()
	each(t, schematest.Options{}, func(t *testing.T, _ *schematest.Generator, s *schema.Schema) {
		text := s.String()
		back, err := schema.Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if !schema.EqualTypes(s, back) || back.String() != text {
			t.Errorf("%s: came back as %s", text, back)
		}
	})
}

func TestValuesOfAnyFit(t *testing.T) {
	t.Parallel()
	each(t, schematest.Options{}, func(t *testing.T, g *schematest.Generator, s *schema.Schema) {
		for range 5 {
			v := g.Value(s)
			if err := schema.Check(s, v); err != nil {
				t.Errorf("%s: %v", v, err)
			}
		}
	})
}

func TestFingerprintOfAny(t *testing.T) {
	t.Parallel()
	seen := make(map[schema.Fingerprint]*schema.Schema)
	each(t, schematest.Options{}, func(t *testing.T, _ *schematest.Generator, s *schema.Schema) {
		if other := seen[s.Fingerprint()]; other != nil && !schema.Equal(s, other) {
			t.Errorf("the fingerprint of %s", other)
		}
		seen[s.Fingerprint()] = s
		c := unshare(s, make(map[*schema.Schema]*schema.Schema))
		if c.Fingerprint() != s.Fingerprint() || !schema.Equal(s, c) {
			t.Error("a copy has another fingerprint")
		}
		for name, changed := range mutants(s) {
			if changed.Fingerprint() == s.Fingerprint() || schema.Equal(s, changed) {
				t.Errorf("another %s, the same fingerprint", name)
			}
		}
	})
}

// unshare copies the whole graph.
func unshare(s *schema.Schema, done map[*schema.Schema]*schema.Schema) *schema.Schema {
	if s == nil {
		return nil
	}
	if c, there := done[s]; there {
		return c
	}
	c := s.Clone()
	done[s] = c
	c.Fields = append([]schema.Field(nil), s.Fields...)
	for i := range c.Fields {
		c.Fields[i].Schema = unshare(c.Fields[i].Schema, done)
	}
	c.Branches = append([]schema.Branch(nil), s.Branches...)
	for i := range c.Branches {
		c.Branches[i].Schema = unshare(c.Branches[i].Schema, done)
	}
	c.Key, c.Elem = unshare(s.Key, done), unshare(s.Elem, done)
	return c
}

// mutants are schemas that differ from s in one attribute.
func mutants(s *schema.Schema) map[string]*schema.Schema {
	m := make(map[string]*schema.Schema)
	change := func(name string, f func(c *schema.Schema)) {
		c := s.Clone()
		f(c)
		m[name] = c
	}
	change("optional", func(c *schema.Schema) { c.Optional = !c.Optional })
	change("name", func(c *schema.Schema) { c.Name += "x" })
	change("version", func(c *schema.Schema) { c.Version++ })
	change("doc", func(c *schema.Schema) { c.Doc += "x" })
	change("alias", func(c *schema.Schema) { c.Aliases = append([]string{"zz"}, c.Aliases...) })
	change("default", func(c *schema.Schema) { c.Default = append([]byte(" "), c.Default...) })
	change("parameters", func(c *schema.Schema) { c.Parameters = map[string]string{"zz": c.Parameters["a.b"]} })
	change("precision", func(c *schema.Schema) { c.Precision++ })
	change("scale", func(c *schema.Schema) { c.Scale-- })
	change("size", func(c *schema.Schema) { c.Size++ })
	change("unit", func(c *schema.Schema) { c.Unit ^= 1 })
	for i := range s.Fields {
		field := func(name string, f func(f *schema.Field)) {
			change(name, func(c *schema.Schema) {
				c.Fields = append([]schema.Field(nil), s.Fields...)
				f(&c.Fields[i])
			})
		}
		field("field's name", func(f *schema.Field) { f.Name += "y" })
		field("field's doc", func(f *schema.Field) { f.Doc += "y" })
		field("field's tag", func(f *schema.Field) { f.Tag += 1000 })
		field("field's alias", func(f *schema.Field) { f.Aliases = append([]string{"y"}, f.Aliases...) })
		field("field's type", func(f *schema.Field) { f.Schema = f.Schema.Clone(); f.Schema.Doc += "y" })
	}
	for i := range s.Branches {
		change("branch's name", func(c *schema.Schema) {
			c.Branches = append([]schema.Branch(nil), s.Branches...)
			c.Branches[i].Name += "y"
		})
	}
	return m
}

func TestJSONOfAny(t *testing.T) {
	t.Parallel()
	each(t, schematest.Options{}, func(t *testing.T, _ *schematest.Generator, s *schema.Schema) {
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		back, err := schema.ParseJSON(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if !schema.Equal(s, back) || back.Fingerprint() != s.Fingerprint() {
			t.Errorf("%s came back as %s", text, back)
		}
	})
}
