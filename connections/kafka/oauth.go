package kafka

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
)

// bearer is the mechanism OAUTHBEARER. It differs from the client's own in what
// it makes of a refusal: the broker tells it in a challenge.
type bearer struct {
	tokens *tokenSource
	config *SASL
}

func (bearer) Name() string { return "OAUTHBEARER" }

func (b bearer) Authenticate(ctx context.Context, host string) (sasl.Session, []byte, error) {
	token, err := b.tokens.get(ctx)
	if err != nil {
		return nil, nil, err
	}
	auth := oauth.Auth{Token: token, Zid: b.config.Identity, Extensions: b.config.Extensions}
	session, first, err := auth.AsMechanism().Authenticate(ctx, host)
	if err != nil {
		return nil, nil, fmt.Errorf("oauthbearer: %w", err)
	}
	return &bearerSession{session, b.tokens, token}, first, nil
}

type bearerSession struct {
	sasl.Session
	tokens *tokenSource
	token  string
}

// Challenge takes the answer: empty, or JSON that says why not.
func (s *bearerSession) Challenge(answer []byte) (bool, []byte, error) {
	if len(answer) == 0 {
		return s.Session.Challenge(answer)
	}
	// The next connection asks for another token: this one may have been
	// withdrawn before its time.
	s.tokens.forget(s.token)
	var why struct {
		Status string `json:"status"`
		Scope  string `json:"scope"`
	}
	text := "the broker refused the token"
	if json.Unmarshal(answer, &why) == nil && why.Status != "" {
		text += ": " + clean(why.Status)
		if why.Scope != "" {
			text += ", it asks for the scope " + clean(why.Scope)
		}
	}
	if end, ok := expiry(s.token); ok && !end.After(s.tokens.now()) {
		text += fmt.Sprintf(" (it expired at %s)", end.UTC().Format(time.RFC3339))
	}
	return false, nil, &AuthError{errors.New(text)}
}

// clean bounds a text from outside and takes out what moves a terminal.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
	if r := []rune(s); len(r) > 300 {
		s = string(r[:300]) + "..."
	}
	return strings.TrimSpace(s)
}

// tokenSource gives tokens. Any goroutine may use it; all clients of a
// connection share one.
type tokenSource struct {
	config *SASL
	now    func() time.Time

	// turn holds a token while nobody uses the following. It is a channel,
	// since who waits for it must see the end of his context.
	turn     chan struct{}
	endpoint *tokenEndpoint
	cached   grant
}

// grant is a token with the times that matter.
type grant struct {
	token string
	renew time.Time // from then on a new one is asked for
	end   time.Time // zero: not known
}

func newTokenSource(config *SASL) *tokenSource {
	return &tokenSource{config: config, now: time.Now, turn: make(chan struct{}, 1)}
}

// maxToken bounds a token: brokers refuse larger requests before
// authentication (512 KiB).
const maxToken = 256 << 10

// get returns a token for one connection.
func (t *tokenSource) get(ctx context.Context) (string, error) {
	switch {
	case t.config.TokenFile != "":
		return readToken(t.config.TokenFile)
	case t.config.ClientCredentials == nil:
		return strings.TrimSpace(t.config.Token.Reveal()), nil
	}
	select {
	case t.turn <- struct{}{}:
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	defer func() { <-t.turn }()
	now := t.now()
	if t.cached.token != "" && now.Before(t.cached.renew) {
		return t.cached.token, nil
	}
	g, err := t.ask(ctx)
	if err != nil {
		if t.cached.token != "" && now.Before(t.cached.end) {
			return t.cached.token, nil // it still has some time
		}
		return "", err
	}
	t.cached = g
	return g.token, nil
}

// clock is how far the clock of the token endpoint is ahead of ours, as of the
// last answer and to the second; false if there was none.
func (t *tokenSource) clock() (ahead time.Duration, at time.Time, ok bool) {
	t.turn <- struct{}{}
	defer func() { <-t.turn }()
	if t.endpoint == nil || t.endpoint.date.IsZero() {
		return 0, time.Time{}, false
	}
	return t.endpoint.date.Sub(t.endpoint.asked), t.endpoint.asked, true
}

// forget makes the next get ask anew, if token is the one that is kept.
func (t *tokenSource) forget(token string) {
	t.turn <- struct{}{}
	defer func() { <-t.turn }()
	if t.cached.token == token {
		t.cached = grant{}
	}
}

// The life of a token. It is renewed when four fifths are over, so that an
// endpoint that is away for a while costs nothing; one that does not say how
// long it lives is kept for a minute.
const (
	renewPart   = 0.8
	unknownLife = time.Minute
)

// ask gets a token from the endpoint. The caller has the turn.
func (t *tokenSource) ask(ctx context.Context) (grant, error) {
	if t.endpoint == nil {
		e, err := newTokenEndpoint(t.config.ClientCredentials)
		if err != nil {
			return grant{}, err
		}
		t.endpoint = e
	}
	began := t.now()
	token, life, err := t.endpoint.ask(ctx)
	if err != nil {
		return grant{}, err
	}
	if end, ok := expiry(token); life == 0 && ok {
		life = end.Sub(began)
	}
	if life <= 0 {
		return grant{token: token, renew: began.Add(unknownLife), end: began.Add(unknownLife)}, nil
	}
	return grant{token: token, renew: began.Add(time.Duration(float64(life) * renewPart)), end: began.Add(life)}, nil
}

func readToken(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", &AuthError{fmt.Errorf("reading token_file: %w", err)}
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxToken+1))
	if err != nil {
		return "", &AuthError{fmt.Errorf("reading token_file: %w", err)}
	}
	text := strings.TrimSpace(string(data))
	switch {
	case text == "":
		return "", &AuthError{fmt.Errorf("token_file %s is empty", path)}
	case len(text) > maxToken:
		return "", &AuthError{fmt.Errorf("token_file %s is larger than %d bytes", path, maxToken)}
	case strings.ContainsAny(text, "\x01\n\r"):
		return "", &AuthError{fmt.Errorf("token_file %s holds more than one line", path)}
	}
	return text, nil
}

// expiry reads the end of a token that is a JWT. Nothing is verified: it is for
// messages and for when to ask again.
func expiry(token string) (time.Time, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}, false
	}
	data, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return time.Time{}, false
	}
	var claims struct {
		Exp float64 `json:"exp"`
	}
	if json.Unmarshal(data, &claims) != nil || claims.Exp <= 0 || claims.Exp > 1<<40 {
		return time.Time{}, false
	}
	return time.Unix(int64(claims.Exp), 0), true
}
