package tlsconf

import (
	"fmt"
	"os"
	"strings"
	"sync"
)

// reloading loads now, and once more whenever one of the files has changed.
// What cannot be loaded later is left for the next call: files are replaced one
// after the other, and what was there before is good until then.
func reloading[T any](load func() (T, error), files ...string) (func() (T, error), error) {
	var mu sync.Mutex // guards seen and current
	seen := stamp(files...)
	current, err := load()
	if err != nil {
		return nil, err
	}
	return func() (T, error) {
		mu.Lock()
		defer mu.Unlock()
		if now := stamp(files...); now != seen {
			if next, err := load(); err == nil {
				seen, current = now, next
			}
		}
		return current, nil
	}, nil
}

// stamp describes the state of files. It follows links, since mounted secrets
// are replaced by moving a link.
func stamp(files ...string) string {
	var b strings.Builder
	for _, f := range files {
		if f == "" {
			continue
		}
		if st, err := os.Stat(f); err == nil {
			fmt.Fprintf(&b, "%d.%d;", st.ModTime().UnixNano(), st.Size())
		} else {
			b.WriteString("-;")
		}
	}
	return b.String()
}
