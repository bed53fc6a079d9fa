package file

import (
	"strconv"
	"time"

	"github.com/flowrecords/flow/connections/parquetfile"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record/avro"
	"github.com/flowrecords/flow/outputs/internal/frame"
)

// Config holds the options of the file output.
type Config struct {
	Path   engine.Template `flow:"path,required,destination" doc:"The file to write. With {{ }} holes every record names its own file below the folder of the literal prefix." example:"\"out/orders.jsonl\""`
	Append bool            `flow:"append" doc:"Adds to what the file holds. false refuses a file that has content already, unless a crashed run left it half written. A file that rotates is never added to."`
	Rotate *Rotate         `flow:"rotate,block" doc:"Writes one file after another. A file is visible under its final name, NAME-TIME-NUMBER.EXT, only when it is complete."`

	Format string `flow:"format" oneof:"lines csv envelope raw avro parquet" doc:"lines writes each value and a newline; a JSON value that spans lines is put on one. csv writes a header and one row for each JSON object. envelope writes one JSON object for each record, with key, value, headers, topic, partition, offset, timestamp and, for a failed record, its error. raw writes the values without anything between them. avro writes Avro object container files and parquet Apache Parquet files, both with rotate."`

	frame.Common

	Schema  engine.SchemaOption `flow:"schema" notation:"avro type" doc:"Schema of the files of format avro and parquet: a schema block, or Avro's JSON text. Empty: that of the first record of each file, to which the others must fit." example:"file(\"order.avsc\")"`
	Avro    Avro                `flow:"avro,block" doc:"How the files of format avro are laid out, and their schema where it is that of the records."`
	Parquet Parquet             `flow:"parquet,block" doc:"How the files of format parquet are laid out."`

	Compression string `flow:"compression" oneof:"auto none gzip zstd" doc:"auto goes by the suffix of the path: .gz or .zst."`
	Level       int    `flow:"compression_level" unit:"" min:"0" max:"11" doc:"Effort of the compression: 1 to 9 for gzip, 1 to 11 for zstd. 0 is the library's default."`

	Fsync string `flow:"fsync" oneof:"commit batch close never" doc:"When data is forced to the disk. commit: before the position of a source is stored, so a power cut takes no record that would not be read again; it costs a forced write each time that positions are stored, after commit_interval or max_in_flight bytes of the pipeline. batch: before records are confirmed, at most 1 MiB of them at once. close: when a file is complete; a power cut can take records behind which the position is stored. never: left to the operating system. All of them survive a crash of flow."`

	OnFull  string `flow:"on_full" oneof:"retry stop" doc:"What a full disk or an exhausted quota does: retry waits and tries again for as long as it takes, stop ends the pipeline."`
	Mkdir   bool   `flow:"mkdir" doc:"Makes missing folders."`
	Mode    string `flow:"mode" doc:"Permissions of a new file, octal. Empty: 0666 less the umask." example:"\"0640\""`
	MaxOpen int    `flow:"max_open" unit:"files" min:"1" max:"10000" doc:"Most files that are open at once when the path has holes. The least recently used one is closed, which completes a file that rotates."`
}

// Avro says how Avro container files are laid out, and what the options of the
// converter avro say of schemas.
type Avro struct {
	Codec            string `flow:"codec" oneof:"null deflate snappy zstandard" doc:"How the blocks of a file are compressed, with the effort of compression_level."`
	Lenient          bool   `flow:"lenient" doc:"When records are written with a schema that is not their own: leaves out members that it lacks, rounds digits that it does not keep, writes the default for a null that it does not allow, text for other scalars, and a branch of a union under another name. Otherwise these are errors of the record."`
	RecordName       string `flow:"record_name" doc:"Full name of a record whose schema has none. Empty: io.confluent.connect.avro.ConnectDefault, as Kafka Connect names it." example:"\"shop.Order\""`
	Untyped          string `flow:"untyped" oneof:"error json" doc:"What becomes of a field whose type is not known: json writes it as a string of JSON text."`
	DecimalPrecision int    `flow:"decimal_precision" unit:"digits" min:"1" max:"1000" doc:"Precision of decimals that say none."`
	ScrubNames       bool   `flow:"scrub_names" doc:"Replaces characters that Avro does not allow in names by underscores. Otherwise such a name is an error."`
}

// Parquet says how Parquet files are laid out.
type Parquet struct {
	Compression     string          `flow:"compression" oneof:"snappy zstd gzip none" doc:"How pages are compressed, with the effort of compression_level."`
	RowGroupSize    engine.ByteSize `flow:"row_group_size" min:"64KiB" max:"1GiB" doc:"Bytes of records, before encoding and compression, after which a row group ends. So much is in memory while a file is made."`
	RowGroupRecords int64           `flow:"row_group_records" unit:"records" min:"1" doc:"Records after which a row group ends."`
	JSON            bool            `flow:"json" doc:"Writes what Parquet has no types for (unions, recursive types, values without a type) as a column of JSON text. Without it such a schema is an error."`
}

// Rotate says when a file is complete. At least one limit is needed.
type Rotate struct {
	Size     engine.ByteSize `flow:"size" min:"1" doc:"Bytes that a file holds at most; only a single larger record makes it larger, and with compression up to 1 MiB of records." example:"\"256MiB\""`
	Interval time.Duration   `flow:"interval" min:"1ms" doc:"How long after its first record a file is complete." example:"\"1h\""`
	Records  int64           `flow:"records" unit:"records" min:"1" doc:"Records that a file holds at most." example:"100000"`
}

// Defaults is what an empty block means.
func Defaults() *Config {
	return &Config{
		Append:      true,
		Format:      frame.Lines,
		Common:      frame.DefaultCommon(),
		Avro:        defaultAvro(),
		Parquet:     defaultParquet(),
		Compression: "auto",
		Fsync:       fsyncCommit,
		OnFull:      "retry",
		Mkdir:       true,
		MaxOpen:     64,
	}
}

func defaultAvro() Avro {
	return Avro{Codec: "deflate", Untyped: "error", DecimalPrecision: avro.DefaultPrecision}
}

func (a *Avro) from() avro.FromOptions {
	return avro.FromOptions{Name: a.RecordName, Untyped: a.Untyped == "json", Precision: a.DecimalPrecision, Scrub: a.ScrubNames}
}

func defaultParquet() Parquet {
	return Parquet{Compression: "snappy", RowGroupSize: parquetfile.DefaultGroupBytes, RowGroupRecords: parquetfile.DefaultGroupRows}
}

// container reports that files keep the schema of their records.
func (c *Config) container() bool { return c.Format == frame.Avro || c.Format == frame.Parquet }

// The values of fsync.
const (
	fsyncCommit = "commit"
	fsyncBatch  = "batch"
	fsyncClose  = "close"
	fsyncNever  = "never"
)

// Validate implements engine.Validator.
func (c *Config) Validate() []engine.Problem {
	options := c.frame()
	ps := options.Validate()
	ps = append(ps, c.containerProblems()...)
	if c.Rotate != nil && c.Rotate.Size == 0 && c.Rotate.Interval == 0 && c.Rotate.Records == 0 {
		ps = append(ps, engine.Problem{Option: "rotate", Summary: "rotate has no limit",
			Detail: "Nothing would ever complete a file. Set size, interval or records."})
	}
	if c.Rotate != nil && !c.Append {
		ps = append(ps, engine.Problem{Option: "append", Summary: "append does not go with rotate",
			Detail: "A file that rotates is always a new one. Remove append or rotate."})
	}
	if _, err := c.perm(); err != nil {
		ps = append(ps, engine.Problem{Option: "mode", Summary: "mode is no octal number",
			Detail: `Write the permissions as chmod takes them, such as "0640".`})
	}
	if c.Compression == "gzip" && c.Level > 9 {
		ps = append(ps, engine.Problem{Option: "compression_level", Summary: "gzip has no such level",
			Detail: "gzip knows the levels 1 to 9."})
	}
	if c.Compression == "none" && c.Level != 0 {
		ps = append(ps, engine.Problem{Option: "compression_level", Summary: "level without compression",
			Detail: "Set compression or remove the level."})
	}
	return ps
}

// frame returns how records become bytes.
func (c *Config) frame() frame.Options {
	o := frame.Options{Format: c.Format, Common: c.Common}
	o.Container = frame.Container{
		Schema: c.avroText(), From: c.Avro.from(), Codec: c.Avro.Codec, Lenient: c.Avro.Lenient, Level: c.Level, Rows: c.Schema.Schema, JSON: c.Parquet.JSON,
	}
	return o
}

// containerProblems reports mistakes of the formats avro and parquet.
func (c *Config) containerProblems() []engine.Problem {
	var ps []engine.Problem
	add := func(option, summary, detail string) {
		ps = append(ps, engine.Problem{Option: option, Summary: summary, Detail: detail})
	}
	if c.Format != frame.Parquet && c.Parquet != defaultParquet() {
		add("parquet", "parquet is for Parquet files", `It needs format = "parquet".`)
	}
	if c.Format != frame.Avro && c.Avro != defaultAvro() {
		add("avro", "avro is for Avro files", `It needs format = "avro".`)
	}
	if !c.container() {
		if !c.Schema.IsZero() {
			add("schema", "schema is for container files", `It needs format = "avro" or "parquet".`)
		}
		return ps
	}
	if c.Rotate == nil {
		add("rotate", "container files need rotate", `A container file is only seen when it is complete, and rotate says when that is. Write for example: rotate { size = "128MiB" }. At the end of the run the last file is completed, too.`)
	}
	if c.Compression == gz || c.Compression == zst {
		add("compression", "container files compress by themselves", c.codecHint())
	}
	if c.Format == frame.Parquet {
		if c.Schema.Schema != nil {
			if _, err := parquetfile.FromSchema(c.Schema.Schema, parquetfile.Options{JSON: c.Parquet.JSON}); err != nil {
				add("schema", "Parquet cannot carry the schema", "Correct the option schema: "+err.Error()+".")
			}
		}
		return ps
	}
	if c.Schema.Schema != nil && c.Schema.Notation != engine.NotationAvro {
		if _, err := avro.FromSchema(c.Schema.Schema, c.Avro.from()); err != nil {
			add("schema", "Avro cannot carry the schema", "Correct the option schema: "+err.Error()+".")
		}
	}
	return ps
}

func (c *Config) codecHint() string {
	if c.Format == frame.Parquet {
		return `Remove compression and choose it for pages: parquet { compression = "zstd" }.`
	}
	return `Remove compression and choose a codec for blocks: avro { codec = "zstandard" }.`
}

// avroText is the option schema as Avro writes it; empty without.
func (c *Config) avroText() string {
	if c.Format == frame.Parquet {
		return ""
	}
	if c.Schema.Schema == nil || c.Schema.Notation == engine.NotationAvro {
		return c.Schema.Text
	}
	s, err := avro.FromSchema(c.Schema.Schema, c.Avro.from())
	if err != nil {
		return "" // Validate has said so
	}
	return s.Text()
}

// perm returns the permissions of a new file, 0 when the umask decides.
func (c *Config) perm() (uint32, error) {
	if c.Mode == "" {
		return 0, nil
	}
	m, err := strconv.ParseUint(c.Mode, 8, 32)
	if err != nil || m == 0 || m > 0o777 {
		return 0, strconv.ErrSyntax
	}
	return uint32(m), nil
}
