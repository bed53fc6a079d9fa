package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/flowrecords/flow/internal/servers"
)

// TestMain lets the test binary be flow itself: a test that runs "flow"
// starts this binary again, race detector included.
func TestMain(m *testing.M) {
	// The race detector makes a process wait a second at its exit by default.
	if os.Getenv("GORACE") == "" {
		_ = os.Setenv("GORACE", "atexit_sleep_ms=10")
	}
	testscript.Main(servers.Main(m), map[string]func(){"flow": main})
}

// flowCommand is how tests run flow as a process: the test binary, called flow.
func flowCommand(tb testing.TB) string {
	tb.Helper()
	link := tb.TempDir() + "/flow"
	self, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.Symlink(self, link); err != nil {
		tb.Fatal(err)
	}
	return link
}
