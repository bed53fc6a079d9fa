package kafka

import (
	"errors"
	"testing"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

func TestTopics(t *testing.T) {
	t.Parallel()
	b := engine.NewBatch()
	b.Value.Encoding = record.Text
	for _, v := range []string{"orders", "orders", "bad", "returns"} {
		b.Value.Add([]byte(v))
	}
	errBad := errors.New("no topic")
	byValue := engine.Template{Source: template{prog: func(dst []byte, r *record.Record) ([]byte, error) {
		if v := r.Value.Raw(); string(v) != "bad" {
			return append(dst, v...), nil
		}
		return dst, errBad
	}}}
	for _, of := range []struct {
		topic engine.Template
		want  []string // empty: an error
	}{
		{literal("all"), []string{"all", "all", "all", "all"}},
		{byValue, []string{"orders", "orders", "", "returns"}},
	} {
		topics, err := (&Output{config: &Config{Topic: of.topic}}).Topics()
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range of.want {
			got, err := topics(b, i)
			if got != want || (want == "") != errors.Is(err, errBad) {
				t.Errorf("record %d goes to %q, %v; want %q", i, got, err, want)
			}
		}
	}
}
