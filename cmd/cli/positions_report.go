package cli

import (
	"bufio"
	"fmt"
	"strconv"
	"strings"
)

// resetLine is one changed position. Its JSON form is stable.
type resetLine struct {
	Pipeline  string `json:"pipeline"`
	Element   string `json:"element"`
	Partition string `json:"partition"`
	// From and To are null where no position is kept.
	From  *int64 `json:"from"`
	To    *int64 `json:"to"`
	Again *int64 `json:"again,omitempty"` // records; below 0: left out
	In    string `json:"in"`
	Done  bool   `json:"done"`
}

func (r *reset) lines(done bool) []resetLine {
	var lines []resetLine
	some := func(n int64) *int64 {
		if n < 0 {
			return nil
		}
		return &n
	}
	for _, m := range r.moves {
		l := resetLine{Pipeline: r.p.Name, Element: r.input.Address(), Partition: m.ID, From: some(m.From), To: some(m.To), In: r.where, Done: done}
		if m.Known {
			l.Again = &m.Again
		}
		lines = append(lines, l)
	}
	for _, x := range r.stores {
		for _, k := range x.keys {
			_, id, _ := strings.Cut(k.key, "/")
			lines = append(lines, resetLine{Pipeline: r.p.Name, Element: r.input.Address(), Partition: id, From: some(k.p.Offset), In: x.in, Done: done})
		}
	}
	return lines
}

func (r *reset) report(f *positionsResetFlags, hide func(string) string) error {
	out := bufio.NewWriter(r.a.Stdout)
	lines := r.lines(f.yes)
	if f.json {
		for _, l := range lines {
			if err := writeLine(out, l); err != nil {
				return &exitError{ExitFailed, err}
			}
		}
		return flushed(out)
	}
	t := &listing{out: out}
	if terminal(r.a.Stdout) {
		t.width = r.a.width(r.a.Stdout)
	}
	number := func(n *int64, none string) string {
		if n == nil {
			return none
		}
		return strconv.FormatInt(*n, 10)
	}
	for _, l := range lines {
		effect := "read as by a first run"
		switch {
		case l.Again != nil && *l.Again < 0:
			effect = are(-*l.Again, "record is", "records are") + " left out"
		case l.Again != nil:
			effect = are(*l.Again, "record is", "records are") + " read again"
		}
		t.rows = append(t.rows, []string{hide(l.Partition), number(l.From, "none"), number(l.To, "forgotten"), effect, l.In})
	}
	if err := t.flush([]string{"PARTITION", "FROM", "TO", "THEN", "IN"}); err != nil {
		return &exitError{ExitFailed, err}
	}
	if f.yes {
		fmt.Fprintf(out, "Taken back for %s of pipeline %s.\n", r.input.Address(), r.p.Name)
	} else {
		fmt.Fprintln(out, "Nothing was changed. With --yes it is.")
	}
	return flushed(out)
}

func flushed(out *bufio.Writer) error {
	if err := out.Flush(); err != nil {
		return &exitError{ExitFailed, err}
	}
	return nil
}
