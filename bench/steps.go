package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// steps compares two sides of a benchmark of a package, which has sub-benchmarks
// named by side, alone (flow, maps) or in pairs (cast/transform, cast/map or
// plain/number, envelope/number). Of several pairs the one with the highest
// ratio counts.
func steps(pkg, name, flow, base string) func(*bench) (result, error) {
	return func(b *bench) (result, error) {
		bin := filepath.Join(b.dir, strings.ToLower(name)+".test")
		if out, err := exec.Command("go", "test", "-c", "-o", bin, pkg).CombinedOutput(); err != nil {
			return result{}, fmt.Errorf("building the tests of %s: %w\n%s", pkg, err, out)
		}
		// By pair, then by side, what each run took.
		took := make(map[string]map[string][]float64)
		for i := range b.runs + 1 {
			cmd := exec.Command(bin, "-test.run", "^$", "-test.bench", "^"+name+"$", "-test.benchtime", "100ms")
			cmd.Dir = pkg
			out, err := cmd.CombinedOutput()
			if err != nil {
				return result{}, fmt.Errorf("%s: %w\n%s", name, err, out)
			}
			if i == 0 {
				continue // warm-up
			}
			for _, m := range benchLine.FindAllStringSubmatch(string(out), -1) {
				side, pair := sideOf(m[1], flow, base)
				if side == "" {
					continue
				}
				ns, err := strconv.ParseFloat(m[2], 64)
				if err != nil {
					return result{}, err
				}
				if took[pair] == nil {
					took[pair] = make(map[string][]float64)
				}
				took[pair][side] = append(took[pair][side], ns)
			}
		}
		var worst result
		for pair, sides := range took {
			if len(sides[flow]) != b.runs || len(sides[base]) != b.runs {
				return result{}, fmt.Errorf("%s has not both sides of %s", name, pair)
			}
			if r := compared(sides[flow], sides[base]); r.ratio > worst.ratio {
				worst, worst.of = r, pair
			}
		}
		if worst.ratio == 0 {
			return result{}, fmt.Errorf("%s has no sides %s and %s", name, flow, base)
		}
		return worst, nil
	}
}

var benchLine = regexp.MustCompile(`(?m)^Benchmark[^/\s]+/(\S+?)(?:-\d+)?\s+\d+\s+([\d.]+) ns/op`)

// sideOf splits the name of a sub-benchmark.
func sideOf(name, flow, base string) (side, pair string) {
	parts := strings.Split(name, "/")
	i := slices.IndexFunc(parts, func(p string) bool { return p == flow || p == base })
	if i < 0 {
		return "", ""
	}
	return parts[i], strings.Join(slices.Delete(slices.Clone(parts), i, i+1), "/")
}
