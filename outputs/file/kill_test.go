package file

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flowrecords/flow/engine"
)

// childEnv makes the test binary a writer: path, first record.
const childEnv = "FLOW_FILE_TEST_CHILD"

// child writes numbered records until it is killed, and prints up to which
// number they are confirmed.
func child() {
	name, first, _ := strings.Cut(os.Getenv(childEnv), "|")
	n, err := strconv.Atoi(first)
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	kind, path, _ := strings.Cut(name, ":")
	c := config(path, killConfigs[kind])
	o, err := newOutput(c, engine.Env{}, osFS{})
	if err != nil {
		panic(err)
	}
	if err := o.Open(ctx); err != nil {
		panic(err)
	}
	r := rand.New(rand.NewPCG(uint64(n), 1))
	for round := 0; ; round++ {
		var list []string
		for range 1 + r.IntN(300) {
			list = append(list, killRecord(n))
			n++
		}
		upTo := n
		o.Write(ctx, batchOf(list...), func(err error) {
			if err != nil {
				panic(err)
			}
			fmt.Println(upTo)
		})
		if r.IntN(4) == 0 {
			_ = o.Flush(ctx)
		}
	}
}

func killRecord(n int) string {
	return fmt.Sprintf(`{"n":%d,"pad":"%s"}`, n, strings.Repeat("x", n%90))
}

var killConfigs = map[string]func(*Config){
	"append": func(*Config) {},
	"rotate": func(c *Config) { c.Rotate = &Rotate{Records: 1000} },
	"batch":  func(c *Config) { c.Fsync = fsyncBatch },
}

// TestKill kills a writing process at random moments, starts it again behind
// what it had confirmed, and reads the files: all confirmed records are there,
// once for each process that wrote them, in order and whole.
func TestKill(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts processes")
	}
	for _, tt := range []struct{ kind, base string }{
		{"append", "a.jsonl"}, {"append", "a.jsonl.gz"}, {"append", "a.jsonl.zst"},
		{"rotate", "a.jsonl"}, {"rotate", "a.jsonl.zst"}, {"batch", "a.jsonl"},
	} {
		t.Run(tt.kind+" "+tt.base, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, tt.base)
			const rounds = 20
			confirmed, kills := 0, 0
			var firsts []int // where each process started
			for round := range rounds {
				firsts = append(firsts, confirmed)
				confirmed = killOnce(t, tt.kind+":"+path, confirmed, 1+rand.IntN(40))
				kills++
				checkKilled(t, dir, firsts, confirmed, round == rounds-1, tt.kind, path)
				if t.Failed() {
					return
				}
			}
			if kills != rounds || confirmed < rounds*100 {
				t.Errorf("%d kills, %d records confirmed", kills, confirmed)
			}
		})
	}
}

// killOnce runs a writer, kills it after some confirmations, and returns up to
// which record it had confirmed.
func killOnce(t *testing.T, name string, first, after int) int {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+name+"|"+strconv.Itoa(first))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	confirmed := first
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		if confirmed, err = strconv.Atoi(lines.Text()); err != nil {
			t.Fatalf("the writer printed %q", lines.Text())
		}
		if n == after {
			// It goes on writing until the signal arrives; what it confirms
			// until then is read too.
			if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait()
	if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || ws.Signal() != syscall.SIGKILL {
		t.Fatalf("the writer ended by itself: %v\n%s", cmd.ProcessState, stderr.String())
	}
	return confirmed
}

// checkKilled reads the files from the outside. In the last round it opens and
// closes the output first, as the next start would; before, only the complete
// files of a rotation can be looked at.
func checkKilled(t *testing.T, dir string, firsts []int, confirmed int, last bool, kind, path string) {
	t.Helper()
	if last {
		h := start(t, config(path, killConfigs[kind]), nil, nil)
		h.close()
	}
	next, process := 0, 0
	for _, name := range files(t, dir) {
		if strings.HasPrefix(name, ".") {
			if last {
				t.Errorf("%s is left over", name)
			}
			continue
		}
		if !last && kind != "rotate" {
			continue
		}
		for line := range strings.Lines(content(t, filepath.Join(dir, name))) {
			if line == killRecord(next)+"\n" {
				next++
				continue
			}
			// A later process begins here, at a record that is there already.
			var n int
			_, err := fmt.Sscanf(line, `{"n":%d,`, &n)
			from := slices.Index(firsts[process:], n)
			if err != nil || line != killRecord(n)+"\n" || n > next || from < 0 {
				t.Fatalf("%s holds %q where record %d is due; processes began at %d", name, line, next, firsts)
			}
			process += from
			next = n + 1
		}
	}
	if last && next < confirmed {
		t.Errorf("record %d was confirmed, the files end before %d", confirmed-1, next)
	}
}

// TestFileSizeLimit lets the system refuse writes for real: RLIMIT_FSIZE gives
// EFBIG. Nothing is torn, and the pipeline stops with a clear error or goes on
// trying.
func TestFileSizeLimit(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts a process")
	}
	path := filepath.Join(t.TempDir(), "a.jsonl")
	cmd := exec.Command("sh", "-c", "ulimit -f 64; exec \"$0\"", os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"=append:"+path+"|0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Skipf("no shell: %v", err)
	}
	confirmed := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if confirmed, err = strconv.Atoi(lines.Text()); err != nil {
			t.Fatal(err)
		}
	}
	_ = cmd.Wait()
	if !strings.Contains(stderr.String(), "file too large") {
		t.Fatalf("the limit was not met: %s", stderr.String())
	}
	var want strings.Builder
	for n := range confirmed {
		want.WriteString(killRecord(n) + "\n")
	}
	if got := content(t, path); got != want.String() || confirmed == 0 {
		t.Errorf("the file has %d bytes, %d records were confirmed (%d bytes)", len(got), confirmed, want.Len())
	}
	h := start(t, config(path), nil, time.Now)
	h.write(batchOf("end"))
	h.close()
	wantContent(t, path, want.String()+"end\n")
}
