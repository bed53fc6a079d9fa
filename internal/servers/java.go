package servers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// minJava is the oldest Java that Kafka's broker runs on.
const minJava = 17

// jdk is an installed Java.
type jdk struct {
	home    string
	version string
}

func (j jdk) tool(name string) string { return filepath.Join(j.home, "bin", name) }

// findJDK finds Java by JAVA_HOME and the path.
func findJDK(ctx context.Context) (jdk, error) {
	var tried []string
	for _, java := range []string{filepath.Join(os.Getenv("JAVA_HOME"), "bin", "java"), "java"} {
		path, err := exec.LookPath(java)
		if err != nil {
			continue
		}
		j, err := identify(ctx, path)
		if err != nil {
			tried = append(tried, fmt.Sprintf("%s: %v", path, err))
			continue
		}
		major, err := majorOf(j.version)
		switch {
		case err != nil:
			tried = append(tried, fmt.Sprintf("%s: %v", path, err))
		case major < minJava:
			tried = append(tried, fmt.Sprintf("%s is version %s", path, j.version))
		default:
			return j, nil
		}
	}
	if len(tried) == 0 {
		return jdk{}, errors.New("no java in JAVA_HOME or the path")
	}
	return jdk{}, errors.New(strings.Join(tried, "; "))
}

var javaProperty = regexp.MustCompile(`(?m)^\s*(java\.home|java\.version) = (.*?)\s*$`)

// identify finds the home of a java. The file "release" says it without the
// start of a JVM, which every test process would pay for; launchers that are
// no links need the JVM's own word.
func identify(ctx context.Context, java string) (jdk, error) {
	if real, err := filepath.EvalSymlinks(java); err == nil {
		home := filepath.Dir(filepath.Dir(real))
		data, err := os.ReadFile(filepath.Join(home, "release"))
		if err == nil {
			for line := range strings.Lines(string(data)) {
				if v, ok := strings.CutPrefix(strings.TrimSpace(line), "JAVA_VERSION="); ok {
					return jdk{home: home, version: strings.Trim(v, `"`)}, nil
				}
			}
		}
	}
	out, err := exec.CommandContext(ctx, java, "-XshowSettings:properties", "-version").CombinedOutput()
	if err != nil {
		return jdk{}, fmt.Errorf("asking for its version: %w", err)
	}
	var j jdk
	for _, m := range javaProperty.FindAllStringSubmatch(string(out), -1) {
		if m[1] == "java.home" {
			j.home = m[2]
		} else {
			j.version = m[2]
		}
	}
	if j.home == "" || j.version == "" {
		return jdk{}, errors.New("it does not say its home and version")
	}
	return j, nil
}

// majorOf reads 17 of 17.0.15, 8 of 1.8.0_292 and 26 of 26-ea.
func majorOf(version string) (int, error) {
	v := strings.TrimPrefix(version, "1.")
	end := strings.IndexFunc(v, func(r rune) bool { return r < '0' || r > '9' })
	if end >= 0 {
		v = v[:end]
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		return 0, fmt.Errorf("version %q is not understood", version)
	}
	return n, nil
}

// requireJDK finds a JDK with its compiler, and installs one if it may.
func requireJDK(ctx context.Context, say sayFunc) (jdk, error) {
	look := func() (jdk, error) {
		j, err := findJDK(ctx)
		if err != nil {
			return j, err
		}
		if _, err := os.Stat(j.tool("javac")); err != nil {
			return j, fmt.Errorf("%s has no javac: it is a runtime only", j.home)
		}
		return j, nil
	}
	j, missing := look()
	if missing == nil {
		return j, nil
	}
	say("no JDK: %v", missing)
	if err := install(ctx, say, "default-jdk-headless"); err != nil {
		return jdk{}, fmt.Errorf("a JDK of version %d or newer is needed (%w), and it could not be installed: %w\n%s", minJava, missing, err,
			hint("default-jdk-headless", "java-latest-openjdk-devel", "openjdk"))
	}
	if j, missing = look(); missing != nil {
		return jdk{}, fmt.Errorf("a JDK of version %d or newer is needed, and what was installed is none: %w", minJava, missing)
	}
	return j, nil
}

// requireMaven finds mvn, and installs it if it may.
func requireMaven(ctx context.Context, say sayFunc) (string, error) {
	mvn, missing := exec.LookPath("mvn")
	if missing == nil {
		return mvn, nil
	}
	say("no Maven: %v", missing)
	if err := install(ctx, say, "maven"); err != nil {
		return "", fmt.Errorf("mvn (Maven) is needed to fetch jars, and it could not be installed: %w\n%s", err, hint("maven", "maven", "maven"))
	}
	return exec.LookPath("mvn")
}

// hint tells how a person installs something.
func hint(debian, fedora, brew string) string {
	return fmt.Sprintf("Install it and run make servers again:\n  Debian, Ubuntu  sudo apt-get install %s\n  Fedora          sudo dnf install %s\n  macOS           brew install %s\nTests without real servers: make test-fast", debian, fedora, brew)
}

// install installs packages of the system where that asks nobody: as root,
// with apt.
func install(ctx context.Context, say sayFunc, packages ...string) error {
	apt, err := exec.LookPath("apt-get")
	if err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		return errors.New("only root may install packages")
	}
	say("installing %s", strings.Join(packages, " "))
	run := func(args ...string) error {
		cmd := exec.CommandContext(ctx, apt, args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, tail(string(out), 10))
		}
		return nil
	}
	args := slices.Concat([]string{"install", "-y", "-q", "--no-install-recommends"}, packages)
	if run(args...) == nil {
		return nil
	}
	// A fresh machine has no lists of packages, an old one has stale ones.
	if err := run("update", "-q"); err != nil {
		return err
	}
	return run(args...)
}

const dependencyPlugin = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"

// fetchJars copies the jars that a recipe's pom.xml names, and all that they
// need, into lib. Maven's own settings say from where.
func fetchJars(ctx context.Context, say sayFunc, source, lib string) error {
	mvn, err := requireMaven(ctx, say)
	if err != nil {
		return err
	}
	say("fetching jars with Maven")
	cmd := exec.CommandContext(ctx, mvn, "-q", "-B", "-f", filepath.Join(source, "pom.xml"), dependencyPlugin,
		"-DoutputDirectory="+lib, "-DincludeScope=runtime")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s\nIs Maven's registry reachable? A mirror or a proxy is set in ~/.m2/settings.xml", strings.Join(cmd.Args, " "), err, tail(string(out), 15))
	}
	return nil
}

// tail returns the last n lines of a text.
func tail(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
