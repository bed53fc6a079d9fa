package file

import (
	"path/filepath"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/inputs/internal/framing"
)

// Config holds the options of the file input.
type Config struct {
	Path    string   `flow:"path" doc:"File to read, or a glob: * matches within a name, ** any folders, {a,b} either. Give path or paths." example:"\"orders/*.jsonl\""`
	Paths   []string `flow:"paths" doc:"Files and globs to read. A file that several match is read once." example:"[\"a.jsonl\", \"b/**/*.jsonl\"]"`
	Exclude []string `flow:"exclude" doc:"Globs of files that are left out. A glob without a slash is compared with the file's name alone." example:"[\"*.tmp\"]"`

	Format string `flow:"format" oneof:"lines csv whole avro parquet" doc:"How bytes divide into records: lines, CSV rows as JSON objects, all of a file as one record, or the records of an Avro container file or a Parquet file, which have its schema."`

	framing.Common

	Mode        string `flow:"mode" oneof:"batch tail" doc:"batch reads what is there, files in the order of their names, and ends. tail goes on with what is appended, through rotation and truncation."`
	Compression string `flow:"compression" oneof:"auto none gzip zstd" doc:"How files are compressed; auto goes by the suffix (.gz, .zst)."`

	Timestamp string `flow:"timestamp" oneof:"none mtime" doc:"mtime gives records the time at which their file was last changed, as of opening it."`

	Start          string        `flow:"start" oneof:"beginning end" doc:"Where tail begins in a file that is there at the start and has no stored position. Files that appear later are read from their beginning."`
	PollInterval   time.Duration `flow:"poll_interval" min:"1ms" max:"1h" doc:"How often tail looks whether its files have grown or were rotated. Where the system tells of growth (local files on Linux, macOS, BSD and Windows), records do not wait for that."`
	ScanInterval   time.Duration `flow:"scan_interval" min:"1ms" max:"1h" doc:"How often tail looks for new files."`
	PartialTimeout time.Duration `flow:"partial_timeout" min:"0s" doc:"How long tail waits for the newline of a last line before it delivers what is there. 0s waits for as long as it takes."`
}

// Defaults returns the default of every option.
func Defaults() any {
	return &Config{
		Format:      "lines",
		Common:      framing.DefaultCommon(),
		Mode:        "batch",
		Compression: "auto",
		Timestamp:   "none",

		Start:        "beginning",
		PollInterval: 250 * time.Millisecond,
		ScanInterval: time.Second,
	}
}

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
	ps = append(ps, c.ProblemsOf(c.Format)...)
	if c.Format == "parquet" && (c.Compression == "gzip" || c.Compression == "zstd") {
		add("compression", "a Parquet file is compressed by itself", "Remove compression: what the pages of a file are compressed with stands in the file.")
	}
	if c.Mode == "tail" {
		if c.container() {
			add("mode", "a container file cannot be followed", `Use mode = "batch" with format = "`+c.Format+`": such a file is complete when it is there.`)
		}
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

// container reports that files keep the schema of their records.
func (c *Config) container() bool { return c.Format == "avro" || c.Format == "parquet" }

func optionOf(c *Config, p string) string {
	if p == c.Path {
		return "path"
	}
	return "paths"
}

// globs returns path and paths together.
func (c *Config) globs() []string {
	if c.Path == "" {
		return c.Paths
	}
	return append([]string{c.Path}, c.Paths...)
}

// files returns the paths that are no globs.
func (c *Config) files() []string {
	var paths []string
	for _, p := range c.globs() {
		if !strings.ContainsAny(p, `*?[{\`) && !c.excluded(p) {
			paths = append(paths, p)
		}
	}
	return paths
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

// compression returns how a file is compressed: none, gzip or zstd.
func (c *Config) compression(path string) string {
	if c.Compression != "auto" {
		return c.Compression
	}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".gz", ".gzip":
		return "gzip"
	case ".zst", ".zstd":
		return "zstd"
	}
	return "none"
}
