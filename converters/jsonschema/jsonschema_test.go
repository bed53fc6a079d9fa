package jsonschemaconv

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/flowrecords/flow/engine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// converterOf makes a converter, which is not open.
func converterOf(t testing.TB, c *Config) engine.Converter {
	t.Helper()
	if ps := c.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	conv, err := Factory().New(c, engine.Env{})
	if err != nil {
		t.Fatal(err)
	}
	return conv
}
