package logging

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// TestLimit: no more lines than the limit, and what is left out is counted.
func TestLimit(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	c := Defaults()
	c.Limit = 2
	logger := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	p, err := Factory().New(c, engine.Env{Logger: logger, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	l := record.NewLayout()
	// Two workers share the limit.
	one, err := p.Bind(l)
	if err != nil {
		t.Fatal(err)
	}
	two, err := p.Bind(l)
	if err != nil {
		t.Fatal(err)
	}
	r := record.NewRecord(l)
	for i := range 12 {
		if i == 10 {
			now = now.Add(time.Second)
		}
		r.Value.Reset(record.JSON, []byte(`{}`))
		r.ResetHeaders(nil)
		r.Offset = int64(i)
		step := one.Step
		if i%2 == 1 {
			step = two.Step
		}
		if keep, err := step(r); !keep || err != nil {
			t.Fatal(keep, err)
		}
	}
	want := "level=INFO msg=record offset=0\nlevel=INFO msg=record offset=1\nlevel=INFO msg=record offset=10 left_out=8\nlevel=INFO msg=record offset=11\n"
	if got := out.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	c.Level = "debug"
	p, err = Factory().New(c, engine.Env{Logger: logger, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if b, err := p.Bind(record.NewLayout()); err != nil {
		t.Fatal(err)
	} else if _, err := b.Step(r); err != nil || strings.Contains(out.String(), "DEBUG") {
		t.Errorf("a level that is off writes: %s, %v", &out, err)
	}
}
