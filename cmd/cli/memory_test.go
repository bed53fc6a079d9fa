package cli

import (
	"errors"
	"testing"

	"github.com/flowrecords/flow/engine"
)

func TestMemoryLimit(t *testing.T) {
	t.Parallel()
	pipeline := func(inFlight engine.ByteSize) *engine.Pipeline {
		return &engine.Pipeline{Settings: engine.Settings{MaxInFlight: inFlight}}
	}
	for _, tt := range []struct {
		name      string
		pipelines []*engine.Pipeline
		group     int64
		want      int64
	}{
		{"one", []*engine.Pipeline{pipeline(32 << 20)}, 0, 128 << 20},
		{"two", []*engine.Pipeline{pipeline(32 << 20), pipeline(1 << 30)}, 0, 64<<20 + 64<<20 + 2<<30},
		{"a small control group", []*engine.Pipeline{pipeline(32 << 20)}, 100_000_000, 90_000_000},
		{"a large control group", []*engine.Pipeline{pipeline(32 << 20)}, 1 << 40, 128 << 20},
	} {
		if got := memoryLimit(tt.pipelines, tt.group); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestCgroupLimit(t *testing.T) {
	t.Parallel()
	const v2, v1 = "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  int64
	}{
		{"none", nil, 0},
		{"v2", map[string]string{v2: "1048576\n"}, 1 << 20},
		{"v2 without a limit", map[string]string{v2: "max\n"}, 0},
		{"v1", map[string]string{v1: "2097152\n"}, 2 << 20},
		{"v1 without a limit", map[string]string{v1: "9223372036854771712\n"}, 0},
	} {
		got := cgroupLimit(func(name string) ([]byte, error) {
			if text, ok := tt.files[name]; ok {
				return []byte(text), nil
			}
			return nil, errors.New("no such file")
		})
		if got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}
