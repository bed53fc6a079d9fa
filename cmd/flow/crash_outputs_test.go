package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/flowrecords/flow/engine/checkpoint"
)

// manyOutputs forks two inputs into outputs of every kind: plain, compressed,
// rotating, with a name from the record, and for errors.
const manyOutputs = `
pipeline "crash" {
  commit_interval = "20ms"
  max_in_flight   = "256KiB"
  input "file" "in" {
    path = "in-*.jsonl"
  }
  input "file" "more" {
    path = "more.jsonl"
  }
  processor "map" "mark" {
    set = { src = "meta.file" }
  }
  output "file" "all" {
    path = "all.jsonl"
  }
  processor "map" "shape" {
    set    = { parts = "value.seq % 50 == 7 ? int(value.pad) : [0, 1, 2]" }
    remove = ["pad"]
  }
  processor "route" "parity" {
    case "even" {
      when = "value.seq % 2 == 0"
    }
  }
  processor "split" "parts" {
    from = [processor.parity.even]
    path = "parts"
    into = "part"
  }
  output "file" "parts" {
    path = "parts/part.jsonl.gz"
    rotate {
      records = 5000
    }
  }
  output "file" "odd" {
    from = [processor.parity]
    path = "odd.jsonl"
  }
  output "file" "by_source" {
    from = [processor.parity]
    path = "by/s-{{ value.src }}.zst"
  }
  output "file" "dead" {
    from   = [errors]
    path   = "dead.jsonl"
    format = "envelope"
  }
}
`

// arrivals are the sequence numbers of one source at one output, in order.
type arrivals map[string][]int

// arrivalsIn reads files of records, one JSON object a line.
func arrivalsIn(t *testing.T, dir, glob string) arrivals {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, glob))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	all := make(arrivals)
	for _, name := range names {
		data := unpacked(t, name)
		if len(data) > 0 && data[len(data)-1] != '\n' {
			t.Fatalf("%s ends within a record", name)
		}
		for line := range bytes.Lines(data) {
			type fields struct {
				Src   string
				Seq   int
				Part  int
				Value json.RawMessage
			}
			var r fields
			err := json.Unmarshal(line, &r)
			if err == nil && r.Value != nil { // an envelope
				err = json.Unmarshal(r.Value, &r)
			}
			if err != nil || r.Src == "" {
				t.Fatalf("%s: record %q: %v", name, line, err)
			}
			n := r.Seq
			if strings.HasPrefix(glob, "parts") {
				n = n*3 + r.Part
			}
			all[r.Src] = append(all[r.Src], n)
		}
	}
	return all
}

// unpacked reads a file, decompressed by its name.
func unpacked(t *testing.T, name string) []byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = f
	switch filepath.Ext(name) {
	case ".gz":
		r, err = gzip.NewReader(f)
	case ".zst":
		r, err = zstd.NewReader(f)
	}
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return data
}

// wanted lists what must arrive at an output of a source with n records.
func wanted(output string, n int) []int {
	var list []int
	for i := range n {
		bad, odd := i%50 == 7, i%2 == 1
		switch output {
		case "all.jsonl":
			list = append(list, i)
		case "parts/*.gz":
			if !odd {
				list = append(list, 3*i, 3*i+1, 3*i+2)
			}
		case "dead.jsonl":
			if bad {
				list = append(list, i)
			}
		default:
			if odd && !bad {
				list = append(list, i)
			}
		}
	}
	return list
}

// TestCrashManyOutputs: kill -9 at random moments, with two inputs, several
// files, and outputs of every kind behind a fork. Each output has everything
// of each source in order, and after each kill the stored positions are not
// ahead of any plain output.
func TestCrashManyOutputs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "pipeline.hcl"), manyOutputs)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 4))
	sources := []string{"in-a.jsonl", "in-b.jsonl", "more.jsonl"}
	const perRound = 4000
	all := filepath.Join(dir, "all.jsonl")

	issued, kills := 0, 0
	for kills < shortRounds {
		for _, s := range sources {
			appendLines(t, filepath.Join(dir, s), issued, perRound)
		}
		issued += perRound
		target := fileSize(all) + int64(rnd.IntN(perRound*len(sources)*lineLen*9/10))
		p := startFlow(t, dir, "run", "pipeline.hcl")
		if !p.killWhen(t, func() bool { return fileSize(all) > target }) {
			continue // it was faster than the kill: no round
		}
		kills++
		checkPositions(t, dir)
	}
	startFlow(t, dir, "run", "pipeline.hcl").wait(t)

	for _, output := range []string{"all.jsonl", "parts/*.gz", "odd.jsonl", "by/*.zst", "dead.jsonl"} {
		got := arrivalsIn(t, dir, output)
		for _, s := range sources {
			checkArrivals(t, output+" of "+s, got[s], wanted(output, issued), kills)
		}
	}
}

// checkArrivals takes the numbers in order; a step back is a restart.
func checkArrivals(t *testing.T, what string, got, want []int, kills int) {
	t.Helper()
	y := &tally{}
	for _, n := range got {
		i, found := slices.BinarySearch(want, n)
		if !found {
			t.Fatalf("%s: record %d does not belong there", what, n)
		}
		if err := y.check(i); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	if y.next != len(want) {
		t.Fatalf("%s: %d records arrived, %d were issued", what, y.next, len(want))
	}
	y.checkRestarts(t, kills)
}

// checkPositions compares the checkpoint after a kill with the plain outputs:
// Invariant 1.
func checkPositions(t *testing.T, dir string) {
	t.Helper()
	store, err := checkpoint.OpenDir(filepath.Join(dir, ".flow"), "crash")
	if err != nil {
		t.Fatalf("opening the checkpoint after a kill: %v", err)
	}
	defer store.Close()
	positions, err := store.Load(t.Context())
	if err != nil {
		t.Fatalf("loading the checkpoint after a kill: %v", err)
	}
	for _, output := range []string{"all.jsonl", "odd.jsonl", "dead.jsonl"} {
		whole := wholeLines(t, dir, output)
		for key, p := range positions {
			source := filepath.Base(key)
			if p.Offset%lineLen != 0 {
				t.Fatalf("%s: position %d is within a record", key, p.Offset)
			}
			have := make(map[int]bool)
			for _, n := range whole[source] {
				have[n] = true
			}
			for _, n := range wanted(output, int(p.Offset/lineLen)) {
				if !have[n] {
					t.Fatalf("%s: the stored position is behind record %d, %s does not have %d", key, p.Offset/lineLen, output, n)
				}
			}
		}
	}
}

// wholeLines reads an output as a kill has left it: its last line may be torn.
func wholeLines(t *testing.T, dir, output string) arrivals {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, output))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	copied := t.TempDir()
	write(t, filepath.Join(copied, output), string(data[:bytes.LastIndexByte(data, '\n')+1]))
	return arrivalsIn(t, copied, output)
}
