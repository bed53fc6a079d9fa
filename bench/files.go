package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/flowrecords/flow/bench/large"
	"github.com/flowrecords/flow/bench/orders"
)

func comparisons() []comparison {
	return []comparison{
		{"pass", "file to file, 300-byte JSON lines, as they are", "at most 1.5x", passThrough},
		{"map", "file to file, orders: drop half, rename, compute, mask, all validated", "at most 5x", fileMap},
		{"workers", "wall time with one worker over wall time with two, a stage of hashes and a loop", "at least 1.5x", twoWorkers},
		{"start", "start to the end of a file of one record, ms", "under 100", start},
		{"lint", "flow lint of 2,000 lines, from exec to exit, ms", "under 200", lint},
		{"kafka-half", "topic to topic, the same filter and map, half dropped, against consume and produce", "at most 2x, aim 1.5x", kafkaMap(startFake, 99)},
		{"kafka-all", "the same with every record passing the filter", "no target", kafkaMap(startFake, 0)},
		{"real-half", "kafka-half with Apache Kafka", "at most 2x, aim 1.5x", kafkaMap(startReal, 99)},
		{"real-to-topic", "file to topic of Apache Kafka, 300-byte lines as they are, against reading lines and produce", "at most 1.5x", toTopic},
		{"real-from-topic", "topic of Apache Kafka to file, 300-byte lines as they are, against consume and write", "at most 1.5x", fromTopic},
		{"real-exactly", "real-to-topic, exactly once over at least once", "at most 1.3x", exactlyToTopic},
		{"real-exactly-topics", "topic to topic of Apache Kafka, filter and map, every record passing, exactly once over at least once", "at most 1.3x", exactlyTopics},
		{"late-to-topic", "file to topic of Apache Kafka, 200 records a second, ms from the write to the consumer: median (median–p99)", "under 5, p99 under 20", latency(lateToTopic)},
		{"late-topics", "topic to topic, the same", "under 5, p99 under 20", latency(lateTopics)},
		{"late-from-topic", "topic to file, the same", "under 5, p99 under 20", latency(lateFromTopic)},
		{"late-bare", "topic alone, without flow, the same: what the broker and the clients at both ends take", "no target", latency(lateBare)},
		{"steps-avro", "one order in memory, Avro: decode, filter, set 2, encode; against hamba/avro into maps", "at most 0.1x", steps("./engine/record/avro", "BenchmarkOrder", "flow", "maps")},
		{"steps-protobuf", "one order in memory, Protobuf: decode, filter, set 2, encode; against dynamic messages", "no target", steps("./converters/protobuf", "BenchmarkOrder", "flow", "dynamic")},
		{"steps-protobuf-generated", "the same against code that protoc-gen-go generated", "no target", steps("./converters/protobuf", "BenchmarkOrder", "flow", "generated")},
		{"steps-envelope", "one order in memory, read and written in Kafka Connect's envelope, against plain JSON, checked and copied", "at most 2.5x", steps("./converters/json", "BenchmarkEnvelope", "envelope", "plain")},
		{"steps-transforms", "one order in memory, each transform against the map that does the same: the slowest", "at most 1.3x", steps("./processors", "BenchmarkTransforms", "transform", "map")},
		{"steps-parquet-write", "small records in memory, typed JSON into Parquet; against the library alone with Go structs", "no target", steps("./connections/parquetfile", "BenchmarkWrite", "flow", "bare")},
		{"steps-parquet-read", "the same out of Parquet", "no target", steps("./connections/parquetfile", "BenchmarkRead", "flow", "bare")},
		{"lag", "topic to file, a lag of 1 GiB (-lag): most resident memory, (most in the first tenth of the time–most)", "under 256 MiB", lag},
	}
}

// passThrough copies lines that nobody looks into.
func passThrough(b *bench) (result, error) {
	in := filepath.Join(b.dir, "lines300.jsonl")
	if err := writeLines(in, b.records, 300); err != nil {
		return result{}, err
	}
	bare, err := build(b.dir, "bare", "./bench/bare")
	if err != nil {
		return result{}, err
	}
	return b.pairs(
		func() (usage, error) { return b.flowFile("pass.hcl", in, b.records) },
		func() (usage, error) { return b.bareFile(bare, in) },
		perRecord(b.records))
}

// fileMap compares a real transformation with the loop that only copies.
func fileMap(b *bench) (result, error) {
	in := filepath.Join(b.dir, "orders.jsonl")
	paid, err := writeOrders(in, b.records)
	if err != nil {
		return result{}, err
	}
	bare, err := build(b.dir, "bare", "./bench/bare")
	if err != nil {
		return result{}, err
	}
	return b.pairs(
		func() (usage, error) { return b.flowFile("map.hcl", in, paid) },
		func() (usage, error) { return b.bareFile(bare, in) },
		perRecord(b.records))
}

// twoWorkers compares wall time: one worker over two.
func twoWorkers(b *bench) (result, error) {
	in := filepath.Join(b.dir, "orders-few.jsonl")
	n := b.records / 4 // each takes several times as long as in the others
	if _, err := writeOrders(in, n); err != nil {
		return result{}, err
	}
	r, err := b.pairs(
		func() (usage, error) { return b.flowFile("workers.hcl", in, n, "--var", "workers=1") },
		func() (usage, error) { return b.flowFile("workers.hcl", in, n, "--var", "workers=2") },
		func(u usage) float64 { return float64(u.wall.Nanoseconds()) / float64(n) })
	r.flow, r.base = 0, 0
	return r, err
}

// start measures a run of one record from exec to exit.
func start(b *bench) (result, error) {
	in := filepath.Join(b.dir, "one.jsonl")
	if err := writeLines(in, 1, 300); err != nil {
		return result{}, err
	}
	var ms []float64
	var rss int64
	for range b.runs {
		u, err := b.flowFile("map.hcl", in, -1)
		if err != nil {
			return result{}, err
		}
		ms = append(ms, float64(u.wall)/float64(time.Millisecond))
		rss = max(rss, u.rss)
	}
	return result{ratio: median(ms), low: slices.Min(ms), high: slices.Max(ms), unit: " ms", rss: rss}, nil
}

// lint measures flow lint of a large config from exec to exit.
func lint(b *bench) (result, error) {
	config := filepath.Join(b.dir, "large.hcl")
	if err := os.WriteFile(config, []byte(large.Config(2000)), 0o644); err != nil {
		return result{}, err
	}
	var ms []float64
	var rss int64
	for range b.runs {
		u, err := measure(b.flow, "lint", "--deny-warnings", config)
		if err != nil {
			return result{}, err
		}
		ms = append(ms, float64(u.wall)/float64(time.Millisecond))
		rss = max(rss, u.rss)
	}
	return result{ratio: median(ms), low: slices.Min(ms), high: slices.Max(ms), unit: " ms", rss: rss}, nil
}

// flowFile runs a config into a fresh file and checks how many records it
// holds; want -1 does not check.
func (b *bench) flowFile(config, in string, want int, flags ...string) (usage, error) {
	out, state := filepath.Join(b.dir, "out.jsonl"), filepath.Join(b.dir, "state")
	if err := remove(out, state); err != nil {
		return usage{}, err
	}
	args := append([]string{
		"run", "bench/configs/" + config, "--progress", "never", "--log-level", "warn",
		"--var", "in=" + in, "--var", "out=" + out, "--var", "state=" + state,
	}, flags...)
	u, err := measure(b.flow, append(args, b.profileFlags()...)...)
	if err != nil || want < 0 {
		return u, err
	}
	got, err := countLines(out)
	if err == nil && got != want {
		err = fmt.Errorf("%s wrote %d records, want %d", config, got, want)
	}
	return u, err
}

func (b *bench) bareFile(bare, in string) (usage, error) {
	out := filepath.Join(b.dir, "out.jsonl")
	if err := remove(out); err != nil {
		return usage{}, err
	}
	return measure(bare, in, out)
}

func remove(paths ...string) error {
	for _, p := range paths {
		if err := os.RemoveAll(p); err != nil {
			return err
		}
	}
	return nil
}

// writeLines writes n JSON lines of size bytes each, once.
func writeLines(name string, n, size int) error {
	if _, err := os.Stat(name); err == nil {
		return nil
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	l := lines{size: size}
	for range n {
		if _, err := w.Write(l.next()); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// lines makes numbered JSON lines of size bytes each, newline and all.
type lines struct {
	size, issued int
	line         []byte
}

// next returns a line with its newline, valid until the next call.
func (l *lines) next() []byte {
	l.line = fmt.Appendf(l.line[:0], `{"id":%010d,"text":"`, 1_000_000_000+l.issued)
	for len(l.line) < l.size-3 {
		l.line = append(l.line, "abcdefghij"[len(l.line)%10])
	}
	l.line = append(l.line, "\"}\n"...)
	l.issued++
	return l.line
}

// writeOrders writes n orders, once, and returns how many are paid.
func writeOrders(name string, n int) (paid int, err error) {
	f, err := os.Create(name)
	if err != nil {
		return 0, err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	g := orders.New(1)
	var line []byte
	for range n {
		line = g.Append(line[:0])
		if bytes.Contains(line, []byte(`"status":"paid"`)) {
			paid++
		}
		if _, err := w.Write(append(line, '\n')); err != nil {
			return 0, err
		}
	}
	if err := w.Flush(); err != nil {
		return 0, err
	}
	return paid, f.Close()
}

func countLines(name string) (int, error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	buf := make([]byte, 1<<20)
	n := 0
	for {
		k, err := f.Read(buf)
		n += bytes.Count(buf[:k], []byte{'\n'})
		if k == 0 {
			if err != nil && err.Error() != "EOF" {
				return n, err
			}
			return n, nil
		}
	}
}
