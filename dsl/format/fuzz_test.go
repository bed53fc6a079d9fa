package format_test

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/flowrecords/flow/dsl/format"
	"github.com/flowrecords/flow/engine"
)

// FuzzSource: whatever a file holds, fmt answers; what it lays out means what
// it meant, and is laid out the second time.
func FuzzSource(f *testing.F) {
	for _, s := range corpus(f) {
		f.Add(s.text)
	}
	reg := registry(f)
	f.Fuzz(func(t *testing.T, src []byte) { checkSource(t, reg, src) })
}

// TestMutations does what the fuzz target does with a fixed number of mutated
// configs: of every file of the corpus, parts are taken out, doubled, swapped
// and replaced by what expressions and HCL are made of.
func TestMutations(t *testing.T) {
	t.Parallel()
	reg := registry(t)
	rounds := 800
	if testing.Short() {
		rounds = 200
	}
	all := corpus(t)
	r := rand.New(rand.NewPCG(1, 2))
	laidOut := 0
	for range rounds {
		if checkSource(t, reg, mutate(r, all[r.IntN(len(all))].text)) {
			laidOut++
		}
	}
	if laidOut < rounds/4 {
		t.Errorf("only %d mutated files were taken", laidOut)
	}
}

// checkSource reports whether the file was free of mistakes of syntax.
func checkSource(t *testing.T, reg *engine.Registry, src []byte) bool {
	t.Helper()
	got, diags := format.Source(src, "f.hcl", reg)
	if diags.HasErrors() {
		if !bytes.Equal(got, src) {
			t.Errorf("%q has mistakes and was touched", src)
		}
		return false
	}
	if bytes.Equal(got, src) {
		return true
	}
	if again, diags := format.Source(got, "f.hcl", reg); diags.HasErrors() || !bytes.Equal(again, got) {
		t.Errorf("not stable (%v):\n%q\n%q\n%q", diags, src, got, again)
	}
	if bytes.Contains(src, []byte("file")) || bytes.Contains(src, []byte("validat")) {
		return true // nothing is to be read, and messages may quote the text
	}
	c := comparison{t: t, name: string(src), mutated: true}
	c.configs(load(reg, src), load(reg, got))
	return true
}

// fragments are what HCL and expressions are made of.
var fragments = strings.Fields("( ) [ ] { } {{ }} , ; : ? ?. ?? . .. # | || && ! not in - + * ** / % // /* */ == < <= 'x' \"y\" \\\"z\\\" `r` b'q' 1 0x1F .5 1e3 nil true $ ${ %{ $${ \\n \\t \\u00e9 é 日 # <<EOT <<-EOT EOT let if else =")

func mutate(r *rand.Rand, src []byte) []byte {
	out := bytes.Clone(src)
	for range 1 + r.IntN(3) {
		if len(out) == 0 {
			return out
		}
		from := r.IntN(len(out))
		to := min(len(out), from+r.IntN(8))
		var middle []byte
		switch r.IntN(6) {
		case 0: // taken out
		case 1:
			middle = bytes.Repeat(out[from:to], 2)
		case 2:
			middle = []byte(fragments[r.IntN(len(fragments))])
			to = from
		case 3:
			middle = []byte(" \n\t"[r.IntN(3):][:1])
			to = from
		case 4: // white space goes
			middle = bytes.ReplaceAll(out[from:to], []byte(" "), nil)
		default:
			at := r.IntN(len(out))
			middle = out[at:min(len(out), at+r.IntN(20))]
		}
		out = bytes.Join([][]byte{out[:from], middle, out[to:]}, nil)
	}
	return out
}
