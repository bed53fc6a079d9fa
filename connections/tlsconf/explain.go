package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"reflect"
	"strings"
	"time"
)

// The alerts (RFC 8446, section 6) that are told apart.
const (
	alertHandshakeFailure     = 40
	alertBadCertificate       = 42
	alertUnsupportedCert      = 43
	alertCertificateRevoked   = 44
	alertCertificateExpired   = 45
	alertCertificateUnknown   = 46
	alertUnknownCA            = 48
	alertAccessDenied         = 49
	alertProtocolVersion      = 70
	alertInsufficientSecurity = 71
	alertUnrecognizedName     = 112
	alertCertificateRequired  = 116
)

// Refusal reports whether err is a handshake that ends the same way each time
// until somebody changes a config or a certificate.
func Refusal(err error) bool {
	_, _, ok := Explain(err)
	return ok
}

// Explain says in words what went wrong in a handshake, and what to do about
// it in the config, in whole sentences. ok is false for any other error.
func Explain(err error) (what, remedy string, ok bool) {
	var (
		hostname  x509.HostnameError
		authority x509.UnknownAuthorityError
		invalid   x509.CertificateInvalidError
		verify    *tls.CertificateVerificationError
		record    tls.RecordHeaderError
	)
	switch {
	case err == nil:
		return "", "", false
	case errors.As(err, &hostname):
		return fmt.Sprintf("the certificate is for %s, not for %s", names(hostname.Certificate), hostname.Host),
			"Dial it by a name of the certificate, or name that in server_name of the tls block.", true
	case errors.As(err, &authority):
		return "the certificate comes from " + issuer(authority.Cert) + ", which is not trusted",
			"Name the PEM file of that authority in ca_file of the tls block.", true
	case errors.As(err, &invalid):
		return explainInvalid(invalid)
	case errors.As(err, &verify):
		return "the certificate cannot be verified: " + verify.Err.Error(), "Have the certificate replaced, or name its authority in ca_file of the tls block.", true
	case errors.As(err, &record):
		return "what answers does not speak TLS", "Use the port at which TLS is spoken, or remove the tls block.", true
	}
	return explainAlert(err)
}

func explainInvalid(e x509.CertificateInvalidError) (what, remedy string, ok bool) {
	switch {
	case e.Reason == x509.Expired && e.Cert != nil && time.Now().Before(e.Cert.NotBefore):
		return fmt.Sprintf("the certificate of %s is not valid before %s", subject(e.Cert), stampOf(e.Cert.NotBefore)),
			"Look whether the clock of this machine is right; otherwise have the certificate replaced.", true
	case e.Reason == x509.Expired && e.Cert != nil:
		return fmt.Sprintf("the certificate of %s expired at %s", subject(e.Cert), stampOf(e.Cert.NotAfter)),
			"Have the certificate replaced.", true
	}
	return "the certificate is not valid: " + e.Error(), "Have the certificate replaced.", true
}

// explainAlert judges what the other side said when it hung up.
func explainAlert(err error) (what, remedy string, ok bool) {
	code, ok := alert(err)
	if !ok {
		return "", "", false
	}
	switch code {
	case alertCertificateRequired:
		return "the server asks for a certificate of the client", "Give cert_file and key_file in the tls block.", true
	case alertBadCertificate, alertUnsupportedCert, alertCertificateUnknown, alertUnknownCA, alertAccessDenied:
		return "the server does not accept the certificate of the client, or its absence",
			"Give cert_file and key_file in the tls block, with a certificate from an authority that the server trusts.", true
	case alertCertificateExpired, alertCertificateRevoked:
		return "the server says that the certificate of the client has expired or is revoked", "Replace cert_file and key_file of the tls block.", true
	case alertHandshakeFailure, alertProtocolVersion, alertInsufficientSecurity:
		return "the server and flow have no version of TLS or cipher in common, or it asks for a certificate of the client",
			"Look at min_version, cert_file and key_file of the tls block, and at the versions that the server allows.", true
	case alertUnrecognizedName:
		return "the server does not know the name that it was asked for", "Name one that it knows in server_name of the tls block.", true
	}
	return "", "", false
}

// alert returns the number of an alert that the other side sent. The type of
// alerts on connections has no name outside its package.
func alert(err error) (int, bool) {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" || op.Err == nil {
		return 0, false
	}
	if v := reflect.ValueOf(op.Err); v.Kind() == reflect.Uint8 {
		return int(v.Uint()), true
	}
	return 0, false
}

func names(c *x509.Certificate) string {
	if c == nil {
		return "other names"
	}
	all := append([]string(nil), c.DNSNames...)
	for _, ip := range c.IPAddresses {
		all = append(all, ip.String())
	}
	switch {
	case len(all) == 0:
		return subject(c) + " without any name of a host"
	case len(all) > 6:
		all = append(all[:6], fmt.Sprintf("%d more", len(all)-6))
	}
	return strings.Join(all, ", ")
}

func subject(c *x509.Certificate) string {
	if c == nil {
		return "unknown subject"
	}
	if c.Subject.CommonName != "" {
		return c.Subject.CommonName
	}
	if s := c.Subject.String(); s != "" {
		return s
	}
	if len(c.DNSNames) > 0 {
		return c.DNSNames[0]
	}
	return "unknown subject"
}

func issuer(c *x509.Certificate) string {
	switch {
	case c == nil:
		return "an authority"
	case c.Issuer.String() == c.Subject.String():
		return "nobody but its owner (" + subject(c) + ")"
	case c.Issuer.CommonName != "":
		return c.Issuer.CommonName
	}
	return c.Issuer.String()
}

func stampOf(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// expireSoon is from when on a certificate that is about to expire is worth a
// word: longer than the weekend that would be lost otherwise. One that lives
// shorter anyway is renewed by a machine, which has failed to when two thirds
// of its life are over.
const expireSoon = 14 * 24 * time.Hour

// Describe says of a connection what it speaks and whom it speaks to. soon is
// not empty if a certificate is about to expire.
func Describe(s tls.ConnectionState, now time.Time) (what, soon string) {
	what = tls.VersionName(s.Version)
	if len(s.PeerCertificates) == 0 {
		return what, ""
	}
	c := s.PeerCertificates[0]
	for _, other := range s.PeerCertificates {
		if other.NotAfter.Before(c.NotAfter) {
			c = other
		}
	}
	what += fmt.Sprintf(", certificate of %s until %s", subject(s.PeerCertificates[0]), c.NotAfter.UTC().Format(time.DateOnly))
	if left := c.NotAfter.Sub(now); left < expireSoon && left < c.NotAfter.Sub(c.NotBefore)/3 {
		soon = fmt.Sprintf("the certificate of %s expires at %s", subject(c), stampOf(c.NotAfter))
	}
	return what, soon
}
