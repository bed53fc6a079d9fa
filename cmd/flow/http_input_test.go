package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const httpToFile = `
pipeline "hooks" {
  input "http" "in" {
    address = "%s"
    %s
  }
  processor "filter" "numbered" {
    where = "value.seq >= 0"
  }
  output "file" "out" {
    path = "out.jsonl"
  }
  %s
}
`

// freeAddress is one at which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// serveHTTP starts flow with an http input and waits until it listens.
func serveHTTP(t *testing.T, dir, options, rest string) (*process, string) {
	t.Helper()
	address := freeAddress(t)
	write(t, filepath.Join(dir, "pipeline.hcl"), fmt.Sprintf(httpToFile, address, options, rest))
	p := startFlow(t, dir, "run", "pipeline.hcl")
	t.Cleanup(func() { _ = p.cmd.Process.Kill() }) // it has ended unless the test failed
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	over := time.After(time.Minute)
	for {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
			return p, "http://" + address
		}
		select {
		case <-tick.C:
		case err := <-p.exited:
			t.Fatalf("flow ended: %v\n%s", err, p.stderr.String())
		case <-over:
			t.Fatalf("flow does not listen\n%s", p.stderr.String())
		}
	}
}

// end waits for the end of flow and returns how it ended.
func (p *process) end(t *testing.T) error {
	t.Helper()
	select {
	case err := <-p.exited:
		return err
	case <-time.After(time.Minute):
		_ = p.cmd.Process.Kill()
		t.Fatalf("flow did not end\n%s", p.stderr.String())
		return nil
	}
}

// senders post numbered records and note the answers.
type senders struct {
	url string
	wg  sync.WaitGroup

	mu        sync.Mutex // guards all below
	next      int
	confirmed []int       // records of requests that were answered with 200
	statuses  map[int]int // 0: no answer
}

func (s *senders) start(ctx context.Context, count int) {
	for range count {
		s.wg.Go(func() {
			client := &http.Client{Transport: &http.Transport{}, Timeout: time.Minute}
			defer client.CloseIdleConnections()
			for ctx.Err() == nil && s.send(client) {
			}
		})
	}
}

// send posts some records; false when nobody listens any more.
func (s *senders) send(client *http.Client) bool {
	s.mu.Lock()
	var body bytes.Buffer
	var seqs []int
	for range 1 + rand.IntN(20) {
		seqs = append(seqs, s.next)
		fmt.Fprintf(&body, "{\"seq\":%d}\n", s.next)
		s.next++
	}
	s.mu.Unlock()
	status := 0
	resp, err := client.Post(s.url, "application/x-ndjson", &body)
	if err == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if err == nil {
			status = resp.StatusCode
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.statuses[status]++
	if status == http.StatusOK {
		s.confirmed = append(s.confirmed, seqs...)
	}
	return status != 0
}

func (s *senders) answered() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.statuses[http.StatusOK]
}

// arrived returns the records of whole lines of a file.
func arrived(t *testing.T, name string) map[int]bool {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	seen := make(map[int]bool)
	for line := range bytes.Lines(data) {
		if n := 0; bytes.HasSuffix(line, []byte("}\n")) {
			if _, err := fmt.Sscanf(string(line), `{"seq":%d}`, &n); err != nil {
				t.Fatalf("record %q: %v", line, err)
			}
			seen[n] = true
		}
	}
	return seen
}

// TestHTTPKill: what was answered with 200 is in the output file at the moment
// of a kill, at every one of them.
func TestHTTPKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	kills := 12
	if testing.Short() {
		kills = 3
	}
	s := &senders{statuses: make(map[int]int)}
	for range kills {
		p, url := serveHTTP(t, dir, "", "")
		s.url = url
		target := s.answered() + 1 + rand.IntN(150)
		s.start(t.Context(), 8)
		if !p.killWhen(t, func() bool { return s.answered() >= target }) {
			t.Fatal("flow ended by itself")
		}
		s.wg.Wait()
		seen := arrived(t, filepath.Join(dir, "out.jsonl"))
		for _, seq := range s.confirmed {
			if !seen[seq] {
				t.Fatalf("record %d was answered with 200 and is not there", seq)
			}
		}
	}
	if s.statuses[0] < kills {
		t.Errorf("only %d requests were cut by %d kills", s.statuses[0], kills)
	}
	t.Logf("%d kills; answers by status, 0 for none: %v", kills, s.statuses)
}

// TestHTTPStop: a stop under load confirms what it has taken, refuses the rest,
// and ends well.
func TestHTTPStop(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, url := serveHTTP(t, dir, "max_requests = 4", "")
	s := &senders{url: url, statuses: make(map[int]int)}
	s.start(t.Context(), 8)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for s.answered() < 50 {
		<-tick.C
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.wait(t)
	s.wg.Wait()
	seen := arrived(t, filepath.Join(dir, "out.jsonl"))
	for _, seq := range s.confirmed {
		if !seen[seq] {
			t.Fatalf("record %d was answered with 200 and is not there", seq)
		}
	}
	for status, n := range s.statuses {
		if status != 0 && status != http.StatusOK && status != http.StatusServiceUnavailable {
			t.Errorf("%d answers with status %d", n, status)
		}
	}
	if s.statuses[http.StatusServiceUnavailable] == 0 {
		t.Error("nobody was told to come again later")
	}
}

// TestHTTPRefusedRecord: a record that the pipeline refuses is answered with 503
// when nobody reads the errors, which stops the pipeline, and with 200 when
// the error was confirmed.
func TestHTTPRefusedRecord(t *testing.T) {
	t.Parallel()
	post := func(t *testing.T, url string) (status int, retryAfter string) {
		t.Helper()
		resp, err := http.Post(url, "", strings.NewReader("{oops"))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode, resp.Header.Get("Retry-After")
	}
	t.Run("nobody reads errors", func(t *testing.T) {
		t.Parallel()
		p, url := serveHTTP(t, t.TempDir(), `format = "raw"`, "")
		if status, after := post(t, url); status != http.StatusServiceUnavailable || after == "" {
			t.Errorf("status %d", status)
		}
		err := p.end(t)
		if err == nil || !strings.Contains(p.stderr.String(), "invalid JSON") {
			t.Errorf("flow ended with %v\n%s", err, p.stderr.String())
		}
	})
	t.Run("errors are written", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		p, url := serveHTTP(t, dir, `format = "raw"`, "output \"file\" \"bad\" {\n  from = [errors]\n  path = \"bad.txt\"\n}\n")
		if status, _ := post(t, url); status != http.StatusOK {
			t.Errorf("status %d", status)
		}
		if data, err := os.ReadFile(filepath.Join(dir, "bad.txt")); err != nil || !bytes.Contains(data, []byte("{oops")) {
			t.Errorf("the error is not there: %q %v", data, err)
		}
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		p.wait(t)
	})
}
