package lint

import (
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/flowrecords/flow/dsl/rules"
	"github.com/flowrecords/flow/engine"
)

const (
	// hastyRetry is the pause below which tries hammer a server that is down.
	hastyRetry = 100 * time.Millisecond
	// hastyCommit is the interval below which storing positions is most of the
	// work: twenty times a second, each a forced write or a request.
	hastyCommit = 50 * time.Millisecond
)

// settings checks the options of the pipeline block.
func (k *checker) settings(p *Pipeline) {
	s := p.Settings
	given := func(path string) *Option {
		if o := p.Option(path); o != nil && o.Given && o.Expr != nil {
			return o
		}
		return nil
	}
	if o := given("state_dir"); o != nil && temporary(s.StateDir) && s.Checkpoint.Name == "" && k.keepsPositions(p) {
		k.report(rules.TemporaryState, o.Expr.Range(), "positions are kept in a temporary folder",
			"The system empties %s, at the latest at a restart, and everything is read again. Choose a folder that stays, such as /var/lib/flow.", s.StateDir)
	}
	if o := given("checkpoint"); o != nil && p.Whole && !k.keepsPositions(p) {
		k.report(rules.NoPositions, o.Range, "there are no positions to keep",
			"All inputs of the pipeline have theirs kept elsewhere, or none at all, so checkpoint does nothing. Remove this line.")
		k.fix(k.removed(o.Range)...)
	}
	if o := given("drain_timeout"); o != nil && s.DrainTimeout == 0 {
		k.report(rules.NoDrain, o.Expr.Range(), "a stop waits for nothing",
			"What is in flight at a stop is not confirmed and is read again by the next start, so every deployment makes duplicates. Give it some seconds: drain_timeout = \"30s\"")
	}
	if o := given("retry_max"); o != nil && s.RetryMax < hastyRetry {
		k.report(rules.HastyRetries, o.Expr.Range(), "a server that is down is tried without a pause",
			"All elements try again at least every %s, which keeps a server that comes back from standing up. Use a second or more.", engine.DurationText(s.RetryMax))
	}
	if o := given("commit_interval"); o != nil && s.CommitInterval < hastyCommit {
		k.report(rules.HastyCommits, o.Expr.Range(), "positions are stored all the time",
			"Each time costs a forced write or a request, here %d times a second. After a crash only the records since the last time are read again: a second is short.", int(time.Second/s.CommitInterval))
	}
	if s.MaxInFlight < s.BatchBytes {
		o := given("max_in_flight")
		if o == nil {
			o = given("batch_bytes")
		}
		if o != nil {
			k.report(rules.InFlightBelowBatch, o.Expr.Range(), "max_in_flight is smaller than one batch",
				"A batch may have %s and %s may be in flight, so no batch is ever full and nothing is read while one is on its way. Let max_in_flight be several times batch_bytes.", s.BatchBytes, s.MaxInFlight)
		}
	}
	if o := given("linger"); o != nil && s.Linger > 0 && s.BatchRecords == 1 {
		k.report(rules.LingerWithoutEffect, o.Range, "linger has no effect",
			"A batch has one record, batch_records = 1, so it never waits for more. Remove linger, or allow larger batches.")
		k.fix(k.removed(o.Range)...)
	}
	if o := given("order"); o != nil && s.Order == "none" && s.Workers == 1 {
		k.report(rules.OneWorkerNoOrder, o.Expr.Range(), "order is given up for nothing",
			"order = \"none\" lets workers overtake each other, and with workers = 1 there is only one. Remove this line, or allow more workers.")
	}
}

// temporary reports whether a folder is one that systems empty.
func temporary(dir string) bool {
	dir = clean(dir)
	for _, t := range []string{"/tmp", "/var/tmp", "/dev/shm", "/run", "/private/tmp"} {
		if dir == t || strings.HasPrefix(dir, t+"/") {
			return true
		}
	}
	return false
}

// keepsPositions reports whether an input's positions are kept by flow: in the
// state_dir, or where checkpoint says.
func (k *checker) keepsPositions(p *Pipeline) bool {
	for _, e := range p.inputs() {
		if e.OK && e.Delivery.Positions == "" && e.Delivery.Once == "" {
			return true
		}
	}
	return false
}

// sessions finds positions that are stored more rarely than a member of a
// group must show that it lives.
func (k *checker) sessions(p *Pipeline) {
	for _, e := range p.inputs() {
		o := e.Option("session_timeout")
		if o == nil || o.Type != "duration" {
			continue
		}
		timeout := time.Duration(o.Value.Int())
		if p.Settings.CommitInterval <= timeout {
			continue
		}
		var at hcl.Range
		switch c := p.Option("commit_interval"); {
		case c != nil && c.Given && c.Expr != nil:
			at = c.Expr.Range()
		case o.Given && o.Expr != nil:
			at = o.Expr.Range()
		default:
			continue
		}
		k.report(rules.CommitAboveSession, at, "commit_interval is longer than session_timeout",
			"Positions are stored every %s, and after %s without a sign of life the group gives the partitions of %s to others, who read all since then again. Store them several times within that time.",
			engine.DurationText(p.Settings.CommitInterval), engine.DurationText(timeout), e.short())
		return
	}
}

// windows finds processors that gather more than may be in flight, so that
// their windows never fill.
func (k *checker) windows(p *Pipeline, e *Element) {
	size, period := e.Option("bytes"), e.Option("period")
	if e.Kind != engine.KindProcessor || size == nil || period == nil || size.Type != "size" || period.Type != "duration" {
		return
	}
	bytes := engine.ByteSize(size.Value.Int())
	if bytes < p.Settings.MaxInFlight {
		return
	}
	at := e.At
	if size.Given && size.Expr != nil {
		at = size.Expr.Range()
	} else if o := p.Option("max_in_flight"); o != nil && o.Given && o.Expr != nil {
		at = o.Expr.Range()
	}
	k.report(rules.WindowAboveInFlight, at, "windows cannot fill",
		"What %s gathers is in flight. It waits for %s and only %s may be in flight, so windows end before they are full. Raise max_in_flight of the pipeline or lower bytes.", e.short(), bytes, p.Settings.MaxInFlight)
}
