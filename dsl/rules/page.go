package rules

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// otherFile begins a further file of an example.
var otherFile = regexp.MustCompile(`(?m)^-- (.*) --\n`)

// Markdown is the rule's page.
func (r Rule) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s %s\n\n%s\n\n", r.ID, r.Name, r.Summary)
	fix := ""
	if r.Fixable {
		fix = " · `flow lint --fix` can correct it"
	}
	fmt.Fprintf(&b, "%s · %s%s\n\n%s\n\n", r.Severity, r.Category, fix, strings.TrimSpace(r.Doc))
	fmt.Fprintf(&b, "## Finding\n\n```hcl\n%s```\n\n## Corrected\n\n```hcl\n%s```\n", shownConfig(r.Bad), shownConfig(r.Good))
	if !r.Unignorable() {
		fmt.Fprintf(&b, "\nWhere it is right as it is, a comment on the line or above it hides the finding: `# flow:ignore %s why`.\n", r.ID)
	}
	return b.String()
}

// Index is the table of all rules, for the overview of their pages.
func Index() string {
	var b strings.Builder
	last := Category("")
	for _, r := range All() {
		if r.Category != last {
			fmt.Fprintf(&b, "\n### %s\n\n| rule | name | severity | fix | |\n| --- | --- | --- | --- | --- |\n", r.Category)
			last = r.Category
		}
		fix := ""
		if r.Fixable {
			fix = "yes"
		}
		fmt.Fprintf(&b, "| [%s](%s.md) | %s | %s | %s | %s |\n", r.ID, r.ID, r.Name, r.Severity, fix, strings.ReplaceAll(r.Summary, "|", `\|`))
	}
	return strings.TrimPrefix(b.String(), "\n")
}

// shownConfig is an example as text: what is given beside the config stands as
// comments, and what is no UTF-8 as in a string of Go.
func shownConfig(s string) string {
	if head, rest, archive := strings.Cut(s, "-- main.hcl --\n"); archive {
		for given := range strings.Lines(head) {
			key, value, _ := strings.Cut(strings.TrimSpace(given), ": ")
			if key == "env" {
				rest = "# " + value + " in the environment\n" + rest
			} else {
				rest = "# flow lint --" + key + " " + value + "\n" + rest
			}
		}
		s = otherFile.ReplaceAllString(rest, "\n# $1:\n")
	}
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, `\x%02x`, s[i])
		} else {
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}
