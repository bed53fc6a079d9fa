package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/flowrecords/flow/cmd/deadletters"
	connkafka "github.com/flowrecords/flow/connections/kafka"
	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/engine"
)

// errorsFlags are what the commands of flow errors have in common.
type errorsFlags struct {
	configFlags
	pipeline, output, stateDir            string
	where, element, reason, since, before string
	limit                                 int64
	all                                   bool
}

func (a *app) errorsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "errors",
		Short: "List, look at and replay records that failed",
		Long: `errors works on what errors outputs (from = [errors]) have written: the records
that failed for good, with the reason and all that takes them back.

SOURCE is a config, whose errors outputs say where to look and how to connect:
pipeline.hcl; files of an output with format = "envelope": dead.jsonl; or a
topic without TLS and passwords: kafka://localhost:9092/orders-dead. Dead letter
queues of Kafka Connect with context headers can be read, too.`,
		Example: "  flow errors list pipeline.hcl\n  flow errors show pipeline.hcl 3\n  flow errors replay pipeline.hcl",
		Args:    func(c *cobra.Command, args []string) error { return unknownCommand(c, args) },
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.errorsListCommand(), a.errorsShowCommand(), a.errorsReplayCommand())
	return c
}

func (f *errorsFlags) source(c *cobra.Command) {
	f.add(c)
	c.Flags().StringVar(&f.pipeline, "pipeline", "", "the pipeline of this `name`, if the config has several with errors outputs")
	c.Flags().StringVar(&f.output, "output", "", "only what this errors output has written: its `address`, or the end of it: kafka.dead")
	c.Flags().StringVar(&f.stateDir, "state-dir", "", "`folder` in which is stored what was replayed (default: the pipeline's state_dir)")
}

func (f *errorsFlags) filter(c *cobra.Command) {
	c.Flags().StringVar(&f.where, "where", "", "only records for which this `expression` is true; beside value, key, headers, topic and the rest it sees reason, element, origin, time and attempts")
	c.Flags().StringVar(&f.element, "element", "", "only records that this `element` refused: its address, or the end of it: map.shape")
	c.Flags().StringVar(&f.reason, "reason", "", "only records whose reason matches this `regexp`")
	c.Flags().StringVar(&f.since, "since", "", "only records that failed at this `time` or later: 2026-03-01T12:00:00Z, a day, or 2h for so long ago")
	c.Flags().StringVar(&f.before, "until", "", "only records that failed before this `time`")
	c.Flags().Int64Var(&f.limit, "limit", 0, "at most this `number` of records (0: all)")
}

// letters is what a command works on.
type letters struct {
	*deadletters.Set
	filter   *deadletters.Filter
	scope    *dsl.Scope
	plan     *engine.Plan     // of SOURCE; nil if that is no config
	pipeline *engine.Pipeline // whose errors outputs wrote them; nil likewise
	notes    []string
	now      time.Time

	unreadable int64
	first      *deadletters.Unreadable
}

// hide takes secrets out of what is shown (Invariant 7).
func (l *letters) hide(text string) string { return l.scope.Hide(text) }

// letters finds SOURCE and opens it.
func (a *app) letters(ctx context.Context, args []string, f *errorsFlags) (*letters, error) {
	l := &letters{Set: &deadletters.Set{}, now: time.Now()}
	l.Unreadable = func(u *deadletters.Unreadable) {
		if l.unreadable++; l.first == nil {
			l.first = u
		}
	}
	if err := a.findLetters(l, args, f); err != nil {
		return nil, err
	}
	if l.scope == nil {
		l.scope = dsl.LoadSources(nil, a.options(f.configFlags)).Scope()
	}
	var err error
	if l.filter, err = f.compile(l.scope, l.now); err != nil {
		return nil, wrongUsage(err)
	}
	if err := l.Open(ctx); err != nil {
		l.Close()
		return nil, &exitError{ExitFailed, err}
	}
	return l, nil
}

func (a *app) findLetters(l *letters, args []string, f *errorsFlags) error {
	configs, err := configsAmong(args)
	switch {
	case err != nil:
		return wrongUsage(err)
	case configs:
		return a.lettersOfConfig(l, args, f)
	case f.output != "":
		return wrongUsage(errors.New("--output names an output of a config: give the config as SOURCE"))
	}
	files := &deadletters.Files{Title: strings.Join(args, ", ")}
	for _, arg := range args {
		if rest, ok := strings.CutPrefix(arg, "kafka://"); ok {
			src, err := a.topicOf(arg, rest)
			if err != nil {
				return wrongUsage(err)
			}
			l.Sources = append(l.Sources, src)
			continue
		}
		files.Paths = append(files.Paths, arg)
	}
	if len(files.Paths) > 0 {
		l.Sources = append(l.Sources, files)
	}
	return nil
}

// configsAmong reports whether the arguments are configs; they must be alike.
func configsAmong(args []string) (bool, error) {
	n := 0
	for _, arg := range args {
		if strings.HasPrefix(arg, "kafka://") {
			continue
		}
		info, err := os.Stat(arg)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return false, fmt.Errorf("%s does not exist: SOURCE is a config, files of an errors output, or kafka://HOST:PORT/TOPIC", arg)
		case err != nil:
			return false, err
		case strings.HasSuffix(arg, ".hcl"):
			n++
		case info.IsDir():
			found, _ := filepath.Glob(filepath.Join(arg, "*.hcl"))
			if len(found) == 0 {
				return false, fmt.Errorf("%s is a folder without a config: name the files in it", arg)
			}
			n++
		}
	}
	if n > 0 && n < len(args) {
		return false, errors.New("a config and other sources cannot be read together")
	}
	return n > 0, nil
}

func (a *app) lettersOfConfig(l *letters, paths []string, f *errorsFlags) error {
	var err error
	if l.plan, l.scope, err = a.loadScope(paths, f.configFlags); err != nil {
		return err
	}
	if l.pipeline, err = pickErrorsPipeline(l.plan, f.pipeline); err != nil {
		return wrongUsage(err)
	}
	l.Sources, l.notes, err = deadletters.OfPipeline(l.pipeline, f.output, a.errorsEnv(l.pipeline.Name))
	if err != nil {
		return wrongUsage(err)
	}
	return nil
}

func (a *app) loadScope(paths []string, f configFlags) (*engine.Plan, *dsl.Scope, error) {
	res := dsl.Load(paths, a.options(f))
	if res.Diags.HasErrors() {
		a.printDiagnostics(res)
		return nil, nil, &exitError{code: ExitConfig}
	}
	return res.Plan, res.Scope(), nil
}

func (a *app) errorsEnv(pipeline string) engine.Env {
	return engine.Env{Pipeline: pipeline, Element: "errors", Logger: slog.New(slog.DiscardHandler), Now: time.Now, Version: a.Version}
}

// pickErrorsPipeline returns the named one, or the only one with errors outputs.
func pickErrorsPipeline(plan *engine.Plan, name string) (*engine.Pipeline, error) {
	var names, with []string
	var found *engine.Pipeline
	for _, p := range plan.Pipelines {
		names = append(names, p.Name)
		if p.Name == name {
			return p, nil
		}
		if deadletters.HasErrorsOutput(p) {
			with, found = append(with, p.Name), p
		}
	}
	switch {
	case name != "":
		return nil, fmt.Errorf("no pipeline is called %q.%s The config has %s", name, didYouMean(name, names), strings.Join(names, ", "))
	case len(with) == 1:
		return found, nil
	case len(with) > 1:
		return nil, fmt.Errorf("%d pipelines have errors outputs: say with --pipeline which one: %s", len(with), strings.Join(with, ", "))
	case len(plan.Pipelines) == 0:
		return nil, errors.New("the config has no pipeline block")
	}
	return nil, fmt.Errorf("no pipeline of the config has an errors output, so failed records are not kept: add an output with from = [errors]")
}

// topicOf reads kafka://HOST:PORT,HOST:PORT/TOPIC.
func (a *app) topicOf(arg, rest string) (*deadletters.Topics, error) {
	brokers, topic, _ := strings.Cut(rest, "/")
	if brokers == "" || topic == "" || strings.Contains(topic, "/") {
		return nil, fmt.Errorf("%s: write it as kafka://HOST:PORT/TOPIC", arg)
	}
	if strings.Contains(brokers, "@") {
		return nil, fmt.Errorf("kafka://: a user and password do not belong on a command line: give a config, whose connection has them")
	}
	if err := engine.CheckTopic(topic); err != nil {
		return nil, fmt.Errorf("%s: %w", arg, err)
	}
	c := connkafka.Defaults()
	for b := range strings.SplitSeq(brokers, ",") {
		if _, _, err := net.SplitHostPort(b); err != nil {
			b = net.JoinHostPort(strings.Trim(b, "[]"), "9092")
		}
		c.Brokers = append(c.Brokers, b)
	}
	return &deadletters.Topics{Title: arg, Conn: connkafka.New(c), Env: a.errorsEnv("errors"), Topic: topic}, nil
}

// compile makes the filter that the flags say.
func (f *errorsFlags) compile(scope *dsl.Scope, now time.Time) (*deadletters.Filter, error) {
	if f.limit < 0 {
		return nil, errors.New("--limit: it cannot be negative")
	}
	x := &deadletters.Filter{Element: f.element}
	var err error
	if f.reason != "" {
		if x.Reason, err = regexp.Compile(f.reason); err != nil {
			return nil, fmt.Errorf("--reason: %w", err)
		}
	}
	if f.since != "" {
		if x.Since, err = deadletters.ParseWhen(f.since, now); err != nil {
			return nil, fmt.Errorf("--since %q: %w", f.since, err)
		}
	}
	if f.before != "" {
		if x.Until, err = deadletters.ParseWhen(f.before, now); err != nil {
			return nil, fmt.Errorf("--until %q: %w", f.before, err)
		}
	}
	if f.where != "" {
		if err := x.Where(scope, f.where); err != nil {
			return nil, fmt.Errorf("--where: %w", err)
		}
	}
	return x, nil
}

// peek adds what is known of earlier replays.
func (a *app) peek(ctx context.Context, l *letters, f *errorsFlags) {
	if l.pipeline == nil {
		return
	}
	ledger, err := deadletters.PeekLedger(ctx, stateDirOf(l.pipeline, f.stateDir), l.pipeline.Name)
	if err != nil {
		l.notes = append(l.notes, fmt.Sprintf("what was replayed already is not known: %v", err))
	}
	if ledger == nil {
		ledger = deadletters.NewLedger()
	}
	if err := ledger.LearnFrom(ctx, l.plan, l.pipeline, a.errorsEnv(l.pipeline.Name)); err != nil {
		l.notes = append(l.notes, err.Error())
	}
	l.Ledger = ledger
}

func stateDirOf(p *engine.Pipeline, flag string) string {
	if flag != "" {
		return flag
	}
	return p.Settings.StateDir
}

// remarks says on stderr what stands beside the answer.
func (a *app) remarks(l *letters) {
	for _, n := range l.notes {
		fmt.Fprintln(a.Stderr, "note: "+visible(l.hide(n)))
	}
	if l.unreadable > 0 {
		fmt.Fprintf(a.Stderr, "note: %s not of an errors output and left out; the first is %s\n",
			are(l.unreadable, "entry is", "entries are"), visible(l.hide(l.first.Error())))
	}
}

func are(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(n) + " " + many
}

// interruptible ends ctx at the first signal.
func interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
}

// interrupted maps how reading ended to an exit code.
func interrupted(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return &exitError{ExitAborted, errors.New("interrupted")}
	}
	return &exitError{ExitFailed, err}
}
