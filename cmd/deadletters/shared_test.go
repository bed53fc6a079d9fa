package deadletters

import (
	"fmt"
	"maps"
	"testing"

	"github.com/flowrecords/flow/engine"
)

// TestLedgerShared: what transactions have stored is known to others, ranges
// that grew count once, and those of a part that was made anew never again.
func TestLedgerShared(t *testing.T) {
	t.Parallel()
	topic := map[string]engine.Position{"input.file.in/x": {Offset: 7}} // not a replay's
	known := func(l *Ledger, value string) string {
		c := l.of("a/b")
		out := ""
		for at := int64(0); at < 60; at += 10 {
			out += fmt.Sprint(map[bool]int{true: 1}[c.has(letterAt(at, value))])
		}
		return out
	}
	store := func(l *Ledger, from, to int64, value string) {
		positions, done := l.share(entry{"a/b": {{From: from, To: to, Hash: letterAt(from, value).hash()}}})
		maps.Copy(topic, positions)
		done()
	}
	another := func() *Ledger {
		l := NewLedger()
		l.Learn(topic)
		return l
	}
	l := NewLedger()
	store(l, 0, 10, "v")
	store(l, 30, 40, "v")
	store(l, 10, 20, "v")
	if got := known(another(), "v"); got != "110100" {
		t.Errorf("another process knows %s", got)
	}
	if len(topic) != 3 {
		t.Errorf("two ranges are stored as %v", topic)
	}
	if positions, _ := l.share(entry{"a/b": {{From: 40, To: 50, Hash: letterAt(40, "v").hash()}}}); len(positions) != 1 {
		t.Errorf("one more range stores %v", positions)
	}
	if got := known(l, "v"); got != "110100" {
		t.Errorf("what was not committed is known: %s", got)
	}

	anew := another()
	if got := known(anew, "w"); got != "000000" {
		t.Errorf("letters of a part that was made anew count as replayed: %s", got)
	}
	anew.Learn(topic) // as the start of the run does
	if got := known(anew, "w"); got != "000000" {
		t.Errorf("they do after another look: %s", got)
	}
	store(anew, 20, 30, "w")
	if got := known(anew, "w"); got != "001000" {
		t.Errorf("of the new part %s is known", got)
	}
	if got := known(another(), "w"); got != "001000" {
		t.Errorf("another process knows %s of the new part", got)
	}
}

// TestLedgerSharedKeys: whatever a part is called, and whatever else is in the
// topic.
func TestLedgerSharedKeys(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"/var/lib/dead.jsonl", "topic dead of k1:9092, k2:9092/3", "", "replayed/5/x"} {
		s := span{From: 12, To: 99, Hash: 1<<64 - 1}
		got, back, ok := readShared(sharedKey(part, s), engine.Position{Offset: 99, State: "ffffffffffffffff"})
		if !ok || got != part || back != s {
			t.Errorf("%q: %q %v %v", part, got, back, ok)
		}
	}
	for _, key := range []string{"", "replayed", "replayed/", "replayed/x/a", "input.file.in/x"} {
		if part, _, ok := readShared(key, engine.Position{Offset: 5, State: "1"}); ok {
			t.Errorf("%q is a range of %q", key, part)
		}
	}
	if _, _, ok := readShared("replayed/1/a", engine.Position{Offset: 5, State: "zz"}); ok {
		t.Error("a hash that is none is one")
	}
}
