package cli

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowrecords/flow/engine"
)

func TestProgressLinesFit(t *testing.T) {
	t.Parallel()
	rows := []progressRow{
		{pipeline: "shape", element: "input.kafka.orders", records: 1_455_616, bytes: 160 << 20, perSecond: 2.5e6,
			done: engine.Progress{Done: 25, Total: 100}, elapsed: 30 * time.Second},
		{pipeline: "load", element: "input.file.in", records: 3, done: engine.Progress{Done: 1, Total: 1}, ended: true},
		{pipeline: "load", element: "input.stdin.in", records: 3},
	}
	for _, tc := range []struct {
		width int
		want  []string // in the first line
	}{
		{120, []string{"1,455,616 records", "160.0 MiB", "2.50M/s", "█████░", " 25%", "1m30s left"}},
		{100, []string{"1,455,616 records", "160.0 MiB", "2.50M/s", " 25%", "1m30s left"}},
		{80, []string{"1,455,616 records", "2.50M/s", " 25%", "1m30s left"}},
		{30, []string{"shape  input.kafka.orders"}},
	} {
		lines := progressLines(rows, tc.width)
		if len(lines) != len(rows) || widest(lines) > tc.width {
			t.Errorf("width %d: the lines are too wide or too few: %q", tc.width, lines)
		}
		for _, want := range tc.want {
			if !strings.Contains(lines[0], want) {
				t.Errorf("width %d: %q lacks %q", tc.width, lines[0], want)
			}
		}
	}
}

func TestSummaryLayout(t *testing.T) {
	t.Parallel()
	rows := [][]string{
		{"PIPELINE", "ELEMENT", "IN", "OUT", "DROPPED", "ERRORS", "RETRIES", "BYTES", "RECORDS/S"},
		{"p", "input.file.in", "1,500,001", "", "", "", "", "164.9 MiB", "1.68M"},
		{"p", "processor.filter.f", "1,500,001", "750,000", "750,000 condition", "1", "", "", "1.68M"},
	}
	wide := []string{
		"PIPELINE  ELEMENT                    IN      OUT            DROPPED  ERRORS      BYTES  RECORDS/S",
		"p         input.file.in       1,500,001                                      164.9 MiB      1.68M",
		"p         processor.filter.f  1,500,001  750,000  750,000 condition       1                 1.68M",
	}
	if got := summaryLayout(rows, 100); !slices.Equal(got, wide) {
		t.Errorf("wide screen:\n%s", strings.Join(got, "\n"))
	}
	narrow := []string{
		"p  input.file.in",
		"  in 1,500,001  bytes 164.9 MiB  records/s 1.68M",
		"p  processor.filter.f",
		"  in 1,500,001  out 750,000  dropped 750,000 condition",
		"  errors 1  records/s 1.68M",
	}
	if got := summaryLayout(rows, 60); !slices.Equal(got, narrow) {
		t.Errorf("narrow screen:\n%s", strings.Join(got, "\n"))
	}
}

func TestRateMeter(t *testing.T) {
	t.Parallel()
	var m rateMeter
	start := time.Unix(1000, 0)
	if got := m.rate("p/i", 500, start, time.Second/2); got != 1000 {
		t.Errorf("the first rate is %v, want the average since the start", got)
	}
	if got := m.rate("p/i", 1500, start.Add(time.Second), 3*time.Second/2); got != 1000 {
		t.Errorf("the rate of an even flow is %v", got)
	}
	if got := m.rate("p/i", 1500, start.Add(2*time.Second), 5*time.Second/2); got <= 0 || got >= 1000 {
		t.Errorf("the rate of a flow that stopped is %v, want less than before", got)
	}
}
