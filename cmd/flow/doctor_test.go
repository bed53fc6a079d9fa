package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/flowrecords/flow/engine/doctor"
	"github.com/flowrecords/flow/internal/servers"
)

// secureConfig is a pipeline from a topic to a topic as alice, by the given
// way in.
func secureConfig(c *servers.Cluster, sasl, from, to, group string) string {
	return fmt.Sprintf(`
connection "kafka" "main" {
  brokers = [%q]
  tls { ca_file = %q }
  sasl {
    %s
  }
}

pipeline "copy" {
  input "kafka" "in" {
    connection = connection.kafka.main
    topics     = [%q]
    group      = %q
    until      = "end"
  }

  output "kafka" "out" {
    connection = connection.kafka.main
    topic      = %q
  }
}
`, c.AddrsOf(servers.SASLSSL)[0], c.CA().File(), sasl, from, group, to)
}

// call runs flow to its end.
func call(t *testing.T, dir, config string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "flow.hcl"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), flowCommand(t), append(args, "flow.hcl")...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "COLUMNS=200", "GOOD="+servers.Password(servers.Admin), "BAD=wr0ng-pass")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run()
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// Bad credentials end a run at its start with a text that says so, and the
// doctor says the same before; good ones work. Nothing shows a secret.
func TestKafkaCredentials(t *testing.T) {
	t.Parallel()
	c := servers.SharedKafka(t, servers.KafkaOptions{Security: true, ACLs: true})
	endpoint := httptest.NewServer(c.TokenEndpoint(time.Minute))
	t.Cleanup(endpoint.Close)
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"error":"invalid_client","error_description":"wr0ng-pass is wrong"}`)
	}))
	t.Cleanup(refusing.Close)
	oauth := func(url, secret string) string {
		return fmt.Sprintf("mechanism = \"oauthbearer\"\nclient_credentials {\nurl = %q\nclient_id = \"admin\"\nclient_secret = env(%q)\n}", url, secret)
	}
	password := func(mechanism, secret string) string {
		return fmt.Sprintf("mechanism = %q\nusername = \"admin\"\npassword = env(%q)", mechanism, secret)
	}
	tests := []struct {
		name, good, bad, want string
	}{
		{"plain", password("plain", "GOOD"), password("plain", "BAD"), "the broker refused the credentials"},
		{"scram-sha-256", password("scram-sha-256", "GOOD"), password("scram-sha-256", "BAD"), "the broker refused the credentials"},
		{"scram-sha-512", password("scram-sha-512", "GOOD"), password("scram-sha-512", "BAD"), "the broker refused the credentials"},
		{"oauthbearer", oauth(endpoint.URL, "GOOD"), oauth(refusing.URL, "BAD"), "it answered with status 401, invalid_client"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			from, to, group := c.Topic(t, 2), c.Topic(t, 2), servers.UniqueName(t)
			bad := secureConfig(c, tt.bad, from, to, group)
			code, out, errs := call(t, dir, bad, "run", "--progress", "never")
			if code != 1 || !strings.Contains(errs, tt.want) {
				t.Errorf("exit status %d, want 1 with %q:\n%s", code, tt.want, errs)
			}
			noSecret(t, out+errs)
			code, out, errs = call(t, dir, bad, "doctor")
			out = strings.Join(strings.Fields(out), " ")
			if code != 1 || !strings.Contains(out, "✗ authentication: ") || !strings.Contains(out, tt.want) || !strings.Contains(out, "since connection.kafka.main does not work") {
				t.Errorf("exit status %d:\n%s%s", code, out, errs)
			}
			noSecret(t, out+errs)

			good := secureConfig(c, tt.good, from, to, group)
			if code, _, errs := call(t, dir, good, "run", "--progress", "never"); code != 0 {
				t.Errorf("exit status %d:\n%s", code, errs)
			}
			code, out, errs = call(t, dir, good, "doctor", "--format", "json")
			var report doctor.Report
			if err := json.Unmarshal([]byte(out), &report); err != nil || code != 0 || report.Status != "ok" || report.Version != 1 {
				t.Errorf("exit status %d, %v:\n%s%s", code, err, out, errs)
			}
			if len(report.Subjects) != 3 {
				t.Errorf("%d subjects, want connection, input and output", len(report.Subjects))
			}
			noSecret(t, out+errs)
		})
	}
}

var tokens = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{10,}`)

func noSecret(t *testing.T, text string) {
	t.Helper()
	for _, s := range []string{"wr0ng-pass", servers.Password(servers.Admin)} {
		if strings.Contains(text, s) {
			t.Errorf("the secret %s is shown:\n%s", s, text)
		}
	}
	if tokens.MatchString(text) {
		t.Errorf("a token is shown:\n%s", text)
	}
}
