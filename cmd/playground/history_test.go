package playground

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestHistory(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a", "flow", "expr_history")
	warn := func(err error) { t.Error(err) }
	h, err := openHistory(path, warn)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range []string{"1", "1", "", "  ", " hidden", "{\n a: 1\n}", strings.Repeat("x", historyBytes+1), "2 "} {
		if _, err := h.Write(entry); err != nil {
			t.Fatal(err)
		}
	}
	again, err := openHistory(path, warn)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%q", again.entries); got != `["1" "{\n a: 1\n}" "2"]` {
		t.Errorf("got %s", got)
	}
	if line, err := again.GetLine(2); err != nil || line != "2" {
		t.Errorf("GetLine(2): %q, %v", line, err)
	}
	if _, err := again.GetLine(3); err == nil {
		t.Error("GetLine beyond the end")
	}
	for name, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v %v", name, info.Mode(), err)
		}
	}
}

// TestHistoryBounded: neither the file nor what is read of it grows without
// end, and a broken line costs itself only.
func TestHistoryBounded(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "expr_history")
	h, err := openHistory(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2*historyEntries + 5 {
		if _, err := h.Write(fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append([]byte("broken\n"), text...), 0o600); err != nil {
		t.Fatal(err)
	}
	if h, err = openHistory(path, nil); err != nil || h.Len() != historyEntries {
		t.Fatalf("%d entries, %v", h.Len(), err)
	}
	if last, _ := h.GetLine(h.Len() - 1); last != fmt.Sprint(2*historyEntries+4) {
		t.Errorf("the last one is %q", last)
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() > historyEntries*8 || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %d bytes, %v, %v", info.Size(), info.Mode(), err)
	}
}

func TestHistoryPath(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ state, home, want string }{
		{"/s", "/h", "/s/flow/expr_history"}, {"", "/h", "/h/.local/state/flow/expr_history"}, {"relative", "/h", "/h/.local/state/flow/expr_history"}, {"", "", ""},
	} {
		got, err := historyPath(func(name string) string { return map[string]string{"XDG_STATE_HOME": c.state, "HOME": c.home}[name] })
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%+v: %q, %v", c, got, err)
		}
	}
}

// TestHistoryWithoutPlace: a folder that cannot be made is said, and the
// prompt has a history in memory.
func TestHistoryWithoutPlace(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	h, err := openHistory(filepath.Join(file, "flow", "expr_history"), nil)
	if err == nil {
		t.Error("no error")
	}
	if n, err := h.Write("1"); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}
