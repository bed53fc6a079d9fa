package file

import (
	"github.com/flowrecords/flow/engine"
)

// Factory describes the file output.
func Factory() engine.OutputFactory {
	return engine.OutputFactory{
		Component: engine.Component{
			Type:        "file",
			Summary:     "Writes records to files.",
			Description: description,
			Defaults:    func() any { return Defaults() },
			Examples: []engine.Example{
				{Title: "Lines added to one file", HCL: `pipeline "copy" {
  input "stdin" "in" {}

  output "file" "out" {
    path = "out/orders.jsonl"
  }
}
`},
				{Title: "A compressed file each hour, or sooner when it is large", HCL: `pipeline "archive" {
  input "stdin" "in" {}

  output "file" "archive" {
    path = "archive/orders.jsonl.zst"
    rotate {
      interval = "1h"
      size     = "256MiB"
    }
  }
}
`},
				{Title: "One CSV file for each country", HCL: `pipeline "countries" {
  input "stdin" "in" {}

  output "file" "countries" {
    path    = "out/country-{{ value.country }}.csv"
    format  = "csv"
    columns = ["id", "country", "amount"]
    extra   = "ignore"
  }
}
`},
				{Title: "What failed, with everything that is known about it", HCL: `pipeline "checked" {
  input "stdin" "in" {}

  output "file" "out" {
    path = "out/orders.jsonl"
  }

  output "file" "failed" {
    from   = [errors]
    path   = "out/failed.jsonl"
    format = "envelope"
  }
}
`},
			},
		},
		Files: func(config any) []string {
			c := config.(*Config)
			if c.Path.Source == nil || c.Rotate != nil {
				return nil // a file that rotates gets a number
			}
			if path, ok := c.Path.Source.Literal(); ok {
				return []string{path}
			}
			return nil
		},
		Container: func(config any) string {
			if c := config.(*Config); c.container() {
				return c.Format
			}
			return ""
		},
		Schemas: func(config any, in engine.Schemas) (engine.Schemas, []engine.Problem) {
			return config.(*Config).schemas(in)
		},
		Delivery: func(config any) engine.Delivery { return config.(*Config).delivery() },
		New: func(config any, env engine.Env) (engine.Output, error) {
			return newOutput(config.(*Config), env, osFS{})
		},
	}
}

// delivery says what fsync makes of a confirmation, and whether what was written
// can be taken back.
func (c *Config) delivery() engine.Delivery {
	d := c.confirms()
	if d.Marks = c.Rotate == nil; !d.Marks {
		d.Unmarked = "a file that rotates has its final name when it is complete, and others may have taken it (rotate)"
	}
	return d
}

func (c *Config) confirms() engine.Delivery {
	switch c.Fsync {
	case fsyncBatch:
		return engine.Delivery{Confirms: "it is forced to the disk (fsync = batch)"}
	case fsyncClose:
		return engine.Delivery{
			Confirms: "the operating system has it; it is forced to the disk when its file is complete (fsync = close)",
			Lossy:    "a power cut can take records of a file that is not complete, though their position is stored",
		}
	case fsyncNever:
		return engine.Delivery{
			Confirms: "the operating system has it; nothing forces it to the disk (fsync = never)",
			Lossy:    "a power cut can take records, though their position is stored",
		}
	}
	return engine.Delivery{Confirms: "the operating system has it; it is forced to the disk before its position is stored (fsync = commit)"}
}

const description = "Adds records to a file, or writes one file after another with `rotate`. With `{{ }}` in the path every record names its file, " +
	"below the folder of the literal part; `max_open` bounds how many are open.\n\n" +
	"**Formats.** `lines` (default) writes the value and a newline, `csv` a header and rows, `envelope` one JSON object with everything that a record has " +
	"(what one wants for an errors file), `raw` only the bytes. A record that the format cannot hold goes to the errors edge: a text with a newline in `lines`, " +
	"a null in all but `envelope`, a value that is no JSON object in `csv`. Options say otherwise.\n\n" +
	"`avro` writes Avro object container files of blocks of about 1 MiB, compressed as the block `avro` says. Each file has the schema of its first record, or that of `schema`; a record that does not fit it goes to the errors edge. " +
	"It needs `rotate`, so that nobody sees a file before it is complete.\n\n" +
	"`parquet` writes Apache Parquet files, which keep the types, names and docs of their records' schema; it, too, takes that of the first record or that of `schema`, and needs `rotate`. " +
	"A record is checked against its columns and confirmed as any other, in the partial file, which a crash leaves to be continued; the Parquet file is made of it when it is complete (`rotate` counts the bytes " +
	"of the partial file, and about as much room is needed again for that moment) and gets its name when the disk has all of it. Records wait for so long.\n\n" +
	"**What is safe when.** A record is confirmed when the operating system has it: from then on it survives a crash and `kill -9` of flow. Against a power cut, `fsync` says when " +
	"it is forced to the disk. With `\"commit\"` (default) that is before the position of its source is stored, so every record that a power cut takes is read again; it costs a forced write " +
	"each time that positions are stored: after `commit_interval`, or `max_in_flight` bytes if that is sooner. `\"batch\"` does so before anything is confirmed, at most 1 MiB of records at once: for sources that cannot be read again, and as slow as the disk is. With `\"close\"` only a file that is complete " +
	"is on the disk for sure, and a power cut can take records of the last half minute or so, though their position is stored; `\"never\"` leaves that to the operating system too.\n\n" +
	"An error of the disk while data is forced out stops the pipeline, since the system forgets what it could not write and a second try would say that all is well. The position was not stored, so the " +
	"records are read again by the next start; the error says from which byte on the file should be looked at.\n\n" +
	"**After a crash** a file holds whole records only: a small journal, `.NAME.flow`, stands beside a file while it is being written, and the next start " +
	"cuts off what was not confirmed. Do not remove it. Content that was there before is never cut. Only one process at a time can write a file.\n\n" +
	"**Exactly once.** In a pipeline with `delivery = \"exactly_once\"` the length of each file is stored together with the positions of the inputs, and the next start cuts back to it, " +
	"or removes, what came after it; those records are read again. Until then such records are there to be seen: who reads a file along must expect that its end goes back. " +
	"Only regular files without `rotate` can do so. Content of somebody else is never cut, also what is added between two runs.\n\n" +
	"**Rotation.** A file is written as `.NAME.partial` and appears as `NAME-20060102T150405Z-0001.EXT`, named by the time of its first record in UTC, when it is complete. " +
	"A program that collects files never sees half of one. A partial file is continued by the next start.\n\n" +
	"**Compression** writes self-contained members of about 1 MiB of records, ended earlier when no more records are waiting, so that everything confirmed can be read at any time. " +
	"Records are confirmed when their member has been written.\n\n" +
	"**Disk full.** A write that fails for want of room is cut back to the last whole record and repeated until there is room, or stops the pipeline with `on_full = \"stop\"`.\n\n" +
	"**Other programs.** Truncation by log rotation (copytruncate) and additions at a quiet moment are noticed and respected. A file that is renamed is still written to, so use `rotate` instead."
