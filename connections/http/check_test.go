package http

import (
	"context"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/flowrecords/flow/connections/tlsconf"
	"github.com/flowrecords/flow/engine"
)

// A look at a server sends no request, whatever stands behind the host.
func TestCheck(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	plain, secure := httptest.NewServer(handler), httptest.NewTLSServer(handler)
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}))
	host := func(url string) string { return strings.SplitN(url, "://", 2)[1] }
	tests := []struct {
		name, text string
		tls        *tlsconf.Client
		want       string
	}{
		{"plain", plain.URL + "/orders?key=hidden", nil, "ok server " + host(plain.URL) + ": reached at"},
		{"the beginning of a URL", plain.URL + "/orders/", nil, "ok server " + host(plain.URL)},
		{"trusted", secure.URL, &tlsconf.Client{CA: ca}, "ok server " + host(secure.URL)},
		{"not trusted", secure.URL, nil, "which is not trusted"},
		{"TLS to plain text", strings.Replace(plain.URL, "http", "https", 1), nil, "what answers does not speak TLS"},
		{"no file", secure.URL, &tlsconf.Client{CAFile: "none.pem"}, "failure tls: reading ca_file"},
		{"no host yet", "https://", nil, "unknown server: the host of the URL is not known before a record is there"},
		{"nothing", "", nil, "unknown server"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := DefaultClientConfig()
			c.TLS, c.ConnectTimeout = tt.tls, 10*time.Second
			r := &engine.CheckReport{}
			c.Check(context.Background(), r, tt.text)
			checks := r.Checks()
			if len(checks) != 1 {
				t.Fatalf("checks %+v, want one", checks)
			}
			got := string(checks[0].Status) + " " + checks[0].What + ": " + checks[0].Detail
			if !strings.Contains(got, tt.want) || strings.Contains(got, "hidden") {
				t.Errorf("told %s, want %s", got, tt.want)
			}
		})
	}
}
