package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/checkpoint"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// checker is an input, an output and a connection at once.
type checker struct {
	engine.Input
	check func(ctx context.Context, r *engine.CheckReport)
}

func (c *checker) Check(ctx context.Context, r *engine.CheckReport) { c.check(ctx, r) }

// committer keeps positions itself.
type committer struct{ checker }

func (*committer) Commit(context.Context, []*engine.Source) error { return nil }

// silent has nothing to say.
type silent struct{ engine.Input }

type config struct {
	Connection engine.ConnectionRef
	Nested     []struct{ Key engine.Secret }
	Headers    map[string]engine.Secret
	hidden     engine.Secret
}

func input(name string, cfg any, in engine.Input, err error) *engine.Element {
	return &engine.Element{Kind: engine.KindInput, Type: "t", Name: name, Config: cfg, NewInput: func(engine.Env) (engine.Input, error) { return in, err }}
}

func says(f func(r *engine.CheckReport)) *committer {
	return &committer{checker{check: func(_ context.Context, r *engine.CheckReport) { f(r) }}}
}

func pipeline(t *testing.T, elements ...*engine.Element) *engine.Pipeline {
	t.Helper()
	p := &engine.Pipeline{Name: "p", Settings: engine.DefaultSettings(), Elements: elements}
	p.Settings.StateDir = filepath.Join(t.TempDir(), "state")
	return p
}

func look(plan *engine.Plan, all bool, o Options) *Report {
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	return Run(context.Background(), plan, plan.Pipelines, all, o)
}

// lines are SUBJECT: STATUS WHAT, in the order of the report.
func lines(r *Report) []string {
	var out []string
	for _, s := range r.Subjects {
		if len(s.Checks) == 0 {
			out = append(out, s.Address+": nothing")
		}
		for _, c := range s.Checks {
			out = append(out, fmt.Sprintf("%s: %s %s", s.Address, c.Status, c.What))
		}
	}
	return out
}

func wantLines(t *testing.T, r *Report, want ...string) {
	t.Helper()
	if got := lines(r); !slices.Equal(got, want) {
		t.Errorf("report:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	ok := says(func(r *engine.CheckReport) { r.OK("fine", "%d of %d", 1, 1) })
	warns := says(func(r *engine.CheckReport) { r.Warn("w", "d", "r"); r.Unknown("u", "d", "") })
	p := pipeline(t,
		input("a", &config{Connection: engine.ConnectionRef{Name: "connection.k.good"}}, ok, nil),
		input("b", &config{Connection: engine.ConnectionRef{Name: "connection.k.bad"}}, ok, nil),
		input("c", &config{}, warns, nil),
		input("d", nil, &silent{}, nil),
		input("e", &config{}, nil, errors.New("no such thing")),
	)
	plan := &engine.Plan{Pipelines: []*engine.Pipeline{p}, Connections: []*engine.Connection{
		{Name: "connection.k.good", Value: ok},
		{Name: "connection.k.bad", Value: says(func(r *engine.CheckReport) { r.Fail("dead", "d", "r") })},
		{Name: "connection.k.unused", Value: ok},
		{Name: "connection.k.plain", Value: 1},
	}}
	r := look(plan, true, Options{AtOnce: 2})
	wantLines(t, r,
		"connection.k.good: ok fine", "connection.k.bad: failure dead", "connection.k.unused: ok fine",
		"input.t.a: ok fine", "input.t.b: unknown not looked at", "input.t.c: warning w", "input.t.c: unknown u", "input.t.e: failure settings", "positions: ok folder "+p.Settings.StateDir)
	if r.Status != engine.CheckFailure || r.Version != 1 {
		t.Errorf("status %s, version %d", r.Status, r.Version)
	}
	if n := r.Counts(); n[engine.CheckOK] != 4 || n[engine.CheckFailure] != 2 || n[engine.CheckWarning] != 1 || n[engine.CheckUnknown] != 2 {
		t.Errorf("counts %v", n)
	}
	wantLines(t, look(plan, false, Options{AtOnce: 2}), slices.DeleteFunc(lines(r), func(l string) bool { return strings.Contains(l, "unused") })...)

	p.Elements = p.Elements[2:3]
	if r := look(plan, false, Options{}); r.Status != engine.CheckWarning {
		t.Errorf("status %s with a warning", r.Status)
	}
	// A report without anything is one of nothing, not of null.
	p.Elements = nil
	data, err := json.Marshal(look(plan, false, Options{}))
	if err != nil || !strings.Contains(string(data), `"subjects":[]`) || !strings.Contains(string(data), `"status":"ok"`) {
		t.Errorf("%s, %v", data, err)
	}
}

// As many at a time as is said, in the order of the config whatever ends first.
func TestRunAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		running, most, told := 0, 0, 0
		var elements []*engine.Element
		for i := range 9 {
			elements = append(elements, input(fmt.Sprint(i), nil, says(func(r *engine.CheckReport) {
				mu.Lock()
				running++
				most = max(most, running)
				mu.Unlock()
				time.Sleep(time.Duration(10-i) * time.Second) // the clock of the bubble
				mu.Lock()
				running--
				mu.Unlock()
				r.OK("x", "")
			}), nil))
		}
		plan := &engine.Plan{Pipelines: []*engine.Pipeline{{Name: "p", Elements: elements}}}
		r := look(plan, true, Options{AtOnce: 3, Timeout: time.Hour, Progress: func(done, all int, now []string) {
			told++
			if all != 9 || done > 9 || len(now) > 3 {
				t.Errorf("%d of %d, %v", done, all, now)
			}
		}})
		if most != 3 || told != 18 {
			t.Errorf("%d at once, told %d times", most, told)
		}
		for i, s := range r.Subjects {
			if s.Address != fmt.Sprintf("input.t.%d", i) || s.Seconds != float64(10-i) {
				t.Errorf("subject %d is %s after %gs", i, s.Address, s.Seconds)
			}
		}
	})
}

// What ends with its context keeps what it had found; what does not end is
// given up; what panics is a failure of its own.
func TestRunTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		never := make(chan struct{})
		defer close(never)
		slow := &committer{checker{check: func(ctx context.Context, r *engine.CheckReport) {
			r.OK("first", "")
			<-ctx.Done()
		}}}
		stuck := says(func(r *engine.CheckReport) { r.OK("first", ""); <-never })
		told := &committer{checker{check: func(ctx context.Context, r *engine.CheckReport) {
			<-ctx.Done()
			r.Fail("late", "d", "r")
		}}}
		plan := &engine.Plan{Pipelines: []*engine.Pipeline{{Name: "p", Elements: []*engine.Element{
			input("slow", nil, slow, nil), input("stuck", nil, stuck, nil), input("told", nil, told, nil),
			input("panics", nil, says(func(*engine.CheckReport) { panic("oh") }), nil),
		}}}}
		began := time.Now()
		r := look(plan, true, Options{AtOnce: 4, Timeout: 5 * time.Second, Grace: time.Second})
		if d := time.Since(began); d != 6*time.Second {
			t.Errorf("it took %s", d)
		}
		wantLines(t, r, "input.t.slow: ok first", "input.t.slow: failure time", "input.t.stuck: ok first", "input.t.stuck: failure time",
			"input.t.told: failure late", "input.t.panics: failure check")
	})
}

// No secret of a config is in a report, whatever a component or server says.
func TestRunHidesSecrets(t *testing.T) {
	t.Parallel()
	cfg := &config{Headers: map[string]engine.Secret{"X": engine.NewSecret("abc-long")}, hidden: engine.NewSecret("not an option")}
	cfg.Nested = append(cfg.Nested, struct{ Key engine.Secret }{engine.NewSecret("abc")}, struct{ Key engine.Secret }{engine.NewSecret("no")})
	in := says(func(r *engine.CheckReport) { r.Fail("what abc", "it said abc-long, no", "use abc") })
	conn := &config{Nested: []struct{ Key engine.Secret }{{engine.NewSecret("c0nn")}}}
	plan := &engine.Plan{Pipelines: []*engine.Pipeline{{Name: "p", Elements: []*engine.Element{input("a", cfg, in, nil)}}},
		Connections: []*engine.Connection{{Name: "connection.k.x", Config: conn, Value: says(func(r *engine.CheckReport) { r.OK("x", "c0nn") })}}}
	r := look(plan, true, Options{})
	want := Check{Status: engine.CheckFailure, What: "what (secret)", Detail: "it said (secret), no", Remedy: "use (secret)"}
	if got := r.Subjects[1].Checks[0]; got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := r.Subjects[0].Checks[0].Detail; got != "(secret)" {
		t.Errorf("the connection's secret is shown as %s", got)
	}
}

// Positions: a folder that can be made, that holds some, that another run
// holds, that cannot be used.
func TestPositions(t *testing.T) {
	t.Parallel()
	p := pipeline(t, input("a", nil, &silent{}, nil))
	plan := &engine.Plan{Pipelines: []*engine.Pipeline{p}}
	dir := p.Settings.StateDir
	detail := func(status engine.CheckStatus, want string) {
		t.Helper()
		r := look(plan, true, Options{})
		if c := r.Subjects[0].Checks[0]; c.Status != status || !strings.Contains(c.Detail, want) {
			t.Errorf("%+v, want %s %q", c, status, want)
		}
	}
	detail(engine.CheckOK, "can be made; no position is stored yet")
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Error("the folder was made")
	}
	store, err := checkpoint.OpenDir(dir, "p")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := store.Save(t.Context(), map[string]engine.Position{"a": {Offset: 1}, "b": {Offset: 2}}); err != nil {
		t.Fatal(err)
	}
	detail(engine.CheckWarning, fmt.Sprintf("process %d runs this pipeline now", os.Getpid()))
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	detail(engine.CheckOK, "can be written to; 2 positions stored")
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	detail(engine.CheckFailure, "is no folder")
}
