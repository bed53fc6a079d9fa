package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/flowrecords/flow/engine"
)

// progressRow is how far one input has come.
type progressRow struct {
	pipeline, element string
	records, bytes    int64
	perSecond         float64 // records, lately
	done              engine.Progress
	elapsed           time.Duration
	ended             bool
}

// rateMeter remembers the last sample of each input, to show rates of now
// and not of the whole run.
type rateMeter struct {
	last map[string]sample
}

type sample struct {
	at      time.Time
	records int64
	rate    float64
}

// smoothing weighs the newest sample of a rate.
const smoothing = 0.3

func (m *rateMeter) progress(jobs []*job, now time.Time) []progressRow {
	var rows []progressRow
	for _, j := range jobs {
		if j.state.started.Load() == 0 {
			continue
		}
		done := j.current().Progress()
		for i, e := range j.current().Elements() {
			if kindOf(j, i) != engine.KindInput {
				continue
			}
			row := progressRow{
				pipeline: j.plan.Name, element: e.Address,
				records: e.In.Load(), bytes: e.Bytes.Load(),
				done: done[e.Address], elapsed: j.state.elapsed(now),
				ended: j.state.ended.Load() != 0,
			}
			row.perSecond = m.rate(j.plan.Name+"/"+e.Address, row.records, now, row.elapsed)
			rows = append(rows, row)
		}
	}
	return rows
}

// rate smooths the samples of one input; the first one is the average since
// its start.
func (m *rateMeter) rate(key string, records int64, now time.Time, elapsed time.Duration) float64 {
	if m.last == nil {
		m.last = make(map[string]sample)
	}
	prev, seen := m.last[key]
	s := sample{at: now, records: records}
	if !seen && elapsed > 0 {
		s.rate = float64(records) / elapsed.Seconds()
	}
	if dt := now.Sub(prev.at).Seconds(); seen && dt > 0 {
		fresh := float64(records-prev.records) / dt
		s.rate = prev.rate + smoothing*(fresh-prev.rate)
		if prev.rate == 0 {
			s.rate = fresh
		}
	}
	m.last[key] = s
	return s.rate
}

// percent is how much is done, -1 where the size is not known.
func (r *progressRow) percent() float64 {
	if r.done.Total <= 0 {
		return -1
	}
	return min(100, 100*float64(r.done.Done)/float64(r.done.Total))
}

// eta extrapolates from the share done so far; 0 where it means nothing.
func (r *progressRow) eta() time.Duration {
	p := r.percent()
	if p < 1 || p >= 100 || r.elapsed < time.Second {
		return 0
	}
	return time.Duration(float64(r.elapsed) * (100 - p) / p)
}

func (r *progressRow) attrs() []any {
	attrs := []any{"pipeline", r.pipeline, "element", r.element, "records", r.records, "bytes", r.bytes, "per_second", int64(r.perSecond)}
	if p := r.percent(); p >= 0 {
		attrs = append(attrs, "percent", int(p))
	}
	return attrs
}

// progressLayout is what a progress line shows beside name, records and rate.
type progressLayout struct {
	bar  int // columns of the bar
	size bool
}

// progressLayouts are tried until all lines fit: how far an input has come
// and how long it will take are the last to go.
var progressLayouts = [...]progressLayout{{20, true}, {10, true}, {0, true}, {0, false}}

// progressLines draws one line an input, none wider than width.
func progressLines(rows []progressRow, width int) []string {
	var lines []string
	for _, layout := range progressLayouts {
		lines = layout.lines(rows)
		if widest(lines) <= width {
			return lines
		}
	}
	for i := range lines {
		lines[i] = clip(lines[i], width)
	}
	return lines
}

func (l progressLayout) lines(rows []progressRow) []string {
	name := 0
	for _, r := range rows {
		name = max(name, len([]rune(r.pipeline))+2+len([]rune(r.element)))
	}
	lines := make([]string, len(rows))
	for i, r := range rows {
		var b strings.Builder
		fmt.Fprintf(&b, "%-*s  %12s records", name, r.pipeline+"  "+r.element, thousands(r.records))
		if l.size {
			fmt.Fprintf(&b, "  %10s", engine.SizeText(r.bytes))
		}
		fmt.Fprintf(&b, "  %7s/s", short(r.perSecond))
		if p := r.percent(); p >= 0 {
			b.WriteString("  ")
			if l.bar > 0 {
				full := int(p / 100 * float64(l.bar))
				b.WriteString(strings.Repeat("█", full) + strings.Repeat("░", l.bar-full) + " ")
			}
			fmt.Fprintf(&b, "%3.0f%%", p)
			if eta := r.eta(); eta > 0 && !r.ended {
				fmt.Fprintf(&b, "  %s left", clockTime(eta))
			}
		}
		if r.ended {
			b.WriteString("  done")
		}
		lines[i] = b.String()
	}
	return lines
}

func widest(lines []string) int {
	n := 0
	for _, line := range lines {
		n = max(n, len([]rune(line)))
	}
	return n
}

// clip cuts a line to width columns; flow's own lines have one column a rune.
func clip(s string, width int) string {
	if r := []rune(s); len(r) > width && width > 1 {
		return string(r[:width-1]) + "…"
	}
	return s
}

// thousands writes 1234567 as 1,234,567.
func thousands(n int64) string {
	s := fmt.Sprint(n)
	start := 0
	if n < 0 {
		start = 1
	}
	for i := len(s) - 3; i > start; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// short writes 1234567 as 1.23M.
func short(f float64) string {
	switch {
	case f >= 1e9:
		return fmt.Sprintf("%.2fG", f/1e9)
	case f >= 1e6:
		return fmt.Sprintf("%.2fM", f/1e6)
	case f >= 1e4:
		return fmt.Sprintf("%.1fk", f/1e3)
	default:
		return fmt.Sprintf("%.0f", f)
	}
}

// clockTime writes a rest of time as people say it.
func clockTime(d time.Duration) string {
	switch {
	case d >= time.Hour:
		return d.Round(time.Minute).String()
	case d >= time.Minute:
		return d.Round(time.Second).String()
	default:
		return fmt.Sprintf("%ds", int(d.Seconds()+0.5))
	}
}
