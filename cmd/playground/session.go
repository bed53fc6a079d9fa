package playground

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// The exit statuses of a stream, beside 2 for a wrong command line, expression
// or config.
const (
	StatusOK = 0
	// StatusFalse: ExitStatus is asked for and the last result was false or null.
	StatusFalse = 1
	// StatusNothing: ExitStatus is asked for and there was no result.
	StatusNothing = 4
	// StatusRecords: at least one record failed; the others went on.
	StatusRecords = 5
)

// ErrExpression says that an expression has mistakes, which are printed.
var ErrExpression = errors.New("the expression has a mistake")

// Session is what expressions and processors run in. It belongs to one
// goroutine.
type Session struct {
	Scope *dsl.Scope
	// Plan of the config; nil without one.
	Plan *engine.Plan
	// Template gives records everything but the value.
	Template Record
	Out, Err io.Writer
	// Style of results, ErrStyle of messages.
	Style, ErrStyle Style
	// Verbose says which records were dropped, and where results left.
	Verbose bool

	out  []byte
	said bool
}

func (s *Session) report() *report {
	return &report{w: s.Err, style: s.ErrStyle, scrub: s.Scope.Scrub, said: &s.said}
}

// program is an expression bound to a record.
type program struct {
	*dsl.Compiled
	text string
	run  engine.Program
	r    *record.Record
}

// compile checks an expression and prints what is wrong with it.
func (s *Session) compile(where, text string) (*program, error) {
	c, problems := s.Scope.Compile(text)
	if len(problems) > 0 {
		s.report().problems(where, text, problems)
		return nil, ErrExpression
	}
	l := record.NewLayout()
	run, err := c.Bind(l)
	if err != nil {
		return nil, fmt.Errorf("preparing %s: %w", text, err)
	}
	return &program{Compiled: c, text: text, run: run, r: record.NewRecord(l)}, nil
}

// eval returns the result, valid until the next eval.
func (p *program) eval(x *Record) (v record.Value, err error) {
	defer func() {
		if e := recover(); e != nil {
			v, err = record.Value{}, panicked(e)
		}
	}()
	x.load(p.r)
	return p.run.Eval(p.r)
}

// secret is shown in the place of what was made of a secret.
const secret = "(secret)"

// write prints a result.
func (s *Session) write(v record.Value) error {
	var err error
	if s.out, err = s.Style.Append(s.out[:0], v); err != nil {
		return resultError{err}
	}
	_, err = s.Out.Write(s.out)
	return err
}

// resultError is a result that JSON cannot hold, such as NaN.
type resultError struct{ error }

func (e resultError) Unwrap() error { return e.error }

// Stream is a run over records without a prompt.
type Stream struct {
	// Expr may be empty if there is a chain; with both it sees what the chain
	// leaves.
	Expr  string
	Chain *Chain
	// Samples are the records; nil is one empty record.
	Samples *Samples
	// ExitStatus makes the result decide the exit status.
	ExitStatus bool
	// Whole prints records with key, headers and the rest, Diff what a chain
	// changed.
	Whole, Diff bool
}

// streamRun is one run of a Stream.
type streamRun struct {
	*Session
	Stream
	program *program
	failed  bool
	printed bool
	truth   bool // of the last result
	err     error
}

// Run evaluates a stream and returns the exit status. An error is one of
// reading or writing, or ErrExpression.
func (s *Session) Run(t Stream) (int, error) {
	r := &streamRun{Session: s, Stream: t}
	if t.Expr != "" {
		var err error
		if r.program, err = s.compile("", t.Expr); err != nil {
			return 0, err
		}
	}
	if t.Samples == nil {
		r.record(s.Template.At(1, nil))
	} else if err := r.stream(); err != nil {
		return 0, err
	}
	if t.Chain != nil && r.err == nil {
		t.Chain.End(func(o Outcome) { r.outcome(nil, o) })
	}
	switch {
	case r.err != nil:
		return 0, r.err
	case r.failed:
		return StatusRecords, nil
	case t.ExitStatus && !r.printed:
		return StatusNothing, nil
	case t.ExitStatus && !r.truth:
		return StatusFalse, nil
	}
	return StatusOK, nil
}

func (r *streamRun) stream() error {
	for r.err == nil {
		value, err := r.Samples.Next()
		var bad *BadRecord
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &bad):
			r.failed = true
			r.report().bad(bad)
			continue
		case err != nil:
			return err
		}
		r.record(r.Template.At(r.Samples.Number(), value))
	}
	return nil
}

func (r *streamRun) record(x Record) {
	if r.Chain == nil {
		r.evaluate("", &x)
		return
	}
	r.Chain.Run(x, func(o Outcome) { r.outcome(&x, o) })
}

// outcome prints what a chain made of record x, nil for a window.
func (r *streamRun) outcome(x *Record, o Outcome) {
	if r.err != nil {
		return
	}
	where := "end of input"
	if x != nil {
		where = fmt.Sprintf("record %d", x.Number)
	}
	switch {
	case o.Err != nil:
		r.failed = true
		r.refused(where, o)
	case o.Dropped != "":
		if r.Verbose || r.Diff {
			r.note("%s: dropped by %s (%s)", where, o.Port, o.Dropped)
		}
	case r.program != nil:
		r.evaluate(o.Port, o.Result)
	case r.Diff:
		r.diff(where, x, o)
	default:
		r.result(where, o)
	}
}

// note prints a line beside the results.
func (s *Session) note(format string, args ...any) {
	fmt.Fprintln(s.Err, s.ErrStyle.paint(colorDim, fmt.Sprintf(format, args...)))
}

// refused prints the error of a record in a processor, and what a run would
// do with it.
func (s *Session) refused(where string, o Outcome) {
	detail := "Nothing reads the errors of this element: a run would stop here."
	if len(o.Readers) > 0 {
		detail = "A run would send it to " + strings.Join(o.Readers, " and ") + ", which reads the errors."
	}
	s.report().failed(where+": "+o.Port, "", o.Err, o.At, detail)
}

// result prints a record that left the chain.
func (r *streamRun) result(where string, o Outcome) {
	if r.Verbose {
		r.note("%s left by %s", where, exit(o))
	}
	v := o.Result.value()
	if r.Whole {
		v = o.Result.whole(o.Port)
	}
	r.print(r.hidden(v), true)
}

// exit is the port of a result and who reads it.
func exit(o Outcome) string {
	if len(o.Readers) == 0 {
		return o.Port
	}
	return o.Port + " to " + strings.Join(o.Readers, " and ")
}

// hidden takes sensitive values out of a record that is shown.
func (s *Session) hidden(v record.Value) record.Value {
	b, err := v.AppendJSON(nil)
	if err != nil {
		return v
	}
	if clean := s.Scope.Hide(string(b)); clean != string(b) {
		return record.RawJSON([]byte(clean))
	}
	return v
}

// diff prints what a chain changed in a record.
func (r *streamRun) diff(where string, x *Record, o Outcome) {
	from := x
	if from == nil {
		from = &Record{}
	}
	r.err = r.changes(fmt.Sprintf("%s -> %s", where, exit(o)), from, o.Result)
	r.printed, r.truth = true, true
}

func (s *Session) changes(title string, a, b *Record) error {
	var out bytes.Buffer
	fmt.Fprintln(&out, s.Style.paint(colorBold, title))
	lines := s.Style.changeLines(Diff(a, b), s.Scope.Hide)
	if len(lines) == 0 {
		lines = []string{s.Style.paint(colorDim, "  unchanged")}
	}
	fmt.Fprintln(&out, strings.Join(lines, "\n"))
	_, err := s.Out.Write(out.Bytes())
	return err
}

// evaluate prints the result of the expression.
func (r *streamRun) evaluate(port string, x *Record) {
	where := ""
	if r.Samples != nil {
		where = fmt.Sprintf("record %d", x.Number)
	}
	v, err := r.program.eval(x)
	if err != nil {
		r.failed = true
		shown, detail := x, ""
		if r.Samples == nil {
			if shown = nil; len(r.program.ValuePaths) > 0 {
				detail = "No records were read, so value is nil. Give some with --input FILE or a pipe."
			}
		}
		r.report().failed(where, r.program.text, err, shown, detail)
		return
	}
	truth := !v.IsNil() && (v.Kind() != record.Bool || v.Bool())
	if len(r.program.Secrets) > 0 {
		v = record.StringValue(secret)
	}
	if r.Verbose && port != "" {
		r.note("%s left by %s", where, port)
	}
	r.print(v, truth)
}

func (r *streamRun) print(v record.Value, truth bool) {
	err := r.write(v)
	var wrong resultError
	switch {
	case errors.As(err, &wrong):
		r.failed = true
		r.report().failed("", "", fmt.Errorf("the result cannot be written as JSON: %w", wrong.error), nil, "")
		return
	case err != nil:
		r.err = fmt.Errorf("writing results: %w", err)
	}
	r.printed, r.truth = true, truth
}
