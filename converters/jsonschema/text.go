package jsonschemaconv

import (
	"fmt"
	"path"
	"strings"

	"github.com/flowrecords/flow/connections/registry"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/jsonschema"
)

// text is a JSON Schema as it is written, and what it means.
type text struct {
	text string
	refs []registry.Reference
	uses []registry.Used
	// schema says how values are written, model what they are as records. In
	// typed JSON a value of one is a value of the other.
	schema, model *schema.Schema
}

// parseRegistered reads a schema of the registry with what it refers to.
func parseRegistered(s *registry.Schema) (*text, error) {
	if s.Type != registry.JSON {
		return nil, fmt.Errorf("the schema %d of the registry is of the type %s, not JSON", s.ID, s.Type)
	}
	t := &text{text: s.Text.Text, refs: s.References, uses: s.Uses}
	var err error
	t.schema, err = jsonschema.Parse([]byte(t.text), func(name string) ([]byte, error) {
		u, err := t.used(name)
		return []byte(u), err
	})
	t.model = t.schema
	return t, err
}

// used returns the text behind a $ref. Registries name references as they stand
// in $ref; where an $id makes another address of it, the last part counts.
func (t *text) used(name string) (string, error) {
	found := ""
	for i := range t.uses {
		switch u := &t.uses[i]; {
		case u.Name == name:
			return u.Schema.Text.Text, nil
		case path.Base(u.Name) == path.Base(name):
			found = u.Schema.Text.Text
		}
	}
	if found != "" {
		return found, nil
	}
	var names []string
	for _, u := range t.uses {
		names = append(names, u.Name)
	}
	if names == nil {
		return "", fmt.Errorf("it leads to another schema, and the schema has no references")
	}
	return "", fmt.Errorf("it leads to none of the schema's references: %s", strings.Join(names, ", "))
}
