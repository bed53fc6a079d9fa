package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/flowrecords/flow/cmd/deadletters"
)

type errorsListFlags struct {
	errorsFlags
	group, json bool
}

func (a *app) errorsListCommand() *cobra.Command {
	var f errorsListFlags
	c := &cobra.Command{
		Use:   "list SOURCE...",
		Short: "List failed records, or count them by element and reason",
		Long: `list prints a line for each failed record: its name for show, when and where it
failed, where it came from, and why. Of a config it leaves out what was replayed;
--all shows that, too, with a * behind the name.

--group counts instead, by element and reason; reasons that differ in numbers and
quoted text only are one. --json prints one JSON object on each line.

Exit status: 0 done, 1 SOURCE cannot be read, 2 wrong config or usage.`,
		Example: "  flow errors list pipeline.hcl\n  flow errors list --group --since 24h pipeline.hcl\n  flow errors list --where 'value.amount > 100 && attempts < 3' dead.jsonl",
		Args:    someSource,
		RunE:    func(c *cobra.Command, args []string) error { return a.errorsList(c.Context(), args, &f) },
	}
	f.source(c)
	f.filter(c)
	c.Flags().BoolVar(&f.all, "all", false, "with those that were replayed already")
	c.Flags().BoolVar(&f.group, "group", false, "count by element and reason")
	c.Flags().BoolVar(&f.json, "json", false, "one JSON object on each line")
	return c
}

func someSource(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("name what errors outputs have written: a config, files, or kafka://HOST:PORT/TOPIC")
	}
	return nil
}

func (a *app) errorsList(ctx context.Context, args []string, f *errorsListFlags) error {
	ctx, stop := interruptible(ctx)
	defer stop()
	l, err := a.letters(ctx, args, &f.errorsFlags)
	if err != nil {
		return err
	}
	defer l.Close()
	a.peek(ctx, l, &f.errorsFlags)
	p := &listing{out: bufio.NewWriter(a.Stdout), flags: f, letters: l, groups: deadletters.NewGroups()}
	if terminal(a.Stdout) {
		p.width = a.width(a.Stdout)
	}
	err = l.Scan(ctx, p.letter)
	if err == nil {
		err = p.end()
	}
	if e := p.out.Flush(); err == nil {
		err = e
	}
	a.remarks(l)
	if p.wrong > 0 {
		fmt.Fprintf(a.Stderr, "note: %s left out, since the expression fails on them; the first is %s\n", are(p.wrong, "record was", "records were"), visible(l.hide(p.why.Error())))
	}
	return interrupted(ctx, err)
}

// listing prints letters as they come.
type listing struct {
	out     *bufio.Writer
	flags   *errorsListFlags
	letters *letters
	groups  *deadletters.Groups
	width   int // 0: lines are not cut

	n, replayed, wrong int64
	why                error
	rows               [][]string // not printed yet
	widths             []int
}

// rowsAhead is how many rows decide how wide columns are.
const rowsAhead = 500

func (p *listing) letter(l *deadletters.Letter) error {
	ok, err := p.letters.filter.Match(l)
	switch {
	case err != nil:
		if p.wrong++; p.why == nil {
			p.why = fmt.Errorf("%s: %w", l.ID, err)
		}
		return nil
	case !ok:
		return nil
	case l.Replayed && !p.flags.all:
		p.replayed++
		return nil
	}
	p.n++
	p.groups.Add(l.At(), p.letters.hide(l.Reason), l)
	switch {
	case p.flags.group:
	case p.flags.json:
		err = writeLine(p.out, p.letters.asJSON(l))
	default:
		id := l.ID
		if l.Replayed {
			id += "*"
		}
		p.rows = append(p.rows, []string{id, when(l.Time), l.At(), orDash(l.Origin), p.letters.hide(l.Reason)})
		if len(p.rows) >= rowsAhead {
			err = p.flush([]string{"RECORD", "TIME", "ELEMENT", "ORIGIN", "REASON"})
		}
	}
	if err == nil && p.flags.limit > 0 && p.n >= p.flags.limit {
		err = deadletters.ErrStop
	}
	return err
}

func when(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func (p *listing) end() error {
	groups := p.groups.List()
	switch {
	case p.flags.group && p.flags.json:
		for _, g := range groups {
			if err := writeLine(p.out, g); err != nil {
				return err
			}
		}
		return nil
	case p.flags.json:
		return nil
	case p.flags.group:
		for _, g := range groups {
			p.rows = append(p.rows, []string{thousands(g.Count), g.Element, when(g.Last), g.Example, g.Reason})
		}
		if err := p.flush([]string{"COUNT", "ELEMENT", "LAST", "EXAMPLE", "REASON"}); err != nil {
			return err
		}
	default:
		if err := p.flush([]string{"RECORD", "TIME", "ELEMENT", "ORIGIN", "REASON"}); err != nil {
			return err
		}
	}
	text := "No failed records"
	if p.n > 0 {
		text = are(p.n, "failed record", "failed records")
	}
	if p.replayed > 0 {
		text += "; " + are(p.replayed, "was", "were") + " replayed"
	}
	_, err := fmt.Fprintln(p.out, text+".")
	return err
}

// flush prints rows in columns. The first ones decide how wide columns are, and
// the last column takes what is left of the line.
func (p *listing) flush(head []string) error {
	if len(p.rows) == 0 {
		return nil
	}
	if p.widths == nil {
		p.widths = columnsOf(append([][]string{head}, p.rows...), p.width)
		p.rows = append([][]string{head}, p.rows...)
	}
	for _, row := range p.rows {
		var b strings.Builder
		used := 0
		for i, cell := range row {
			cell = visible(cell)
			if i == len(row)-1 {
				if p.width > 0 {
					cell = clip(cell, max(p.width-used-1, 8))
				}
				b.WriteString(cell)
				break
			}
			if p.width > 0 {
				cell = clip(cell, p.widths[i])
			}
			b.WriteString(cell + strings.Repeat(" ", max(p.widths[i]-utf8.RuneCountInString(cell), 0)+2))
			used += p.widths[i] + 2
		}
		if _, err := fmt.Fprintln(p.out, strings.TrimRight(b.String(), " ")); err != nil {
			return err
		}
	}
	p.rows = p.rows[:0]
	return nil
}

// columnsOf returns the widths of all columns but the last. On a terminal none
// takes more than a quarter of it.
func columnsOf(rows [][]string, width int) []int {
	widths := make([]int, len(rows[0])-1)
	for _, row := range rows {
		for i := range widths {
			n := utf8.RuneCountInString(row[i])
			if width > 0 {
				n = min(n, max(width/4, 8))
			}
			widths[i] = max(widths[i], n)
		}
	}
	return widths
}

// letterJSON is a failed record for programs.
type letterJSON struct {
	Record   string          `json:"record"`
	Source   string          `json:"source"`
	Time     time.Time       `json:"time,omitzero"`
	Pipeline string          `json:"pipeline,omitempty"`
	Element  string          `json:"element,omitempty"`
	Stage    string          `json:"stage,omitempty"`
	Origin   string          `json:"origin,omitempty"`
	Reason   string          `json:"reason"`
	Attempts int             `json:"attempts,omitempty"`
	Replayed bool            `json:"replayed,omitempty"`
	Key      json.RawMessage `json:"key"`
	Value    json.RawMessage `json:"value"`
	Headers  [][2]string     `json:"headers,omitempty"`
}

func (l *letters) asJSON(x *deadletters.Letter) letterJSON {
	j := letterJSON{Record: x.ID, Source: x.Part.Source.Name(), Time: x.Time, Pipeline: x.Pipeline, Element: x.Element, Stage: x.Stage,
		Origin: x.Origin, Reason: l.hide(x.Reason), Attempts: x.Attempts, Replayed: x.Replayed, Key: []byte("null"), Value: []byte("null")}
	if b, err := x.Record.Shown().AppendJSON(nil); err == nil && len(b) > 0 {
		j.Value = []byte(l.hide(string(b)))
	}
	if b, err := x.Record.ShownKey().AppendJSON(nil); err == nil && len(b) > 0 {
		j.Key = []byte(l.hide(string(b)))
	}
	for _, h := range x.Record.Headers {
		j.Headers = append(j.Headers, [2]string{h.Key, l.hide(strings.ToValidUTF8(string(h.Value), "\uFFFD"))})
	}
	return j
}

func writeLine(w *bufio.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
