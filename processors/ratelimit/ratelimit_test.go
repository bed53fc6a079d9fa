package ratelimit

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

func gate(t *testing.T, c *Config) engine.Gate {
	t.Helper()
	if ps := c.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	p, err := Factory().New(c, engine.Env{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := p.Bind(record.NewLayout())
	if err != nil {
		t.Fatal(err)
	}
	return b.Gate
}

func TestRates(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		config     Config
		n, size    int
		took       time.Duration
		mostAtOnce int
	}{
		"records":            {Config{Records: 100, Per: time.Second, Burst: 1}, 201, 10, 2 * time.Second, 1},
		"a burst first":      {Config{Records: 100, Per: time.Second, Burst: 50}, 150, 10, time.Second, 50},
		"few in a long time": {Config{Records: 6, Per: time.Minute, Burst: 1}, 4, 10, 30 * time.Second, 1},
		"bytes":              {Config{Bytes: 1000, Per: time.Second, Burst: 1}, 21, 100, 2 * time.Second, 1},
		"large records":      {Config{Bytes: 1000, Per: time.Second, Burst: 1}, 3, 1000, 2900 * time.Millisecond, 1},
		"both":               {Config{Records: 1000, Bytes: 1000, Per: time.Second, Burst: 10}, 11, 100, time.Second, 1},
		"empty records":      {Config{Bytes: 1000, Per: time.Second, Burst: 1}, 1000, 0, 0, 1000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := gate(t, &tt.config)
				begin, most := time.Now(), 0
				for left := tt.n; left > 0; {
					k, err := g(t.Context(), left, func(int) int { return tt.size })
					if err != nil {
						t.Fatal(err)
					}
					most = max(most, k)
					left -= k
				}
				if took := time.Since(begin).Round(time.Millisecond); took != tt.took || most != tt.mostAtOnce {
					t.Errorf("%d records took %v and at most %d passed at once, want %v and %d", tt.n, took, most, tt.took, tt.mostAtOnce)
				}
			})
		})
	}
}

func TestStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := gate(t, &Config{Records: 1, Per: time.Hour, Burst: 1})
		ctx, cancel := context.WithCancel(t.Context())
		if _, err := g(ctx, 1, func(int) int { return 1 }); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Second, cancel)
		begin := time.Now()
		if _, err := g(ctx, 1, func(int) int { return 1 }); !errors.Is(err, context.Canceled) || time.Since(begin) != time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
	})
}
