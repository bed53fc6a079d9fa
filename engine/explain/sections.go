package explain

import (
	"fmt"
	"strings"

	"github.com/flowrecords/flow/engine"
)

func (s *sheet) delivery(p *Pipeline) {
	d := &p.Delivery
	s.row("promise", promise(d))
	for i, r := range d.Weakened {
		s.marked(yellow, first(i, "but"), r.Element+": "+r.Text)
	}
	for i, r := range d.Why {
		s.row(first(i, "why"), r.Element+" "+r.Text)
	}
	for i, r := range d.Dropped {
		s.row(first(i, "dropped"), r.Element+" "+r.Text)
	}
	s.row("repeats", d.Repeats)
	i, kept := 0, false
	for k := range p.Elements {
		e := &p.Elements[k]
		if e.Positions == nil {
			continue
		}
		where := "none that one could go back to"
		if e.Positions.By != "" {
			where = "kept by " + e.Positions.By
		}
		switch {
		case e.Positions.Prompt:
			where += "; told as soon as a record is confirmed"
		case e.Positions.By != "":
			kept = true
		}
		s.row(first(i, "positions"), e.Address+": "+where)
		i++
	}
	if kept {
		s.row("stored", fmt.Sprintf("every %s, or after %s if that is sooner", d.Commits.Interval, engine.ByteSize(d.Commits.Bytes)))
	}
}

func promise(d *Delivery) string {
	text := "at least once: a position is stored only when every output has confirmed the record"
	if d.Mode == engine.ExactlyOnce {
		text = "exactly once: positions are stored as one with what the outputs hold"
	}
	if !d.Kept {
		text += ". That is weaker here:"
	}
	return text
}

// first labels the first of several rows.
func first(i int, label string) string {
	if i > 0 {
		return ""
	}
	return label
}

// errors says where failed records go, elements with the same answer together.
func (s *sheet) errors(p *Pipeline) {
	var answers []string
	from := make(map[string][]string)
	for i := range p.Elements {
		e := &p.Elements[i]
		answer := "stop the pipeline, with the record named"
		if len(e.Errors) > 0 {
			answer = "go to " + list(e.Errors) + " with their reason in headers"
		}
		if from[answer] == nil {
			answers = append(answers, answer)
		}
		from[answer] = append(from[answer], e.Address)
	}
	for _, a := range answers {
		who := list(from[a])
		if len(answers) == 1 {
			who = "any element"
		}
		s.row("records", "that fail in "+who+" "+a)
	}
	s.row("servers", fmt.Sprintf("that are away are tried again for as long as it takes, after %s at first and %s at most", p.Retry.Min, p.Retry.Max))
}

func (s *sheet) runs(p *Pipeline) {
	if len(p.After) > 0 {
		s.row("begins", "when "+list(p.After)+" has ended")
	}
	if p.Bounded {
		s.row("ends", "when all inputs are read and everything is confirmed, with exit status 0")
	} else {
		s.row("ends", "never by itself, since "+list(p.Endless)+" goes on")
	}
	s.row("stop", "waits up to "+p.Bounds.DrainTimeout+" for what is in flight to be confirmed")
	if p.Order == "none" {
		s.row("order", "is not kept: workers overtake each other")
		return
	}
	s.row("order", "of records is kept within each source partition, through all stages")
}

func (s *sheet) bounds(p *Pipeline) {
	b := &p.Bounds
	s.row("batch", fmt.Sprintf("%d records or %s, sent at the latest %s after its first record", b.BatchRecords, engine.ByteSize(b.BatchBytes), b.Linger))
	s.row("queue", fmt.Sprintf("%d batches in front of each stage and output; then what fills it waits", b.QueueBatches))
	s.row("in flight", fmt.Sprintf("%s of source bytes that are read and not confirmed; then inputs wait", engine.ByteSize(b.InFlightBytes)))
	s.row("record", fmt.Sprintf("%s; a larger one fails", engine.ByteSize(b.RecordBytes)))
	var parts []string
	for _, m := range p.Memory.Parts {
		parts = append(parts, mebibytes(m.Bytes)+" "+m.What)
	}
	s.row("memory", "about "+mebibytes(p.Memory.Bytes)+" of records at most, beside what clients of servers and processors that remember hold: "+strings.Join(parts, " + "))
}

// mebibytes writes an estimate, without false precision.
func mebibytes(n int64) string {
	if n < 10<<20 {
		return fmt.Sprintf("%.1fMiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%dMiB", (n+1<<19)>>20)
}
