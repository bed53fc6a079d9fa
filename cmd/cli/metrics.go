package cli

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/flowrecords/flow/engine/observe"
)

// metricsServer serves /metrics, /healthz and /readyz.
type metricsServer struct {
	server *http.Server
	done   chan struct{}
}

// serveMetrics starts the server; with an empty address it serves nothing.
// The address is taken before anything runs, so that a busy port is an error
// at once.
func serveMetrics(addr string, jobs []*job, logger *slog.Logger) (*metricsServer, error) {
	if addr == "" {
		return nil, nil
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("--metrics-addr: %w", err)
	}
	m := &metricsServer{
		server: &http.Server{Handler: metricsHandler(jobs), ReadHeaderTimeout: 5 * time.Second},
		done:   make(chan struct{}),
	}
	logger.Info("serving metrics", "address", ln.Addr().String())
	go func() {
		defer close(m.done)
		if err := m.server.Serve(ln); err != nil && err != http.ErrServerClosed {
			logger.Error("serving metrics", "error", err)
		}
	}()
	return m, nil
}

func (m *metricsServer) close() {
	if m == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	if m.server.Shutdown(ctx) != nil {
		_ = m.server.Close() // a slow scraper must not hold up the end
	}
	<-m.done
}

// metricsHandler answers for the pipelines that have started:
// one that waits for another to end must not keep the process from being ready.
func metricsHandler(jobs []*job) http.Handler {
	return observe.Handler(func() []observe.Pipeline {
		var running []observe.Pipeline
		for _, j := range jobs {
			if j.state.started.Load() != 0 {
				running = append(running, j.current())
			}
		}
		return running
	})
}
