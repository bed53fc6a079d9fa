package kafka

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"

	"github.com/flowrecords/flow/connections/oauth"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/internal/servers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(servers.Main(m)) }

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func embeddedConfig(dir string) *Config {
	c := Defaults()
	c.Embedded = dir
	c.EmbeddedPartitions = 3
	return c
}

// The embedded broker starts with its first user, stops after the last one and
// has its topics, records and positions again at the next start.
func TestEmbeddedBrokerKeepsItsData(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "demo", "kafka")
	ctx := testContext(t)
	conn := New(embeddedConfig(dir))
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Error("New has made the folder")
	}
	if err := conn.Acquire(ctx); err != nil {
		t.Fatal(err)
	}
	if err := conn.Acquire(ctx); err != nil {
		t.Fatal(err)
	}
	client := dial(t, conn)
	adm := kadm.NewClient(client)
	if _, err := adm.CreateTopic(ctx, -1, -1, nil, "orders"); err != nil {
		t.Fatal(err)
	}
	if err := client.ProduceSync(ctx, kgo.StringRecord("one"), kgo.StringRecord("two")).FirstErr(); err != nil {
		t.Fatal(err)
	}
	var offsets kadm.Offsets
	offsets.AddOffset("orders", 0, 1, -1)
	if err := adm.CommitAllOffsets(ctx, "g", offsets); err != nil {
		t.Fatal(err)
	}
	client.Close()
	address := conn.Addresses()[0]
	if err := conn.Release(); err != nil {
		t.Fatal(err)
	}
	if !listening(address) {
		t.Error("the broker has stopped while one user was left")
	}
	if err := conn.Release(); err != nil {
		t.Fatal(err)
	}
	if listening(address) {
		t.Error("the broker runs on after the last user")
	}

	again := New(embeddedConfig(dir))
	if err := again.Acquire(ctx); err != nil {
		t.Fatal(err)
	}
	defer release(t, again)
	client = dial(t, again)
	defer client.Close()
	adm = kadm.NewClient(client)
	ends, err := adm.ListEndOffsets(ctx, "orders")
	if err != nil {
		t.Fatal(err)
	}
	n, partitions := int64(0), 0
	ends.Each(func(o kadm.ListedOffset) { n += o.Offset; partitions++ })
	if n != 2 || partitions != 3 {
		t.Errorf("%d records in %d partitions after the restart, want 2 in 3", n, partitions)
	}
	got, err := adm.FetchOffsets(ctx, "g")
	if err != nil {
		t.Fatal(err)
	}
	if o, ok := got.Lookup("orders", 0); !ok || o.At != 1 {
		t.Errorf("the group's position is %+v after the restart", o)
	}
}

func dial(t *testing.T, conn *Connection) *kgo.Client {
	t.Helper()
	client, err := conn.Client(engine.Env{Pipeline: "p", Element: "e"}, kgo.DefaultProduceTopic("orders"))
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func release(t *testing.T, conn *Connection) {
	t.Helper()
	if err := conn.Release(); err != nil {
		t.Error(err)
	}
}

func listening(address string) bool {
	c, err := net.Dial("tcp", address)
	if err == nil {
		_ = c.Close()
	}
	return err == nil
}

func TestEmbeddedFolderHasOneUser(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	one, two := New(embeddedConfig(dir)), New(embeddedConfig(dir))
	if err := one.Acquire(testContext(t)); err != nil {
		t.Fatal(err)
	}
	if err := two.Acquire(testContext(t)); err == nil || !strings.Contains(err.Error(), "another process or connection uses this folder") {
		t.Errorf("a second broker on the folder: %v", err)
	}
	release(t, one)
	if err := two.Acquire(testContext(t)); err != nil {
		t.Errorf("after the first has stopped: %v", err)
	}
	release(t, two)
}

func TestEmbeddedPort(t *testing.T) {
	t.Parallel()
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := probe.Addr().(*net.TCPAddr)
	_ = probe.Close()
	c := embeddedConfig(t.TempDir())
	c.EmbeddedPort = address.Port
	conn := New(c)
	if err := conn.Acquire(testContext(t)); err != nil {
		t.Fatal(err)
	}
	defer release(t, conn)
	if got := conn.Addresses()[0]; got != address.String() {
		t.Errorf("it listens at %s, want %s", got, address)
	}
}

func TestPasswords(t *testing.T) {
	t.Parallel()
	tests := []struct {
		mechanism, method string
	}{
		{"plain", "PLAIN"},
		{"scram-sha-256", "SCRAM-SHA-256"},
		{"scram-sha-512", "SCRAM-SHA-512"},
	}
	for _, tt := range tests {
		t.Run(tt.mechanism, func(t *testing.T) {
			t.Parallel()
			cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(), kfake.Superuser(tt.method, "flow", "hush"))
			if err != nil {
				t.Fatal(err)
			}
			defer cluster.Close()
			c := Defaults()
			c.Brokers = cluster.ListenAddrs()
			c.SASL = &SASL{Mechanism: tt.mechanism, Username: "flow", Password: engine.NewSecret("hush")}
			client := dial(t, New(c))
			if err := client.Ping(testContext(t)); err != nil {
				t.Errorf("with the right password: %v", err)
			}
			client.Close()

			// kfake closes the connection on a wrong password; a real broker
			// answers like this first.
			cluster.ControlKey(int16(kmsg.SASLAuthenticate), func(req kmsg.Request) (kmsg.Response, error, bool) {
				resp := req.ResponseKind().(*kmsg.SASLAuthenticateResponse)
				resp.ErrorCode = kerr.SaslAuthenticationFailed.Code
				return resp, nil, true
			})
			c.SASL.Password = engine.NewSecret("wr0ng-pass")
			client = dial(t, New(c))
			defer client.Close()
			err = Classify("connecting", client.Ping(testContext(t)))
			var retry *engine.RetryError
			if !errors.Is(err, kerr.SaslAuthenticationFailed) || errors.As(err, &retry) {
				t.Errorf("with a wrong password: %v, want an error that is not retried", err)
			}
			if err != nil && strings.Contains(err.Error(), "wr0ng-pass") {
				t.Errorf("the error shows the password: %v", err)
			}
		})
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert := selfSigned(t, dir)
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.TLS(&tls.Config{
		Certificates: []tls.Certificate{cert},
		ClientAuth:   tls.RequestClientCert,
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	pemFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	tests := []struct {
		name string
		tls  *TLS
		ok   bool
	}{
		{"trusted by file", &TLS{CAFile: pemFile}, true},
		{"with a certificate of the client", &TLS{CAFile: pemFile, CertFile: pemFile, KeyFile: keyFile}, true},
		{"not verified", &TLS{InsecureSkipVerify: true}, true},
		{"under its other name", &TLS{CAFile: pemFile, ServerName: "kafka.test"}, true},
		{"under a wrong name", &TLS{CAFile: pemFile, ServerName: "other.test"}, false},
		{"not trusted", &TLS{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := Defaults()
			c.Brokers, c.TLS = cluster.ListenAddrs(), tt.tls
			client := dial(t, New(c))
			defer client.Close()
			err := Classify("connecting", client.Ping(testContext(t)))
			var retry *engine.RetryError
			switch {
			case tt.ok && err != nil:
				t.Error(err)
			case !tt.ok && (err == nil || errors.As(err, &retry)):
				t.Errorf("error %v, want one that is not retried", err)
			}
		})
	}
	for name, broken := range map[string]*TLS{
		"no such file":   {CAFile: filepath.Join(dir, "none.pem")},
		"no certificate": {CAFile: keyFile},
		"no key":         {CertFile: pemFile, KeyFile: filepath.Join(dir, "none.pem")},
	} {
		c := Defaults()
		c.Brokers, c.TLS = cluster.ListenAddrs(), broken
		if client, err := New(c).Client(engine.Env{}); err == nil {
			client.Close()
			t.Errorf("%s: no error", name)
		}
	}
}

// selfSigned writes a certificate for 127.0.0.1 and kafka.test to the folder.
func selfSigned(t *testing.T, dir string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "flow test"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		DNSNames:              []string{"kafka.test"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, filepath.Join(dir, "cert.pem"), "CERTIFICATE", der)
	writePEM(t, filepath.Join(dir, "key.pem"), "EC PRIVATE KEY", keyDER)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func writePEM(t *testing.T, name, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		edit func(*Config)
		want []string
	}{
		{"brokers", func(c *Config) { c.Brokers = []string{"a:9092", "[::1]:9092"} }, nil},
		{"embedded", func(c *Config) { c.Embedded = "demo" }, nil},
		{"neither", func(*Config) {}, []string{": no brokers"}},
		{"both", func(c *Config) { c.Brokers, c.Embedded = []string{"a:1"}, "demo" }, []string{"embedded: brokers and embedded exclude each other"}},
		{"no port", func(c *Config) { c.Brokers = []string{"localhost"} }, []string{"brokers: broker address without host or port"}},
		{"no host", func(c *Config) { c.Brokers = []string{":9092"} }, []string{"brokers: broker address without host or port"}},
		{"embedded with tls and sasl", func(c *Config) { c.Embedded, c.TLS, c.SASL = "demo", &TLS{}, &SASL{} },
			[]string{"tls: tls with an embedded broker", "sasl: sasl with an embedded broker"}},
		{"certificate without key", func(c *Config) { c.Brokers, c.TLS = []string{"a:1"}, &TLS{CertFile: "x"} },
			[]string{"tls: certificate without key or key without certificate"}},
		{"certificate as file and text", func(c *Config) {
			c.Brokers, c.TLS = []string{"a:1"}, &TLS{CAFile: "x", CA: "-----BEGIN CERTIFICATE-----"}
		},
			[]string{"tls.ca: ca_file and ca exclude each other"}},
		{"metadata ages", func(c *Config) {
			c.Brokers, c.MetadataMinAge, c.MetadataMaxAge = []string{"a:1"}, time.Minute, time.Second
		},
			[]string{"metadata_min_age: metadata_min_age is over metadata_max_age"}},
		{"password without name", withSASL(SASL{Mechanism: "plain", Password: engine.NewSecret("x")}), []string{"sasl.username: plain without username"}},
		{"name without password", withSASL(SASL{Mechanism: "scram-sha-256", Username: "x"}), []string{"sasl.password: scram-sha-256 without password"}},
		{"token with a password", withSASL(SASL{Mechanism: "plain", Username: "x", Password: engine.NewSecret("x"), Token: engine.NewSecret("x"), TokenFile: "x",
			ClientCredentials: &oauth.ClientCredentials{}, Extensions: map[string]string{"a": "b"}, Identity: "x"}),
			[]string{"sasl.token: token without oauthbearer", "sasl.token_file: token_file without oauthbearer", "sasl.client_credentials: client_credentials without oauthbearer",
				"sasl.extensions: extensions without oauthbearer", "sasl.identity: identity without oauthbearer"}},
		{"token", withSASL(SASL{Mechanism: "oauthbearer", Token: engine.NewSecret("x"), Extensions: map[string]string{"logicalCluster": "x"}}), nil},
		{"no token", withSASL(SASL{Mechanism: "oauthbearer"}), []string{"sasl: oauthbearer without a token"}},
		{"two tokens", withSASL(SASL{Mechanism: "oauthbearer", Token: engine.NewSecret("x"), TokenFile: "x"}), []string{"sasl: more than one token"}},
		{"token and password", withSASL(SASL{Mechanism: "oauthbearer", Username: "x", Password: engine.NewSecret("x"), TokenFile: "x"}),
			[]string{"sasl.username: username with oauthbearer", "sasl.password: password with oauthbearer"}},
		{"extension", withSASL(SASL{Mechanism: "oauthbearer", TokenFile: "x", Extensions: map[string]string{"auth": "x"}}),
			[]string{`sasl.extensions: "auth" is no name of an extension`}},
		{"client credentials", withSASL(SASL{Mechanism: "oauthbearer", ClientCredentials: &oauth.ClientCredentials{URL: "https://a/b", ClientID: "x", ClientSecret: engine.NewSecret("x")}}), nil},
		{"no client credentials", withSASL(SASL{Mechanism: "oauthbearer", ClientCredentials: &oauth.ClientCredentials{URL: "a/b", Scope: []string{"a b"}, Params: map[string]string{"scope": "x"}}}),
			[]string{"sasl.client_credentials.url: url is no URL of a token endpoint", "sasl.client_credentials.client_id: client_id is empty",
				"sasl.client_credentials.client_secret: client_secret is empty", `sasl.client_credentials.scope: "a b" is no scope`, "sasl.client_credentials.params: scope in params"}},
		{"name in a URL", withSASL(SASL{Mechanism: "oauthbearer", ClientCredentials: &oauth.ClientCredentials{URL: "https://me:pw@a/b", ClientID: "x", ClientSecret: engine.NewSecret("x")}}),
			[]string{"sasl.client_credentials.url: url holds a name or password"}},
		{"tls of a URL without", withSASL(SASL{Mechanism: "oauthbearer", ClientCredentials: &oauth.ClientCredentials{URL: "http://a/b", ClientID: "x", ClientSecret: engine.NewSecret("x"), TLS: &TLS{}}}),
			[]string{"sasl.client_credentials.tls: tls for a URL without it"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := Defaults()
			tt.edit(c)
			var got []string
			for _, p := range c.Validate() {
				if p.Detail == "" {
					t.Errorf("%s has no detail", p.Summary)
				}
				got = append(got, p.Option+": "+p.Summary)
			}
			if strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
				t.Errorf("problems:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

func withSASL(s SASL) func(*Config) {
	return func(c *Config) { c.Brokers, c.SASL = []string{"a:1"}, &s }
}

func TestClassify(t *testing.T) {
	t.Parallel()
	tests := []struct {
		err   error
		retry bool
	}{
		{&net.OpError{Op: "dial", Err: errors.New("connection refused")}, true},
		{context.DeadlineExceeded, true},
		{kerr.NotLeaderForPartition, true},
		{kerr.CoordinatorNotAvailable, true},
		{kerr.SaslAuthenticationFailed, false},
		{kerr.GroupAuthorizationFailed, false},
		{kerr.InvalidGroupID, false},
	}
	for _, tt := range tests {
		err := Classify("asking", tt.err)
		var retry *engine.RetryError
		if errors.As(err, &retry) != tt.retry || !errors.Is(err, tt.err) || !strings.HasPrefix(err.Error(), "asking: ") {
			t.Errorf("%v is classified as %#v", tt.err, err)
		}
	}
	if Classify("asking", nil) != nil {
		t.Error("no error has become one")
	}
}

func TestSoftwareVersion(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"": "0", "v1.2.3": "v1.2.3", "v1.2+dirty build": "v1.2-dirty-build", "-x.": "x", "…": "0"} {
		if got := softwareVersion(in); got != want {
			t.Errorf("softwareVersion(%q) = %q, want %q", in, got, want)
		}
	}
}
