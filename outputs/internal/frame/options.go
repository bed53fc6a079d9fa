// Package frame turns records into the bytes of a file or stream: lines, CSV
// rows, envelopes, or just their bytes.
package frame

import (
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record/csvrow"
)

// The formats.
const (
	Lines    = "lines"
	CSV      = "csv"
	Envelope = "envelope"
	Raw      = "raw"
	Avro     = "avro"
	Parquet  = "parquet"
)

// Options are the options of every output that writes framed records, to be
// embedded in its Config.
type Options struct {
	Format string `flow:"format" oneof:"lines csv envelope raw" doc:"lines writes each value and a newline; a JSON value that spans lines is put on one. csv writes a header and one row for each JSON object. envelope writes one JSON object for each record, with key, value, headers, topic, partition, offset, timestamp and, for a failed record, its error. raw writes the values without anything between them."`

	Common
}

// Common are the options but for the format itself, for outputs that know
// further formats.
type Common struct {
	Newlines   string   `flow:"newlines" oneof:"error keep" doc:"What lines does with a text or bytes value that holds a newline: error refuses the record, keep writes it as it is, so that a reader sees several lines."`
	Tombstones string   `flow:"tombstones" oneof:"error skip empty" doc:"What lines, csv and raw do with a record whose value is null: error refuses it, skip leaves it out and counts it as dropped, empty writes an empty line or row. envelope writes null."`
	Columns    []string `flow:"columns" doc:"The columns of csv, in order. Without it they are the members of the first record of a file, or the header that the file has." example:"[\"id\", \"amount\"]"`
	Extra      string   `flow:"extra" oneof:"error ignore" doc:"What csv does with a member that is no column: error refuses the record, ignore leaves the member out."`
	Header     bool     `flow:"header" doc:"Whether csv starts each file with a row of the column names."`
	Delimiter  string   `flow:"delimiter" doc:"The character between the fields of csv." example:"\"\\t\""`
	Null       string   `flow:"null" doc:"The text that csv writes for a member that is null or missing."`

	// Container holds what the formats Avro and Parquet need beside; no option by itself.
	Container Container
}

// DefaultOptions is what absent options mean.
func DefaultOptions() Options {
	return Options{Format: Lines, Common: DefaultCommon()}
}

// DefaultCommon is what absent options of Common mean.
func DefaultCommon() Common {
	return Common{Newlines: "error", Tombstones: "error", Extra: "error", Header: true, Delimiter: ","}
}

// Validate reports the mistakes that the tags cannot express.
func (o *Options) Validate() []engine.Problem {
	var ps []engine.Problem
	if _, err := csvrow.ParseDelimiter(o.Delimiter); err != nil {
		ps = append(ps, engine.Problem{Option: "delimiter", Summary: "delimiter is not one character",
			Detail: `Write a single ASCII character that is neither a quote nor a line end, such as "," or ";" or "\t".`})
	}
	seen := make(map[string]bool, len(o.Columns))
	for _, c := range o.Columns {
		if seen[c] {
			ps = append(ps, engine.Problem{Option: "columns", Summary: "column is named twice",
				Detail: "The column " + c + " stands in the list more than once. Remove one of them."})
		}
		seen[c] = true
	}
	if o.Format != CSV {
		if len(o.Columns) > 0 {
			ps = append(ps, engine.Problem{Option: "columns", Summary: "columns without csv",
				Detail: `Columns are written by format = "csv" only. Set the format or remove the columns.`})
		}
		return ps
	}
	if len(o.Columns) == 0 && !o.Header {
		ps = append(ps, engine.Problem{Option: "columns", Summary: "csv without header needs columns",
			Detail: "Nothing would say which column is which. Name the columns, or leave the header on."})
	}
	return ps
}
