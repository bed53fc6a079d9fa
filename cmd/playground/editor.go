package playground

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/reeflective/readline"
)

// lineEditor reads lines with editing, history and completion. The library
// behind it is bound to the standard streams of the process.
//
// It is told not to ask the terminal where the cursor is: it asks with each
// key, and loses keys that come in one read with the answer, as they do over a
// slow line and when one types while a result is computed. What it would learn
// is whether there is room below the line; makeRoom sees to that.
type lineEditor struct {
	shell *readline.Shell
	p     *prompt
	// row is that of the cursor within the line when the line was last drawn.
	row int
	// more candidates than were listed for the line moreOf.
	more   int
	moreOf string
}

func (p *prompt) newEditor() editor {
	shell := readline.NewShell()
	e := &lineEditor{shell: shell, p: p}
	shell.Prompt.Primary(func() string { return p.Style.paint(colorBold, promptText) })
	shell.Prompt.Secondary(func() string { return p.Style.paint(colorDim, promptMore) })
	shell.AcceptMultiline = func(line []rune) bool { return accepts(string(line)) }
	shell.SyntaxHighlighter = func(line []rune) string { return highlight(p.Style, string(line)) }
	shell.History.Delete()
	shell.History.Add("flow expr", p.history)
	shell.Completer = func(line []rune, cursor int) readline.Completions { return e.completions(line, cursor) }
	shell.Hint.SetProvider(func(line []rune, cursor int) []rune {
		e.makeRoom(string(line), string(line[:min(cursor, len(line))]))
		if e.more > 0 && e.moreOf == string(line) {
			return []rune(p.Style.paint(colorDim, thousands(int64(e.more))+" more: type some letters"))
		}
		if f, ok := p.complete.calling(string(line[:min(cursor, len(line))])); ok {
			return []rune(p.Style.paint(colorDim, clip(f.signature, p.report().room(2))))
		}
		return nil
	})
	for name, value := range map[string]any{
		"bell-style": "none", "multiline-column": false, "completion-ignore-case": false,
		"menu-complete-display-prefix": true, "history-autosuggest": false, "cursor-position-probe": false,
	} {
		_ = shell.Config.Set(name, value)
	}
	return e
}

// makeRoom scrolls the window so that there is a free row below the line that
// will be drawn. It is called with the cursor where the last drawing left it,
// before the next one.
func (e *lineEditor) makeRoom(line, before string) {
	width, height := e.p.size()
	below := min(rowsOf(line, width)-e.row, height-1)
	e.row = rowsOf(before, width) - 1
	if below > 0 { // index moves down and scrolls, but keeps the column
		fmt.Fprintf(e.p.Out, "%s\x1b[%dA", strings.Repeat("\x1bD", below), below)
	}
}

// rowsOf is how many rows of the terminal a line behind its prompt takes.
func rowsOf(line string, width int) int {
	rows := 0
	for part := range strings.SplitSeq(line, "\n") {
		rows += 1 + (len(promptText)+len([]rune(part)))/width
	}
	return rows
}

func (e *lineEditor) read() (string, error) {
	e.row = 0
	line, err := e.shell.Readline()
	switch {
	case errors.Is(err, readline.ErrInterrupt):
		return "", errCleared
	case errors.Is(err, io.EOF):
		return "", io.EOF
	}
	return line, err
}

// completions hands candidates to the library.
func (e *lineEditor) completions(line []rune, cursor int) readline.Completions {
	p := e.p
	before := string(line[:min(cursor, len(line))])
	word, found := p.complete.complete(before)
	prefix := word
	if word == "" {
		// Without a word the library takes all that stands behind the last
		// white space for one.
		fields := before[strings.LastIndexAny(before, " \t\n")+1:]
		prefix = fields
	}
	if len(found) == 0 || strings.ContainsFunc(prefix, func(r rune) bool { return r > 0x7e }) {
		return readline.CompleteValues() // it counts the bytes of a word as characters
	}
	_, height := p.size()
	found, e.more = crop(found, max(height-8, 4))
	e.moreOf = string(line)
	raw := make([]readline.Completion, len(found))
	same := map[string]int{}
	for i, c := range found {
		value := c.value
		if word == "" {
			value = prefix + value
		}
		note := clip(c.note, p.report().room(len(c.show)+6))
		if note != "" {
			// The library puts what has one description on one row: no colour,
			// asked for once more, makes the next one another.
			same[note]++
			note += strings.Repeat("\x1b[m", same[note]-1)
		}
		raw[i] = readline.Completion{Value: value, Display: c.show, Description: note, Tag: c.group}
	}
	out := readline.CompleteRaw(raw).DisplayList()
	out.PREFIX = prefix
	return out
}

// crop leaves as many candidates as there are rows for, and says how many more
// there are. The first and the last of all stay, so that what all begin with
// is still what these begin with.
func crop(all []candidate, most int) (kept []candidate, more int) {
	groups := map[string]bool{}
	for _, c := range all {
		groups[c.group] = true
	}
	most -= len(groups)
	if len(all) <= most || most < 3 {
		return all[:min(len(all), max(most, 3))], len(all) - min(len(all), max(most, 3))
	}
	first, last := all[0], all[0]
	for _, c := range all {
		if c.value < first.value {
			first = c
		}
		if c.value > last.value {
			last = c
		}
	}
	for _, c := range all {
		if c == first || c == last || len(kept) < most-2 {
			kept = append(kept, c)
		}
	}
	return kept, len(all) - len(kept)
}
