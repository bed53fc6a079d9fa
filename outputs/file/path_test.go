package file

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowrecords/flow/engine"
)

func TestPathPerRecord(t *testing.T) {
	t.Parallel()
	for _, most := range []int{1, 2, 64} {
		t.Run(fmt.Sprint(most), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			h := start(t, config(filepath.Join(dir, "out/{{ key }}.txt"), func(c *Config) { c.MaxOpen = most }), newFaultFS(), nil)
			for range 3 {
				h.write(keyed("a=1", "b=2", "a=3", "c/d=4"))
				if n := h.o.used.Len(); n > most {
					t.Errorf("%d files are open", n)
				}
			}
			h.close()
			for name, want := range map[string]string{"a": "1\n3\n1\n3\n1\n3\n", "b": "2\n2\n2\n", "c/d": "4\n4\n4\n"} {
				wantContent(t, filepath.Join(dir, "out", name+".txt"), want)
			}
			wantFiles(t, filepath.Join(dir, "out"), "a.txt", "b.txt", "c")
			if len(h.confirmed) != 12 {
				t.Errorf("confirmed %q", h.confirmed)
			}
		})
	}
}

// TestLeastRecentlyUsed keeps the files open that are in use.
func TestLeastRecentlyUsed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := start(t, config(filepath.Join(dir, "{{ key }}"), func(c *Config) { c.MaxOpen = 2 }), newFaultFS(), nil)
	h.write(keyed("a=1", "b=1", "a=1", "c=1"))
	var open []string
	for e := h.o.used.Front(); e != nil; e = e.Next() {
		open = append(open, filepath.Base(e.Value.(*target).path))
	}
	if want := []string{"c", "a"}; !slices.Equal(open, want) {
		t.Errorf("open are %q, want %q", open, want)
	}
	h.close()
}

// TestPathsStayBelow: what a record says never leads out of the folder of the
// literal prefix.
func TestPathsStayBelow(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	dir := filepath.Join(root, "in")
	if err := os.MkdirAll(filepath.Join(dir, "folder.txt"), 0o755); err != nil {
		t.Fatal(err)
	}
	bad := map[string]error{
		"../x": errOutside, "a/../../x": errOutside, "..": nil, "x/../y": errOutside, "\x00": errNUL,
		strings.Repeat("long", 100): nil, "folder": nil,
	}
	h := start(t, config(filepath.Join(dir, "{{ key }}.txt")), newFaultFS(), nil)
	b := keyed("good=good", "nokey")
	for k := range bad {
		b.Key.Add([]byte(k))
		b.Value.Add([]byte(k))
	}
	h.write(b)
	h.close()
	for k, want := range bad {
		err := h.refused[k]
		if k == ".." {
			if err != nil { // "...txt" is a name like any other
				t.Errorf("%q: %v", k, err)
			}
			continue
		}
		if err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", k, err, want)
		}
	}
	if err := h.refused["nokey"]; err == nil || !strings.Contains(err.Error(), "key is null") {
		t.Errorf("a path of nothing: %v", err)
	}
	if h.err != nil {
		t.Error(h.err)
	}
	wantFiles(t, root, "in")
	wantFiles(t, dir, "...txt", "folder.txt", "good.txt")
}

func TestResolve(t *testing.T) {
	t.Parallel()
	tests := []struct {
		prefix, text, want string
		err                error
	}{
		{prefix: "out/", text: "out/a", want: "out/a"},
		{prefix: "out/", text: "out//a/./b", want: "out/a/b"},
		{prefix: "out/x-", text: "out/x-/../y", err: errOutside},
		{prefix: "out/", text: "out/", err: errNoName},
		{prefix: "out/", text: "out/.a.flow", err: errReserved},
		{prefix: "out/", text: "out/.a.partial", err: errReserved},
		{prefix: "out/", text: "out/a.flow", want: "out/a.flow"},
		{prefix: "/abs/", text: "/abs/x", want: "/abs/x"},
		{prefix: "../up/", text: "../up/x", want: "../up/x"},
		{prefix: "../up/", text: "../up/../../x", err: errOutside},
		{prefix: "a", text: "abc", want: "abc"},
	}
	for _, tt := range tests {
		p := &paths{base: filepath.Dir(tt.prefix)}
		got, err := p.resolve(tt.text)
		if got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%q below %q: got %q, %v; want %q, %v", tt.text, tt.prefix, got, err, tt.want, tt.err)
		}
	}
}

// TestPathsAfterCrash repairs every file that the dead process had open, also
// those to which no record goes any more.
func TestPathsAfterCrash(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	now := func() time.Time { return noon }
	for _, rotate := range []bool{false, true} {
		path := filepath.Join(dir, fmt.Sprint(rotate), "{{ key }}.txt")
		edit := func(c *Config) {
			if rotate {
				c.Rotate = &Rotate{Records: 100}
			}
		}
		h := start(t, config(path, edit), newFaultFS(), now)
		h.write(keyed("a=1", "sub/b=2"))
		for e := h.o.used.Front(); e != nil; e = e.Next() {
			tg := e.Value.(*target)
			if _, err := tg.h.WriteAt([]byte("torn\nto"), tg.size); err != nil {
				t.Fatal(err)
			}
		}
		h.abandon()
		h = start(t, config(path, edit), newFaultFS(), now)
		h.close()
		if rotate {
			wantFiles(t, filepath.Join(dir, "true"), "a-20260506T120000Z-0001.txt", "sub")
			wantContent(t, filepath.Join(dir, "true/sub/b-20260506T120000Z-0001.txt"), "2\n")
			continue
		}
		wantFiles(t, filepath.Join(dir, "false"), "a.txt", "sub")
		wantFiles(t, filepath.Join(dir, "false/sub"), "b.txt")
		wantContent(t, filepath.Join(dir, "false/a.txt"), "1\n")
	}
}

// TestRecoverLeavesOthers: the walk keeps to where the template leads.
func TestRecoverLeavesOthers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"mine-a", "mine-b/c", "other-a", "other/a"} {
		h := start(t, config(filepath.Join(dir, name)), newFaultFS(), nil)
		h.write(batchOf("1"))
		h.abandon()
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Skip(err)
	}
	h := start(t, config(link+"/mine-{{ key }}"), newFaultFS(), nil)
	h.close()
	wantFiles(t, dir, ".other-a.flow", "mine-a", "mine-b", "other", "other-a")
	wantFiles(t, filepath.Join(dir, "mine-b"), "c")
	wantFiles(t, filepath.Join(dir, "other"), ".a.flow", "a")
}

// TestRecoverLeavesTheLiving: a walk over journals does not touch a file that
// another output is writing.
func TestRecoverLeavesTheLiving(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "{{ key }}.txt")
	h := start(t, config(path), newFaultFS(), nil)
	h.write(keyed("a=1"))
	other := start(t, config(path), newFaultFS(), nil)
	h.write(keyed("a=2"))
	other.write(keyed("b=3"))
	other.close()
	h.close()
	wantContent(t, filepath.Join(dir, "a.txt"), "1\n2\n")
	wantContent(t, filepath.Join(dir, "b.txt"), "3\n")
	wantFiles(t, dir, "a.txt", "b.txt")
}

// TestTwoWriters: the second one gets a clear error.
func TestTwoWriters(t *testing.T) {
	t.Parallel()
	for _, rotate := range []*Rotate{nil, {Records: 5}} {
		path := filepath.Join(t.TempDir(), "a.txt")
		edit := func(c *Config) { c.Rotate = rotate }
		h := start(t, config(path, edit), newFaultFS(), nil)
		h.write(batchOf("1"))
		_, err := tryStart(t, config(path, edit), newFaultFS(), nil)
		var retry *engine.RetryError
		if !errors.Is(err, errLocked) || errors.As(err, &retry) {
			t.Errorf("rotate %v: %v", rotate != nil, err)
		}
		h.write(batchOf("2"))
		h.close()
		again := start(t, config(path, edit), newFaultFS(), nil)
		again.close()
	}
}
