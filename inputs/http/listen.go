package http

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"

	"github.com/flowrecords/flow/engine"
)

// listenError says what to do about an address that cannot be had. One that is
// in use may be free soon: the process before this one may still be stopping.
func listenError(address string, err error) error {
	err = fmt.Errorf("listening at %s: %w", address, err)
	if errors.Is(err, syscall.EADDRINUSE) {
		return engine.Retry(err)
	}
	return err
}

// limitListener accepts no more connections than open has room for.
type limitListener struct {
	net.Listener
	open   chan struct{}
	closed chan struct{}
	once   sync.Once
}

func (l *limitListener) Accept() (net.Conn, error) {
	select {
	case l.open <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.open
		return nil, err
	}
	return &limitConn{Conn: c, open: l.open}, nil
}

func (l *limitListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// limitConn makes room for another connection when it is closed.
type limitConn struct {
	net.Conn
	open chan struct{}
	once sync.Once
}

func (c *limitConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { <-c.open })
	return err
}
