package playground

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// PromptOptions are what the prompt begins with.
type PromptOptions struct {
	// Input is the file of the sample; it may be empty.
	Input string
	Each  bool
	// NoHistory keeps what is typed out of the history file.
	NoHistory bool
	Environ   []string
	Version   string
	// Plain reads lines without editing, for terminals that cannot move their
	// cursor.
	Plain bool
	In    io.Reader
	// Interrupts brings the signals of Ctrl-C while something is evaluated.
	Interrupts <-chan os.Signal
	// Size is the columns and rows of the terminal, which may change.
	Size func() (width, height int)
	// Chain is what :run and :diff run of the config.
	Chain ChainOptions
}

// editor reads one line or more. It returns errCleared after Ctrl-C and io.EOF
// after Ctrl-D.
type editor interface {
	read() (string, error)
}

var errCleared = errors.New("the line was cleared")

// errQuit ends the prompt.
var errQuit = errors.New("quit")

// prompt is one interactive session.
type prompt struct {
	*Session
	o        PromptOptions
	sample   *sample
	complete *completer
	history  *history
}

// Prompt reads expressions and commands until it is left. Only what ends the
// terminal is an error.
func (s *Session) Prompt(o PromptOptions) error {
	p := &prompt{Session: s, o: o, sample: s.noSample()}
	p.Style.Pretty = true
	p.Err = p.Out // one stream keeps results and messages in their order
	p.ErrStyle = p.Style
	p.complete = p.newCompleter()
	p.openHistory()
	fmt.Fprintln(p.Out, p.Style.paint(colorDim, "flow "+o.Version+": type an expression. :help lists commands, Ctrl-D leaves."))
	if o.Input != "" {
		p.printed(p.load(o.Input))
	}
	var e editor
	if o.Plain {
		e = &plainEditor{in: bufio.NewReader(o.In), out: p.Out}
	} else {
		e = p.newEditor()
	}
	for {
		line, err := e.read()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errCleared):
			continue
		case err != nil:
			return fmt.Errorf("reading the terminal: %w", err)
		}
		if err := p.line(line); errors.Is(err, errQuit) {
			return nil
		}
	}
}

func (s *Session) noSample() *sample {
	return &sample{records: []Record{s.Template.At(1, nil)}}
}

func (p *prompt) getenv(name string) string {
	for _, v := range slices.Backward(p.o.Environ) {
		if n, value, ok := strings.Cut(v, "="); ok && n == name {
			return value
		}
	}
	return ""
}

func (p *prompt) openHistory() {
	p.history = &history{}
	if p.o.NoHistory {
		return
	}
	warn := func(err error) { fmt.Fprintln(p.Out, p.Style.paint(colorDim, plain(err.Error()))) }
	path, err := historyPath(p.getenv)
	if err == nil {
		p.history, err = openHistory(path, warn)
	}
	if err != nil {
		warn(err)
	}
}

// newCompleter gathers what can be written, but for the sample.
func (p *prompt) newCompleter() *completer {
	c := &completer{value: &shape{}, key: &shape{}, functions: libraryFunctions(), files: filesLike, secrets: map[string]bool{}}
	c.value, c.key = p.sample.shapes()
	for _, h := range p.Template.Headers {
		c.headers = append(c.headers, h.Key)
	}
	c.meta = slices.Sorted(maps.Keys(p.Template.Meta))
	for _, f := range p.Scope.Functions() {
		c.functions = append(c.functions, function{f.Name, f.Name + "(" + strings.Join(f.Params, ", ") + ")", f.Description, len(f.Params) > 0})
	}
	roots := map[string]*shape{}
	c.constants = &shape{}
	for _, root := range []string{"var", "local"} {
		roots[root] = &shape{kinds: []record.Kind{record.Object}}
		c.constants.members = append(c.constants.members, namedShape{root, roots[root]})
	}
	s := &shaper{}
	for _, k := range p.Scope.Constants() {
		root, name, _ := strings.Cut(k.Name, ".")
		at := s.member(roots[root], name)
		if at == nil {
			continue
		}
		if c.secrets[k.Name] = k.Secret; k.Secret {
			continue
		}
		if v, err := record.FromAny(k.Value); err == nil {
			s.add(at, v, 0)
		}
	}
	if p.Plan != nil {
		for _, pipe := range p.Plan.Pipelines {
			for _, e := range pipe.Elements {
				if e.Kind == engine.KindProcessor {
					c.elements = append(c.elements, e.Address())
				}
			}
		}
	}
	return c
}

// line does what was typed. Panics of anything below are errors too: nothing
// but the user ends the prompt.
func (p *prompt) line(text string) (err error) {
	defer func() {
		if e := recover(); e != nil {
			p.report().failed("", "", panicked(e), nil, "This is a bug of flow.")
		}
	}()
	p.resized()
	p.said = false
	p.interrupted() // one that came too late for what it was meant for
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return nil
	case strings.HasPrefix(text, ":"):
		return p.command(text)
	case text == "exit" || text == "quit":
		return errQuit
	case text == "help":
		return p.command(":help")
	}
	p.evaluate(text)
	return nil
}

// resized follows the width of the terminal.
func (p *prompt) resized() {
	w, _ := p.size()
	p.Style.Width, p.ErrStyle.Width = w, w
}

// size is that of the terminal.
func (p *prompt) size() (width, height int) {
	if p.o.Size != nil {
		if width, height = p.o.Size(); width > 0 && height > 0 {
			return width, height
		}
	}
	return 80, 24
}

// evaluate prints the result of an expression over the record.
func (p *prompt) evaluate(text string) {
	prog, err := p.compile("", text)
	if err != nil {
		p.printed(err)
		return
	}
	v, err := prog.eval(p.sample.current())
	if err != nil {
		p.recordError(text, err)
		return
	}
	if err := p.answer(v, prog.Secrets); err != nil {
		p.report().failed("", "", fmt.Errorf("the result cannot be written as JSON: %w", err), nil, "")
	}
}

// recordError prints the error of the record at hand.
func (p *prompt) recordError(text string, err error) {
	detail := ""
	if p.sample.path == "" {
		detail = "There is no record: :load FILE reads some."
	}
	p.report().failed("", text, err, nil, detail)
}

// printed prints an error unless it was printed where it was found.
func (p *prompt) printed(err error) {
	if err != nil && !errors.Is(err, ErrExpression) {
		p.report().failed("", "", err, nil, "")
	}
}

// answer shows a result; what JSON has no form for as people write it.
func (p *prompt) answer(v record.Value, secrets []string) error {
	if len(secrets) > 0 {
		p.say("%s  %s", secret, p.Style.paint(colorDim, "it uses "+strings.Join(secrets, " and ")))
		return nil
	}
	switch v.Kind() {
	case record.Duration:
		p.say("%s  %s", p.Style.paint(colorNumber, v.Duration().String()), p.Style.paint(colorDim, "duration"))
	case record.Time:
		t := v.Time()
		p.say("%s  %s", p.Style.paint(colorNumber, t.Format(time.RFC3339Nano)), p.Style.paint(colorDim, t.Format("Monday")+", time"))
	case record.Bytes:
		p.bytes(v.Text())
	case record.Float:
		if _, err := v.AppendJSON(nil); err != nil { // NaN and infinities
			p.say("%s  %s", p.Style.paint(colorBad, fmt.Sprint(v.Float())), p.Style.paint(colorDim, "JSON cannot hold this number"))
			return nil
		}
		return p.write(v)
	default:
		return p.write(v)
	}
	return nil
}

// bytes shows the beginning of bytes in hexadecimal.
func (p *prompt) bytes(b []byte) {
	const most = 32
	rest := ""
	if len(b) > most {
		rest = "..."
	}
	p.say("%s%s  %s", p.Style.paint(colorNumber, fmt.Sprintf("% x", b[:min(len(b), most)])), rest, p.Style.paint(colorDim, count(len(b), "byte")))
}

func (p *prompt) say(format string, args ...any) { fmt.Fprintf(p.Out, format+"\n", args...) }

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return thousands(int64(n)) + " " + noun + "s"
}

// interrupted reports that Ctrl-C was pressed since it was last asked.
func (p *prompt) interrupted() bool {
	select {
	case <-p.o.Interrupts:
		return true
	default:
		return false
	}
}

// plainEditor reads lines from a terminal that can only print.
type plainEditor struct {
	in  *bufio.Reader
	out io.Writer
}

func (e *plainEditor) read() (string, error) {
	var text bytes.Buffer
	mark := promptText
	for {
		fmt.Fprint(e.out, mark)
		line, err := e.in.ReadString('\n')
		if err != nil && (line == "" || !errors.Is(err, io.EOF)) {
			if errors.Is(err, io.EOF) {
				fmt.Fprintln(e.out)
			}
			return "", err
		}
		text.WriteString(line)
		if accepts(strings.TrimSuffix(text.String(), "\n")) {
			return text.String(), nil
		}
		mark = promptMore
	}
}

// accepts reports that what was typed is whole.
func accepts(text string) bool {
	trimmed := strings.TrimLeft(text, " ")
	if !strings.HasPrefix(trimmed, ":") {
		return finished(text)
	}
	name, rest, _ := strings.Cut(trimmed[1:], " ")
	spec, ok := lookupCommand(name)
	return !ok || !spec.expression || finished(rest)
}

const (
	promptText = "flow> "
	promptMore = "  ... "
)
