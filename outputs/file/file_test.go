package file

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

func TestSmoke(t *testing.T) {
	p := filepath.Join(t.TempDir(), "a", "b.jsonl")
	c := Defaults()
	c.Path = engine.Template{Source: literal(p)}
	o, err := newOutput(c, engine.Env{}, osFS{})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := engine.NewBatch()
	b.Value.Add([]byte("x"))
	b.Value.Add([]byte("y"))
	b.Value.Lines = true
	o.Write(t.Context(), b, func(err error) { t.Log("done", err) })
	if err := o.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	x, _ := os.ReadFile(p)
	t.Logf("%q", x)
	es, _ := os.ReadDir(filepath.Dir(p))
	t.Log(es)
}

type literal string

func (l literal) Text() string            { return string(l) }
func (l literal) Literal() (string, bool) { return string(l), true }
func (l literal) Bind(*record.Layout) (engine.TemplateProgram, error) {
	return nil, nil
}
