// Command kafkaloop copies records from a topic to a topic, or from and to a
// file of lines, with nothing but the client library: what flow's Kafka figures
// are compared with. Consumed records are produced as they are, without a copy.
// It checks nothing, keeps no position and knows no errors but its own end.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func main() {
	var (
		brokers = flag.String("brokers", "127.0.0.1:9092", "address of a broker")
		from    = flag.String("from", "in", "topic to read, from its beginning")
		to      = flag.String("to", "out", "topic to write")
		n       = flag.Int64("n", 0, "records to copy from a topic")
		inFile  = flag.String("from-file", "", "file of lines to read instead of a topic")
		outFile = flag.String("to-file", "", "file of lines to write instead of a topic")
		linger  = flag.Duration("linger", 5*time.Millisecond, "longest wait of the producer for a fuller batch")
		codec   = flag.String("compression", "snappy", "none, snappy, lz4 or zstd")
		drop    = flag.Bool("drop", false, "read only, write nothing")
	)
	flag.Parse()
	var err error
	switch {
	case *inFile != "":
		err = fromFile(*brokers, *inFile, *to, *linger, *codec)
	case *outFile != "":
		err = toFile(*brokers, *from, *outFile, *n)
	default:
		err = run(*brokers, *from, *to, *n, *linger, *codec, *drop)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "kafkaloop:", err)
		os.Exit(1)
	}
}

var codecs = map[string]kgo.CompressionCodec{
	"none":   kgo.NoCompression(),
	"snappy": kgo.SnappyCompression(),
	"lz4":    kgo.Lz4Compression(),
	"zstd":   kgo.ZstdCompression(),
}

func run(brokers, from, to string, n int64, linger time.Duration, codec string, drop bool) error {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(brokers),
		kgo.ConsumeTopics(from),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
		kgo.ProducerLinger(linger),
		kgo.ProducerBatchCompression(codecs[codec]),
		kgo.DisableClientMetrics(),
	)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx := context.Background()

	var failed atomic.Pointer[error]
	promise := func(_ *kgo.Record, err error) {
		if err != nil {
			failed.Store(&err)
		}
	}
	for read := int64(0); read < n; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("reading: %w", err)
		}
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			read += int64(len(p.Records))
			if drop {
				return
			}
			for _, r := range p.Records {
				r.Topic, r.Context = to, nil
				client.Produce(ctx, r, promise)
			}
		})
		if err := failed.Load(); err != nil {
			return fmt.Errorf("writing: %w", *err)
		}
	}
	if err := client.Flush(ctx); err != nil {
		return err
	}
	if err := failed.Load(); err != nil {
		return fmt.Errorf("writing: %w", *err)
	}
	return nil
}
