package explain_test

import (
	"regexp"
	"strings"
	"testing"
)

// dotStatement is what a line of the DOT that is written may be.
var dotStatement = regexp.MustCompile(`^\s*(?:digraph flow \{|subgraph cluster_\w+ \{|\}|` +
	`(?:\w+=(?:\w+|"(?:[^"\\]|\\["\\n])*");)|` +
	`(\w+)(?: -> (\w+))?(?: \[(?:\w+=(?:\w+|"(?:[^"\\]|\\["\\n])*")(?:, )?)+\])?;)$`)

// checkDOT reads the subset of DOT that is written: each statement stands on
// one line, texts are closed, blocks are balanced, and every end of an arrow
// is a node.
func checkDOT(t *testing.T, text string) {
	t.Helper()
	depth, nodes := 0, map[string]bool{"node": true, "edge": true}
	var ends []string
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		m := dotStatement.FindStringSubmatch(line)
		switch {
		case m == nil:
			t.Errorf("no statement of DOT: %s", line)
		case strings.HasSuffix(line, "{"):
			depth++
		case strings.TrimSpace(line) == "}":
			depth--
		case m[2] != "":
			ends = append(ends, m[1], m[2])
		case m[1] != "":
			nodes[m[1]] = true
		}
		if depth < 0 {
			t.Errorf("a block ends twice: %s", line)
		}
	}
	if depth != 0 {
		t.Errorf("%d blocks are open", depth)
	}
	for _, n := range ends {
		if !nodes[n] {
			t.Errorf("an arrow ends at %s, which is no node", n)
		}
	}
}

const mermaidString = `"(?:[^"&<>#;` + "`" + `]|#[0-9]+;|<br/>)*"`

var (
	mermaidNode  = regexp.MustCompile(`^(\w+)(?:\[` + mermaidString + `\]|\(\[` + mermaidString + `\]\)|\[\(` + mermaidString + `\)\])$`)
	mermaidGroup = regexp.MustCompile(`^subgraph (\w+) \[` + mermaidString + `\]$`)
	mermaidLink  = regexp.MustCompile(`^(\w+) (?:-->|-- ` + mermaidString + ` -->|-\. ` + mermaidString + ` \.->) (\w+)$`)
)

// checkMermaid reads the subset of Mermaid that is written.
func checkMermaid(t *testing.T, text string) {
	t.Helper()
	head, rest, _ := strings.Cut(strings.TrimSuffix(text, "\n"), "\n")
	if head != "flowchart LR" {
		t.Errorf("begins with %q", head)
	}
	depth, nodes := 0, map[string]bool{}
	var ends []string
	for line := range strings.SplitSeq(rest, "\n") {
		line = strings.TrimSpace(line)
		if m := mermaidGroup.FindStringSubmatch(line); m != nil {
			depth++
			nodes[m[1]] = true
		} else if line == "end" {
			depth--
		} else if m := mermaidLink.FindStringSubmatch(line); m != nil {
			ends = append(ends, m[1], m[2])
		} else if m := mermaidNode.FindStringSubmatch(line); m != nil {
			nodes[m[1]] = true
		} else {
			t.Errorf("no statement of Mermaid: %s", line)
		}
		if depth < 0 {
			t.Errorf("a block ends twice")
		}
	}
	if depth != 0 {
		t.Errorf("%d blocks are open", depth)
	}
	for _, n := range ends {
		if !nodes[n] {
			t.Errorf("an arrow ends at %s, which is no node", n)
		}
	}
}

// TestCheckers: the readers above find what they are for.
func TestCheckers(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"digraph flow {\n  a -> b;\n}\n", "digraph flow {\n", "digraph flow {\n  a [label=\"x\"y\"];\n}\n", "digraph flow {\n  a [label=\"x\\q\"];\n}\n"} {
		probe := &testing.T{}
		checkDOT(probe, bad)
		if !probe.Failed() {
			t.Errorf("taken for good DOT: %q", bad)
		}
	}
	for _, bad := range []string{"flowchart LR\n  a --> b\n", "flowchart LR\n  subgraph a [\"x\"]\n", "flowchart LR\n  a[\"x\"y\"]\n", "flowchart LR\n  a[\"<b>\"]\n", "graph\n  a[\"x\"]\n"} {
		probe := &testing.T{}
		checkMermaid(probe, bad)
		if !probe.Failed() {
			t.Errorf("taken for good Mermaid: %q", bad)
		}
	}
}
