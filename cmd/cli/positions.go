package cli

import (
	"bufio"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/engine"
)

// positionsFlags are what the commands of flow positions have in common.
type positionsFlags struct {
	configFlags
	pipeline []string
	stateDir string
	timeout  time.Duration
	json     bool
}

func (f *positionsFlags) addTo(c *cobra.Command) {
	f.add(c)
	c.Flags().StringVar(&f.stateDir, "state-dir", "", "`folder` of stored positions, as of run (default: the pipeline's state_dir)")
	c.Flags().DurationVar(&f.timeout, "timeout", 30*time.Second, "longest `time` to wait for brokers")
	c.Flags().BoolVar(&f.json, "json", false, "one JSON object on each line")
}

func (a *app) positionsCommand() *cobra.Command {
	var f positionsFlags
	c := &cobra.Command{
		Use:   "positions FILE|DIR...",
		Short: "Show where inputs stand; take positions back",
		Long: `positions lists how far the inputs of a config have come: what is stored in the
folder of positions, in Kafka (checkpoint, exactly_once) or in a consumer group,
there with the number of records that the group is behind. The next run goes on
from these. It takes nothing over, and pipelines may run meanwhile. STORED is
for a folder the time of its last change.

'flow positions reset' takes positions back.

Exit status: 0 done, 1 positions cannot be read, 2 wrong config or usage.`,
		Example: "  flow positions pipeline.hcl\n  flow positions --json pipeline.hcl | jq -c 'select(.behind > 1000)'\n  flow positions reset pipeline.hcl file.in",
		Args:    somePath,
		RunE:    func(c *cobra.Command, args []string) error { return a.positions(c.Context(), args, &f) },
	}
	f.addTo(c)
	c.Flags().StringArrayVar(&f.pipeline, "pipeline", nil, "only the pipeline of this `name` (repeatable)")
	c.AddCommand(a.positionsResetCommand())
	return c
}

// positionLine is where one source partition stands. Its JSON form is stable:
// fields are added, never renamed.
type positionLine struct {
	Pipeline  string `json:"pipeline"`
	Element   string `json:"element"`
	Partition string `json:"partition,omitempty"`
	// Position is null where none is kept.
	Position *int64    `json:"position"`
	Text     string    `json:"text,omitempty"`
	Behind   *int64    `json:"behind,omitempty"`
	Stored   time.Time `json:"stored,omitzero"`
	In       string    `json:"in"`
}

func (a *app) positions(ctx context.Context, paths []string, f *positionsFlags) error {
	ctx, cancel := f.context(ctx)
	defer cancel()
	plan, scope, err := a.loadScope(paths, f.configFlags)
	if err != nil {
		return err
	}
	pipelines, err := selectPipelines(plan.Pipelines, f.pipeline)
	if err != nil {
		return wrongUsage(err)
	}
	var lines []positionLine
	var bad error
	for _, p := range pipelines {
		s := &standings{a: a, plan: plan, p: p, dir: stateDirOf(p, f.stateDir)}
		list, err := s.lines(ctx)
		lines = append(lines, list...)
		if err != nil {
			fmt.Fprintf(a.Stderr, "flow: pipeline %s: %s\n", p.Name, visible(scope.Hide(err.Error())))
			bad = &exitError{code: ExitFailed}
		}
	}
	out := bufio.NewWriter(a.Stdout)
	if f.json {
		for _, l := range lines {
			if err := writeLine(out, l); err != nil {
				return &exitError{ExitFailed, err}
			}
		}
	} else if err := a.positionTable(out, lines, scope); err != nil {
		return &exitError{ExitFailed, err}
	}
	if err := out.Flush(); err != nil {
		return &exitError{ExitFailed, err}
	}
	return bad
}

func (f *positionsFlags) context(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := interruptible(ctx)
	ctx, cancel := context.WithTimeoutCause(ctx, f.timeout, fmt.Errorf("no answer within %s (--timeout)", f.timeout))
	return ctx, func() { cancel(); stop() }
}

func (a *app) positionTable(out *bufio.Writer, lines []positionLine, scope *dsl.Scope) error {
	t := &listing{out: out}
	if terminal(a.Stdout) {
		t.width = a.width(a.Stdout)
	}
	now := time.Now()
	for _, l := range lines {
		behind, text := "-", l.Text
		if l.Behind != nil {
			behind = thousands(*l.Behind)
		}
		switch {
		case text != "":
		case l.Position == nil:
			text = "none"
		default:
			text = strconv.FormatInt(*l.Position, 10)
		}
		t.rows = append(t.rows, []string{l.Pipeline, l.Element, orDash(scope.Hide(l.Partition)), text, behind, age(now, l.Stored), l.In})
	}
	if len(t.rows) == 0 {
		_, err := fmt.Fprintln(out, "No positions are stored.")
		return err
	}
	return t.flush([]string{"PIPELINE", "ELEMENT", "PARTITION", "POSITION", "BEHIND", "STORED", "IN"})
}

// age tells how long ago something was, in one unit.
func age(now, t time.Time) string {
	d := now.Sub(t)
	switch {
	case t.IsZero():
		return "-"
	case d < 2*time.Minute:
		return strconv.Itoa(max(int(d.Seconds()), 0)) + "s ago"
	case d < 2*time.Hour:
		return strconv.Itoa(int(d.Minutes())) + "m ago"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d.Hours())) + "h ago"
	}
	return strconv.Itoa(int(d.Hours()/24)) + "d ago"
}

// lines lists where all inputs stand: what they say themselves, then what
// is stored for them.
func (s *standings) lines(ctx context.Context) ([]positionLine, error) {
	var lines []positionLine
	tells := map[string]engine.PositionTeller{}
	for _, e := range s.p.Elements {
		if e.Kind != engine.KindInput {
			continue
		}
		in, err := s.input(e)
		if err != nil {
			return lines, err
		}
		tells[e.Address()], _ = in.(engine.PositionTeller)
		placer, ok := in.(engine.Placer)
		if !ok {
			continue
		}
		place, err := placer.Placement(ctx)
		if err != nil {
			return lines, fmt.Errorf("%s: %w", e.Address(), err)
		}
		for _, x := range place.Partitions {
			l := positionLine{Pipeline: s.p.Name, Element: e.Address(), Partition: x.ID, In: place.Where}
			if x.Position >= 0 {
				l.Position = &x.Position
			}
			if x.Behind >= 0 {
				l.Behind = &x.Behind
			}
			lines = append(lines, l)
		}
	}
	stored, err := s.stored(ctx)
	if err != nil {
		return lines, err
	}
	for _, x := range stored {
		element, id, isInput := strings.Cut(x.key, "/")
		l := positionLine{Pipeline: s.p.Name, Element: element, Partition: id, Position: &x.p.Offset, Stored: x.at, In: x.in}
		known := slices.ContainsFunc(s.p.Elements, func(e *engine.Element) bool { return e.Address() == element })
		switch {
		case !known:
			l.Text = strconv.FormatInt(x.p.Offset, 10) + ", of an element that is not there any more"
		case !isInput:
			l.Position, l.Text = nil, "a mark of what it holds"
		case tells[element] != nil:
			l.Text = tells[element].TellPosition(id, x.p)
		}
		lines = append(lines, l)
	}
	return lines, nil
}
