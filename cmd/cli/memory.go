package cli

import (
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/flowrecords/flow/engine"
)

// gcPercent trades memory for speed: flow's slabs are pooled, so the heap is
// small and a lazy collector costs little room.
const gcPercent = 400

// baseMemory is what a process needs beside the records of its pipelines:
// code, clients, batches that wait.
const baseMemory = 64 << 20

// tuneMemory sets what the user did not set: GOGC, and a soft limit above
// which the collector works harder. The limit follows from what the pipelines
// may hold in flight, since with a lazy collector records of many megabytes
// would leave several times as much behind; it is never above 90 % of the
// control group's.
func tuneMemory(getenv func(string) string, pipelines []*engine.Pipeline) {
	if getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit(pipelines, cgroupLimit(os.ReadFile)))
	}
}

// memoryLimit is the soft limit in bytes; group is the control group's, 0 for
// none.
func memoryLimit(pipelines []*engine.Pipeline, group int64) int64 {
	limit := int64(baseMemory)
	for _, p := range pipelines {
		// Twice: a record is held as it was read and as it will be written.
		limit += 2 * int64(p.Settings.MaxInFlight)
	}
	if group > 0 {
		limit = min(limit, group/10*9)
	}
	return limit
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
