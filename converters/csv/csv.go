package csvconv

import (
	"errors"
	"fmt"
	"slices"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/csvrow"
	"github.com/flowrecords/flow/engine/record/row"
	"github.com/flowrecords/flow/engine/schema"
)

// Factory describes csv.
func Factory() engine.ConverterFactory {
	return engine.ConverterFactory{
		Component: engine.Component{
			Type:    "csv",
			Summary: "Values are single rows of CSV.",
			Description: "Reading: a row (RFC 4180, with or without its line end) becomes a JSON object with the columns in their order. A row with another number of fields, " +
				"a text that does not fit its type, or bytes that are not UTF-8 are errors of the record. A column that is `int`, `float` or `bool` becomes a JSON number or boolean.\n\n" +
				"Writing: a JSON object becomes a row without line end, fields quoted where they must be. Numbers keep their digits; an array or object becomes its JSON text, of records with a schema only with `nested = \"json\"`. " +
				"A value that is no object, or has a member that is no column, is an error of the record.\n\n" +
				"With `schema` each column has a type of its own, and the value keeps it until it is written: `decimal(10,2)` keeps its digits, `timestamp` is `2006-01-02T15:04:05Z`, `date` is `2006-01-02`, `duration` is `1h30m`, `bytes` are base64. " +
				"A column that is not optional and stands for a null is an error of the record, but for a text, where nothing at all is the empty text.\n\n" +
				"There is no header: a record is a row. Files with a header are read and written by the `file` input and output with `format = \"csv\"`; their columns get types of their own from `types` for numbers and a block `value \"json\"` with `schema`, as the second example shows.\n\n" +
				"A record without value (a tombstone) stays one in both directions, while the JSON text `null` is no object and so an error of the record. " +
				"A null within a row is an unquoted field that `null` lists; by default the empty one, so that `\"\"` is an empty text and nothing at all is a null.",
			Defaults: func() any { return Defaults() },
			Examples: []engine.Example{{Title: "Rows to objects", HCL: `pipeline "rows" {
  input "stdin" "in" {
    value "csv" {
      columns = ["id", "name", "amount"]
      types   = { id = "int", amount = "float" }
    }
  }

  output "stdout" "out" {}
}
`}, {Title: "A file with a header, whose columns have types", HCL: `pipeline "prices" {
  input "file" "prices" {
    path   = "prices.csv"
    format = "csv"
    types  = { id = "int", price = "float" }
    null   = [""]

    value "json" {
      schema = "struct{id int64, name string, price decimal(10,2)?, since date?}"
    }
  }

  output "stdout" "out" {}

  output "file" "failed" {
    from   = [errors]
    path   = "failed.jsonl"
    format = "envelope"
  }
}
`}},
		},
		New: newConverter,
	}
}

type converter struct {
	rows    *row.Encoding // nil: JSON objects
	dialect csvrow.Dialect
	columns *csvrow.Columns
	write   csvrow.WriterOptions
	named   string // the option that names the columns
	json    bool   // arrays and objects of a schema become their JSON text
}

func newConverter(config any, _ engine.Env) (engine.Converter, error) {
	c := config.(*Config)
	delimiter, err := csvrow.ParseDelimiter(c.Delimiter)
	if err != nil {
		return nil, err
	}
	types, bad := c.types()
	if len(bad) > 0 {
		return nil, errors.New(bad[0].Detail)
	}
	names, named := c.Columns, "columns"
	var rows *row.Encoding
	if !c.Schema.IsZero() {
		s, err := c.schema()
		if err != nil {
			return nil, err
		}
		rows, names, named = row.Of(s), nil, "schema"
		for i := range s.Fields {
			names = append(names, s.Fields[i].Name)
		}
	}
	columns, err := csvrow.NewColumns(names, types, c.Null)
	if err != nil {
		return nil, err
	}
	conv := &converter{
		rows:    rows,
		dialect: csvrow.Dialect{Delimiter: delimiter, Lazy: c.LazyQuotes},
		columns: columns,
		named:   named,
		json:    c.Nested == "json",
		write:   csvrow.WriterOptions{Delimiter: delimiter, IgnoreUnknown: c.Extra == "ignore"},
	}
	if len(c.Null) > 0 {
		conv.write.Null = c.Null[0]
	}
	return conv, nil
}

func (c *converter) Decoded() record.Encoding {
	if c.rows != nil {
		return c.rows
	}
	return record.JSON
}

var _ engine.Typed = (*converter)(nil)

// Decodes implements engine.Typed.
func (c *converter) Decodes() *schema.Schema { return record.SchemaOf(c.Decoded()) }

// Encodes implements engine.Typed.
func (c *converter) Encodes() *schema.Schema { return record.SchemaOf(c.Decoded()) }

func (c *converter) NewDecoder() engine.Decode {
	parser, rows := csvrow.NewParser(c.dialect), c.newReader()
	return func(dst, src []byte, _ *engine.Meta) ([]byte, record.Encoding, error) {
		if src == nil {
			return nil, nil, nil
		}
		fields, err := parser.Parse(src)
		if err != nil {
			return dst, nil, err
		}
		if c.rows != nil {
			dst, err = rows.append(dst, fields)
			return dst, nil, err
		}
		dst, err = c.columns.AppendJSON(dst, fields)
		return dst, nil, err
	}
}

func (c *converter) NewEncoder(from record.Encoding) engine.Encode {
	schemed := record.SchemaOf(from) != nil && !record.IsJSON(from)
	if from != nil && !record.IsJSON(from) && !schemed {
		return refuse(from)
	}
	if s := record.SchemaOf(from); s != nil && !c.json {
		for i := range s.Fields {
			if f := &s.Fields[i]; f.Schema.Type.IsComplex() && slices.Contains(c.columns.Names(), f.Name) {
				return refusal(fmt.Errorf("%s is of type %s, and a field of csv holds one plain value (nested = \"json\" writes its JSON text)", schema.FieldStep(f.Name), f.Schema.Type))
			}
		}
	}
	var text []byte
	w, err := csvrow.NewWriter(c.columns.Names(), c.write)
	if err != nil {
		panic(err) // newConverter has made the same columns
	}
	return func(dst, src []byte, _ *engine.Meta) ([]byte, error) {
		if src == nil {
			return nil, nil
		}
		if schemed {
			var err error
			if text, err = from.AppendJSON(text[:0], src); err != nil {
				return dst, err
			}
			src = text
		}
		return w.AppendRow(dst, src)
	}
}

// refuse is the encoder of values that have no columns.
func refuse(from record.Encoding) engine.Encode {
	return refusal(fmt.Errorf("csv needs JSON objects, and the value is %s (a json converter decodes it)", from.Name()))
}

func refusal(err error) engine.Encode {
	return func(dst, src []byte, _ *engine.Meta) ([]byte, error) {
		if src == nil {
			return nil, nil
		}
		return dst, err
	}
}
