package servers

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// fakeTools puts a JDK and a Maven into the environment that log their calls
// into the file that is returned. Maven "fetches" a.jar with the content a.
func fakeTools(t *testing.T) (calls string) {
	t.Helper()
	home, bin := fakeJava(t, "21.0.1"), t.TempDir()
	calls = filepath.Join(bin, "calls")
	for _, tool := range []string{"sh", "mkdir", "cat"} {
		path, err := exec.LookPath(tool)
		mustDo(t, err)
		mustDo(t, os.Symlink(path, filepath.Join(bin, tool)))
	}
	script := func(path, body string) {
		mustDo(t, os.WriteFile(path, []byte("#!/bin/sh\n"+body), 0o755))
	}
	script(filepath.Join(bin, "mvn"), `echo mvn >> `+calls+`
for a in "$@"; do case $a in -DoutputDirectory=*) mkdir -p "${a#*=}" && printf a > "${a#*=}/a.jar" ;; esac; done
`)
	script(filepath.Join(home, "bin", "javac"), `echo javac >> `+calls+`
for a in "$@"; do case $a in *Bad.java) echo "Bad.java:1: error" >&2; exit 1 ;; esac; done
`)
	script(filepath.Join(home, "bin", "java"), `echo java >> `+calls+`
for a in "$@"; do [ "$a" = Fails ] && { echo "it broke" >&2; exit 3; }; done
echo "$@"
`)
	t.Setenv("PATH", bin)
	t.Setenv("JAVA_HOME", home)
	t.Setenv("FLOW_SERVERS", t.TempDir())
	return calls
}

func called(t *testing.T, calls string) string {
	t.Helper()
	b, err := os.ReadFile(calls)
	if err != nil {
		return ""
	}
	mustDo(t, os.Remove(calls))
	return strings.Join(strings.Fields(string(b)), " ")
}

// A program is built once for what it consists of, and again when that changes
// or is damaged.
func TestBuildProgram(t *testing.T) {
	calls := fakeTools(t)
	source := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		mustDo(t, os.WriteFile(filepath.Join(source, name), []byte(text), 0o600))
	}
	write("pom.xml", "<project/>")
	write("Main.java", "class Main {}")
	write(sumsFile, strings.Repeat("0", 64)+"  a.jar\n")
	_, err := BuildProgram(t.Context(), io.Discard, "p", source)
	mustRefuse(t, err, "a.jar has SHA-256")
	mustRefuse(t, err, filepath.Join(source, sumsFile)+" has not")
	if got := called(t, calls); got != "mvn" {
		t.Errorf("with wrong digests it called %q", got)
	}

	mustDo(t, WriteProgramSums(t.Context(), io.Discard, "p", source))
	sums, err := os.ReadFile(filepath.Join(source, sumsFile))
	mustDo(t, err)
	if want := fmt.Sprintf("%x  a.jar\n", sha256.Sum256([]byte("a"))); string(sums) != want {
		t.Errorf("digests are %q, not %q", sums, want)
	}
	called(t, calls)
	build := func(want string) *Program {
		t.Helper()
		p, err := BuildProgram(t.Context(), io.Discard, "p", source)
		mustDo(t, err)
		if got := called(t, calls); got != want {
			t.Errorf("it called %q, want %q", got, want)
		}
		return p
	}
	first := build("mvn javac")
	build("")
	jar, _, _ := strings.Cut(first.path, string(filepath.ListSeparator))
	mustDo(t, os.WriteFile(jar, []byte("damaged"), 0o600))
	build("mvn javac")
	write("Main.java", "class Main { int changed; }")
	p := build("mvn javac")

	var out bytes.Buffer
	mustDo(t, p.Run(t.Context(), &out, []string{"-Dx=y"}, "Main", "a b"))
	if want := "-Dx=y -cp " + p.path + " Main a b\n"; out.String() != want || !strings.Contains(p.path, "a.jar") {
		t.Errorf("java was called with %q, want %q", out.String(), want)
	}
	mustRefuse(t, p.Run(t.Context(), io.Discard, nil, "Fails"), "it broke")

	write("Bad.java", "class")
	_, err = BuildProgram(t.Context(), io.Discard, "p", source)
	mustRefuse(t, err, "compiling p")
	mustRefuse(t, err, "Bad.java:1: error")
	mustDo(t, os.Remove(filepath.Join(source, "Bad.java")))
	called(t, calls)
	build("") // what was whole before has stayed
	mustDo(t, Clean())
	build("mvn javac")
}
