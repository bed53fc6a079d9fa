package file

import (
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record/csvrow"
	"github.com/flowrecords/flow/inputs/internal/framing"
)

// Config holds the options of the file input.
type Config struct {
	Path    string   `flow:"path" doc:"File to read, or a glob: * matches within a name, ** any folders, {a,b} either. Give path or paths." example:"\"orders/*.jsonl\""`
	Paths   []string `flow:"paths" doc:"Files and globs to read. A file that several match is read once." example:"[\"a.jsonl\", \"b/**/*.jsonl\"]"`
	Exclude []string `flow:"exclude" doc:"Globs of files that are left out. A glob without a slash is compared with the file's name alone." example:"[\"*.tmp\"]"`

	Format      string `flow:"format" oneof:"lines csv whole" doc:"How a file divides into records: its lines, CSV rows as JSON objects, or the whole file as one record."`
	Mode        string `flow:"mode" oneof:"batch tail" doc:"batch reads what is there, files in the order of their names, and ends. tail goes on with what is appended, through rotation and truncation."`
	Compression string `flow:"compression" oneof:"auto none gzip zstd" doc:"How files are compressed; auto goes by the suffix (.gz, .zst)."`

	MaxRecord engine.ByteSize `flow:"max_record" min:"1" max:"1GiB" doc:"Largest record. A longer one goes to the errors edge with its beginning, and is never held as a whole."`
	StripCR   bool            `flow:"strip_cr" doc:"Drop a carriage return before the newline. Without it lines keep all their bytes. For format = \"lines\"."`
	Multiline *Multiline      `flow:"multiline,block" doc:"Joins lines to records by a pattern. For format = \"lines\"."`
	Timestamp string          `flow:"timestamp" oneof:"none mtime" doc:"mtime gives records the time at which their file was last changed, as of opening it."`

	Delimiter  string            `flow:"delimiter" doc:"Character between the fields of a CSV row." example:"\"\\t\""`
	Header     bool              `flow:"header" doc:"The first CSV row names the columns."`
	Columns    []string          `flow:"columns" doc:"Names of the CSV columns, in order. With header = true they replace the names in the file."`
	Types      map[string]string `flow:"types" doc:"Types of CSV columns: string, int, float or bool. Columns without one are strings." example:"{ price = \"float\", qty = \"int\" }"`
	Null       []string          `flow:"null" doc:"Texts of unquoted CSV fields that stand for null." example:"[\"\", \"NULL\"]"`
	LazyQuotes bool              `flow:"lazy_quotes" doc:"Take a quote at a wrong place of a CSV row as text. Without it such a row is an error."`

	Start          string        `flow:"start" oneof:"beginning end" doc:"Where tail begins in a file that is there at the start and has no stored position. Files that appear later are read from their beginning."`
	PollInterval   time.Duration `flow:"poll_interval" min:"1ms" max:"1h" doc:"How often tail looks whether its files have grown or were rotated."`
	ScanInterval   time.Duration `flow:"scan_interval" min:"1ms" max:"1h" doc:"How often tail looks for new files."`
	PartialTimeout time.Duration `flow:"partial_timeout" min:"0s" doc:"How long tail waits for the newline of a last line before it delivers what is there. 0s waits for as long as it takes."`
}

// Multiline holds the options of the multiline block.
type Multiline struct {
	Start    engine.Pattern `flow:"start,required" doc:"Regular expression; a line that matches begins a record." example:"\"^[0-9]{4}-\""`
	MaxLines int            `flow:"max_lines" min:"1" max:"1000000" doc:"Most lines of a record. Further lines begin a record of their own."`
	Timeout  time.Duration  `flow:"timeout" min:"0s" doc:"How long tail waits for a further line of the last record. 0s waits for as long as it takes."`
}

// Defaults returns the default of every option.
func Defaults() any {
	return &Config{
		Format:      "lines",
		Mode:        "batch",
		Compression: "auto",
		MaxRecord:   limits.RecordBytes,
		Timestamp:   "none",

		Delimiter: ",",
		Header:    true,

		Start:        "beginning",
		PollInterval: 250 * time.Millisecond,
		ScanInterval: time.Second,
	}
}

// The defaults of a multiline block's numbers, which a block that leaves them
// out has as 0.
const (
	defaultMaxLines         = 1000
	defaultMultilineTimeout = 5 * time.Second
)

// Validate reports the mistakes that the options' types cannot express.
func (c *Config) Validate() []engine.Problem {
	var ps []engine.Problem
	add := func(option, summary, detail string) {
		ps = append(ps, engine.Problem{Option: option, Summary: summary, Detail: detail})
	}
	if c.Path == "" && len(c.Paths) == 0 {
		add("", "no path", `Give path = "FILE" or paths = ["FILE", ...].`)
	}
	for _, p := range c.globs() {
		if !doublestar.ValidatePathPattern(p) {
			add(optionOf(c, p), "invalid glob", "The glob "+p+" has an unclosed bracket or brace.")
		}
	}
	for _, p := range c.Exclude {
		if !doublestar.ValidatePathPattern(p) {
			add("exclude", "invalid glob", "The glob "+p+" has an unclosed bracket or brace.")
		}
	}
	c.validateFormat(add)
	if c.Mode == "tail" {
		if c.Format == "whole" {
			add("mode", "a whole file cannot be followed", `Use mode = "batch" with format = "whole", or another format.`)
		}
		if c.Compression == "gzip" || c.Compression == "zstd" {
			add("mode", "a compressed file cannot be followed", `Use mode = "batch", or compression = "auto", with which compressed files are read once.`)
		}
	} else {
		if c.Start != "beginning" {
			add("start", "start is for tail", `Files are read from their beginning in mode = "batch".`)
		}
		if c.PartialTimeout != 0 {
			add("partial_timeout", "partial_timeout is for tail", `The last line of a file is a record at once in mode = "batch".`)
		}
	}
	return ps
}

func optionOf(c *Config, p string) string {
	if p == c.Path {
		return "path"
	}
	return "paths"
}

func (c *Config) validateFormat(add func(option, summary, detail string)) {
	if c.Format != "lines" {
		if c.Multiline != nil {
			add("multiline", "multiline joins lines", `It needs format = "lines".`)
		}
		if c.StripCR {
			add("strip_cr", "strip_cr is for lines", `It needs format = "lines".`)
		}
	} else if c.Multiline != nil && c.StripCR {
		add("strip_cr", "strip_cr does not go with multiline", "Records of several lines keep all their bytes.")
	}
	if c.Format != "csv" {
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
		return
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
}

// globs returns path and paths together.
func (c *Config) globs() []string {
	if c.Path == "" {
		return c.Paths
	}
	return append([]string{c.Path}, c.Paths...)
}

// excluded reports whether a file is left out.
func (c *Config) excluded(path string) bool {
	for _, glob := range c.Exclude {
		subject := path
		if !strings.ContainsRune(filepath.ToSlash(glob), '/') {
			subject = filepath.Base(path)
		}
		if ok, _ := doublestar.PathMatch(filepath.Clean(glob), subject); ok {
			return true
		}
	}
	return false
}

// framing returns how the input's streams are cut.
func (c *Config) framing(lim engine.BatchLimits) framing.Options {
	o := framing.Options{
		StripCR: c.StripCR, MaxRecord: int(c.MaxRecord), Records: lim.Records, Bytes: lim.Bytes,
		Header: c.Header, Columns: c.Columns, Nulls: c.Null,
	}
	switch {
	case c.Format == "csv":
		o.Format = framing.CSV
		o.Dialect.Lazy = c.LazyQuotes
		o.Dialect.Delimiter, _ = csvrow.ParseDelimiter(c.Delimiter)
		o.Types = make(map[string]csvrow.Type, len(c.Types))
		for name, t := range c.Types {
			o.Types[name], _ = csvrow.ParseType(t)
		}
	case c.Format == "whole":
		o.Format = framing.Whole
	case c.Multiline != nil:
		o.Format = framing.Multiline
		o.Start, o.MaxLines = c.Multiline.Start.Regexp, c.Multiline.MaxLines
		if o.MaxLines == 0 {
			o.MaxLines = defaultMaxLines
		}
	}
	return o
}
