package frame

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/flowrecords/flow/connections/ocf"
	"github.com/flowrecords/flow/connections/parquetfile"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/avro"
	"github.com/flowrecords/flow/engine/schema"
)

// rowSpool collects the records of one Parquet file. Only the end of such a file
// says what is in it, so its rows wait, checked and packed, in an Avro container
// file of byte strings, which can be continued and cut back like any other. The
// schema of that file carries theirs.
type rowSpool struct {
	o *Container
	c *container

	// Of the file at hand.
	s       *parquetfile.Schema // nil before its first record
	p       *parquetfile.Packer
	writers map[record.Encoding]writer
	packed  []byte
}

// spoolSchema is the Avro schema of such a container.
type spoolSchema struct {
	Type string     `json:"type"`
	Rows *spoolRows `json:"flow.rows"`
}

type spoolRows struct {
	Version int             `json:"version"`
	JSON    bool            `json:"json"`
	Schema  json.RawMessage `json:"schema"`
}

// RowsOf returns the schema of the rows that a container holds for a Parquet
// file; nil if it is another one.
func RowsOf(h *ocf.Header) (*parquetfile.Schema, error) {
	var s spoolSchema
	if err := json.Unmarshal([]byte(h.Schema.Source()), &s); err != nil || s.Rows == nil {
		return nil, nil //nolint:nilerr // the schema of other records
	}
	if s.Rows.Version != parquetfile.PackVersion {
		return nil, fmt.Errorf("the rows were left by another version of flow (form %d, this one knows %d)", s.Rows.Version, parquetfile.PackVersion)
	}
	flow, err := schema.ParseJSON(s.Rows.Schema)
	if err != nil {
		return nil, fmt.Errorf("the schema of the rows: %w", err)
	}
	return parquetfile.FromSchema(flow, parquetfile.Options{JSON: s.Rows.JSON})
}

// Row returns the packed row that a record of such a container is.
func Row(v []byte) []byte {
	_, n := binary.Varint(v)
	return v[max(n, 0):]
}

func (r *rowSpool) restart() { r.s, r.p, r.writers = nil, nil, nil }

// use settles the schema of the file.
func (r *rowSpool) use(s *parquetfile.Schema) (err error) {
	if r.p, err = s.NewPacker(); err != nil {
		return err
	}
	r.s, r.writers = s, map[record.Encoding]writer{}
	return nil
}

func (r *rowSpool) resume(h *ocf.Header) error {
	s, err := RowsOf(h)
	if err == nil && s == nil {
		err = errors.New("it does not hold the rows of a Parquet file")
	}
	if err != nil {
		return err
	}
	return r.use(s)
}

// first takes the schema of the first record.
func (r *rowSpool) first(from record.Encoding) error {
	flow := r.o.Rows
	if flow == nil {
		flow = record.SchemaOf(from)
	}
	if flow == nil {
		return errNoSchema
	}
	s, err := parquetfile.FromSchema(flow, parquetfile.Options{JSON: r.o.JSON})
	if err != nil {
		return err
	}
	text, err := flow.MarshalJSON()
	if err != nil {
		return err
	}
	text, err = json.Marshal(spoolSchema{Type: "bytes", Rows: &spoolRows{Version: parquetfile.PackVersion, JSON: r.o.JSON, Schema: text}})
	if err != nil {
		return err
	}
	a, err := avro.Parse(text)
	if err != nil {
		return err
	}
	enc, err := avro.NewEncoding(a)
	if err != nil {
		return err
	}
	if err := r.use(s); err != nil {
		return err
	}
	return r.c.begin(enc, newHeader(a, "snappy"))
}

// columnSchema is FileSchema for Parquet files.
func (o *Container) columnSchema(s *schema.Schema) (*schema.Schema, error) {
	flow := o.Rows
	if flow == nil {
		flow = s
	}
	own, err := parquetfile.FromSchema(flow, parquetfile.Options{JSON: o.JSON})
	if err == nil {
		_, err = conversion(s, own.Flow())
	}
	if err != nil {
		return nil, err
	}
	return own.Flow(), nil
}

// append appends the record's row.
func (r *rowSpool) append(dst, v []byte, from record.Encoding) ([]byte, error) {
	if r.s == nil {
		if err := r.first(from); err != nil {
			r.restart()
			return dst, err
		}
	}
	w, ok := r.writers[from]
	if !ok {
		w = r.writer(from)
		r.writers[from] = w
	}
	if w.err != nil {
		return dst, w.err
	}
	var err error
	if r.packed, err = w.write(r.packed[:0], v); err != nil {
		return dst, err
	}
	dst = binary.AppendVarint(dst, int64(len(r.packed)))
	return append(dst, r.packed...), nil
}

func (r *rowSpool) writer(from record.Encoding) writer {
	is, to := record.SchemaOf(from), r.s.Flow()
	p := r.p
	if is == nil && (from == nil || record.IsJSON(from)) {
		return writer{write: p.Append}
	}
	if is == nil {
		return writer{err: errNoSchema}
	}
	convert, err := conversion(is, to)
	if err != nil {
		return writer{err: fmt.Errorf("the record does not fit the schema of the file: %w", err)}
	}
	var text, other []byte
	return writer{write: func(dst, v []byte) (_ []byte, err error) {
		if !record.IsJSON(from) {
			if text, err = from.AppendJSON(text[:0], v); err != nil {
				return dst, err
			}
			v = text
		}
		if convert != nil {
			if other, err = convert.Append(other[:0], v); err != nil {
				return dst, err
			}
			v = other
		}
		return p.Append(dst, v)
	}}
}

// conversion returns how records of one schema become those of another; nil if
// they are the same. What the other has no place for is an error.
func conversion(from, to *schema.Schema) (*schema.Plan, error) {
	if from == to || schema.EqualTypes(from, to) {
		return nil, nil
	}
	plan, err := schema.NewPlan(from, to, schema.Resolution)
	if err != nil {
		// A field that is not there and may be null needs no default.
		var perr error
		if plan, perr = schema.NewPlan(from, to, schema.Projection); perr != nil {
			return nil, err
		}
	}
	for _, c := range schema.Diff(from, to) {
		if c.Kind == schema.Removed {
			return nil, fmt.Errorf("%s: the schema of the file has no such field", c.Path)
		}
	}
	return plan, nil
}
