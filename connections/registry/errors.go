package registry

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/twmb/franz-go/pkg/sr"

	chttp "github.com/flowrecords/flow/connections/http"
	"github.com/flowrecords/flow/engine"
)

// What a registry says no for. Errors of this package wrap them.
var (
	// ErrNotFound: there is no such subject, version or schema.
	ErrNotFound = errors.New("not found")
	// ErrIncompatible: the schema may not become the next version of the subject.
	ErrIncompatible = errors.New("incompatible with an earlier version")
	// ErrInvalid: the registry takes the text for no schema.
	ErrInvalid = errors.New("invalid schema")
)

// Error is an answer that is no success.
type Error struct {
	// Doing is what was asked.
	Doing string
	// Status and Code are HTTP's and the registry's own.
	Status, Code int
	Message      string
	kind         error
}

func (e *Error) Error() string {
	s := fmt.Sprintf("%s: %s", e.Doing, e.Message)
	if e.Code != 0 {
		return fmt.Sprintf("%s (registry error %d)", s, e.Code)
	}
	return fmt.Sprintf("%s (status %d)", s, e.Status)
}

// Unwrap returns one of the errors above, or nil.
func (e *Error) Unwrap() error { return e.kind }

// judge turns what came out of a request into what the engine acts upon:
// waiting for what is away, a stop where nothing works, and else an error of
// who asked.
func (c *Connection) judge(doing string, err error) error {
	if err == nil {
		return nil
	}
	var r *sr.ResponseError
	if !errors.As(err, &r) {
		err = chttp.Classify(doing, err)
		if _, transient := errors.AsType[*engine.RetryError](err); transient {
			return err
		}
		return engine.Fatal(err)
	}
	e := &Error{Doing: doing, Status: r.StatusCode, Code: r.ErrorCode, Message: r.Message}
	if e.Message == "" {
		e.Message = http.StatusText(r.StatusCode)
	}
	switch {
	case r.StatusCode == http.StatusUnauthorized || r.StatusCode == http.StatusForbidden || r.StatusCode == http.StatusProxyAuthRequired:
		return engine.Fatal(fmt.Errorf("%w: look at basic, bearer_token, client_credentials and the rights that the registry gives", e))
	case r.StatusCode == http.StatusNotFound && r.ErrorCode >= 40400:
		e.kind = ErrNotFound
	case r.StatusCode == http.StatusNotFound:
		// A server that knows no such path is no registry.
		return engine.Fatal(fmt.Errorf("%w: look at urls, whether they lead to a schema registry with the right path", e))
	case r.StatusCode == http.StatusConflict:
		e.kind = ErrIncompatible
	case r.StatusCode == http.StatusUnprocessableEntity:
		e.kind = ErrInvalid
	}
	return e
}
