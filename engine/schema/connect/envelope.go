package connect

import (
	"bytes"
	"sync"
	"sync/atomic"

	"github.com/flowrecords/flow/engine/internal/jsontext"
	"github.com/flowrecords/flow/engine/internal/payload"
	"github.com/flowrecords/flow/engine/schema"
)

// AppendEnvelope appends an envelope of a node that AppendSchema wrote and a
// payload; node empty: a payload without a schema.
func AppendEnvelope(dst, node, payload []byte) []byte {
	if len(node) == 0 {
		node = []byte("null")
	}
	dst = append(append(dst, `{"schema":`...), node...)
	dst = append(append(dst, `,"payload":`...), payload...)
	return append(dst, '}')
}

// errEnvelope is the first error that most people meet with Connect.
var errEnvelope = &schema.Error{Msg: `no envelope of Kafka Connect: an object with exactly "schema" and "payload" is expected; for plain JSON switch the envelope off`}

// Split returns the two parts of an envelope, node nil where it is null.
func Split(text []byte) (node, payload []byte, err error) {
	c := jsontext.New(text)
	if c.Peek() != '{' {
		if err := c.Skip(); err != nil {
			return nil, nil, err
		}
		return nil, nil, errEnvelope
	}
	other := false
	err = c.Object(func(name []byte) (err error) {
		switch string(name) {
		case "schema":
			node, err = c.Raw()
		case "payload":
			payload, err = c.Raw()
		default:
			other = true
			err = c.Skip()
		}
		return err
	})
	if err == nil {
		err = c.End()
	}
	switch {
	case err != nil:
		return nil, nil, err
	case other || node == nil || payload == nil:
		return nil, nil, errEnvelope
	case string(node) == "null":
		node = nil
	}
	return node, payload, nil
}

// Bounds of a Cache: a pipeline that reads more schemas than these at a time
// parses them again.
const (
	cacheSchemas = 1000
	cacheBytes   = 32 << 20
	// Openings are compared one by one.
	cacheOpenings = 8
)

// Cache remembers the schemas of envelopes: equal ones are one pointer. The
// zero Cache is empty and ready, and safe for all goroutines.
type Cache struct {
	// recent are the openings met last, the newest first; never changed.
	recent atomic.Pointer[[]*opening]

	mu     sync.RWMutex // guards what follows
	byText map[string]*schema.Schema
	equal  map[schema.Fingerprint]*schema.Schema
	bytes  int
	fast   map[reading]*payload.Program
}

// reading is what a program is made for.
type reading struct {
	s *schema.Schema
	o Options
	// rewrite: the payload becomes another one, not typed JSON text.
	rewrite bool
}

// opening is how an envelope begins, up to its payload. Those of one topic
// mostly begin alike, and then it need not be read.
type opening struct {
	reading
	text []byte
	fast *payload.Program
}

// Schema returns the schema of a node.
func (k *Cache) Schema(node []byte) (*schema.Schema, error) {
	k.mu.RLock()
	s := k.byText[string(node)]
	k.mu.RUnlock()
	if s != nil {
		return s, nil
	}
	s, err := ParseSchema(node)
	if err != nil {
		return nil, err
	}
	f := s.Fingerprint()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.byText == nil || len(k.byText) >= cacheSchemas || k.bytes+len(node) > cacheBytes {
		k.byText = make(map[string]*schema.Schema)
		k.equal = make(map[schema.Fingerprint]*schema.Schema)
		k.bytes = 0
	}
	if old := k.equal[f]; old != nil {
		s = old
	}
	k.equal[f] = s
	k.byText[string(node)] = s
	k.bytes += len(node)
	return s, nil
}

// Decode appends the payload of an envelope as typed JSON text and returns its
// schema. A payload without a schema is appended as it is, and the schema nil.
func (k *Cache) Decode(dst, text []byte, o Options) ([]byte, *schema.Schema, error) {
	return k.decode(dst, text, reading{o: o})
}

// Rewrite appends the payload of an envelope as a Rewriter does and returns its
// schema. A payload without a schema is appended as it is, and the schema nil.
func (k *Cache) Rewrite(dst, text []byte, o Options) ([]byte, *schema.Schema, error) {
	return k.decode(dst, text, reading{o: o, rewrite: true})
}

// decode does what how says, but for the schema, which the text does.
func (k *Cache) decode(dst, text []byte, how reading) ([]byte, *schema.Schema, error) {
	for _, l := range k.openings() {
		if l.o != how.o || l.rewrite != how.rewrite || !bytes.HasPrefix(text, l.text) {
			continue
		}
		if out, n, ok := l.fast.Append(dst, text[len(l.text):], 1); ok && len(text) == len(l.text)+n+1 && text[len(text)-1] == '}' {
			return out, l.s, nil
		}
		typed, n, err := payload.AppendTypedPart(nil, text[len(l.text):], l.s, l.o.inner())
		if err == nil && string(text[len(l.text)+n:]) == "}" {
			return l.finish(dst, typed)
		}
		break // something else: let the long way tell
	}
	node, value, err := Split(text)
	if err != nil {
		return dst, nil, err
	}
	if node == nil {
		return jsontext.AppendCompact(dst, value), nil, nil
	}
	if how.s, err = k.Schema(node); err != nil {
		return dst, nil, err
	}
	fast := k.program(how)
	k.meet(text, node, how, fast)
	if out, n, ok := fast.Append(dst, value, 1); ok && n == len(value) {
		return out, how.s, nil
	}
	typed, err := AppendTyped(nil, value, how.s, how.o)
	if err != nil {
		return dst, how.s, err
	}
	return how.finish(dst, typed)
}

// finish appends what typed text becomes.
func (r reading) finish(dst, typed []byte) ([]byte, *schema.Schema, error) {
	if !r.rewrite {
		return append(dst, typed...), r.s, nil
	}
	dst, err := AppendPayload(dst, typed, r.s, r.o)
	return dst, r.s, err
}

// program returns that of a schema of this cache.
func (k *Cache) program(how reading) *payload.Program {
	k.mu.RLock()
	p := k.fast[how]
	k.mu.RUnlock()
	if p != nil {
		return p
	}
	if p = payload.Reader(how.s, how.o.inner()); how.rewrite {
		p = payload.Canonical(how.s, how.o.inner())
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fast == nil || len(k.fast) >= cacheSchemas {
		k.fast = make(map[reading]*payload.Program)
	}
	k.fast[how] = p
	return p
}

func (k *Cache) openings() []*opening {
	if list := k.recent.Load(); list != nil {
		return *list
	}
	return nil
}

// meet remembers how text begins, unless it is known.
func (k *Cache) meet(text, node []byte, how reading, fast *payload.Program) {
	head := AppendEnvelope(nil, node, nil)
	head = head[:len(head)-1]
	if !bytes.HasPrefix(text, head) {
		return
	}
	list := []*opening{nil}
	for _, l := range k.openings() {
		switch {
		case l.o == how.o && l.rewrite == how.rewrite && bytes.Equal(l.text, head):
			return
		case len(list) < cacheOpenings:
			list = append(list, l)
		}
	}
	list[0] = &opening{reading: how, text: head, fast: fast}
	k.recent.Store(&list)
}
