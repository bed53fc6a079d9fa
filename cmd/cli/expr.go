package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/flowrecords/flow/cmd/playground"
	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/dsl/rules"
	"github.com/flowrecords/flow/engine/record"
)

// exprFlags are the flags of flow expr.
type exprFlags struct {
	configFlags
	input             string
	none, each        bool
	compact, pretty   bool
	raw, status       bool
	whole, diff       bool
	verbose           bool
	color             string
	hcl               []string
	pipeline, element string
	from              string
	interactive       bool
	noHistory         bool

	key, keyJSON      string
	headers, meta     []string
	topic, timestamp  string
	partition         int32
	offset            int64
	keySet, keyIsJSON bool
}

func (a *app) exprCommand() *cobra.Command {
	var f exprFlags
	c := &cobra.Command{
		Use:   "expr [EXPR]",
		Short: "Evaluate an expression, or run processors, over JSON records",
		Long: `expr evaluates an expression over JSON records and prints each result: records
of --input, of standard input if that is a pipe or file, or else none at all.
With --hcl and without EXPR it runs the processors of a config over them, and
opens none of its inputs and outputs. Without EXPR on a terminal it is a prompt.

Records are JSON values, one on each line or behind each other. An error of a
record is printed with its place, and the next record goes on.

Exit status: 0 done, 1 and 4 with -e (the last result is false or null; there
was none), 2 wrong expression, config or usage, 5 some records failed.`,
		Example: `  flow expr '2 ** 10'
  flow expr -i orders.jsonl 'value.price * value.quantity'
  kcat -C -t orders | flow expr -c 'value.status == "paid"'
  flow expr --hcl pipeline.hcl -i orders.jsonl --diff
  flow expr --hcl pipeline.hcl --element map.shape -i orders.jsonl
  flow expr -i orders.jsonl`,
		Args: oneExpression,
		RunE: func(c *cobra.Command, args []string) error {
			f.keySet, f.keyIsJSON = c.Flags().Changed("key"), c.Flags().Changed("key-json")
			return a.expr(f, args)
		},
	}
	f.addAll(c)
	return c
}

// oneExpression refuses an expression that the shell has taken apart.
func oneExpression(_ *cobra.Command, args []string) error {
	if len(args) > 1 {
		return fmt.Errorf("one expression is evaluated, not %d arguments: put it in quotes: flow expr '%s'", len(args), strings.Join(args, " "))
	}
	return nil
}

func (f *exprFlags) addAll(c *cobra.Command) {
	fl := c.Flags()
	fl.SortFlags = false
	fl.StringVarP(&f.input, "input", "i", "", "read records from a `file`; - is standard input")
	fl.BoolVarP(&f.none, "null-input", "n", false, "read no records: evaluate once, with a null value")
	fl.BoolVar(&f.each, "each", false, "make a record of each element of an array")
	fl.BoolVarP(&f.compact, "compact", "c", false, "print each result on one line, as it is the rule if the output is no terminal")
	fl.BoolVar(&f.pretty, "pretty", false, "lay out results on several lines, as it is the rule on a terminal")
	fl.BoolVarP(&f.raw, "raw", "r", false, "print text without quotes")
	fl.BoolVarP(&f.status, "exit-status", "e", false, "exit with 1 if the last result is false or null, with 4 if there is none")
	fl.StringVar(&f.color, "color", "auto", "colours: `auto`, always or never")
	fl.StringArrayVar(&f.hcl, "hcl", nil, "the config whose variables, locals, functions and processors are used: a `file` or folder (repeatable)")
	fl.StringVar(&f.pipeline, "pipeline", "", "the `name` of the pipeline whose processors run")
	fl.StringVar(&f.element, "element", "", "run one processor: its `address`, such as processor.map.shape or shape")
	fl.StringVar(&f.from, "from", "", "the `input` that the records come from, where inputs lead to different processors")
	fl.BoolVar(&f.diff, "diff", false, "print what processors change in each record")
	fl.BoolVar(&f.whole, "whole", false, "print what processors leave with key, headers, topic and the port that it left by")
	fl.BoolVarP(&f.verbose, "verbose", "v", false, "say on standard error which records were dropped and where results leave")
	fl.StringVar(&f.key, "key", "", "the key of the records, as `text`")
	fl.StringVar(&f.keyJSON, "key-json", "", "the key of the records, as `JSON`")
	fl.StringArrayVar(&f.headers, "header", nil, "a header of the records: `name=value` (repeatable)")
	fl.StringVar(&f.topic, "topic", "", "the topic of the records")
	fl.StringVar(&f.timestamp, "timestamp", "", "the `time` of the records: RFC 3339, or now")
	fl.Int32Var(&f.partition, "partition", 0, "the source partition of the records")
	fl.Int64Var(&f.offset, "offset", 0, "the offset of the first record; each further one has the next")
	fl.StringArrayVar(&f.meta, "meta", nil, "what the source says of itself: `name=value` (repeatable)")
	f.add(c)
	fl.BoolVar(&f.interactive, "interactive", false, "begin a prompt")
	fl.BoolVar(&f.noHistory, "no-history", false, "keep no history of the prompt")
}

func (a *app) expr(f exprFlags, args []string) error {
	template, err := f.template()
	if err != nil {
		return wrongUsage(err)
	}
	if err := f.check(args); err != nil {
		return wrongUsage(err)
	}
	prompt := f.interactive || len(args) == 0 && f.element == "" && !f.diff && !f.whole && !f.none &&
		(len(f.hcl) == 0 || f.input == "") && terminal(a.Stdin) && terminal(a.Stdout)
	switch {
	case prompt && (!terminal(a.Stdin) || !terminal(a.Stdout)):
		return wrongUsage(errors.New("the prompt needs a terminal for its input and its output"))
	case prompt && f.input == "-":
		return wrongUsage(errors.New("the prompt reads standard input itself: give --input a file"))
	case len(args) > 0 && strings.TrimSpace(args[0]) == "":
		return wrongUsage(errors.New("the expression is empty: give one, such as 'value', which is the whole record"))
	case !prompt && len(args) == 0 && len(f.hcl) == 0:
		return wrongUsage(errors.New("give an expression, or --hcl with a config whose processors run: flow expr 'value.a + 1'"))
	}
	s, err := a.session(f, template)
	if err != nil {
		return err
	}
	if prompt {
		return a.prompt(s, f, args)
	}
	return a.evaluate(s, f, args)
}

// check finds flags that do not go together.
func (f *exprFlags) check(args []string) error {
	switch {
	case f.color != "auto" && f.color != "always" && f.color != "never":
		return fmt.Errorf("--color: %q is none of auto, always, never", f.color)
	case f.compact && f.pretty:
		return errors.New("--compact and --pretty exclude each other")
	case f.none && f.input != "":
		return errors.New("--null-input reads no records, so --input has no use")
	case f.diff && f.whole:
		return errors.New("--diff and --whole exclude each other")
	case len(args) > 0 && (f.diff || f.whole):
		return errors.New("--diff and --whole are about processors: leave out the expression")
	}
	if len(f.hcl) == 0 {
		for _, x := range []struct {
			name  string
			given bool
		}{
			{"--element", f.element != ""}, {"--pipeline", f.pipeline != ""}, {"--from", f.from != ""}, {"--diff", f.diff}, {"--whole", f.whole},
			{"--var", len(f.vars) > 0}, {"--var-file", len(f.varFiles) > 0},
		} {
			if x.given {
				return fmt.Errorf("%s is about a config: give one with --hcl", x.name)
			}
		}
	}
	return nil
}

func wrongUsage(err error) error { return &exitError{code: ExitConfig, err: err} }

// template is what all records have beside their value.
func (f *exprFlags) template() (playground.Record, error) {
	t := playground.Record{Topic: f.topic, Partition: f.partition, Offset: f.offset, KeyAs: record.Text, ValueAs: record.JSON}
	switch {
	case f.keySet && f.keyIsJSON:
		return t, errors.New("--key and --key-json exclude each other")
	case f.keySet:
		t.Key = []byte(f.key)
	case f.keyIsJSON:
		t.Key, t.KeyAs = []byte(f.keyJSON), record.JSON
		if err := record.ValidateJSON(t.Key); err != nil {
			return t, fmt.Errorf("--key-json: %w", err)
		}
	}
	for _, h := range f.headers {
		name, value, ok := strings.Cut(h, "=")
		if !ok || name == "" {
			return t, fmt.Errorf("--header %q: write it as name=value", h)
		}
		t.Headers = append(t.Headers, record.Header{Key: name, Value: []byte(value)})
	}
	for _, m := range f.meta {
		name, value, ok := strings.Cut(m, "=")
		if !ok || name == "" {
			return t, fmt.Errorf("--meta %q: write it as name=value", m)
		}
		if t.Meta == nil {
			t.Meta = make(map[string]string)
		}
		t.Meta[name] = value
	}
	return t, f.time(&t)
}

func (f *exprFlags) time(t *playground.Record) error {
	switch f.timestamp {
	case "":
		return nil
	case "now":
		t.Timestamp = time.Now()
	default:
		at, err := time.Parse(time.RFC3339Nano, f.timestamp)
		if err != nil {
			if _, number := strconv.ParseInt(f.timestamp, 10, 64); number == nil {
				return fmt.Errorf("--timestamp %q: a number does not say its unit; write it as 2026-03-01T12:00:00Z", f.timestamp)
			}
			return fmt.Errorf("--timestamp %q: write it as 2026-03-01T12:00:00Z, or now", f.timestamp)
		}
		t.Timestamp = at
	}
	if y := t.Timestamp.Year(); y < 1678 || y > 2261 {
		return fmt.Errorf("--timestamp %q: it lies outside the years 1678 to 2261", f.timestamp)
	}
	t.HasTimestamp = true
	return nil
}

// session loads the config, if there is one, and says how results look.
func (a *app) session(f exprFlags, template playground.Record) (*playground.Session, error) {
	o := dsl.Options{Registry: a.registry, Vars: f.vars, VarFiles: f.varFiles, Environ: a.Environ}
	s := &playground.Session{Template: template, Out: a.Stdout, Err: a.Stderr, Verbose: f.verbose}
	res := dsl.LoadSources(nil, o)
	if len(f.hcl) > 0 {
		res = dsl.Load(f.hcl, o)
		s.Plan = res.Plan
		// Warnings are lint's to give, and functions alone are worth trying.
		res.Diags = slices.DeleteFunc(res.Diags, func(d *hcl.Diagnostic) bool {
			return d.Severity != hcl.DiagError || rules.Of(d).Rule == rules.NoPipeline
		})
		if a.printDiagnostics(res); res.Diags.HasErrors() {
			return nil, &exitError{code: ExitConfig}
		}
	}
	s.Scope = res.Scope()
	s.Style = playground.Style{
		Pretty: (terminal(a.Stdout) || f.pretty) && !f.compact, Raw: f.raw,
		Color: a.colored(a.Stdout) && f.color == "auto" || f.color == "always", Width: a.width(a.Stdout),
	}
	s.ErrStyle = playground.Style{Color: a.colored(a.Stderr) && f.color == "auto" || f.color == "always", Width: a.width(a.Stderr)}
	return s, nil
}

// readsStdin reports that records come from standard input: it is a pipe or a
// file. A terminal, or /dev/null, is not asked.
func (a *app) readsStdin() bool {
	info, err := a.Stdin.Stat()
	return err == nil && info.Mode()&fs.ModeCharDevice == 0
}

// evaluate runs an expression or processors over a stream.
func (a *app) evaluate(s *playground.Session, f exprFlags, args []string) (err error) {
	t := playground.Stream{ExitStatus: f.status, Whole: f.whole, Diff: f.diff}
	if len(args) > 0 {
		t.Expr = args[0]
	}
	out := newFlusher(a.Stdout)
	s.Out, s.Err = out, &flushedFirst{out, a.Stderr}
	if len(f.hcl) > 0 && (t.Expr == "" || f.element != "") {
		if t.Chain, err = playground.NewChain(s.Plan, a.chainOptions(f, s.Err)); err != nil {
			return wrongUsage(err)
		}
		defer t.Chain.Close()
	}
	in, err := a.records(f)
	if err != nil {
		return wrongUsage(err)
	}
	if in != nil {
		defer in.Close()
		t.Samples = playground.NewSamples(in)
		t.Samples.Each, t.Samples.Waiting = f.each, out.flush
	} else if t.Chain != nil {
		return wrongUsage(errors.New("give processors some records: --input FILE, or a pipe"))
	}
	status, err := s.Run(t)
	out.flush()
	switch {
	case errors.Is(err, playground.ErrExpression):
		return &exitError{code: ExitConfig}
	case err != nil:
		return &exitError{code: ExitFailed, err: err}
	case out.err != nil:
		return &exitError{code: ExitFailed, err: fmt.Errorf("writing results: %w", out.err)}
	case status != 0:
		return &exitError{code: status}
	}
	return nil
}

func (a *app) chainOptions(f exprFlags, log io.Writer) playground.ChainOptions {
	return playground.ChainOptions{
		Pipeline: f.pipeline, Element: f.element, From: f.from, Version: a.Version,
		Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelInfo})),
	}
}

// records opens what the records come from; nil if there is nothing.
func (a *app) records(f exprFlags) (io.ReadCloser, error) {
	switch {
	case f.none:
		return nil, nil
	case f.input == "-", f.input == "" && a.readsStdin():
		return io.NopCloser(a.Stdin), nil
	case f.input == "":
		return nil, nil
	}
	file, err := os.Open(f.input)
	if err != nil {
		return nil, fmt.Errorf("--input: %w", err)
	}
	if info, err := file.Stat(); err == nil && info.IsDir() {
		_ = file.Close()
		return nil, fmt.Errorf("--input: %s is a folder; give a file with JSON records", f.input)
	}
	return file, nil
}

// terminalSize is 0 where it is not known.
func terminalSize(f *os.File) (width, height int) {
	width, height, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0, 0
	}
	return width, height
}

// prompt begins the interactive part.
func (a *app) prompt(s *playground.Session, f exprFlags, args []string) error {
	if len(args) > 0 {
		return wrongUsage(errors.New("--interactive and an expression exclude each other: type it at the prompt"))
	}
	// Ctrl-C ends what :time repeats, never the prompt: one evaluation is
	// bounded by its budget, and while a line is edited there is no signal.
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)
	err := s.Prompt(playground.PromptOptions{
		Input: f.input, Each: f.each, NoHistory: f.noHistory, Environ: a.Environ, Version: a.Version,
		Plain: a.getenv("TERM") == "dumb", In: a.Stdin, Interrupts: interrupts,
		Size:  func() (int, int) { return terminalSize(a.Stdout) },
		Chain: a.chainOptions(f, a.Stdout),
	})
	if err != nil {
		return &exitError{code: ExitFailed, err: err}
	}
	return nil
}
