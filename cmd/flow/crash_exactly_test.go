package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowrecords/flow/engine/checkpoint"
)

const exactlyFileToFile = `
pipeline "crash" {
  delivery        = "exactly_once"
  commit_interval = "20ms"
  max_in_flight   = "256KiB"
  input "file" "in" {
    path = "in.jsonl"
  }
  processor "map" "half" {
    set = { half = "value.seq / 2" }
  }
  output "file" "out" {
    path = "out/out.jsonl"
  }
}
`

// Every record goes to two files, some to a third one that is compressed, and
// those that no number can be made of to the file of errors.
const exactlyFanOut = `
pipeline "crash" {
  delivery        = "exactly_once"
  commit_interval = "20ms"
  max_in_flight   = "256KiB"
  input "file" "in" {
    path = "in.jsonl"
  }
  processor "map" "rest" {
    set = { rest = "value.seq % 10 == 0 ? int('none') : value.seq % 7" }
  }
  output "file" "a" {
    path = "out/out.jsonl"
  }
  output "file" "b" {
    from   = [processor.rest]
    path   = "out/b.csv"
    format = "csv"
    columns = ["seq", "rest"]
    extra   = "ignore"
  }
  processor "filter" "some" {
    from  = [processor.rest]
    where = "value.rest > 4"
  }
  output "file" "c" {
    from = [processor.some]
    path = "out/c.jsonl.gz"
  }
  output "file" "errors" {
    from = [errors]
    path = "out/errors.jsonl"
  }
}
`

// The path of each record has a hole, and few of the files are open at once.
const exactlyPaths = `
pipeline "crash" {
  delivery        = "exactly_once"
  commit_interval = "20ms"
  max_in_flight   = "256KiB"
  input "file" "in" {
    path = "in.jsonl"
  }
  output "file" "out" {
    path     = "out/{{ int(value.seq / 5000) % 3 }}/part-{{ int(value.seq / 1000) % 7 }}.jsonl"
    max_open = 3
  }
  output "file" "all" {
    from = [input.in]
    path = "out/out.jsonl"
  }
}
`

// What is remembered, and what windows hold, is part of a cut, too.
const exactlyDedupe = `
pipeline "crash" {
  delivery        = "exactly_once"
  commit_interval = "20ms"
  max_in_flight   = "256KiB"
  input "file" "in" {
    path = "in.jsonl"
  }
  processor "dedupe" "once" {
    by = "int(value.seq / 3)"
  }
  processor "batch" "window" {
    records = 7
  }
  processor "split" "undo" {}
  output "file" "out" {
    path = "out/out.jsonl"
  }
}
`

// TestCrashExactlyOnce: kill -9 at random moments, and what lies in all files in
// the end is byte for byte what a run leaves that nobody has killed.
func TestCrashExactlyOnce(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, config string }{
		{"file to file", exactlyFileToFile},
		{"fan-out and errors", exactlyFanOut},
		{"many paths", exactlyPaths},
		{"dedupe and windows", exactlyDedupe},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir, calm := t.TempDir(), t.TempDir()
			write(t, filepath.Join(dir, "pipeline.hcl"), tt.config)
			write(t, filepath.Join(calm, "pipeline.hcl"), tt.config)
			issued, kills, behind := exactlyLoop(t, dir)
			startFlow(t, dir, "run", "pipeline.hcl").wait(t)

			appendLines(t, filepath.Join(calm, "in.jsonl"), 0, issued)
			startFlow(t, calm, "run", "pipeline.hcl").wait(t)
			got, want := outputTree(t, dir), outputTree(t, calm)
			t.Logf("%d records, %d kills, %d of them left what had to be taken back; %d files", issued, kills, behind, len(want))
			if names := slices.Sorted(maps.Keys(got)); !slices.Equal(names, slices.Sorted(maps.Keys(want))) {
				t.Errorf("files %q, want %q", names, slices.Sorted(maps.Keys(want)))
			}
			for name := range want {
				if !bytes.Equal(got[name], want[name]) {
					t.Errorf("%s: %s", name, firstDifference(got[name], want[name]))
				}
			}
			if behind == 0 || issued == 0 || len(want["/out.jsonl"]) == 0 {
				t.Errorf("%d of %d kills left something to take back", behind, kills)
			}
		})
	}
}

// exactlyLoop kills flow until it has died often enough: while it writes, or
// anywhere from its start on. behind is how often a file was longer than the
// stored mark.
func exactlyLoop(t *testing.T, dir string) (issued, kills, behind int) {
	t.Helper()
	in, out := filepath.Join(dir, "in.jsonl"), filepath.Join(dir, "out", "out.jsonl")
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	for kills < rounds() {
		appendLines(t, in, issued, roundRecords)
		issued += roundRecords
		target := fileSize(out) + int64(rnd.IntN(roundRecords*lineLen/4))
		ready := func() bool { return fileSize(out) > target }
		if rnd.IntN(4) == 0 {
			at := time.Now().Add(time.Duration(rnd.IntN(300)) * time.Millisecond)
			ready = func() bool { return time.Now().After(at) }
		}
		p := startFlow(t, dir, "run", "pipeline.hcl")
		if !p.killWhen(t, ready) {
			continue // it was faster than the kill: no round
		}
		kills++
		if mark := storedMark(t, dir, out); mark > 0 && fileSize(out) > mark {
			behind++
		}
	}
	return issued, kills, behind
}

// storedMark is how long the file is that the next run goes on with.
func storedMark(t *testing.T, dir, out string) int64 {
	t.Helper()
	store, err := checkpoint.OpenDir(filepath.Join(dir, ".flow"), "crash")
	if err != nil {
		t.Fatalf("opening the checkpoint after a kill: %v", err)
	}
	defer store.Close()
	positions, err := store.Load(context.Background())
	if err != nil {
		t.Fatalf("loading the checkpoint after a kill: %v", err)
	}
	for key, p := range positions {
		var mark struct {
			Files map[string]struct {
				Size int64 `json:"size"`
			} `json:"files"`
		}
		if !strings.HasPrefix(key, "output.") {
			continue
		}
		if err := json.Unmarshal([]byte(p.State), &mark); err != nil {
			t.Fatalf("mark %s: %v", p.State, err)
		}
		if f, ok := mark.Files["out/"+filepath.Base(out)]; ok {
			return f.Size
		}
	}
	return 0
}

// outputTree reads what lies in the folder of the outputs, decompressed.
func outputTree(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	root := filepath.Join(dir, "out")
	all := make(map[string][]byte)
	err := filepath.WalkDir(root, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		if err == nil && strings.HasSuffix(name, ".gz") {
			var z *gzip.Reader
			if z, err = gzip.NewReader(bytes.NewReader(data)); err == nil {
				data, err = io.ReadAll(z)
			}
		}
		all[strings.TrimPrefix(name, root)] = data
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func firstDifference(got, want []byte) string {
	g, w := bytes.Split(got, []byte("\n")), bytes.Split(want, []byte("\n"))
	for i := range min(len(g), len(w)) {
		if !bytes.Equal(g[i], w[i]) {
			return fmt.Sprintf("line %d is %.80q, want %.80q (%d and %d lines)", i+1, g[i], w[i], len(g), len(w))
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}
