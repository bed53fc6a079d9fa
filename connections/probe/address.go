// Package probe holds the looks without a trace that components share in
// their Check: is an address reachable, can a folder be written to.
package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/flowrecords/flow/connections/tlsconf"
	"github.com/flowrecords/flow/engine"
)

// Target is an address to be dialled.
type Target struct {
	// What names it in the report: "broker kafka-1:9092".
	What string
	// Address is host:port.
	Address string
	// TLS, if set, are the settings of the handshake.
	TLS *tls.Config
	// Timeout bounds the connection with its handshake.
	Timeout time.Duration
	// Option names what holds the address in the config: "brokers".
	Option string
	// Quiet: success is not reported.
	Quiet bool
}

// Reach looks an address up, connects and shakes hands, and hangs up. It
// reports what it found, and returns whether all of that worked.
func Reach(ctx context.Context, r *engine.CheckReport, t Target) bool {
	ctx, cancel := context.WithTimeout(ctx, t.Timeout)
	defer cancel()
	began := time.Now()
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", t.Address)
	if err != nil {
		what, remedy := explainDial(err, t)
		r.Fail(t.What, what, remedy)
		return false
	}
	defer func() { _ = c.Close() }()
	detail := "reached at " + c.RemoteAddr().String()
	if t.TLS == nil {
		if !t.Quiet {
			r.OK(t.What, "%s in %s", detail, Millis(time.Since(began)))
		}
		return true
	}
	conf := t.TLS.Clone()
	if conf.ServerName == "" {
		conf.ServerName, _, _ = net.SplitHostPort(t.Address)
	}
	tc := tls.Client(c, conf)
	if err := tc.HandshakeContext(ctx); err != nil {
		what, remedy, ok := tlsconf.Explain(err)
		if !ok {
			what, remedy = explainHangup(err)
		}
		r.Fail(t.What, detail+", but "+what, remedy)
		return false
	}
	what, soon := tlsconf.Describe(tc.ConnectionState(), time.Now())
	if soon != "" {
		r.Warn(t.What, soon, "Have the certificate replaced before that.")
	} else if !t.Quiet {
		r.OK(t.What, "%s in %s, %s", detail, Millis(time.Since(began)), what)
	}
	return true
}

func explainHangup(err error) (what, remedy string) {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return "the TLS handshake got no answer", "Look whether this is the port at which TLS is spoken; a port for plain text waits for another beginning."
	}
	return "the TLS handshake was cut off: " + err.Error(), "Look whether this is the port at which TLS is spoken; if not, use that port or remove the tls block."
}

func explainDial(err error, t Target) (what, remedy string) {
	host, port, _ := net.SplitHostPort(t.Address)
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return fmt.Sprintf("there is no host called %s", host), "Correct the name in " + t.Option + ", or look at the DNS settings of this machine."
	case errors.As(err, &dns):
		return fmt.Sprintf("the name %s cannot be looked up: %s", host, dns.Err), "Look at the DNS settings of this machine."
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection is refused: nothing listens at port " + port, "Start the server, or correct the port in " + t.Option + "."
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return "no answer within " + engine.DurationText(t.Timeout), "Look whether a firewall lies in between, and whether the address in " + t.Option + " is right."
	case errors.Is(err, context.Canceled):
		return "the check was cut off", "Allow more time by --timeout."
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "there is no way to " + host, "Look at the routes and the network of this machine."
	}
	text := err.Error()
	if i := strings.LastIndex(text, ": "); i >= 0 {
		text = text[i+2:]
	}
	return "it cannot be reached: " + text, "Correct the address in " + t.Option + "."
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// Millis writes a short time for people.
func Millis(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return "under 1 ms"
	case d < 10*time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return d.Round(time.Second).String()
}

// Listen reports whether a server could listen at an address now. It listens
// for a moment and accepts nobody.
func Listen(ctx context.Context, r *engine.CheckReport, address, option string) {
	what := "address " + address
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err == nil {
		_ = l.Close()
		r.OK(what, "free to listen at")
		return
	}
	_, port, _ := net.SplitHostPort(address)
	var dns *net.DNSError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		r.Fail(what, "port "+port+" is in use", "Stop what listens there (it may be a run of this config), or change "+option+".")
	case errors.Is(err, syscall.EACCES):
		r.Fail(what, "flow may not listen at port "+port, "Use a port above 1023, or give flow the right to (CAP_NET_BIND_SERVICE).")
	case errors.Is(err, syscall.EADDRNOTAVAIL), errors.As(err, &dns):
		r.Fail(what, "this machine has no such address", "Use an address of this machine in "+option+`, or none (":`+port+`") for all of them.`)
	default:
		r.Fail(what, err.Error(), "Correct "+option+".")
	}
}
