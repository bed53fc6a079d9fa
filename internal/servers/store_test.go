package servers

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestVerify(t *testing.T) {
	t.Parallel()
	const ofA = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb" // SHA-256 of "a"
	for _, test := range []struct {
		name, list string
		files      []string
		want       string
	}{
		{"as listed", ofA + "  a.jar\n", []string{"a.jar"}, ""},
		{"missing", ofA + "  a.jar\n" + ofA + "  b.jar\n", []string{"a.jar"}, "b.jar is missing"},
		{"too much", ofA + "  a.jar\n", []string{"a.jar", "b.jar"}, "b.jar is not in the list"},
		{"different", strings.Repeat("0", 64) + "  a.jar\n", []string{"a.jar"}, "a.jar has SHA-256 " + ofA},
		{"no list", "a.jar\n", []string{"a.jar"}, "is not a digest"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			list, dir := filepath.Join(t.TempDir(), sumsFile), t.TempDir()
			mustDo(t, os.WriteFile(list, []byte(test.list), 0o600))
			for _, f := range test.files {
				mustDo(t, os.WriteFile(filepath.Join(dir, f), []byte("a"), 0o600))
			}
			err := verify(dir, list)
			if test.want == "" {
				mustDo(t, err)
				return
			}
			mustRefuse(t, err, test.want)
		})
	}
}

func TestMajorOf(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]int{"17.0.15": 17, "21": 21, "1.8.0_292": 8, "26-ea": 26, "25.0.2+10": 25} {
		if got, err := majorOf(version); err != nil || got != want {
			t.Errorf("%s: %d, %v", version, got, err)
		}
	}
	if _, err := majorOf("x"); err == nil {
		t.Error("x is a version")
	}
}

// fakeJava writes a JDK that says a version by its file release.
func fakeJava(t *testing.T, version string) string {
	t.Helper()
	home := t.TempDir()
	mustDo(t, os.MkdirAll(filepath.Join(home, "bin"), 0o755))
	mustDo(t, os.WriteFile(filepath.Join(home, "bin", "java"), []byte("#!/bin/sh\nexit 1\n"), 0o755))
	mustDo(t, os.WriteFile(filepath.Join(home, "release"), []byte("IMPLEMENTOR=\"x\"\nJAVA_VERSION=\""+version+"\"\n"), 0o600))
	return home
}

func TestFindJDK(t *testing.T) {
	ctx := t.Context()
	t.Setenv("PATH", t.TempDir())
	t.Setenv("JAVA_HOME", "")
	_, err := findJDK(ctx)
	mustRefuse(t, err, "no java in JAVA_HOME or the path")

	t.Setenv("JAVA_HOME", fakeJava(t, "11.0.2"))
	_, err = findJDK(ctx)
	mustRefuse(t, err, "is version 11.0.2")

	newer := fakeJava(t, "21.0.1")
	t.Setenv("PATH", filepath.Join(newer, "bin"))
	got, err := findJDK(ctx)
	mustDo(t, err)
	if real, _ := filepath.EvalSymlinks(newer); got.home != real || got.version != "21.0.1" {
		t.Errorf("found %+v", got)
	}
}

func TestIdentifyAsksTheJVM(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "java")
	mustDo(t, os.WriteFile(path, []byte("#!/bin/sh\necho 'Property settings:' >&2\necho '    java.home = /x/y' >&2\necho '    java.version = 18.0.1' >&2\n"), 0o755))
	var got jdk
	// A test that forks meanwhile may hold the file open for writing.
	eventually(t, func(ctx context.Context) (err error) {
		got, err = identify(ctx, path)
		return err
	})
	if got != (jdk{home: "/x/y", version: "18.0.1"}) {
		t.Errorf("identified %+v", got)
	}
}

func TestNotFetched(t *testing.T) {
	t.Setenv("FLOW_SERVERS", t.TempDir())
	t.Setenv("JAVA_HOME", fakeJava(t, "17.0.1"))
	_, err := StartKafka(t.Context(), KafkaOptions{})
	mustRefuse(t, err, "run make servers")

	t.Setenv("JAVA_HOME", "")
	t.Setenv("PATH", t.TempDir())
	_, err = StartKafka(t.Context(), KafkaOptions{})
	mustRefuse(t, err, "run make servers")
	mustRefuse(t, err, "no java")
}

func TestFetchNamesWhatIsMissing(t *testing.T) {
	t.Setenv("FLOW_SERVERS", t.TempDir())
	t.Setenv("JAVA_HOME", "")
	t.Setenv("PATH", t.TempDir()) // neither java nor mvn nor apt-get
	var out bytes.Buffer
	err := Fetch(t.Context(), &out, "kafka")
	mustRefuse(t, err, "a JDK of version 17 or newer is needed")
	mustRefuse(t, err, "sudo apt-get install default-jdk-headless")

	home := fakeJava(t, "17.0.1")
	t.Setenv("JAVA_HOME", home)
	mustRefuse(t, Fetch(t.Context(), &out, "kafka"), "has no javac")

	mustDo(t, os.WriteFile(filepath.Join(home, "bin", "javac"), nil, 0o755))
	err = Fetch(t.Context(), &out, "kafka")
	mustRefuse(t, err, "mvn (Maven) is needed")
	mustRefuse(t, err, "sudo apt-get install maven")

	mustRefuse(t, Fetch(t.Context(), &out, "nothing"), `no server "nothing", there are: kafka`)
}

// TestFetchInstalls lets a false apt-get install a false Maven whose download
// has the wrong content.
func TestFetchInstalls(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root installs")
	}
	bin, home, store := t.TempDir(), fakeJava(t, "17.0.1"), t.TempDir()
	mustDo(t, os.WriteFile(filepath.Join(home, "bin", "javac"), nil, 0o755))
	for _, tool := range []string{"sh", "cat", "chmod", "mkdir", "grep"} {
		path, err := exec.LookPath(tool)
		mustDo(t, err)
		mustDo(t, os.Symlink(path, filepath.Join(bin, tool)))
	}
	// It knows no package before "update", as on a fresh machine.
	apt := `#!/bin/sh
echo "$@" >> ` + bin + `/calls
case $1 in
update) exit 0 ;;
esac
grep -q update ` + bin + `/calls || exit 100
cat > ` + bin + `/mvn <<'X'
#!/bin/sh
for a in "$@"; do case $a in -DoutputDirectory=*) mkdir -p "${a#*=}" && echo x > "${a#*=}/evil.jar" ;; esac; done
X
chmod +x ` + bin + `/mvn
`
	mustDo(t, os.WriteFile(filepath.Join(bin, "apt-get"), []byte(apt), 0o755))
	t.Setenv("PATH", bin)
	t.Setenv("JAVA_HOME", home)
	t.Setenv("FLOW_SERVERS", store)
	var out bytes.Buffer
	err := Fetch(t.Context(), &out, "kafka")
	mustRefuse(t, err, "evil.jar is not in the list")
	mustRefuse(t, err, "kafka_2.13-4.3.1.jar is missing")
	calls, err := os.ReadFile(filepath.Join(bin, "calls"))
	mustDo(t, err)
	install := "install -y -q --no-install-recommends maven\n"
	if string(calls) != install+"update -q\n"+install {
		t.Errorf("apt-get was called with\n%s", calls)
	}
	if !strings.Contains(out.String(), "installing maven") {
		t.Errorf("it says\n%s", out.String())
	}
	_, err = StartKafka(t.Context(), KafkaOptions{})
	mustRefuse(t, err, "run make servers")
}

func TestClean(t *testing.T) {
	store := t.TempDir()
	t.Setenv("FLOW_SERVERS", store)
	mustDo(t, os.MkdirAll(filepath.Join(store, "kafka", "abc", "lib"), 0o755))
	mine := filepath.Join(store, "mine")
	mustDo(t, os.WriteFile(mine, nil, 0o600))
	mustDo(t, Clean())
	if _, err := os.Stat(filepath.Join(store, "kafka")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("kafka is there: %v", err)
	}
	if _, err := os.Stat(mine); err != nil {
		t.Errorf("a file of somebody else is gone: %v", err)
	}
	mustDo(t, os.Remove(mine))
	mustDo(t, Clean())
	if _, err := os.Stat(store); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the empty store is there: %v", err)
	}
	mustDo(t, Clean())
}

func TestParseRecords(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, in, want string }{
		{"cut off", "0\t0\t0\t1\t-\t-\t\n", "cut off"},
		{"fields", "0\t0\nend\n", "2 fields, not 7"},
		{"number", "x\t0\t0\t1\t-\t-\t\nend\n", "invalid syntax"},
		{"bytes", "0\t0\t0\t1\t!\t-\t\nend\n", "illegal base64"},
		{"header", "0\t0\t0\t1\t-\t-\tYQ==\nend\n", "has no value"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := parseRecords(test.in)
			mustRefuse(t, err, test.want)
		})
	}
}
