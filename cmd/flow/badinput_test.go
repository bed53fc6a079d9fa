package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// good is a record that must arrive beside every bad one.
const good = `{"id":1,"n":5}`

// TestBadInput: whatever a source holds, a record that cannot be used reaches
// the errors edge with its bytes and its reason, and its neighbours arrive.
func TestBadInput(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)
	tests := []struct {
		name   string
		bad    string // one line
		reason string // part of the reason; "" means that the record is fine
		bytes  bool   // the failed record holds the same bytes
	}{
		{"cut off", `{"id":1,"n":`, "unexpected end", true},
		{"trailing garbage", `{"id":1,"n":5} x`, "invalid character", true},
		{"two values", `{"n":5}{"n":6}`, "invalid character", true},
		{"bare word", `{"n":NaN}`, "invalid", true},
		{"leading zero", `{"n":01}`, "invalid", true},
		{"control character", "{\"n\":5,\"s\":\"a\x01b\"}", "in a string", true},
		{"bad escape", `{"n":5,"s":"\q"}`, "after a backslash", true},
		{"invalid UTF-8", "{\"n\":5,\"s\":\"\xff\xfe\"}", "UTF-8", true},
		{"NUL bytes", "{\"n\":5}\x00\x00", "invalid character", true},
		{"too deep", `{"n":5,"d":` + deep + `}`, "deep", true},
		{"no object", `[1,2]`, "", false},
		{"text for a number", `{"n":"many"}`, "", false},
		{"empty line", ``, "", false},
		{"duplicate keys, the last wins", `{"n":1,"n":7}`, "fine", false},
		{"huge numbers", `{"n":123456789012345678901234567890,"m":1e400}`, "fine", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, filepath.Join(dir, "in.jsonl"), good+"\n"+tt.bad+"\n"+good+"\n")
			runBadInput(t, dir, `path = "in.jsonl"`, "value.n > 3")
			out := readLines(t, filepath.Join(dir, "out.jsonl"))
			failed := readLines(t, filepath.Join(dir, "failed.jsonl"))
			if tt.reason == "fine" {
				if len(out) != 3 || out[1] != tt.bad || len(failed) != 0 {
					t.Fatalf("out %q, failed %q", out, failed)
				}
				return
			}
			if len(out) != 2 || out[0] != good || out[1] != good {
				t.Errorf("the neighbours are %q", out)
			}
			if len(failed) != 1 || failed[0] != tt.bad {
				t.Fatalf("failed is %.200q, want %.200q", failed, tt.bad)
			}
			envelope := readLines(t, filepath.Join(dir, "envelope.jsonl"))
			var e struct {
				Error struct{ Reason, Element, Origin string }
			}
			if err := json.Unmarshal([]byte(envelope[0]), &e); err != nil {
				t.Fatalf("envelope %.300q: %v", envelope[0], err)
			}
			if !strings.Contains(e.Error.Reason, tt.reason) || e.Error.Element != "processor.filter.f" || e.Error.Origin != "in.jsonl@15" {
				t.Errorf("error is %+v, want reason %q", e.Error, tt.reason)
			}
		})
	}
}

// runBadInput runs a filter over a file input with both kinds of errors file.
func runBadInput(t *testing.T, dir, input, where string) {
	t.Helper()
	write(t, filepath.Join(dir, "pipeline.hcl"), `
pipeline "p" {
  input "file" "in" {
    `+input+`
  }
  processor "filter" "f" {
    where = "`+where+`"
  }
  output "file" "out" {
    path = "out.jsonl"
  }
  output "file" "failed" {
    from     = [errors]
    path     = "failed.jsonl"
    newlines = "keep"
  }
  output "file" "envelope" {
    from   = [errors]
    path   = "envelope.jsonl"
    format = "envelope"
  }
}
`)
	cmd := exec.Command(flowCommand(t), "run", "pipeline.hcl")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func readLines(t *testing.T, name string) []string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if len(data) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
}

// TestHugeLine: a line of 50 MB is refused with its beginning, and what is
// around it arrives.
func TestHugeLine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	huge := `{"n":5,"pad":"` + strings.Repeat("x", 50<<20) + `"}`
	write(t, filepath.Join(dir, "in.jsonl"), good+"\n"+huge+"\n"+good+"\n")
	runBadInput(t, dir, `path = "in.jsonl"`, "value.n > 3")
	if out := readLines(t, filepath.Join(dir, "out.jsonl")); len(out) != 2 {
		t.Fatalf("%d records arrived, want 2", len(out))
	}
	failed := readLines(t, filepath.Join(dir, "failed.jsonl"))
	if len(failed) != 1 || !strings.HasPrefix(huge, failed[0]) || len(failed[0]) > 1<<20 {
		t.Fatalf("%d failed records, want the beginning of the huge one", len(failed))
	}
}

// TestTruncatedGzip: what could be decompressed arrives, the rest is an error
// that names the file.
func TestTruncatedGzip(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(bytes.Repeat([]byte(good+"\n"), 1000)); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	whole := packed.Len()
	if _, err := w.Write([]byte(strings.Repeat(good+"\n", 1000))); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "in.jsonl.gz"), packed.String()[:whole+2])
	runBadInput(t, dir, `path = "in.jsonl.gz"`, "value.n > 3")
	if out := readLines(t, filepath.Join(dir, "out.jsonl")); len(out) < 1000 {
		t.Fatalf("%d records arrived, want the 1000 that are whole", len(out))
	}
	envelope := strings.Join(readLines(t, filepath.Join(dir, "envelope.jsonl")), "\n")
	if !strings.Contains(envelope, "in.jsonl.gz") || !strings.Contains(envelope, "cut short") {
		t.Fatalf("the error is %q", envelope)
	}
}

// TestCSVWrongColumns: a row with too few or too many columns fails alone.
func TestCSVWrongColumns(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "in.csv"), "id,n\n1,5\n2\n3,5,7\n4,9\n")
	runBadInput(t, dir, `path = "in.csv"
    format = "csv"`, "int(value.n) > 3")
	out := readLines(t, filepath.Join(dir, "out.jsonl"))
	if want := []string{`{"id":"1","n":"5"}`, `{"id":"4","n":"9"}`}; strings.Join(out, "\n") != strings.Join(want, "\n") {
		t.Errorf("out is %q", out)
	}
	failed := readLines(t, filepath.Join(dir, "failed.jsonl"))
	if want := []string{"2", "3,5,7"}; strings.Join(failed, "\n") != strings.Join(want, "\n") {
		t.Errorf("failed is %q, want the raw rows", failed)
	}
}
