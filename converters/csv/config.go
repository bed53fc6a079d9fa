// Package csvconv is the converter between rows of CSV and values.
package csvconv

import (
	"errors"
	"fmt"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record/csvrow"
	"github.com/flowrecords/flow/engine/schema"
)

// Config holds the options of csv.
type Config struct {
	Columns    []string            `flow:"columns" doc:"Names of the fields of a row, in order. Required unless schema names them." example:"[\"id\", \"name\", \"amount\"]"`
	Schema     engine.SchemaOption `flow:"schema" notation:"type" doc:"The columns with their types: a schema block or a type, which is a struct. Values read then have this schema: decimals, times and the like are values of their own, and a column that is not optional refuses a null." example:"\"struct{id int64, name string, price decimal(10,2)?}\""`
	Types      map[string]string   `flow:"types" doc:"What the text of a column stands for: string, int, float or bool. A column that is not named is a string." example:"{ id = \"int\", amount = \"float\" }"`
	Delimiter  string              `flow:"delimiter" doc:"The character between fields." example:"\";\""`
	Null       []string            `flow:"null" doc:"Texts that stand for a null when they are not quoted. The first one is written for a null and for a column that the object lacks." example:"[\"\", \"NULL\"]"`
	Extra      string              `flow:"extra" oneof:"error ignore" doc:"What writing does with a member that is no column: error refuses the record, ignore leaves the member out."`
	Nested     string              `flow:"nested" oneof:"error json" doc:"What writing does with an array or object of records that have a schema: error refuses them, json writes its JSON text. Without a schema it is always JSON text."`
	LazyQuotes bool                `flow:"lazy_quotes" doc:"Takes a quote within a field as text when reading. Otherwise it is an error of the record."`
}

// Defaults is what an empty block means.
func Defaults() *Config {
	return &Config{Delimiter: ",", Null: []string{""}, Extra: "error", Nested: "error"}
}

// Validate implements engine.Validator.
func (c *Config) Validate() []engine.Problem {
	var ps []engine.Problem
	if _, err := csvrow.ParseDelimiter(c.Delimiter); err != nil {
		ps = append(ps, engine.Problem{Option: "delimiter", Summary: "delimiter is not one character",
			Detail: `Write a single ASCII character that is neither a quote nor a line end, such as "," or ";" or "\t".`})
	}
	types, bad := c.types()
	ps = append(ps, bad...)
	switch {
	case !c.Schema.IsZero():
		return append(ps, c.validateSchema()...)
	case len(bad) > 0:
		return ps
	case len(c.Columns) == 0:
		return append(ps, engine.Problem{Option: "columns", Summary: "no columns", Detail: "Name the fields of a row in columns, or give them with their types in schema."})
	}
	if _, err := csvrow.NewColumns(c.Columns, types, c.Null); err != nil {
		ps = append(ps, engine.Problem{Option: "columns", Summary: "columns do not fit", Detail: "Correct columns or types: " + err.Error() + "."})
	}
	return ps
}

func (c *Config) validateSchema() []engine.Problem {
	if len(c.Columns) > 0 || len(c.Types) > 0 {
		return []engine.Problem{{Option: "schema", Summary: "schema besides columns or types", Detail: "The schema names the columns and their types: remove columns and types."}}
	}
	if _, err := c.schema(); err != nil {
		return []engine.Problem{{Option: "schema", Summary: "schema cannot be used", Detail: "Correct the schema: " + err.Error() + "."}}
	}
	return nil
}

// schema reads the schema.
func (c *Config) schema() (*schema.Schema, error) {
	s := c.Schema.Schema
	switch {
	case s.Type != schema.Struct || s.Optional || len(s.Fields) == 0:
		return nil, errors.New("a row is a struct of at least one field that is not optional itself")
	}
	for i := range s.Fields {
		if f := &s.Fields[i]; f.Schema.Type.IsComplex() || f.Schema.Type == schema.Any {
			return nil, fmt.Errorf("column %q is of type %s, and a field of CSV holds one plain value", f.Name, f.Schema.Type)
		}
	}
	return s, nil
}

// types reads the names of the types.
func (c *Config) types() (map[string]csvrow.Type, []engine.Problem) {
	var ps []engine.Problem
	types := make(map[string]csvrow.Type, len(c.Types))
	for column, name := range c.Types {
		t, err := csvrow.ParseType(name)
		if err != nil {
			ps = append(ps, engine.Problem{Option: "types", Summary: "unknown column type",
				Detail: "Column " + column + ": " + err.Error() + "."})
			continue
		}
		types[column] = t
	}
	return types, ps
}
