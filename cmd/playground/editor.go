package playground

import (
	"errors"
	"io"
	"strings"

	"github.com/reeflective/readline"
)

// lineEditor reads lines with editing, history and completion. The library
// behind it is bound to the standard streams of the process.
type lineEditor struct{ shell *readline.Shell }

func (p *prompt) newEditor() editor {
	shell := readline.NewShell()
	shell.Prompt.Primary(func() string { return p.Style.paint(colorBold, promptText) })
	shell.Prompt.Secondary(func() string { return p.Style.paint(colorDim, promptMore) })
	shell.AcceptMultiline = func(line []rune) bool { return accepts(string(line)) }
	shell.SyntaxHighlighter = func(line []rune) string { return highlight(p.Style, string(line)) }
	shell.History.Delete()
	shell.History.Add("flow expr", p.history)
	shell.Completer = func(line []rune, cursor int) readline.Completions { return p.completions(line, cursor) }
	shell.Hint.SetProvider(func(line []rune, cursor int) []rune {
		if f, ok := p.complete.calling(string(line[:min(cursor, len(line))])); ok {
			return []rune(p.Style.paint(colorDim, clip(f.signature, p.report().room(2))))
		}
		return nil
	})
	for name, value := range map[string]any{
		"bell-style": "none", "multiline-column": false, "completion-ignore-case": false,
		"menu-complete-display-prefix": true, "history-autosuggest": false,
	} {
		_ = shell.Config.Set(name, value)
	}
	return &lineEditor{shell}
}

func (e *lineEditor) read() (string, error) {
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
func (p *prompt) completions(line []rune, cursor int) readline.Completions {
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
	raw := make([]readline.Completion, len(found))
	for i, c := range found {
		value := c.value
		if word == "" {
			value = prefix + value
		}
		raw[i] = readline.Completion{Value: value, Display: c.show, Description: clip(c.note, p.report().room(len(c.show)+6)), Tag: c.group}
	}
	out := readline.CompleteRaw(raw).NoSpace()
	out.PREFIX = prefix
	return out
}
