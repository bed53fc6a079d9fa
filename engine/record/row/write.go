package row

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// open appends the head of a struct.
func (n *node) open(dst []byte) []byte {
	for range n.head {
		dst = append(dst, 0)
	}
	return dst
}

// setNull makes field i of the struct at start null. Fields come in order.
func (n *node) setNull(dst []byte, start, i int) {
	dst[start+i>>3] |= 1 << (i & 7)
	n.end(dst, start, i)
}

// end notes that field i, of variable length, ends here.
func (n *node) end(dst []byte, start, i int) {
	if f := &n.fields[i]; f.width == 0 {
		binary.LittleEndian.PutUint32(dst[start+f.slot:], uint32(len(dst)-start-n.head))
	}
}

// setField writes v, which has the kind of its type, as field i.
func (n *node) setField(dst []byte, start, i int, v record.Value, depth int) ([]byte, error) {
	f := &n.fields[i]
	if v.IsNil() {
		if !f.s.Optional {
			return dst, errors.New("it is null, and its type is not optional")
		}
		n.setNull(dst, start, i)
		return dst, nil
	}
	if f.width > 0 {
		return dst, f.putFixed(dst[start+f.slot:start+f.slot+f.width], v)
	}
	dst, err := f.appendVariable(dst, v, depth)
	if err == nil && len(dst)-start > math.MaxInt32 {
		err = errLarge
	}
	n.end(dst, start, i)
	return dst, err
}

func (n *node) mismatch(v record.Value) error {
	return fmt.Errorf("a value of kind %s is no %s", v.Kind(), n.s.Type)
}

// putFixed writes v into its slot.
func (n *node) putFixed(slot []byte, v record.Value) error {
	le, ok := binary.LittleEndian, true
	switch n.s.Type {
	case schema.Bool:
		if ok = v.Kind() == record.Bool; v.Bool() {
			slot[0] = 1
		}
	case schema.Float32:
		ok = v.Kind() == record.Float
		le.PutUint32(slot, math.Float32bits(float32(v.Float())))
	case schema.Float64:
		ok = v.Kind() == record.Float
		le.PutUint64(slot, math.Float64bits(v.Float()))
	case schema.Timestamp, schema.LocalTimestamp:
		t := v.Time()
		ok = v.Kind() == record.Time
		le.PutUint64(slot, uint64(t.Unix()))
		le.PutUint32(slot[8:], uint32(t.Nanosecond()))
	case schema.Date:
		sec := v.Time().Unix()
		ok = v.Kind() == record.Time && sec%(24*60*60) == 0
		le.PutUint64(slot, uint64(sec/(24*60*60)))
	case schema.Time:
		d := v.Duration()
		ok = v.Kind() == record.Duration && d >= 0 && d <= 24*time.Hour
		le.PutUint64(slot, uint64(d))
	case schema.Duration:
		ok = v.Kind() == record.Duration
		le.PutUint64(slot, uint64(v.Duration()))
	case schema.Enum:
		i := n.s.SymbolIndex(v.String())
		if v.Kind() != record.String || i < 0 {
			return fmt.Errorf("%q is none of its symbols", v.String())
		}
		le.PutUint32(slot, uint32(i))
	case schema.UUID:
		text := v.Text()
		if len(text) != 36 || v.Kind() != record.String {
			return n.mismatch(v)
		}
		var digits [32]byte
		copy(digits[:], text[:8])
		copy(digits[8:], text[9:13])
		copy(digits[12:], text[14:18])
		copy(digits[16:], text[19:23])
		copy(digits[20:], text[24:])
		if _, err := hex.Decode(slot, digits[:]); err != nil {
			return n.mismatch(v)
		}
	case schema.Uint64:
		if v.Kind() == record.Float {
			var err error
			if ok, err = putUint64(slot, v); err != nil {
				return err
			}
			break
		}
		ok = v.Kind() == record.Int && v.Int() >= 0
		le.PutUint64(slot, uint64(v.Int()))
	default:
		return n.putInt(slot, v)
	}
	if !ok {
		return n.mismatch(v)
	}
	return nil
}

// putUint64 writes a number that int64 does not hold, by its digits.
func putUint64(slot []byte, v record.Value) (bool, error) {
	text, err := v.AppendJSON(nil)
	if err != nil {
		return false, err
	}
	n := uint64(0)
	for _, c := range text {
		d := uint64(c - '0')
		if d > 9 || n > (math.MaxUint64-d)/10 {
			return false, nil
		}
		n = n*10 + d
	}
	binary.LittleEndian.PutUint64(slot, n)
	return true, nil
}

func (n *node) putInt(slot []byte, v record.Value) error {
	if v.Kind() != record.Int {
		return n.mismatch(v)
	}
	i := v.Int()
	switch n.width {
	case 1:
		slot[0] = byte(i)
	case 2:
		binary.LittleEndian.PutUint16(slot, uint16(i))
	case 4:
		binary.LittleEndian.PutUint32(slot, uint32(i))
	default:
		binary.LittleEndian.PutUint64(slot, uint64(i))
	}
	if n.int(slot) != i {
		return fmt.Errorf("%d is beyond %s", i, n.s.Type)
	}
	return nil
}

// appendVariable appends a value of variable length.
func (n *node) appendVariable(dst []byte, v record.Value, depth int) ([]byte, error) {
	if n.s.Type.IsComplex() {
		if depth++; depth > limits.JSONDepth {
			return dst, errDeep
		}
	}
	kind := v.Kind()
	switch t := n.s.Type; {
	case t == schema.Any:
		return v.AppendJSON(dst)
	case t == schema.String && kind == record.String && !utf8.Valid(v.Text()):
		return dst, errUTF8
	case t == schema.String && kind == record.String, t == schema.Bytes && kind == record.Bytes:
		return append(dst, v.Text()...), nil
	case t == schema.Decimal && (kind == record.Float || kind == record.Int):
		return v.AppendJSON(dst)
	case t == schema.Struct && kind == record.Object:
		return n.appendObject(dst, v, depth)
	case t == schema.Array && kind == record.Array:
		values := make([]record.Value, 0, v.Len())
		err := v.Elements(func(e record.Value) error { values = append(values, e); return nil })
		if err != nil {
			return dst, err
		}
		return n.elem.appendList(dst, values, depth)
	case t == schema.Map:
		return n.appendEntries(dst, v, depth)
	case t == schema.Union && kind == record.Object:
		return n.appendBranch(dst, v, depth)
	}
	return dst, n.mismatch(v)
}

// appendObject appends a struct that is given as typed JSON text.
func (n *node) appendObject(dst []byte, v record.Value, depth int) ([]byte, error) {
	values := make([]record.Value, len(n.fields))
	err := v.Members(func(name []byte, m record.Value) error {
		i := n.s.FieldIndex(string(name))
		if i < 0 {
			return fmt.Errorf("member %q is no field of the type", name)
		}
		values[i] = m
		return nil
	})
	if err != nil {
		return dst, err
	}
	start := len(dst)
	dst = n.open(dst)
	for i := range n.fields {
		f := &n.fields[i]
		m := values[i]
		if m.Kind() == record.Missing && f.s.Default != nil {
			m = record.RawJSON(f.s.Default)
		}
		if m, err = m.As(f.s); err == nil || m.IsNil() {
			dst, err = n.setField(dst, start, i, m, depth)
		}
		if err != nil {
			return dst, fmt.Errorf("field %q: %w", f.name, err)
		}
	}
	return dst, nil
}

// appendList appends values as an array of n.
func (n *node) appendList(dst []byte, values []record.Value, depth int) ([]byte, error) {
	size := n.width
	if size == 0 {
		size = endSize
	}
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(values)))
	bits := len(dst)
	slots := bits + (len(values)+7)/8
	base := slots + len(values)*size
	for len(dst) < base {
		dst = append(dst, 0)
	}
	for i, v := range values {
		v, err := v.As(n.s)
		switch {
		case err != nil:
		case v.IsNil() && !n.s.Optional:
			err = errors.New("it is null, and its type is not optional")
		case v.IsNil():
			dst[bits+i>>3] |= 1 << (i & 7)
		case n.width > 0:
			err = n.putFixed(dst[slots+i*size:slots+(i+1)*size], v)
		default:
			dst, err = n.appendVariable(dst, v, depth)
		}
		if err == nil && len(dst)-base > math.MaxInt32 {
			err = errLarge
		}
		if err != nil {
			return dst, fmt.Errorf("element %d: %w", i, err)
		}
		if n.width == 0 {
			binary.LittleEndian.PutUint32(dst[slots+i*size:], uint32(len(dst)-base))
		}
	}
	return dst, nil
}

func (n *node) appendEntries(dst []byte, v record.Value, depth int) ([]byte, error) {
	var keys, values []record.Value
	var err error
	if n.key.s.Type == schema.String {
		err = v.Members(func(name []byte, m record.Value) error {
			keys, values = append(keys, record.StringValue(string(name))), append(values, m)
			return nil
		})
	} else {
		err = v.Elements(func(e record.Value) error {
			if e.Kind() != record.Array || e.Len() != 2 {
				return errors.New("an entry that is no pair")
			}
			keys, values = append(keys, e.Index(0)), append(values, e.Index(1))
			return nil
		})
	}
	if err != nil {
		return dst, err
	}
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	if dst, err = n.key.appendList(dst, keys, depth); err != nil {
		return dst, fmt.Errorf("keys: %w", err)
	}
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-endSize))
	return n.elem.appendList(dst, values, depth)
}

func (n *node) appendBranch(dst []byte, v record.Value, depth int) ([]byte, error) {
	count := 0
	err := v.Members(func(name []byte, m record.Value) error {
		i := n.s.BranchIndex(string(name))
		if count++; i < 0 || count > 1 {
			return fmt.Errorf("member %q is no branch of the union, or a second one", name)
		}
		b := n.branches[i]
		dst = binary.LittleEndian.AppendUint32(dst, uint32(i))
		start := len(dst)
		m, err := m.As(b.fields[0].s)
		if err != nil {
			return err
		}
		dst, err = b.setField(b.open(dst), start, 0, m, depth)
		return err
	})
	if err == nil && count == 0 {
		err = errors.New("a union without a branch")
	}
	return dst, err
}

// Append appends the row of typed JSON text, which must be valid.
func (e *Encoding) Append(dst, text []byte) ([]byte, error) {
	v := record.RawJSON(text)
	if e.isStruct() {
		if v.Kind() != record.Object {
			return dst, e.root.mismatch(v)
		}
		out, err := e.root.appendObject(dst, v, 1)
		if err != nil {
			return dst, err
		}
		return out, nil
	}
	v, err := v.As(e.s)
	if err != nil {
		return dst, err
	}
	out, err := e.root.setField(e.root.open(dst), len(dst), 0, v, 0)
	if err != nil {
		return dst, err
	}
	return out, nil
}

// Splice implements record.Splicer.
func (e *Encoding) Splice(dst, base []byte, p *record.Plan, values []record.Value) ([]byte, error) {
	to, ok := p.Memo().(*node)
	if !ok {
		to = e.With(p.To).(*Encoding).root
		p.SetMemo(to)
	}
	out, err := splice(dst, base, span{0, len(base)}, e.root, to, p.Root, values, 1)
	if err != nil {
		return dst, err
	}
	return out, nil
}

func splice(dst, base []byte, at span, from, to *node, m *record.Members, values []record.Value, depth int) ([]byte, error) {
	start := len(dst)
	dst = to.open(dst)
	for i := range m.List {
		x := &m.List[i]
		var err error
		if x.Value >= 0 {
			dst, err = to.setField(dst, start, i, values[x.Value], depth)
		} else {
			var s span
			var null bool
			s, null, err = from.find(base, at, x.Source)
			f := &to.fields[i]
			switch {
			case err != nil:
			case null:
				to.setNull(dst, start, i)
			case x.Sub != nil:
				dst, err = splice(dst, base, s, from.fields[x.Source].node, f.node, x.Sub, values, depth+1)
				to.end(dst, start, i)
			case f.width > 0:
				copy(dst[start+f.slot:], base[s.start:s.end])
			default:
				dst = append(dst, base[s.start:s.end]...)
				to.end(dst, start, i)
			}
		}
		if err != nil {
			return dst, fmt.Errorf("field %q: %w", x.Name, err)
		}
	}
	return dst, nil
}
