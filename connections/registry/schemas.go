package registry

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/sr"

	"github.com/flowrecords/flow/engine"
)

// Bounds of what schemas may refer to.
const (
	maxReferences     = 500
	maxReferenceDepth = 30
)

// ByID returns the schema of an id. Once read it needs no registry any more. An
// id that the registry does not know is ErrNotFound; a *engine.RetryError says
// that it is away.
func (c *Connection) ByID(ctx context.Context, id int) (*Schema, error) {
	key := strconv.Itoa(id)
	return c.stored(ctx, key, func() (*Schema, error) {
		var s sr.SubjectSchema // the client's own SchemaByID drops the GUID
		err := c.ask(ctx, fmt.Sprintf("asking the registry for the schema %d", id), func(ctx context.Context, cl *sr.Client) error {
			return cl.Do(ctx, http.MethodGet, "/schemas/ids/"+key, nil, &s)
		})
		if err != nil {
			return nil, err
		}
		out := fromSR(s.Schema)
		out.ID, out.GUID = id, s.GUID
		return out, c.resolve(ctx, out)
	})
}

// GUID returns the GUID of the schema of an id; empty if the registry tells
// none. Some tell it with the schema, others only with a version that has it.
func (c *Connection) GUID(ctx context.Context, id int) (string, error) {
	s, err := c.ByID(ctx, id)
	if err != nil || s.GUID != "" {
		return s.guid(), err
	}
	var versions []sr.SubjectVersion
	err = c.ask(ctx, fmt.Sprintf("asking the registry for the versions with the schema %d", id), func(ctx context.Context, cl *sr.Client) (err error) {
		versions, err = cl.SchemaVersionsByID(ctx, id)
		return err
	})
	if refused, ok := errors.AsType[*Error](err); ok && refused.Status == http.StatusNotFound {
		return "", nil // it is too old to know this question, or has no such version
	}
	if err != nil || len(versions) == 0 {
		return "", err
	}
	s, err = c.Version(ctx, versions[0].Subject, versions[0].Version)
	return s.guid(), err
}

func (s *Schema) guid() string {
	if s == nil {
		return ""
	}
	return s.GUID
}

// ByGUID returns the schema of a GUID, in the form of a UUID, as ByID does.
func (c *Connection) ByGUID(ctx context.Context, guid string) (*Schema, error) {
	return c.stored(ctx, guid, func() (*Schema, error) {
		var s sr.SubjectSchema
		err := c.ask(ctx, "asking the registry for the schema "+guid, func(ctx context.Context, cl *sr.Client) (err error) {
			s, err = cl.SchemaByGUID(ctx, guid)
			return err
		})
		if err != nil {
			return nil, err
		}
		out := fromSR(s.Schema)
		out.ID, out.GUID = s.ID, guid
		return out, c.resolve(ctx, out)
	})
}

// stored returns what the cache has of an id, or asks.
func (c *Connection) stored(ctx context.Context, key string, ask func() (*Schema, error)) (*Schema, error) {
	if e, ok := c.ids.get(key); ok {
		if e.missing == nil {
			return e.v, nil
		}
		if c.env.Now().Sub(e.at) < c.config.MissingTTL {
			return nil, e.missing
		}
	}
	v, err := c.calls.once(ctx, "id "+key, func() (any, error) {
		if e, ok := c.ids.get(key); ok && e.missing == nil {
			return e.v, nil // somebody else was faster
		}
		s, err := ask()
		switch {
		case err == nil:
			c.ids.put(key, entry[*Schema]{v: s})
		case errors.Is(err, ErrNotFound):
			c.ids.put(key, entry[*Schema]{missing: err, at: c.env.Now()})
		}
		return s, err
	})
	if err != nil {
		return nil, err
	}
	return v.(*Schema), nil
}

// Latest returns the latest version of a subject, which is looked up again
// after the option latest_ttl. While the registry is away, what was the latest
// stays it.
func (c *Connection) Latest(ctx context.Context, subject string) (*Schema, error) {
	e, known := c.latest.get(subject)
	if known && c.env.Now().Sub(e.at) < c.config.LatestTTL {
		return e.v, nil
	}
	v, err := c.calls.once(ctx, "latest "+subject, func() (any, error) { return c.version(ctx, subject, -1) })
	if err != nil {
		if _, away := errors.AsType[*engine.RetryError](err); away && known {
			// It is asked again in a while, not for each record.
			c.latest.put(subject, entry[*Schema]{v: e.v, at: c.env.Now().Add(c.config.RetryWait*10 - c.config.LatestTTL)})
			return e.v, nil
		}
		return nil, err
	}
	s := v.(*Schema)
	c.latest.put(subject, entry[*Schema]{v: s, at: c.env.Now()})
	return s, nil
}

// Version returns one version of a subject, as ByID does.
func (c *Connection) Version(ctx context.Context, subject string, version int) (*Schema, error) {
	return c.stored(ctx, strconv.Itoa(version)+" of "+subject, func() (*Schema, error) { return c.version(ctx, subject, version) })
}

func (c *Connection) version(ctx context.Context, subject string, version int) (*Schema, error) {
	name := "version " + strconv.Itoa(version)
	if version < 0 {
		name = "the latest version"
	}
	var s sr.SubjectSchema
	err := c.ask(ctx, fmt.Sprintf("asking the registry for %s of the subject %s", name, subject), func(ctx context.Context, cl *sr.Client) (err error) {
		s, err = cl.SchemaByVersion(ctx, subject, version)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := fromSR(s.Schema)
	out.ID, out.GUID, out.Subject, out.Version = s.ID, s.GUID, subject, s.Version
	return out, c.resolve(ctx, out)
}

// Stored is how a schema is called in the registry.
type Stored struct {
	ID int
	// GUID in the form of a UUID; empty if the registry tells none.
	GUID string
	// Version within the subject; 0 from Register, which is not told it.
	Version int
}

// Register makes a schema the next version of a subject, unless it is one
// already. It asks once for each subject and text.
func (c *Connection) Register(ctx context.Context, subject string, t Text) (Stored, error) {
	return c.id(ctx, "register", subject, t, func() (Stored, error) {
		var s struct {
			ID   int    `json:"id"`
			GUID string `json:"guid"`
		}
		err := c.ask(ctx, "registering a schema under the subject "+subject, func(ctx context.Context, cl *sr.Client) error {
			return cl.Do(ctx, http.MethodPost, "/subjects/"+url.PathEscape(subject)+"/versions", toSR(t), &s)
		})
		return Stored{ID: s.ID, GUID: s.GUID}, err
	})
}

// Lookup finds a schema that is a version of a subject already; ErrNotFound if
// it is none.
func (c *Connection) Lookup(ctx context.Context, subject string, t Text) (Stored, error) {
	return c.id(ctx, "look up", subject, t, func() (Stored, error) {
		var s sr.SubjectSchema
		err := c.ask(ctx, "looking a schema up under the subject "+subject, func(ctx context.Context, cl *sr.Client) (err error) {
			s, err = cl.LookupSchema(ctx, subject, toSR(t))
			return err
		})
		return Stored{ID: s.ID, GUID: s.GUID, Version: s.Version}, err
	})
}

func (c *Connection) id(ctx context.Context, doing, subject string, t Text, ask func() (Stored, error)) (Stored, error) {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q %q %+v", doing, subject, t.Type, t.Text, t.References)
	key := string(h.Sum(nil))
	if e, ok := c.written.get(key); ok {
		return e.v, nil
	}
	v, err := c.calls.once(ctx, key, func() (any, error) {
		if e, ok := c.written.get(key); ok {
			return e.v, nil // somebody else was faster
		}
		s, err := ask()
		if err == nil {
			c.written.put(key, entry[Stored]{v: s})
		}
		return s, err
	})
	if err != nil {
		return Stored{}, err
	}
	return v.(Stored), nil
}

// Compatible asks whether a schema may become the next version of a subject,
// and if not, why. A subject that does not exist takes any.
func (c *Connection) Compatible(ctx context.Context, subject string, t Text) (ok bool, reasons []string, err error) {
	var r sr.CheckCompatibilityResult
	err = c.ask(ctx, "asking whether a schema fits the subject "+subject, func(ctx context.Context, cl *sr.Client) (err error) {
		r, err = cl.CheckCompatibility(sr.WithParams(ctx, sr.Verbose), subject, -1, toSR(t))
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return true, nil, nil
	}
	return r.Is, r.Messages, err
}

// resolve reads what a schema refers to.
func (c *Connection) resolve(ctx context.Context, s *Schema) error {
	r := resolver{c: c, seen: map[string]bool{}}
	if err := r.references(ctx, s.References, 0); err != nil {
		return err
	}
	s.Uses = r.uses
	return nil
}

type resolver struct {
	c    *Connection
	seen map[string]bool
	uses []Used
}

func (r *resolver) references(ctx context.Context, refs []Reference, depth int) error {
	if depth > maxReferenceDepth {
		return fmt.Errorf("references of schemas are nested deeper than %d", maxReferenceDepth)
	}
	for _, ref := range refs {
		key := ref.Name + "\x00" + ref.Subject + "\x00" + strconv.Itoa(ref.Version)
		if r.seen[key] {
			continue
		}
		r.seen[key] = true
		if len(r.seen) > maxReferences {
			return fmt.Errorf("a schema refers to more than %d others", maxReferences)
		}
		s, err := r.c.referenced(ctx, ref)
		if err != nil {
			return fmt.Errorf("reference %s: %w", ref.Name, err)
		}
		if err := r.references(ctx, s.References, depth+1); err != nil {
			return err
		}
		r.uses = append(r.uses, Used{Reference: ref, Schema: s})
	}
	return nil
}

// referenced reads a schema without what it refers to.
func (c *Connection) referenced(ctx context.Context, ref Reference) (*Schema, error) {
	key := "reference " + strconv.Itoa(ref.Version) + " of " + ref.Subject
	if e, ok := c.ids.get(key); ok && e.missing == nil {
		return e.v, nil
	}
	var s sr.SubjectSchema
	err := c.ask(ctx, fmt.Sprintf("asking the registry for version %d of the subject %s", ref.Version, ref.Subject), func(ctx context.Context, cl *sr.Client) (err error) {
		s, err = cl.SchemaByVersion(ctx, ref.Subject, ref.Version)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := fromSR(s.Schema)
	out.ID, out.Subject, out.Version = s.ID, ref.Subject, s.Version
	c.ids.put(key, entry[*Schema]{v: out})
	return out, nil
}

func fromSR(s sr.Schema) *Schema {
	out := &Schema{Text: Text{Type: s.Type.String(), Text: s.Schema}}
	for _, r := range s.References {
		out.References = append(out.References, Reference{Name: r.Name, Subject: r.Subject, Version: r.Version})
	}
	return out
}

func toSR(t Text) sr.Schema {
	s := sr.Schema{Schema: t.Text}
	switch strings.ToUpper(t.Type) {
	case Protobuf:
		s.Type = sr.TypeProtobuf
	case JSON:
		s.Type = sr.TypeJSON
	}
	for _, r := range t.References {
		s.References = append(s.References, sr.SchemaReference{Name: r.Name, Subject: r.Subject, Version: r.Version})
	}
	return s
}
