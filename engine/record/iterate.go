package record

import "bytes"

// Elements calls yield for each element of an Array, in order, and stops at
// its first error, which it returns. Any other kind has no elements.
func (v Value) Elements(yield func(Value) error) error {
	if v.kind != Array {
		return nil
	}
	if v.flags&flagJSON == 0 {
		for _, e := range v.slice() {
			if err := yield(fromBox(e)); err != nil {
				return err
			}
		}
		return nil
	}
	for it := rawIter(v.bytes()); it.next(); {
		if err := yield(decode(it.value(), nil)); err != nil {
			return err
		}
	}
	return nil
}

// Members calls yield for each member of an Object, and stops at its first
// error, which it returns. Those of JSON text come in their order, and a name
// that stands twice comes twice: the last one counts. Those of a boxed map
// come in no order. Any other kind has no members. name is valid only during
// the call.
func (v Value) Members(yield func(name []byte, v Value) error) error {
	if v.kind != Object {
		return nil
	}
	if v.flags&flagJSON == 0 {
		for name, e := range v.table() {
			if err := yield(StringValue(name).bytes(), fromBox(e)); err != nil {
				return err
			}
		}
		return nil
	}
	for it := rawIter(v.bytes()); it.next(); {
		if err := yield(it.name(), decode(it.value(), nil)); err != nil {
			return err
		}
	}
	return nil
}

// fromBox reads what a boxed array or object holds, which FromAny has checked.
func fromBox(e any) Value {
	v, _ := FromAny(e)
	return v
}

// Len is the number of elements of an Array, of members of an Object with each
// name counted once, and of bytes of a String or Bytes; 0 for any other kind.
func (v Value) Len() int {
	switch {
	case v.kind == String, v.kind == Bytes:
		return int(v.num)
	case v.kind == Array && v.flags&flagJSON == 0:
		return int(v.num)
	case v.kind == Array:
		n := 0
		for it := rawIter(v.bytes()); it.next(); {
			n++
		}
		return n
	case v.kind == Object && v.flags&flagJSON == 0:
		return len(v.table())
	case v.kind == Object:
		names := map[string]struct{}{}
		for it := rawIter(v.bytes()); it.next(); {
			names[string(it.name())] = struct{}{}
		}
		return len(names)
	}
	return 0
}

// Member returns the member of an Object, Missing if there is none.
func (v Value) Member(name string) Value {
	if v.kind != Object {
		return Value{}
	}
	if v.flags&flagJSON == 0 {
		if e, ok := v.table()[name]; ok {
			return fromBox(e)
		}
		return Value{}
	}
	var found []byte
	for it := rawIter(v.bytes()); it.next(); {
		if it.named(name) {
			found = it.value()
		}
	}
	if found == nil {
		return Value{}
	}
	return decode(found, nil)
}

// Index returns the element of an Array, counted from the end if i is
// negative, Missing if there is none.
func (v Value) Index(i int) Value {
	if v.kind != Array {
		return Value{}
	}
	if i < 0 {
		i += v.Len()
	}
	if i < 0 {
		return Value{}
	}
	if v.flags&flagJSON == 0 {
		if i >= int(v.num) {
			return Value{}
		}
		return fromBox(v.slice()[i])
	}
	for it := rawIter(v.bytes()); it.next(); i-- {
		if i == 0 {
			return decode(it.value(), nil)
		}
	}
	return Value{}
}

// iter walks the children of a valid JSON array or object.
type iter struct {
	b      []byte
	i      int // behind the child, or behind the opening bracket
	object bool
	key    int // of the child: its opening quote, behind its closing quote
	keyEnd int
	start  int
}

func rawIter(b []byte) iter { return iter{b: b, i: 1, object: b[0] == '{'} }

// next goes to the next child; false at the end.
func (it *iter) next() bool {
	i := skipSpace(it.b, it.i)
	if it.b[i] == ',' {
		i = skipSpace(it.b, i+1)
	}
	if c := it.b[i]; c == ']' || c == '}' {
		return false
	}
	if it.object {
		it.key = i
		it.keyEnd = skipString(it.b, i+1)
		i = skipSpace(it.b, skipSpace(it.b, it.keyEnd)+1)
	}
	it.start = i
	it.i = skipValue(it.b, i, 0)
	return true
}

func (it *iter) value() []byte { return it.b[it.start:it.i:it.i] }

// name is the child's name, unescaped.
func (it *iter) name() []byte {
	return decodeString(it.b[it.key+1:it.keyEnd-1], nil).bytes()
}

func (it *iter) named(name string) bool {
	inside := it.b[it.key+1 : it.keyEnd-1]
	if bytes.IndexByte(inside, '\\') < 0 {
		return string(inside) == name
	}
	return string(it.name()) == name
}
