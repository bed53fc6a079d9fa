package protobuf

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/internal/scan"
	"github.com/flowrecords/flow/engine/schema"
)

func floatBits(f float64) uint64 { return math.Float64bits(f) }

func excerpt(b []byte) []byte {
	const most = 60
	if len(b) > most {
		return append(b[:most:most], "..."...)
	}
	return b
}

func isNumber(c byte) bool { return c == '-' || c >= '0' && c <= '9' }

// scalar writes the payload of a value that is no message of fields.
func (e *wstate) scalar(dst []byte, n *wnode, i int) (out []byte, zero bool, next int) {
	end := scan.Value(e.b, i)
	c := e.b[i]
	start := len(dst)
	ok := false
	switch n.op {
	case opBool:
		switch c {
		case 't':
			dst, ok = append(dst, 1), true
		case 'f':
			dst, ok, zero = append(dst, 0), true, true
		}
	case opInt, opUint:
		dst, zero, ok = e.integer(dst, n, i, end)
	case opFloat, opDouble:
		dst, zero, ok = e.float(dst, n, i, end)
	case opString, opUUID:
		dst, ok = e.text(dst, n, i, end)
	case opJSON:
		dst, ok = append(dst, e.b[i:end]...), true
	case opBytes, opSized:
		dst, ok = e.bytes(dst, n, i, end)
	case opEnum:
		dst, zero, ok = e.enum(dst, n, i, end)
	default:
		dst, zero, ok = e.time(dst, n, i, end)
	}
	switch {
	case ok:
		return dst, zero || n.op >= opString && n.op <= opBytes && len(dst) == start, end
	case e.err == nil:
		return dst, false, e.mismatch(n.name, i)
	}
	return dst, false, -1
}

// number64 reads a whole number as its magnitude. Also 1.0 and 1e3 are whole.
func number64(text []byte) (neg bool, u uint64, ok bool) {
	digits := text
	if neg = text[0] == '-'; neg {
		digits = text[1:]
	}
	for k, c := range digits {
		if c < '0' || c > '9' || k >= 18 {
			unscaled, err := schema.AppendUnscaled(nil, text, 0)
			if err != nil || len(unscaled) > 9 {
				return false, 0, false
			}
			v := twos(unscaled)
			return v.Sign() < 0, new(big.Int).Abs(v).Uint64(), new(big.Int).Abs(v).IsUint64()
		}
		u = u*10 + uint64(c-'0')
	}
	return neg, u, true
}

// twos reads two's complement.
func twos(b []byte) *big.Int {
	v := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0] >= 0x80 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return v
}

func (e *wstate) integer(dst []byte, n *wnode, i, end int) (out []byte, zero, ok bool) {
	text := e.b[i:end]
	if text[0] == '"' && n.from == nil {
		// Protobuf's JSON has 64 bits in strings.
		if text = scan.Unquoted(e.b, i, end); len(text) == 0 || record.ValidateJSON(text) != nil {
			return dst, false, false
		}
	}
	if !isNumber(text[0]) {
		return dst, false, false
	}
	neg, u, whole := number64(text)
	if !whole && e.lenient {
		if f, err := strconv.ParseFloat(string(text), 64); err == nil && math.Abs(f) < 1<<63 {
			f = math.RoundToEven(f)
			neg, u, whole = f < 0, uint64(math.Abs(f)), true
		}
	}
	if !whole {
		e.fail("%s is no whole number of 64 bits, and the Protobuf schema has %s", excerpt(text), n.name)
		return dst, false, false
	}
	if !inRange(n.node, neg, u) {
		e.fail("%s does not fit %s", excerpt(text), n.name)
		return dst, false, false
	}
	v := u
	if neg {
		v = -u
	}
	return appendBits(dst, n.kind, v), v == 0, true
}

func inRange(n *node, neg bool, u uint64) bool {
	switch {
	case n.op == opUint:
		return (!neg || u == 0) && (n.high == 0 || u <= uint64(n.high))
	case neg:
		return u <= uint64(-(n.low+1))+1
	}
	return u <= uint64(n.high)
}

// appendBits writes an integer, with its sign, as its kind is written.
func appendBits(dst []byte, k Kind, v uint64) []byte {
	switch k {
	case Fixed32Kind, Sfixed32Kind:
		return binary.LittleEndian.AppendUint32(dst, uint32(v))
	case Fixed64Kind, Sfixed64Kind:
		return binary.LittleEndian.AppendUint64(dst, v)
	case Sint32Kind, Sint64Kind:
		return binary.AppendVarint(dst, int64(v))
	}
	return binary.AppendUvarint(dst, v)
}

func (e *wstate) float(dst []byte, n *wnode, i, end int) (out []byte, zero, ok bool) {
	text := e.b[i:end]
	bits := 64
	if n.op == opFloat {
		bits = 32
	}
	var f float64
	if text[0] == '"' {
		switch text = scan.Unquoted(e.b, i, end); string(text) {
		case "NaN":
			f, ok = math.Float64frombits(0x7ff8<<48), true // as most systems write it
		case "Infinity":
			f, ok = math.Inf(1), true
		case "-Infinity":
			f, ok = math.Inf(-1), true
		default:
			if n.from != nil || len(text) == 0 || !isNumber(text[0]) || record.ValidateJSON(text) != nil {
				return dst, false, false
			}
		}
	}
	if !ok {
		if !isNumber(text[0]) {
			return dst, false, false
		}
		var err error
		if f, err = strconv.ParseFloat(string(text), bits); err != nil {
			e.fail("%s does not fit %s", excerpt(text), n.name)
			return dst, false, false
		}
	}
	if bits == 32 {
		b := math.Float32bits(float32(f))
		return binary.LittleEndian.AppendUint32(dst, b), b == 0, true
	}
	return appendDouble(dst, f), math.Float64bits(f) == 0, true
}

// exactDouble reports whether f is the number, or its nearest double where the
// text is no longer than a double needs.
func exactDouble(text []byte, f float64) bool {
	if neg, u, ok := number64(text); ok {
		const exact = 1 << 53
		if u <= exact {
			return true
		}
		v := f
		if neg {
			v = -f
		}
		return v < 1<<64 && uint64(v) == u
	}
	short := strconv.FormatFloat(f, 'e', -1, 64)
	a, errA := decimalOf(string(text))
	b, errB := decimalOf(short)
	return errA == nil && errB == nil && a == b
}

// decimalOf returns the digits and the power of ten of a number, in one way for
// each.
func decimalOf(text string) (string, error) {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	exp := 0
	if exponent != "" {
		var err error
		if exp, err = strconv.Atoi(exponent); err != nil {
			return "", err
		}
	}
	whole, behind, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(strings.TrimPrefix(whole, "-")+behind, "0")
	exp -= len(behind)
	cut := strings.TrimRight(digits, "0")
	exp += len(digits) - len(cut)
	if cut == "" {
		exp = 0
	}
	return cut + "e" + strconv.Itoa(exp), nil
}

func (e *wstate) text(dst []byte, n *wnode, i, end int) ([]byte, bool) {
	if e.b[i] != '"' {
		if e.lenient && e.b[i] != 'n' && n.op == opString {
			return append(dst, e.b[i:end]...), true
		}
		return dst, false
	}
	text := scan.Unquoted(e.b, i, end)
	switch {
	case n.op == opUUID && schema.CheckText(schema.New(schema.UUID), text) != nil:
		e.fail("%s is no UUID", excerpt(e.b[i:end]))
		return dst, false
	case n.from != nil && n.from.Type == schema.Bytes:
		b, err := base64.StdEncoding.AppendDecode(nil, text)
		if err != nil || !utf8.Valid(b) {
			e.fail("bytes that are no UTF-8 text, and the Protobuf schema has string")
			return dst, false
		}
		text = b
	}
	return append(dst, text...), true
}

// bytes writes bytes: base64 in JSON, unless the type that the text has says
// that it is text. Without a type also base64 as URLs have it, as Protobuf's
// JSON may.
func (e *wstate) bytes(dst []byte, n *wnode, i, end int) ([]byte, bool) {
	if e.b[i] != '"' {
		return dst, false
	}
	text := scan.Unquoted(e.b, i, end)
	start := len(dst)
	if n.from != nil && n.from.Type != schema.Bytes {
		dst = append(dst, text...)
	} else {
		out, err := base64.StdEncoding.AppendDecode(dst, text)
		if err != nil && n.from == nil {
			out, err = base64.RawURLEncoding.AppendDecode(dst, []byte(strings.TrimRight(alias(text), "=")))
		}
		if err != nil {
			e.fail("%s is no base64 text, as which JSON holds %s", excerpt(e.b[i:end]), n.name)
			return dst, false
		}
		dst = out
	}
	if n.op == opSized && len(dst)-start != n.size {
		e.fail("%d bytes, and the schema has %d", len(dst)-start, n.size)
		return dst[:start], false
	}
	return dst, true
}

// enum writes the number of a symbol. A number that has no symbol may be there
// as its digits, unless the enum is closed.
func (e *wstate) enum(dst []byte, n *wnode, i, end int) (out []byte, zero, ok bool) {
	text := e.b[i:end]
	if text[0] == '"' {
		text = scan.Unquoted(e.b, i, end)
		if v, known := n.byName[alias(text)]; known {
			return binary.AppendUvarint(dst, uint64(int64(v))), v == 0, true
		}
	}
	v, err := strconv.ParseInt(string(text), 10, 32)
	if err != nil && e.b[i] != '"' {
		return dst, false, false
	}
	if err != nil || n.closed && !n.known(int32(v)) {
		e.fail("%s is none of the values of %s: %s", excerpt(e.b[i:end]), n.name, listed(n.names))
		return dst, false, false
	}
	return binary.AppendUvarint(dst, uint64(v)), v == 0, true
}

// listed shows some of many names.
func listed(names []string) string {
	const most = 12
	if len(names) > most {
		return strings.Join(names[:most], ", ") + " and " + strconv.Itoa(len(names)-most) + " more"
	}
	return strings.Join(names, ", ")
}

// time writes what is a message of numbers, or a count of units.
func (e *wstate) time(dst []byte, n *wnode, i, end int) (out []byte, zero, ok bool) {
	if n.op == opDecimal {
		dst, ok = e.decimal(dst, n, i, end)
		return dst, false, ok
	}
	if e.b[i] != '"' {
		if n.op == opLocal && isNumber(e.b[i]) {
			return e.integer(dst, n, i, end)
		}
		return dst, false, false
	}
	text := scan.Unquoted(e.b, i, end)
	var sec int64
	var nsec int
	switch n.op {
	case opTimestamp, opLocal:
		if sec, nsec, ok = schema.ParseTimestamp(text, n.op == opLocal); ok && n.op == opTimestamp {
			ok = sec >= minTimestamp && sec <= maxTimestamp
		}
	case opTime:
		sec, nsec, ok = schema.ParseTime(text)
	case opDate:
		sec, ok = schema.ParseDate(text)
	case opDuration:
		d, err := time.ParseDuration(string(text))
		sec, nsec, ok = int64(d/time.Second), int(d%time.Second), err == nil
	}
	if !ok {
		e.fail("%s is no %s", excerpt(e.b[i:end]), firstOf(n.name, "time"))
		return dst, false, false
	}
	each := int(int64(time.Second) / n.unit.PerSecond())
	if rest := nsec % each; rest != 0 {
		if !e.lenient {
			e.fail("%s has more digits than the Protobuf schema says: %s (lenient = true cuts them)", excerpt(e.b[i:end]), n.unit)
			return dst, false, false
		}
		nsec -= rest
	}
	switch n.op {
	case opDate:
		t := unixTime(sec*86400, 0)
		if t.Year() < 1 || t.Year() > 9999 {
			e.fail("%s does not fit google.type.Date", excerpt(e.b[i:end]))
			return dst, false, false
		}
		return appendNumbers(dst, int64(t.Year()), int64(t.Month()), int64(t.Day())), false, true
	case opTime:
		return appendNumbers(dst, sec/3600, sec/60%60, sec%60, int64(nsec)), false, true
	case opLocal:
		v, ok := n.unit.Count(sec, nsec)
		if !ok {
			e.fail("%s does not fit 64 bits of %s", excerpt(e.b[i:end]), n.unit)
		}
		return binary.AppendUvarint(dst, uint64(v)), v == 0, ok
	}
	return appendNumbers(dst, sec, int64(nsec)), false, true
}

// appendNumbers writes the fields 1, 2, ... of a message of numbers.
func appendNumbers(dst []byte, values ...int64) []byte {
	for k, v := range values {
		if v != 0 {
			dst = appendVarintField(dst, k+1, uint64(v))
		}
	}
	return dst
}

func (e *wstate) decimal(dst []byte, n *wnode, i, end int) ([]byte, bool) {
	text := e.b[i:end]
	if text[0] == '"' {
		if text = scan.Unquoted(e.b, i, end); len(text) == 0 || !isNumber(text[0]) || record.ValidateJSON(text) != nil {
			e.fail("%s is no number, and the Protobuf schema has decimal", excerpt(e.b[i:end]))
			return dst, false
		}
	} else if !isNumber(text[0]) {
		return dst, false
	}
	s := schema.NewDecimal(n.size, n.scale)
	if err := schema.CheckNumber(s, text); err != nil {
		e.fail("%v", err)
		return dst, false
	}
	unscaled, err := schema.AppendUnscaled(nil, text, n.scale)
	if err != nil {
		e.fail("%v", err)
		return dst, false
	}
	dst = appendBytesField(dst, 1, unscaled)
	if n.size > 0 {
		dst = appendVarintField(dst, 2, uint64(n.size))
	}
	if n.scale != 0 {
		dst = appendVarintField(dst, 3, uint64(n.scale))
	}
	return dst, true
}
