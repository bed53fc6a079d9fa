package protobufconv

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/flowrecords/flow/connections/registry"
	"github.com/flowrecords/flow/converters/internal/registered"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/protobuf"
)

// codec is how data of one file is read: a record names the message of the
// file that it is.
type codec struct {
	conv   *converter
	file   *protobuf.File
	schema *registry.Schema

	mu sync.Mutex // guards the following
	// by is what was made of each message, by the bytes that name it.
	by map[string]*decoded
}

// decoded may be an error: what cannot be read is remembered, too.
type decoded struct {
	enc *protobuf.Encoding
	err error
}

// maxMessages bounds what a codec remembers.
const maxMessages = 1000

func (c *converter) prepare(s *registry.Schema) (*codec, error) {
	f, err := parseRegistered(s)
	if err != nil {
		return nil, err
	}
	return &codec{conv: c, file: f, schema: s, by: map[string]*decoded{}}, nil
}

// of returns how data of the message at an index is read.
func (k *codec) of(index []byte) *decoded {
	k.mu.Lock()
	defer k.mu.Unlock()
	if d := k.by[string(index)]; d != nil {
		return d
	}
	d := &decoded{}
	d.enc, d.err = k.encoding(index)
	if len(k.by) >= maxMessages {
		clear(k.by)
	}
	k.by[string(index)] = d
	return d
}

func (k *codec) encoding(index []byte) (*protobuf.Encoding, error) {
	path, _, err := parseIndex(index)
	if err != nil {
		return nil, err
	}
	m, err := k.file.At(path)
	if err != nil {
		return nil, fmt.Errorf("schema %d of the registry: %w", k.schema.ID, err)
	}
	if want := k.conv.config.Message; want != "" && k.conv.given == nil && m.Name != want {
		return nil, fmt.Errorf("the record is a message %s, and the option message says %s", m.Name, want)
	}
	if r := k.conv.reader; r != nil {
		if why := protobuf.Compatible(m, r.message); len(why) > 0 {
			return nil, fmt.Errorf("data of %s cannot be read as %s: %s", m.Name, r.message.Name, strings.Join(why[:min(len(why), 3)], "; "))
		}
		return r.enc, nil
	}
	enc, err := protobuf.NewEncoding(m)
	if err == nil {
		k.conv.Conn.Note(enc.Message(), k.schema)
	}
	return enc, err
}

// maxIndex bounds how deep a message may be declared.
const maxIndex = 64

// parseIndex reads where a message stands in its file: a count and that many
// numbers, zigzag, or the count 0 for the first one. It returns how many bytes
// that takes.
func parseIndex(b []byte) (path []int, n int, err error) {
	count, n := binary.Varint(b)
	switch {
	case n <= 0 || count < 0 || count > maxIndex:
		return nil, 0, errors.New("the index of the message is damaged")
	case count == 0:
		return []int{0}, n, nil
	}
	for range count {
		v, k := binary.Varint(b[n:])
		if k <= 0 || v < 0 || v > 1<<20 {
			return nil, 0, errors.New("the index of the message is damaged")
		}
		path, n = append(path, int(v)), n+k
	}
	return path, n, nil
}

// indexLength is parseIndex for the usual index, the first message.
func indexLength(b []byte) (int, error) {
	if len(b) > 0 && b[0] == 0 {
		return 1, nil
	}
	_, n, err := parseIndex(b)
	return n, err
}

// appendIndex is the reverse of parseIndex.
func appendIndex(dst []byte, path []int) []byte {
	if len(path) == 1 && path[0] == 0 {
		return append(dst, 0)
	}
	dst = binary.AppendVarint(dst, int64(len(path)))
	for _, i := range path {
		dst = binary.AppendVarint(dst, int64(i))
	}
	return dst
}

func (c *converter) NewDecoder() engine.Decode {
	if c.Conn == nil || c.Form() == registered.None && c.given != nil {
		d := &decoder{converter: c, enc: c.given.enc}
		if c.reader != nil {
			d.enc = c.reader.enc
		}
		if c.Conn == nil && !c.config.Strict {
			return nil
		}
		return func(dst, src []byte, _ *engine.Meta) ([]byte, record.Encoding, error) {
			if src == nil {
				return nil, nil, nil
			}
			return d.append(dst, src)
		}
	}
	d := &decoder{converter: c, finder: c.codecs.New()}
	return d.decode
}

// decoder is a working copy.
type decoder struct {
	*converter
	finder *registered.Finder[*codec]

	// enc is what data of last with this index is.
	last  *codec
	index []byte
	enc   *protobuf.Encoding
}

// decode reads data that says what it is, in a header or in a prefix.
func (d *decoder) decode(dst, src []byte, m *engine.Meta) ([]byte, record.Encoding, error) {
	if src == nil {
		return nil, nil, nil
	}
	k, index, data, err := d.finder.Find(src, m)
	if err != nil {
		return dst, nil, err
	}
	if k != d.last || !bytes.Equal(index, d.index) {
		of := k.of(index)
		if of.err != nil {
			return dst, nil, of.err
		}
		d.last, d.index, d.enc = k, append(d.index[:0], index...), of.enc
	}
	return d.append(dst, data)
}

func (d *decoder) append(dst, data []byte) ([]byte, record.Encoding, error) {
	if d.config.Strict {
		if err := d.enc.Check(data); err != nil {
			return dst, nil, err
		}
	}
	return registered.NotNil(append(dst, data...)), d.enc, nil
}

// looks says what bytes are that no registry's Protobuf begins with.
func looks(src []byte) string {
	if src[0] == '{' || src[0] == '[' {
		return `; it looks like JSON, which value "json" reads`
	}
	return "; Protobuf data without a registry is read with the option schema and wire = \"none\""
}
