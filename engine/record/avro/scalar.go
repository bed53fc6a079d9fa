package avro

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/flowrecords/flow/engine/schema"
)

// scalar writes the value at i, which is neither array nor object of the
// schema.
func (e *wstate) scalar(dst []byte, n *wnode, i int) ([]byte, int) {
	end := skipValue(e.b, i)
	c := e.b[i]
	ok := false
	switch n.op {
	case opBool:
		if ok = c == 't' || c == 'f'; ok {
			v := byte(0)
			if c == 't' {
				v = 1
			}
			dst = append(dst, v)
		}
	case opString:
		dst, ok = e.string(dst, n, i, end)
	case opJSON:
		dst, ok = appendBytes(dst, e.b[i:end]), true
	case opEnum:
		dst, ok = e.enum(dst, n, i, end)
	case opInt, opLong, opSmall:
		dst, ok = e.integer(dst, n, i, end)
	case opFloat, opDouble:
		dst, ok = e.float(dst, n, i, end)
	case opBytes, opFixed, opUUIDFixed:
		dst, ok = e.binary(dst, n, i, end)
	case opDecimalBytes, opDecimalFixed:
		dst, ok = e.decimal(dst, n, i, end)
	case opDate, opTime, opTimestamp, opLocal, opGoDuration:
		dst, ok = e.time(dst, n, i, end)
	case opDuration:
		dst, ok = e.duration(dst, n, i)
	}
	switch {
	case ok:
		return dst, end
	case e.err == nil:
		return dst, e.mismatch(n, i)
	}
	return dst, -1
}

func appendBytes(dst, b []byte) []byte {
	return append(binary.AppendVarint(dst, int64(len(b))), b...)
}

// alias is b as a string, for calls that keep nothing of it.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func (e *wstate) string(dst []byte, n *wnode, i, end int) ([]byte, bool) {
	if e.b[i] != '"' {
		if e.lenient && e.b[i] != 'n' {
			return appendBytes(dst, e.b[i:end]), true
		}
		return dst, false
	}
	text := unquoted(e.b, i, end)
	switch {
	case n.from != nil && n.from.Type == schema.Bytes:
		b, err := base64.StdEncoding.AppendDecode(nil, text)
		if err != nil || !utf8.Valid(b) {
			e.fail("bytes that are no UTF-8 text, and the Avro schema has string")
			return dst, false
		}
		text = b
	case n.schema.Logical == UUID && (n.from == nil || n.from.Type != schema.UUID):
		var id [16]byte
		if !parseUUID(&id, text) {
			e.fail("%s is no UUID", excerpt(e.b[i:end]))
			return dst, false
		}
	}
	return appendBytes(dst, text), true
}

func (e *wstate) enum(dst []byte, n *wnode, i, end int) ([]byte, bool) {
	if e.b[i] != '"' {
		return dst, false
	}
	name := unquoted(e.b, i, end)
	k, known := n.symbols[string(name)]
	switch {
	case known:
	case n.unknown >= 0 && e.lenient:
		k = n.unknown
	default:
		e.fail("%s is none of the symbols of %s: %s", excerpt(e.b[i:end]), n.schema.Name, listed(n.schema.Symbols))
		return dst, false
	}
	return binary.AppendVarint(dst, k), true
}

// listed shows some of many names.
func listed(names []string) string {
	const most = 12
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}

// wholeNumber reads a number without fraction, also 1.0 and 1e3. fits is false
// for one beyond 64 bits or with a fraction.
func wholeNumber(text []byte) (v int64, fits bool) {
	neg := text[0] == '-'
	digits := text
	if neg {
		digits = text[1:]
	}
	var u uint64
	for k, c := range digits {
		if c < '0' || c > '9' || k >= 18 {
			return slowWhole(text)
		}
		u = u*10 + uint64(c-'0')
	}
	if neg {
		return -int64(u), true
	}
	return int64(u), true
}

func slowWhole(text []byte) (int64, bool) {
	if v, err := strconv.ParseInt(alias(text), 10, 64); err == nil {
		return v, true
	}
	d, ok := parseDigits(text)
	if !ok || !d.rescale(0) {
		return 0, false
	}
	n := d.int()
	return n.Int64(), n.IsInt64()
}

func isNumber(c byte) bool { return c == '-' || c >= '0' && c <= '9' }

func (e *wstate) integer(dst []byte, n *wnode, i, end int) ([]byte, bool) {
	if !isNumber(e.b[i]) {
		return dst, false
	}
	v, ok := wholeNumber(e.b[i:end])
	if !ok {
		if !e.lenient {
			e.fail("%s is no whole number of 64 bits, and the Avro schema has %s", excerpt(e.b[i:end]), n.name)
			return dst, false
		}
		f, err := strconv.ParseFloat(string(e.b[i:end]), 64)
		if err != nil || math.Abs(f) >= 1<<63 {
			e.fail("%s does not fit %s", excerpt(e.b[i:end]), n.name)
			return dst, false
		}
		v = int64(math.RoundToEven(f))
	}
	least, most := int64(math.MinInt64), int64(math.MaxInt64)
	switch n.op {
	case opSmall:
		least, most = n.low, n.high
	case opInt:
		least, most = math.MinInt32, math.MaxInt32
	}
	if v < least || v > most {
		e.fail("%s does not fit %s, which is from %d to %d", e.b[i:end], n.name, least, most)
		return dst, false
	}
	return binary.AppendVarint(dst, v), true
}

func (e *wstate) float(dst []byte, n *wnode, i, end int) ([]byte, bool) {
	text := e.b[i:end]
	bits := 64
	if n.op == opFloat {
		bits = 32
	}
	var f float64
	switch {
	case isNumber(text[0]):
		var err error
		if f, err = strconv.ParseFloat(string(text), bits); err != nil {
			e.fail("%s does not fit %s", excerpt(text), n.name)
			return dst, false
		}
		if !e.lenient && n.from != nil && rounded(n.from.Type, text, f, bits) {
			e.fail("%s has more digits than %s keeps (lenient = true rounds)", excerpt(text), n.name)
			return dst, false
		}
	case string(text) == `"NaN"`:
		f = math.Float64frombits(0x7ff8 << 48) // as most systems write it
	case string(text) == `"Infinity"`:
		f = math.Inf(1)
	case string(text) == `"-Infinity"`:
		f = math.Inf(-1)
	default:
		return dst, false
	}
	if bits == 32 {
		return binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(f))), true
	}
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(f)), true
}

// rounded reports that f, of so many bits, has lost digits of a number of a type
// that has them exactly. That JSON text has others than a float, such as 0.1, is
// no loss.
func rounded(t schema.Type, text []byte, f float64, bits int) bool {
	const few = 7 // digits that each float holds
	switch {
	case t == schema.Float32, t == schema.Float64 && bits == 64, t == schema.Any, len(text) <= few:
		return false
	case t == schema.Float64:
		wide, err := strconv.ParseFloat(string(text), 64)
		if err != nil || float64(float32(wide)) == wide {
			return err != nil
		}
		short, err := strconv.ParseFloat(strconv.FormatFloat(f, 'g', -1, 32), 64)
		return err != nil || short != wide
	}
	const most = 400 // digits: a float has no more before the point
	if len(text) > most || bytes.ContainsAny(text, "eE") {
		return true
	}
	was, ok := new(big.Rat).SetString(string(text))
	now, fine := new(big.Rat).SetString(strconv.FormatFloat(f, 'f', -1, bits))
	if t.IsInt() {
		now, fine = new(big.Rat).SetFloat64(f), true
	}
	return !ok || !fine || was.Cmp(now) != 0
}

// binary writes bytes: base64 in JSON, unless the type that the text has says
// that it is text.
func (e *wstate) binary(dst []byte, n *wnode, i, end int) ([]byte, bool) {
	if e.b[i] != '"' {
		return dst, false
	}
	text := unquoted(e.b, i, end)
	var b []byte
	switch {
	case n.op == opUUIDFixed && len(text) == 36:
		var id [16]byte
		if !parseUUID(&id, text) {
			e.fail("%s is no UUID", excerpt(e.b[i:end]))
			return dst, false
		}
		return append(dst, id[:]...), true
	case n.from != nil && (n.from.Type == schema.String || n.from.Type == schema.UUID):
		b = text
	default:
		var err error
		if b, err = base64.StdEncoding.AppendDecode(nil, text); err != nil {
			e.fail("%s is no base64 text, as which JSON holds %s", excerpt(e.b[i:end]), n.name)
			return dst, false
		}
	}
	if n.op == opBytes {
		return appendBytes(dst, b), true
	}
	if len(b) != n.schema.Size {
		e.fail("%d bytes, and %s has %d", len(b), n.name, n.schema.Size)
		return dst, false
	}
	return append(dst, b...), true
}

func parseUUID(id *[16]byte, text []byte) bool {
	if len(text) != 36 {
		return false
	}
	k := 0
	for i := 0; i < 36; {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if text[i] != '-' {
				return false
			}
			i++
			continue
		}
		hi, lo := hexValue(text[i]), hexValue(text[i+1])
		if hi < 0 || lo < 0 {
			return false
		}
		id[k] = byte(hi<<4 | lo)
		k++
		i += 2
	}
	return true
}

func hexValue(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

func (e *wstate) duration(dst []byte, n *wnode, i int) ([]byte, bool) {
	if e.b[i] != '{' {
		return dst, false
	}
	var parts [3]uint32
	var seen [3]bool
	bad := ""
	members(e.b, i, func(name []byte, start, end int) bool {
		k := -1
		for p, d := range [...]string{"months", "days", "millis"} {
			if d == string(name) {
				k = p
			}
		}
		if k < 0 {
			bad = string(name)
			return e.lenient
		}
		var v int64
		ok := isNumber(e.b[start])
		if ok {
			v, ok = wholeNumber(e.b[start:end])
		}
		if !ok || v < 0 || v > math.MaxUint32 {
			bad = string(name)
			return false
		}
		parts[k], seen[k] = uint32(v), true
		return true
	})
	if bad != "" || !seen[0] || !seen[1] || !seen[2] {
		e.fail("a duration has the members months, days and millis, each from 0 to %d", uint32(math.MaxUint32))
		return dst, false
	}
	for _, p := range parts {
		dst = binary.LittleEndian.AppendUint32(dst, p)
	}
	return dst, true
}

// time writes what is counted in units of time: a text in the form of typed
// JSON, or a number of the unit.
func (e *wstate) time(dst []byte, n *wnode, i, end int) ([]byte, bool) {
	if isNumber(e.b[i]) {
		return e.counted(dst, n, i, end)
	}
	if e.b[i] != '"' {
		return dst, false
	}
	text := unquoted(e.b, i, end)
	var v int64
	var rest int64 // what the unit does not hold
	var ok bool
	switch n.op {
	case opDate:
		v, ok = schema.ParseDate(text)
	case opTime:
		var sec int64
		var nsec int
		if sec, nsec, ok = schema.ParseTime(text); ok {
			ns := sec*1e9 + int64(nsec)
			v, rest = ns/n.unit, ns%n.unit
		}
	case opGoDuration:
		d, err := time.ParseDuration(string(text))
		v, ok = int64(d), err == nil
	default:
		var sec int64
		var nsec int
		if sec, nsec, ok = schema.ParseTimestamp(text, n.op == opLocal); ok {
			rest = int64(nsec) % n.unit
			v, ok = units[n.unit].Count(sec, nsec-int(rest))
		}
	}
	switch {
	case !ok:
		e.fail("%s is no %s", excerpt(e.b[i:end]), n.name)
		return dst, false
	case rest != 0 && !e.lenient:
		e.fail("%s has more digits than %s keeps (lenient = true cuts them)", excerpt(e.b[i:end]), n.name)
		return dst, false
	case n.op == opDate && v != int64(int32(v)):
		e.fail("%s does not fit date", excerpt(e.b[i:end]))
		return dst, false
	}
	return binary.AppendVarint(dst, v), true
}

// units by their nanoseconds.
var units = map[int64]schema.Unit{1: schema.Nanosecond, 1e3: schema.Microsecond, 1e6: schema.Millisecond}

func (e *wstate) counted(dst []byte, n *wnode, i, end int) ([]byte, bool) {
	v, ok := wholeNumber(e.b[i:end])
	if !ok {
		e.fail("%s is no whole number, and the Avro schema has %s", excerpt(e.b[i:end]), n.name)
		return dst, false
	}
	switch {
	case n.op == opTime && (v < 0 || v > day/n.unit), (n.op == opDate || n.op == opTime && !n.wide) && v != int64(int32(v)):
		e.fail("%d is no %s", v, n.name)
		return dst, false
	}
	return binary.AppendVarint(dst, v), true
}

// isJSONNumber reports whether text is a number as JSON writes it.
func isJSONNumber(text []byte) bool {
	i := 0
	if text[i] == '-' {
		i++
	}
	digitsAt := func() bool {
		from := i
		for i < len(text) && text[i] >= '0' && text[i] <= '9' {
			i++
		}
		return i > from
	}
	if !digitsAt() {
		return false
	}
	if i < len(text) && text[i] == '.' {
		if i++; !digitsAt() {
			return false
		}
	}
	if i < len(text) && (text[i] == 'e' || text[i] == 'E') {
		if i++; i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		if !digitsAt() {
			return false
		}
	}
	return i == len(text)
}
