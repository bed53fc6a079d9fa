package kafka

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flowrecords/flow/connections/tlsconf"
	"github.com/flowrecords/flow/engine"
)

// unproved are the answers of brokers to a client that has not proved who it
// is.
var unproved = []error{
	kerr.SaslAuthenticationFailed,
	kerr.UnsupportedSaslMechanism,
	kerr.IllegalSaslState,
}

// fatal are the answers of brokers that waiting does not change: somebody has
// to change the config or the rights.
var fatal = []error{
	kerr.TopicAuthorizationFailed,
	kerr.GroupAuthorizationFailed,
	kerr.ClusterAuthorizationFailed,
	kerr.TransactionalIDAuthorizationFailed,
	kerr.InvalidGroupID,
	kerr.InconsistentGroupProtocol,
	kerr.InvalidSessionTimeout,
	kerr.InvalidTopicException,
	kerr.InvalidReplicationFactor,
	kerr.InvalidPartitions,
	kerr.PolicyViolation,
	kerr.UnsupportedVersion,
	kerr.FencedInstanceID,
	kgo.ErrClientClosed,
}

// Classify wraps an error of a client with what was being done: a
// *engine.RetryError where waiting may help (a broker away, a leader
// election), the plain error where it cannot (rights, certificates, names
// that brokers refuse). It is for Open: what is wrong with the proof of who
// flow is, or with a certificate, ends the run. Classify(doing, nil) is nil.
func Classify(doing string, err error) error {
	if err == nil {
		return nil
	}
	wrapped := wrap(doing, err)
	if Fatal(err) {
		return wrapped
	}
	return engine.Retry(wrapped)
}

// ClassifyLater is Classify for what happens after an Open that has worked.
// Credentials and certificates were right then: they are being changed, or
// the system that proves them is away. That is retried, so that a rotation
// that is not done in one moment stops nobody.
func ClassifyLater(doing string, err error) error {
	if err == nil {
		return nil
	}
	wrapped := wrap(doing, err)
	if FatalLater(err) {
		return wrapped
	}
	return engine.Retry(wrapped)
}

// wrap adds what was being done and, where the cause is in the config, what to
// do about it. Errors never hold passwords or tokens (Invariant 7).
func wrap(doing string, err error) error {
	if what, remedy := Explain(err); what != "" {
		return fmt.Errorf("%s: %s. %s (%w)", doing, what, strings.TrimSuffix(remedy, "."), err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// Fatal reports whether waiting cannot help against err at the start.
func Fatal(err error) bool { return FatalLater(err) || Unproved(err) }

// FatalLater reports whether waiting cannot help against err, whatever has
// worked before.
func FatalLater(err error) bool {
	for _, f := range fatal {
		if errors.Is(err, f) {
			return true
		}
	}
	return false
}

// Unproved reports whether err is about who flow or the broker is, or how they
// speak: refused credentials or tokens, a certificate, TLS on one side only.
func Unproved(err error) bool {
	for _, f := range unproved {
		if errors.Is(err, f) {
			return true
		}
	}
	var auth *AuthError
	var protocol *ProtocolError
	return errors.As(err, &auth) || errors.As(err, &protocol) || tlsconf.Refusal(err)
}

// Explain says in words what an error about proof or rights means, and what to
// do, in whole sentences; both are empty for any other error.
func Explain(err error) (what, remedy string) {
	var auth *AuthError
	var eof *kgo.ErrFirstReadEOF
	var protocol *ProtocolError
	switch {
	case errors.As(err, &protocol) && protocol.Speaks == "TLS":
		return "the port is one for TLS", "Give the connection a block tls { }, or use the port for plain text."
	case errors.As(err, &protocol):
		return "the port is not one of Kafka", "Correct brokers."
	case errors.As(err, &auth):
		return "authentication is not possible", "Look at the sasl block of the connection and at what it names."
	case errors.Is(err, kerr.SaslAuthenticationFailed):
		return "the broker refused the credentials", "Correct username and password, or the token, of the sasl block; a user of SCRAM must have been made for the same mechanism."
	case errors.Is(err, kerr.UnsupportedSaslMechanism):
		return "the broker does not offer this mechanism at this port", "Set mechanism of the sasl block to one that the listener has (sasl.enabled.mechanisms)."
	case errors.Is(err, kerr.IllegalSaslState):
		return "the broker asks for no authentication at this port", "Remove the sasl block, or use the port of a listener with SASL."
	case errors.Is(err, kerr.TopicAuthorizationFailed):
		return "the user of the connection lacks a right on the topic", "Have it granted READ and DESCRIBE to read, WRITE and DESCRIBE to write."
	case errors.Is(err, kerr.GroupAuthorizationFailed):
		return "the user of the connection lacks a right on the consumer group", "Have it granted READ on the group."
	case errors.Is(err, kerr.TransactionalIDAuthorizationFailed):
		return "the user of the connection lacks a right on the transactional id", "Have it granted WRITE and DESCRIBE on the transactional id."
	case errors.Is(err, kerr.ClusterAuthorizationFailed):
		return "the user of the connection lacks a right on the cluster", "Have it granted the right that the request needs on the cluster."
	case errors.As(err, &eof):
		return "the broker hung up at the first request", "If it goes on, look whether the port is that of a listener with TLS or SASL, and whether the blocks tls and sasl fit it."
	}
	if what, remedy, ok := tlsconf.Explain(err); ok {
		return what, remedy
	}
	return "", ""
}

// isEOF reports a connection that the other side has closed.
func isEOF(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
