package dsl_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/flowrecords/flow/dsl"
)

// largeConfig is a config of so many lines: pipelines of 40 lines each with
// conditions, maps, a router and functions.
func largeConfig(lines int) string {
	var b strings.Builder
	b.WriteString("variable \"min\" {\n  default = 100\n}\n\nfunction \"masked\" {\n  params = [\"s\"]\n  result = \"'****' + s[-4:]\"\n}\n\n")
	for i := 0; strings.Count(b.String(), "\n") < lines; i++ {
		fmt.Fprintf(&b, `pipeline "orders_%[1]d" {
  commit_interval = "2s"

  input "file" "in" {
    path = "in/%[1]d/*.jsonl"
    mode = "tail"
  }

  processor "filter" "paid" {
    where = "value.status == 'paid' && value.total >= var.min && value.country in ['KR', 'JP', 'DE', 'FR']"
  }

  processor "map" "shape" {
    rename = { order_id = "id" }
    remove = ["internal", "debug.trace"]
    set = {
      total           = "roundTo(value.price * value.quantity, 2)"
      "customer.card" = "masked(value.customer.card)"
      region          = "value.country in ['KR', 'JP'] ? 'asia' : 'europe'"
    }
    key = "value.order_id"
  }

  processor "route" "region" {
    case "asia" {
      when = "value.region == 'asia' && value.total > 1000"
    }
  }

  output "file" "asia" {
    from = [processor.region.asia]
    path = "out/asia-%[1]d-{{ lower(value.country) }}.jsonl"
  }

  output "file" "others" {
    from = [processor.region]
    path = "out/others-%[1]d.jsonl"
  }

  output "file" "failed" {
    from   = [errors]
    path   = "out/failed-%[1]d.jsonl"
    format = "envelope"
  }
}

`, i)
	}
	return b.String()
}

// lintBudget is what lint of 2,000 lines may take.
const lintBudget = 200 * time.Millisecond

// TestLintIsFast: the best of some runs, since the machine may be busy; so it
// does not run beside other tests.
func TestLintIsFast(t *testing.T) {
	src := []byte(largeConfig(2000))
	reg := registry(t)
	best := time.Hour
	for range 20 {
		begin := time.Now()
		r := dsl.LoadSources(map[string][]byte{"main.hcl": src}, dsl.Options{Registry: reg})
		best = min(best, time.Since(begin))
		if len(r.Diags) > 0 {
			t.Fatalf("%s", printed(t, r))
		}
		if best <= lintBudget {
			break
		}
	}
	t.Logf("%v for %d lines", best, strings.Count(string(src), "\n"))
	if best > lintBudget && !raceDetector {
		t.Errorf("%v, more than %v", best, lintBudget)
	}
}

func BenchmarkLint(b *testing.B) {
	src := []byte(largeConfig(2000))
	reg := registry(b)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		dsl.LoadSources(map[string][]byte{"main.hcl": src}, dsl.Options{Registry: reg})
	}
}
