package kafka

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flowrecords/flow/connections/oauth"
	"github.com/flowrecords/flow/engine"
)

// The file is read for each connection.
func TestTokenFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "token")
	s := newTokenSource(&SASL{Mechanism: mechanismOAuth, TokenFile: path})
	_, err := s.get(testContext(t))
	if !errors.Is(err, os.ErrNotExist) || !Unproved(err) {
		t.Errorf("without a file: %v", err)
	}
	tests := []struct{ text, want, err string }{
		{"one\n", "one", ""},
		{"  two  ", "two", ""},
		{"", "", "is empty"},
		{"a\nb", "", "more than one line"},
		{strings.Repeat("x", oauth.MaxToken+1), "", "is larger than"},
	}
	for _, tt := range tests {
		if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := s.get(testContext(t))
		if got != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("file %.20q: token %q, %v", tt.text, got, err)
		}
	}
	fixed := newTokenSource(&SASL{Mechanism: mechanismOAuth, Token: engine.NewSecret(" t\n")})
	if got, err := fixed.get(testContext(t)); got != "t" || err != nil {
		t.Errorf("token %q, %v", got, err)
	}
}

// What the broker says of a token it refuses, and what that does.
func TestBearerRefused(t *testing.T) {
	t.Parallel()
	expired := "h." + base64.RawURLEncoding.EncodeToString([]byte(`{"exp":1000000000}`)) + ".s"
	s := newTokenSource(&SASL{Mechanism: mechanismOAuth, Token: engine.NewSecret(expired), Extensions: map[string]string{"logicalCluster": "lkc-1"}, Identity: "me"})
	session, first, err := bearer{s, s.config}.Authenticate(testContext(t), "host")
	if err != nil {
		t.Fatal(err)
	}
	if want := "n,a=me,\x01auth=Bearer " + expired + "\x01logicalCluster=lkc-1\x01\x01"; string(first) != want {
		t.Errorf("first message %q, want %q", first, want)
	}
	if done, _, err := session.Challenge(nil); !done || err != nil {
		t.Errorf("an empty answer: %v, %v", done, err)
	}
	_, _, err = session.Challenge([]byte(`{"status":"invalid_token\u001b","scope":"kafka"}`))
	if want := "the broker refused the token: invalid_token, it asks for the scope kafka (it expired at 2001-09-09T01:46:40Z)"; err == nil || err.Error() != want || !Unproved(err) {
		t.Errorf("error %v, want %s", err, want)
	}
	if _, _, err = session.Challenge([]byte("?")); err == nil || strings.Contains(err.Error(), expired) {
		t.Errorf("another answer: %v", err)
	}
}
