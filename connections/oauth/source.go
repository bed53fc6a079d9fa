package oauth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// Error says that whoever was asked has refused flow's proof of who it is.
// Waiting does not change that.
type Error struct{ Err error }

func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Clean bounds a text from outside and takes out what moves a terminal.
func Clean(s string) string {
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

// Source gives tokens. Any goroutine may use it; all clients of a connection
// share one.
type Source struct {
	config *ClientCredentials
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

// NewSource returns a source; it does no I/O.
func NewSource(c *ClientCredentials) *Source {
	return &Source{config: c, now: time.Now, turn: make(chan struct{}, 1)}
}

// MaxToken bounds a token: Kafka's brokers refuse larger requests before
// authentication (512 KiB).
const MaxToken = 256 << 10

// Get returns a token. That the provider refuses is an *Error.
func (t *Source) Get(ctx context.Context) (string, error) {
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

// Clock is how far the clock of the token endpoint is ahead of ours, as of the
// last answer and to the second; false if there was none.
func (t *Source) Clock() (ahead time.Duration, at time.Time, ok bool) {
	t.turn <- struct{}{}
	defer func() { <-t.turn }()
	if t.endpoint == nil || t.endpoint.date.IsZero() {
		return 0, time.Time{}, false
	}
	return t.endpoint.date.Sub(t.endpoint.asked), t.endpoint.asked, true
}

// Forget makes the next Get ask anew, if token is the one that is kept.
func (t *Source) Forget(token string) {
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
func (t *Source) ask(ctx context.Context) (grant, error) {
	if t.endpoint == nil {
		e, err := newTokenEndpoint(t.config)
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
	if end, ok := Expiry(token); life == 0 && ok {
		life = end.Sub(began)
	}
	if life <= 0 {
		return grant{token: token, renew: began.Add(unknownLife), end: began.Add(unknownLife)}, nil
	}
	return grant{token: token, renew: began.Add(time.Duration(float64(life) * renewPart)), end: began.Add(life)}, nil
}

// Expiry reads the end of a token that is a JWT. Nothing is verified: it is for
// messages and for when to ask again.
func Expiry(token string) (time.Time, bool) {
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
