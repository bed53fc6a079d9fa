package cli

import (
	"os"
	"runtime/debug"
	"strconv"
	"strings"
)

// gcPercent trades memory for speed: flow's slabs are pooled, so the heap is
// small and a lazy collector costs little room.
const gcPercent = 400

// tuneMemory sets what the user did not set: GOGC, and a memory limit of 90 %
// of the control group's.
func tuneMemory(getenv func(string) string) {
	if getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if getenv("GOMEMLIMIT") != "" {
		return
	}
	if limit := cgroupLimit(os.ReadFile); limit > 0 {
		debug.SetMemoryLimit(limit / 10 * 9)
	}
}

// cgroupLimit returns the memory limit of the control group in bytes, 0 if
// there is none. The files are those of cgroup v2 and v1 as seen from inside
// a container.
func cgroupLimit(read func(string) ([]byte, error)) int64 {
	for _, name := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		text, err := read(name)
		if err != nil {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		if err == nil && n > 0 && n < 1<<60 { // v1 says "no limit" with a huge number
			return n
		}
	}
	return 0
}
