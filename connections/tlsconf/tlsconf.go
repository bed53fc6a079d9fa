// Package tlsconf holds the tls blocks that components share: of a client that
// dials and of a server that listens. Blocks are plain options; files are read
// by Load, and again when they have changed.
package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/flowrecords/flow/engine"
)

// Client holds the options of the tls block of something that dials.
type Client struct {
	CAFile             string        `flow:"ca_file" doc:"PEM file of the certificate authorities to trust instead of the system's." example:"\"ca.pem\""`
	CA                 string        `flow:"ca" doc:"The same as PEM text." example:"file(\"ca.pem\")"`
	CertFile           string        `flow:"cert_file" doc:"PEM file of this client's certificate. key_file goes with it. Both are read again when they change." example:"\"client.pem\""`
	KeyFile            string        `flow:"key_file" doc:"PEM file of the certificate's private key." example:"\"client-key.pem\""`
	Cert               string        `flow:"cert" doc:"This client's certificate as PEM text. key goes with it." example:"file(\"client.pem\")"`
	Key                engine.Secret `flow:"key" doc:"The certificate's private key as PEM text." example:"env(\"CLIENT_KEY\")"`
	ServerName         string        `flow:"server_name" doc:"Name that the server's certificate must carry, if it is not the host that is dialled." example:"\"api.internal\""`
	InsecureSkipVerify bool          `flow:"insecure_skip_verify" doc:"Accept any certificate. Whoever sits between flow and the server can then read and change all data."`
	MinVersion         string        `flow:"min_version" oneof:"1.2 1.3" doc:"Oldest version of TLS to speak. Empty means 1.2."`
}

// Server holds the options of the tls block of something that listens.
type Server struct {
	CertFile     string        `flow:"cert_file" doc:"PEM file of the server's certificate, with those between it and its authority. key_file goes with it. Both are read again when they change." example:"\"server.pem\""`
	KeyFile      string        `flow:"key_file" doc:"PEM file of the certificate's private key." example:"\"server-key.pem\""`
	Cert         string        `flow:"cert" doc:"The server's certificate as PEM text. key goes with it." example:"file(\"server.pem\")"`
	Key          engine.Secret `flow:"key" doc:"The certificate's private key as PEM text." example:"env(\"SERVER_KEY\")"`
	ClientCAFile string        `flow:"client_ca_file" doc:"PEM file of the authorities that clients' certificates must come from. With it a client without such a certificate is refused." example:"\"clients-ca.pem\""`
	ClientCA     string        `flow:"client_ca" doc:"The same as PEM text." example:"file(\"clients-ca.pem\")"`
	MinVersion   string        `flow:"min_version" oneof:"1.2 1.3" doc:"Oldest version of TLS to accept. Empty means 1.2."`
}

// Problems reports mistakes of the block, whose name is given.
func (c *Client) Problems(block string) []engine.Problem {
	if c == nil {
		return nil
	}
	ps := pair(block, c.CertFile, c.KeyFile, c.Cert, c.Key)
	if c.CAFile != "" && c.CA != "" {
		ps = append(ps, both(block, "ca_file", "ca"))
	}
	return append(ps, notPEM(block, "ca", c.CA)...)
}

// Problems reports mistakes of the block, whose name is given.
func (s *Server) Problems(block string) []engine.Problem {
	if s == nil {
		return nil
	}
	ps := pair(block, s.CertFile, s.KeyFile, s.Cert, s.Key)
	if s.CertFile == "" && s.Cert == "" && len(ps) == 0 {
		ps = append(ps, engine.Problem{Option: block, Summary: "a server without certificate", Detail: "Give cert_file and key_file, or cert and key as text."})
	}
	if s.ClientCAFile != "" && s.ClientCA != "" {
		ps = append(ps, both(block, "client_ca_file", "client_ca"))
	}
	return append(ps, notPEM(block, "client_ca", s.ClientCA)...)
}

func both(block, one, two string) engine.Problem {
	return engine.Problem{Option: block + "." + two, Summary: fmt.Sprintf("%s and %s exclude each other", one, two),
		Detail: fmt.Sprintf("%s names a file and %s is the text itself. Remove one of the two.", one, two)}
}

func pair(block, certFile, keyFile, cert string, key engine.Secret) []engine.Problem {
	var ps []engine.Problem
	if certFile != "" && cert != "" {
		ps = append(ps, both(block, "cert_file", "cert"))
	}
	if keyFile != "" && !key.IsZero() {
		ps = append(ps, both(block, "key_file", "key"))
	}
	hasCert, hasKey := certFile != "" || cert != "", keyFile != "" || !key.IsZero()
	if hasCert != hasKey || (certFile != "") != (keyFile != "") && len(ps) == 0 {
		ps = append(ps, engine.Problem{Option: block, Summary: "certificate without key or key without certificate",
			Detail: "cert_file and key_file go together, and so do cert and key: give both or none."})
	}
	return append(ps, notPEM(block, "cert", cert)...)
}

// notPEM finds the path of a file where its text is wanted.
func notPEM(block, option, text string) []engine.Problem {
	if text == "" || strings.Contains(text, "-----BEGIN ") {
		return nil
	}
	return []engine.Problem{{Option: block + "." + option, Summary: option + " is no PEM text",
		Detail: fmt.Sprintf("%s is the text of a certificate. For the path of a file use %s_file, or read it with file(\"PATH\").", option, option)}}
}

var errNoCertificate = errors.New("no certificate in PEM form")

// Load reads the files of the block and makes a configuration; that of a nil
// block trusts the system's authorities. The certificate of a file is read
// again when the file has changed; for ca_file see Stamp.
func (c *Client) Load() (*tls.Config, error) {
	if c == nil {
		return &tls.Config{MinVersion: tls.VersionTLS12}, nil
	}
	tc := &tls.Config{
		MinVersion:         version(c.MinVersion),
		ServerName:         c.ServerName,
		InsecureSkipVerify: c.InsecureSkipVerify, //nolint:gosec // an option whose doc names the danger
	}
	var err error
	if tc.RootCAs, err = authorities("ca_file", c.CAFile, c.CA); err != nil {
		return nil, err
	}
	if c.CertFile == "" && c.Cert == "" {
		return tc, nil
	}
	get, err := certificate(c.CertFile, c.KeyFile, c.Cert, c.Key)
	if err != nil {
		return nil, err
	}
	tc.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return get() }
	return tc, nil
}

// Stamp is a text that is another one when a file of the block has changed,
// for clients that then load the block anew. Files that cannot be read have a
// stamp, too.
func (c *Client) Stamp() string {
	if c == nil {
		return ""
	}
	return stamp(c.CAFile, c.CertFile, c.KeyFile)
}

// Load reads the files of the block and makes a configuration that offers the
// protocols (ALPN) and reads the files again when they have changed.
func (s *Server) Load(protocols ...string) (*tls.Config, error) {
	base := &tls.Config{MinVersion: version(s.MinVersion), NextProtos: protocols}
	get, err := certificate(s.CertFile, s.KeyFile, s.Cert, s.Key)
	if err != nil {
		return nil, err
	}
	base.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return get() }
	if s.ClientCAFile == "" && s.ClientCA == "" {
		return base, nil
	}
	load := func() (*tls.Config, error) {
		pool, err := authorities("client_ca_file", s.ClientCAFile, s.ClientCA)
		if err != nil {
			return nil, err
		}
		tc := base.Clone()
		tc.ClientCAs, tc.ClientAuth = pool, tls.RequireAndVerifyClientCert
		return tc, nil
	}
	if s.ClientCAFile == "" {
		return load()
	}
	current, err := reloading(load, s.ClientCAFile)
	if err != nil {
		return nil, err
	}
	outer := base.Clone()
	outer.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return current() }
	return outer, nil
}

func version(v string) uint16 {
	if v == "1.3" {
		return tls.VersionTLS13
	}
	return tls.VersionTLS12
}

// authorities returns nil, which stands for the system's, without any.
func authorities(option, path, text string) (*x509.CertPool, error) {
	data, from := []byte(text), strings.TrimSuffix(option, "_file")
	switch {
	case path != "":
		var err error
		if data, err = os.ReadFile(path); err != nil {
			return nil, fmt.Errorf("reading %s: %w", option, err)
		}
		from = option + " " + path
	case text == "":
		return nil, nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("reading %s: %w", from, errNoCertificate)
	}
	return pool, nil
}

// certificate returns a function for the current certificate.
func certificate(certFile, keyFile, cert string, key engine.Secret) (func() (*tls.Certificate, error), error) {
	if certFile == "" {
		c, err := tls.X509KeyPair([]byte(cert), []byte(key.Reveal()))
		if err != nil {
			return nil, fmt.Errorf("reading cert and key: %w", err)
		}
		return func() (*tls.Certificate, error) { return &c, nil }, nil
	}
	return reloading(func() (*tls.Certificate, error) {
		c, err := tls.LoadX509KeyPair(certFile, keyFile)
		if err != nil {
			return nil, fmt.Errorf("reading cert_file and key_file: %w", err)
		}
		return &c, nil
	}, certFile, keyFile)
}
