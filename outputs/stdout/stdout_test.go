package stdout

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/outputs/internal/frame"
)

const childEnv = "FLOW_STDOUT_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		child()
		return
	}
	goleak.VerifyTestMain(m)
}

// buffer is a standard output in memory.
type buffer struct {
	mu     sync.Mutex
	b      bytes.Buffer
	closed bool
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	return nil
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func TestConformance(t *testing.T) {
	t.Parallel()
	enginetest.RunOutput(t, enginetest.OutputCase{
		New: func(*testing.T) enginetest.Target {
			w := &buffer{}
			return enginetest.Target{
				Output: newOutput(Defaults(), func() (io.WriteCloser, error) { return w, nil }),
				Read: func(*testing.T) []enginetest.Record {
					var list []enginetest.Record
					for line := range strings.Lines(w.String()) {
						list = append(list, enginetest.Record{Value: []byte(strings.TrimSuffix(line, "\n"))})
					}
					return list
				},
			}
		},
	})
}

func batchOf(values ...string) *engine.Batch {
	b := engine.NewBatch()
	b.Value.Encoding = record.Text
	for _, v := range values {
		b.Value.Add([]byte(v))
	}
	return b
}

func open(t *testing.T, format string, w io.WriteCloser) *output {
	t.Helper()
	c := Defaults()
	c.Format = format
	o := newOutput(c, func() (io.WriteCloser, error) { return w, nil })
	if err := o.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.Close(context.Background()) })
	return o
}

// TestFormats: a batch is one write, and the standard output stays open.
func TestFormats(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]string{
		frame.Lines:    "a\nb\n",
		frame.Raw:      "ab",
		frame.Envelope: `{"offset":0,"key":null,"value":"a"}` + "\n" + `{"offset":1,"key":null,"value":"b"}` + "\n",
	} {
		w := &buffer{}
		o := open(t, format, w)
		got := errors.New("not told")
		o.Write(t.Context(), batchOf("a", "b"), func(err error) { got = err })
		if got != nil || w.String() != want {
			t.Errorf("%s: %q, %v", format, w.String(), got)
		}
	}
}

// TestSkips: what an option leaves out is told, beside what is refused.
func TestSkips(t *testing.T) {
	t.Parallel()
	w := &buffer{}
	o := open(t, frame.Lines, w)
	o.cfg.Tombstones = "skip"
	if err := o.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := o.Open(t.Context()); err != nil { // the framer has the option now
		t.Fatal(err)
	}
	b := batchOf("a", "b\nc")
	b.Value.Add(nil)
	o.Write(t.Context(), b, func(err error) {
		var refused *engine.RecordErrors
		var skipped *engine.Skipped
		if !errors.As(err, &refused) || len(refused.Reasons) != 1 || refused.Reasons[1] == nil {
			t.Errorf("refused: %v", err)
		}
		if !errors.As(err, &skipped) || skipped.Records != 1 || skipped.Reason != "tombstone" {
			t.Errorf("skipped: %v", err)
		}
	})
	if w.String() != "a\n" {
		t.Errorf("written %q", w.String())
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	w := &buffer{}
	o := open(t, frame.Lines, w)
	var refused *engine.RecordErrors
	o.Write(t.Context(), batchOf("a", "b\nc", "d"), func(err error) {
		if !errors.As(err, &refused) || len(refused.Reasons) != 1 || refused.Reasons[1] == nil {
			t.Errorf("got %v", err)
		}
	})
	if w.String() != "a\nd\n" {
		t.Errorf("written %q", w.String())
	}
}

type pipeEnd struct{ err error }

func (p pipeEnd) Write([]byte) (int, error) { return 0, p.err }
func (pipeEnd) Close() error                { return nil }

func TestErrors(t *testing.T) {
	t.Parallel()
	o := open(t, frame.Lines, pipeEnd{io.ErrClosedPipe})
	o.Write(t.Context(), batchOf("a"), func(err error) {
		var retry *engine.RetryError
		if !errors.Is(err, errReaderGone) || errors.As(err, &retry) {
			t.Errorf("broken pipe: %v", err)
		}
	})
	broken := errors.New("broken")
	o = open(t, frame.Lines, pipeEnd{broken})
	o.Write(t.Context(), batchOf("a"), func(err error) {
		if !errors.Is(err, broken) {
			t.Errorf("broken terminal: %v", err)
		}
	})
}

// TestSlowReader: a reader that does not read holds up no stop, and what was
// given up is not followed by anything.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	o := open(t, frame.Lines, w)
	ctx, cancel := context.WithCancel(t.Context())
	told := make(chan error, 2)
	go func() {
		b := batchOf("a")
		o.Write(ctx, b, func(err error) {
			clear(b.Value.Data)
			told <- err
		})
		o.Write(t.Context(), batchOf("b"), func(err error) { told <- err })
		close(told)
	}()
	cancel()
	if err := <-told; !errors.Is(err, context.Canceled) {
		t.Errorf("the first write: %v", err)
	}
	if err := <-told; err == nil {
		t.Error("the second write was confirmed")
	}
	<-told
	if err := o.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); string(got) != "a\n" || err != nil {
		t.Errorf("the reader got %q, %v", got, err)
	}
}

// child writes to its standard output until that fails, and says how on the
// standard error.
func child() {
	o := newOutput(Defaults(), openStdout)
	if err := o.Open(context.Background()); err != nil {
		panic(err)
	}
	for {
		var failed error
		o.Write(context.Background(), batchOf("line"), func(err error) { failed = err })
		if failed != nil {
			_, _ = os.Stderr.WriteString(failed.Error())
			os.Exit(7)
		}
	}
}

// TestBrokenPipe lets a real reader go away: the process must get an error, and
// not the signal that ends it without a word.
func TestBrokenPipe(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts a process")
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"=1")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	first := make([]byte, 5)
	if _, err := io.ReadFull(out, first); err != nil || string(first) != "line\n" {
		t.Errorf("read %q, %v", first, err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if cmd.ProcessState.ExitCode() != 7 || stderr.String() != errReaderGone.Error() {
		t.Errorf("the process ended with %v: %s", cmd.ProcessState, stderr.String())
	}
}
