package protobuf

import (
	"math"
	"strconv"
	"time"

	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// maxJSON bounds the JSON text of one value: every message has all its fields
// there, so that few bytes of data may be many of text.
const maxJSON = 256 << 20

// json appends the typed JSON text of a value.
func (r *reader) json(dst []byte, n *node, p piece) ([]byte, bool) {
	switch n.op {
	case opBool:
		return strconv.AppendBool(dst, r.number(n.kind, p) != 0), true
	case opInt:
		v := int64(r.number(n.kind, p))
		return strconv.AppendInt(dst, v, 10), r.small(n, v, p)
	case opUint:
		u := r.number(n.kind, p)
		return strconv.AppendUint(dst, u, 10), n.high == 0 || r.small(n, int64(u), p)
	case opFloat:
		return appendFloat(dst, float64(math.Float32frombits(uint32(r.number(n.kind, p)))), 32), true
	case opDouble:
		return appendFloat(dst, math.Float64frombits(r.number(n.kind, p)), 64), true
	case opString:
		text, ok := r.text(n, p)
		return record.AppendQuoted(dst, text), ok
	case opBytes:
		return appendBase64(dst, r.b[p.start:p.end]), true
	case opEnum:
		v := int32(r.number(n.kind, p))
		if k, ok := n.symbols[v]; ok {
			return append(dst, n.quoted[k]...), true
		}
		return append(strconv.AppendInt(append(dst, '"'), int64(v), 10), '"'), true
	case opMessage:
		return r.jsonMessage(dst, n, p)
	case opList:
		return r.jsonList(dst, n, p)
	case opMap, opEntries:
		return r.jsonMap(dst, n, p)
	}
	return r.jsonSpecial(dst, n, p)
}

// jsonSpecial appends what is not read as often.
func (r *reader) jsonSpecial(dst []byte, n *node, p piece) ([]byte, bool) {
	switch n.op {
	case opWrapped:
		base, ok := r.collect(n, p)
		if ok {
			dst, ok = r.jsonMember(dst, &n.members[0], base)
		}
		r.leave(base)
		return dst, ok
	case opValue:
		return r.jsonValue(dst, n, p)
	case opTimestamp, opLocal:
		sec, nsec, ok := r.instant(n, p)
		return append(schema.AppendTimestamp(append(dst, '"'), sec, nsec, n.op == opLocal), '"'), ok
	case opDuration:
		d, ok := r.duration(n, p)
		return append(append(append(dst, '"'), d.String()...), '"'), ok
	case opDate:
		days, ok := r.date(n, p)
		return append(schema.AppendDate(append(dst, '"'), days), '"'), ok
	case opTime:
		d, ok := r.timeOfDay(n, p)
		return append(schema.AppendTime(append(dst, '"'), int64(d/time.Second), int(d%time.Second)), '"'), ok
	case opDecimal:
		return r.jsonDecimal(dst, n, p)
	case opUUID:
		text, ok := r.text(n, p)
		if ok && schema.CheckText(schema.New(schema.UUID), text) != nil {
			ok = r.refuse(p, "%q is no UUID", excerpt(text))
		}
		return record.AppendQuoted(dst, text), ok
	case opSized:
		if int(p.end-p.start) != n.size {
			return dst, r.refuse(p, "%d bytes, and the schema says %d", p.end-p.start, n.size)
		}
		return appendBase64(dst, r.b[p.start:p.end]), true
	case opJSON:
		text, ok := r.text(n, p)
		if !ok {
			return dst, false
		}
		if len(text) == 0 {
			return append(dst, "null"...), true
		}
		if err := record.ValidateJSON(text); err != nil {
			return dst, r.refuse(p, "the text of an untyped value: %v", err)
		}
		out, err := record.RawJSON(text).AppendJSON(dst)
		if err != nil {
			return dst, r.refuse(p, "%v", err)
		}
		return out, true
	case opBranch:
		dst, ok := r.json(append(dst, n.text...), n.elem, p)
		return append(dst, '}'), ok
	}
	return dst, r.refuse(p, "no way to read a %s", n.name)
}

func (r *reader) refuse(p piece, format string, args ...any) bool {
	r.fail(int(p.start), format, args...)
	return false
}

// small checks an integer that is narrower in flow than in Protobuf.
func (r *reader) small(n *node, v int64, p piece) bool {
	if v < n.low || v > n.high {
		return r.refuse(p, "%d is no %s", v, n.name)
	}
	return true
}

// text returns a string. What was not checked to be UTF-8 is.
func (r *reader) text(n *node, p piece) ([]byte, bool) {
	text := r.b[p.start:p.end:p.end]
	if !n.utf8 && !validUTF8(text) {
		return nil, r.refuse(p, "the string is not UTF-8")
	}
	return text, true
}

func (r *reader) jsonMessage(dst []byte, n *node, p piece) ([]byte, bool) {
	base, ok := r.collect(n, p)
	if !ok {
		return dst, false
	}
	if len(n.members) == 0 {
		dst = append(dst, '{')
	}
	for i := range n.members {
		t := &n.members[i]
		if dst, ok = r.jsonMember(append(dst, t.text...), t, base); !ok {
			r.within(t.name)
			return dst, false
		}
	}
	r.leave(base)
	return append(dst, '}'), !r.large(dst, p)
}

func (r *reader) jsonMember(dst []byte, t *memberNode, base int) ([]byte, bool) {
	for _, f := range t.fields {
		x := r.finds[base+f.index].piece
		switch {
		case x.end == 0:
		case t.union:
			return r.json(dst, f.branch, x)
		default:
			return r.json(dst, f.node, x)
		}
	}
	if t.absent == nil {
		return r.json(dst, t.fields[0].node, piece{})
	}
	return append(dst, t.absent...), true
}

func (r *reader) jsonList(dst []byte, n *node, p piece) ([]byte, bool) {
	open := byte('[')
	ok := r.elements(n.field, p, func(p piece) (ok bool) {
		dst = append(dst, open)
		open = ','
		dst, ok = r.json(dst, n.elem, p)
		return ok && !r.large(dst, p)
	})
	if open == '[' {
		dst = append(dst, '[')
	}
	return append(dst, ']'), ok
}

// entry is one of a map: what its key is, and where its parts lie.
type entry struct {
	text       []byte // of a key that is a string
	bits       uint64 // of another scalar
	key, value piece
}

// entries returns those of a map, of equal keys the last one.
func (r *reader) entries(n *node, p piece) (list []entry, ok bool) {
	of := n.field.value
	scalar := n.key.op <= opEnum
	ok = r.elements(n.field, p, func(p piece) bool {
		base, ok := r.collect(of, p)
		if !ok {
			return false
		}
		e := entry{key: r.finds[base].piece, value: r.finds[base+1].piece}
		switch {
		case e.key.end == 0:
		case n.key.op == opString || n.key.op == opBytes:
			e.text = r.b[e.key.start:e.key.end]
		case scalar:
			e.bits = r.number(n.key.kind, e.key)
		}
		list = append(list, e)
		r.leave(base)
		return true
	})
	if len(list) < 2 || !scalar {
		return list, ok
	}
	last := lastOf(list)
	if len(last) < len(list) {
		ok = ok && r.checkRuns(n, p) // nobody will read the others
	}
	return last, ok
}

// lastOf leaves of the entries with equal keys the last one.
func lastOf(list []entry) []entry {
	const few = 16
	if len(list) <= few {
		out := list[:0:len(list)]
		for i := range list {
			again := false
			for j := i + 1; j < len(list) && !again; j++ {
				again = list[i].bits == list[j].bits && string(list[i].text) == string(list[j].text)
			}
			if !again {
				out = append(out, list[i])
			}
		}
		return out
	}
	type key struct {
		bits uint64
		text string
	}
	last := make(map[key]int, len(list))
	for i := range list {
		last[key{list[i].bits, alias(list[i].text)}] = i
	}
	out := list[:0:len(list)]
	for i := range list {
		if last[key{list[i].bits, alias(list[i].text)}] == i {
			out = append(out, list[i])
		}
	}
	return out
}

// jsonMap appends an object, or pairs where keys are no strings.
func (r *reader) jsonMap(dst []byte, n *node, p piece) ([]byte, bool) {
	list, ok := r.entries(n, p)
	if !ok {
		return dst, false
	}
	if !r.down(int(p.start)) {
		return dst, false
	}
	of := n.field.value
	opening, closing := byte('{'), byte('}')
	if n.op == opEntries {
		opening, closing = '[', ']'
	}
	dst = append(dst, opening)
	for i := range list {
		e := &list[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		if n.op == opEntries {
			dst = append(dst, '[')
		}
		if dst, ok = r.jsonPart(dst, &of.members[0], e.key); !ok {
			return dst, false
		}
		if n.op == opEntries {
			dst = append(dst, ',')
		} else {
			dst = append(dst, ':')
		}
		if dst, ok = r.jsonPart(dst, &of.members[1], e.value); !ok || r.large(dst, p) {
			return dst, false
		}
		if n.op == opEntries {
			dst = append(dst, ']')
		}
	}
	r.depth--
	return append(dst, closing), true
}

// jsonPart appends the key or the value of an entry.
func (r *reader) jsonPart(dst []byte, t *memberNode, p piece) ([]byte, bool) {
	switch {
	case p.end != 0:
		return r.json(dst, t.fields[0].node, p)
	case t.absent == nil:
		return r.json(dst, t.fields[0].node, piece{})
	}
	return append(dst, t.absent...), true
}

// jsonValue appends a google.protobuf.Value.
func (r *reader) jsonValue(dst []byte, n *node, p piece) ([]byte, bool) {
	base, ok := r.collect(n, p)
	if !ok {
		return dst, false
	}
	out, done := dst, false
	for _, f := range n.fields {
		x := r.finds[base+f.index].piece
		if x.end == 0 || f.num == 1 {
			continue
		}
		if done = true; f.num == 2 {
			v := math.Float64frombits(r.number(DoubleKind, x))
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return dst, r.refuse(x, "%v is no number of JSON", v)
			}
		}
		out, ok = r.json(dst, f.value, x)
	}
	if !done {
		out = append(dst, "null"...)
	}
	r.leave(base)
	return out, ok
}

// large stops a few bytes from becoming a text without bounds.
func (r *reader) large(dst []byte, p piece) bool {
	if len(dst)-r.start > maxJSON {
		r.fail(int(p.start), "the value's JSON text is over %d bytes", maxJSON)
		return true
	}
	return false
}

// parts reads the numbers of a small message: fields 1 to len(into).
func (r *reader) parts(n *node, p piece, into []int64) bool {
	if p.end == 0 {
		return true // not there: all zero
	}
	base, ok := r.collect(n, p)
	for _, f := range n.fields {
		if x := r.finds[base+f.index].piece; ok && x.end != 0 && f.num <= len(into) && f.value.op == opInt {
			into[f.num-1] = int64(r.number(f.value.kind, x))
		}
	}
	r.leave(base)
	return ok
}

// instant reads a timestamp.
func (r *reader) instant(n *node, p piece) (sec int64, nsec int, ok bool) {
	if n.op == opLocal {
		sec, nsec = n.unit.Split(int64(r.number(n.kind, p)))
		if !schema.InYears(sec) {
			return 0, 0, r.refuse(p, "a timestamp out of all years")
		}
		return sec, nsec, true
	}
	var v [2]int64
	if !r.parts(n, p, v[:]) {
		return 0, 0, false
	}
	if v[0] < minTimestamp || v[0] > maxTimestamp || v[1] < 0 || v[1] > 999_999_999 {
		return 0, 0, r.refuse(p, "%d seconds and %d nanoseconds are no timestamp", v[0], v[1])
	}
	return v[0], int(v[1]), true
}

// Timestamps are of the years 1 to 9999.
const (
	minTimestamp = -62_135_596_800
	maxTimestamp = 253_402_300_799
)

func (r *reader) duration(n *node, p piece) (time.Duration, bool) {
	var v [2]int64
	if !r.parts(n, p, v[:]) {
		return 0, false
	}
	const most = int64(math.MaxInt64 / time.Second)
	sec, nsec := v[0], v[1]
	if nsec <= -1e9 || nsec >= 1e9 || sec > 0 && nsec < 0 || sec < 0 && nsec > 0 {
		return 0, r.refuse(p, "%d seconds and %d nanoseconds are no duration", sec, nsec)
	}
	if sec >= most || sec <= -most {
		return 0, r.refuse(p, "a duration of %d seconds; %d are the most", sec, most)
	}
	return time.Duration(sec)*time.Second + time.Duration(nsec), true
}

// date reads a google.type.Date as days since 1970.
func (r *reader) date(n *node, p piece) (int64, bool) {
	var v [3]int64
	if !r.parts(n, p, v[:]) {
		return 0, false
	}
	if p.end == 0 {
		return 0, true
	}
	t := time.Date(int(v[0]), time.Month(v[1]), int(v[2]), 0, 0, 0, 0, time.UTC)
	if v[0] < 1 || v[0] > 9999 || int64(t.Year()) != v[0] || int64(t.Month()) != v[1] || int64(t.Day()) != v[2] {
		return 0, r.refuse(p, "the year %d, month %d, day %d are no date", v[0], v[1], v[2])
	}
	return t.Unix() / 86400, true
}

func (r *reader) timeOfDay(n *node, p piece) (time.Duration, bool) {
	var v [4]int64
	if !r.parts(n, p, v[:]) {
		return 0, false
	}
	if v[0] < 0 || v[0] > 24 || v[0] == 24 && (v[1] != 0 || v[2] != 0 || v[3] != 0) || v[1] < 0 || v[1] > 59 || v[2] < 0 || v[2] > 59 || v[3] < 0 || v[3] > 999_999_999 {
		return 0, r.refuse(p, "%d hours, %d minutes, %d seconds and %d nanoseconds are no time of the day", v[0], v[1], v[2], v[3])
	}
	return time.Duration(v[0])*time.Hour + time.Duration(v[1])*time.Minute + time.Duration(v[2])*time.Second + time.Duration(v[3]), true
}

// maxDecimal is how many bytes the digits of a decimal may take.
const maxDecimal = limits.DecimalDigits * 5 / 12

func (r *reader) jsonDecimal(dst []byte, n *node, p piece) ([]byte, bool) {
	if p.end == 0 {
		return append(dst, '0'), true
	}
	base, ok := r.collect(n, p)
	if !ok {
		return dst, false
	}
	var unscaled []byte
	scale := int64(0)
	for _, f := range n.fields {
		x := r.finds[base+f.index].piece
		switch {
		case x.end == 0:
		case f.num == 1 && f.value.op == opBytes:
			unscaled = r.b[x.start:x.end]
		case f.num == 3 && f.value.op == opInt:
			scale = int64(r.number(f.value.kind, x))
		}
	}
	r.leave(base)
	if len(unscaled) > maxDecimal || scale > limits.DecimalDigits || scale < -limits.DecimalDigits {
		return dst, r.refuse(p, "a decimal of %d bytes and the scale %d", len(unscaled), scale)
	}
	start := len(dst)
	dst, err := schema.AppendDecimal(dst, unscaled, int(scale))
	if err != nil {
		return dst, r.refuse(p, "%v", err)
	}
	if int(scale) == n.scale {
		return dst, true
	}
	// Another scale is another way to write the same, if it can be.
	text := append([]byte(nil), dst[start:]...)
	again, err := schema.AppendUnscaled(nil, text, n.scale)
	if err == nil {
		dst, err = schema.AppendDecimal(dst[:start], again, n.scale)
	}
	if err != nil {
		return dst, r.refuse(p, "a decimal of the scale %d, and the schema says %d: %v", scale, n.scale, err)
	}
	return dst, true
}

// appendFloat appends a float as typed JSON: NaN and infinities as strings.
func appendFloat(dst []byte, f float64, bits int) []byte {
	switch {
	case f != f:
		return append(dst, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(dst, `"-Infinity"`...)
	}
	if bits == 32 {
		if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
			return strconv.AppendFloat(dst, f, 'e', -1, 32)
		}
		return strconv.AppendFloat(dst, f, 'f', -1, 32)
	}
	dst, _ = record.AppendFloat(dst, f) // it is finite
	return dst
}

// float32Value reads f by its own text: 0.1 is not 0.10000000149011612.
func float32Value(bits uint64) record.Value {
	f := math.Float32frombits(uint32(bits))
	if w := float64(f); w == math.Trunc(w) || f != f {
		return record.FloatValue(w)
	}
	var buf [32]byte
	w, _ := strconv.ParseFloat(string(strconv.AppendFloat(buf[:0], float64(f), 'g', -1, 32)), 64)
	return record.FloatValue(w)
}

func float64Value(bits uint64) record.Value { return record.FloatValue(math.Float64frombits(bits)) }
