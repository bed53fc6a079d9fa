package framing

import (
	"slices"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record/csvrow"
)

// Config holds the options that say how bytes divide into records. Inputs
// embed it.
type Config struct {
	Format string `flow:"format" oneof:"lines csv whole" doc:"How bytes divide into records: lines, CSV rows as JSON objects, or all of a file as one record."`

	Common
}

// Common are the options but for the format itself, for inputs that know
// further formats.
type Common struct {
	MaxRecord engine.ByteSize `flow:"max_record" min:"1" max:"1GiB" doc:"Largest record. A longer one goes to the errors edge with its beginning, and is never held as a whole."`
	StripCR   bool            `flow:"strip_cr" doc:"Drop a carriage return before the newline. Without it lines keep all their bytes. For format = \"lines\"."`
	Multiline *MultilineBlock `flow:"multiline,block" doc:"Joins lines to records by a pattern. For format = \"lines\"."`

	Delimiter  string            `flow:"delimiter" doc:"Character between the fields of a CSV row." example:"\"\\t\""`
	Header     bool              `flow:"header" doc:"The first CSV row names the columns."`
	Columns    []string          `flow:"columns" doc:"Names of the CSV columns, in order. With header = true they replace the names in the header." example:"[\"id\", \"price\"]"`
	Types      map[string]string `flow:"types" doc:"Types of CSV columns: string, int, float or bool. Columns without one are strings." example:"{ price = \"float\", qty = \"int\" }"`
	Null       []string          `flow:"null" doc:"Texts of unquoted CSV fields that stand for null." example:"[\"\", \"NULL\"]"`
	LazyQuotes bool              `flow:"lazy_quotes" doc:"Take a quote at a wrong place of a CSV row as text. Without it such a row is an error."`
}

// MultilineBlock holds the options of the multiline block.
type MultilineBlock struct {
	Start    engine.Pattern `flow:"start,required" doc:"Regular expression; a line that matches begins a record." example:"\"^[0-9]{4}-\""`
	MaxLines int            `flow:"max_lines" unit:"lines" min:"0" max:"1000000" doc:"Most lines of a record; further lines begin a record of their own. 0 means 1000."`
	Timeout  time.Duration  `flow:"timeout" min:"0s" doc:"How long to wait for a further line of the last record while nothing more comes. 0s waits for as long as it takes."`
}

// defaultMaxLines is what max_lines = 0 means.
const defaultMaxLines = 1000

// DefaultConfig returns the default of every option.
func DefaultConfig() Config {
	return Config{Format: "lines", Common: DefaultCommon()}
}

// DefaultCommon returns the default of every option of Common.
func DefaultCommon() Common {
	return Common{MaxRecord: limits.RecordBytes, Delimiter: ",", Header: true}
}

// Problems reports the mistakes that the options' types cannot express.
func (c *Config) Problems() []engine.Problem { return c.ProblemsOf(c.Format) }

// ProblemsOf is Problems with that format.
func (c *Common) ProblemsOf(format string) []engine.Problem {
	var ps []engine.Problem
	add := func(option, summary, detail string) {
		ps = append(ps, engine.Problem{Option: option, Summary: summary, Detail: detail})
	}
	if format != "lines" {
		if c.Multiline != nil {
			add("multiline", "multiline joins lines", `It needs format = "lines".`)
		}
		if c.StripCR {
			add("strip_cr", "strip_cr is for lines", `It needs format = "lines".`)
		}
	} else if c.Multiline != nil && c.StripCR {
		add("strip_cr", "strip_cr does not go with multiline", "Records of several lines keep all their bytes.")
	}
	if format != "csv" {
		for _, o := range []struct {
			name string
			set  bool
		}{
			{"delimiter", c.Delimiter != ","}, {"header", !c.Header}, {"columns", len(c.Columns) > 0},
			{"types", len(c.Types) > 0}, {"null", len(c.Null) > 0}, {"lazy_quotes", c.LazyQuotes},
		} {
			if o.set {
				add(o.name, o.name+" is for CSV", `It needs format = "csv".`)
			}
		}
		return ps
	}
	if _, err := csvrow.ParseDelimiter(c.Delimiter); err != nil {
		add("delimiter", "invalid delimiter", "It must be one ASCII character, neither a quote nor a line break.")
	}
	if !c.Header && len(c.Columns) == 0 {
		add("columns", "the columns have no names", "Without a header the option columns must name them.")
	}
	for name, t := range c.Types {
		if _, err := csvrow.ParseType(t); err != nil {
			add("types", "unknown column type", "Column "+name+": "+err.Error()+".")
		}
		if len(c.Columns) > 0 && !slices.Contains(c.Columns, name) {
			add("types", "type for an unknown column", "There is no column "+name+" in the option columns.")
		}
	}
	if len(c.Columns) > 0 {
		if _, err := csvrow.NewColumns(c.Columns, nil, nil); err != nil {
			add("columns", "invalid columns", "In the option columns "+err.Error()+".")
		}
	}
	return ps
}

// Options returns how streams are cut into batches of these limits.
func (c *Config) Options(lim engine.BatchLimits) Options { return c.OptionsOf(c.Format, lim) }

// OptionsOf is Options with that format.
func (c *Common) OptionsOf(format string, lim engine.BatchLimits) Options {
	o := Options{
		StripCR: c.StripCR, MaxRecord: int(c.MaxRecord), Records: lim.Records, Bytes: lim.Bytes,
		Header: c.Header, Columns: c.Columns, Nulls: c.Null,
	}
	switch {
	case format == "csv":
		o.Format = CSV
		o.Dialect.Lazy = c.LazyQuotes
		o.Dialect.Delimiter, _ = csvrow.ParseDelimiter(c.Delimiter)
		o.Types = make(map[string]csvrow.Type, len(c.Types))
		for name, t := range c.Types {
			o.Types[name], _ = csvrow.ParseType(t)
		}
	case format == "whole":
		o.Format = Whole
	case c.Multiline != nil:
		o.Format = Multiline
		o.Start, o.MaxLines = c.Multiline.Start.Regexp, c.Multiline.MaxLines
		if o.MaxLines == 0 {
			o.MaxLines = defaultMaxLines
		}
	}
	return o
}
