package servers

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// The users that every broker knows, with PLAIN, both kinds of SCRAM and, by
// token, OAUTHBEARER.
const (
	Admin = "admin" // may do all where rules are asked for
	Alice = "alice"
	Bob   = "bob"
)

// Users lists them.
func Users() []string { return []string{Admin, Alice, Bob} }

// Password returns a user's password.
func Password(user string) string { return user + "-secret" }

const (
	jwksFile      = "jwks.json"
	tokenIssuer   = "https://issuer.example"
	tokenAudience = "kafka"
)

// secrets of a cluster: who signs certificates and tokens.
type secrets struct {
	ca    *CA
	token *rsa.PrivateKey
}

// newSecrets makes keys and writes what brokers read into dir.
func newSecrets(dir string) (*secrets, error) {
	ca, err := NewCA(dir)
	if err != nil {
		return nil, fmt.Errorf("making the certificate authority: %w", err)
	}
	cert, key, err := ca.Issue("broker", time.Now().Add(24*time.Hour))
	if err != nil {
		return nil, fmt.Errorf("making the brokers' certificate: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "broker.pem"), bytes.Join([][]byte{key, cert}, nil), 0o600); err != nil {
		return nil, err
	}
	token, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	s := &secrets{ca: ca, token: token}
	return s, os.WriteFile(filepath.Join(dir, jwksFile), s.jwks(), 0o644)
}

// properties adds what the secured listeners need.
func (s *secrets) properties(dir string, p map[string]string) {
	for _, l := range []Listener{SSL, MutualTLS, SASLSSL} {
		prefix := "listener.name." + strings.ToLower(string(l)) + "."
		p[prefix+"ssl.keystore.type"] = "PEM"
		p[prefix+"ssl.keystore.location"] = filepath.Join(dir, "broker.pem")
		p[prefix+"ssl.truststore.type"] = "PEM"
		p[prefix+"ssl.truststore.location"] = s.ca.File()
		p[prefix+"ssl.client.auth"] = "none"
	}
	p["listener.name.mtls.ssl.client.auth"] = "required"
	p["ssl.principal.mapping.rules"] = "RULE:^CN=([^,]*).*$/$1/,DEFAULT"

	plain := "org.apache.kafka.common.security.plain.PlainLoginModule required"
	for _, user := range Users() {
		plain += fmt.Sprintf(` user_%s="%s"`, user, Password(user))
	}
	for _, l := range []Listener{SASLPlaintext, SASLSSL} {
		prefix := "listener.name." + strings.ToLower(string(l)) + "."
		p[prefix+"sasl.enabled.mechanisms"] = strings.Join(Mechanisms(), ",")
		p[prefix+"plain.sasl.jaas.config"] = plain + ";"
		for _, m := range []string{"scram-sha-256", "scram-sha-512"} {
			p[prefix+m+".sasl.jaas.config"] = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
		}
		p[prefix+"oauthbearer.sasl.jaas.config"] = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;"
		p[prefix+"oauthbearer.sasl.server.callback.handler.class"] = "org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler"
	}
	p["sasl.oauthbearer.jwks.endpoint.url"] = "file://" + filepath.Join(dir, jwksFile)
	p["sasl.oauthbearer.expected.audience"] = tokenAudience
	p["sasl.oauthbearer.expected.issuer"] = tokenIssuer
}

// CA is the authority that signed the brokers' certificates and whose clients
// MutualTLS lets in; nil without Security.
func (c *Cluster) CA() *CA {
	if c.secrets == nil {
		return nil
	}
	return c.secrets.ca
}

// Token returns a signed bearer token for a user. With a negative life it has
// expired. It panics without Security.
func (c *Cluster) Token(user string, life time.Duration) string {
	now := time.Now()
	issued := now
	if life < 0 {
		issued = now.Add(2 * life)
	}
	return c.secrets.sign(map[string]any{
		"sub": user, "iss": tokenIssuer, "aud": tokenAudience, "scope": "kafka",
		"iat": issued.Unix(), "exp": now.Add(life).Unix(), "jti": newUUID(),
	})
}

// TokenEndpoint answers the client-credentials grant of OAuth 2 with tokens of
// the given life: the client id is the user, the client secret its password,
// in the header or in the body. It is for a server of the caller.
func (c *Cluster) TokenEndpoint(life time.Duration) http.Handler {
	refuse := func(w http.ResponseWriter, status int, reason string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": reason})
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, secret, ok := r.BasicAuth()
		if !ok {
			id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
		}
		switch {
		case r.Method != http.MethodPost:
			refuse(w, http.StatusMethodNotAllowed, "invalid_request")
		case r.PostFormValue("grant_type") != "client_credentials":
			refuse(w, http.StatusBadRequest, "unsupported_grant_type")
		case id == "" || secret != Password(id):
			refuse(w, http.StatusUnauthorized, "invalid_client")
		default:
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(map[string]any{
				"access_token": c.Token(id, life), "token_type": "Bearer", "expires_in": int(life.Seconds()),
			})
		}
	})
}

const keyID = "test"

// jwks is the public key as brokers read it.
func (s *secrets) jwks() []byte {
	b64 := base64.RawURLEncoding.EncodeToString
	data, _ := json.Marshal(map[string]any{"keys": []map[string]string{{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": keyID,
		"n": b64(s.token.N.Bytes()), "e": b64(big.NewInt(int64(s.token.E)).Bytes()),
	}}}) // strings never fail
	return data
}

func (s *secrets) sign(claims map[string]any) string {
	b64 := base64.RawURLEncoding.EncodeToString
	head, err1 := json.Marshal(map[string]string{"alg": "RS256", "typ": "JWT", "kid": keyID})
	body, err2 := json.Marshal(claims)
	text := b64(head) + "." + b64(body)
	sum := sha256.Sum256([]byte(text))
	sig, err3 := rsa.SignPKCS1v15(rand.Reader, s.token, crypto.SHA256, sum[:])
	if err := errors.Join(err1, err2, err3); err != nil {
		panic(err) // the claims and the key are made here
	}
	return text + "." + b64(sig)
}
