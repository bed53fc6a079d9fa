package avroconv

import (
	"testing"

	"github.com/flowrecords/flow/converters/internal/registered"
	"github.com/flowrecords/flow/converters/internal/registered/registeredtest"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/internal/servers"
)

func suite(t *testing.T) registeredtest.Case {
	wide := `{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"long"},{"name":"amount","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},{"name":"note","type":["null","string"],"default":null},{"name":"total","type":["null","double"],"default":null}]}`
	other := `{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"string"}]}`
	return registeredtest.Case{
		New: func(t *testing.T, o registered.Options) engine.Converter {
			c := Defaults()
			c.Options = o
			if ps := c.Validate(); len(ps) > 0 {
				t.Fatal(ps)
			}
			conv, err := Factory().New(c, engine.Env{})
			if err != nil {
				t.Fatal(err)
			}
			return conv
		},
		From: typed(t, order), Value: `{"id":9007199254740993,"amount":12.50,"note":null}`,
		Wider: typed(t, wide), More: `{"id":1,"amount":1.00,"note":"x","total":2.5}`,
		Other: typed(t, other), Odd: `{"id":"a"}`, Why: "id: data has long and the reader's schema has string",
	}
}

func TestRegistry(t *testing.T) {
	t.Parallel()
	registeredtest.Run(t, registeredtest.Fake(t), suite(t))
}

func TestRealRegistry(t *testing.T) {
	t.Parallel()
	registeredtest.Run(t, registeredtest.Real(servers.Registry(t), servers.UniqueName), suite(t))
}
