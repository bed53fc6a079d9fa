package http

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/flowrecords/flow/connections/tlsconf"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
)

// selfSigned returns a certificate for 127.0.0.1 that is its own authority.
func selfSigned(t *testing.T) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ann"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}))
}

// TestTLS: over HTTPS, by both protocols, with a certificate of the client. An
// answer waits for its confirmation there, too, and slow bodies are cut.
func TestTLS(t *testing.T) {
	t.Parallel()
	cert, key := selfSigned(t)
	pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(cert))
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(proto, func(t *testing.T) {
			t.Parallel()
			r := open(t, engine.BatchLimits{}, func(c *Config) {
				c.TLS = &tlsconf.Server{Cert: cert, Key: engine.NewSecret(key), ClientCA: cert}
				c.Request, c.BodyTimeout = []string{"user"}, 200*time.Millisecond
			})
			r.url = "https://" + r.in.srv.address
			client := func(certs ...tls.Certificate) *http.Client {
				return &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{ForceAttemptHTTP2: proto == "HTTP/2.0",
					TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: certs, MinVersion: tls.VersionTLS12}}}
			}
			r.client = client()
			if a := r.send(r.request("/", jsonType, "1")); a.err == nil {
				t.Errorf("without a certificate: answer %+v", a)
			}
			r.client = client(pair)
			answer := r.post(r.request("/", jsonType, "1"))
			b := r.read()
			if got := enginetest.Records(b)[0].Header("http.user"); got != "ann" {
				t.Errorf("user %q", got)
			}
			over := make(chan struct{}) // longer than body_timeout
			time.AfterFunc(400*time.Millisecond, func() { close(over) })
			<-over
			r.unanswered(answer, "before its confirmation")
			finish(b)
			r.commit()
			if a := r.wait(answer); a.status != 200 {
				t.Errorf("answer %+v", a)
			}
			resp, err := r.client.Get(r.url)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.Proto != proto || resp.StatusCode != 405 {
				t.Errorf("%s %s", resp.Proto, resp.Status)
			}
			slow, _ := r.slow(t, "/", "1\n")
			if a := r.wait(slow); a.status != 408 && a.err == nil {
				t.Errorf("a slow body: answer %+v", a)
			}
			queued := r.post(r.request("/", jsonType, "2"))
			until(t, "the arrival of the request", func() bool { return len(r.in.srv.queue) == 1 })
			r.close()
			if a := r.wait(queued); a.status != 503 {
				t.Errorf("at the end: answer %+v", a)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	sig := func(edit func(*Signature)) func(*Config) {
		return func(c *Config) {
			c.Signature = &Signature{Header: "X", Secrets: []engine.Secret{engine.NewSecret("k")}}
			edit(c.Signature)
		}
	}
	tests := []struct {
		edit func(*Config)
		want string
	}{
		{func(*Config) {}, ""},
		{func(c *Config) { c.Address = "[::1]:8080" }, ""},
		{func(c *Config) { c.Address = "localhost" }, "address: address without host or port"},
		{func(c *Config) { c.Address = "localhost:" }, "address: address without host or port"},
		{func(c *Config) { c.Paths = nil }, "paths: no paths"},
		{func(c *Config) { c.Paths = []string{"/a/", "b", "/a/../b", "/a?b"} },
			`paths: "b" is no path of a URL; paths: "/a/../b" is no path of a URL; paths: "/a?b" is no path of a URL`},
		{func(c *Config) { c.Methods = nil }, "methods: no methods"},
		{func(c *Config) { c.MaxBody = c.MaxBuffer + 1 }, "max_buffer: max_buffer is smaller than max_body"},
		{func(c *Config) { c.RetryAfter = 1500 * time.Millisecond }, "retry_after: retry_after has fractions of seconds"},
		{func(c *Config) { c.KeyHeader = "a b" }, `key_header: "a b" is no name of a header`},
		{func(c *Config) { c.Headers = []string{""} }, `headers: "" is no name of a header`},
		{func(c *Config) { c.BearerTokens = []engine.Secret{{}} }, "bearer_tokens: empty token"},
		{sig(func(*Signature) {}), ""},
		{sig(func(s *Signature) { s.TimestampHeader, s.Signed = "T", "{timestamp}{body}" }), ""},
		{sig(func(s *Signature) { s.Secrets = nil }), "signature.secrets: no secrets"},
		{sig(func(s *Signature) { s.Secrets = []engine.Secret{{}} }), "signature.secrets: empty secret"},
		{sig(func(s *Signature) { s.Tolerance = time.Second }), "signature.tolerance: tolerance without timestamp_header"},
		{sig(func(s *Signature) { s.Signed = "x" }), "signature.signed: signed without {body}"},
		{sig(func(s *Signature) { s.Signed = "{timestamp}{body}" }), "signature.signed: {timestamp} and timestamp_header go together"},
		{sig(func(s *Signature) { s.TimestampHeader, s.Signed = "T", "{body}" }), "signature.signed: {timestamp} and timestamp_header go together"},
		{func(c *Config) { c.TLS = &tlsconf.Server{} }, "tls: a server without certificate"},
	}
	for _, tt := range tests {
		c := Defaults().(*Config)
		c.Address = "127.0.0.1:8080"
		tt.edit(c)
		var got []string
		for _, p := range c.Validate() {
			if p.Detail == "" {
				t.Errorf("%s has no detail", p.Summary)
			}
			got = append(got, p.Option+": "+p.Summary)
		}
		if s := strings.Join(got, "; "); s != tt.want {
			t.Errorf("problems %q, want %q", s, tt.want)
		}
	}
}

// FuzzBodies: a body that check takes holds as many records as fill makes of
// it, and each of them is one JSON text.
func FuzzBodies(f *testing.F) {
	f.Add([]byte("1\n\n 2 \r\n"), true, uint8(2))
	f.Add([]byte("{\"a\":\n1}"), false, uint8(1))
	f.Add([]byte("\n\n1\n \n"), true, uint8(1))
	f.Fuzz(func(t *testing.T, data []byte, lines bool, size uint8) {
		format := "json"
		if lines {
			format = "ndjson"
		}
		c := Defaults().(*Config)
		n, ref := c.check(format, data)
		if ref != nil {
			if ref.status != 400 || ref.line < 0 || ref.line > strings.Count(string(data), "\n")+1 {
				t.Fatalf("refused with %+v", ref)
			}
			return
		}
		if n == 0 {
			return
		}
		s := &server{cfg: c, env: enginetest.Env(t, "x")}
		q := s.begin(&http.Request{}, format, data)
		got := 0
		for done := false; !done; {
			b := engine.NewBatch()
			b.Value.Lines = true
			var k int
			k, done = q.fill(b, c, engine.BatchLimits{Records: int(size) + 1, Bytes: 1 << 20})
			if k == 0 || k != b.Len() {
				t.Fatalf("%d records in a batch of %d", k, b.Len())
			}
			got += k
			for i := range k {
				if one, ref := c.check("json", b.Value.At(i)); one != 1 || ref != nil {
					t.Fatalf("record %q: %v", b.Value.At(i), ref)
				}
			}
		}
		if got != n {
			t.Fatalf("%d records, %d were counted", got, n)
		}
	})
}
