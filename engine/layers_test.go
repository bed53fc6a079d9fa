package engine_test

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/flowrecords/flow/"

// layers says what each part of the tree may import of the module, by prefix.
// The first matching prefix counts. A component never imports another one.
var layers = []struct {
	folder string
	may    []string
}{
	{"engine/limits", nil},
	{"engine/internal", []string{"engine/internal", "engine/schema", "engine/limits"}},
	{"engine/schema", []string{"engine/schema", "engine/internal", "engine/limits"}},
	{"engine/record", []string{"engine/record", "engine/schema", "engine/internal", "engine/limits"}},
	{"engine/graph", nil},
	{"engine/checkpoint", []string{"engine"}},
	{"engine/observe", []string{"engine"}},
	{"engine/run", []string{"engine"}},
	{"engine/enginetest", []string{"engine"}},
	{"engine/explain", []string{"engine"}},
	{"engine/doctor", []string{"engine"}},
	{"engine", []string{"engine/record", "engine/schema", "engine/limits"}},
	{"dsl/expr/funcs", []string{"engine/record", "engine/schema", "engine/limits", "dsl/expr/funcs"}},
	{"dsl/spelling", nil},
	{"dsl/expr", []string{"engine", "dsl/expr", "dsl/spelling"}},
	{"dsl", []string{"engine", "dsl"}},
	{"connections", []string{"engine", "connections"}},
	{"inputs", []string{"engine", "connections", "inputs"}},
	{"outputs", []string{"engine", "connections", "outputs"}},
	{"processors", []string{"engine", "processors"}},
	{"converters", []string{"engine", "connections", "converters"}},
	{"cmd", []string{"engine", "dsl", "connections", "inputs", "outputs", "processors", "converters", "cmd"}},
	{"bench", []string{"engine", "dsl", "connections", "inputs", "outputs", "processors", "converters", "cmd", "bench", "internal"}},
	{"internal", []string{"internal"}},
}

// thirdParty is where the engine may use other people's code.
var thirdParty = []string{"engine/observe", "engine/checkpoint", "engine/worker", "engine/enginetest"}

type pkg struct {
	ImportPath string
	Imports    []string
	Standard   bool
}

func TestLayers(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		rel := strings.TrimPrefix(p.ImportPath, module)
		for _, imp := range p.Imports {
			switch {
			case strings.HasPrefix(imp, module):
				checkInner(t, rel, strings.TrimPrefix(imp, module))
			case strings.Contains(strings.SplitN(imp, "/", 2)[0], "."):
				if under(rel, "engine") && !slices.ContainsFunc(thirdParty, func(f string) bool { return under(rel, f) }) {
					t.Errorf("%s imports %s: the engine uses the standard library only", rel, imp)
				}
			}
		}
	}
}

func checkInner(t *testing.T, from, to string) {
	t.Helper()
	for _, l := range layers {
		if !under(from, l.folder) {
			continue
		}
		if !slices.ContainsFunc(l.may, func(m string) bool { return under(to, m) }) {
			t.Errorf("%s imports %s: imports go downward only", from, to)
		}
		if under(to, "engine/run") && isComponent(from) {
			t.Errorf("%s imports engine/run: a component knows the contract, not the runner", from)
		}
		if isComponent(from) && isComponent(to) && component(from) != component(to) {
			t.Errorf("%s imports %s: a component never imports another one", from, to)
		}
		return
	}
	t.Errorf("%s belongs to no layer: add it to the list", from)
}

func under(path, folder string) bool { return path == folder || strings.HasPrefix(path, folder+"/") }

// isComponent: inputs/file, but not the list inputs nor inputs/internal.
func isComponent(path string) bool {
	kind, rest, ok := strings.Cut(path, "/")
	return ok && slices.Contains([]string{"inputs", "outputs", "processors", "converters"}, kind) && !strings.HasPrefix(rest, "internal")
}

func component(path string) string {
	parts := strings.SplitN(path, "/", 3)
	return parts[0] + "/" + parts[1]
}

func packages(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-pgo=off", "-json=ImportPath,Imports", module+"...").Output()
	if err != nil {
		t.Fatalf("listing packages: %v", err)
	}
	var list []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var p pkg
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	if len(list) < 10 {
		t.Fatalf("only %d packages: the test looks at the wrong module", len(list))
	}
	return list
}
