package servers

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// securedOptions has all that a broker can be asked for.
func securedOptions() KafkaOptions {
	return KafkaOptions{Security: true, ACLs: true, Proxied: true, Properties: map[string]string{"message.max.bytes": "2000000"}}
}

// secured is the cluster of the security tests.
func secured(t *testing.T) *Cluster { return SharedKafka(t, securedOptions()) }

func mechanism(c *Cluster, name, user, password string) sasl.Mechanism {
	switch name {
	case "PLAIN":
		return plain.Auth{User: user, Pass: password}.AsMechanism()
	case "SCRAM-SHA-256":
		return scram.Auth{User: user, Pass: password}.AsSha256Mechanism()
	case "SCRAM-SHA-512":
		return scram.Auth{User: user, Pass: password}.AsSha512Mechanism()
	default:
		life := time.Minute
		if password != Password(user) {
			life = -time.Minute
		}
		return oauth.Auth{Token: c.Token(user, life)}.AsMechanism()
	}
}

// tlsConfig trusts the cluster and shows a certificate of a user, if one is named.
func tlsConfig(t *testing.T, ca *CA, user string, signer *CA, notAfter time.Time) *tls.Config {
	t.Helper()
	config := &tls.Config{RootCAs: ca.Pool()}
	if user != "" {
		cert, key, err := signer.Issue(user, notAfter)
		mustDo(t, err)
		pair, err := tls.X509KeyPair(cert, key)
		mustDo(t, err)
		// Always, also to a server that asks for another authority's.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	return config
}

// write produces one record and returns what the broker answered.
func write(t *testing.T, c *Cluster, l Listener, topic string, opts ...kgo.Opt) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	opts = append([]kgo.Opt{kgo.SeedBrokers(c.AddrsOf(l)...), kgo.RecordRetries(2), kgo.RequestRetries(2)}, opts...)
	cl, err := kgo.NewClient(opts...)
	mustDo(t, err)
	defer cl.Close()
	if err := cl.Ping(ctx); err != nil {
		return err
	}
	return cl.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte(l)}).FirstErr()
}

// allow lets a user write to a topic.
func allow(t *testing.T, c *Cluster, topic, user string) {
	t.Helper()
	acl := kadm.NewACLs().Topics(topic).ResourcePatternType(kadm.ACLPatternLiteral).
		Operations(kadm.OpWrite, kadm.OpDescribe).Allow("User:" + user).AllowHosts("*")
	results, err := kadm.NewClient(c.Client(t)).CreateACLs(t.Context(), acl)
	mustDo(t, err)
	for _, r := range results {
		mustDo(t, r.Err)
	}
}

func TestSASL(t *testing.T) {
	t.Parallel()
	c := secured(t)
	topic := c.Topic(t, 1)
	allow(t, c, topic, Alice)
	for _, l := range []Listener{SASLPlaintext, SASLSSL} {
		for _, m := range Mechanisms() {
			t.Run(string(l)+"/"+m, func(t *testing.T) {
				t.Parallel()
				var opts []kgo.Opt
				if l == SASLSSL {
					opts = append(opts, kgo.DialTLSConfig(tlsConfig(t, c.CA(), "", nil, time.Time{})))
				}
				as := func(user, password string) error {
					return write(t, c, l, topic, append(opts, kgo.SASL(mechanism(c, m, user, password)))...)
				}
				eventually(t, func(context.Context) error { return as(Alice, Password(Alice)) })
				mustDo(t, as(Admin, Password(Admin)))
				if err := as(Bob, Password(Bob)); !errors.Is(err, kerr.TopicAuthorizationFailed) {
					t.Errorf("a user without a rule: %v", err)
				}
				if err := as(Alice, "wrong"); err == nil || errors.Is(err, kerr.TopicAuthorizationFailed) {
					t.Errorf("a wrong password or an expired token: %v", err)
				}
			})
		}
	}
}

func TestSSL(t *testing.T) {
	t.Parallel()
	c := secured(t)
	topic := c.Topic(t, 1)
	allow(t, c, topic, Alice)
	other, err := NewCA(t.TempDir())
	mustDo(t, err)
	hour := time.Now().Add(time.Hour)

	// No certificate: the user is ANONYMOUS, who may do all here.
	mustDo(t, write(t, c, SSL, topic, kgo.DialTLSConfig(tlsConfig(t, c.CA(), "", nil, hour))))
	if err := write(t, c, SSL, topic, kgo.DialTLSConfig(tlsConfig(t, other, "", nil, hour))); err == nil || !strings.Contains(err.Error(), "unknown authority") {
		t.Errorf("brokers of an authority that is not trusted: %v", err)
	}

	eventually(t, func(context.Context) error {
		return write(t, c, MutualTLS, topic, kgo.DialTLSConfig(tlsConfig(t, c.CA(), Alice, c.CA(), hour)))
	})
	if err := write(t, c, MutualTLS, topic, kgo.DialTLSConfig(tlsConfig(t, c.CA(), Bob, c.CA(), hour))); !errors.Is(err, kerr.TopicAuthorizationFailed) {
		t.Errorf("a certificate of a user without a rule: %v", err)
	}
	for name, config := range map[string]*tls.Config{
		"no certificate":             tlsConfig(t, c.CA(), "", nil, hour),
		"another authority's":        tlsConfig(t, c.CA(), Alice, other, hour),
		"a certificate that is over": tlsConfig(t, c.CA(), Alice, c.CA(), time.Now().Add(-time.Minute)),
	} {
		if err := write(t, c, MutualTLS, topic, kgo.DialTLSConfig(config)); err == nil || errors.Is(err, kerr.TopicAuthorizationFailed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTokenEndpoint(t *testing.T) {
	t.Parallel()
	c := secured(t)
	topic := c.Topic(t, 1)
	server := httptest.NewServer(c.TokenEndpoint(time.Minute))
	t.Cleanup(server.Close)

	ask := func(basic bool, grant, id, secret string) (int, map[string]any) {
		form := url.Values{"grant_type": {grant}}
		if !basic {
			form.Set("client_id", id)
			form.Set("client_secret", secret)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader(form.Encode()))
		mustDo(t, err)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if basic {
			req.SetBasicAuth(id, secret)
		}
		resp, err := server.Client().Do(req)
		mustDo(t, err)
		defer resp.Body.Close()
		var body map[string]any
		mustDo(t, json.NewDecoder(resp.Body).Decode(&body))
		return resp.StatusCode, body
	}
	for _, basic := range []bool{true, false} {
		status, body := ask(basic, "client_credentials", Admin, Password(Admin))
		if status != http.StatusOK || body["expires_in"] != 60.0 {
			t.Fatalf("basic %v: %d %v", basic, status, body)
		}
		token, _ := body["access_token"].(string)
		mustDo(t, write(t, c, SASLPlaintext, topic, kgo.SASL(oauth.Auth{Token: token}.AsMechanism())))
		if status, body := ask(basic, "client_credentials", Admin, "wrong"); status != http.StatusUnauthorized || body["error"] != "invalid_client" {
			t.Errorf("a wrong secret: %d %v", status, body)
		}
		if status, body := ask(basic, "password", Admin, Password(Admin)); status != http.StatusBadRequest || body["error"] != "unsupported_grant_type" {
			t.Errorf("another grant: %d %v", status, body)
		}
	}
}
