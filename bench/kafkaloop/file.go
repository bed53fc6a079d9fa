package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// block is how much of a file is read at a time; records point into it.
const block = 1 << 20

// fromFile produces each line of a file.
func fromFile(brokers, from, to string, linger time.Duration, codec string) error {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(brokers),
		kgo.DefaultProduceTopic(to),
		kgo.ProducerLinger(linger),
		kgo.ProducerBatchCompression(codecs[codec]),
		kgo.DisableClientMetrics(),
	)
	if err != nil {
		return err
	}
	defer client.Close()
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()

	ctx := context.Background()
	var failed atomic.Pointer[error]
	promise := func(_ *kgo.Record, err error) {
		if err != nil {
			failed.Store(&err)
		}
	}
	var rest []byte
	for failed.Load() == nil {
		buf := make([]byte, len(rest)+block)
		copy(buf, rest)
		n, err := io.ReadFull(f, buf[len(rest):])
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("reading: %w", err)
		}
		buf = buf[:len(rest)+n]
		for {
			i := bytes.IndexByte(buf, '\n')
			if i < 0 {
				break
			}
			client.Produce(ctx, &kgo.Record{Value: buf[:i:i]}, promise)
			buf = buf[i+1:]
		}
		rest = buf
		if err != nil {
			break
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

// toFile writes each record as a line.
func toFile(brokers, from, to string, n int64) error {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(brokers),
		kgo.ConsumeTopics(from),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
		kgo.DisableClientMetrics(),
	)
	if err != nil {
		return err
	}
	defer client.Close()
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, block)
	for read := int64(0); read < n; {
		fetches := client.PollFetches(context.Background())
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("reading: %w", err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			read++
			_, _ = w.Write(r.Value) // Flush tells
			_ = w.WriteByte('\n')
		})
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := f.Sync(); err != nil { // as flow's file output does by default
		return err
	}
	return f.Close()
}
