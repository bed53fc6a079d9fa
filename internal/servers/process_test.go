//go:build unix

package servers

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// childEnv makes this test binary start servers and then end by its own mistake.
const childEnv = "FLOW_SERVERS_TEST_CHILD"

// TestChild is the process that TestServersEndWithTheirProcess watches.
func TestChild(t *testing.T) {
	how := os.Getenv(childEnv)
	if how == "" {
		t.Skip("it runs as a child of TestServersEndWithTheirProcess")
	}
	dog, err := theWatchdog()
	mustDo(t, err)
	gone, err := startProcess(dog, dog.dir, dog.dir+"/log", "/bin/sleep", "600")
	mustDo(t, err)
	gone.kill()
	var pids []string
	for range 2 {
		p, err := startProcess(dog, dog.dir, dog.dir+"/log", "/bin/sleep", "600")
		mustDo(t, err)
		pids = append(pids, fmt.Sprint(p.pid()))
	}
	fmt.Printf("child %s %s\n", dog.dir, strings.Join(pids, " "))
	switch how {
	case "panic":
		panic("on purpose")
	case "exit":
		os.Exit(0)
	default:
		select {}
	}
}

func TestServersEndWithTheirProcess(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"panic", "exit", "kill"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0], "-test.run=^TestChild$")
			cmd.Env = append(os.Environ(), childEnv+"="+how)
			out, err := cmd.StdoutPipe()
			mustDo(t, err)
			mustDo(t, cmd.Start())
			dir, pids := readChild(t, bufio.NewScanner(out))
			if how == "kill" {
				mustDo(t, cmd.Process.Kill())
			}
			_ = cmd.Wait() // it ends as it was told
			eventually(t, func(context.Context) error {
				for _, pid := range pids {
					if syscall.Kill(pid, 0) == nil {
						return fmt.Errorf("process %d lives", pid)
					}
				}
				if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
					return fmt.Errorf("folder %s is there (%v)", dir, err)
				}
				return nil
			})
		})
	}
}

// readChild reads the child's folder and processes, which live.
func readChild(t *testing.T, lines *bufio.Scanner) (string, []int) {
	t.Helper()
	for lines.Scan() {
		var dir string
		var a, b int
		if n, _ := fmt.Sscanf(lines.Text(), "child %s %d %d", &dir, &a, &b); n != 3 {
			continue
		}
		for _, pid := range []int{a, b} {
			mustDo(t, syscall.Kill(pid, 0))
		}
		return dir, []int{a, b}
	}
	t.Fatalf("the child said nothing: %v", lines.Err())
	return "", nil
}
