package parquetfile

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/parquet-go/parquet-go/encoding/thrift"
)

// Bounds of headers and footers, which are Thrift structs.
const (
	maxThriftDepth = 32
	// maxThriftItems bounds the structs in lists, each of which takes up to half
	// a KiB when it is read: a thousand columns in a thousand row groups.
	maxThriftItems = 1 << 20
)

var (
	errThrift      = errors.New("it is damaged: no Thrift struct")
	errThriftShort = errors.New("it is cut short")
	errThriftDeep  = errors.New("it is damaged: nested too deep")
	errThriftItems = fmt.Errorf("it has lists of more than %d entries", maxThriftItems)
)

// unthrift decodes the struct that b begins with and returns its length. The
// library takes memory for as many entries as a list claims, so claims are
// checked before.
func unthrift(b []byte, v any) (n int, err error) {
	w := walker{b: b, items: maxThriftItems}
	if err := w.structure(0); err != nil {
		return 0, err
	}
	err = guard(func() error { return thrift.Unmarshal(new(thrift.CompactProtocol), b[:w.at], v) })
	if err != nil {
		return 0, err
	}
	return w.at, nil
}

// walker walks over a struct in Thrift's compact protocol.
type walker struct {
	b     []byte
	at    int
	items int // that may come yet
}

// The types of the compact protocol.
const (
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftI16    = 4
	thriftI32    = 5
	thriftI64    = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftMap    = 11
	thriftStruct = 12
)

func (w *walker) structure(depth int) error {
	if depth > maxThriftDepth {
		return errThriftDeep
	}
	for {
		if w.at >= len(w.b) {
			return errThriftShort
		}
		head := w.b[w.at]
		w.at++
		if head == 0 {
			return nil
		}
		if head>>4 == 0 {
			if _, err := w.uvarint(); err != nil {
				return err
			}
		}
		if t := head & 15; t == thriftTrue || t == thriftFalse {
			continue // the value is in the type
		}
		if err := w.value(head&15, depth); err != nil {
			return err
		}
	}
}

func (w *walker) value(t byte, depth int) error {
	switch t {
	case thriftTrue, thriftFalse, thriftByte:
		return w.skip(1)
	case thriftI16, thriftI32, thriftI64:
		_, err := w.uvarint()
		return err
	case thriftDouble:
		return w.skip(8)
	case thriftBinary:
		n, err := w.uvarint()
		if err != nil {
			return err
		}
		return w.skip(n)
	case thriftList, thriftSet:
		return w.list(depth)
	case thriftStruct:
		return w.structure(depth + 1)
	}
	return errThrift // maps too: Parquet has none
}

func (w *walker) list(depth int) error {
	if depth > maxThriftDepth {
		return errThriftDeep
	}
	if w.at >= len(w.b) {
		return errThriftShort
	}
	head := w.b[w.at]
	w.at++
	n := uint64(head >> 4)
	if n == 15 {
		var err error
		if n, err = w.uvarint(); err != nil {
			return err
		}
	}
	// Each entry takes a byte at least.
	if n > uint64(len(w.b)-w.at) {
		return errThriftShort
	}
	if t := head & 15; t == thriftStruct || t == thriftBinary || t == thriftList {
		if w.items -= int(n); w.items < 0 {
			return errThriftItems
		}
	}
	for range n {
		if err := w.value(head&15, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) uvarint() (uint64, error) {
	v, n := binary.Uvarint(w.b[w.at:])
	if n == 0 {
		return 0, errThriftShort
	}
	if n < 0 {
		return 0, errThrift
	}
	w.at += n
	return v, nil
}

func (w *walker) skip(n uint64) error {
	if n > uint64(len(w.b)-w.at) {
		return errThriftShort
	}
	w.at += int(n)
	return nil
}

// guard makes an error of a panic: the library has some on damaged data.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it is damaged: %v", p)
		}
	}()
	return f()
}
