// Command bench compares flow with the loops that one would write by hand, as
// whole processes: CPU time of both sides, run in turn, so that a machine
// whose speed drifts changes both. It prints the ratio of the medians and the
// spread of the pairs.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

type options struct {
	records int
	runs    int
	only    string
	write   string
	flow    string
	profile string
	lag     int64
}

func main() {
	var o options
	flag.IntVar(&o.records, "n", 1_000_000, "records of each workload")
	flag.IntVar(&o.runs, "runs", 7, "counted pairs of each comparison, after one that warms up")
	flag.StringVar(&o.only, "only", "", "run only the comparisons whose name contains this")
	flag.StringVar(&o.write, "write", "", "write the report to this file")
	flag.StringVar(&o.flow, "flow", "bin/flow", "the flow binary")
	flag.StringVar(&o.profile, "profile", "", "write a CPU profile of all runs of flow to this file; the figures then count for nothing")
	flag.Int64Var(&o.lag, "lag", 1<<30, "bytes of records that wait in the topic of the comparison lag")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// comparison is one line of the report.
type comparison struct {
	name     string
	workload string
	target   string
	run      func(*bench) (result, error)
}

// result is what a comparison found.
type result struct {
	// of is what the figure is of, where there were several; empty: all.
	of string
	// flow and base are ns of CPU a record, median; base 0: no counterpart.
	flow, base float64
	// ratio is the figure that the target is about: median, least, most.
	ratio, low, high float64
	unit             string // of ratio: "x", "MiB", "ms"
	rss              int64
}

type bench struct {
	options
	dir      string
	profiles []string
}

// profileFlags ask flow for a CPU profile, if one is wanted.
func (b *bench) profileFlags() []string {
	if b.profile == "" {
		return nil
	}
	name := filepath.Join(b.dir, fmt.Sprintf("cpu-%d.prof", len(b.profiles)))
	b.profiles = append(b.profiles, name)
	return []string{"--cpuprofile", name}
}

// mergeProfiles writes one profile of all runs, for the compiler.
func (b *bench) mergeProfiles(to string) error {
	merged, err := exec.Command("go", append([]string{"tool", "pprof", "-proto"}, b.profiles...)...).Output()
	if err != nil {
		return fmt.Errorf("merging profiles: %w", err)
	}
	return os.WriteFile(to, merged, 0o644)
}

func run(o options) error {
	dir, err := os.MkdirTemp("", "flow-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{options: o, dir: dir}
	if b.flow, err = filepath.Abs(o.flow); err != nil {
		return err
	}
	var report strings.Builder
	fmt.Fprintf(&report, "%s, %d CPUs, %s/%s, %s, %s\n\n", machine(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), time.Now().Format("2006-01-02"))
	fmt.Fprintf(&report, "| workload | flow ns/record | bare ns/record | measured (least–most) | target | resident |\n| --- | ---: | ---: | ---: | ---: | ---: |\n")
	fmt.Print(report.String())
	for _, c := range comparisons() {
		if !strings.Contains(c.name, o.only) {
			continue
		}
		res, err := c.run(b)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		line := row(c, res)
		fmt.Print(line)
		report.WriteString(line)
	}
	if o.profile != "" {
		return b.mergeProfiles(o.profile)
	}
	if o.write == "" {
		return nil
	}
	return os.WriteFile(o.write, []byte(document(report.String(), o)), 0o644)
}

func row(c comparison, r result) string {
	ns := func(f float64) string {
		if f == 0 {
			return ""
		}
		return fmt.Sprintf("%.0f", f)
	}
	rss := ""
	if r.rss > 0 {
		rss = fmt.Sprintf("%d MiB", r.rss>>20)
	}
	of := ""
	if r.of != "" {
		of = ", " + r.of
	}
	return fmt.Sprintf("| %s: %s%s | %s | %s | **%.2f%s** (%.2f–%.2f) | %s | %s |\n",
		c.name, c.workload, of, ns(r.flow), ns(r.base), r.ratio, r.unit, r.low, r.high, c.target, rss)
}

func document(table string, o options) string {
	return fmt.Sprintf(`# Benchmarks

Made by %smake bench-write%s on the machine named below; made anew, not edited. Each figure is the median of %d pairs of
whole processes, flow and its counterpart in turn, after one pair that warms up. CPU is user and system time of the process, start and
exit included, a record read. %d records a workload. Both sides run with GOGC=400. The brackets show the least and the most of the pairs:
on a shared machine read the ratios, not the nanoseconds. The counterparts are bench/bare (read 1 MiB blocks, split lines, write) and
bench/kafkaloop (franz-go, consume and produce, records reused); neither parses, validates, resumes or reports errors. Comparisons named
kafka use the broker that is embedded in flow, in a process of its own, which costs the machine the least; those named real, late and lag use Apache
Kafka, one broker on the same machine. Those named steps are benchmarks within one process, both sides in turn, with ns of wall time.

%s`, "`", "`", o.runs, o.records, table)
}

// machine names the processor.
func machine() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.TrimSpace(strings.TrimLeft(name, "\t :"))
		}
	}
	return "unknown processor"
}

// pairs runs a and b in turn and compares what pick says of them, a over b.
func (b *bench) pairs(a, other func() (usage, error), pick func(usage) float64) (result, error) {
	var as, bs []float64
	var rss int64
	for i := range b.runs + 1 {
		ua, err := a()
		if err != nil {
			return result{}, err
		}
		ub, err := other()
		if err != nil {
			return result{}, err
		}
		if i == 0 {
			continue // warm-up
		}
		as, bs = append(as, pick(ua)), append(bs, pick(ub))
		rss = max(rss, ua.rss)
	}
	r := compared(as, bs)
	r.rss = rss
	return r, nil
}

// compared is as over bs, which were measured in turn.
func compared(as, bs []float64) result {
	ratios := make([]float64, len(as))
	for i := range as {
		ratios[i] = as[i] / bs[i]
	}
	return result{
		flow: median(as), base: median(bs),
		ratio: median(as) / median(bs), low: slices.Min(ratios), high: slices.Max(ratios),
		unit: "x",
	}
}

func median(xs []float64) float64 {
	s := slices.Clone(xs)
	slices.Sort(s)
	n := len(s)
	if n%2 == 1 {
		return s[n/2]
	}
	return (s[n/2-1] + s[n/2]) / 2
}

// perRecord is CPU ns a record.
func perRecord(records int) func(usage) float64 {
	return func(u usage) float64 { return float64(u.cpu.Nanoseconds()) / float64(records) }
}
