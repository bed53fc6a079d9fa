//go:build unix

package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/outputs/internal/player"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// answering is a program that stores each line and answers it.
const answering = `while IFS= read -r l; do printf '%s\n' "$l" >> out; echo ok; done`

// config makes a program that runs in dir.
func config(dir, confirm, script string, edit ...func(*Config)) *Config {
	c := Defaults()
	c.Command, c.Dir, c.Confirm = []string{"sh", "-c", script}, dir, confirm
	c.RestartPause, c.StopGrace = time.Millisecond, 5*time.Second
	for _, e := range edit {
		e(c)
	}
	return c
}

func readLines(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var list []string
	for line := range strings.Lines(string(text)) {
		list = append(list, strings.TrimSuffix(line, "\n"))
	}
	return list
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, confirm, script string
		edit                  func(*Config)
	}{
		{"exit", "exit", "cat >> out", func(*Config) {}},
		{"exit, small runs", "exit", "cat >> out", func(c *Config) { c.RunRecords = 3 }},
		{"ack", "ack", answering, func(*Config) {}},
		{"written", "written", "cat >> out", func(*Config) {}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			enginetest.RunOutput(t, enginetest.OutputCase{
				New: func(t *testing.T) enginetest.Target {
					dir := t.TempDir()
					return enginetest.Target{
						Output: newOutput(config(dir, tt.confirm, tt.script, tt.edit), enginetest.Env(t, "output.command.out")),
						Read: func(t *testing.T) []enginetest.Record {
							var list []enginetest.Record
							for _, line := range readLines(t, dir+"/out") {
								list = append(list, enginetest.Record{Value: []byte(line)})
							}
							return list
						},
					}
				},
			})
		})
	}
}

// play opens an output.
func play(t *testing.T, c *Config) (*output, *player.Player) {
	t.Helper()
	if ps := c.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	out := newOutput(c, enginetest.Env(t, "output.command.out"))
	if err := out.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return out, player.New(t, out)
}

// numbers makes batches of so many records each, numbered through.
func numbers(batches, records int) []*engine.Batch {
	list := make([]*engine.Batch, batches)
	for k := range list {
		b := engine.NewBatch()
		b.Value.Encoding = record.JSON
		for i := range records {
			b.Value.Add(fmt.Appendf(nil, "%d", k*records+i))
		}
		list[k] = b
	}
	return list
}

func closeIt(t *testing.T, out *output) {
	t.Helper()
	if err := out.Close(t.Context()); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// failing is the beginning of a program that counts its runs in $n.
const failing = `echo >> runs; n=$(wc -l < runs); `

// TestFailuresComeAgain: whatever happens to the program, every record arrives,
// in order, and the failure has really happened.
func TestFailuresComeAgain(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, confirm, script string
		edit                  func(*Config)
		want                  string // of the first failure
		once                  bool   // nothing comes twice
	}{
		{"a status", "exit", failing + `cat > part; [ $n -lt 3 ] && { echo busy >&2; exit 75; }; cat part >> out`, nil, "sh ended with status 75: busy", true},
		{"killed in the middle", "exit", failing + `[ $n = 1 ] && { head -c 7 > /dev/null; kill -9 $$; }; cat >> out`, nil, "sh was ended by a signal (killed)", true},
		{"reads nothing more", "exit", failing + `[ $n = 1 ] && { head -n 1 >> out; exit 0; }; cat >> out`, func(c *Config) { c.Newlines = "keep" }, "sh ended with status 0, but it closed its standard input before everything was read", false},
		{"closes its standard input", "exit", failing + `[ $n = 1 ] && { exec <&-; sleep 600; }; cat >> out`, func(c *Config) { c.StopGrace = 100 * time.Millisecond }, "sh was stopped: it closed its standard input before everything was read", true},
		{"timeout", "exit", failing + `[ $n = 1 ] && { cat > /dev/null; sleep 600; }; cat >> out`, func(c *Config) { c.Timeout = 300 * time.Millisecond }, "sh was stopped: the run took longer than the timeout of 300ms", true},
		{"part of a batch is safe", "exit", failing + `[ $n = 2 ] && exit 1; cat >> out`, func(c *Config) { c.RunRecords = 1000 }, "sh ended with status 1", true},
		{"killed before an answer", "ack", failing + `i=0; while IFS= read -r l; do i=$((i+1)); [ $n = 1 ] && [ $i = 700 ] && kill -9 $$; echo "$l" >> out; echo ok; done`, nil, "sh was ended by a signal (killed)", true},
		{"killed in an answer", "ack", failing + `i=0; while IFS= read -r l; do i=$((i+1)); echo "$l" >> out; [ $n = 1 ] && [ $i = 700 ] && { printf ok; kill -9 $$; }; echo ok; done`, nil, "sh was ended by a signal (killed)", false},
		{"ends without answers", "ack", failing + `[ $n = 1 ] && { head -n 5 > /dev/null; exit 0; }; ` + answering, nil, "sh ended with status 0 and left records without an answer", true},
		{"closes its output", "ack", failing + `[ $n = 1 ] && { exec >&-; sleep 600; }; ` + answering, func(c *Config) { c.StopGrace = 100 * time.Millisecond }, "sh was stopped: it closed its standard output", true},
		{"answers no more", "ack", failing + `[ $n = 1 ] && { read l; echo "$l" >> out; echo ok; exec sleep 600; }; ` + answering, func(c *Config) { c.Timeout = 300 * time.Millisecond }, "sh was stopped: no answer came within the timeout of 300ms", true},
		{"leaves its output to others", "ack", failing + `[ $n = 1 ] && { read l; setsid sleep 3 & exit 4; }; ` + answering, nil, "sh ended with status 4", true},
		{"leaves its output to others", "exit", failing + `[ $n = 1 ] && { cat > /dev/null; setsid sleep 3 & exit 4; }; cat >> out`, nil, "sh ended with status 4", true},
		{"floods its standard error", "ack", failing + `[ $n = 1 ] && { yes flood | head -n 20000 >&2; exit 9; }; ` + answering, nil, "sh ended with status 9: flood", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			c := config(dir, tt.confirm, tt.script)
			if tt.edit != nil {
				tt.edit(c)
			}
			out, p := play(t, c)
			const batches, records = 40, 500 // more than a pipe holds
			p.Write(t.Context(), numbers(batches, records)...)
			closeIt(t, out)
			if p.Stopped != nil || len(p.Refused) > 0 {
				t.Fatalf("stopped: %v, refused: %d", p.Stopped, len(p.Refused))
			}
			if len(p.Retries) == 0 || !strings.HasPrefix(p.Retries[0].Error(), tt.want) {
				t.Errorf("the failures were %v, want %q", p.Retries, tt.want)
			}
			if more := player.InOrder(t, readLines(t, dir+"/out"), batches*records); tt.once && more > 0 {
				t.Errorf("%d records came twice", more)
			}
		})
	}
}

func TestStops(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, confirm, script string
		edit                  func(*Config)
		want                  string
	}{
		{"never", "exit", "cat > /dev/null; exit 3", func(c *Config) { c.Restart = "never" }, "sh ended with status 3"},
		{"too often", "exit", "cat > /dev/null; exit 3", func(c *Config) { c.MaxRestarts = 2 }, "sh ended with status 3; it was started again 2 times and no record got through (option max_restarts)"},
		{"too often with answers", "ack", "read l; exit 3", func(c *Config) { c.MaxRestarts = 2 }, "sh ended with status 3; it was started again 2 times and no record got through (option max_restarts)"},
		{"wrong answer", "ack", "read l; echo hello; sleep 600", nil, `sh answered "hello"; with confirm = "ack" its standard output holds a line "ok" or "error REASON" for each record and nothing else`},
		{"endless answer", "ack", "read l; yes | tr -d '\\n'", nil, `sh answered "` + strings.Repeat("y", 120) + `..."; with confirm = "ack" its standard output`},
		{"answers too much", "ack", "read l; yes ok", nil, "sh answered more records than it was given"},
		{"status 0", "written", "read l; exit 0", nil, `sh ended with status 0`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := config(t.TempDir(), tt.confirm, tt.script)
			if tt.edit != nil {
				tt.edit(c)
			}
			out, p := play(t, c)
			if tt.confirm == "written" {
				// A program that has closed its input is noticed when there is more.
				c.Restart = "never"
				for p.Stopped == nil {
					p.Write(t.Context(), numbers(1, 500)...)
				}
			} else {
				p.Write(t.Context(), numbers(1, 10)...)
			}
			if err := out.Close(t.Context()); p.Stopped == nil {
				p.Stopped = err // found when there was no record left to tell it with
			}
			if p.Stopped == nil || !strings.HasPrefix(p.Stopped.Error(), tt.want) {
				t.Errorf("stops with %v, want %q", p.Stopped, tt.want)
			}
		})
	}
}

// TestRefuses: what the program refuses is told record by record.
func TestRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, confirm, script string
		edit                  func(*Config)
		want                  []string
	}{
		{"answers", "ack", `while read -r l; do case $l in 3) echo error too odd;; 5) echo error;; *) echo "$l" >> out; echo ok;; esac; done`, nil,
			[]string{"3: too odd", "5: refused by the program"}},
		{"statuses", "exit", `read l; case $l in [35]) echo "bad $l" >&2; exit 65;; esac; echo "$l" >> out`, func(c *Config) { c.RunRecords, c.RefuseStatus = 1, []int{64, 65} },
			[]string{"3: refused: sh ended with status 65: bad 3", "5: refused: sh ended with status 65: bad 5"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			c := config(dir, tt.confirm, tt.script)
			if tt.edit != nil {
				tt.edit(c)
			}
			out, p := play(t, c)
			p.Write(t.Context(), numbers(2, 4)...)
			closeIt(t, out)
			slices.Sort(p.Refused)
			if !slices.Equal(p.Refused, tt.want) || p.Stopped != nil {
				t.Errorf("refused %q, want %q; stopped: %v", p.Refused, tt.want, p.Stopped)
			}
			if got := strings.Join(readLines(t, dir+"/out"), ""); got != "012467" {
				t.Errorf("arrived %q", got)
			}
		})
	}
}

// TestHeaderOfEachRun: each run gets what a file would.
func TestHeaderOfEachRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out, p := play(t, config(dir, "exit", "cat >> out", func(c *Config) { c.Format, c.RunRecords = "csv", 2 }))
	b := engine.NewBatch()
	b.Value.Encoding = record.JSON
	for i := range 5 {
		b.Value.Add(fmt.Appendf(nil, `{"n":%d}`, i))
	}
	p.Hand(t.Context(), b)
	closeIt(t, out)
	if got := strings.Join(readLines(t, dir+"/out"), " "); got != "n 0 1 n 2 3 n 4" || p.Stopped != nil || len(p.Retries) > 0 {
		t.Errorf("got %s, %v", got, p.Stopped)
	}
}

// TestOneRunForManyBatches: a run takes all that comes before a flush.
func TestOneRunForManyBatches(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out, p := play(t, config(dir, "exit", "echo >> runs; cat >> out"))
	p.Write(t.Context(), numbers(20, 100)...)
	closeIt(t, out)
	if runs := len(readLines(t, dir+"/runs")); runs != 1 {
		t.Errorf("%d runs", runs)
	}
	player.InOrder(t, readLines(t, dir+"/out"), 2000)
}

// TestWrittenIsLossy shows what the documentation warns of, and that the
// pipeline goes on.
func TestWrittenRestarts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out, p := play(t, config(dir, "written", failing+`[ $n = 1 ] && { read l; echo $l >> out; exit 5; }; cat >> out`))
	for len(p.Retries) == 0 {
		p.Write(t.Context(), numbers(1, 500)...)
	}
	p.Write(t.Context(), numbers(1, 500)...)
	closeIt(t, out)
	if p.Stopped != nil || !strings.Contains(p.Retries[0].Error(), "status 5") {
		t.Errorf("stopped %v, retries %v", p.Stopped, p.Retries)
	}
	if got := readLines(t, dir+"/out"); len(got) < 500 || got[len(got)-1] != "499" {
		t.Errorf("%d records arrived", len(got))
	}
}

// TestSlowProgram: a program that does not read holds Write up, and the end of
// the context ends both.
func TestSlowProgram(t *testing.T) {
	t.Parallel()
	for _, confirm := range []string{"exit", "ack", "written"} {
		t.Run(confirm, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			out, p := play(t, config(dir, confirm, `echo $$ > pid; trap '' TERM; while :; do sleep 0.05; done`))
			ctx, cancel := context.WithCancelCause(t.Context())
			giveUp := errors.New("the pipeline is cut")
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				b := engine.NewBatch()
				b.Value.Encoding = record.Text
				b.Value.Add([]byte(strings.Repeat("x", 1<<20)))
				p.Hand(ctx, b)
			}()
			pid := waitPid(t, dir+"/pid")
			select {
			case <-ended:
				t.Fatal("Write returned though nobody reads")
			case <-time.After(50 * time.Millisecond):
			}
			cancel(giveUp)
			select {
			case <-ended:
			case <-time.After(10 * time.Second):
				t.Fatal("Write did not return")
			}
			_ = out.Close(ctx) // says that it was cut
			if p.Open() > 0 || p.Stopped == nil && len(p.Retries) == 0 {
				t.Errorf("%d batches without an answer, stopped %v, retries %v", p.Open(), p.Stopped, p.Retries)
			}
			if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
				t.Errorf("the program is still there: %v", err)
			}
		})
	}
}

// waitPid waits until the program has written its number.
func waitPid(t *testing.T, path string) int {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for {
		select {
		case <-tick.C:
			text, _ := os.ReadFile(path)
			if n, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && strings.HasSuffix(string(text), "\n") {
				return n
			}
		case <-deadline:
			t.Fatal("the program did not start")
		}
	}
}

// TestCloseIsPatient: the program may finish what it has, and its end is told
// where records depend on it.
func TestClose(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, confirm, script, want string }{
		{"finishes", "written", "cat > part; sleep 0.2; mv part out", ""},
		{"fails", "written", "cat > out; exit 9", "the last records may be lost: sh ended with status 9"},
		{"ignores the end", "written", "exec <&-; trap '' TERM; while :; do sleep 0.05; done", "the last records may be lost: sh was ended by a signal (killed)"},
		{"fails after all answers", "ack", "read l; echo $l > out; echo ok; cat > /dev/null; exit 9", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			out, p := play(t, config(dir, tt.confirm, tt.script, func(c *Config) {
				if tt.name == "ignores the end" {
					c.StopGrace = 100 * time.Millisecond
				}
			}))
			p.Write(t.Context(), numbers(1, 1)...)
			err := out.Close(t.Context())
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || err.Error() != tt.want) {
				t.Errorf("Close: %v, want %q", err, tt.want)
			}
			if got := readLines(t, filepath.Join(dir, "out")); tt.name != "ignores the end" && !slices.Equal(got, []string{"0"}) {
				t.Errorf("arrived %q", got)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		edit func(*Config)
		want string
	}{
		{"fine", func(*Config) {}, ""},
		{"no program", func(c *Config) { c.Command = nil }, "command"},
		{"raw answers", func(c *Config) { c.Confirm, c.Format = "ack", "raw" }, "format"},
		{"runs of a program that goes on", func(c *Config) {
			c.Confirm, c.RunRecords, c.RunBytes, c.RefuseStatus = "ack", 1, 1, []int{1}
		}, "run_records run_bytes refuse_statuses"},
		{"timeout of nothing", func(c *Config) { c.Confirm, c.Timeout = "written", 1 }, "timeout"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := config("", "exit", "", tt.edit)
			var got []string
			for _, p := range c.Validate() {
				got = append(got, p.Option)
				if p.Summary == "" || p.Detail == "" {
					t.Errorf("problem without words: %+v", p)
				}
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("problems at %s, want %s", s, tt.want)
			}
		})
	}
}
