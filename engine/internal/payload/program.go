package payload

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"math"
	"math/bits"
	"strconv"
	"unicode/utf8"

	"github.com/flowrecords/flow/engine/internal/jsontext"
	"github.com/flowrecords/flow/engine/schema"
)

// Program reads or writes the payloads of one schema at the speed of a scan:
// what is the same in a payload and in typed JSON text is checked and copied in
// one piece. It knows only the usual form: no white space, every field there and
// in order. For all else it gives up, and AppendTyped or Append do what it would
// have done, or say what is wrong. It is immutable and safe for all goroutines.
type Program struct {
	root   *node
	o      Options
	decode bool
}

type op uint8

const (
	opSlow op = iota // by a decoder or encoder
	opString
	opText // that must pass schema.CheckText
	opBool
	opInt
	opFloat
	opDecimal // as a number, or read from base64
	opEncoded // a decimal that becomes base64
	opCount   // a number that becomes a date or time
	opClock   // the other way round
	opArray
	opMap
	opStruct
)

// node is what the program knows of one type.
type node struct {
	op     op
	null   bool // a null is one on both sides
	s      *schema.Schema
	lo, hi int64 // opInt
	safe   int   // opInt: so many digits are never beyond
	fields []member
	elem   *node
}

type member struct {
	name []byte // with the comma before it and the colon behind
	node *node
	// words are name, if it is short, and masks the bits of them that count: a
	// call to compare so few bytes would cost as much as all the rest.
	words, masks [2]uint64
}

const wordsBytes = 16

func newMember(name []byte, n *node) member {
	m := member{name: name, node: n}
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
func (m *member) at(b []byte, i int) bool {
	if len(m.name) > wordsBytes || len(b)-i < wordsBytes {
		return has(b, i, m.name)
	}
	p := b[i : i+wordsBytes]
	return (binary.LittleEndian.Uint64(p)^m.words[0])&m.masks[0]|(binary.LittleEndian.Uint64(p[8:])^m.words[1])&m.masks[1] == 0
}

// Reader returns the program that does what AppendTyped does.
func Reader(s *schema.Schema, o Options) *Program { return compile(s, o, true) }

// Writer returns the program that does what Append does.
func Writer(s *schema.Schema, o Options) *Program { return compile(s, o, false) }

func compile(s *schema.Schema, o Options, decode bool) *Program {
	k := compiler{Program: &Program{o: o, decode: decode}, made: make(map[*schema.Schema]*node)}
	k.root = k.node(s)
	return k.Program
}

type compiler struct {
	*Program
	made map[*schema.Schema]*node
}

func (k *compiler) node(s *schema.Schema) *node {
	if n := k.made[s]; n != nil {
		return n
	}
	n := &node{s: s, null: s.Optional && (len(s.Default) == 0 || string(s.Default) == "null") && s.Type != schema.Any}
	k.made[s] = n
	n.op, n.lo, n.hi = opOf(s, &k.o, k.decode)
	switch n.op {
	case opInt:
		n.safe = len(strconv.FormatInt(n.hi, 10)) - 1
	case opArray, opMap:
		n.elem = k.node(s.Elem)
	case opStruct:
		for i := range s.Fields {
			n.fields = append(n.fields, newMember(appendName(nil, s.Fields[i].Name, i == 0), k.node(s.Fields[i].Schema)))
		}
	default:
	}
	return n
}

func opOf(s *schema.Schema, o *Options, decode bool) (op, int64, int64) {
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
		case decode || o.Numeric:
			return opDecimal, 0, 0
		default:
			return opEncoded, 0, 0
		}
	case schema.String:
		return opString, 0, 0
	case schema.Bytes, schema.UUID, schema.Enum:
		return opText, 0, 0
	case schema.Date, schema.Time, schema.Timestamp, schema.LocalTimestamp:
		if decode {
			return opCount, 0, 0
		}
		return opClock, 0, 0
	case schema.Array:
		return opArray, 0, 0
	case schema.Map:
		if s.Key.Type == schema.String {
			return opMap, 0, 0
		}
	case schema.Struct:
		return opStruct, 0, 0
	default:
	}
	return opSlow, 0, 0
}

// programBytes and programDepth bound what a program reads; beyond it is not
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
	w := walker{p: p, b: text, dst: dst}
	w.d = decoder{Options: p.o, begin: len(dst)}
	w.e = encoder{Options: p.o, begin: len(dst)}
	i := w.value(p.root, 0, depth)
	if i < 0 {
		return dst, 0, false
	}
	w.copy(i)
	return w.dst, i, true
}

// walker goes through one value. Its methods take and return a position in b;
// -1 gives up.
type walker struct {
	p    *Program
	b    []byte
	dst  []byte
	from int // what lies in b from here to the position is still to be copied
	d    decoder
	e    encoder
	// small is room for the bytes of a decimal.
	small [16]byte
}

func (w *walker) copy(to int) {
	w.dst = append(w.dst, w.b[w.from:to]...)
	w.from = to
}

func (w *walker) value(n *node, i, depth int) int {
	b := w.b
	if i >= len(b) || depth > programDepth {
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
		end, v := w.integer(i)
		if end < 0 || v < n.lo || v > n.hi {
			return w.slow(n, i, depth)
		}
		return end
	case opDecimal:
		if b[i] == '"' && w.p.decode {
			i = w.decoded(n.s, i)
			return i
		}
		if end, _ := w.decimal(n.s, i); end >= 0 {
			return end
		}
	case opFloat:
		if end := w.float(i); end >= 0 {
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
		if end, plain := w.str(i); plain && schema.CheckText(n.s, b[i+1:end-1]) == nil {
			return end
		}
	case opArray:
		return w.array(n, i, depth)
	case opMap:
		return w.mapping(n, i, depth)
	case opCount:
		if end, v := w.integer(i); end >= 0 {
			w.copy(i)
			w.from = end
			var err error
			if w.dst, err = w.d.count(w.dst, v, n.s); err == nil {
				return end
			}
		}
		return -1
	case opClock:
		end, plain := w.str(i)
		if !plain {
			return -1
		}
		units, ok := unitsOf(b[i+1:end-1], n.s)
		if !ok {
			return -1
		}
		w.copy(i)
		w.from = end
		w.dst = strconv.AppendInt(w.dst, units, 10)
		return end
	case opEncoded:
		if end := w.encoded(n.s, i); end >= 0 {
			return end
		}
	case opSlow:
	}
	return w.slow(n, i, depth)
}

// slow has the value read or written in the general way.
func (w *walker) slow(n *node, i, depth int) int {
	w.copy(i)
	c := jsontext.At(w.b[i:], depth)
	var err error
	if w.p.decode {
		w.dst, err = w.d.value(w.dst, &c, n.s)
	} else {
		w.dst, err = w.e.value(w.dst, &c, n.s)
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

func (w *walker) object(n *node, i, depth int) int {
	b := w.b
	if b[i] != '{' {
		return -1
	}
	i++
	for k := range n.fields {
		f := &n.fields[k]
		if !f.at(b, i) {
			return -1
		}
		i += len(f.name)
		if f.node.op == opString && i < len(b) && b[i] == '"' { // the most common one
			i, _ = w.str(i)
		} else {
			i = w.value(f.node, i, depth+1)
		}
		if i < 0 {
			return -1
		}
	}
	if i >= len(b) || b[i] != '}' {
		return -1
	}
	return i + 1
}

func (w *walker) array(n *node, i, depth int) int {
	b := w.b
	if !has(b, i, "[") {
		return -1
	}
	if has(b, i+1, "]") {
		return i + 2
	}
	for {
		if i = w.value(n.elem, i+1, depth+1); i < 0 || i >= len(b) {
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

func (w *walker) mapping(n *node, i, depth int) int {
	b := w.b
	if !has(b, i, "{") {
		return -1
	}
	if has(b, i+1, "}") {
		return i + 2
	}
	for {
		end, plain := w.str(i + 1)
		if !plain || !has(b, end, ":") { // a name with escapes is written anew
			return -1
		}
		if i = w.value(n.elem, end+1, depth+1); i < 0 || i >= len(b) {
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

// str reads a string. plain: it has no escapes.
func (w *walker) str(i int) (end int, plain bool) {
	const (
		ones = 0x0101010101010101
		high = 0x8080808080808080
	)
	b := w.b
	if i >= len(b) || b[i] != '"' {
		return -1, false
	}
	for j := i + 1; j < len(b); {
		if len(b)-j >= 8 {
			x := binary.LittleEndian.Uint64(b[j:])
			quote, back := x^(ones*'"'), x^(ones*'\\')
			m := ((quote-ones)&^quote | (back-ones)&^back | (x-ones*' ')&^x | x) & high
			if m == 0 {
				j += 8
				continue
			}
			j += bits.TrailingZeros64(m) / 8
		}
		switch ch := b[j]; {
		case ch == '"':
			return j + 1, true
		case ch >= utf8.RuneSelf:
			wide := j
			for j++; j < len(b) && b[j] >= utf8.RuneSelf; j++ {
			}
			if !utf8.Valid(b[wide:j]) {
				return -1, false
			}
		case ch == '\\' || ch < ' ':
			c := jsontext.New(b[i:])
			if _, _, err := c.RawString(); err != nil {
				return -1, false
			}
			return i + c.Offset(), false
		default:
			j++
		}
	}
	return -1, false
}

// integer reads an integer of at most 18 digits that ends there.
func (w *walker) integer(i int) (end int, v int64) {
	b := w.b
	negative := b[i] == '-'
	if negative {
		i++
	}
	first := i
	for i < len(b) && b[i]-'0' <= 9 {
		v = v*10 + int64(b[i]-'0')
		i++
	}
	if n := i - first; n == 0 || n > 18 || b[first] == '0' && (n > 1 || negative) || i < len(b) && (b[i] == '.' || b[i]|0x20 == 'e') {
		return -1, 0
	}
	if negative {
		v = -v
	}
	return i, v
}

// maxDigits is how many digits a number may have that is neither beyond a
// float32 nor a decimal that is rare.
const maxDigits = 30

// number reads a number without exponent. behind is how many digits are behind
// the point.
func (w *walker) number(i int) (end, digits, behind int) {
	b := w.b
	if b[i] == '-' {
		i++
	}
	first := i
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	if digits = i - first; digits == 0 || b[first] == '0' && digits > 1 {
		return -1, 0, 0
	}
	if i < len(b) && b[i] == '.' {
		i++
		point := i
		for i < len(b) && b[i]-'0' <= 9 {
			i++
		}
		if behind = i - point; behind == 0 {
			return -1, 0, 0
		}
	}
	if digits += behind; digits > maxDigits || i < len(b) && b[i]|0x20 == 'e' {
		return -1, 0, 0
	}
	return i, digits, behind
}

func (w *walker) float(i int) int {
	end, _, _ := w.number(i)
	return end
}

// decimal reads a number that has the digits of s, as flow writes it.
func (w *walker) decimal(s *schema.Schema, i int) (end, digits int) {
	end, digits, behind := w.number(i)
	if end < 0 || behind != s.Scale || s.Precision > 0 && digits > s.Precision {
		return -1, 0
	}
	if w.b[i] == '-' && !bytes.ContainsAny(w.b[i:end], "123456789") {
		return -1, 0 // there is no negative zero
	}
	return end, digits
}

// int64Digits is how many digits always fit.
const int64Digits = 18

// encoded writes a decimal as base64 of its bytes.
func (w *walker) encoded(s *schema.Schema, i int) int {
	end, digits := w.decimal(s, i)
	if end < 0 || digits > int64Digits {
		return -1
	}
	w.copy(i)
	w.from = end
	v := int64(0)
	for _, c := range w.b[i:end] {
		if c-'0' <= 9 {
			v = v*10 + int64(c-'0')
		}
	}
	if w.b[i] == '-' {
		v = -v
	}
	raw := binary.BigEndian.AppendUint64(w.small[:0], uint64(v))
	for len(raw) > 1 && (raw[0] == 0 && raw[1] < 0x80 || raw[0] == 0xff && raw[1] >= 0x80) {
		raw = raw[1:]
	}
	w.dst = base64.StdEncoding.AppendEncode(append(w.dst, '"'), raw)
	w.dst = append(w.dst, '"')
	return end
}

// decoded reads a decimal from base64 of at most 8 bytes.
func (w *walker) decoded(s *schema.Schema, i int) int {
	const most = 12
	end, plain := w.str(i)
	if !plain || end-i-2 > most || end-i == 2 {
		return -1
	}
	n, err := strict64.Decode(w.small[:], w.b[i+1:end-1])
	if err != nil || n > 8 {
		return -1
	}
	v := int64(int8(w.small[0]))
	for _, c := range w.small[1:n] {
		v = v<<8 | int64(c)
	}
	if v == math.MinInt64 {
		return -1
	}
	w.copy(i)
	w.from = end
	if v < 0 {
		w.dst = append(w.dst, '-')
		v = -v
	}
	var buf [24]byte
	digits := strconv.AppendInt(buf[:0], v, 10)
	if s.Precision > 0 && len(digits) > s.Precision && v > 0 || s.Scale > int64Digits {
		return -1
	}
	if zeros := s.Scale + 1 - len(digits); zeros > 0 {
		w.dst = append(w.dst, "0000000000000000000"[:zeros]...)
	}
	w.dst = append(w.dst, digits...)
	if s.Scale > 0 {
		at := len(w.dst) - s.Scale
		w.dst = append(w.dst, 0)
		copy(w.dst[at+1:], w.dst[at:])
		w.dst[at] = '.'
	}
	return end
}

// unitsOf counts what a date or time is in units of s.
func unitsOf(text []byte, s *schema.Schema) (int64, bool) {
	var sec int64
	var nsec int
	ok := false
	switch s.Type {
	case schema.Date:
		return schema.ParseDate(text)
	case schema.Time:
		sec, nsec, ok = schema.ParseTime(text)
	case schema.Timestamp, schema.LocalTimestamp:
		sec, nsec, ok = schema.ParseTimestamp(text, s.Type == schema.LocalTimestamp)
	default:
	}
	if !ok {
		return 0, false
	}
	return s.Unit.Count(sec, nsec)
}
