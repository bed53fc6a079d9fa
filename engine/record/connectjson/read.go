package connectjson

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"time"

	"github.com/flowrecords/flow/engine/internal/jsontext"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/connect"
)

// Read implements record.Lazy.
func (e *Encoding) Read(d *record.Doc, raw []byte, p record.Place) (record.Value, error) {
	t, text := e.access(d).list[p.Note], raw[p.Start:p.End:p.End]
	switch s := t.n.Schema; s.Type {
	case schema.Int8, schema.Int16, schema.Int32, schema.Int64, schema.Uint8, schema.Uint16, schema.Uint32:
		v, err := strconv.ParseInt(string(text), 10, 64)
		return record.IntValue(v), err
	case schema.Date, schema.Time, schema.Timestamp, schema.LocalTimestamp, schema.Duration:
		v, err := strconv.ParseInt(string(text), 10, 64)
		return clock(s, v), err
	case schema.String:
		if bytes.IndexByte(text, '\\') < 0 {
			return record.RawJSON(text), nil
		}
		own, err := unquoted(d, text)
		return record.TextValue(own), err
	case schema.Bytes:
		own, err := d.Make(func(dst []byte) ([]byte, error) {
			return base64.StdEncoding.AppendDecode(dst, text[1:len(text)-1])
		})
		if own == nil && err == nil {
			own = []byte{} // empty, not null
		}
		return record.BytesValue(own), err
	case schema.Any:
		own, err := unquoted(d, text)
		return record.RawJSON(own), err
	case schema.Bool, schema.Float32, schema.Float64, schema.UUID, schema.Enum:
		return record.RawJSON(text).As(s)
	case schema.Decimal, schema.Uint64:
		if text[0] != '"' {
			return record.RawJSON(text).As(s)
		}
	}
	own, err := d.Make(func(dst []byte) ([]byte, error) { return t.typed(e).Append(dst, text) })
	if err != nil {
		return record.Value{}, err
	}
	return record.RawJSON(own).As(t.n.Schema)
}

// typed returns what makes a value of the path typed JSON text.
func (t *wanted) typed(e *Encoding) *connect.Reader {
	if t.reader == nil {
		t.reader = connect.NewReader(t.n.Schema, e.options())
	}
	return t.reader
}

func unquoted(d *record.Doc, text []byte) ([]byte, error) {
	return d.Make(func(dst []byte) ([]byte, error) { return jsontext.AppendUnquoted(dst, text), nil })
}

// clock is the date or time that is n units of s.
func clock(s *schema.Schema, n int64) record.Value {
	switch s.Type {
	case schema.Date:
		return record.TimeValue(time.Unix(n*24*60*60, 0).UTC())
	case schema.Time, schema.Duration:
		return record.DurationValue(time.Duration(n * (int64(time.Second) / s.Unit.PerSecond())))
	default:
		sec, nsec := s.Unit.Split(n)
		return record.TimeValue(time.Unix(sec, int64(nsec)).UTC())
	}
}
