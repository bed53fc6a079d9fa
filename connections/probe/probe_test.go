package probe

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
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

// told runs a look and returns its results as lines.
func told(t *testing.T, f func(ctx context.Context, r *engine.CheckReport)) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	r := &engine.CheckReport{}
	f(ctx, r)
	var b strings.Builder
	for _, c := range r.Checks() {
		fmt.Fprintf(&b, "%s %s: %s → %s\n", c.Status, c.What, c.Detail, c.Remedy)
	}
	return b.String()
}

// issue makes a certificate that lives from one time to another.
func issue(t *testing.T, from, to time.Time) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "shop"}, NotBefore: from, NotAfter: to,
		IsCA: true, BasicConstraintsValid: true, DNSNames: []string{"shop.test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// serve accepts connections and does with each as it is told, until the test
// ends.
func serve(t *testing.T, each func(net.Conn)) string {
	t.Helper()
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
			each(c)
			_ = c.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l.Addr().String()
}

func serveTLS(t *testing.T, conf *tls.Config) string {
	return serve(t, func(c net.Conn) {
		s := tls.Server(c, conf)
		_ = s.Handshake()
		_, _ = s.Read(make([]byte, 1))
	})
}

func TestReachTLS(t *testing.T) {
	t.Parallel()
	now := time.Now()
	day := 24 * time.Hour
	good, pool := issue(t, now.Add(-day), now.Add(300*day))
	old, oldPool := issue(t, now.Add(-2*day), now.Add(-day))
	early, earlyPool := issue(t, now.Add(day), now.Add(2*day))
	late, latePool := issue(t, now.Add(-80*day), now.Add(10*day))
	short, shortPool := issue(t, now.Add(-time.Hour), now.Add(23*time.Hour))
	tests := []struct {
		name   string
		server *tls.Config
		client *tls.Config
		want   string
	}{
		{"good", &tls.Config{Certificates: []tls.Certificate{good}}, &tls.Config{RootCAs: pool}, "ok it: reached at 127.0.0.1:"},
		{"good, its facts", &tls.Config{Certificates: []tls.Certificate{good}, MaxVersion: tls.VersionTLS12}, &tls.Config{RootCAs: pool}, "TLS 1.2, certificate of shop until "},
		{"not trusted", &tls.Config{Certificates: []tls.Certificate{good}}, &tls.Config{RootCAs: oldPool}, "failure it: reached at "},
		{"not trusted, by whom", &tls.Config{Certificates: []tls.Certificate{good}}, &tls.Config{}, "comes from nobody but its owner (shop), which is not trusted → Name the PEM file of that authority in ca_file"},
		{"another name", &tls.Config{Certificates: []tls.Certificate{good}}, &tls.Config{RootCAs: pool, ServerName: "other.test"}, "the certificate is for shop.test, 127.0.0.1, not for other.test → Dial it by a name of the certificate"},
		{"over", &tls.Config{Certificates: []tls.Certificate{old}}, &tls.Config{RootCAs: oldPool}, "the certificate of shop expired at " + now.Add(-day).UTC().Format(time.RFC3339)},
		{"not yet", &tls.Config{Certificates: []tls.Certificate{early}}, &tls.Config{RootCAs: earlyPool}, "is not valid before " + now.Add(day).UTC().Format(time.RFC3339) + " → Look whether the clock"},
		{"over soon", &tls.Config{Certificates: []tls.Certificate{late}}, &tls.Config{RootCAs: latePool}, "warning it: the certificate of shop expires at "},
		{"short by design", &tls.Config{Certificates: []tls.Certificate{short}}, &tls.Config{RootCAs: shortPool}, "ok it: "},
		{"another version", &tls.Config{Certificates: []tls.Certificate{good}, MaxVersion: tls.VersionTLS12}, &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13}, "no version of TLS or cipher in common"},
		{"a client's certificate is asked for", &tls.Config{Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12}, &tls.Config{RootCAs: pool}, "or it asks for a certificate of the client → Look at min_version, cert_file and key_file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			address := serveTLS(t, tt.server)
			got := told(t, func(ctx context.Context, r *engine.CheckReport) {
				ok := Reach(ctx, r, Target{What: "it", Address: address, TLS: tt.client, Timeout: 10 * time.Second, Option: "url"})
				if failed := strings.HasPrefix(tt.want, "ok") || strings.HasPrefix(tt.want, "warning"); failed && !ok {
					t.Error("it counts as out of reach")
				}
			})
			if !strings.Contains(got, tt.want) || strings.Count(got, "\n") != 1 {
				t.Errorf("told %s, want %s", got, tt.want)
			}
		})
	}
}

func TestReach(t *testing.T) {
	t.Parallel()
	_, pool := issue(t, time.Now(), time.Now().Add(time.Hour))
	mute := make(chan struct{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	_ = l.Close()
	tests := []struct {
		name, address string
		tls           bool
		want          string
	}{
		{"plain", serve(t, func(net.Conn) {}), false, "ok it: reached at "},
		{"TLS to what hangs up", serve(t, func(net.Conn) {}), true, "the TLS handshake was cut off"},
		{"TLS to what answers", serve(t, func(c net.Conn) { _, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) }), true, "what answers does not speak TLS → Use the port at which TLS is spoken, or remove the tls block."},
		{"TLS to what waits", serve(t, func(net.Conn) { <-mute }), true, "the TLS handshake got no answer"},
		{"nobody", closed, false, "failure it: the connection is refused: nothing listens at port " + strings.TrimPrefix(closed, "127.0.0.1:") + " → Start the server, or correct the port in url."},
		{"no name", "nobody.invalid:1", false, "nobody.invalid"},
		{"no port", "127.0.0.1:http-wrong", false, "failure it: "},
	}
	t.Cleanup(func() { close(mute) }) // before the servers are waited for
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			target := Target{What: "it", Address: tt.address, Timeout: 300 * time.Millisecond, Option: "url"}
			if tt.tls {
				target.TLS = &tls.Config{RootCAs: pool}
			}
			got := told(t, func(ctx context.Context, r *engine.CheckReport) { Reach(ctx, r, target) })
			if !strings.Contains(got, tt.want) || strings.Count(got, "\n") != 1 {
				t.Errorf("told %s, want %s", got, tt.want)
			}
		})
	}
	got := told(t, func(ctx context.Context, r *engine.CheckReport) {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		Reach(ctx, r, Target{What: "it", Address: tests[0].address, Timeout: time.Second})
	})
	if !strings.Contains(got, "the check was cut off → Allow more time by --timeout") {
		t.Errorf("told %s of the end of the time", got)
	}
	if got := told(t, func(ctx context.Context, r *engine.CheckReport) {
		Reach(ctx, r, Target{What: "it", Address: tests[0].address, Timeout: time.Second, Quiet: true})
	}); got != "" {
		t.Errorf("told %s when it should be quiet", got)
	}
}

func TestListen(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	taken := l.Addr().String()
	listen := func(address string) string {
		return told(t, func(ctx context.Context, r *engine.CheckReport) { Listen(ctx, r, address, "address") })
	}
	if got := listen(taken); !strings.Contains(got, "failure address "+taken+": port "+strings.TrimPrefix(taken, "127.0.0.1:")+" is in use → Stop what listens there (it may be a run of this config), or change address.") {
		t.Errorf("told %s of a port in use", got)
	}
	_ = l.Close()
	if got := listen(taken); !strings.HasPrefix(got, "ok address "+taken) {
		t.Errorf("told %s of a free port", got)
	}
	again, err := net.Listen("tcp", taken)
	if err != nil {
		t.Fatalf("the look holds the port: %v", err)
	}
	_ = again.Close()
	for _, address := range []string{"192.0.2.1:8080", "nobody.invalid:80"} {
		if got := listen(address); !strings.Contains(got, "this machine has no such address") {
			t.Errorf("told %s of %s", got, address)
		}
	}
}

func TestFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	sealed := filepath.Join(dir, "sealed")
	if err := os.Mkdir(sealed, 0o500); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, dir string
		mkdir     bool
		want      string
		asUser    bool
	}{
		{"there", dir, false, "ok folder " + dir + ": can be written to", false},
		{"here", "", false, "ok folder .: can be written to", false},
		{"can be made", filepath.Join(dir, "a", "b"), true, "does not exist yet and can be made", false},
		{"may not be made", filepath.Join(dir, "a"), false, "failure folder " + filepath.Join(dir, "a") + ": it does not exist → Make the folder, or set mkdir = true.", false},
		{"a file", file, true, "is no folder", false},
		{"below a file", filepath.Join(file, "x"), true, "failure folder ", false},
		{"sealed", sealed, true, "flow may not make files in " + sealed, true},
		{"below a sealed one", filepath.Join(sealed, "x"), true, "flow may not make files in " + sealed, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.asUser && os.Geteuid() == 0 {
				t.Skip("root may do all")
			}
			got := told(t, func(_ context.Context, r *engine.CheckReport) { Folder(r, tt.dir, tt.mkdir) })
			if !strings.Contains(got, tt.want) || strings.Count(got, "\n") != 1 {
				t.Errorf("told %s, want %s", got, tt.want)
			}
		})
	}
	t.Cleanup(func() {
		if _, err := os.Stat(filepath.Join(dir, "a")); err == nil {
			t.Error("the look has made a folder")
		}
	})
}

func TestReadable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if got := told(t, func(_ context.Context, r *engine.CheckReport) { Readable(r, file) }); got != "failure file "+file+": it does not exist → Correct the path, or put the file there.\n" {
		t.Errorf("told %s", got)
	}
	if err := os.WriteFile(file, nil, 0o200); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() != 0 {
		if got := told(t, func(_ context.Context, r *engine.CheckReport) { Readable(r, file) }); !strings.Contains(got, "permission denied → Give the user that runs flow the right to read it.") {
			t.Errorf("told %s", got)
		}
	}
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := told(t, func(_ context.Context, r *engine.CheckReport) { Readable(r, file) }); got != "" {
		t.Errorf("told %s of a file that can be read", got)
	}
}
