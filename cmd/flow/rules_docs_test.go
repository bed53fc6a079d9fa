package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/flowrecords/flow/dsl/rules"
)

const rulesDir = "../../docs/rules"

// TestDocsRules keeps the pages of the rules and their overview equal to the
// catalogue.
func TestDocsRules(t *testing.T) {
	t.Parallel()
	pages := map[string]string{"README.md": rulesOverview(t)}
	for _, r := range rules.All() {
		pages[string(r.ID)+".md"] = "<!-- Made of the catalogue of rules: make docs -->\n" + r.Markdown()
	}
	old, err := os.ReadDir(rulesDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range old {
		if pages[e.Name()] != "" {
			continue
		}
		if !*update {
			t.Errorf("docs/rules/%s is the page of no rule", e.Name())
		} else if err := os.Remove(filepath.Join(rulesDir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range pages {
		if *update {
			write(t, filepath.Join(rulesDir, name), want)
			continue
		}
		if got, err := os.ReadFile(filepath.Join(rulesDir, name)); err != nil || string(got) != want {
			t.Errorf("docs/rules/%s is not what the catalogue says; make docs writes it anew", name)
		}
	}
}

// rulesOverview is the overview with the table of rules of today.
func rulesOverview(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(rulesDir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- rules -->\n", "<!-- /rules -->\n"
	head, rest, ok := strings.Cut(string(page), begin)
	_, tail, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatal("docs/rules/README.md has no place for the rules")
	}
	return head + begin + rules.Index() + end + tail
}

var ruleID = regexp.MustCompile(`\bFL\d{4}\b`)

// TestDocsNameRules: a rule that the docs speak of exists.
func TestDocsNameRules(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, filepath.Join(rulesDir, "README.md"), "../../README.md", "../../CHANGELOG.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range ruleID.FindAllString(string(text), -1) {
			if _, ok := rules.Lookup(id); !ok {
				t.Errorf("%s speaks of %s", file, id)
			}
		}
	}
}
