package kafka

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"

	tokens "github.com/flowrecords/flow/connections/oauth"
)

// bearer is the mechanism OAUTHBEARER. It differs from the client's own in what
// it makes of a refusal: the broker tells it in a challenge.
type bearer struct {
	source *tokenSource
	config *SASL
}

func (bearer) Name() string { return "OAUTHBEARER" }

func (b bearer) Authenticate(ctx context.Context, host string) (sasl.Session, []byte, error) {
	token, err := b.source.get(ctx)
	if err != nil {
		return nil, nil, err
	}
	auth := oauth.Auth{Token: token, Zid: b.config.Identity, Extensions: b.config.Extensions}
	session, first, err := auth.AsMechanism().Authenticate(ctx, host)
	if err != nil {
		return nil, nil, fmt.Errorf("oauthbearer: %w", err)
	}
	return &bearerSession{session, b.source, token}, first, nil
}

type bearerSession struct {
	sasl.Session
	source *tokenSource
	token  string
}

// Challenge takes the answer: empty, or JSON that says why not.
func (s *bearerSession) Challenge(answer []byte) (bool, []byte, error) {
	if len(answer) == 0 {
		return s.Session.Challenge(answer)
	}
	// The next connection asks for another token: this one may have been
	// withdrawn before its time.
	s.source.forget(s.token)
	var why struct {
		Status string `json:"status"`
		Scope  string `json:"scope"`
	}
	text := "the broker refused the token"
	if json.Unmarshal(answer, &why) == nil && why.Status != "" {
		text += ": " + tokens.Clean(why.Status)
		if why.Scope != "" {
			text += ", it asks for the scope " + tokens.Clean(why.Scope)
		}
	}
	if end, ok := tokens.Expiry(s.token); ok && !end.After(s.source.now()) {
		text += fmt.Sprintf(" (it expired at %s)", end.UTC().Format(time.RFC3339))
	}
	return false, nil, &AuthError{Err: errors.New(text)}
}

// tokenSource gives tokens. Any goroutine may use it; all clients of a
// connection share one.
type tokenSource struct {
	config *SASL
	now    func() time.Time
	// asked is where tokens are asked for; nil: the config holds one, or a file.
	asked *tokens.Source
}

func newTokenSource(config *SASL) *tokenSource {
	t := &tokenSource{config: config, now: time.Now}
	if config.ClientCredentials != nil {
		t.asked = tokens.NewSource(config.ClientCredentials)
	}
	return t
}

// get returns a token for one connection.
func (t *tokenSource) get(ctx context.Context) (string, error) {
	switch {
	case t.config.TokenFile != "":
		return readToken(t.config.TokenFile)
	case t.asked == nil:
		return strings.TrimSpace(t.config.Token.Reveal()), nil
	}
	return t.asked.Get(ctx)
}

// clock is that of tokens.Source.
func (t *tokenSource) clock() (ahead time.Duration, at time.Time, ok bool) {
	if t.asked == nil {
		return 0, time.Time{}, false
	}
	return t.asked.Clock()
}

// forget is that of tokens.Source.
func (t *tokenSource) forget(token string) {
	if t.asked != nil {
		t.asked.Forget(token)
	}
}

func readToken(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", &AuthError{Err: fmt.Errorf("reading token_file: %w", err)}
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, tokens.MaxToken+1))
	if err != nil {
		return "", &AuthError{Err: fmt.Errorf("reading token_file: %w", err)}
	}
	text := strings.TrimSpace(string(data))
	switch {
	case text == "":
		return "", &AuthError{Err: fmt.Errorf("token_file %s is empty", path)}
	case len(text) > tokens.MaxToken:
		return "", &AuthError{Err: fmt.Errorf("token_file %s is larger than %d bytes", path, tokens.MaxToken)}
	case strings.ContainsAny(text, "\x01\n\r"):
		return "", &AuthError{Err: fmt.Errorf("token_file %s holds more than one line", path)}
	}
	return text, nil
}
