package servers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// programsDir is the folder of the store for programs of tests.
const programsDir = "programs"

// Program is a Java program of the project's own that a test tool runs: sources
// beside a pom.xml that names the jars they need and a SHA256SUMS of these.
type Program struct {
	name string
	java jdk
	path string // the class path
}

// BuildProgram fetches the jars of the program whose sources lie in a folder,
// checks them by their digests and compiles the sources. What an earlier call
// has built is used again as long as sources, jars and JDK are the same. It
// says on out what takes long.
func BuildProgram(ctx context.Context, out io.Writer, name, source string) (*Program, error) {
	begin := time.Now()
	say := func(format string, args ...any) {
		fmt.Fprintf(out, "%s: %s (%.1fs)\n", name, fmt.Sprintf(format, args...), time.Since(begin).Seconds())
	}
	source, err := filepath.Abs(source) // javac runs elsewhere
	if err != nil {
		return nil, err
	}
	java, err := requireJDK(ctx, say)
	if err != nil {
		return nil, err
	}
	store, err := Store()
	if err != nil {
		return nil, err
	}
	digest, err := digestOf(source, java)
	if err != nil {
		return nil, fmt.Errorf("reading the sources of %s: %w", name, err)
	}
	dir := filepath.Join(store, programsDir, name, digest)
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return nil, err
	}
	unlock, err := lockFile(dir+".lock", func() { say("another process builds it, waiting") })
	if err != nil {
		return nil, err
	}
	defer unlock()
	lib, classes := filepath.Join(dir, "lib"), filepath.Join(dir, "classes")
	jars, err := jarsOf(lib)
	if err != nil {
		return nil, err
	}
	p := &Program{name: name, java: java, path: strings.Join(append(jars, classes), string(filepath.ListSeparator))}
	if _, err := os.Stat(filepath.Join(dir, readyFile)); err == nil && verify(lib, filepath.Join(source, sumsFile)) == nil {
		return p, nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	if err := fetchJars(ctx, say, source, lib); err != nil {
		return nil, err
	}
	if err := verify(lib, filepath.Join(source, sumsFile)); err != nil {
		return nil, fmt.Errorf("the jars of %s: %w: either the download or Maven's own store is damaged (remove the file from Maven's store, ~/.m2 by default, and run it again), or the versions have changed and %s has not", name, err, filepath.Join(source, sumsFile))
	}
	say("%s holds, compiling", sumsFile)
	sources, err := filepath.Glob(filepath.Join(source, "*.java"))
	if err != nil {
		return nil, err
	}
	args := slices.Concat([]string{"-nowarn", "-XDsuppressNotes", "-proc:none", "-cp", filepath.Join(lib, "*"), "-d", classes}, sources)
	if err := command(ctx, dir, java.tool("javac"), args...); err != nil {
		return nil, fmt.Errorf("compiling %s: %w", name, err)
	}
	if jars, err = jarsOf(lib); err != nil {
		return nil, err
	}
	p.path = strings.Join(append(jars, classes), string(filepath.ListSeparator))
	return p, os.WriteFile(filepath.Join(dir, readyFile), nil, 0o644)
}

func jarsOf(lib string) ([]string, error) { return filepath.Glob(filepath.Join(lib, "*.jar")) }

// digestOf is the digest of a program's files and of the JDK that compiles it.
func digestOf(source string, java jdk) (string, error) {
	list, err := sums(source)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n", java.home, java.version)
	var names []string
	for name := range list {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(h, "%s %s\n", name, list[name])
	}
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

// Run runs a main class to its end. What it prints goes to out; if it fails,
// the error has the end of what it said.
func (p *Program) Run(ctx context.Context, out io.Writer, jvm []string, main string, args ...string) error {
	cmd := exec.CommandContext(ctx, p.java.tool("java"), slices.Concat(jvm, []string{"-cp", p.path, main}, args)...)
	var stderr strings.Builder
	cmd.Stdout, cmd.Stderr = out, &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return errors.Join(ctx.Err(), err)
		}
		return fmt.Errorf("%s: %w\n%s", p.name, err, tail(stderr.String(), 25))
	}
	return nil
}

// WriteProgramSums fetches the jars that a program's pom.xml names and writes
// their digests beside it, for who changes a version.
func WriteProgramSums(ctx context.Context, out io.Writer, name, source string) error {
	return writeSums(ctx, func(format string, args ...any) { fmt.Fprintf(out, "%s: %s\n", name, fmt.Sprintf(format, args...)) }, source)
}
