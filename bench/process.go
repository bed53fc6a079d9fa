package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// usage is what one process has used, from start to exit.
type usage struct {
	cpu  time.Duration // user and system
	wall time.Duration
	rss  int64 // most resident memory in bytes
}

// measure runs a command to its end and returns what it used.
func measure(name string, args ...string) (usage, error) {
	cmd := exec.Command(name, args...)
	// The same collector setting on both sides; flow sets it by itself.
	cmd.Env = append(os.Environ(), "GOGC=400")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	start := time.Now()
	err := cmd.Run()
	wall := time.Since(start)
	if err != nil {
		return usage{}, fmt.Errorf("%s %v: %w\n%s", name, args, err, out.Bytes())
	}
	ru, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return usage{}, fmt.Errorf("no resource usage of %s", name)
	}
	return usage{
		cpu:  cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(),
		wall: wall,
		rss:  ru.Maxrss << 10, // Linux counts in KiB
	}, nil
}

// build compiles a command of the module into dir.
func build(dir, name, pkg string) (string, error) {
	bin := dir + "/" + name
	cmd := exec.Command("go", "build", "-o", bin, pkg)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", pkg, err, out)
	}
	return bin, nil
}
