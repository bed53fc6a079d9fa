package servers

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// Ports of servers lie below those that systems hand out to clients and to
// listeners at port 0: nobody takes the port of a server that was killed
// before it is started again.
const (
	firstPort = 10_000
	lastPort  = 32_000
)

// ports hands out loopback ports that nobody listens at. Another process may
// take one before the server does; who starts a server then tries others.
type ports struct {
	mu    sync.Mutex
	taken map[int]bool
}

// thePorts is one for the process, so that its servers do not clash.
var thePorts = &ports{taken: map[int]bool{}}

func (p *ports) free() (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		if p.taken[port] {
			continue
		}
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err != nil {
			continue
		}
		l.Close()
		p.taken[port] = true
		return port, nil
	}
	return 0, fmt.Errorf("no free port from %d to %d on 127.0.0.1", firstPort, lastPort)
}
