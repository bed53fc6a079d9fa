package deadletters

import (
	"fmt"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func letterAt(offset int64, value string) *Letter {
	l := &Letter{Offset: offset, Next: offset + 10}
	l.Record.Value = []byte(value)
	return l
}

// TestLedger: what is stored is known to the next process, and only there where
// the letters are the same.
func TestLedger(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open := func() *Ledger {
		l, err := OpenLedger(t.Context(), dir, "p")
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	known := func(l *Ledger, id, value string) string {
		c := l.of(id)
		out := ""
		for at := int64(0); at < 60; at += 10 {
			out += fmt.Sprint(map[bool]int{true: 1}[c.has(letterAt(at, value))])
		}
		return out
	}
	hash := letterAt(0, "v").hash()
	l := open()
	if _, err := OpenLedger(t.Context(), dir, "p"); err == nil {
		t.Error("two processes hold one ledger")
	}
	for _, e := range []entry{
		{"a": {{From: 0, To: 10, Hash: hash}}},
		{"a": {{From: 30, To: 40, Hash: hash}}, "b": {{From: 50, To: 60, Hash: hash}}},
		{"a": {{From: 10, To: 20, Hash: hash}}},
	} {
		if err := l.add(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open()
	if a, b := known(l, "a", "v"), known(l, "b", "v"); a != "110100" || b != "000001" {
		t.Errorf("after a restart a is %s and b is %s", a, b)
	}
	if got := known(l, "a", "other"); got != "000000" {
		t.Errorf("letters of a new file count as replayed: %s", got)
	}
	// It was forgotten for good, so that old and new do not mix.
	if err := l.add(t.Context(), entry{"a": {{From: 20, To: 30, Hash: hash}}}); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open()
	if got := known(l, "a", "v"); got != "001000" {
		t.Errorf("after a new file a is %s", got)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}
