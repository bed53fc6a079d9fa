package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/flowrecords/flow/connections/ocf"
	"github.com/flowrecords/flow/connections/parquetfile"
)

// crashContainers writes files that rotate; %s are the format and its options.
// The files are large enough that completing one takes a while.
const crashContainers = `
pipeline "crash" {
  commit_interval = "20ms"
  max_in_flight   = "1MiB"
  input "file" "in" {
    path = "in.jsonl"
  }
  processor "filter" "all" {
    where = "value.seq >= 0"
  }
  output "file" "out" {
    path   = "out/o.%[1]s"
    format = %[1]q
    schema = "struct{seq int64, pad string}"
    rotate {
      records = %[2]d
    }
    %[3]s
  }
}
`

// reading yields the records of a complete file, and fails on one that is not.
type reading func(t *testing.T, name string, data []byte, record func(text []byte))

func readColumns(t *testing.T, name string, data []byte, record func([]byte)) {
	// The library has a reader of its own: what it opens is no matter of taste
	// of ours.
	other, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	r, err := parquetfile.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	defer r.Close()
	n := int64(0)
	for ; ; n++ {
		v, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%s: record %d: %v", name, n, err)
		}
		record(v)
	}
	if other.NumRows() != n {
		t.Fatalf("%s holds %d records and says %d", name, n, other.NumRows())
	}
}

func readBlocks(t *testing.T, name string, data []byte, record func([]byte)) {
	r, err := ocf.NewReader(bufio.NewReader(bytes.NewReader(data)), 0)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	defer r.Close()
	for {
		v, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		var text []byte
		if err == nil {
			text, err = r.Encoding().AppendJSON(nil, v)
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		record(text)
	}
}

// TestCrashContainers: kill -9 at random moments, also while a file is being
// completed, and no file is ever seen that is not whole, none changes after it
// was seen, and every record is in them, in order.
func TestCrashContainers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		format, options string
		records         int
		read            reading
	}{
		{"parquet", `parquet {
      compression       = "zstd"
      row_group_records = 1500
    }`, 4000, readColumns},
		{"avro", `avro { codec = "zstandard" }`, 4000, readBlocks},
	} {
		t.Run(tt.format, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, filepath.Join(dir, "pipeline.hcl"), fmt.Sprintf(crashContainers, tt.format, tt.records, tt.options))
			c := &containerCrash{dir: dir, format: tt.format, read: tt.read, seen: map[string][]byte{}}
			c.loop(t)
			startFlow(t, dir, "run", "pipeline.hcl").wait(t)
			c.look(t)
			y := c.tally(t)
			t.Logf("%d records in %d files, %d kills: %d while records waited in a partial file, %d while one was being made; %s",
				c.issued, len(c.seen), c.kills, c.waiting, c.making, y)
			y.checkRestarts(t, c.kills)
			if left, err := filepath.Glob(filepath.Join(dir, "out", ".*")); err != nil || len(left) > 0 {
				t.Errorf("left are %v, %v", left, err)
			}
			if !c.met() {
				t.Error("no kill came at such a moment")
			}
			// What comes twice is what was in flight: each run goes on where the
			// one before had stored its position.
			for _, seq := range y.resumed {
				i := slices.Index(c.restarts, seq)
				if i < 0 {
					t.Errorf("a run went on at record %d, where no position was stored", seq)
					continue
				}
				c.restarts = c.restarts[i+1:]
			}
		})
	}
}

type containerCrash struct {
	dir, format   string
	read          reading
	seen          map[string][]byte // complete files, as they were first seen
	issued, kills int
	// Kills that left a partial file with records, and one that was being made of
	// it, or that had not got its name.
	waiting, making int
	restarts        []int // the record at the stored position after each kill
}

// met reports that there were kills at all the moments that matter.
func (c *containerCrash) met() bool {
	return c.waiting > 0 && (c.making > 0 || c.format != "parquet")
}

func (c *containerCrash) glob(t *testing.T, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(c.dir, "out", pattern))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func (c *containerCrash) loop(t *testing.T) {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	partial := filepath.Join(c.dir, "out", ".o."+c.format+".partial")
	making := filepath.Join(c.dir, "out", ".o."+c.format+".rows")
	for c.kills < rounds() || c.kills < 10*rounds() && !c.met() {
		appendLines(t, filepath.Join(c.dir, "in.jsonl"), c.issued, roundRecords)
		c.issued += roundRecords
		var ready func() bool
		files := len(c.glob(t, "o-*")) + rnd.IntN(5)
		switch rnd.IntN(3) {
		case 0: // anywhere
			at := time.Now().Add(time.Duration(rnd.IntN(300)) * time.Millisecond)
			ready = func() bool { return time.Now().After(at) }
		case 1: // records wait, behind some files
			size := int64(1 + rnd.IntN(20<<10))
			ready = func() bool { return len(c.glob(t, "o-*")) >= files && fileSize(partial) > size }
		default: // a file is being completed
			size := int64(rnd.IntN(8 << 10))
			ready = func() bool {
				return len(c.glob(t, "o-*")) >= files && (c.format == "avro" || fileSize(making) > size)
			}
		}
		p := startFlow(t, c.dir, "run", "pipeline.hcl")
		if !p.killWhen(t, ready) {
			continue // it was faster than the kill: no round
		}
		c.kills++
		if fileSize(partial) > 0 {
			c.waiting++
		}
		if _, err := os.Stat(making); err == nil {
			c.making++
		}
		c.restarts = append(c.restarts, int(storedOffset(t, c.dir)/lineLen))
		c.look(t)
	}
}

// look reads the files that are seen for the first time, and sees that the
// others are as they were.
func (c *containerCrash) look(t *testing.T) {
	t.Helper()
	names := c.glob(t, "o-*")
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if was, ok := c.seen[name]; !ok {
			c.seen[name] = data
			c.read(t, name, data, func([]byte) {})
		} else if !bytes.Equal(was, data) {
			t.Fatalf("%s was complete and has changed", name)
		}
	}
	if len(names) != len(c.seen) {
		t.Fatalf("%d files are left of %d that were complete", len(names), len(c.seen))
	}
}

// tally counts the records in the order of the files.
func (c *containerCrash) tally(t *testing.T) *tally {
	t.Helper()
	y := &tally{}
	for _, name := range slices.Sorted(maps.Keys(c.seen)) {
		c.read(t, name, c.seen[name], func(text []byte) {
			if len(text)+1 != lineLen {
				t.Fatalf("%s holds %s", name, text)
			}
			seq, err := seqOf(text)
			if err == nil {
				err = y.check(seq)
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		})
	}
	if y.next != c.issued {
		t.Fatalf("%d records arrived, %d were issued", y.next, c.issued)
	}
	return y
}
