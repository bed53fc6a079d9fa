package run

import (
	"testing"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/record"
)

// unchanged is a converter for which text is what it is.
type unchanged struct{ plainText }

func (unchanged) Decoded() record.Encoding                 { return record.Text }
func (unchanged) NewEncoder(record.Encoding) engine.Encode { return nil }

// TestHeadersCostNothingWithoutConverter: an element without the block
// header_values, or whose block changes nothing, has no work with headers: an
// input no decoder at all, and an output writes the very batch.
func TestHeadersCostNothingWithoutConverter(t *testing.T) {
	t.Parallel()
	for _, el := range []*engine.Element{{}, {Headers: unchanged{}}} {
		if newDecoder(el) != nil {
			t.Errorf("%+v: the input has a decoder", el)
		}
		b := engine.NewBatch()
		enginetest.Fill(b, enginetest.Record{Value: []byte("1"), Headers: []record.Header{{Key: "h", Value: []byte("2")}}})
		b.Value.Encoding = record.JSON
		w := &write{b: b}
		if err := newEncoder(el).run(t.Context(), w); err != nil || w.enc != b {
			t.Errorf("%+v: the output writes another batch, %v", el, err)
		}
	}
}
