package oracle

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const root = "../../testdata/oracle"

// Tests share what they read and change nothing of it.
var loadOnce = sync.OnceValues(func() (map[string][]Answered, error) { return Load(root) })

func loaded(t *testing.T) map[string][]Answered {
	t.Helper()
	all, err := loadOnce()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Each case has its answer, which Load checks, and there are enough.
func TestAllAnswered(t *testing.T) {
	t.Parallel()
	n, of := 0, map[Op]int{}
	for _, list := range loaded(t) {
		for _, a := range list {
			n++
			of[a.Op]++
		}
	}
	t.Logf("%d cases: %v", n, of)
	if headers := of[ToConnectHeader] + of[FromConnectHeader]; n < 600 || headers < 600 {
		t.Errorf("%d cases, %d of headers", n, headers)
	}
}

// What is read is all that stands in the files.
func TestNotationIsLossless(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(root, "cases", "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	for _, f := range files {
		cases, err := readLines[Case](f)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Lines(cases)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%s changes when it is read and written", f)
		}
	}
	for _, list := range loaded(t) {
		for _, a := range list {
			if a.Result.Record != nil {
				same(t, a.Name, *a.Result.Record, DiffRecord)
			}
			if a.Result.Data != nil {
				same(t, a.Name, *a.Result.Data, Diff)
			}
		}
	}
}

func same[T any](t *testing.T, name string, v T, diff func(want, got T) string) {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(name, err)
	}
	var again T
	if err := json.Unmarshal(b, &again); err != nil {
		t.Fatal(name, err)
	}
	if d := diff(v, again); d != "" {
		t.Errorf("%s: %s", name, d)
	}
}

// defect tells what JsonConverter refuses by mistake: a struct as a default,
// whose schema equals none, and a logical type's name on another type.
func defect(a Answered) bool {
	return a.Result.Error.Message == "Mismatching schema." || strings.HasSuffix(a.Name, "/named-like-connect")
}

// The bytes that tests hand to flow are those that JsonConverter writes, and
// what they read back from such bytes is what was written.
func TestWireIsJsonConverters(t *testing.T) {
	t.Parallel()
	wrote, read := 0, 0
	for _, a := range loaded(t)["json_from"] {
		conf := a.Converter.Config
		if strings.Contains(a.Name, "/config/") || (a.Result.Error != nil && a.Result.Error.Stage == "configure") {
			continue
		}
		w := Wire{Envelope: conf["schemas.enable"] != "false", Numeric: conf["decimal.format"] == "NUMERIC", KeepNulls: conf["replace.null.with.default"] == "false"}
		got, err := w.Write(*a.Data)
		if a.Result.Error != nil {
			if err == nil && !defect(a) {
				t.Errorf("%s: wrote %s, Java says %s", a.Name, got, a.Result.Error.Message)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", a.Name, err)
			continue
		}
		var want []byte
		if a.Result.Bytes != nil {
			want = *a.Result.Bytes
		}
		if d := DiffJSON(want, got); d != "" {
			t.Errorf("%s: %s", a.Name, d)
		}
		wrote++
		if !w.Envelope || !w.KeepNulls {
			continue
		}
		back, err := w.Read(want)
		if err != nil {
			t.Errorf("%s: %v", a.Name, err)
			continue
		}
		if d := Diff(*a.Data, back); d != "" {
			t.Errorf("%s: %s", a.Name, d)
		}
		read++
	}
	if wrote < 200 || read < 30 {
		t.Errorf("only %d written, %d read", wrote, read)
	}
}
