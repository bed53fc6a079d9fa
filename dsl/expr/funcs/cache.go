package funcs

import (
	"strings"
	"sync"
	"sync/atomic"
)

// The bounds of one cache: more different patterns than this in one set of
// expressions are computed ones, which a cache cannot help. Long texts are
// compiled each time, so that a cache holds at most about a megabyte of keys.
const (
	cacheEntries  = 256
	cacheKeyBytes = 4 << 10
)

// cache keeps what was compiled from a text. A hit takes a read lock only.
// When it is full, the entry that was not used since the last round goes: an
// exact least-recently-used order would need a write lock for each hit.
type cache[V any] struct {
	compile func(string) (V, error)

	mu    sync.RWMutex // guards items, ring, hand
	items map[string]*cached[V]
	ring  []*cached[V]
	hand  int
}

type cached[V any] struct {
	key  string
	v    V
	used atomic.Bool
}

func newCache[V any](compile func(string) (V, error)) *cache[V] {
	return &cache[V]{compile: compile, items: map[string]*cached[V]{}}
}

// get returns the compiled form of key. Errors are not kept.
func (c *cache[V]) get(key string) (V, error) {
	c.mu.RLock()
	e := c.items[key]
	c.mu.RUnlock()
	if e != nil {
		// A store on every hit would bounce the line between cores.
		if !e.used.Load() {
			e.used.Store(true)
		}
		return e.v, nil
	}
	// What is compiled may keep the text, which may be a view of a record.
	key = strings.Clone(key)
	v, err := c.compile(key)
	if err == nil && len(key) <= cacheKeyBytes {
		c.put(key, v)
	}
	return v, err
}

func (c *cache[V]) put(key string, v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.items[key] != nil {
		return
	}
	e := &cached[V]{key: key, v: v}
	if len(c.ring) < cacheEntries {
		c.ring = append(c.ring, e)
		c.items[e.key] = e
		return
	}
	for c.ring[c.hand].used.Swap(false) {
		c.hand = (c.hand + 1) % len(c.ring)
	}
	delete(c.items, c.ring[c.hand].key)
	c.ring[c.hand] = e
	c.items[e.key] = e
	c.hand = (c.hand + 1) % len(c.ring)
}
