package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/internal/servers"
)

// replace writes files as an operator would: whole, under a new time.
func replace(t *testing.T, files map[string][]byte, at time.Time) {
	t.Helper()
	for name, data := range files {
		if err := os.WriteFile(name+".new", data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name+".new", at, at); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(name+".new", name); err != nil {
			t.Fatal(err)
		}
	}
}

// A client that runs takes up a new authority and a new certificate of its
// own, without a restart, with its next connection.
func TestCertificatesAreTakenUp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	one, err := servers.NewCA(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	two, err := servers.NewCA(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	hour := time.Now().Add(time.Hour)
	issue := func(ca *servers.CA, name string) (cert, key []byte) {
		cert, key, err := ca.Issue(name, hour)
		if err != nil {
			t.Fatal(err)
		}
		return cert, key
	}
	// The server shows what is current, and notes who comes.
	current := make(chan *tls.Config, 1)
	seen := make(chan string, 100)
	serve := func(ca *servers.CA) *tls.Config {
		cert, key := issue(ca, "broker")
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			t.Fatal(err)
		}
		return &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool(),
			VerifyConnection: func(s tls.ConnectionState) error {
				seen <- s.PeerCertificates[0].Subject.CommonName
				return nil
			}}
	}
	current <- serve(one)
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.TLS(&tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		c := <-current
		current <- c
		return c, nil
	}}))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()

	caFile, certFile, keyFile := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	install := func(ca *servers.CA, name string, at time.Time) {
		authority, err := os.ReadFile(ca.File())
		if err != nil {
			t.Fatal(err)
		}
		cert, key := issue(ca, name)
		replace(t, map[string][]byte{caFile: authority, certFile: cert, keyFile: key}, at)
	}
	start := time.Now().Add(-time.Hour)
	install(one, "first", start)
	c := Defaults()
	c.Brokers, c.TLS = cluster.ListenAddrs(), &TLS{CAFile: caFile, CertFile: certFile, KeyFile: keyFile}
	conn := New(c)
	client, err := conn.Client(engine.Env{}, kgo.RequestRetries(0))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	dial := func(want string) {
		t.Helper()
		// A fresh connection of the client that runs.
		nc, err := conn.dialer.dial(testContext(t), "tcp", cluster.ListenAddrs()[0])
		if err != nil {
			t.Fatal(err)
		}
		// With TLS 1.3 the server judges after the client has finished.
		_ = nc.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		if _, err := nc.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("after the handshake: %v", err)
		}
		_ = nc.Close()
		if got := <-seen; got != want {
			t.Errorf("the server saw %s, want %s", got, want)
		}
	}
	if err := client.Ping(testContext(t)); err != nil {
		t.Fatal(err)
	}
	<-seen
	dial("first")

	// A new certificate of the client.
	install(one, "second", start.Add(time.Second))
	dial("second")

	// Half of it is there: what was before stays good.
	_, key := issue(one, "third")
	replace(t, map[string][]byte{keyFile: key}, start.Add(2*time.Second))
	dial("second")

	// Everything is new, the authority too.
	install(two, "fourth", start.Add(3*time.Second))
	<-current
	current <- serve(two)
	dial("fourth")
}

// What is no Kafka is told, and not waited for.
func TestWrongProtocol(t *testing.T) {
	t.Parallel()
	for first, speaks := range map[string]string{"\x15\x03\x03\x00\x02\x02\x50": "TLS", "HTTP/1.1 400 Bad Request\r\n": "HTTP"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = c.Read(make([]byte, 10))
				_, _ = c.Write([]byte(first))
				_ = c.Close()
			}
		}()
		c := Defaults()
		c.Brokers = []string{l.Addr().String()}
		client, err := New(c).Client(engine.Env{}, kgo.RequestRetries(1))
		if err != nil {
			t.Fatal(err)
		}
		err = Classify("connecting", client.Ping(testContext(t)))
		isFinal(t, err)
		var protocol *ProtocolError
		if !errors.As(err, &protocol) || protocol.Speaks != speaks {
			t.Errorf("error %v, want that %s is spoken", err, speaks)
		}
		client.Close()
		_ = l.Close()
		<-done
	}
}

// The same error ends a run at its start and is retried later.
func TestClassifyLater(t *testing.T) {
	t.Parallel()
	tests := []struct {
		err          error
		start, later bool // retried
		explained    bool
	}{
		{kerr.SaslAuthenticationFailed, false, true, true},
		{kerr.UnsupportedSaslMechanism, false, true, true},
		{&AuthError{Err: errors.New("token_file is empty")}, false, true, true},
		{fmt.Errorf("dialling: %w", &ProtocolError{"TLS"}), false, true, true},
		{&ProtocolError{"HTTP"}, false, true, true},
		{kerr.IllegalSaslState, false, true, true},
		{kerr.TopicAuthorizationFailed, false, false, true},
		{kerr.GroupAuthorizationFailed, false, false, true},
		{kerr.ClusterAuthorizationFailed, false, false, true},
		{kerr.TransactionalIDAuthorizationFailed, false, false, true},
		{&kgo.ErrFirstReadEOF{}, true, true, true},
		{context.DeadlineExceeded, true, true, false},
		{kerr.NotLeaderForPartition, true, true, false},
		{kgo.ErrClientClosed, false, false, false},
	}
	for _, tt := range tests {
		var retry *engine.RetryError
		if err := Classify("asking", tt.err); errors.As(err, &retry) != tt.start || !errors.Is(err, tt.err) {
			t.Errorf("at the start %v is %#v", tt.err, err)
		}
		if err := ClassifyLater("asking", tt.err); errors.As(err, &retry) != tt.later || !errors.Is(err, tt.err) {
			t.Errorf("later %v is %#v", tt.err, err)
		}
		if what, remedy := Explain(tt.err); (what != "") != tt.explained || (remedy != "") != tt.explained {
			t.Errorf("%v is explained as %q, %q", tt.err, what, remedy)
		}
	}
	if ClassifyLater("asking", nil) != nil {
		t.Error("no error has become one")
	}
	if what, remedy := Explain(nil); what+remedy != "" {
		t.Error("no error is explained")
	}
}

// An address that has refused a connection is not asked again at once, and
// others are.
func TestRefusedConnectionsArePaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d dialer
		began := time.Now()
		pause := func(address string, want time.Duration) {
			t.Helper()
			if err := d.pause(t.Context(), address); err != nil {
				t.Fatal(err)
			}
			if at := time.Since(began); at != want {
				t.Errorf("%s is asked at %s, want %s", address, at, want)
			}
		}
		pause("a:1", 0)
		d.refuses("a:1", true)
		pause("b:1", 0)
		pause("a:1", refusalPause)
		d.refuses("a:1", true)
		pause("a:1", 2*refusalPause)
		d.refuses("a:1", false)
		pause("a:1", 2*refusalPause)
		d.refuses("a:1", true)
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(io.EOF)
		if err := d.pause(ctx, "a:1"); !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	})
}

// The dialer itself says which addresses refuse.
func TestRefusalIsSeen(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	d := dialer{timeout: time.Minute}
	c, err := d.dial(t.Context(), "tcp", address)
	if err != nil || len(d.refused) != 0 {
		t.Fatal(err, d.refused)
	}
	_, _ = c.Close(), l.Close()
	if _, err := d.dial(t.Context(), "tcp", address); err == nil || d.refused[address].IsZero() {
		t.Error(err, d.refused)
	}
}
