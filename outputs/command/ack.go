package command

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/flowrecords/flow/connections/command"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/outputs/internal/order"
)

// answers matches the lines of a program with the records that it was given,
// with confirm = "ack". The goroutine of Write adds batches; the goroutine
// that reads the program's standard output takes them off.
type answers struct {
	cfg *Config

	mu      sync.Mutex // guards all below
	order   order.Order[*pending]
	waiting []*waiting // without all answers, the oldest first
	again   command.Again
	over    bool  // the program has ended, and all batches are answered
	exit    error // with over: how it ended, if that is still to be judged
	unsaid  bool  // with over: exit is still to be judged
	fatal   error // what the program said wrong: nothing more is written
	timer   *time.Timer
}

// waiting is a batch that waits for answers.
type waiting struct {
	*pending
	turn *order.Turn[*pending]
}

func newAnswers(c *Config) *answers { return &answers{cfg: c} }

// writeAck writes a batch with confirm = "ack".
func (o *output) writeAck(ctx context.Context, b *engine.Batch, done func(error)) {
	a := o.answers
	turn, err := a.admit(b)
	if err != nil {
		done(err)
		return
	}
	p := turn.State
	if p == nil {
		p = &pending{b: b}
		turn.State = p
	}
	p.done = done
	if o.child != nil && a.ended() {
		_ = o.settle(ctx, 0) // the reader has judged it, or does below
	}
	if o.child == nil {
		if err := a.restart(turn); err != nil {
			done(err)
			return
		}
		if err := o.start(a.read); err != nil {
			done(a.fail(turn, err))
			return
		}
	}
	o.frame(p, b.Len(), 1<<62)
	if len(p.rows) == 0 {
		done(p.outcome.Err())
		return
	}
	if !a.add(&waiting{p, turn}) {
		// The program ended just now: the next try starts it again.
		p.rewind()
		done(a.fail(turn, engine.Retry(order.ErrAgain)))
		return
	}
	a.watch(o.child)
	if o.feed(ctx) {
		return
	}
	// The reader answers, as soon as the program has ended.
	_ = o.settle(ctx, forEver)
	if o.child != nil { // ctx has ended
		o.child.proc.Stop(ctx, context.Cause(ctx))
	}
}

// admit gives a batch its turn.
func (a *answers) admit(b *engine.Batch) (*order.Turn[*pending], error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fatal != nil {
		return nil, a.fatal
	}
	turn := a.order.Admit(b)
	if turn == nil {
		return nil, engine.Retry(order.ErrAgain)
	}
	return turn, nil
}

// fail notes that a batch will come again, if err asks for that.
func (a *answers) fail(turn *order.Turn[*pending], err error) error {
	var again *engine.RetryError
	if errors.As(err, &again) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.order.Owe(turn)
	}
	return err
}

func (a *answers) ended() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.over
}

// restart makes ready for a program. An error is the end of the one before,
// which no batch has been told.
func (a *answers) restart(turn *order.Turn[*pending]) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	unsaid, exit := a.unsaid, a.exit
	a.over, a.unsaid, a.exit = false, false, nil
	if !unsaid {
		return nil
	}
	err := judge(a.cfg, &a.again, exit)
	var again *engine.RetryError
	if errors.As(err, &again) {
		a.order.Owe(turn)
	}
	return err
}

// add lets a batch wait for answers; false: the program has ended.
func (a *answers) add(w *waiting) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over {
		return false
	}
	a.waiting = append(a.waiting, w)
	return true
}

// watch starts the clock of the timeout, if it does not run.
func (a *answers) watch(c *child) {
	d := a.cfg.Timeout
	if d == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.timer == nil && len(a.waiting) > 0 {
		a.timer = time.AfterFunc(d, func() {
			c.proc.Stop(context.Background(), fmt.Errorf("no answer came within the timeout of %s", engine.DurationText(d)))
		})
	}
}

// tick sets the clock of the timeout back after an answer. mu is held.
func (a *answers) tick() {
	switch {
	case a.timer == nil:
	case len(a.waiting) > 0:
		a.timer.Reset(a.cfg.Timeout)
	default:
		a.timer.Stop()
		a.timer = nil
	}
}

// read takes answers until the program's standard output ends.
func (a *answers) read(c *child) {
	r := bufio.NewReaderSize(c.proc.Stdout, 64<<10)
	for {
		line, err := r.ReadSlice('\n')
		if err == nil {
			err = a.take(strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r"))
		} else if errors.Is(err, bufio.ErrBufferFull) {
			err = a.wrong(string(line))
		} else {
			break // the end; an answer without a newline may not be all of it
		}
		if err != nil {
			c.proc.Stop(context.Background(), err)
			_, _ = io.Copy(io.Discard, r) // so that it does not wait for us
			break
		}
	}
	// A program that will answer no more is of no use.
	t := time.NewTimer(a.cfg.StopGrace)
	defer t.Stop()
	select {
	case <-c.proc.Exited():
	case <-t.C:
		c.proc.Stop(context.Background(), errors.New("it closed its standard output"))
	}
	a.end(c.proc.Result())
}

// take matches one answer. An error is the end of the pipeline.
func (a *answers) take(line string) error {
	word, reason, _ := strings.Cut(line, " ")
	if word != "ok" && word != "error" {
		return a.wrong(line)
	}
	a.mu.Lock()
	if len(a.waiting) == 0 {
		a.mu.Unlock()
		return a.broken(fmt.Errorf("%s answered more records than it was given", a.cfg.Command[0]))
	}
	w := a.waiting[0]
	row, mark := w.rows[0], w.marks[0]
	w.rows, w.marks = w.rows[1:], w.marks[1:]
	w.from, w.mark = row+1, mark
	if word == "error" {
		w.outcome.Add(row, errors.New(refusal(reason)))
	}
	a.again.Worked()
	complete := len(w.rows) == 0
	if complete {
		a.waiting = slices.Delete(a.waiting, 0, 1)
	}
	a.tick()
	a.mu.Unlock()
	if complete {
		w.done(w.outcome.Err())
	}
	return nil
}

// refusal is the reason of an answer, fit for a header.
func refusal(reason string) string {
	reason = strings.TrimSpace(strings.ToValidUTF8(reason, "\uFFFD"))
	if reason == "" {
		return "refused by the program"
	}
	return excerpt(reason, 8*limits.ExcerptBytes)
}

func excerpt(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

func (a *answers) wrong(line string) error {
	return a.broken(fmt.Errorf(`%s answered %q; with confirm = "ack" its standard output holds a line "ok" or "error REASON" for each record and nothing else`,
		a.cfg.Command[0], excerpt(line, limits.ExcerptBytes)))
}

// broken notes that the program's answers cannot be relied on.
func (a *answers) broken(err error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fatal = err
	return err
}

// broke returns what the program said wrong.
func (a *answers) broke() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.fatal
}

// end answers all batches of a program that has ended.
func (a *answers) end(exit error) {
	a.mu.Lock()
	left := a.waiting
	a.waiting, a.over = nil, true
	a.tick()
	err := a.fatal
	switch {
	case err != nil:
	case len(left) == 0:
		a.exit, a.unsaid = exit, true
	default:
		if exit == nil {
			exit = fmt.Errorf("%s ended with status 0 and left records without an answer", a.cfg.Command[0])
		}
		err = judge(a.cfg, &a.again, exit)
	}
	for _, w := range left {
		w.rewind()
		a.order.Owe(w.turn)
	}
	a.mu.Unlock()
	for _, w := range left {
		w.done(err)
	}
}
