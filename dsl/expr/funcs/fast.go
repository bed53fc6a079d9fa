package funcs

import (
	"fmt"
	"time"
	"unsafe"

	"github.com/flowrecords/flow/engine/record"
)

// fin reads the arguments of a fast call, with the same errors as in.
type fin struct {
	fn   *Func
	args []record.Value
	dst  []byte
	err  error
}

func (a *fin) has(i int) bool { return i < len(a.args) }

func (a *fin) value(i int) record.Value {
	if i < len(a.args) {
		return a.args[i]
	}
	if a.err == nil {
		a.err = missingArg(a.fn, i)
	}
	return record.NullValue()
}

func (a *fin) wrong(i int, want string) {
	if a.err == nil && i < len(a.args) {
		a.err = wrongArg(a.fn, i, kindName(a.args[i].Kind()), want)
	}
}

// text reads a string without copying it.
func (a *fin) text(i int) []byte {
	v := a.value(i)
	if v.Kind() != record.String {
		a.wrong(i, "string")
		return nil
	}
	return v.Text()
}

// data reads a string or bytes without copying.
func (a *fin) data(i int) []byte {
	v := a.value(i)
	if k := v.Kind(); k != record.String && k != record.Bytes {
		a.wrong(i, "string or bytes")
		return nil
	}
	return v.Text()
}

func (a *fin) int(i int) int {
	v := a.value(i)
	if v.Kind() != record.Int {
		a.wrong(i, "int")
		return 0
	}
	return int(v.Int())
}

func (a *fin) time(i int) time.Time {
	v := a.value(i)
	if v.Kind() != record.Time {
		a.wrong(i, "time")
	}
	return v.Time()
}

// made returns what was appended to dst from start on as a string value.
func (a *fin) made(start int) record.Value {
	return record.TextValue(a.dst[start:len(a.dst):len(a.dst)])
}

// done ends a fast call: the error of an argument comes before the function's own.
func (a *fin) done(v record.Value, err error) (record.Value, []byte, error) {
	if a.err != nil {
		return record.Value{}, a.dst, a.err
	}
	if err != nil {
		return record.Value{}, a.dst, fmt.Errorf("%s: %w", a.fn.Name, err)
	}
	return v, a.dst, nil
}

// kindName is typeName for a slot.
func kindName(k record.Kind) string {
	if k <= record.Null {
		return "null"
	}
	return k.String()
}

// view looks at bytes as a string without copying, for calls that neither
// keep nor change it; an error text copies what it quotes.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
