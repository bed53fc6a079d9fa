package http

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // senders of webhooks still sign with it; as an HMAC it is not broken
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// authorized checks what a request carries in its headers. Comparisons take the
// same time wherever two texts differ.
func (s *server) authorized(r *http.Request) bool {
	switch {
	case len(s.cfg.BearerTokens) > 0:
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		ok := 0
		for _, want := range s.cfg.BearerTokens {
			ok |= same(token, want.Reveal())
		}
		return strings.EqualFold(scheme, "Bearer") && ok == 1
	case s.cfg.Basic != nil:
		user, password, has := r.BasicAuth()
		return same(user, s.cfg.Basic.User)&same(password, s.cfg.Basic.Password.Reveal()) == 1 && has
	}
	return true
}

// same compares hashes, so that not even the length is told.
func same(a, b string) int {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:])
}

func (s *server) challenge() string {
	switch {
	case len(s.cfg.BearerTokens) > 0:
		return `Bearer realm="flow"`
	case s.cfg.Basic != nil:
		return `Basic realm="flow", charset="UTF-8"`
	}
	return ""
}

// verifier checks the signature of one request while its body passes by: the
// bytes as they were sent, before decompression.
type verifier struct {
	macs  []hash.Hash
	after string
	given []byte
}

// defaultTolerance is how far the time of a signature may be from now.
const defaultTolerance = 5 * time.Minute

// verifier returns nil when the headers alone show that the signature is not
// good.
func (s *Signature) verifier(r *http.Request, now time.Time) *verifier {
	text, ok := strings.CutPrefix(strings.TrimSpace(r.Header.Get(s.Header)), s.Prefix)
	if !ok || text == "" {
		return nil
	}
	decode := hex.DecodeString
	if s.Encoding == "base64" {
		decode = base64.StdEncoding.DecodeString
	}
	given, err := decode(text)
	if err != nil {
		return nil
	}
	signed, stamp := s.Signed, ""
	if s.TimestampHeader != "" {
		stamp = strings.TrimSpace(r.Header.Get(s.TimestampHeader))
		if !s.fresh(stamp, now) {
			return nil
		}
		if signed == "" {
			signed = "{timestamp}.{body}"
		}
	} else if signed == "" {
		signed = "{body}"
	}
	before, after, _ := strings.Cut(signed, "{body}")
	v := &verifier{given: given, after: strings.ReplaceAll(after, "{timestamp}", stamp)}
	for _, secret := range s.Secrets {
		mac := hmac.New(s.hash(), []byte(secret.Reveal()))
		mac.Write([]byte(strings.ReplaceAll(before, "{timestamp}", stamp)))
		v.macs = append(v.macs, mac)
	}
	return v
}

func (s *Signature) hash() func() hash.Hash {
	switch s.Algorithm {
	case "sha1":
		return sha1.New
	case "sha512":
		return sha512.New
	}
	return sha256.New
}

func (s *Signature) fresh(stamp string, now time.Time) bool {
	n, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || n < 0 || n > now.Unix()*2 {
		return false
	}
	tolerance := s.Tolerance
	if tolerance == 0 {
		tolerance = defaultTolerance
	}
	return now.Sub(time.Unix(n, 0)).Abs() <= tolerance
}

func (v *verifier) Write(p []byte) (int, error) {
	for _, mac := range v.macs {
		mac.Write(p)
	}
	return len(p), nil
}

// good reports whether one of the secrets has made the signature. It is called
// once, behind the last byte of the body.
func (v *verifier) good() bool {
	ok := false
	for _, mac := range v.macs {
		mac.Write([]byte(v.after))
		ok = hmac.Equal(mac.Sum(nil), v.given) || ok
	}
	return ok
}
