package protobuf

import (
	"strconv"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/internal/scan"
)

func (e *wstate) list(dst []byte, f *fieldNode, n *wnode, i int) ([]byte, int) {
	if e.b[i] != '[' {
		return dst, e.mismatch(n.name, i)
	}
	start := len(dst)
	if f.packed {
		dst = append(appendTag(dst, f.num, wireBytes), 0)
	}
	at, count := len(dst)-1, 0
	i = scan.Space(e.b, i+1)
	for ; e.b[i] != ']'; count++ {
		if e.b[i] == ',' {
			i = scan.Space(e.b, i+1)
		}
		var next int
		if f.packed {
			dst, _, next = e.scalar(dst, n.elem, i)
		} else {
			dst, _, next = e.occurrence(dst, f, n.elem, i)
		}
		if next < 0 {
			e.at = append(e.at, "["+strconv.Itoa(count)+"]")
			return dst, -1
		}
		i = scan.Space(e.b, next)
	}
	switch {
	case f.packed && count == 0:
		dst = dst[:start]
	case f.packed:
		dst = insertLength(dst, at)
	}
	return dst, i + 1
}

// mapOf writes an object, or pairs where keys are no strings.
func (e *wstate) mapOf(dst []byte, f *fieldNode, n *wnode, i int) ([]byte, int) {
	closing := byte('}')
	switch {
	case e.b[i] == '[' && n.op == opEntries:
		closing = ']'
	case e.b[i] == '{' && (n.op == opMap || n.from == nil):
	default:
		return dst, e.mismatch(n.name, i)
	}
	i = scan.Space(e.b, i+1)
	for e.b[i] != closing {
		if e.b[i] == ',' {
			i = scan.Space(e.b, i+1)
		}
		dst = append(appendTag(dst, f.num, wireBytes), 0)
		at := len(dst) - 1
		key := i
		var next int
		if closing == '}' {
			dst, next = e.keyed(dst, n, i)
		} else {
			dst, next = e.pair(dst, n, i)
		}
		if next < 0 {
			e.at = append(e.at, "["+string(excerpt(e.b[key:scan.Value(e.b, key)]))+"]")
			return dst, -1
		}
		dst = insertLength(dst, at)
		i = scan.Space(e.b, next)
	}
	return dst, i + 1
}

// keyed writes the entry "key": value. A key that is no string has its text
// there, as Protobuf's JSON has it.
func (e *wstate) keyed(dst []byte, n *wnode, i int) ([]byte, int) {
	end := scan.String(e.b, i)
	k := n.members[0]
	if k.fields[0].value.op == opString || k.fields[0].value.op == opUUID {
		text := scan.Unquoted(e.b, i, end)
		if len(text) > 0 || k.fields[0].presence {
			dst = appendBytesField(dst, k.fields[0].num, text)
		}
	} else {
		in := wstate{b: append(scan.Unquoted(e.b, i, end), ' '), lenient: e.lenient}
		if len(in.b) == 1 || record.ValidateJSON(in.b) != nil {
			return dst, e.fail("%s is no %s", excerpt(e.b[i:end]), k.nodes[0].name)
		}
		var next int
		if dst, next = in.member(dst, &k, 0); next < 0 {
			e.err = in.err
			return dst, -1
		}
	}
	return e.entryValue(dst, n, scan.Space(e.b, scan.Space(e.b, end)+1))
}

// pair writes the entry [key, value].
func (e *wstate) pair(dst []byte, n *wnode, i int) ([]byte, int) {
	bad := func() ([]byte, int) {
		return dst, e.fail("an entry of a map is a pair [key, value]: %s", excerpt(e.b[i:scan.Value(e.b, i)]))
	}
	if e.b[i] != '[' {
		return bad()
	}
	k := scan.Space(e.b, i+1)
	if e.b[k] == ']' {
		return bad()
	}
	var next int
	if dst, next = e.member(dst, &n.members[0], k); next < 0 {
		return dst, -1
	}
	if next = scan.Space(e.b, next); e.b[next] != ',' {
		return bad()
	}
	if dst, next = e.entryValue(dst, n, scan.Space(e.b, next+1)); next < 0 {
		return dst, -1
	}
	if next = scan.Space(e.b, next); e.b[next] != ']' {
		return bad()
	}
	return dst, next + 1
}

// entryValue writes the value of an entry, the zero too: so do most.
func (e *wstate) entryValue(dst []byte, n *wnode, i int) ([]byte, int) {
	m := &n.members[1]
	if f := m.fields; len(f) == 1 && !f[0].list && n.field.value.message.MapEntry {
		if e.b[i] == 'n' && m.nodes[0].op != opValue && m.nodes[0].op != opJSON {
			switch w := f[0].value; {
			case w.op == opWrapped && string(w.members[0].absent) == "null":
				return append(appendTag(dst, f[0].num, wireBytes), 0), i + 4
			case e.lenient:
				return dst, i + 4
			}
			return dst, e.mismatch(m.nodes[0].name, i)
		}
		dst, _, next := e.occurrence(dst, f[0], m.nodes[0], i)
		return dst, next
	}
	return e.member(dst, m, i)
}
