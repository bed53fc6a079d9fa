package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

const crashDedupe = `
pipeline "crash" {
  commit_interval = "20ms"
  max_in_flight   = "256KiB"
  input "file" "in" {
    path = "in.jsonl"
  }
  processor "dedupe" "once" {
    by = "int(value.seq / 3)"
  }
  output "file" "out" {
    path = "out.jsonl"
  }
}
`

const crashWindows = `
pipeline "crash" {
  commit_interval = "20ms"
  max_in_flight   = "256KiB"
  input "file" "in" {
    path = "in.jsonl"
  }
  processor "batch" "window" {
    records = 7
  }
  processor "split" "undo" {}
  output "file" "out" {
    path = "out.jsonl"
  }
}
`

// crashLoop kills flow at random moments until it has died so often, and lets
// it end at last. part is how many records come in for each that goes out.
func crashLoop(t *testing.T, dir string, part int) (issued, kills int) {
	t.Helper()
	in, out := filepath.Join(dir, "in.jsonl"), filepath.Join(dir, "out.jsonl")
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	for kills < rounds() {
		appendLines(t, in, issued, roundRecords)
		issued += roundRecords
		target := fileSize(out) + int64(rnd.IntN(roundRecords/part*lineLen*9/10))
		p := startFlow(t, dir, "run", "pipeline.hcl")
		if p.killWhen(t, func() bool { return fileSize(out) > target }) {
			kills++ // it was faster than the kill otherwise: no round
		}
	}
	startFlow(t, dir, "run", "pipeline.hcl").wait(t)
	return issued, kills
}

// TestCrashDedupe: over kills at random moments the first record of each key
// arrives, and no other ever does.
func TestCrashDedupe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "pipeline.hcl"), crashDedupe)
	issued, kills := crashLoop(t, dir, 3)
	data, err := os.ReadFile(filepath.Join(dir, "out.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	arrived := make(map[int]int)
	for line := range bytes.Lines(data) {
		seq, err := seqOf(line)
		if err != nil || len(line) != lineLen {
			t.Fatalf("record %q: %v", line, err)
		}
		if seq%3 != 0 {
			t.Fatalf("record %d arrived, a duplicate of %d", seq, seq-seq%3)
		}
		arrived[seq]++
	}
	again := 0
	for seq := 0; seq < issued; seq += 3 {
		if arrived[seq] == 0 {
			t.Fatalf("record %d, the first of its key, is lost", seq)
		}
		again += arrived[seq] - 1
	}
	t.Logf("%d records, %d keys, %d kills, %d came again", issued, len(arrived), kills, again)
}

// TestCrashWindows: what a window holds at a kill is read again, in order.
func TestCrashWindows(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "pipeline.hcl"), crashWindows)
	issued, kills := crashLoop(t, dir, 1)
	y := checkFile(t, filepath.Join(dir, "out.jsonl"), issued)
	t.Logf("%d records, %d kills, %s", issued, kills, y)
	y.checkRestarts(t, kills)
}
