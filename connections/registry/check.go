package registry

import (
	"context"
	"errors"

	"github.com/twmb/franz-go/pkg/sr"

	"github.com/flowrecords/flow/engine"
)

// Check implements engine.Checker: can each server be reached, and does the
// registry answer to these credentials.
func (c *Connection) Check(ctx context.Context, r *engine.CheckReport) {
	for _, u := range c.config.URLs {
		c.config.ClientConfig.Check(ctx, r, u)
	}
	if err := c.Acquire(); err != nil {
		r.Fail("tls", err.Error(), "Correct the files that the tls block names.")
		return
	}
	defer c.Release()
	var types []sr.SchemaType
	what := "registry"
	err := c.ask(ctx, "asking for the compatibility level", func(ctx context.Context, cl *sr.Client) error {
		return cl.Compatibility(ctx, sr.GlobalSubject)[0].Err
	})
	switch fatal, isFatal := errors.AsType[*engine.FatalError](err); {
	case isFatal:
		r.Fail(what, fatal.Error(), "Correct urls and the credentials of the connection.")
		return
	case errors.Is(err, ErrNotFound):
		// Some registries have no level of their own.
	case err != nil:
		r.Fail(what, err.Error(), "Start the registry, or correct urls.")
		return
	}
	err = c.ask(ctx, "asking for the types of schemas", func(ctx context.Context, cl *sr.Client) (err error) {
		types, err = cl.SupportedTypes(ctx)
		return err
	})
	if err != nil {
		r.OK(what, "it answers")
		return
	}
	names := ""
	for i, t := range types {
		if i > 0 {
			names += ", "
		}
		names += t.String()
	}
	r.OK(what, "it answers and takes schemas of the types %s", names)
}
