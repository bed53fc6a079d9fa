package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/flowrecords/flow/connections"
	"github.com/flowrecords/flow/converters"
	"github.com/flowrecords/flow/dsl/reference"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/inputs"
	"github.com/flowrecords/flow/outputs"
	"github.com/flowrecords/flow/processors"
)

func ownReference(t *testing.T) *reference.Reference {
	t.Helper()
	registry, err := engine.NewRegistry(engine.Components{
		Inputs: inputs.All(), Processors: processors.All(), Outputs: outputs.All(),
		Converters: converters.All(), Connections: connections.All(),
	})
	if err != nil {
		t.Fatal(err)
	}
	ref, err := reference.New(registry)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// generated compares a file of docs/ with what it is made of, or writes it.
func generated(t *testing.T, name string, want []byte) {
	t.Helper()
	path := filepath.Join("../../docs", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("docs/%s is stale: make docs writes it anew", name)
	}
}

// TestDocsComponents keeps the pages of the components equal to what they
// declare, and finds those of components that are no more.
func TestDocsComponents(t *testing.T) {
	t.Parallel()
	pages := ownReference(t).Pages()
	for name, text := range pages {
		generated(t, "components/"+name, []byte(text))
	}
	there, err := filepath.Glob("../../docs/components/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range there {
		if _, ok := pages[filepath.Base(path)]; ok {
			continue
		}
		if *update {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			continue
		}
		t.Errorf("%s is of no component", path)
	}
}

// TestDocsSchema keeps the schema for editors equal to the language.
func TestDocsSchema(t *testing.T) {
	t.Parallel()
	schema, err := ownReference(t).Schema()
	if err != nil {
		t.Fatal(err)
	}
	generated(t, "flow.schema.json", schema)
}

// TestDocsManPage keeps the manual page equal to the commands and renders it
// where there is a program for that.
func TestDocsManPage(t *testing.T) {
	t.Parallel()
	page, err := exec.Command(flowCommand(t), "man").Output()
	if err != nil {
		t.Fatal(err)
	}
	generated(t, "man/flow.1", page)
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Skip("no groff: the page is not rendered")
	}
	c := exec.Command(groff, "-man", "-Tutf8", "-ww", "-rLL=80n", "-rF=0")
	c.Stdin = bytes.NewReader(page)
	var text, complaints bytes.Buffer
	c.Stdout, c.Stderr = &text, &complaints
	if err := c.Run(); err != nil || complaints.Len() > 0 {
		t.Errorf("groff: %v: %s", err, complaints.String())
	}
	// Bold and underlined text is written over itself, or in colors.
	plain := regexp.MustCompile(".\b|\x1b\\[[0-9;]*m").ReplaceAllString(text.String(), "")
	for _, want := range []string{"NAME", "SYNOPSIS", "EXIT STATUS", "flow run FILE|DIR...", "--metrics-addr", "FLOW_VAR_NAME"} {
		if !strings.Contains(plain, want) {
			t.Errorf("the rendered page has no %q", want)
		}
	}
	for line := range strings.SplitSeq(plain, "\n") {
		if len([]rune(line)) > 80 {
			t.Errorf("a rendered line is wider than 80: %q", line)
		}
	}
}

var (
	mdLink    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	mdHeading = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	mdCode    = regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
	notInLink = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// TestDocsLinks: a link of the docs to another page, or to a heading, leads
// somewhere.
func TestDocsLinks(t *testing.T) {
	t.Parallel()
	if *update {
		t.Skip("pages are being written")
	}
	var files []string
	for _, pattern := range []string{"../../*.md", "../../docs/*.md", "../../docs/*/*.md"} {
		more, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, more...)
	}
	links := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range mdLink.FindAllStringSubmatch(mdCode.ReplaceAllString(string(text), ""), -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			links++
			path, heading, _ := strings.Cut(m[1], "#")
			target := file
			if path != "" {
				target = filepath.Join(filepath.Dir(file), path)
			}
			linked, err := os.ReadFile(target)
			if info, statErr := os.Stat(target); statErr == nil && info.IsDir() && heading == "" {
				continue
			}
			if err != nil {
				t.Errorf("%s: the link %s leads nowhere", file, m[1])
				continue
			}
			if heading != "" && !hasHeading(string(linked), heading) {
				t.Errorf("%s: the link %s leads to no heading", file, m[1])
			}
		}
	}
	if links < 50 {
		t.Errorf("only %d links found", links)
	}
}

func hasHeading(text, anchor string) bool {
	for _, m := range mdHeading.FindAllStringSubmatch(text, -1) {
		slug := strings.ReplaceAll(notInLink.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")
		if slug == strings.ToLower(anchor) {
			return true
		}
	}
	return false
}
