package run

import (
	"testing"

	"github.com/flowrecords/flow/engine"
)

type laggingInput struct {
	engine.Input
	lag []engine.Lag
}

func (l laggingInput) Lag() []engine.Lag { return l.lag }

func TestLagIsThatOfInputsThatKnowIt(t *testing.T) {
	t.Parallel()
	want := engine.Lag{Topic: "orders", Partition: 2, Records: 7}
	r := &Runner{inputs: []*input{
		{n: &node{addr: "input.kafka.a"}, in: laggingInput{lag: []engine.Lag{want}}},
		{n: &node{addr: "input.file.b"}},
	}}
	got := r.Lag()
	if len(got) != 1 || len(got["input.kafka.a"]) != 1 || got["input.kafka.a"][0] != want {
		t.Errorf("lag %v", got)
	}
	h := &host{budget: &budget{max: 42}}
	if h.MaxInFlight() != 42 {
		t.Errorf("%d bytes may be in flight", h.MaxInFlight())
	}
}
