package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flowrecords/flow/connections/registry"
	"github.com/flowrecords/flow/connections/registry/registrytest"
	"github.com/flowrecords/flow/engine"
)

const fetchedConfig = `
connection "registry" "main" { urls = ["%s"] }

connection "kafka" "main" { brokers = ["localhost:1"] }

pipeline "p" {
  input "kafka" "orders" {
    connection = connection.kafka.main
    topics     = [%s]
    group      = "g"
    key "string" {}
    value "avro" { registry = connection.registry.main }
  }
  processor "filter" "paid" { where = "value.%s > 5" }
  output "drop" "out" {}
}
`

// TestSchemaFetch: --fetch asks the registry for the latest version of what
// inputs read and checks the rest of the pipeline against it.
func TestSchemaFetch(t *testing.T) {
	t.Parallel()
	fake := registrytest.New()
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	register(t, server.URL, "orders-value", `{"type":"record","name":"Order","fields":[{"name":"amount","type":"long"}]}`)
	register(t, server.URL, "more-value", `{"type":"record","name":"Order","fields":[{"name":"amount","type":"long"}]}`)
	register(t, server.URL, "other-value", `{"type":"record","name":"Other","fields":[{"name":"amount","type":"long"}]}`)
	for _, tt := range []struct {
		name, topics, field string
		fetch               bool
		status              int
		stdout, stderr      string
	}{
		{"not asked", `"orders"`, "amuont", false, 0, "value: not known: each record says of which schema its value is.", ""},
		{"latest", `"orders"`, "amount", true, 0, "value: struct Order\n    amount int64\n", ""},
		{"checked", `"orders"`, "amuont", true, 2, "", `unknown field amuont`},
		{"two topics", `"orders", "more"`, "amount", true, 0, "value: struct Order\n", ""},
		{"two schemas", `"orders", "other"`, "amuont", true, 0, "the values of the topics orders and other are of different", ""},
		{"no subject", `"nothing"`, "amount", true, 1, "value: not known: ", "fetching schemas: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "p.hcl")
			if err := os.WriteFile(file, fmt.Appendf(nil, fetchedConfig, server.URL, tt.topics, tt.field), 0o600); err != nil {
				t.Fatal(err)
			}
			args := []string{"schema", file}
			if tt.fetch {
				args = append(args, "--fetch")
			}
			var stdout, stderr bytes.Buffer
			c := exec.Command(flowCommand(t), args...)
			c.Stdout, c.Stderr = &stdout, &stderr
			_ = c.Run() // the status says it
			if got := c.ProcessState.ExitCode(); got != tt.status || !strings.Contains(stdout.String(), tt.stdout) || !strings.Contains(stderr.String(), tt.stderr) {
				t.Errorf("status %d\n%s\n%s", got, &stdout, &stderr)
			}
		})
	}
}

// register puts a schema into a registry.
func register(t *testing.T, url, subject, text string) {
	t.Helper()
	cfg := registry.Defaults()
	cfg.URLs = []string{url}
	conn := registry.New(cfg, engine.Env{})
	if err := conn.Acquire(); err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if _, err := conn.Register(context.Background(), subject, registry.Text{Text: text, Type: registry.Avro}); err != nil {
		t.Fatal(err)
	}
}
