package file

import (
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/schema"
)

// Factory describes the file input.
func Factory() engine.InputFactory {
	return engine.InputFactory{
		Component: engine.Component{
			Type:        "file",
			Summary:     "Reads files: lines, CSV rows, Avro and Parquet records or whole contents, once or as they grow.",
			Description: description,
			Defaults:    Defaults,
			Examples:    examples(),
		},
		New:            newInput,
		KeyConverter:   "json",
		ValueConverter: "json",
		Bounded:        func(config any) bool { return config.(*Config).Mode != "tail" },
		FixedTopics:    func(any) []string { return nil },
		Files:          func(config any) []string { return config.(*Config).files() },
		Container: func(config any) string {
			if c := config.(*Config); c.container() {
				return c.Format
			}
			return ""
		},
		Schemas: func(config any) engine.Schemas {
			if config.(*Config).container() {
				return engine.Schemas{Value: schema.Unknown}
			}
			return engine.Schemas{}
		},
	}
}

const description = `
Several files are read one after another, sorted by path. The position of each
file is kept in bytes of its uncompressed content, together with what tells the
file from another one of the same name (inode and a fingerprint of its first
KiB): a run goes on where the one before has confirmed, a file that was replaced
or truncated is read from its beginning.

With ` + "`format = \"lines\"`" + ` a record is what stands before a newline, byte for byte: an
empty line is an empty record, a carriage return stays (see strip_cr), NUL bytes
and a byte order mark are data. A last line without newline is a record; what is
appended to it before the next run is a record of its own.

With ` + "`format = \"csv\"`" + ` a row (RFC 4180, quoted fields may hold newlines) becomes a
JSON object of its fields in the order of the header; empty lines and a byte
order mark are skipped. A row with the wrong number of fields, a quote at a wrong
place, invalid UTF-8 or a field that does not fit its type goes to the errors
edge as it stands in the file. A header that cannot be used fails every row.

With ` + "`format = \"avro\"`" + ` a file is an Avro object container file. Its records have
the schema that stands in its header and stay Avro until something needs them in
another form; a value block has nothing to decode. Blocks may be compressed with
deflate, snappy or zstandard. Positions count records: a run goes on within a
file without unpacking what is before. Damage ends a file as that of a compressed
one does.

With ` + "`format = \"parquet\"`" + ` a file is an Apache Parquet file. Its rows become typed JSON
text of its schema, in the order of the columns: dates, times, decimals, 64-bit
integers, lists, maps and structs keep their types. What flow has written comes
back with names, docs and defaults. A page of each column is in memory at a time;
pages may be compressed with snappy, gzip, zstd, brotli or lz4. Positions count
rows, and row groups before one are not read. A value that is none of its type,
such as a text that is no UTF-8, fails its row alone; other damage ends a file.
An INTERVAL is read as ISO 8601 text, INT96 as a timestamp, BSON as bytes.

With ` + "`format = \"whole\"`" + ` each file is one record of at most max_record bytes.

Compressed files may have several members. One that is damaged or cut short
delivers the records before the damage; the rest is one failed record.

` + "`mode = \"tail\"`" + ` looks for growth at every poll_interval; there are no
notifications of the file system. A line is delivered once its newline is there.
A file that is renamed is read on: under its new name if a glob matches that,
otherwise to its end before the new file of the old name is begun. One that was
rotated away before it was begun is found by its name, ` + "`app.log.1`" + ` or
` + "`app.log-20260131`" + ` for ` + "`app.log`" + `, unless it is removed or compressed by then: let a glob
match the rotated names if flow may be slower than that. A file that is
truncated is read from its beginning; what was not read by then is lost to the
program that truncated it, so prefer rotation by renaming. Compressed files are
read once, when they are complete.

Expressions see ` + "`meta.path`, `meta.file`" + ` (its last element) and ` + "`meta.input`" + `; offset
is the byte at which the record begins.
`

func examples() []engine.Example {
	return []engine.Example{
		{Title: "Lines of compressed files", HCL: `pipeline "orders" {
  input "file" "orders" {
    path    = "orders/**/*.jsonl.gz"
    exclude = ["*.tmp.gz"]
  }

  output "stdout" "out" {}
}
`},
		{Title: "CSV with types", HCL: `pipeline "prices" {
  input "file" "prices" {
    path      = "prices.csv"
    format    = "csv"
    delimiter = ";"
    types     = { price = "float", qty = "int" }
    null      = [""]
  }

  output "stdout" "out" {}
}
`},
		{Title: "Follow a log with stack traces", HCL: `pipeline "log" {
  input "file" "app" {
    path = "/var/log/app/app.log"
    mode = "tail"

    multiline {
      start   = "^[0-9]{4}-[0-9]{2}-[0-9]{2} "
      timeout = "2s"
    }

    value "string" {}
  }

  output "stdout" "out" {}
}
`},
	}
}
