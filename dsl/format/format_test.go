package format_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"golang.org/x/tools/txtar"

	"github.com/flowrecords/flow/connections"
	"github.com/flowrecords/flow/converters"
	"github.com/flowrecords/flow/dsl/format"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/inputs"
	"github.com/flowrecords/flow/outputs"
	"github.com/flowrecords/flow/processors"
)

var update = flag.Bool("update", false, "rewrite the expectations of testdata/fmt")

func registry(tb testing.TB) *engine.Registry {
	tb.Helper()
	r, err := engine.NewRegistry(engine.Components{
		Inputs: inputs.All(), Processors: processors.All(), Outputs: outputs.All(),
		Converters: converters.All(), Connections: connections.All(),
	})
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// TestGolden: each file *.hcl of a case becomes the file of the same name with
// .want at its end, which is laid out itself.
func TestGolden(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob("../../testdata/fmt/*.txtar")
	if err != nil || len(cases) < 5 {
		t.Fatalf("%d cases: %v", len(cases), err)
	}
	reg := registry(t)
	for _, path := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			ar, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range slices.Clone(ar.Files) {
				if strings.HasSuffix(f.Name, ".hcl") {
					golden(t, ar, f, reg)
				}
			}
			if *update {
				if err := os.WriteFile(path, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func golden(t *testing.T, ar *txtar.Archive, f txtar.File, reg *engine.Registry) {
	t.Helper()
	// Marks for what an editor would not keep in a file.
	src := []byte(strings.NewReplacer("<CR>", "\r", "<TAB>", "\t", "<SP>", " ").Replace(string(f.Data)))
	got, diags := format.Source(src, f.Name, reg)
	if diags.HasErrors() {
		if !bytes.Equal(got, src) {
			t.Errorf("%s has mistakes and was touched", f.Name)
		}
		got = printed(src, diags)
	} else if again, _ := format.Source(got, f.Name, reg); !bytes.Equal(again, got) {
		t.Errorf("%s is not stable:\n%s", f.Name, again)
	}
	name := f.Name + ".want"
	i := slices.IndexFunc(ar.Files, func(f txtar.File) bool { return f.Name == name })
	if *update {
		if i < 0 {
			ar.Files = append(ar.Files, txtar.File{Name: name})
			i = len(ar.Files) - 1
		}
		ar.Files[i].Data = bytes.ReplaceAll(got, []byte("\r"), []byte("<CR>"))
		return
	}
	if i < 0 {
		t.Fatalf("the case has no %s", name)
	}
	if want := bytes.ReplaceAll(ar.Files[i].Data, []byte("<CR>"), []byte("\r")); !bytes.Equal(got, want) {
		t.Errorf("%s: got:\n%s\nwant:\n%s", f.Name, got, want)
	}
}

func printed(src []byte, diags hcl.Diagnostics) []byte {
	var b bytes.Buffer
	for _, d := range diags {
		text := ""
		if s := d.Subject; s.End.Byte <= len(src) {
			text = string(src[s.Start.Byte:s.End.Byte])
		}
		fmt.Fprintf(&b, "%s %q: %s. %s\n", d.Subject, text, d.Summary, d.Detail)
	}
	return b.Bytes()
}

// TestManyMistakes: a file full of mistakes is answered with the first ones.
func TestManyMistakes(t *testing.T) {
	t.Parallel()
	src := "pipeline \"p\" {\n" + strings.Repeat("processor \"filter\" \"f\" {\n  where = \"a +\"\n}\n", 20_000) + "}\n"
	got, diags := format.Source([]byte(src), "f.hcl", registry(t))
	if len(diags) == 0 || len(diags) > 30 || string(got) != src {
		t.Errorf("%d mistakes, touched: %v", len(diags), string(got) != src)
	}
}

// TestWithoutRegistry: what no registry knows is laid out as HCL alone.
func TestWithoutRegistry(t *testing.T) {
	t.Parallel()
	const src = "processor \"filter\" \"f\" {\nwhere=\"a+b\"\n}\nfunction \"g\" {\nresult=\"1+2\"\n}"
	const want = "processor \"filter\" \"f\" {\n  where = \"a+b\"\n}\nfunction \"g\" {\n  result = \"1 + 2\"\n}\n"
	got, diags := format.Source([]byte(src), "f.hcl", nil)
	if diags.HasErrors() || string(got) != want {
		t.Errorf("%v\n%s", diags, got)
	}
}
