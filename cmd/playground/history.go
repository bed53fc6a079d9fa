package playground

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Bounds of the history: entries that are kept, and bytes of one.
const (
	historyEntries = 1_000
	historyBytes   = 16 << 10
)

// history is what was typed, oldest first, one JSON text on a line of a file
// that only its owner can read. An entry that begins with a space is not kept,
// nor one that is the same as the one before.
type history struct {
	path    string // empty: in memory only
	entries []string
	failed  bool // writing failed once; it is said once
	warn    func(error)
}

// historyPath is where the history lies: in the folder of the user's state.
func historyPath(getenv func(string) string) (string, error) {
	dir := getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(dir) {
		home := getenv("HOME")
		if home == "" {
			return "", errors.New("neither XDG_STATE_HOME nor HOME is set")
		}
		dir = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(dir, "flow", "expr_history"), nil
}

// openHistory reads the history of a file, which need not be there.
func openHistory(path string, warn func(error)) (*history, error) {
	h := &history{path: path, warn: warn}
	if path == "" {
		return h, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return &history{}, fmt.Errorf("keeping no history: %w", err)
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return h, nil
	}
	if err != nil {
		return &history{}, fmt.Errorf("keeping no history: %w", err)
	}
	defer f.Close()
	lines := 0
	in := bufio.NewScanner(f)
	in.Buffer(nil, 8*historyBytes)
	for in.Scan() {
		lines++
		var entry string
		if json.Unmarshal(in.Bytes(), &entry) == nil && entry != "" {
			h.entries = append(h.entries, entry)
		}
	}
	h.trim()
	if lines > 2*historyEntries {
		return h, h.rewrite()
	}
	return h, nil
}

func (h *history) trim() {
	if n := len(h.entries) - historyEntries; n > 0 {
		h.entries = h.entries[n:]
	}
}

// rewrite replaces the file by what is kept, so that it does not grow forever.
func (h *history) rewrite() error {
	f, err := os.CreateTemp(filepath.Dir(h.path), ".expr_history") // mode 0600
	if err != nil {
		return fmt.Errorf("shortening the history: %w", err)
	}
	w := bufio.NewWriter(f)
	for _, e := range h.entries {
		_, _ = w.Write(historyLine(e))
	}
	err = errors.Join(w.Flush(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), h.path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("shortening the history: %w", err)
	}
	return nil
}

func historyLine(entry string) []byte {
	b, err := json.Marshal(entry)
	if err != nil {
		return nil // a string always marshals
	}
	return append(b, '\n')
}

// Write adds an entry; it is part of what the line editor asks of a history.
func (h *history) Write(entry string) (int, error) {
	text := strings.TrimRight(entry, " \t\n")
	if strings.TrimSpace(text) == "" || strings.HasPrefix(text, " ") || len(text) > historyBytes ||
		len(h.entries) > 0 && h.entries[len(h.entries)-1] == text {
		return len(h.entries), nil
	}
	h.entries = append(h.entries, text)
	h.trim()
	if h.path == "" || h.failed {
		return len(h.entries), nil
	}
	f, err := os.OpenFile(h.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.Write(historyLine(text))
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		h.failed = true
		h.warn(fmt.Errorf("keeping no history from here on: %w", err))
	}
	return len(h.entries), nil
}

// GetLine returns an entry, 0 the oldest.
func (h *history) GetLine(i int) (string, error) {
	if i < 0 || i >= len(h.entries) {
		return "", fmt.Errorf("the history has no entry %d", i)
	}
	return h.entries[i], nil
}

// Len is the number of entries.
func (h *history) Len() int { return len(h.entries) }

// Dump returns all entries.
func (h *history) Dump() any { return h.entries }
