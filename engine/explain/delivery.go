package explain

import (
	"fmt"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/checkpoint"
	"github.com/flowrecords/flow/engine/limits"
)

// delivery says what is promised, who keeps it, and what weakens it.
func (d *describer) delivery() {
	s := &d.plan.Settings
	out := &d.out.Delivery
	out.Mode = s.Delivery
	out.Commits = Commits{Interval: engine.DurationText(s.CommitInterval), Bytes: limits.CommitInFlights * int64(s.MaxInFlight)}
	idempotent, outputs, again := 0, 0, false
	for _, i := range d.order {
		p := &d.parts[i]
		switch p.el.Kind {
		case engine.KindInput:
			d.positions(p)
			again = again || p.out.Positions.Once == ""
		case engine.KindOutput:
			outputs++
			d.confirms(p)
			if p.el.Delivery.Idempotent != "" || p.el.Delivery.Discards {
				idempotent++
			}
		}
	}
	out.Kept = len(out.Weakened) == 0
	switch {
	case out.Mode == engine.ExactlyOnce:
		out.Repeats = "nothing comes twice: what came after the last stored position is taken back before it is read again"
	case !again:
		out.Repeats = "nothing comes twice, since nothing can be read again"
	case idempotent == outputs:
		out.Repeats = "what comes again after a crash changes nothing in the outputs"
	default:
		out.Repeats = fmt.Sprintf("after a crash, what was written since the last stored position comes again: at most %s of records, or about %s if that is sooner",
			out.Commits.Interval, engine.ByteSize(out.Commits.Bytes+int64(s.MaxInFlight)))
	}
}

// positions says where an input goes on, and why that is safe.
func (d *describer) positions(p *part) {
	del, out := p.el.Delivery, &d.out.Delivery
	pos := &Positions{By: redact(del.Positions), Once: redact(del.Once), Prompt: p.prompt}
	switch {
	case pos.Once != "":
		pos.By = ""
	case pos.By == "" && p.committer:
		pos.By = "the system that it reads"
	case pos.By == "":
		pos.By, pos.Checkpoint = "flow, in "+d.keptIn(), true
	}
	p.out.Positions = pos
	if tx := engine.TransactionsOf(d.plan.Elements); d.plan.Settings.Delivery == engine.ExactlyOnce && tx != "" && pos.Once == "" {
		if pos.Checkpoint {
			pos.By = "the topic that positions_topic of " + tx + " names"
		}
		pos.By, pos.Checkpoint = pos.By+", in the transaction that writes the records", false
		out.Why = append(out.Why, Reason{p.out.Address, "has its position in the transaction of the records, so one is never there without the other"})
		return
	}
	if d.plan.Settings.Delivery == engine.ExactlyOnce && pos.Once == "" {
		told := ""
		if !pos.Checkpoint {
			told = "; told to " + pos.By
		}
		pos.By, pos.Checkpoint = "flow, in the folder "+d.plan.Settings.StateDir+", as one with what the outputs hold"+told, true
		out.Why = append(out.Why, Reason{p.out.Address, "goes on exactly where the outputs end"})
		return
	}
	if pos.Once != "" {
		out.Weakened = append(out.Weakened, Reason{p.out.Address, pos.Once + ", so a crash loses what was read and not confirmed"})
		return
	}
	out.Why = append(out.Why, Reason{p.out.Address, "has its position moved only over records that every output has confirmed"})
}

// keptIn is where flow keeps positions.
func (d *describer) keptIn() string {
	s := &d.plan.Settings
	if system, ok := s.Checkpoint.Value.(checkpoint.System); ok {
		return redact(system.PositionsIn())
	}
	return "the folder " + s.StateDir
}

// confirms says what a confirmation of an output is worth.
func (d *describer) confirms(p *part) {
	del, out := p.el.Delivery, &d.out.Delivery
	c := &Confirms{When: redact(del.Confirms), Lossy: redact(del.Lossy), Discards: del.Discards, Idempotent: redact(del.Idempotent)}
	if c.When == "" {
		c.When = "it says so"
	}
	p.out.Confirms = c
	switch {
	case c.Discards:
		out.Dropped = append(out.Dropped, Reason{p.out.Address, "throws records away, as the config says, and counts them"})
	case c.Lossy != "":
		out.Weakened = append(out.Weakened, Reason{p.out.Address, c.Lossy})
		fallthrough
	default:
		out.Why = append(out.Why, Reason{p.out.Address, "confirms a record when " + c.When})
	}
	if d.plan.Settings.Delivery == engine.ExactlyOnce && del.Marks {
		out.Why = append(out.Why, Reason{p.out.Address, "takes back after a crash what it has written behind the last stored position"})
	}
	if d.plan.Settings.Delivery == engine.ExactlyOnce && del.Transactions != "" {
		out.Why = append(out.Why, Reason{p.out.Address, "writes in transactions: who reads committed records only sees all of one or nothing"})
	}
	if c.Idempotent != "" {
		out.Why = append(out.Why, Reason{p.out.Address, "takes a record twice without harm: " + c.Idempotent})
	}
}
