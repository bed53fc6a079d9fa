package engine_test

import (
	"testing"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// One operation is one record.
func BenchmarkLoad(b *testing.B) {
	batch := engine.NewBatch()
	for range 512 {
		batch.Value.Add(make([]byte, 300))
	}
	batch.Value.Encoding = record.Opaque
	engine.NewSource(engine.SourceInfo{ID: "p"}, nil, nil).Begin(batch, engine.Position{}, 0, nil)
	r := newRecord()
	b.Run("load", func(b *testing.B) {
		for i := 0; i < b.N; i += 512 {
			l := batch.Loader(r)
			for k := range 512 {
				l.Load(k)
			}
		}
	})
	b.Run("reset", func(b *testing.B) {
		raw := batch.Value.At(0)
		for range b.N {
			r.Value.Reset(record.Opaque, raw)
		}
	})
	b.Run("load+append", func(b *testing.B) {
		out := engine.NewBatch()
		for i := 0; i < b.N; i += 512 {
			out.Reset()
			l := batch.Loader(r)
			for k := range 512 {
				l.Load(k)
				if ok, err := out.Append(r); !ok || err != nil {
					b.Fatal(ok, err)
				}
			}
		}
	})
}
