package observe

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Handler answers, for all pipelines of a process:
//
//	/metrics  Prometheus metrics: those of Collector, and of the Go runtime and process
//	/healthz  200 as long as the process answers
//	/readyz   200 when every pipeline is ready; else 503 and, a line each, the
//	          elements that are not. Causes are not shown: they may name
//	          addresses that not everyone who may ask should see.
//
// It registers nothing outside itself.
func Handler(pipelines func() []Pipeline) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		Collector{Pipelines: pipelines},
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { text(w, http.StatusOK, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if waiting := notReady(pipelines()); waiting != "" {
			text(w, http.StatusServiceUnavailable, waiting)
			return
		}
		text(w, http.StatusOK, "ready\n")
	})
	return mux
}

func text(w http.ResponseWriter, code int, body string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(body)) // who asked has gone
}

// notReady lists what is not ready, a line each.
func notReady(pipelines []Pipeline) string {
	var b strings.Builder
	for _, p := range pipelines {
		if p.Ready() {
			continue
		}
		for _, h := range p.Health() {
			if h.State == Starting || h.State == Retrying {
				fmt.Fprintf(&b, "%s %s: %s\n", p.Name(), h.Element, h.State)
			}
		}
	}
	return b.String()
}
