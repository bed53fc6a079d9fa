package servers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// recipe makes one server out of what package registries have. Its files lie
// in testdata/servers/NAME: pom.xml names the jars, SHA256SUMS their digests.
type recipe struct {
	name string
	// revision grows when prepare makes something else of the same files.
	revision int
	// prepare turns dir/lib into a server that can be started, within dir. It
	// says what it does by say.
	prepare func(ctx context.Context, say sayFunc, source, dir string, java jdk) error
}

type sayFunc func(format string, args ...any)

func recipes() []recipe {
	return []recipe{
		{name: "kafka", revision: 1, prepare: prepareKafka},
		{name: "registry", revision: 1, prepare: prepareRegistry},
	}
}

// Names lists the servers that Fetch knows.
func Names() []string {
	var names []string
	for _, r := range recipes() {
		names = append(names, r.name)
	}
	return names
}

func recipeOf(name string) (recipe, error) {
	for _, r := range recipes() {
		if r.name == name {
			return r, nil
		}
	}
	return recipe{}, fmt.Errorf("no server %q, there are: %s", name, strings.Join(Names(), ", "))
}

// Store is the folder into which servers are fetched: $FLOW_SERVERS, or
// flow-servers in the user's cache folder ($XDG_CACHE_HOME or ~/.cache).
func Store() (string, error) {
	if dir := os.Getenv("FLOW_SERVERS"); dir != "" {
		return filepath.Abs(dir)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no folder for fetched servers, set FLOW_SERVERS: %w", err)
	}
	return filepath.Join(cache, "flow-servers"), nil
}

// readyFile is written last into a server's folder: all before it is whole.
const readyFile = "ready"

// find returns the folder of a fetched server.
func find(name string, java jdk) (string, error) {
	r, err := recipeOf(name)
	if err != nil {
		return "", err
	}
	dir, _, err := r.folders(java)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Join(dir, readyFile)); err != nil {
		return "", fmt.Errorf("the server %s was not fetched, or its recipe or the JDK has changed since: run make servers (looked in %s)", name, dir)
	}
	return dir, nil
}

// folders returns where the server lies, by the digest of its recipe and of
// the JDK that prepared it, and where its recipe lies. Checkouts with other
// recipes thus share the store.
func (r recipe) folders(java jdk) (dir, source string, err error) {
	store, err := Store()
	if err != nil {
		return "", "", err
	}
	root, err := moduleRoot()
	if err != nil {
		return "", "", err
	}
	source = filepath.Join(root, "testdata", "servers", r.name)
	files, err := os.ReadDir(source)
	if err != nil {
		return "", "", fmt.Errorf("reading the recipe of %s: %w", r.name, err)
	}
	h := sha256.New()
	fmt.Fprintf(h, "%d\n%s\n%s\n", r.revision, java.home, java.version)
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(source, f.Name()))
		if err != nil {
			return "", "", fmt.Errorf("reading the recipe of %s: %w", r.name, err)
		}
		fmt.Fprintf(h, "%s %x\n", f.Name(), sha256.Sum256(data))
	}
	return filepath.Join(store, r.name, hex.EncodeToString(h.Sum(nil))[:16]), source, nil
}

// moduleRoot is the nearest folder upwards that holds a go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("no go.mod upwards of the working folder: servers are started from within the checkout only")
		}
		dir = up
	}
}

// Fetch brings the named servers into the store, all if none is named. What is
// there and whole is left as it is. Several processes may call it at once.
func Fetch(ctx context.Context, out io.Writer, names ...string) error {
	if len(names) == 0 {
		names = Names()
	}
	for _, name := range names {
		r, err := recipeOf(name)
		if err != nil {
			return err
		}
		begin := time.Now()
		say := func(format string, args ...any) {
			fmt.Fprintf(out, "%s: %s (%.1fs)\n", name, fmt.Sprintf(format, args...), time.Since(begin).Seconds())
		}
		if err := r.fetch(ctx, say); err != nil {
			return fmt.Errorf("fetching %s: %w", name, err)
		}
	}
	return nil
}

func (r recipe) fetch(ctx context.Context, say sayFunc) error {
	java, err := requireJDK(ctx, say)
	if err != nil {
		return err
	}
	dir, source, err := r.folders(java)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	unlock, err := lockFile(dir+".lock", func() { say("another process fetches it, waiting") })
	if err != nil {
		return err
	}
	defer unlock()
	lib := filepath.Join(dir, "lib")
	if _, err := os.Stat(filepath.Join(dir, readyFile)); err == nil {
		bad := verify(lib, filepath.Join(source, sumsFile))
		if bad == nil {
			say("ready in %s", dir)
			return nil
		}
		say("fetching again: %v", bad)
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := fetchJars(ctx, say, source, lib); err != nil {
		return err
	}
	if err := verify(lib, filepath.Join(source, sumsFile)); err != nil {
		return fmt.Errorf("%w: either the download or Maven's own store is damaged (remove the file from Maven's store, ~/.m2 by default, and run make servers again), or the versions have changed and testdata/servers/%s/%s has not", err, r.name, sumsFile)
	}
	say("%s holds, preparing", sumsFile)
	if err := r.prepare(ctx, say, source, dir, java); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, readyFile), nil, 0o644); err != nil {
		return err
	}
	say("ready in %s", dir)
	return nil
}

// Clean removes what was fetched, of all checkouts.
func Clean() error {
	store, err := Store()
	if err != nil {
		return err
	}
	for _, name := range append(Names(), programsDir) {
		if err := os.RemoveAll(filepath.Join(store, name)); err != nil {
			return err
		}
	}
	if err := os.Remove(store); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil // it holds something that is not ours
	}
	return nil
}

const sumsFile = "SHA256SUMS"

// verify compares the files of dir with a list of digests and names what is
// missing, too much or different.
func verify(dir, list string) error {
	want, err := readSums(list)
	if err != nil {
		return err
	}
	got, err := sums(dir)
	if err != nil {
		return err
	}
	var errs []string
	for name, sum := range want {
		switch has := got[name]; has {
		case sum:
		case "":
			errs = append(errs, name+" is missing")
		default:
			errs = append(errs, fmt.Sprintf("%s has SHA-256 %s, not %s", name, has, sum))
		}
	}
	for name := range got {
		if want[name] == "" {
			errs = append(errs, name+" is not in the list")
		}
	}
	if len(errs) == 0 {
		return nil
	}
	slices.Sort(errs)
	return errors.New(strings.Join(errs, ", "))
}

// readSums reads lines as sha256sum writes them.
func readSums(path string) (map[string]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading digests: %w", err)
	}
	list := map[string]string{}
	for line := range strings.Lines(string(data)) {
		sum, name, ok := strings.Cut(strings.TrimRight(line, "\n"), "  ")
		if !ok || len(sum) != 2*sha256.Size || name == "" {
			return nil, fmt.Errorf("%s: %q is not a digest, two spaces and a name", path, line)
		}
		list[name] = sum
	}
	return list, nil
}

func sums(dir string) (map[string]string, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", dir, err)
	}
	list := map[string]string{}
	for _, f := range files {
		sum, err := sumOf(filepath.Join(dir, f.Name()))
		if err != nil {
			return nil, err
		}
		list[f.Name()] = sum
	}
	return list, nil
}

func sumOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("reading %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// WriteSums fetches the jars that a recipe's pom.xml names and writes their
// digests into the recipe, for who changes a version and has compared them
// with those that the registry publishes.
func WriteSums(ctx context.Context, out io.Writer, name string) error {
	r, err := recipeOf(name)
	if err != nil {
		return err
	}
	say := func(format string, args ...any) { fmt.Fprintf(out, "%s: %s\n", name, fmt.Sprintf(format, args...)) }
	java, err := requireJDK(ctx, say)
	if err != nil {
		return err
	}
	_, source, err := r.folders(java)
	if err != nil {
		return err
	}
	return writeSums(ctx, say, source)
}

func writeSums(ctx context.Context, say sayFunc, source string) error {
	tmp, err := os.MkdirTemp("", "flow-servers-sums")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := fetchJars(ctx, say, source, filepath.Join(tmp, "lib")); err != nil {
		return err
	}
	list, err := sums(filepath.Join(tmp, "lib"))
	if err != nil {
		return err
	}
	var lines []string
	for file, sum := range list {
		lines = append(lines, sum+"  "+file+"\n")
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[2*sha256.Size:], b[2*sha256.Size:]) })
	return os.WriteFile(filepath.Join(source, sumsFile), []byte(strings.Join(lines, "")), 0o644)
}
