package kafka

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flowrecords/flow/engine"
)

// benchValue is a record of 350 bytes; benchBatch is a batch of the engine.
var (
	benchValue = strings.Repeat("x", 350)
	benchBytes = []byte(benchValue)
)

const benchBatch = 512

// BenchmarkWrite writes through the output, and with nothing but the client
// under the same options: cpu-ns/record of the two are to be compared within
// one run. The broker runs in the same process and throws away what it gets.
func BenchmarkWrite(b *testing.B) {
	for _, keyed := range []bool{false, true} {
		name := map[bool]string{false: "unkeyed", true: "keyed"}[keyed]
		b.Run(name+"/output", func(b *testing.B) { benchOutput(b, keyed) })
		b.Run(name+"/client", func(b *testing.B) { benchClient(b, keyed) })
	}
}

func benchCluster(b *testing.B) *kfake.Cluster {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(4, "out"), kfake.BlackholeProduce())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.Close)
	return c
}

func benchOutput(b *testing.B, keyed bool) {
	c := benchCluster(b)
	config := Defaults()
	config.Connection, config.Topic, config.Compression = connect(c.ListenAddrs()), literal("out"), "none"
	o, err := New(config, engine.Env{})
	if err != nil {
		b.Fatal(err)
	}
	ctx := context.Background()
	if err := o.Open(ctx); err != nil {
		b.Fatal(err)
	}
	defer o.Close(ctx)
	in := batch(slices.Repeat([]string{benchValue}, benchBatch)...)
	for i := range benchBatch {
		if keyed {
			in.Key.Add(benchKey(i))
		}
	}
	b.ReportAllocs()
	from := cpu(b)
	for b.Loop() {
		o.Write(ctx, in, func(err error) {
			if err != nil {
				b.Error(err)
			}
		})
	}
	if err := o.Flush(ctx); err != nil {
		b.Error(err)
	}
	b.ReportMetric(float64(cpu(b)-from)/float64(b.N*benchBatch), "cpu-ns/record")
}

// benchClient bounds what is buffered as the output does: by batches.
func benchClient(b *testing.B, keyed bool) {
	c := benchCluster(b)
	d := Defaults()
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.ProducerLinger(d.Linger),
		kgo.ProducerBatchMaxBytes(int32(d.BatchBytes)), kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.MaxBufferedRecords(1<<20), kgo.DisableClientMetrics())
	if err != nil {
		b.Fatal(err)
	}
	defer cl.Close()
	ctx := context.Background()
	type set struct {
		recs []kgo.Record
		left atomic.Int64
	}
	most := int(d.MaxBuffered) / (benchBatch * (len(benchValue) + recordOverhead))
	free := make(chan *set, most)
	for range most {
		free <- &set{recs: make([]kgo.Record, benchBatch)}
	}
	keys := make([][]byte, benchBatch)
	for i := range keys {
		keys[i] = benchKey(i)
	}
	b.ReportAllocs()
	from := cpu(b)
	for b.Loop() {
		s := <-free
		s.left.Store(benchBatch)
		done := func(_ *kgo.Record, err error) {
			if err != nil {
				b.Error(err)
			}
			if s.left.Add(-1) == 0 {
				free <- s
			}
		}
		for i := range s.recs {
			s.recs[i] = kgo.Record{Topic: "out", Value: benchBytes}
			if keyed {
				s.recs[i].Key = keys[i]
			}
			cl.Produce(ctx, &s.recs[i], done)
		}
	}
	if err := cl.Flush(ctx); err != nil {
		b.Error(err)
	}
	b.ReportMetric(float64(cpu(b)-from)/float64(b.N*benchBatch), "cpu-ns/record")
}

func benchKey(i int) []byte { return []byte{byte(i), byte(i >> 8), 1, 2, 3, 4, 5, 6} }

// cpu is what this process has used so far.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
