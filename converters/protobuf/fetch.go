package protobufconv

import (
	"context"
	"fmt"
	"strings"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record/protobuf"
	"github.com/flowrecords/flow/engine/schema"
)

var _ engine.Fetcher = (*converter)(nil)

// Fetch implements engine.Fetcher: records are messages of the latest version of
// the subject. Each says itself which one of its file it is, so where there are
// several the option message must name one.
func (c *converter) Fetch(ctx context.Context, topic string, key bool) (*schema.Schema, error) {
	r, err := c.Latest(ctx, topic, key)
	if err != nil || r == nil {
		return nil, err
	}
	f, err := parseRegistered(r)
	if err != nil {
		return nil, err
	}
	name := c.config.Message
	if c.given != nil {
		name = "" // it is of the schema that is given
	}
	if name == "" && len(f.Messages) > 1 {
		var names []string
		for _, m := range f.Messages {
			names = append(names, m.Name)
		}
		return nil, fmt.Errorf("the schema %d of the registry has the messages %s: say with the option message which one records are", r.ID, strings.Join(names, ", "))
	}
	m, err := pick(f, name)
	if err != nil {
		return nil, fmt.Errorf("the schema %d of the registry: %w", r.ID, err)
	}
	enc, err := protobuf.NewEncoding(m)
	if err != nil {
		return nil, err
	}
	return enc.Schema(), nil
}
