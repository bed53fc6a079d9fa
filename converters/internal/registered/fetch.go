package registered

import (
	"context"
	"fmt"

	"github.com/flowrecords/flow/connections/registry"
)

// Latest asks for the latest version of the subject of the keys or values of a
// topic; nil without a registry. It needs no Open.
func (c *Client) Latest(ctx context.Context, topic string, key bool) (*registry.Schema, error) {
	if c.Conn == nil {
		return nil, nil
	}
	if err := c.Conn.Acquire(); err != nil {
		return nil, err
	}
	defer c.Conn.Release()
	switch {
	case c.options.SchemaID != 0:
		return c.Conn.ByID(ctx, c.options.SchemaID)
	case c.options.Subject != "":
		return c.Conn.Latest(ctx, c.options.Subject)
	case c.options.SubjectStrategy != "topic":
		return nil, fmt.Errorf("with subject_strategy = %q only a record tells its subject: give the option subject", c.options.SubjectStrategy)
	case topic == "":
		return nil, fmt.Errorf("the topic is not known before a run: give the option subject")
	case key:
		return c.Conn.Latest(ctx, topic+"-key")
	}
	return c.Conn.Latest(ctx, topic+"-value")
}

// FromRegistry reports that the registry says with which schema records are
// written, whatever the option schema says.
func (c *Client) FromRegistry() bool { return c.options.UseLatest || c.options.SchemaID != 0 }
