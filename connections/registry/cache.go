package registry

import (
	"context"
	"sync"
	"time"
)

// cache keeps what the registry has said, by key. The oldest entries give way.
type cache[V any] struct {
	most int

	mu      sync.Mutex // guards the following
	entries map[string]entry[V]
	order   []string // keys in the order in which they came
}

type entry[V any] struct {
	v V
	// missing is the answer that there is none.
	missing error
	at      time.Time
}

func (c *cache[V]) get(key string) (entry[V], bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[key]
	return e, ok
}

func (c *cache[V]) put(key string, e entry[V]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil {
		c.entries = map[string]entry[V]{}
	}
	if _, there := c.entries[key]; !there {
		for len(c.order) >= c.most {
			delete(c.entries, c.order[0])
			c.order = c.order[1:]
		}
		c.order = append(c.order, key)
	}
	c.entries[key] = e
}

// calls lets those who want the same thing at the same time wait for one
// request.
type calls struct {
	mu      sync.Mutex // guards running
	running map[string]*call
}

type call struct {
	done chan struct{}
	v    any
	err  error
}

// once runs do, or waits for somebody who runs it. Who waits stops at the end
// of his own context.
func (c *calls) once(ctx context.Context, key string, do func() (any, error)) (any, error) {
	for {
		c.mu.Lock()
		if c.running == nil {
			c.running = map[string]*call{}
		}
		other := c.running[key]
		if other == nil {
			mine := &call{done: make(chan struct{})}
			c.running[key] = mine
			c.mu.Unlock()
			defer func() {
				c.mu.Lock()
				delete(c.running, key)
				c.mu.Unlock()
				close(mine.done)
			}()
			mine.v, mine.err = do()
			return mine.v, mine.err
		}
		c.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-other.done:
			if other.err == nil {
				return other.v, nil
			}
			// The other one may have failed for a reason of his own, such as
			// the end of his context.
		}
	}
}

// models says of which schema of the registry a model was read, for those who
// write what others have read.
type models struct {
	mu sync.Mutex // guards of
	of map[any]*Schema
}

// Note keeps that a model, such as a *schema.Schema, was read from a schema of
// the registry. Who writes records of that very model can then use the
// registered text as it is, whichever converter has read them.
func (c *Connection) Note(model any, s *Schema) {
	c.models.mu.Lock()
	defer c.models.mu.Unlock()
	if c.models.of == nil || len(c.models.of) >= c.config.CacheSchemas {
		c.models.of = map[any]*Schema{}
	}
	c.models.of[model] = s
}

// Noted returns what Note was given for the model; nil: nothing.
func (c *Connection) Noted(model any) *Schema {
	c.models.mu.Lock()
	defer c.models.mu.Unlock()
	return c.models.of[model]
}
