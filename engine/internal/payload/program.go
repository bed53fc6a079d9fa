package payload

import (
	"encoding/binary"
	"math"
	"strconv"
	"time"

	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/schema"
)

// Program reads or writes the payloads of one schema at the speed of a scan:
// what is the same before and after is checked and copied in one piece. It knows
// only the usual form: no white space, every field there and in order. For all
// else it gives up, and AppendTyped or Append do what it would have done, or say
// what is wrong. It is immutable and safe for all goroutines.
type Program struct {
	root *Node
	o    Options
	mode mode
}

// mode is what a program is for.
type mode uint8

const (
	toTyped   mode = iota // a payload becomes typed JSON text
	toPayload             // the other way round
	canonical             // a payload becomes the one that Append writes of it
	check                 // a payload must be that
)

type op uint8

const (
	opSlow op = iota // by a decoder or encoder
	opString
	opText // that must pass schema.CheckText
	opBool
	opInt
	opFloat
	opDecimal // as a number, or read from base64
	opEncoded // a decimal that becomes base64, or stays it
	opCount   // a number that becomes a date or time
	opClock   // the other way round
	opArray
	opMap
	opStruct
	opUnion
)

// Node is what a program knows of one type.
type Node struct {
	// Schema is the type.
	Schema *schema.Schema
	// Members are the fields of a struct and, in a payload that stays one, the
	// branches of a union.
	Members []Member
	// Elem is that of an array, and of a map whose keys are strings.
	Elem *Node

	op     op
	null   bool  // a null is one on both sides
	lo, hi int64 // opInt
	safe   int   // opInt: so many digits are never beyond
	most   int64 // opEncoded: the most without its point, and negative the least
}

// Member is a field or branch.
type Member struct {
	Node *Node
	name []byte // with the comma before it and the colon behind
	// words are name, if it is short, and masks the bits of them that count: a
	// call to compare so few bytes would cost as much as all the rest.
	words, masks [2]uint64
}

const wordsBytes = 16

func newMember(name []byte, n *Node) Member {
	m := Member{name: name, Node: n}
	if len(name) <= wordsBytes {
		var text, mask [wordsBytes]byte
		for i := range copy(text[:], name) {
			mask[i] = 0xff
		}
		for i := range m.words {
			m.words[i], m.masks[i] = binary.LittleEndian.Uint64(text[8*i:]), binary.LittleEndian.Uint64(mask[8*i:])
		}
	}
	return m
}

// at reports whether the name lies at b[i].
func (m *Member) at(b []byte, i int) bool {
	if len(m.name) > wordsBytes || len(b)-i < wordsBytes {
		return has(b, i, m.name)
	}
	p := b[i : i+wordsBytes]
	return (binary.LittleEndian.Uint64(p)^m.words[0])&m.masks[0]|(binary.LittleEndian.Uint64(p[8:])^m.words[1])&m.masks[1] == 0
}

// Reader returns the program that does what AppendTyped does.
func Reader(s *schema.Schema, o Options) *Program { return compile(s, o, toTyped) }

// Writer returns the program that does what Append does.
func Writer(s *schema.Schema, o Options) *Program { return compile(s, o, toPayload) }

// Canonical returns the program that does what AppendTyped and then Append do:
// a payload becomes the one that is written.
func Canonical(s *schema.Schema, o Options) *Program { return compile(s, o, canonical) }

// Checker returns the program that takes a payload only as Append writes it, and
// writes nothing: see Walk. A null is one whatever default there is.
func Checker(s *schema.Schema, o Options) *Program {
	o.KeepNulls, o.Lenient = true, false
	return compile(s, o, check)
}

func compile(s *schema.Schema, o Options, m mode) *Program {
	k := compiler{Program: &Program{o: o, mode: m}, made: make(map[*schema.Schema]*Node)}
	k.root = k.node(s)
	return k.Program
}

// Root is the node of the whole.
func (p *Program) Root() *Node { return p.root }

type compiler struct {
	*Program
	made map[*schema.Schema]*Node
}

func (k *compiler) node(s *schema.Schema) *Node {
	if n := k.made[s]; n != nil {
		return n
	}
	n := &Node{Schema: s, null: s.Optional && s.Type != schema.Any && (k.o.KeepNulls || len(s.Default) == 0 || string(s.Default) == "null")}
	k.made[s] = n
	n.op, n.lo, n.hi = opOf(s, &k.o, k.mode)
	switch n.op {
	case opInt:
		n.safe = len(strconv.FormatInt(n.hi, 10)) - 1
	case opEncoded:
		n.most = mostUnscaled(s.Precision)
	case opArray, opMap:
		n.Elem = k.node(s.Elem)
	case opStruct:
		for i := range s.Fields {
			n.Members = append(n.Members, newMember(appendName(nil, s.Fields[i].Name, i == 0), k.node(s.Fields[i].Schema)))
		}
	case opUnion:
		for i := range s.Branches {
			n.Members = append(n.Members, newMember(appendName(nil, s.Branches[i].Name, i == 0), k.node(s.Branches[i].Schema)))
		}
	default:
	}
	return n
}

func opOf(s *schema.Schema, o *Options, m mode) (op, int64, int64) {
	if o.Plain {
		return opSlow, 0, 0
	}
	signed := func(width int) (op, int64, int64) { return opInt, -1 << (width - 1), 1<<(width-1) - 1 }
	switch s.Type {
	case schema.Bool:
		return opBool, 0, 0
	case schema.Int8:
		return signed(8)
	case schema.Int16:
		return signed(16)
	case schema.Int32:
		return signed(32)
	case schema.Int64:
		return signed(64)
	case schema.Uint8:
		return opInt, 0, 1<<8 - 1
	case schema.Uint16:
		return opInt, 0, 1<<16 - 1
	case schema.Uint32:
		return opInt, 0, 1<<32 - 1
	case schema.Float32, schema.Float64:
		return opFloat, 0, 0
	case schema.Decimal:
		switch {
		case s.Scale < 0:
		case m == toTyped || o.Numeric:
			return opDecimal, 0, 0
		default:
			return opEncoded, 0, 0
		}
	case schema.String:
		return opString, 0, 0
	case schema.Bytes, schema.UUID, schema.Enum:
		return opText, 0, 0
	case schema.Date, schema.Time, schema.Timestamp, schema.LocalTimestamp, schema.Duration:
		return opOfClock(s, m)
	case schema.Array:
		return opArray, 0, 0
	case schema.Map:
		if s.Key.Type == schema.String {
			return opMap, 0, 0
		}
	case schema.Struct:
		return opStruct, 0, 0
	case schema.Union:
		if m == canonical || m == check {
			return opUnion, 0, 0
		}
	default:
	}
	return opSlow, 0, 0
}

// opOfClock is opOf dates and times. One that stays a number is one with bounds,
// and one of more than 18 digits is left to the slow way.
func opOfClock(s *schema.Schema, m mode) (op, int64, int64) {
	switch {
	case m == canonical || m == check:
	case s.Type == schema.Duration:
		return opSlow, 0, 0
	case m == toTyped:
		return opCount, 0, 0
	default:
		return opClock, 0, 0
	}
	switch s.Type {
	case schema.Date:
		return opInt, math.MinInt32, math.MaxInt32
	case schema.Time:
		return opInt, 0, 86400 * s.Unit.PerSecond()
	case schema.Duration:
		hi := math.MaxInt64 / (int64(time.Second) / s.Unit.PerSecond())
		return opInt, -hi, hi
	default:
		if s.Unit == schema.Second { // the one with which 18 digits are beyond all years
			return opSlow, 0, 0
		}
		return opInt, -(1e18 - 1), 1e18 - 1
	}
}

// programBytes and programDepth bound what a program converts; beyond it is not
// the usual.
const (
	programBytes = 1 << 20
	programDepth = 60
)

// Append appends what the value at the beginning of text becomes and returns
// how long it is. After false dst is as it was. depth is in how many objects
// text lies.
func (p *Program) Append(dst, text []byte, depth int) ([]byte, int, bool) {
	if len(text) > programBytes {
		return dst, 0, false
	}
	w := p.walker(text)
	w.dst, w.deepest = dst, programDepth
	w.d.begin, w.e.begin = len(dst), len(dst)
	i := w.Value(p.root, 0, depth)
	if i < 0 {
		return dst, 0, false
	}
	w.copy(i)
	return w.dst, i, true
}

// Walk returns a Walker over b, a payload of a Checker.
func (p *Program) Walk(b []byte) Walker {
	w := p.walker(b)
	w.deepest = limits.JSONDepth
	return w
}
