package cli

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flowrecords/flow/cmd/deadletters"
	"github.com/flowrecords/flow/cmd/playground"
	"github.com/flowrecords/flow/engine/record"
)

type errorsShowFlags struct {
	errorsFlags
	json bool
}

func (a *app) errorsShowCommand() *cobra.Command {
	var f errorsShowFlags
	c := &cobra.Command{
		Use:   "show SOURCE... RECORD",
		Short: "Show one failed record with its cause",
		Long: `show prints one failed record: why, where and when it failed, where it came from,
and its headers, key and value. RECORD is its name in the first column of list.

Exit status: 0 done, 1 SOURCE cannot be read, 2 wrong config or usage, or no such
record.`,
		Example: "  flow errors show pipeline.hcl 3\n  flow errors show kafka://localhost:9092/orders-dead 0/991",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) < 2 {
				return fmt.Errorf("name SOURCE and the record, as list calls it: flow errors show pipeline.hcl 3")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return a.errorsShow(c.Context(), args, &f) },
	}
	f.source(c)
	c.Flags().BoolVar(&f.json, "json", false, "one JSON object")
	return c
}

func (a *app) errorsShow(ctx context.Context, args []string, f *errorsShowFlags) error {
	ctx, stop := interruptible(ctx)
	defer stop()
	id := strings.TrimSuffix(args[len(args)-1], "*")
	l, err := a.letters(ctx, args[:len(args)-1], &f.errorsFlags)
	if err != nil {
		return err
	}
	defer l.Close()
	a.peek(ctx, l, &f.errorsFlags)
	var found *deadletters.Letter
	var n int64
	err = l.Scan(ctx, func(x *deadletters.Letter) error {
		n++
		if x.ID != id {
			return nil
		}
		found = x
		return deadletters.ErrStop
	})
	if err != nil {
		return interrupted(ctx, err)
	}
	if found == nil {
		a.remarks(l)
		return wrongUsage(fmt.Errorf("no failed record is called %q among %s: the first column of flow errors list has the names", id, are(n, "record", "records")))
	}
	out := bufio.NewWriter(a.Stdout)
	if f.json {
		err = writeLine(out, l.asJSON(found))
	} else {
		err = a.writeLetter(out, l, found)
	}
	if e := out.Flush(); err == nil {
		err = e
	}
	return interrupted(ctx, err)
}

func (a *app) writeLetter(w *bufio.Writer, l *letters, x *deadletters.Letter) error {
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(w, "%-9s %s\n", name, visible(l.hide(text)))
		}
	}
	line("record", x.ID+" of "+x.Part.Source.Name())
	line("reason", x.Reason)
	line("element", x.Element)
	line("stage", x.Stage)
	line("exception", x.Exception)
	line("pipeline", x.Pipeline)
	line("origin", x.Origin)
	if !x.Time.IsZero() {
		line("failed", when(x.Time))
	}
	if x.Attempts > 1 {
		line("attempts", strconv.Itoa(x.Attempts))
	}
	if x.Replayed {
		line("replayed", "yes")
	}
	r := &x.Record
	if r.Topic != "" {
		line("topic", fmt.Sprintf("%s, partition %d, offset %d", r.Topic, r.Partition, r.Offset))
	}
	if r.HasTimestamp {
		line("timestamp", r.Timestamp.UTC().Format("2006-01-02T15:04:05.999999999Z"))
	}
	for _, h := range r.Headers {
		text := "null"
		if h.Value != nil {
			text = strconv.QuoteToGraphic(string(h.Value))
		}
		line("header", h.Key+" = "+text)
	}
	style := playground.Style{Pretty: true, Color: a.colored(a.Stdout), Width: a.textWidth()}
	if r.Key != nil {
		if err := writeValue(w, l, style, "key", r.ShownKey()); err != nil {
			return err
		}
	}
	return writeValue(w, l, style, "value", r.Shown())
}

func writeValue(w *bufio.Writer, l *letters, style playground.Style, name string, v record.Value) error {
	if b, err := v.AppendJSON(nil); err == nil && len(b) > 0 {
		if clean := l.hide(string(b)); clean != string(b) {
			v = record.RawJSON([]byte(clean))
		}
	}
	text, err := style.Append(nil, v)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	text = bytes.TrimRight(text, "\n")
	sep := " "
	if bytes.IndexByte(text, '\n') >= 0 {
		sep = "\n"
	}
	_, err = fmt.Fprintf(w, "%-9s%s%s\n", name, sep, text)
	return err
}
