package jsonschemaconv

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// validator checks values against all keywords of a schema. It is safe for all
// goroutines.
type validator struct{ schema *jsonschema.Schema }

// address is that of a schema without $id, to which a relative $ref is joined.
const address = "registry:///schema.json"

func newValidator(t *text) (*validator, error) {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(t.text))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft7) // registries take a schema that does not say for one
	c.AssertFormat()
	c.UseLoader(loader{t})
	if err := c.AddResource(address, doc); err != nil {
		return nil, err
	}
	s, err := c.Compile(address)
	if err != nil {
		return nil, fmt.Errorf("validate: %w", err)
	}
	return &validator{s}, nil
}

// loader finds what schemas refer to, and asks nobody else.
type loader struct{ *text }

func (l loader) Load(url string) (any, error) {
	name := strings.TrimPrefix(url, "registry:///")
	s, err := l.used(name)
	if err != nil {
		return nil, err
	}
	return jsonschema.UnmarshalJSON(strings.NewReader(s))
}

// mostReasons bounds what an error tells.
const mostReasons = 3

func (v *validator) check(data []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	err = v.schema.Validate(value)
	invalid, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return err
	}
	// The first line names the schema; each of the others is one reason.
	var reasons []string
	for line := range strings.Lines(invalid.Error()) {
		if r, ok := strings.CutPrefix(strings.TrimSpace(line), "- "); ok {
			reasons = append(reasons, strings.TrimPrefix(r, "at '': "))
		}
	}
	if n := len(reasons); n > mostReasons {
		reasons = append(reasons[:mostReasons], fmt.Sprintf("and %d more", n-mostReasons))
	}
	return fmt.Errorf("not valid by its schema: %s", strings.Join(reasons, "; "))
}
