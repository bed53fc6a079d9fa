package payload

import (
	"bytes"
	"strconv"

	"github.com/flowrecords/flow/engine/internal/jsontext"
	"github.com/flowrecords/flow/engine/schema"
)

// Walker goes through one value. Its methods take and return a position in the
// text; -1 gives up.
type Walker struct {
	p       *Program
	b       []byte
	dst     []byte
	from    int // what lies in b from here to the position is still to be copied
	deepest int
	d       decoder
	e       encoder
	// typed is what a value is on its way from a payload to the canonical one.
	typed []byte
	// small is room for the bytes of a decimal.
	small [16]byte
}

func (p *Program) walker(b []byte) Walker {
	return Walker{p: p, b: b, d: decoder{Options: p.o}, e: encoder{Options: p.o}}
}

// written takes the text up to i as it is, and leaves out what lies behind it up
// to end, for which the caller writes another text.
func (w *Walker) written(i, end int) {
	w.copy(i)
	w.from = end
}

func (w *Walker) copy(to int) {
	w.dst = append(w.dst, w.b[w.from:to]...)
	w.from = to
}

// Member returns the position behind the name of a member and the colon, the
// comma before it included.
func (w *Walker) Member(m *Member, i int) int {
	if !m.at(w.b, i) {
		return -1
	}
	return i + len(m.name)
}

// Null reports whether a null lies at i.
func (w *Walker) Null(i int) bool { return has(w.b, i, "null") }

// Name reads the name of an entry of a map and the colon. The name is what lies
// between its quotes: it has no escapes that AppendQuoted would not write.
func (w *Walker) Name(i int) (name []byte, end int) {
	end, plain := w.str(i)
	if end < 0 || !has(w.b, end, ":") {
		return nil, -1
	}
	if !plain && !w.writable(i, end) {
		return nil, -1
	}
	return w.b[i+1 : end-1], end + 1
}

// writable reports whether the string at i, which has escapes, is as
// AppendQuoted writes it.
func (w *Walker) writable(i, end int) bool {
	raw := w.b[i:end]
	return w.p.mode == check && bytes.Equal(jsontext.AppendQuoted(nil, jsontext.AppendUnquoted(nil, raw)), raw)
}

// Value reads the value of n at i, which lies in depth arrays and objects, and
// returns the position behind it.
func (w *Walker) Value(n *Node, i, depth int) int {
	b := w.b
	if uint(i) >= uint(len(b)) {
		return -1
	}
	if b[i] == 'n' {
		if n.null && has(b, i, "null") {
			return i + 4
		}
		return w.slow(n, i, depth)
	}
	switch n.op {
	case opString:
		i, _ = w.str(i)
		return i
	case opStruct:
		return w.object(n, i, depth)
	case opInt:
		if n.lo < 0 {
			if end, digits, behind := w.number(i); end >= 0 && behind == 0 && digits <= n.safe && (b[i] != '-' || b[i+1] != '0') {
				return end
			}
		}
		if end, v := w.integer(i); end >= 0 && v >= n.lo && v <= n.hi {
			return end
		}
	case opDecimal:
		if b[i] == '"' && w.p.mode != toPayload {
			return w.decoded(n.Schema, i)
		}
		if end, _ := w.decimal(n.Schema, i); end >= 0 {
			return end
		}
	case opEncoded:
		if b[i] == '"' && w.p.mode != toPayload {
			if end := w.encodedAlready(n, i); end >= 0 {
				return end
			}
		} else if end := w.encoded(n.Schema, i); end >= 0 {
			return end
		}
	case opFloat:
		if end, _, _ := w.number(i); end >= 0 {
			return end
		}
	case opBool:
		if has(b, i, "true") {
			return i + 4
		}
		if has(b, i, "false") {
			return i + 5
		}
	case opText:
		if end, plain := w.str(i); plain && schema.CheckText(n.Schema, b[i+1:end-1]) == nil {
			return end
		}
	case opArray:
		return w.array(n, i, depth)
	case opMap:
		return w.mapping(n, i, depth)
	case opUnion:
		return w.union(n, i, depth)
	case opCount:
		return w.count(n.Schema, i)
	case opClock:
		return w.clock(n.Schema, i)
	case opSlow:
	}
	return w.slow(n, i, depth)
}

// slow has the value read or written in the general way.
func (w *Walker) slow(n *Node, i, depth int) int {
	c := jsontext.At(w.b[i:], depth)
	var err error
	switch w.p.mode {
	case toTyped:
		w.copy(i)
		w.dst, err = w.d.value(w.dst, &c, n.Schema)
	case toPayload:
		w.copy(i)
		w.dst, err = w.e.value(w.dst, &c, n.Schema)
	default:
		if w.typed, err = w.d.value(w.typed[:0], &c, n.Schema); err != nil {
			return -1
		}
		typed := jsontext.At(w.typed, depth)
		begin := len(w.dst)
		if w.p.mode == canonical {
			w.copy(i)
		}
		w.dst, err = w.e.value(w.dst, &typed, n.Schema)
		if w.p.mode == check {
			if err != nil || !has(w.b, i, w.dst[begin:]) || len(w.dst)-begin != c.Offset() {
				return -1
			}
			w.dst = w.dst[:begin]
			return i + c.Offset()
		}
	}
	if err != nil {
		return -1
	}
	w.from = i + c.Offset()
	return w.from
}

func has[T []byte | string](b []byte, i int, what T) bool {
	return len(b)-i >= len(what) && string(b[i:i+len(what)]) == string(what)
}

func (w *Walker) object(n *Node, i, depth int) int {
	b := w.b
	if b[i] != '{' || depth >= w.deepest {
		return -1
	}
	i++
	for k := range n.Members {
		f := &n.Members[k]
		if !f.at(b, i) {
			return -1
		}
		i += len(f.name)
		if f.Node.op == opString && i < len(b) && b[i] == '"' { // the most common one
			i, _ = w.str(i)
		} else {
			i = w.Value(f.Node, i, depth+1)
		}
		if i < 0 {
			return -1
		}
	}
	return w.closing(i, '}')
}

func (w *Walker) closing(i int, c byte) int {
	if i >= len(w.b) || w.b[i] != c {
		return -1
	}
	return i + 1
}

// union reads a union: an object with all branches, of which one is not null.
func (w *Walker) union(n *Node, i, depth int) int {
	if w.b[i] != '{' || depth >= w.deepest {
		return -1
	}
	i++
	count := 0
	for k := range n.Members {
		f := &n.Members[k]
		if i = w.Member(f, i); i < 0 {
			return -1
		}
		if w.Null(i) {
			i += 4
			continue
		}
		if i = w.Value(f.Node, i, depth+1); i < 0 {
			return -1
		}
		count++
	}
	if count != 1 {
		return -1
	}
	return w.closing(i, '}')
}

func (w *Walker) array(n *Node, i, depth int) int {
	b := w.b
	if b[i] != '[' || depth >= w.deepest {
		return -1
	}
	if has(b, i+1, "]") {
		return i + 2
	}
	for {
		if i = w.Value(n.Elem, i+1, depth+1); i < 0 || i >= len(b) {
			return -1
		}
		switch b[i] {
		case ']':
			return i + 1
		case ',':
		default:
			return -1
		}
	}
}

func (w *Walker) mapping(n *Node, i, depth int) int {
	b := w.b
	if b[i] != '{' || depth >= w.deepest {
		return -1
	}
	if has(b, i+1, "}") {
		return i + 2
	}
	for {
		if _, i = w.Name(i + 1); i < 0 { // one with escapes may be written anew
			return -1
		}
		if i = w.Value(n.Elem, i, depth+1); i < 0 || i >= len(b) {
			return -1
		}
		switch b[i] {
		case '}':
			return i + 1
		case ',':
		default:
			return -1
		}
	}
}

// count reads a number that becomes a date or time.
func (w *Walker) count(s *schema.Schema, i int) int {
	end, v := w.integer(i)
	if end < 0 {
		return -1
	}
	w.written(i, end)
	var err error
	if w.dst, err = w.d.count(w.dst, v, s); err != nil {
		return -1
	}
	return end
}

// clock reads a date or time that becomes a number.
func (w *Walker) clock(s *schema.Schema, i int) int {
	end, plain := w.str(i)
	if !plain {
		return -1
	}
	units, ok := unitsOf(w.b[i+1:end-1], s)
	if !ok {
		return -1
	}
	w.written(i, end)
	w.dst = strconv.AppendInt(w.dst, units, 10)
	return end
}
