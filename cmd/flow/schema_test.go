package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
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
	register(t, server.URL, registry.Avro, "orders-value", `{"type":"record","name":"Order","fields":[{"name":"amount","type":"long"}]}`)
	register(t, server.URL, registry.Avro, "more-value", `{"type":"record","name":"Order","fields":[{"name":"amount","type":"long"}]}`)
	register(t, server.URL, registry.Avro, "other-value", `{"type":"record","name":"Other","fields":[{"name":"amount","type":"long"}]}`)
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
			args := []string{"schema"}
			if tt.fetch {
				args = append(args, "--fetch")
			}
			status, stdout, stderr := schemaOf(t, fmt.Sprintf(fetchedConfig, server.URL, tt.topics, tt.field), args)
			if status != tt.status || !strings.Contains(stdout, tt.stdout) || !strings.Contains(stderr, tt.stderr) {
				t.Errorf("status %d\n%s\n%s", status, stdout, stderr)
			}
		})
	}
}

// schemaOf runs the schema command on a config; behind are the arguments after
// its file.
func schemaOf(t *testing.T, config string, args []string, behind ...string) (status int, stdout, stderr string) {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "p.hcl"), config)
	var out, errs bytes.Buffer
	c := exec.Command(flowCommand(t), append(append(args, "p.hcl"), behind...)...)
	c.Dir = dir
	c.Stdout, c.Stderr = &out, &errs
	_ = c.Run() // the status says it
	return c.ProcessState.ExitCode(), out.String(), errs.String()
}

const formatConfig = `
connection "registry" "main" { urls = ["%s"] }

connection "kafka" "main" { brokers = ["localhost:1"] }

pipeline "p" {
  input "kafka" "orders" {
    connection = connection.kafka.main
    topics     = ["%s"]
    group      = "g"
    key "%[3]s" { registry = connection.registry.main }
    value "%[3]s" {
      registry = connection.registry.main
      %[4]s
    }
  }
  processor "filter" "paid" { where = "value.amount > 5" }
  processor "replace_field" "few" { exclude = ["note"] }
  output "drop" "out" {}
}
`

// TestSchemaFetchFormats: each format that knows a registry asks it, for keys
// and values, and says what is missing.
func TestSchemaFetchFormats(t *testing.T) {
	t.Parallel()
	fake := registrytest.New()
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	put := func(typ, subject, text string) { register(t, server.URL, typ, subject, text) }
	put(registry.Avro, "avro-key", `"long"`)
	put(registry.Avro, "avro-value", `{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"amount","type":{"type":"bytes","logicalType":"decimal","precision":10,"scale":2}},{"name":"note","type":["null","string"],"default":null}]}`)
	put(registry.JSON, "json-key", `{"type":"string"}`)
	put(registry.JSON, "json-value", `{"title":"shop.Order","type":"object","properties":{"amount":{"type":"number"},"note":{"type":"string"}},"required":["amount"]}`)
	put(registry.Protobuf, "proto-key", `syntax = "proto3"; message Key { int64 id = 1; }`)
	put(registry.Protobuf, "proto-value", `syntax = "proto3"; package shop; message Order { double amount = 1; optional string note = 2; }`)
	put(registry.Protobuf, "many-key", `syntax = "proto3"; message Key { int64 id = 1; }`)
	put(registry.Protobuf, "many-value", `syntax = "proto3"; package shop; message Line { string sku = 1; } message Order { double amount = 1; string note = 2; repeated Line lines = 3; }`)
	put(registry.Avro, "lacks-key", `"string"`)
	put(registry.Avro, "lacks-value", `{"type":"record","name":"Order","fields":[{"name":"amuont","type":"long"}]}`)
	for _, tt := range []struct {
		name, topic, converter, option string
		args, behind                   []string
		status                         int
		stdout, stderr                 string
	}{
		{name: "avro", topic: "avro", converter: "avro", stdout: "  key: int64\n  value: struct shop.Order\n    amount decimal(10,2)\n    note string? = null\n"},
		{name: "json_schema", topic: "json", converter: "json_schema", stdout: "  key: string\n  value: struct shop.Order\n    amount float64\n    note string?\n"},
		{name: "protobuf", topic: "proto", converter: "protobuf", stdout: "  key: struct Key\n    id int64  # number 1\n  value: struct shop.Order\n    amount float64"},
		{name: "what changes", topic: "avro", converter: "avro", stdout: "processor.filter.paid  p.hcl:17:3\n  unchanged\n\nprocessor.replace_field.few  p.hcl:18:3\n  value:\n    - note: removed, it was string?\n"},
		{name: "all", topic: "json", converter: "json_schema", args: []string{"--full"}, stdout: "processor.replace_field.few  p.hcl:18:3\n  key: string\n  value: struct shop.Order\n    amount float64\n\noutput"},
		{name: "as Avro", topic: "proto", converter: "protobuf", args: []string{"--format", "avro"}, behind: []string{"processor.few"}, stdout: `"name": "amount",`},
		{name: "as JSON", topic: "json", converter: "json_schema", args: []string{"--format", "json", "--key"}, behind: []string{"input.orders"}, stdout: `"type": "string"`},
		{name: "several messages", topic: "many", converter: "protobuf", status: 1,
			stdout: "value: not known: the schema 7 of the registry has the messages shop.Line,\n      shop.Order: say", stderr: "with the option message which one"},
		{name: "one of several", topic: "many", converter: "protobuf", option: `message = "shop.Order"`, stdout: "    lines array<struct shop.Line>"},
		{name: "no such message", topic: "many", converter: "protobuf", option: `message = "shop.Oder"`, status: 1, stderr: "declares no message shop.Oder"},
		{name: "of an id", topic: "avro", converter: "avro", option: "schema_id = 1", status: 2, stderr: "value is int64"},
		{name: "of a subject", topic: "avro", converter: "avro", option: `subject = "lacks-value"`, status: 2, stderr: `unknown field amount [FL1418]`},
		{name: "of another format", topic: "json", converter: "avro", status: 1, stderr: "JSON"},
		{name: "of the record's name", topic: "avro", converter: "avro", option: `subject_strategy = "record"`, status: 1, stdout: "value: not known: with subject_strategy", stderr: "give the option subject"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			config := fmt.Sprintf(formatConfig, server.URL, tt.topic, tt.converter, tt.option)
			status, stdout, stderr := schemaOf(t, config, append([]string{"schema", "--fetch"}, tt.args...), tt.behind...)
			if status != tt.status || !strings.Contains(stdout, tt.stdout) || !strings.Contains(stderr, tt.stderr) {
				t.Errorf("status %d\n%s\n%s", status, stdout, stderr)
			}
		})
	}
}

// register puts a schema into a registry.
func register(t *testing.T, url, typ, subject, text string) {
	t.Helper()
	cfg := registry.Defaults()
	cfg.URLs = []string{url}
	conn := registry.New(cfg, engine.Env{})
	if err := conn.Acquire(); err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if _, err := conn.Register(context.Background(), subject, registry.Text{Text: text, Type: typ}); err != nil {
		t.Fatal(err)
	}
}
