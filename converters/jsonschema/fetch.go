package jsonschemaconv

import (
	"context"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// Fetch implements engine.Fetcher: records are what the latest version of the
// subject decodes to.
func (c *converter) Fetch(ctx context.Context, topic string, key bool) (*schema.Schema, error) {
	r, err := c.Latest(ctx, topic, key)
	if err != nil || r == nil {
		return nil, err
	}
	k, err := c.prepare(r)
	if err != nil {
		return nil, err
	}
	return record.SchemaOf(k.decoded), nil
}
