package jsonschemaconv

import (
	"testing"

	"github.com/flowrecords/flow/converters/internal/registered/registeredtest"
	"github.com/flowrecords/flow/internal/servers"
)

func TestRealRegistry(t *testing.T) {
	t.Parallel()
	r := servers.Registry(t)
	registeredtest.Run(t, registeredtest.Registry{
		URL:    r.URL(),
		Unique: func(t *testing.T) string { return servers.UniqueName(t) },
		Down: func(t *testing.T) {
			if err := r.Kill(); err != nil {
				t.Fatal(err)
			}
		},
		Up: func(t *testing.T) {
			if err := r.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
		},
	}, suite())
}
