package protobufconv

import (
	"testing"

	"github.com/flowrecords/flow/converters/internal/registered"
	"github.com/flowrecords/flow/converters/internal/registered/registeredtest"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/internal/servers"
)

func suite() registeredtest.Case {
	typed := func(text string) record.Encoding {
		s, err := schema.Parse(text)
		if err != nil {
			panic(err)
		}
		return record.JSONOf(s)
	}
	return registeredtest.Case{
		New: func(t *testing.T, o registered.Options) engine.Converter {
			c := Defaults()
			c.Options = o
			return converterOf(t, c)
		},
		From:  typed("struct shop.Order{id int64, price decimal(9,2), at timestamp(ms), day date, raw bytes, tags array<string>, note string?}"),
		Value: `{"id":9007199254740993,"price":12.50,"at":"2026-01-02T03:04:05.678Z","day":"2026-01-02","raw":"AQI=","tags":["a"],"note":null}`,
		Wider: typed("struct shop.Order{id int64, price decimal(9,2), at timestamp(ms), day date, raw bytes, tags array<string>, note string?, total float64?}"),
		More:  `{"id":1,"price":1.00,"at":"2026-01-02T03:04:05.678Z","day":"2026-01-02","raw":"AQI=","tags":[],"note":"x","total":2.5}`,
		Other: typed("struct shop.Order{id string, price decimal(9,2), at timestamp(ms), day date, raw bytes, tags array<string>, note string?}"),
		Odd:   `{"id":"a","price":1.00,"at":"2026-01-02T03:04:05.678Z","day":"2026-01-02","raw":"AQI=","tags":[],"note":"x"}`,
		Why:   "id: ",
	}
}

func TestRegistry(t *testing.T) {
	t.Parallel()
	registeredtest.Run(t, registeredtest.Fake(t), suite())
}

func TestRealRegistry(t *testing.T) {
	t.Parallel()
	registeredtest.Run(t, registeredtest.Real(servers.Registry(t), servers.UniqueName), suite())
}
