package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/flowrecords/flow/engine"
)

// summaryLines is the table at the end of a run: one line an element, or a
// list of the same where the table is wider than the screen.
func summaryLines(jobs []*job, now time.Time, width int) []string {
	rows := [][]string{{"PIPELINE", "ELEMENT", "IN", "OUT", "DROPPED", "ERRORS", "RETRIES", "BYTES", "RECORDS/S"}}
	for _, j := range jobs {
		elapsed := j.state.elapsed(now).Seconds()
		for i, e := range j.current().Elements() {
			in, out := thousands(e.In.Load()), thousands(e.Out.Load())
			moved := e.In.Load()
			switch kindOf(j, i) {
			case engine.KindInput:
				out = "" // what it has read and what went on are the same
			case engine.KindOutput:
				moved = e.Out.Load()
			}
			dropped := blankZero(e.Dropped.Load())
			if why := e.Reason(); dropped != "" && why != "" {
				dropped += " " + why
			}
			bytes := ""
			if n := e.Bytes.Load(); n > 0 {
				bytes = engine.SizeText(n)
			}
			rate := ""
			if elapsed > 0 && moved > 0 {
				rate = short(float64(moved) / elapsed)
			}
			rows = append(rows, []string{j.plan.Name, e.Address, in, out,
				dropped, blankZero(e.Errors.Load()), blankZero(e.Retries.Load()), bytes, rate})
		}
	}
	lines := summaryLayout(rows, width)
	for _, j := range jobs {
		if d := j.state.elapsed(now); d > 0 {
			lines = append(lines, fmt.Sprintf("%s: %s", j.plan.Name, d.Round(time.Millisecond)))
		}
	}
	return lines
}

// summaryLayout never cuts a figure: what a narrow screen has no room for in
// one line stands in several. A column that says nothing is left out.
func summaryLayout(rows [][]string, width int) []string {
	rows = withoutEmpty(rows, 4)
	lines := align(rows, 2)
	if widest(lines) <= width {
		return lines
	}
	lines = nil
	for _, row := range rows[1:] {
		lines = append(lines, row[0]+"  "+row[1])
		line := ""
		for i, cell := range row[2:] {
			if cell == "" {
				continue
			}
			fact := "  " + strings.ToLower(rows[0][i+2]) + " " + cell
			if line != "" && len([]rune(line+fact)) > width {
				lines, line = append(lines, line), ""
			}
			line += fact
		}
		lines = append(lines, line)
	}
	return lines
}

// withoutEmpty leaves out columns without a cell below their heading; the
// first keep ones stay.
func withoutEmpty(rows [][]string, keep int) [][]string {
	out := make([][]string, len(rows))
	for i := range rows[0] {
		if i >= keep && !slices.ContainsFunc(rows[1:], func(row []string) bool { return row[i] != "" }) {
			continue
		}
		for n, row := range rows {
			out[n] = append(out[n], row[i])
		}
	}
	return out
}

func blankZero(n int64) string {
	if n == 0 {
		return ""
	}
	return thousands(n)
}

// align pads cells to columns; the first left columns to the left, numbers
// to the right.
func align(rows [][]string, left int) []string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	lines := make([]string, len(rows))
	for n, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-len([]rune(cell)))
			if i > 0 {
				b.WriteString("  ")
			}
			if i < left {
				b.WriteString(cell + pad)
			} else {
				b.WriteString(pad + cell)
			}
		}
		lines[n] = strings.TrimRight(b.String(), " ")
	}
	return lines
}
