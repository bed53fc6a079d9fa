package drop

import (
	"log/slog"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) {
	t.Parallel()
	enginetest.RunOutput(t, enginetest.OutputCase{
		New: func(t *testing.T) enginetest.Target {
			o, err := Factory().New(Defaults(), engine.Env{})
			if err != nil {
				t.Fatal(err)
			}
			return enginetest.Target{Output: o}
		},
		Arrives:  func(r enginetest.Record) (enginetest.Record, error) { return r, nil },
		Discards: true,
	})
}

// TestSaysSo: nothing is dropped without a word.
func TestSaysSo(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	o, err := Factory().New(Defaults(), engine.Env{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	b := engine.NewBatch()
	b.Value.Add([]byte("x"))
	b.Value.Add(nil)
	for range 2 {
		o.Write(t.Context(), b, func(err error) {
			if err != nil {
				t.Error(err)
			}
		})
	}
	if err := o.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "records=4") {
		t.Errorf("logged %q", log.String())
	}
	if d, ok := o.(engine.Discarder); !ok || d.Discards() == "" {
		t.Error("the engine is not told that records are dropped")
	}
}
