// Package registered is what the converters share whose schemas are in a
// registry: their options, how a record says which schema it is written with,
// and under which subject a schema is.
//
// A converter embeds Options in its Config and *Client in itself. To read it
// keeps one Reader with what it prepares of each schema; to write it gives
// NewEncoder a Source for each encoding that records come in.
package registered

import (
	"context"
	"time"

	"github.com/flowrecords/flow/connections/registry"
	"github.com/flowrecords/flow/engine"
)

// Options are the options of the registry.
type Options struct {
	Registry engine.ConnectionRef `flow:"registry" system:"registry" doc:"The registry that has the schemas. Records then say which one they are written with." example:"connection.registry.main"`
	Wire     string               `flow:"wire" oneof:"auto prefix header none" doc:"How a record says which schema it is written with: a prefix with the schema's id, a header with its GUID, or not at all. auto is prefix with a registry and none without. Reading takes prefix and header alike."`

	Subject         string `flow:"subject" doc:"Subject under which schemas are when writing. Empty: by subject_strategy." example:"\"orders-value\""`
	SubjectStrategy string `flow:"subject_strategy" oneof:"topic record topic_record" doc:"What the subject is made of: topic is TOPIC-key, TOPIC-value or, in a block header_values, TOPIC-header-NAME, record the full name of the record, topic_record TOPIC-NAME."`
	AutoRegister    bool   `flow:"auto_register" doc:"Registers schemas that the subject does not have yet. Without it they must be there."`
	UseLatest       bool   `flow:"use_latest" doc:"Writes all records with the latest version of the subject."`
	SchemaID        int    `flow:"schema_id" unit:"" min:"0" doc:"Writes all records with the schema of this id. 0: none."`
}

// Defaults is what absent options mean.
func Defaults() Options {
	return Options{Wire: "auto", SubjectStrategy: "topic", AutoRegister: true}
}

// Problems reports every mistake in the options. given and reader say that the
// converter's options schema and reader_schema are set, neither what to do where
// nothing tells a schema.
func (o *Options) Problems(given, reader bool, neither string) []engine.Problem {
	var ps []engine.Problem
	add := func(option, summary, detail string) {
		ps = append(ps, engine.Problem{Option: option, Summary: summary, Detail: detail})
	}
	if o.Registry.Name == "" {
		switch {
		case given:
		case reader:
			add("reader_schema", "reader_schema without a schema", "It is as what records are read; as what they were written tells a registry or the option schema.")
		default:
			add("", "no schema", neither)
		}
		for _, x := range []struct {
			name string
			set  bool
		}{{"wire", o.Wire == Prefix || o.Wire == Header}, {"subject", o.Subject != ""}, {"use_latest", o.UseLatest}, {"schema_id", o.SchemaID != 0}} {
			if x.set {
				add(x.name, x.name+" is for a registry", "Name a registry: registry = connection.registry.NAME.")
			}
		}
	}
	count := 0
	for _, set := range []bool{o.UseLatest, o.SchemaID != 0, given && o.Registry.Name != ""} {
		if set {
			count++
		}
	}
	if count > 1 {
		add("", "several schemas to write", "Records are written with use_latest, with schema_id or with schema. Give one of them, or none to write each record with its own schema.")
	}
	if o.Wire == None && o.Registry.Name != "" && !given && !o.UseLatest && o.SchemaID == 0 {
		add("wire", "records would not say what they are", `With wire = "none" all records are of one schema. Give schema, use_latest or schema_id.`)
	}
	return ps
}

// ValidateHeaders implements engine.HeaderValidator.
func (o *Options) ValidateHeaders() []engine.Problem {
	if o.Wire != Header {
		return nil
	}
	return []engine.Problem{{Option: "wire", Summary: "a header has no headers of its own", Detail: `Use wire = "prefix" in the block header_values.`}}
}

// The values of the option wire, without auto.
const (
	Prefix = "prefix"
	Header = "header"
	None   = "none"
)

// Form is the option wire without auto.
func (o *Options) Form() string {
	switch {
	case o.Wire != "auto":
		return o.Wire
	case o.Registry.Name != "":
		return Prefix
	}
	return None
}

// Client is a converter's way to the registry, which all its working copies
// share. It implements engine.Opener.
type Client struct {
	options Options
	form    string
	now     func() time.Time
	// Conn is the registry; nil without.
	Conn *registry.Connection
	// acquired: Conn must be released. Open and Close, which the engine calls one
	// after the other, write and read it.
	acquired bool
}

// NewClient does no I/O.
func NewClient(o Options, env engine.Env) (*Client, error) {
	c := &Client{options: o, form: o.Form(), now: env.Now}
	if c.now == nil {
		c.now = time.Now
	}
	if o.Registry.Name != "" {
		var err error
		if c.Conn, err = registry.Of(o.Registry); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Form is that of Options.
func (c *Client) Form() string { return c.form }

// Open implements engine.Opener. It asks the registry only where records are
// written with a header and the schema is known by its id: that there is no GUID
// for it is better known before the first record.
func (c *Client) Open(ctx context.Context) error {
	if c.Conn == nil {
		return nil
	}
	if !c.acquired {
		if err := c.Conn.Acquire(); err != nil {
			return err
		}
		c.acquired = true
	}
	if c.form != Header || c.options.SchemaID == 0 {
		return nil
	}
	guid, err := c.Conn.GUID(ctx, c.options.SchemaID)
	if err != nil {
		return err
	}
	_, err = guidHeader(registry.Stored{ID: c.options.SchemaID, GUID: guid})
	return err
}

// Close implements engine.Opener.
func (c *Client) Close(context.Context) error {
	if c.acquired {
		c.acquired = false
		c.Conn.Release()
	}
	return nil
}

// Context returns that of a call; m may be nil.
func Context(m *engine.Meta) context.Context {
	if m != nil && m.Context != nil {
		return m.Context
	}
	return context.Background()
}
