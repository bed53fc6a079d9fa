package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// flakyServer takes lines of records and fails now and then: it says that it is
// busy, and breaks connections before and after it has stored a request.
type flakyServer struct {
	*httptest.Server

	mu     sync.Mutex // guards all below
	rnd    *rand.Rand
	busy   int // requests under way
	tally  map[string]*tally
	count  int // of records that are stored
	faults int
	broken error
}

func newFlakyServer(t *testing.T) *flakyServer {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	s := &flakyServer{rnd: rand.New(rand.NewPCG(seed, 2)), tally: make(map[string]*tally)}
	s.Server = httptest.NewServer(http.HandlerFunc(s.handle))
	t.Cleanup(s.Close)
	return s
}

func (s *flakyServer) handle(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.busy++
	s.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() { s.busy-- }()
	if err != nil {
		return // flow was killed within the request
	}
	fault := s.rnd.IntN(25)
	if fault < 3 {
		s.faults++
	}
	switch fault {
	case 0:
		w.Header().Set("Retry-After", "0")
		http.Error(w, "busy", http.StatusServiceUnavailable)
		return
	case 1: // cut before it is stored
		hangUp(w)
		return
	case 2: // cut after it is stored
		defer hangUp(w)
	}
	for line := range bytes.Lines(body) {
		seq, err := seqOf(line)
		if err == nil {
			err = s.of(r.URL.Path).check(seq)
		}
		if err != nil && s.broken == nil {
			s.broken = fmt.Errorf("%s: %w", r.URL.Path, err)
		}
		s.count++
	}
}

func hangUp(w http.ResponseWriter) {
	if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = c.Close()
	}
}

// of is the tally of one path. mu is held.
func (s *flakyServer) of(path string) *tally {
	if s.tally[path] == nil {
		s.tally[path] = &tally{}
	}
	return s.tally[path]
}

func (s *flakyServer) stored() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

func (s *flakyServer) idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.busy == 0
}

// TestHTTPOutputCrash: flow is killed again and again while it sends to a
// server that fails: nothing is lost, and the order is kept.
func TestHTTPOutputCrash(t *testing.T) {
	t.Parallel()
	const kills, records = 4, 20_000
	s := newFlakyServer(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "pipeline.hcl"), fmt.Sprintf(`
pipeline "p" {
  commit_interval = "20ms"
  retry_max       = "20ms"
  input "file" "in" {
    path = "in.jsonl"
  }
  output "http" "out" {
    url           = "%s/all"
    body          = "ndjson"
    batch_records = 100
    compression   = "none"
  }
}
`, s.URL))
	appendLines(t, filepath.Join(dir, "in.jsonl"), 0, records)
	killed := 0
	for round := range kills {
		p := startFlow(t, dir, "run", "pipeline.hcl")
		if p.killWhen(t, func() bool { return s.stored() > (round+1)*records/(kills+2) }) {
			killed++
		}
		waitFor(t, "the end of what the killed flow had sent", s.idle)
	}
	startFlow(t, dir, "run", "pipeline.hcl").wait(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil || s.of("/all").next != records {
		t.Errorf("%d of %d records arrived: %v", s.of("/all").next, records, s.broken)
	}
	if killed == 0 || s.faults == 0 {
		t.Errorf("flow was killed %d times and the server failed %d times", killed, s.faults)
	}
	t.Logf("%d kills, %d faults, %d records twice", killed, s.faults, s.of("/all").duplicates)
}

// TestHTTPOutputOrderByKey: sixteen requests at a time to a server that fails
// keep the order of each key, which is a part of the URL.
func TestHTTPOutputOrderByKey(t *testing.T) {
	t.Parallel()
	const keys, records = 20, 10_000
	s := newFlakyServer(t)
	dir := t.TempDir()
	var in strings.Builder
	for i := range records {
		fmt.Fprintf(&in, `{"seq":%d,"who":"k%d"}`+"\n", i/keys, i%keys)
	}
	write(t, filepath.Join(dir, "in.jsonl"), in.String())
	write(t, filepath.Join(dir, "pipeline.hcl"), fmt.Sprintf(`
pipeline "p" {
  retry_max = "20ms"
  input "file" "in" {
    path = "in.jsonl"
  }
  processor "map" "key" {
    key = "value.who"
  }
  output "http" "out" {
    url         = "%s/of/{{ value.who }}"
    concurrency = 16
  }
}
`, s.URL))
	startFlow(t, dir, "run", "pipeline.hcl").wait(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil || len(s.tally) != keys {
		t.Fatalf("%d keys: %v", len(s.tally), s.broken)
	}
	for path, y := range s.tally {
		if y.next != records/keys {
			t.Errorf("%d records arrived at %s", y.next, path)
		}
	}
	if s.faults == 0 {
		t.Error("the server never failed")
	}
	t.Logf("%d faults", s.faults)
}

// TestHTTPOutputSlowServer: a server that takes its time holds the pipeline up
// and loses nothing; a stop waits for what is under way.
func TestHTTPOutputSlowServer(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var got []int
	arrived := make(chan struct{}, 1000)
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-release
		mu.Lock()
		defer mu.Unlock()
		for lines := bufio.NewScanner(r.Body); lines.Scan(); {
			seq, err := seqOf(lines.Bytes())
			if err != nil {
				t.Error(err)
			}
			got = append(got, seq)
		}
	}))
	defer s.Close()
	dir := t.TempDir()
	appendLines(t, filepath.Join(dir, "in.jsonl"), 0, 5000)
	write(t, filepath.Join(dir, "pipeline.hcl"), fmt.Sprintf(`
pipeline "p" {
  max_in_flight = "64KiB"
  input "file" "in" {
    path = "in.jsonl"
  }
  output "http" "out" {
    url           = "%s"
    body          = "ndjson"
    batch_records = 50
  }
}
`, s.URL))
	p := startFlow(t, dir, "run", "pipeline.hcl")
	<-arrived
	select {
	case <-arrived:
		t.Error("a second request came before the first was answered")
	case <-time.After(100 * time.Millisecond):
	}
	close(release)
	p.wait(t)
	mu.Lock()
	defer mu.Unlock()
	for i, seq := range got {
		if seq != i {
			t.Fatalf("record %d arrived as number %d", seq, i)
		}
	}
	if len(got) != 5000 {
		t.Errorf("%d records arrived", len(got))
	}
}
