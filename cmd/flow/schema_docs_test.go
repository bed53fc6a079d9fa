package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	docFile    = regexp.MustCompile("(?s)<!-- (\\S+) -->\n```\\w+\n(.*?)```")
	docSession = regexp.MustCompile("(?s)```console\n(.*?)```")
)

// TestDocsSchemas: what docs/schemas.md shows is what comes out. The files are
// those that it names in a comment or shows with cat.
func TestDocsSchemas(t *testing.T) {
	t.Parallel()
	const page = "../../docs/schemas.md"
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	dir, text := t.TempDir(), string(data)
	for _, m := range docFile.FindAllStringSubmatch(text, -1) {
		write(t, filepath.Join(dir, m[1]), m[2])
	}
	commands := 0
	for _, m := range docSession.FindAllStringSubmatch(text, -1) {
		var is strings.Builder
		for _, part := range strings.Split("\n"+m[1], "\n$ ")[1:] {
			command, shown, _ := strings.Cut(part, "\n")
			is.WriteString("$ " + command + "\n")
			if name, ok := strings.CutPrefix(command, "cat "); ok {
				write(t, filepath.Join(dir, name), strings.TrimSuffix(shown, "\n")+"\n")
			}
			c := exec.Command("sh", "-c", command)
			c.Dir = dir
			c.Env = append(os.Environ(), "COLUMNS=80", "PATH="+filepath.Dir(flowCommand(t))+":"+os.Getenv("PATH"))
			out, _ := c.CombinedOutput() // it may be to fail
			is.Write(out)
			commands++
		}
		if m[1] == is.String() {
			continue
		}
		if !*update {
			t.Errorf("%s is stale: run this test with -update. It shows\n%s\nit is\n%s", page, m[1], &is)
		}
		text = strings.Replace(text, m[0], "```console\n"+is.String()+"```", 1)
	}
	if commands < 4 {
		t.Errorf("%d commands", commands)
	}
	if *update {
		write(t, page, text)
	}
}
