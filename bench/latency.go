package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	latePause   = 5 * time.Millisecond // between two records
	lateRecords = 2000
	lateWarm    = 200 // after the first has arrived, not counted
)

// path is a pipeline whose two ends this process holds.
type path struct {
	args []string // of flow run; none: there is nothing between the ends
	// send writes a record, receive returns each that arrives.
	send    func(record []byte) error
	receive func(ctx context.Context, got func(record []byte)) error
}

// latency measures how long records take through a pipeline that waits for
// them, with the settings that it has when nothing is set. Each holds the time
// at which it was sent.
func latency(open func(b *bench, k *kafka) (*path, error)) func(*bench) (result, error) {
	return func(b *bench) (result, error) {
		k, err := startReal(b)
		if err != nil {
			return result{}, err
		}
		defer k.stop()
		p, err := open(b, k)
		if err != nil {
			return result{}, err
		}
		ms, rss, err := b.times(p)
		if err != nil {
			return result{}, err
		}
		slices.Sort(ms)
		return result{ratio: median(ms), low: median(ms), high: ms[len(ms)*99/100], unit: " ms", rss: rss}, nil
	}
}

// times sends records at an even pace and returns the milliseconds that each
// took.
func (b *bench) times(p *path) (ms []float64, rss int64, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	flow := exec.Command(b.flow, append([]string{"run", "--progress", "never", "--log-level", "warn"}, p.args...)...)
	if len(p.args) == 0 {
		flow = exec.Command("sleep", "1000")
	}
	var out bytes.Buffer
	flow.Stdout, flow.Stderr = &out, &out
	if err := flow.Start(); err != nil {
		return nil, 0, err
	}
	sent := make(chan error, 1)
	arrived := make(chan struct{})
	go func() { sent <- p.sendAll(ctx, arrived) }()
	received, done := context.WithCancel(ctx)
	err = p.receive(received, func(r []byte) {
		if len(ms) == 0 {
			close(arrived)
		}
		at, last := bytes.CutSuffix(r, []byte(lastRecord))
		n, _ := strconv.ParseInt(string(at), 10, 64)
		ms = append(ms, float64(time.Now().UnixNano()-n)/1e6)
		if last {
			done()
		}
	})
	done()
	if err == nil || errors.Is(err, context.Canceled) {
		err = <-sent
	}
	if stop := flow.Process.Signal(syscall.SIGTERM); err == nil {
		err = stop
	}
	if end := flow.Wait(); err == nil && len(p.args) > 0 {
		err = end
	}
	if err != nil {
		return nil, 0, fmt.Errorf("%w\n%s", err, out.Bytes())
	}
	ru, _ := flow.ProcessState.SysUsage().(*syscall.Rusage)
	return ms[len(ms)-lateRecords:], ru.Maxrss << 10, nil
}

// lastRecord ends the last record.
const lastRecord = "."

// sendAll sends until the first record has arrived, and then those that count.
func (p *path) sendAll(ctx context.Context, arrived <-chan struct{}) error {
	tick := time.NewTicker(latePause)
	defer tick.Stop()
	left := lateWarm + lateRecords
	for left > 0 {
		select {
		case <-arrived:
			left--
		default:
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		r := strconv.AppendInt(nil, time.Now().UnixNano(), 10)
		if left == 0 {
			r = append(r, lastRecord...)
		}
		if err := p.send(r); err != nil {
			return err
		}
	}
	return nil
}

// lateBare has no flow: what the broker and the clients at both ends take.
func lateBare(_ *bench, k *kafka) (*path, error) {
	if err := k.create("late-in"); err != nil {
		return nil, err
	}
	return &path{send: k.now("late-in"), receive: k.consume("late-in")}, nil
}

func lateToTopic(b *bench, k *kafka) (*path, error) {
	in, err := os.Create(filepath.Join(b.dir, "tail.txt"))
	if err != nil {
		return nil, err
	}
	if err := k.create("late-out"); err != nil {
		return nil, err
	}
	config, err := b.config("late-to-topic", fmt.Sprintf(`
  input "file" "in" {
    path = %q
    mode = "tail"
  }
  output "kafka" "out" {
    connection = connection.kafka.main
    topic      = "late-out"
  }`, in.Name()), k)
	return &path{args: []string{config}, send: line(in), receive: k.consume("late-out")}, err
}

func lateTopics(b *bench, k *kafka) (*path, error) {
	for _, topic := range []string{"late-in", "late-out"} {
		if err := k.create(topic); err != nil {
			return nil, err
		}
	}
	config, err := b.config("late-topics", `
  input "kafka" "in" {
    connection = connection.kafka.main
    topics     = ["late-in"]
    group      = "late"
  }
  output "kafka" "out" {
    connection = connection.kafka.main
    topic      = "late-out"
  }`, k)
	return &path{args: []string{config}, send: k.now("late-in"), receive: k.consume("late-out")}, err
}

func lateFromTopic(b *bench, k *kafka) (*path, error) {
	if err := k.create("late-in"); err != nil {
		return nil, err
	}
	out := filepath.Join(b.dir, "late.txt")
	config, err := b.config("late-from-topic", fmt.Sprintf(`
  input "kafka" "in" {
    connection = connection.kafka.main
    topics     = ["late-in"]
    group      = "late"
  }
  output "file" "out" {
    path = %q
  }`, out), k)
	return &path{args: []string{config}, send: k.now("late-in"), receive: tail(out)}, err
}

// config writes a pipeline with these elements.
func (b *bench) config(name, elements string, k *kafka) (string, error) {
	file := filepath.Join(b.dir, name+".hcl")
	text := fmt.Sprintf("connection \"kafka\" \"main\" {\n  brokers = [%q]\n}\n\npipeline \"late\" {\n  state_dir = %q\n%s\n}\n",
		k.addr, filepath.Join(b.dir, name+"-state"), elements)
	return file, os.WriteFile(file, []byte(text), 0o644)
}

func line(f *os.File) func([]byte) error {
	return func(r []byte) error {
		_, err := f.Write(append(r, '\n'))
		return err
	}
}

// now produces without waiting for more.
func (k *kafka) now(topic string) func([]byte) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(k.addr), kgo.ProducerLinger(0), kgo.DefaultProduceTopic(topic))
	return func(r []byte) error {
		if err != nil {
			return err
		}
		client.Produce(context.Background(), &kgo.Record{Value: r}, nil)
		return nil
	}
}

func (k *kafka) consume(topic string) func(context.Context, func([]byte)) error {
	return func(ctx context.Context, got func([]byte)) error {
		client, err := kgo.NewClient(kgo.SeedBrokers(k.addr), kgo.ConsumeTopics(topic), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))
		if err != nil {
			return err
		}
		defer client.Close()
		for {
			fetches := client.PollFetches(ctx)
			if err := fetches.Err(); err != nil {
				return err
			}
			fetches.EachRecord(func(r *kgo.Record) { got(r.Value) })
		}
	}
}

// tail looks every 200 µs for lines of a file that may not be there yet.
func tail(name string) func(context.Context, func([]byte)) error {
	return func(ctx context.Context, got func([]byte)) error {
		tick := time.NewTicker(200 * time.Microsecond)
		defer tick.Stop()
		var r *bufio.Reader
		var part []byte
		for {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-tick.C:
			}
			if r == nil {
				f, err := os.Open(name)
				if errors.Is(err, os.ErrNotExist) {
					continue
				}
				if err != nil {
					return err
				}
				defer f.Close()
				r = bufio.NewReader(f)
			}
			for {
				text, err := r.ReadBytes('\n')
				part = append(part, text...)
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					return err
				}
				got(part[:len(part)-1])
				part = part[:0]
			}
		}
	}
}
