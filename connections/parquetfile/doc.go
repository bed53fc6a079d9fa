// Package parquetfile reads and writes Apache Parquet files as typed JSON text
// of a flow schema. It is shared by the file input and output.
//
// A record goes into columns in two steps. A Packer checks its text against the
// schema and makes a packed row of it, so that a record which the file cannot
// hold is refused when it comes; a Writer then puts packed rows into columns,
// where nothing of them can be wrong any more. A Reader puts rows together from
// the columns, a page of each at a time.
//
// Files come from outside. Every length and count that is read has a bound, and
// what the library makes of damaged data, panics too, is an error.
package parquetfile
