package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// lag reads a topic in which much waits, and watches the memory: it must not
// grow with what waits.
func lag(b *bench) (result, error) {
	k, err := startReal(b)
	if err != nil {
		return result{}, err
	}
	defer k.stop()
	const size = 1000
	n := int(b.lag / size)
	if err := k.fillLines("lag", n, size); err != nil {
		return result{}, err
	}
	out := filepath.Join(b.dir, "lag-out.jsonl")
	if err := os.Symlink(os.DevNull, out); err != nil {
		return result{}, err
	}
	flow := exec.Command(b.flow, "run", "bench/configs/from_topic.hcl", "--progress", "never", "--log-level", "warn",
		"--var", "brokers="+k.addr, "--var", "from=lag", "--var", "group=lag", "--var", "out="+out, "--var", "state="+filepath.Join(b.dir, "lag-state"))
	var text bytes.Buffer
	flow.Stdout, flow.Stderr = &text, &text
	if err := flow.Start(); err != nil {
		return result{}, err
	}
	ended := make(chan error, 1)
	go func() { ended <- flow.Wait() }()
	var seen []int64
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			if err != nil {
				return result{}, fmt.Errorf("%w\n%s", err, text.Bytes())
			}
			first, most := int64(0), int64(0)
			for i, rss := range seen {
				if i <= len(seen)/10 {
					first = max(first, rss)
				}
				most = max(most, rss)
			}
			const mib = 1 << 20
			return result{ratio: float64(most) / mib, low: float64(first) / mib, high: float64(most) / mib, unit: " MiB", rss: most}, nil
		case <-tick.C:
			if rss, err := resident(flow.Process.Pid); err == nil {
				seen = append(seen, rss)
			}
		}
	}
}
