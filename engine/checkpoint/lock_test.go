package checkpoint

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// holdVariable makes the test binary hold a store until it is killed.
const holdVariable = "FLOW_TEST_HOLD_STORE"

func TestMain(m *testing.M) {
	dir := os.Getenv(holdVariable)
	if dir == "" {
		os.Exit(m.Run())
	}
	if _, err := OpenDir(dir, "p"); err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	fmt.Println("held")
	select {}
}

func TestOneProcessHoldsTheStore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), holdVariable+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "held\n" {
		t.Fatalf("the first process said %q, %v", line, err)
	}
	_, err = OpenDir(dir, "p")
	var held *HeldError
	if !errors.As(err, &held) || held.PID != cmd.Process.Pid {
		t.Errorf("got %v, want the pid %d", err, cmd.Process.Pid)
	}
	if err == nil || !strings.Contains(err.Error(), fmt.Sprint(cmd.Process.Pid)) {
		t.Errorf("%v does not name the process", err)
	}
	if err := cmd.Process.Kill(); err != nil { // SIGKILL
		t.Fatal(err)
	}
	_ = cmd.Wait()
	s, err := OpenDir(dir, "p")
	if err != nil {
		t.Fatalf("after the holder was killed: %v", err)
	}
	if _, err := OpenDir(dir, "p"); !errors.As(err, &held) || held.PID != os.Getpid() {
		t.Errorf("a second time in this process: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
