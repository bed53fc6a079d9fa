package kafka

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flowrecords/flow/connections/oauth"
	"github.com/flowrecords/flow/connections/tlsconf"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/internal/servers"
)

// secured is a real broker with every listener, that asks who may do what.
func secured(t *testing.T) *servers.Cluster {
	t.Helper()
	return servers.SharedKafka(t, servers.KafkaOptions{Security: true, ACLs: true})
}

// produce writes one record through a connection with this config.
func produce(ctx context.Context, c *Config, topic string) error {
	client, err := New(c).Client(engine.Env{Pipeline: "p", Element: "e"}, kgo.RequestRetries(2), kgo.RecordRetries(2))
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.Ping(ctx); err != nil {
		return Classify("connecting to Kafka", err)
	}
	return Classify("writing", client.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte("x")}).FirstErr())
}

// allow grants a right on a topic, group or transactional id.
func allow(t *testing.T, c *servers.Cluster, user string, acl *kadm.ACLBuilder, ops ...kadm.ACLOperation) {
	t.Helper()
	admin := kadm.NewClient(c.Client(t))
	results, err := admin.CreateACLs(testContext(t), acl.ResourcePatternType(kadm.ACLPatternLiteral).Operations(ops...).Allow("User:"+user).AllowHosts("*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
}

// eventually tries until rules have reached the brokers.
func eventually(t *testing.T, f func() error) {
	t.Helper()
	ctx := testContext(t)
	for {
		err := f()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatal(err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// certificate writes what a client shows, and returns the tls block with it.
func certificate(t *testing.T, ca, signer *servers.CA, user string, notAfter time.Time) *TLS {
	t.Helper()
	cert, key, err := signer.Issue(user, notAfter)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	c := &TLS{CAFile: ca.File(), CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem")}
	for name, data := range map[string][]byte{c.CertFile: cert, c.KeyFile: key} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// sasls are the ways for a user to say who he is; wrong is what the broker
// refuses.
func sasls(t *testing.T, c *servers.Cluster) map[string]func(user string, wrong bool) *SASL {
	endpoint := httptest.NewServer(c.TokenEndpoint(time.Minute))
	t.Cleanup(endpoint.Close)
	password := func(mechanism string) func(string, bool) *SASL {
		return func(user string, wrong bool) *SASL {
			s := &SASL{Mechanism: mechanism, Username: user, Password: engine.NewSecret(servers.Password(user))}
			if wrong {
				s.Password = engine.NewSecret("wr0ng-pass")
			}
			return s
		}
	}
	token := func(user string, wrong bool) string {
		if wrong {
			return c.Token(user, -time.Minute)
		}
		return c.Token(user, time.Minute)
	}
	return map[string]func(string, bool) *SASL{
		"plain":         password("plain"),
		"scram-sha-256": password("scram-sha-256"),
		"scram-sha-512": password("scram-sha-512"),
		"token": func(user string, wrong bool) *SASL {
			return &SASL{Mechanism: "oauthbearer", Token: engine.NewSecret(token(user, wrong))}
		},
		"token_file": func(user string, wrong bool) *SASL {
			file := filepath.Join(t.TempDir(), "token")
			if err := os.WriteFile(file, []byte(token(user, wrong)+"\n"), 0o600); err != nil {
				t.Error(err)
			}
			return &SASL{Mechanism: "oauthbearer", TokenFile: file}
		},
		"client_credentials": func(user string, wrong bool) *SASL {
			cc := &oauth.ClientCredentials{URL: endpoint.URL, ClientID: user, ClientSecret: engine.NewSecret(servers.Password(user)), SendIn: "body"}
			if wrong {
				cc.ClientSecret = engine.NewSecret("wr0ng-pass")
			}
			return &SASL{Mechanism: "oauthbearer", ClientCredentials: cc}
		},
	}
}

// Every way to authenticate works against a real broker; wrong credentials end
// the run at its start, with a text that holds no secret; and a right that is
// missing is told apart from them.
func TestRealBrokerSASL(t *testing.T) {
	t.Parallel()
	c := secured(t)
	topic := c.Topic(t, 1)
	allow(t, c, servers.Alice, kadm.NewACLs().Topics(topic), kadm.OpWrite, kadm.OpDescribe)
	for name, way := range sasls(t, c) {
		for _, l := range []servers.Listener{servers.SASLPlaintext, servers.SASLSSL} {
			t.Run(fmt.Sprintf("%s/%s", l, name), func(t *testing.T) {
				t.Parallel()
				config := func(user string, wrong bool) *Config {
					k := Defaults()
					k.Brokers, k.SASL = c.AddrsOf(l), way(user, wrong)
					if l == servers.SASLSSL {
						k.TLS = &TLS{CAFile: c.CA().File()}
					}
					return k
				}
				eventually(t, func() error { return produce(testContext(t), config(servers.Alice, false), topic) })
				if err := produce(testContext(t), config(servers.Bob, false), topic); !errors.Is(err, kerr.TopicAuthorizationFailed) {
					t.Errorf("a user without a rule: %v", err)
				}
				err := produce(testContext(t), config(servers.Alice, true), topic)
				isFinal(t, err)
				if text := fmt.Sprint(err); strings.Contains(text, "wr0ng-pass") || strings.Contains(text, "eyJ") {
					t.Errorf("the error shows a secret: %v", err)
				}
				if !Unproved(err) {
					t.Errorf("%v is not told to be about the credentials", err)
				}

				// The doctor says the same, and nothing else is wrong.
				r := check(t, New(config(servers.Alice, false)).Check)
				expect(t, r, "ok authentication")
				expect(t, r, "ok cluster: 1 broker")
				expect(t, r, "ok version: speaks as Kafka v4.")
				unexpected(t, r, "failure", "warning")
				r = check(t, New(config(servers.Alice, true)).Check)
				expect(t, r, "failure authentication")
			})
		}
	}
}

func isFinal(t *testing.T, err error) {
	t.Helper()
	var retry *engine.RetryError
	if err == nil || errors.As(err, &retry) {
		t.Errorf("error %v, want one that is not retried", err)
	}
}

// Certificates: of the brokers, and of clients.
func TestRealBrokerTLS(t *testing.T) {
	t.Parallel()
	c := secured(t)
	topic := c.Topic(t, 1)
	allow(t, c, servers.Alice, kadm.NewACLs().Topics(topic), kadm.OpWrite, kadm.OpDescribe)
	other, err := servers.NewCA(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	hour := time.Now().Add(time.Hour)
	tests := []struct {
		name     string
		listener servers.Listener
		tls      *TLS
		want     string // of the doctor
		ok       bool
	}{
		{"no certificate asked for", servers.SSL, &TLS{CAFile: c.CA().File()}, "ok authentication", true},
		{"TLS 1.3", servers.SSL, &TLS{CAFile: c.CA().File(), MinVersion: "1.3"}, "TLS 1.3", true},
		{"not verified", servers.SSL, &TLS{InsecureSkipVerify: true}, "ok authentication", true},
		{"an authority that is not trusted", servers.SSL, &TLS{CAFile: other.File()}, "which is not trusted → Name the PEM file of that authority in ca_file", false},
		{"another name", servers.SSL, &TLS{CAFile: c.CA().File(), ServerName: "kafka.example"}, "not for kafka.example → Dial it by a name of the certificate", false},
		{"a certificate of the client", servers.MutualTLS, certificate(t, c.CA(), c.CA(), servers.Alice, hour), "ok authentication", true},
		{"no certificate of the client", servers.MutualTLS, &TLS{CAFile: c.CA().File()}, "failure authentication", false},
		{"a client of another authority", servers.MutualTLS, certificate(t, c.CA(), other, servers.Alice, hour), "failure authentication", false},
		{"a client's certificate that is over", servers.MutualTLS, certificate(t, c.CA(), c.CA(), servers.Alice, time.Now().Add(-time.Minute)), "failure authentication", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			k := Defaults()
			k.Brokers, k.TLS = c.AddrsOf(tt.listener), tt.tls
			if tt.ok {
				eventually(t, func() error { return produce(testContext(t), k, topic) })
			} else {
				err := produce(testContext(t), k, topic)
				isFinal(t, err)
				if _, _, ok := tlsconf.Explain(err); !ok {
					t.Errorf("%v is not explained", err)
				}
			}
			expect(t, check(t, New(k).Check), tt.want)
		})
	}
}

// What the listener speaks and what the config says differ.
func TestRealBrokerMismatch(t *testing.T) {
	t.Parallel()
	c := secured(t)
	user := &SASL{Mechanism: "plain", Username: servers.Alice, Password: engine.NewSecret(servers.Password(servers.Alice))}
	tests := []struct {
		name     string
		listener servers.Listener
		tls      *TLS
		sasl     *SASL
		want     string
	}{
		{"plain text to TLS", servers.SSL, nil, nil, "failure authentication: the port is one for TLS"},
		{"TLS to plain text", servers.Plaintext, &TLS{CAFile: c.CA().File()}, nil, "port at which TLS is spoken"},
		{"no SASL", servers.SASLPlaintext, nil, nil, "failure authentication: the broker hung up"},
		{"SASL where there is none", servers.Plaintext, nil, user, "failure authentication: the broker asks for no authentication"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			k := Defaults()
			k.Brokers, k.TLS, k.SASL, k.DialTimeout = c.AddrsOf(tt.listener), tt.tls, tt.sasl, 2*time.Second
			expect(t, check(t, New(k).Check), tt.want)
		})
	}
}

// check runs a check and returns its results as lines: STATUS WHAT: DETAIL → REMEDY.
func check(t *testing.T, f func(context.Context, *engine.CheckReport)) []string {
	t.Helper()
	r := &engine.CheckReport{}
	f(testContext(t), r)
	var lines []string
	for _, c := range r.Checks() {
		line := fmt.Sprintf("%s %s", c.Status, c.What)
		if c.Detail != "" {
			line += ": " + c.Detail
		}
		if c.Remedy != "" {
			line += " → " + c.Remedy
		}
		if (c.Status == engine.CheckFailure || c.Status == engine.CheckWarning) && c.Remedy == "" {
			t.Errorf("%s has no remedy", line)
		}
		lines = append(lines, line)
	}
	return lines
}

func expect(t *testing.T, lines []string, want string) {
	t.Helper()
	for _, l := range lines {
		if strings.Contains(l, want) {
			return
		}
	}
	t.Errorf("no check says %q:\n%s", want, strings.Join(lines, "\n"))
}

func unexpected(t *testing.T, lines []string, statuses ...string) {
	t.Helper()
	for _, l := range lines {
		for _, s := range statuses {
			if strings.HasPrefix(l, s+" ") {
				t.Errorf("unexpected: %s", l)
			}
		}
	}
}
