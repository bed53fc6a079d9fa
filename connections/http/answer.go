package http

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/flowrecords/flow/connections/oauth"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/limits"
)

// TransientStatuses are the statuses after which the same request may work
// later: the server is busy, restarts or stands behind something that does.
var TransientStatuses = []int{
	http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests, http.StatusInternalServerError,
	http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
	// Of proxies: 509 bandwidth, 520 to 524 and 529 and 530 origin trouble, 598 and 599 timeouts.
	509, 520, 521, 522, 523, 524, 529, 530, 598, 599,
}

// Transient reports whether a status is one of TransientStatuses.
func Transient(status int) bool { return slices.Contains(TransientStatuses, status) }

// StatusError is an answer that is no success.
type StatusError struct {
	// Method and URL of the request, as Redact shows it.
	Method, URL string
	Status      int
	// Message is the beginning of the answer's body, on one line.
	Message string
	// After is the wait that the server asked for; 0: none.
	After time.Duration
}

func (e *StatusError) Error() string {
	s := fmt.Sprintf("%s %s: status %d", e.Method, e.URL, e.Status)
	if t := http.StatusText(e.Status); t != "" {
		s += " " + t
	}
	if e.Message != "" {
		s += ": " + e.Message
	}
	return s
}

// NewStatusError makes an error of an answer. It reads the beginning of its
// body and closes it.
func NewStatusError(resp *http.Response, now time.Time) *StatusError {
	e := &StatusError{Status: resp.StatusCode, Message: Message(resp.Body), After: RetryAfter(resp.Header, now)}
	if resp.Request != nil {
		e.Method, e.URL = resp.Request.Method, Redact(resp.Request.URL)
	}
	Discard(resp.Body)
	return e
}

// Classify wraps an error with what was being done: as a *engine.RetryError
// where waiting may help (a connection that broke, a transient status), the
// plain error where it cannot (certificates, redirects, refused tokens, other statuses).
// Classify(doing, nil) is nil.
func Classify(doing string, err error) error {
	if err == nil {
		return nil
	}
	wrapped := fmt.Errorf("%s: %w", doing, err)
	if Fatal(err) {
		return wrapped
	}
	r := &engine.RetryError{Err: wrapped}
	var status *StatusError
	if errors.As(err, &status) {
		r.After = status.After
	}
	return r
}

// Fatal reports whether waiting cannot help against err.
func Fatal(err error) bool {
	var (
		status    *StatusError
		redirect  errRedirect
		cert      *tls.CertificateVerificationError
		authority x509.UnknownAuthorityError
		hostname  x509.HostnameError
		record    tls.RecordHeaderError
		token     *oauth.Error
	)
	if errors.As(err, &status) {
		return !Transient(status.Status)
	}
	return errors.As(err, &redirect) || errors.As(err, &cert) || errors.As(err, &authority) || errors.As(err, &hostname) || errors.As(err, &record) ||
		errors.As(err, &token) || errors.Is(err, http.ErrSchemeMismatch)
}

// longestAfter is the longest wait that a server can ask for: a mistake there
// must not stop a pipeline for days.
const longestAfter = time.Hour

// RetryAfter returns the wait that an answer asks for, in seconds or as a date,
// an hour at most; 0 when it asks for none, or for one in the past.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if v == "" {
		return 0
	}
	if n, err := strconv.ParseUint(v, 10, 32); err == nil {
		return min(time.Duration(n)*time.Second, longestAfter)
	}
	if t, err := http.ParseTime(v); err == nil {
		return min(max(0, t.Sub(now)), longestAfter)
	}
	return 0
}

// Message reads the beginning of a body for a message: one line of printable
// text, empty for anything else.
func Message(body io.Reader) string {
	const most = 4 * limits.ExcerptBytes
	p, _ := io.ReadAll(io.LimitReader(body, most)) // what came before an error says enough
	p = bytes.TrimSpace(p)
	for cut := 0; cut < utf8.UTFMax-1 && len(p) > most-utf8.UTFMax && !utf8.Valid(p); cut++ {
		p = p[:len(p)-1] // the limit lies within a character
	}
	if !utf8.Valid(p) {
		return ""
	}
	return strings.Join(strings.FieldsFunc(string(p), func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
}

// discardBytes is how much of a body is read to keep its connection: reading
// more costs more than a new one.
const discardBytes = 64 << 10

// Discard ends the use of a body: it reads a short rest, so that the connection
// can serve the next request, and closes it.
func Discard(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, discardBytes) // whatever is left, it is closed
	_ = body.Close()                                // nothing was written to it
}

// Cause replaces an error of a context that has ended by its cause.
func Cause(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		return cause
	}
	return err
}
