package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/observe"
	"github.com/flowrecords/flow/engine/run"
)

// screen is what a person sees of a run. One of two: a live view, or log lines.
type screen interface {
	start(jobs []*job)
	// notice shows a line at once.
	notice(text string)
	// finish shows the summary, and why pipelines failed.
	finish(jobs []*job)
}

const (
	frameInterval = 200 * time.Millisecond
	logInterval   = 10 * time.Second
)

// surfaces chooses how a run talks: on a terminal a live view with warnings
// only, elsewhere structured logs.
func (a *app) surfaces(f runFlags) (screen, *slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return nil, nil, fmt.Errorf("--log-level: %q is none of debug, info, warn, error", f.logLevel)
	}
	if f.logFormat != "text" && f.logFormat != "json" {
		return nil, nil, fmt.Errorf("--log-format: %q is neither text nor json", f.logFormat)
	}
	var live bool
	switch f.progress {
	case "auto":
		live = terminal(a.Stderr) && f.logFormat == "text"
	case "always":
		live = true
	case "never":
	default:
		return nil, nil, fmt.Errorf("--progress: %q is none of auto, always, never", f.progress)
	}
	if !live {
		logger := slog.New(handler(a.Stderr, f.logFormat, level))
		return &logScreen{logger: logger}, logger, nil
	}
	view := &liveScreen{
		out:    a.Stderr,
		width:  func() int { return a.width(a.Stderr) },
		redraw: terminal(a.Stderr) && a.getenv("TERM") != "dumb",
		shared: terminal(a.Stdout),
	}
	if level < slog.LevelWarn && f.logLevel == "info" {
		level = slog.LevelWarn // the view shows what info would say
	}
	return view, slog.New(handler(view, f.logFormat, level)), nil
}

func handler(w io.Writer, format string, level slog.Level) slog.Handler {
	o := &slog.HandlerOptions{Level: level}
	if format == "json" {
		return slog.NewJSONHandler(w, o)
	}
	return slog.NewTextHandler(w, o)
}

// liveScreen redraws a block of lines at the bottom of a terminal. Log lines
// go through its Write and appear above the block.
type liveScreen struct {
	out    *os.File
	width  func() int
	redraw bool // the terminal can move its cursor
	shared bool // stdout is a terminal too

	cancel context.CancelFunc
	done   chan struct{}

	// mu guards lines and out.
	mu    sync.Mutex
	lines int // of the block on screen
	rates rateMeter
}

func (l *liveScreen) start(jobs []*job) {
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel, l.done = cancel, make(chan struct{})
	go func() {
		defer close(l.done)
		if !l.redraw || l.shared && writesStdout(jobs) {
			return // redrawing would run over the records
		}
		tick := time.NewTicker(frameInterval)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case now := <-tick.C:
				l.draw(l.rates.progress(jobs, now))
			}
		}
	}()
}

func writesStdout(jobs []*job) bool {
	for _, j := range jobs {
		for _, e := range j.plan.Elements {
			if e.Kind == engine.KindOutput && e.Type == "stdout" {
				return true
			}
		}
	}
	return false
}

// draw replaces the block.
func (l *liveScreen) draw(rows []progressRow) {
	width := l.width()
	l.mu.Lock()
	defer l.mu.Unlock()
	var b bytes.Buffer
	l.erase(&b)
	for _, line := range progressLines(rows, width) {
		b.WriteString(line)
		b.WriteByte('\n')
		l.lines++
	}
	_, _ = l.out.Write(b.Bytes())
}

// erase moves to the first line of the block and clears it. mu is held.
func (l *liveScreen) erase(b *bytes.Buffer) {
	if l.lines > 0 {
		fmt.Fprintf(b, "\x1b[%dA\x1b[J", l.lines)
		l.lines = 0
	}
}

// Write puts a log line above the block.
func (l *liveScreen) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b bytes.Buffer
	l.erase(&b)
	b.Write(p)
	_, err := l.out.Write(b.Bytes())
	return len(p), err
}

func (l *liveScreen) notice(text string) { _, _ = l.Write([]byte(text + "\n")) }

func (l *liveScreen) finish(jobs []*job) {
	l.cancel()
	<-l.done
	l.mu.Lock()
	defer l.mu.Unlock()
	var b bytes.Buffer
	l.erase(&b)
	b.WriteString(strings.Join(summaryLines(jobs, time.Now(), l.width()), "\n"))
	b.WriteString("\n")
	for _, j := range jobs {
		if why := j.nothingNew(); why != "" {
			fmt.Fprintf(&b, "%s: %s\n", j.plan.Name, why)
		}
		if j.err != nil {
			fmt.Fprintf(&b, "\nPipeline %s failed: %v\n", j.plan.Name, j.err)
		}
	}
	_, _ = l.out.Write(b.Bytes())
}

// logScreen writes a line for each pipeline now and then, and one for each
// element at the end.
type logScreen struct {
	logger *slog.Logger
	cancel context.CancelFunc
	done   chan struct{}
	rates  rateMeter
}

func (l *logScreen) start(jobs []*job) {
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel, l.done = cancel, make(chan struct{})
	go func() {
		defer close(l.done)
		tick := time.NewTicker(logInterval)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case now := <-tick.C:
				for _, r := range l.rates.progress(jobs, now) {
					l.logger.Info("progress", r.attrs()...)
				}
			}
		}
	}()
}

func (l *logScreen) notice(string) {} // the log line beside it says it

func (l *logScreen) finish(jobs []*job) {
	l.cancel()
	<-l.done
	for _, j := range jobs {
		for i, e := range j.current().Elements() {
			l.logger.Info("summary", summaryAttrs(j, kindOf(j, i), e)...)
		}
	}
	for _, j := range jobs {
		if why := j.nothingNew(); why != "" {
			l.logger.Info(why, "pipeline", j.plan.Name)
		}
		if j.err != nil {
			l.logger.Error("pipeline failed", failureAttrs(j)...)
		}
	}
}

func summaryAttrs(j *job, kind engine.Kind, e *observe.Element) []any {
	attrs := []any{"pipeline", j.plan.Name, "element", e.Address, "in", e.In.Load()}
	if kind != engine.KindInput {
		attrs = append(attrs, "out", e.Out.Load())
	}
	if n := e.Dropped.Load(); n > 0 {
		attrs = append(attrs, "dropped", n, "reason", e.Reason())
	}
	if n := e.Errors.Load(); n > 0 {
		attrs = append(attrs, "errors", n)
	}
	if n := e.Retries.Load(); n > 0 {
		attrs = append(attrs, "retries", n)
	}
	if n := e.Bytes.Load(); n > 0 {
		attrs = append(attrs, "bytes", n)
	}
	return attrs
}

// failureAttrs takes the parts of a record's error, which programs that read
// logs want apart.
func failureAttrs(j *job) []any {
	var refused *run.RecordError
	if errors.As(j.err, &refused) {
		return []any{
			"pipeline", j.plan.Name, "element", refused.Element, "record", refused.Origin,
			"error", refused.Reason.Error(), "excerpt", refused.Excerpt,
			"hint", "no element reads its errors: add an output with from = [errors], or correct the record",
		}
	}
	return []any{"pipeline", j.plan.Name, "error", j.err.Error()}
}

// kindOf returns the kind of element i.
func kindOf(j *job, i int) engine.Kind { return j.plan.Elements[i].Kind }
