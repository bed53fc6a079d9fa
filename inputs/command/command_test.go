//go:build unix

package command

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func shell(script string) *Config {
	c := Defaults().(*Config)
	c.Command = []string{"sh", "-c", script}
	c.RestartPause = time.Millisecond
	return c
}

func open(t *testing.T, c *Config) *input {
	t.Helper()
	if ps := c.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	in := newInput(c, enginetest.Env(t, "input.command.in"))
	if err := in.Open(t.Context(), enginetest.NewHost(engine.BatchLimits{})); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := in.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return in
}

// read reads for as long as it takes n records or an error that ends the
// input. Failed records begin with "!"; pauses that the input asks for are
// returned beside them.
func read(t *testing.T, in *input, n int) (records []string, pauses []error, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for len(records) < n {
		b, err := in.Read(ctx)
		var again *engine.RetryError
		if errors.As(err, &again) {
			pauses = append(pauses, again)
			continue
		}
		if err != nil {
			return records, pauses, err
		}
		for _, r := range enginetest.Records(b) {
			s := string(r.Value)
			if r.Failure.Reason != nil {
				s = "!" + s + ": " + r.Failure.Reason.Error()
			}
			records = append(records, s)
		}
		b.Done()
		b.Release()
	}
	return records, pauses, nil
}

const all = 1 << 30

func TestFormats(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, script string
		edit         func(*Config)
		want         []string
		err          string
	}{
		{"nothing", "", nil, nil, ""},
		{"lines", `printf 'a\n\nb'`, nil, []string{"a", "", "b"}, ""},
		{"csv", `printf 'a,b\n1,"2\n3"\n4,5'`, func(c *Config) { c.Format = "csv" }, []string{`{"a":"1","b":"2\n3"}`, `{"a":"4","b":"5"}`}, ""},
		{"whole", `printf 'a\nb\n'`, func(c *Config) { c.Format = "whole" }, []string{"a\nb\n"}, ""},
		{"whole nothing", "", func(c *Config) { c.Format = "whole" }, nil, ""},
		{"failure", "echo a; echo why >&2; exit 7", nil, []string{"a"}, "sh ended with status 7: why"},
		{"failure in a line", "echo a; printf b; exit 7", nil, []string{"a", "!b: the end of the record is missing: sh ended with status 7"}, "sh ended with status 7"},
		{"killed in a line", "echo a; printf b; kill -9 $$", nil, []string{"a", "!b: the end of the record is missing: sh was ended by a signal (killed)"}, "sh was ended by a signal (killed)"},
		{"killed in a row", `printf 'a,b\n1,2\n3,4'; kill -9 $$`, func(c *Config) { c.Format = "csv" }, []string{`{"a":"1","b":"2"}`, "!3,4: the end of the record is missing: sh was ended by a signal (killed)"}, "sh was ended by a signal (killed)"},
		{"failed whole", "echo a; exit 1", func(c *Config) { c.Format = "whole" }, []string{"!a\n: the end of the record is missing: sh ended with status 1"}, "sh ended with status 1"},
		{"closed its output", "echo a; exec >&-; exit 3", nil, []string{"a"}, "sh ended with status 3"},
		{"timeout", "echo a; exec sleep 600", func(c *Config) { c.Timeout = 50 * time.Millisecond }, []string{"a"}, "sh was stopped: it ran longer than the timeout of 50ms"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := shell(tt.script)
			if tt.edit != nil {
				tt.edit(c)
			}
			in := open(t, c)
			got, _, err := read(t, in, all)
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if tt.err == "" && !errors.Is(err, engine.ErrEnd) || tt.err != "" && err.Error() != tt.err {
				t.Errorf("ends with %v, want %q", err, tt.err)
			}
			if _, again := in.Read(t.Context()); again == nil || again.Error() != err.Error() {
				t.Errorf("after the end: %v", again)
			}
		})
	}
}

// TestOutsider: a process that has left the program's group and holds its pipe
// does not keep the input from ending.
func TestOutsider(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("setsid"); err != nil {
		t.Skip(err)
	}
	got, _, err := read(t, open(t, shell("setsid sleep 20 & echo $!; exit 3")), all)
	if len(got) != 1 || err == nil || err.Error() != "sh ended with status 3" {
		t.Errorf("got %q, %v", got, err)
	}
	pid, err := strconv.Atoi(got[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Errorf("there was no such process: %v", err)
	}
}

// TestLateReader: what a program has written before it ended is read however
// late.
func TestLateReader(t *testing.T) {
	t.Parallel()
	c := shell(`i=0; while [ $i -lt 60 ]; do printf '%01000d\n' $i; i=$((i+1)); done; echo $$ >&2`)
	in := open(t, c)
	if err := in.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-in.run.proc.Exited()
	// The program is gone; the pump has taken a block or two, the rest is in the
	// pipe, past every deadline.
	if err := in.run.proc.Stdout.SetReadDeadline(time.Now().Add(-time.Hour)); err != nil {
		t.Skip(err)
	}
	got, _, err := read(t, in, all)
	if len(got) != 60 || !errors.Is(err, engine.ErrEnd) {
		t.Errorf("%d records, %v", len(got), err)
	}
}

// runs makes a script that knows which run of it this is: $n.
func runs(t *testing.T, script string) string {
	return "cd " + t.TempDir() + "; echo >> runs; n=$(wc -l < runs); " + script
}

// TestRestart: the program is started again after each failure, and what it
// wrote before it was killed in a record is told apart.
func TestRestart(t *testing.T) {
	t.Parallel()
	c := shell(runs(t, `echo run $n; [ $n = 3 ] && exit 0; printf 'half of %d' $n; kill -9 $$`))
	c.Restart = "on_failure"
	got, pauses, err := read(t, open(t, c), all)
	const why = ": the end of the record is missing: sh was ended by a signal (killed)"
	if want := []string{"run 1", "!half of 1" + why, "run 2", "!half of 2" + why, "run 3"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if !errors.Is(err, engine.ErrEnd) || len(pauses) != 2 {
		t.Errorf("ends with %v after %d failures", err, len(pauses))
	}
}

func TestRestartAlways(t *testing.T) {
	t.Parallel()
	c := shell(runs(t, `echo run $n; exit 0`))
	c.Restart = "always"
	got, pauses, err := read(t, open(t, c), 3)
	if want := []string{"run 1", "run 2", "run 3"}; !slices.Equal(got, want) || len(pauses) > 0 || err != nil {
		t.Errorf("got %q with %d failures, %v", got, len(pauses), err)
	}
}

func TestMaxRestarts(t *testing.T) {
	t.Parallel()
	c := shell(runs(t, `[ $n = 2 ] && echo worked; echo run $n >&2; exit 1`))
	c.Restart, c.MaxRestarts = "on_failure", 2
	got, pauses, err := read(t, open(t, c), all)
	if !slices.Equal(got, []string{"worked"}) || len(pauses) != 3 {
		t.Errorf("got %q and %d restarts", got, len(pauses))
	}
	if err == nil || !strings.HasPrefix(err.Error(), "sh ended with status 1: run 4; it was started again 2 times") {
		t.Errorf("ends with %v", err)
	}
}

// TestOffsets: offsets go on over runs, and a header is read in each.
func TestOffsets(t *testing.T) {
	t.Parallel()
	c := shell(runs(t, `printf 'a\n%d\n' $n`))
	c.Restart, c.Format = "always", "csv"
	in := open(t, c)
	var got []string
	for range 3 {
		b, err := in.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, b.Origin(0)+" "+string(b.Value.At(0)))
		b.Done()
		b.Release()
	}
	if want := []string{`command@2 {"a":"1"}`, `command@6 {"a":"2"}`, `command@10 {"a":"3"}`}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestInterval(t *testing.T) {
	t.Parallel()
	c := shell(runs(t, `echo run $n; [ $n != 2 ]`))
	c.Interval, c.Restart = 20*time.Millisecond, "on_failure"
	began := time.Now()
	got, pauses, err := read(t, open(t, c), 4)
	if want := []string{"run 1", "run 2", "run 3", "run 4"}; !slices.Equal(got, want) || len(pauses) != 1 || err != nil {
		t.Errorf("got %q, %v, %v", got, pauses, err)
	}
	// The pause after run 2 is asked of the engine, which is not here.
	if d := time.Since(began); d < 2*c.Interval {
		t.Errorf("four runs took %s", d)
	}
	var again *engine.RetryError
	if errors.As(pauses[0], &again) && (again.After <= 0 || again.After > c.Interval) {
		t.Errorf("the pause after a failure is %s", again.After)
	}
}

func TestNext(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for after, want := range map[time.Duration]time.Duration{0: 10, 1: 10, 9: 10, 10: 10, 11: 20, 20: 20, 35: 40} {
		in := &input{cfg: &Config{Interval: 10}, env: engine.Env{Now: func() time.Time { return began.Add(after) }}}
		if got := in.next(&run{began: began}).Sub(began); got != want {
			t.Errorf("after %d: %d, want %d", after, got, want)
		}
	}
}

// What has arrived is delivered although more may come, and a stop neither
// waits for the program nor leaves it behind.
func TestDeliversWhatIsThere(t *testing.T) {
	t.Parallel()
	c := shell(`echo $$; trap '' TERM; printf half; while :; do sleep 0.05; done`)
	c.StopGrace = 50 * time.Millisecond
	in := open(t, c)
	got, _, err := read(t, in, 1)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(got[0])
	if err != nil || syscall.Kill(pid, 0) != nil {
		t.Fatalf("there is no program %q: %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	start := time.Now()
	if _, err := in.Read(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if d := time.Since(start); d > time.Second {
		t.Errorf("Read returned %s after its context ended", d)
	}
	if err := in.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the program is still there: %v", err)
	}
}

// A program that is faster than its reader waits.
func TestBackPressure(t *testing.T) {
	t.Parallel()
	progress := t.TempDir() + "/progress"
	in := open(t, shell(`i=0; while :; do printf '%08000d\n' $i; i=$((i+1)); echo $i > `+progress+`; done`))
	if _, _, err := read(t, in, 1); err != nil {
		t.Fatal(err)
	}
	count := func() int {
		text, _ := os.ReadFile(progress)
		n, _ := strconv.Atoi(strings.TrimSpace(string(text)))
		return n
	}
	// The pipe and two blocks take some hundred kilobytes; then it stands still.
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for last := -1; ; {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("the program goes on though nobody reads")
		}
		if n := count(); n > 0 && n == last {
			break
		} else if last = n; n > 1000 {
			t.Fatalf("%d records of 8 kB were taken though nobody reads", n)
		}
	}
}

func TestNotFound(t *testing.T) {
	t.Parallel()
	c := shell("")
	c.Command = []string{"no-such-program"}
	in := newInput(c, enginetest.Env(t, "input.command.in"))
	err := in.Open(t.Context(), enginetest.NewHost(engine.BatchLimits{}))
	var again *engine.RetryError
	if err == nil || errors.As(err, &again) || !strings.Contains(err.Error(), "is not found in PATH") {
		t.Errorf("got %v", err)
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	c := func(script string, edit func(*Config)) func(t *testing.T) engine.Input {
		return func(t *testing.T) engine.Input {
			c := shell(script)
			edit(c)
			return newInput(c, enginetest.Env(t, "input.command.in"))
		}
	}
	want := []enginetest.Record{
		{Source: "command", Value: []byte("a")}, {Source: "command", Value: []byte("b")},
		{Source: "command", Value: []byte{}}, {Source: "command", Value: []byte("c")},
	}
	t.Run("once", func(t *testing.T) {
		t.Parallel()
		enginetest.RunInput(t, enginetest.InputCase{
			New: c(`printf 'a\nb\n\nc'`, func(*Config) {}), Want: want, Forgets: true,
		})
	})
	t.Run("for ever", func(t *testing.T) {
		t.Parallel()
		enginetest.RunInput(t, enginetest.InputCase{
			New: c(`printf 'a\nb\n\nc\n'; exec sleep 600`, func(c *Config) { c.Restart = "always" }), Want: want, Forgets: true, Unbounded: true,
		})
	})
}

func TestValidate(t *testing.T) {
	t.Parallel()
	c := shell("")
	c.Interval, c.Restart = time.Second, "always"
	if ps := c.Validate(); len(ps) != 1 || ps[0].Option != "restart" {
		t.Errorf("got %v", ps)
	}
	if c.bounded() || !shell("").bounded() {
		t.Error("the input that ends is not the one without interval and restart")
	}
}

func BenchmarkLines(b *testing.B) {
	const size = 300
	c := shell("exec yes " + strings.Repeat("x", size-1))
	in := newInput(c, engine.Env{Now: time.Now})
	if err := in.Open(b.Context(), enginetest.NewHost(engine.BatchLimits{})); err != nil {
		b.Fatal(err)
	}
	defer func() { _ = in.Close(context.Background()) }()
	b.ReportAllocs()
	b.SetBytes(size)
	for n := 0; n < b.N; {
		batch, err := in.Read(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		n += batch.Len()
		batch.Done()
		batch.Release()
	}
}
