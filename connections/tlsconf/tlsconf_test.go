package tlsconf

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/flowrecords/flow/engine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{cert, key, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issue returns a certificate for a name and its key, as PEM.
func (a *authority) issue(t *testing.T, name string) (cert, key string) {
	t.Helper()
	k := newKey(t)
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &k.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}))
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	// The clock of a file system may be coarse.
	at := time.Now().Add(time.Duration(len(text)) * time.Millisecond).Add(time.Duration(text[len(text)/2]) * time.Second)
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
	return path
}

// meet has a client and a server shake hands and returns whom each has seen.
func meet(t *testing.T, client, server *tls.Config) (atClient, atServer string, err error) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	seen := make(chan string, 1)
	go func() {
		c, err := ln.Accept()
		if err != nil {
			seen <- ""
			return
		}
		defer c.Close()
		s := tls.Server(c, server)
		name := ""
		if s.Handshake() == nil {
			if certs := s.ConnectionState().PeerCertificates; len(certs) > 0 {
				name = certs[0].Subject.CommonName
			}
			_, _ = io.WriteString(s, s.ConnectionState().NegotiatedProtocol+".")
		}
		seen <- name
	}()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	client = client.Clone()
	if client.ServerName == "" {
		client.ServerName = "127.0.0.1"
	}
	tc := tls.Client(c, client)
	_, err = tc.Read(make([]byte, 1)) // TLS 1.3 refuses a client after its handshake
	if err == nil {
		atClient = tc.ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	_ = c.Close()
	return atClient, <-seen, err
}

func TestHandshakes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ca, stranger := newAuthority(t), newAuthority(t)
	caFile := write(t, filepath.Join(dir, "ca.pem"), ca.pem)
	cert, key := ca.issue(t, "server.test")
	certFile, keyFile := write(t, filepath.Join(dir, "s.pem"), cert), write(t, filepath.Join(dir, "s-key.pem"), key)
	own, ownKey := ca.issue(t, "client.test")
	strange, strangeKey := stranger.issue(t, "stranger.test")
	fromFiles := &Server{CertFile: certFile, KeyFile: keyFile}
	fromText := &Server{Cert: cert, Key: engine.NewSecret(key)}
	mutual := &Server{CertFile: certFile, KeyFile: keyFile, ClientCAFile: caFile}
	tests := []struct {
		name   string
		client *Client
		server *Server
		ok     bool
		who    string
	}{
		{"authority by file", &Client{CAFile: caFile}, fromFiles, true, ""},
		{"all as text", &Client{CA: ca.pem}, fromText, true, ""},
		{"under its name", &Client{CA: ca.pem, ServerName: "server.test"}, fromText, true, ""},
		{"under a wrong name", &Client{CA: ca.pem, ServerName: "other.test"}, fromText, false, ""},
		{"system's authorities", nil, fromText, false, ""},
		{"another authority", &Client{CA: stranger.pem}, fromText, false, ""},
		{"not verified", &Client{InsecureSkipVerify: true}, fromText, true, ""},
		{"newest version", &Client{CA: ca.pem, MinVersion: "1.3"}, &Server{Cert: cert, Key: engine.NewSecret(key), MinVersion: "1.3"}, true, ""},
		{"with a certificate", &Client{CA: ca.pem, Cert: own, Key: engine.NewSecret(ownKey)}, mutual, true, "client.test"},
		{"with authorities of clients as text", &Client{CA: ca.pem, Cert: own, Key: engine.NewSecret(ownKey)}, &Server{Cert: cert, Key: engine.NewSecret(key), ClientCA: ca.pem}, true, "client.test"},
		{"without a certificate", &Client{CA: ca.pem}, mutual, false, ""},
		{"with a strange certificate", &Client{CA: ca.pem, Cert: strange, Key: engine.NewSecret(strangeKey)}, mutual, false, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			client, err := tt.client.Load()
			if err != nil {
				t.Fatal(err)
			}
			server, err := tt.server.Load("x")
			if err != nil {
				t.Fatal(err)
			}
			if client.MinVersion < tls.VersionTLS12 || server.MinVersion < tls.VersionTLS12 {
				t.Error("an old version is spoken")
			}
			_, who, err := meet(t, client, server)
			if (err == nil) != tt.ok || tt.ok && who != tt.who {
				t.Errorf("client %q, error %v", who, err)
			}
		})
	}
}

// TestReload: files that change are used from the next connection on, and
// broken ones leave what was there.
func TestReload(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ca, next := newAuthority(t), newAuthority(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	cert, key := ca.issue(t, "one.test")
	own, ownKey := ca.issue(t, "client.test")
	server, err := (&Server{CertFile: write(t, at("s"), cert), KeyFile: write(t, at("k"), key), ClientCAFile: write(t, at("ca"), ca.pem)}).Load()
	if err != nil {
		t.Fatal(err)
	}
	block := &Client{CA: ca.pem + next.pem, CertFile: write(t, at("c"), own), KeyFile: write(t, at("ck"), ownKey)}
	client, err := block.Load()
	if err != nil {
		t.Fatal(err)
	}
	check := func(when, wantServer, wantClient string) {
		t.Helper()
		gotServer, gotClient, err := meet(t, client, server)
		if gotServer != wantServer || gotClient != wantClient || err != nil {
			t.Errorf("%s: server %q, client %q, %v", when, gotServer, gotClient, err)
		}
	}
	check("at first", "one.test", "client.test")
	before := block.Stamp()
	write(t, at("s"), "broken")
	check("a broken file", "one.test", "client.test")
	cert, key = next.issue(t, "two.test")
	write(t, at("k"), key)
	write(t, at("s"), cert)
	check("another certificate of the server", "two.test", "client.test")
	own, ownKey = next.issue(t, "other.test")
	write(t, at("ck"), ownKey)
	write(t, at("c"), own)
	if _, _, err := meet(t, client, server); err == nil {
		t.Error("a client of an authority that is not named was let in")
	}
	if block.Stamp() == before {
		t.Error("the stamp is the same after a change")
	}
	write(t, at("ca"), next.pem)
	check("another authority of clients", "two.test", "other.test")
}

func TestLoadErrors(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "none.pem")
	bad := engine.NewSecret("hush-key")
	for name, load := range map[string]func() (*tls.Config, error){
		"ca_file":        (&Client{CAFile: missing}).Load,
		"ca":             (&Client{CA: "-----BEGIN nothing"}).Load,
		"cert_file":      (&Client{CertFile: missing, KeyFile: missing}).Load,
		"cert":           (&Client{Cert: "x", Key: bad}).Load,
		"client_ca_file": func() (*tls.Config, error) { return (&Server{CertFile: missing, KeyFile: missing}).Load() },
	} {
		if _, err := load(); err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	key := engine.NewSecret("k")
	pem := "-----BEGIN CERTIFICATE-----"
	tests := []struct {
		got  []engine.Problem
		want string
	}{
		{(*Client)(nil).Problems("tls"), ""},
		{(*Server)(nil).Problems("tls"), ""},
		{(&Client{}).Problems("tls"), ""},
		{(&Client{CertFile: "a", KeyFile: "b", CAFile: "c"}).Problems("tls"), ""},
		{(&Client{Cert: pem, Key: key}).Problems("tls"), ""},
		{(&Client{CertFile: "a"}).Problems("tls"), "tls"},
		{(&Client{CertFile: "a", Key: key}).Problems("tls"), "tls"},
		{(&Client{Cert: "a.pem", Key: key}).Problems("tls"), "tls.cert"},
		{(&Client{CA: "ca.pem"}).Problems("tls"), "tls.ca"},
		{(&Client{CA: pem, CAFile: "a"}).Problems("tls"), "tls.ca"},
		{(&Client{CertFile: "a", Cert: pem, KeyFile: "b", Key: key}).Problems("tls"), "tls.cert tls.key"},
		{(&Server{}).Problems("tls"), "tls"},
		{(&Server{CertFile: "a", KeyFile: "b", ClientCA: pem}).Problems("tls"), ""},
		{(&Server{CertFile: "a", KeyFile: "b", ClientCA: pem, ClientCAFile: "c"}).Problems("tls"), "tls.client_ca"},
	}
	for i, tt := range tests {
		var at []string
		for _, p := range tt.got {
			if p.Detail == "" || p.Summary == "" {
				t.Errorf("%d: %+v says too little", i, p)
			}
			at = append(at, p.Option)
		}
		if got := strings.Join(at, " "); got != tt.want {
			t.Errorf("%d: problems at %q, want %q", i, got, tt.want)
		}
	}
}
