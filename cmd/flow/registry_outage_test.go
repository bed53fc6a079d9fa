package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flowrecords/flow/connections/registry/registrytest"
	"github.com/flowrecords/flow/internal/servers"
)

// Records come by HTTP, go to the topic that they name as Avro, and from there
// to a file. Each topic has a subject of its own.
const outageConfig = `
connection "kafka" "main" { brokers = ["%[1]s"] }

connection "registry" "main" {
  urls       = ["%[2]s"]
  retries    = 0
  latest_ttl = "0s"
}
`

const outageWrite = outageConfig + `
pipeline "write" {
  input "http" "in" {
    address = "%[3]s"
    value "json" { schema = "struct Order{id int64, topic string}" }
  }
  output "kafka" "out" {
    connection = connection.kafka.main
    topic      = "shop-{{ value.topic }}"
    value "avro" { registry = connection.registry.main }
  }
}
`

const outageRead = outageConfig + `
pipeline "read" {
  input "kafka" "in" {
    connection = connection.kafka.main
    topics     = ["shop-first", "shop-second"]
    group      = "%[3]s"
    start      = "earliest"
    value "avro" { registry = connection.registry.main }
  }
  output "file" "out" { path = "%[3]s.jsonl" }
}
`

// gate stands in front of a registry. It counts the requests that nobody answers.
type gate struct {
	url    string
	failed atomic.Int64
}

func newGate(t *testing.T, target string) *gate {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{}
	server := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:   func(p *httputil.ProxyRequest) { p.SetURL(to) },
		Transport: &http.Transport{DisableKeepAlives: true},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) {
			g.failed.Add(1)
			panic(http.ErrAbortHandler) // as if nobody listened
		},
	})
	t.Cleanup(server.Close)
	g.url = server.URL
	return g
}

// fakeBehind is a fake registry that dies and comes back at the same address
// with what it knew.
func fakeBehind(t *testing.T) (target string, down, up func()) {
	t.Helper()
	fake := registrytest.New()
	server := httptest.NewServer(fake)
	address := server.Listener.Addr().String()
	up = func() {
		ln, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		server = httptest.NewUnstartedServer(fake)
		_ = server.Listener.Close()
		server.Listener = ln
		server.Start()
	}
	t.Cleanup(func() { server.Close() })
	return server.URL, func() { server.Close() }, up
}

// TestRegistryOutage: the registry dies in the middle of a run. Records of known
// schemas go on in both directions; those of a schema that is not known, and a
// reader that has just been started, wait. When it is back nothing is missing and
// nothing came twice.
func TestRegistryOutage(t *testing.T) {
	t.Parallel()
	t.Run("fake", func(t *testing.T) {
		t.Parallel()
		target, down, up := fakeBehind(t)
		registryOutage(t, target, down, up)
	})
	t.Run("real", func(t *testing.T) {
		t.Parallel()
		r := servers.Registry(t)
		registryOutage(t, r.URL(), func() {
			if err := r.Kill(); err != nil {
				t.Error(err)
			}
		}, func() {
			if err := r.Start(t.Context()); err != nil {
				t.Error(err)
			}
		})
	})
}

func registryOutage(t *testing.T, target string, down, up func()) {
	dir, g, address := t.TempDir(), newGate(t, target), freeAddress(t)
	broker := servers.FakeKafka(t)
	for _, topic := range []string{"shop-first", "shop-second"} {
		if err := broker.CreateTopic(t.Context(), topic, 1, nil); err != nil {
			t.Fatal(err)
		}
	}
	run := func(name, config, last string) *process {
		write(t, filepath.Join(dir, name+".hcl"), fmt.Sprintf(config, broker.Addrs()[0], g.url, last))
		p := startFlow(t, dir, "run", "--state-dir", name, name+".hcl")
		t.Cleanup(func() { _ = p.cmd.Process.Kill() }) // it has ended unless the test failed
		return p
	}
	until := func(what string, ok func() bool) {
		t.Helper()
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for over := time.After(time.Minute); !ok(); {
			select {
			case <-tick.C:
			case <-over:
				t.Fatalf("%s: it did not come to that", what)
			}
		}
	}
	lines := func(name string) []string {
		data, err := os.ReadFile(filepath.Join(dir, name+".jsonl"))
		if err != nil {
			return nil
		}
		return strings.Fields(string(data))
	}
	var want []string
	next := 0
	post := func(ctx context.Context, topic string) error {
		var body bytes.Buffer
		for range 10 {
			fmt.Fprintf(&body, "{\"id\":%d,\"topic\":%q}\n", next, topic)
			want = append(want, fmt.Sprintf(`{"id":%d,"topic":%q}`, next, topic))
			next++
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/", &body)
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/x-ndjson")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("answered with %s", resp.Status)
		}
		return nil
	}

	writer, reader := run("writer", outageWrite, address), run("reader", outageRead, "reader")
	until("the writer listens", func() bool {
		select {
		case err := <-writer.exited:
			t.Fatalf("flow ended: %v\n%s", err, writer.stderr.String())
		default:
		}
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	if err := post(t.Context(), "first"); err != nil {
		t.Fatal(err)
	}
	until("the first records", func() bool { return len(lines("reader")) == 10 })

	down()
	if err := post(t.Context(), "first"); err != nil {
		t.Fatalf("a known schema, while the registry is away: %v", err)
	}
	until("records of a known schema", func() bool { return len(lines("reader")) == 20 })
	if n := g.failed.Load(); n != 0 {
		t.Errorf("%d requests for what is known", n)
	}
	late := run("late", outageRead, "late")
	until("a reader that has just been started asks", func() bool { return g.failed.Load() >= 2 })
	asked := g.failed.Load()
	posted := make(chan error, 1)
	go func() { posted <- post(t.Context(), "second") }()
	until("it is asked for a new subject", func() bool { return g.failed.Load() >= asked+3 })
	if got := lines("late"); len(got) > 0 {
		t.Errorf("the late reader has %v", got)
	}
	select {
	case err := <-posted:
		t.Errorf("records of an unknown subject were answered: %v", err)
	default:
	}

	up()
	if err := <-posted; err != nil {
		t.Fatalf("after the outage: %v", err)
	}
	slices.Sort(want)
	for _, name := range []string{"reader", "late"} {
		until("all records in "+name, func() bool { return len(lines(name)) >= len(want) })
	}
	for _, p := range []*process{writer, reader, late} {
		_ = p.cmd.Process.Signal(os.Interrupt)
		if err := p.end(t); err != nil {
			t.Errorf("flow ended: %v\n%s", err, p.stderr.String())
		}
	}
	for _, name := range []string{"reader", "late"} {
		if got := slices.Sorted(slices.Values(lines(name))); !slices.Equal(got, want) {
			t.Errorf("%s has %v\nwant %v", name, got, want)
		}
	}
}
