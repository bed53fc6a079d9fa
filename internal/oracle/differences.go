package oracle

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Difference is a pattern of names of cases whose answer is not Java's, from a
// table for people: each row begins with patterns in back ticks, in which *
// stands for anything, and goes on with the reason and how to get the other
// behaviour.
type Difference struct {
	Pattern string
	Used    int // how many cases it was needed for; the caller counts
	match   *regexp.Regexp
}

// Match reports whether the pattern is of that name.
func (d *Difference) Match(name string) bool { return d.match.MatchString(name) }

var ticked = regexp.MustCompile("`([^`]+)`")

// ParseDifferences reads the rows of Markdown tables. A row without a reason or
// without a remedy is an error, and so is a text without rows.
func ParseDifferences(text []byte) ([]*Difference, error) {
	var out []*Difference
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) < 5 || !strings.Contains(cells[1], "`") {
			continue
		}
		if strings.TrimSpace(cells[2]) == "" || strings.TrimSpace(cells[3]) == "" {
			return nil, fmt.Errorf("%s: a row needs a reason and how to get the other behaviour", cells[1])
		}
		for _, m := range ticked.FindAllStringSubmatch(cells[1], -1) {
			glob := strings.ReplaceAll(regexp.QuoteMeta(m[1]), `\*`, `.*`)
			out = append(out, &Difference{Pattern: m[1], match: regexp.MustCompile("^" + glob + "$")})
		}
	}
	if len(out) == 0 {
		return nil, errors.New("no differences are listed: this is not the table")
	}
	return out, nil
}
