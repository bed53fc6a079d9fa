package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"
)

// toTopic compares lines of a file that become records with a loop that reads
// lines and produces them.
func toTopic(b *bench) (result, error) {
	k, loop, err := b.real()
	if err != nil {
		return result{}, err
	}
	defer k.stop()
	in := filepath.Join(b.dir, "lines300.jsonl")
	if err := writeLines(in, b.records, 300); err != nil {
		return result{}, err
	}
	n := 0
	return b.pairs(
		func() (usage, error) {
			n++
			return k.into(fmt.Sprintf("flow-%d", n), b, func(to string) (usage, error) { return b.toTopic(k, in, to, "at_least_once") })
		},
		func() (usage, error) {
			n++
			return k.into(fmt.Sprintf("bare-%d", n), b, func(to string) (usage, error) {
				return measure(loop, "-brokers", k.addr, "-from-file", in, "-to", to)
			})
		},
		perRecord(b.records))
}

// exactlyToTopic compares exactly once with at least once.
func exactlyToTopic(b *bench) (result, error) {
	k, _, err := b.real()
	if err != nil {
		return result{}, err
	}
	defer k.stop()
	in := filepath.Join(b.dir, "lines300.jsonl")
	if err := writeLines(in, b.records, 300); err != nil {
		return result{}, err
	}
	n := 0
	run := func(delivery string) func() (usage, error) {
		return func() (usage, error) {
			n++
			return k.into(fmt.Sprintf("to-%d", n), b, func(to string) (usage, error) { return b.toTopic(k, in, to, delivery) })
		}
	}
	return b.pairs(run("exactly_once"), run("at_least_once"), perRecord(b.records))
}

// fromTopic compares records that become lines of a file with a loop that does
// the same.
func fromTopic(b *bench) (result, error) {
	k, loop, err := b.real()
	if err != nil {
		return result{}, err
	}
	defer k.stop()
	if err := k.fillLines("lines", b.records, 300); err != nil {
		return result{}, err
	}
	out, state := filepath.Join(b.dir, "out.jsonl"), filepath.Join(b.dir, "state")
	n := 0
	into := func(run func() (usage, error)) func() (usage, error) {
		return func() (usage, error) {
			n++
			if err := remove(out, state); err != nil {
				return usage{}, err
			}
			u, err := run()
			if err != nil {
				return u, err
			}
			got, err := countLines(out)
			if err == nil && got < b.records {
				err = fmt.Errorf("the file holds %d records, want %d", got, b.records)
			}
			return u, err
		}
	}
	return b.pairs(
		into(func() (usage, error) {
			args := []string{"run", "bench/configs/from_topic.hcl", "--progress", "never", "--log-level", "warn",
				"--var", "brokers=" + k.addr, "--var", "from=lines", "--var", "out=" + out, "--var", "state=" + state,
				"--var", fmt.Sprintf("group=bench-%d", n)}
			return measure(b.flow, append(args, b.profileFlags()...)...)
		}),
		into(func() (usage, error) {
			return measure(loop, "-brokers", k.addr, "-from", "lines", "-to-file", out, "-n", strconv.Itoa(b.records))
		}),
		perRecord(b.records))
}

// real starts a broker and builds the loop that flow is compared with.
func (b *bench) real() (*kafka, string, error) {
	loop, err := build(b.dir, "kafkaloop", "./bench/kafkaloop")
	if err != nil {
		return nil, "", err
	}
	k, err := startReal(b)
	return k, loop, err
}

func (b *bench) toTopic(k *kafka, in, to, delivery string) (usage, error) {
	state := filepath.Join(b.dir, "state")
	if err := remove(state); err != nil {
		return usage{}, err
	}
	args := []string{"run", "bench/configs/to_topic.hcl", "--progress", "never", "--log-level", "warn",
		"--var", "brokers=" + k.addr, "--var", "in=" + in, "--var", "to=" + to, "--var", "state=" + state, "--var", "delivery=" + delivery,
		"--var", "positions=positions-of-" + to} // else the next run begins where this one ended
	return measure(b.flow, append(args, b.profileFlags()...)...)
}

// into gives run a fresh topic and checks that it holds all records afterwards.
func (k *kafka) into(topic string, b *bench, run func(to string) (usage, error)) (usage, error) {
	if err := k.create(topic); err != nil {
		return usage{}, err
	}
	u, err := run(topic)
	if err != nil {
		return u, err
	}
	return u, k.check(topic, int64(b.records))
}

// fillLines produces the lines of writeLines.
func (k *kafka) fillLines(topic string, n, size int) error {
	if err := k.create(topic); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	l := lines{size: size}
	for range n {
		line := l.next()
		k.client.Produce(ctx, &kgo.Record{Topic: topic, Value: append(make([]byte, 0, len(line)), line[:len(line)-1]...)}, func(_ *kgo.Record, err error) {
			if err != nil {
				cancel(err)
			}
		})
	}
	if err := k.client.Flush(ctx); err != nil {
		return context.Cause(ctx)
	}
	return context.Cause(ctx)
}

// resident is the memory that a process has at this moment.
func resident(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(text), &size, &pages); err != nil {
		return 0, err
	}
	return pages * int64(os.Getpagesize()), nil
}
