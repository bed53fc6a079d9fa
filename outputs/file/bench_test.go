//go:build unix

package file

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/limits"
)

// benchBatch is what the file input makes of 300-byte lines.
func benchBatch(lines bool) *engine.Batch {
	line := `{"pad":"` + strings.Repeat("x", 289) + `"}`
	var list []string
	for range 512 {
		list = append(list, line)
	}
	b := batchOf(list...)
	b.Value.Lines = lines
	return b
}

// cpu reports the processor time of the process for one operation, which other
// processes disturb less than the clock's.
func cpu(b *testing.B) (report func()) {
	used := func() int64 {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return u.Utime.Nano() + u.Stime.Nano()
	}
	before := used()
	return func() { b.ReportMetric(float64(used()-before)/float64(b.N), "cpu-ns/op") }
}

// BenchmarkWrite counts one record as one operation. Bare is the same bytes
// written with nothing around them. Files start anew after 256 MiB, since a
// fresh file costs more than one that is overwritten.
func BenchmarkWrite(b *testing.B) {
	const fresh = 256 << 20 / (512 * 300)
	b.Run("bare", func(b *testing.B) {
		batch := benchBatch(true)
		b.ReportAllocs()
		b.SetBytes(300)
		defer cpu(b)()
		var f *os.File
		for n := 0; n < b.N; n += batch.Len() {
			if n/512%fresh == 0 {
				if f != nil {
					_ = f.Close()
				}
				var err error
				if f, err = os.Create(filepath.Join(b.TempDir(), "bare")); err != nil {
					b.Fatal(err)
				}
			}
			if _, err := f.Write(batch.Value.Data); err != nil {
				b.Fatal(err)
			}
		}
		_ = f.Close()
	})
	holes := benchBatch(true)
	for i := 0; i < holes.Len(); i++ { // every second one was filtered out
		holes.Value.Spans = append(holes.Value.Spans[:i], holes.Value.Spans[i+1:]...)
	}
	for _, tt := range []struct {
		name  string
		base  string
		batch *engine.Batch
		edit  func(*Config)
	}{
		{name: "lines", base: "a", batch: benchBatch(true)},
		{name: "lines with holes", base: "a", batch: holes},
		{name: "copied", base: "a", batch: benchBatch(false)},
		{name: "rotate", base: "a", batch: benchBatch(true), edit: func(c *Config) { c.Rotate = &Rotate{Size: 128 << 20} }},
		{name: "rotate records", base: "a", batch: benchBatch(true), edit: func(c *Config) { c.Rotate = &Rotate{Records: 100_000} }},
		{name: "commit", base: "a", batch: benchBatch(true), edit: func(c *Config) { c.Fsync = fsyncCommit }},
		{name: "envelope", base: "a", batch: benchBatch(true), edit: func(c *Config) { c.Format = "envelope" }},
		{name: "csv", base: "a", batch: benchBatch(true), edit: func(c *Config) { c.Format = "csv" }},
		{name: "gzip", base: "a.gz", batch: benchBatch(true)},
		{name: "zstd", base: "a.zst", batch: benchBatch(true)},
	} {
		b.Run(tt.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(300)
			defer cpu(b)()
			var o *output
			reopen := func() {
				c := config(filepath.Join(b.TempDir(), tt.base), func(c *Config) { c.Fsync = fsyncNever })
				if tt.edit != nil {
					tt.edit(c)
				}
				var err error
				if o, err = newOutput(c, engine.Env{}, osFS{}); err != nil {
					b.Fatal(err)
				}
				if err := o.Open(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			done := func(err error) {
				if err != nil {
					b.Error(err)
				}
			}
			synced := time.Now()
			for n := 0; n < b.N; n += tt.batch.Len() {
				if n/512%fresh == 0 {
					if o != nil {
						_ = o.Close(b.Context())
					}
					reopen()
				}
				o.Write(b.Context(), tt.batch, done)
				if now := time.Now(); o.cfg.Fsync == fsyncCommit && now.Sub(synced) >= limits.CommitInterval {
					synced = now
					if err := o.Sync(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
			}
			if err := o.Close(b.Context()); err != nil {
				b.Fatal(err)
			}
		})
	}
}
