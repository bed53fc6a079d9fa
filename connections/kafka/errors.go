package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flowrecords/flow/engine"
)

// fatal are the answers of brokers that waiting does not change: somebody has
// to change the config or the rights.
var fatal = []error{
	kerr.SaslAuthenticationFailed,
	kerr.UnsupportedSaslMechanism,
	kerr.IllegalSaslState,
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
// that brokers refuse). Classify(doing, nil) is nil.
func Classify(doing string, err error) error {
	if err == nil {
		return nil
	}
	wrapped := fmt.Errorf("%s: %w", doing, err)
	if Fatal(err) {
		return wrapped
	}
	return engine.Retry(wrapped)
}

// Fatal reports whether waiting cannot help against err.
func Fatal(err error) bool {
	for _, f := range fatal {
		if errors.Is(err, f) {
			return true
		}
	}
	var (
		cert      *tls.CertificateVerificationError
		authority x509.UnknownAuthorityError
		hostname  x509.HostnameError
		record    tls.RecordHeaderError
	)
	return errors.As(err, &cert) || errors.As(err, &authority) || errors.As(err, &hostname) || errors.As(err, &record)
}
