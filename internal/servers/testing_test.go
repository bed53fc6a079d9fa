package servers

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// failing is a test that fails, and what it logs.
type failing struct {
	testing.TB
	cleanups []func()
	log      strings.Builder
}

func (f *failing) Helper()           {}
func (f *failing) Failed() bool      { return true }
func (f *failing) Cleanup(fn func()) { f.cleanups = append(f.cleanups, fn) }
func (f *failing) Log(args ...any)   { fmt.Fprintln(&f.log, args...) }

func (f *failing) end() {
	for i := len(f.cleanups) - 1; i >= 0; i-- {
		f.cleanups[i]()
	}
}

func TestFailureShowsTheLogOfItsBroker(t *testing.T) {
	t.Parallel()
	f := &failing{TB: t}
	c := Kafka(f, KafkaOptions{})
	topic := c.Topic(t, 1)
	f.end()
	for _, want := range []string{"broker 1 logged last:", topic} {
		if !strings.Contains(f.log.String(), want) {
			t.Errorf("%q is not in\n%s", want, f.log.String())
		}
	}
	if _, err := c.Pid(1); err == nil {
		t.Error("the broker runs after the test")
	}
}

func TestLogsSince(t *testing.T) {
	t.Parallel()
	c := &Cluster{nodes: []*node{{id: 1, dir: t.TempDir()}, {id: 2, dir: t.TempDir()}}}
	say := func(text string) {
		f, err := os.OpenFile(c.nodes[0].log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		mustDo(t, err)
		_, err = f.WriteString(text)
		mustDo(t, err)
		mustDo(t, f.Close())
	}
	say("a\nb\n")
	from := c.logSizes()
	say("c\nd\ne\n")
	if got, want := c.logsSince(from, 2), "broker 1 logged last:\nd\ne\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := c.logsSince(from, 9), "broker 1 logged last:\nc\nd\ne\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
