// Package csvconv is the converter between rows of CSV and values.
package csvconv

import (
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record/csvrow"
)

// Config holds the options of csv.
type Config struct {
	Columns    []string          `flow:"columns,required" doc:"Names of the fields of a row, in order." example:"[\"id\", \"name\", \"amount\"]"`
	Types      map[string]string `flow:"types" doc:"What the text of a column stands for: string, int, float or bool. A column that is not named is a string." example:"{ id = \"int\", amount = \"float\" }"`
	Delimiter  string            `flow:"delimiter" doc:"The character between fields." example:"\";\""`
	Null       []string          `flow:"null" doc:"Texts that stand for a null when they are not quoted. The first one is written for a null and for a column that the object lacks." example:"[\"\", \"NULL\"]"`
	Extra      string            `flow:"extra" oneof:"error ignore" doc:"What writing does with a member that is no column: error refuses the record, ignore leaves the member out."`
	LazyQuotes bool              `flow:"lazy_quotes" doc:"Takes a quote within a field as text when reading. Otherwise it is an error of the record."`
}

// Defaults is what an empty block means.
func Defaults() *Config {
	return &Config{Delimiter: ",", Null: []string{""}, Extra: "error"}
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
	if len(bad) > 0 || len(c.Columns) == 0 {
		return ps
	}
	if _, err := csvrow.NewColumns(c.Columns, types, c.Null); err != nil {
		ps = append(ps, engine.Problem{Option: "columns", Summary: "columns do not fit", Detail: "Correct columns or types: " + err.Error() + "."})
	}
	return ps
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
