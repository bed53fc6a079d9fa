package http

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flowrecords/flow/engine"
)

const (
	// headerBytes bounds the headers of one request.
	headerBytes = 64 << 10
	// writeTimeout is how long a client may take to receive an answer, which
	// is shorter than one packet.
	writeTimeout = 10 * time.Second
)

// server receives requests and answers them. One goroutine a connection runs
// its handler.
type server struct {
	cfg *Config
	env engine.Env

	// slots has an element for each request that is received or waits for its
	// outcome, and queue room for all of them: sending to it never blocks.
	slots  chan struct{}
	queue  chan *request
	buffer budget
	// receiving counts requests that may be in the queue soon.
	receiving atomic.Int32

	// stopping is closed when no more requests are taken, stopped when none
	// will be confirmed any more.
	stopping, stopped chan struct{}
	stopOnce, endOnce sync.Once
	failed            chan error // one element: why serving ended
	http              *http.Server
	shut              chan struct{} // closed when the graceful end is over
	shutdown          context.Context
	cutShutdown       context.CancelFunc
	life              context.Context // ends with stopping, to wake who receives
	endLife           context.CancelFunc
	address           string
}

func newServer(cfg *Config, env engine.Env) *server {
	s := &server{
		cfg: cfg, env: env,
		slots: make(chan struct{}, cfg.MaxRequests), queue: make(chan *request, cfg.MaxRequests),
		buffer:   budget{max: int64(cfg.MaxBuffer)},
		stopping: make(chan struct{}), stopped: make(chan struct{}),
		failed: make(chan error, 1), shut: make(chan struct{}),
	}
	s.shutdown, s.cutShutdown = context.WithCancel(context.Background()) // ended by close
	s.life, s.endLife = context.WithCancel(context.Background())         // ended by stop
	return s
}

// listen binds the address and begins to serve.
func (s *server) listen(ctx context.Context) error {
	s.http = &http.Server{
		Handler:           http.HandlerFunc(s.serve),
		ReadHeaderTimeout: s.cfg.HeaderTimeout,
		IdleTimeout:       s.cfg.IdleTimeout,
		MaxHeaderBytes:    headerBytes,
		ErrorLog:          slog.NewLogLogger(s.env.Logger.Handler(), slog.LevelDebug),
	}
	if s.cfg.TLS != nil {
		tc, err := s.cfg.TLS.Load("h2", "http/1.1")
		if err != nil {
			return err
		}
		s.http.TLSConfig = tc
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", s.cfg.Address)
	if err != nil {
		return listenError(s.cfg.Address, err)
	}
	s.address = ln.Addr().String()
	s.env.Logger.Info("listening", "address", s.address)
	limited := &limitListener{Listener: ln, open: make(chan struct{}, s.cfg.MaxConnections), closed: make(chan struct{})}
	go func() {
		serve := s.http.Serve
		if s.cfg.TLS != nil {
			serve = func(l net.Listener) error { return s.http.ServeTLS(l, "", "") }
		}
		if err := serve(limited); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- fmt.Errorf("accepting connections: %w", err)
		}
	}()
	return nil
}

// stop takes no more requests: those that are received or in the queue are
// answered with 503, those that the pipeline has taken wait on.
func (s *server) stop() {
	s.stopOnce.Do(func() {
		close(s.stopping)
		s.endLife()
		go func() {
			defer close(s.shut)
			if s.http.Shutdown(s.shutdown) != nil {
				_ = s.http.Close() // the connections that are left are cut
			}
		}()
	})
}

// close answers what is left with 503 and waits for the answers to be sent.
func (s *server) close(ctx context.Context) {
	s.stop()
	s.endOnce.Do(func() { close(s.stopped) })
	select {
	case <-s.shut:
	case <-ctx.Done():
	}
	s.cutShutdown()
	<-s.shut
}

// serve handles one request.
func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	if ref := s.route(w, r); ref != nil {
		s.refuse(w, ref)
		return
	}
	select {
	case s.slots <- struct{}{}:
	default:
		s.refuse(w, refuse(http.StatusServiceUnavailable, "too many requests are waiting: send the request again later"))
		return
	}
	q, records, ref := s.receive(w, r)
	switch {
	case ref != nil:
		<-s.slots
		s.refuse(w, ref)
	case q == nil: // there is nothing to confirm
		<-s.slots
		s.confirm(w, records)
	default:
		s.await(w, r, q, records)
	}
}

// route checks what needs no body.
func (s *server) route(w http.ResponseWriter, r *http.Request) *refusal {
	select {
	case <-s.stopping:
		return stoppingRefusal()
	default:
	}
	if !slices.ContainsFunc(s.cfg.Paths, func(p string) bool {
		return r.URL.Path == p || strings.HasSuffix(p, "/") && strings.HasPrefix(r.URL.Path, p)
	}) {
		return refuse(http.StatusNotFound, "nothing is taken at this path")
	}
	if !s.authorized(r) {
		w.Header().Set("WWW-Authenticate", s.challenge())
		return refuse(http.StatusUnauthorized, "not authorized")
	}
	if !slices.Contains(s.cfg.Methods, r.Method) {
		w.Header().Set("Allow", strings.Join(s.cfg.Methods, ", "))
		return refuse(http.StatusMethodNotAllowed, "method %.20q is not taken", r.Method)
	}
	return nil
}

// receive reads and checks the body and puts it into the queue. The request is
// nil when it has no records.
func (s *server) receive(w http.ResponseWriter, r *http.Request) (*request, int, *refusal) {
	s.receiving.Add(1)
	defer s.receiving.Add(-1)
	format, ref := s.cfg.formatOf(r)
	if ref != nil {
		return nil, 0, ref
	}
	data, ref := s.readInTime(w, r)
	if ref != nil {
		return nil, 0, ref
	}
	records, ref := s.cfg.check(format, data)
	if ref != nil || records == 0 {
		s.buffer.release(int64(cap(data)))
		return nil, 0, ref
	}
	q := s.begin(r, format, data)
	s.queue <- q
	return q, records, nil
}

// readInTime reads the body before body_timeout, and no longer than requests are
// taken.
func (s *server) readInTime(w http.ResponseWriter, r *http.Request) ([]byte, *refusal) {
	rc := http.NewResponseController(w)
	// Errors: both protocols have deadlines.
	_ = rc.SetReadDeadline(time.Now().Add(s.cfg.BodyTimeout))
	woken := make(chan struct{})
	keep := context.AfterFunc(s.life, func() {
		defer close(woken)
		_ = rc.SetReadDeadline(time.Now())
	})
	data, ref := s.read(r)
	if !keep() {
		<-woken // w must not be used after the handler has returned
		if ref != nil {
			ref = stoppingRefusal()
		}
	}
	if ref == nil {
		_ = rc.SetReadDeadline(time.Time{}) // otherwise the client would seem gone later
	}
	return data, ref
}

func stoppingRefusal() *refusal {
	return refuse(http.StatusServiceUnavailable, "the pipeline is stopping: send the request again later")
}

// await waits for the outcome of a request and answers. 200 is said only when
// every record is confirmed.
func (s *server) await(w http.ResponseWriter, r *http.Request, q *request, records int) {
	patience := time.NewTimer(s.cfg.ConfirmTimeout)
	defer patience.Stop()
	stopping := s.stopping
	for {
		select {
		case <-q.outcome:
			s.confirm(w, records)
			return
		case <-stopping:
			if q.withdraw() {
				s.refuse(w, stoppingRefusal())
				return
			}
			stopping = nil // it is on its way: wait for it
		case <-s.stopped:
			select {
			case <-q.outcome: // the last commit came before
				s.confirm(w, records)
			default:
				s.refuse(w, refuse(http.StatusServiceUnavailable, "the pipeline stopped before the records were confirmed: send the request again"))
			}
			return
		case <-patience.C:
			text := "the records were not confirmed within confirm_timeout and may still arrive: sending them again can make them arrive twice"
			if q.withdraw() {
				text = "the pipeline took no more records within confirm_timeout: send the request again later"
			}
			s.refuse(w, refuse(http.StatusServiceUnavailable, "%s", text))
			return
		case <-r.Context().Done():
			q.withdraw() // the client is gone: nobody reads the answer
			return
		}
	}
}

type answer struct {
	Records *int   `json:"records,omitempty"`
	Error   string `json:"error,omitempty"`
	Line    int    `json:"line,omitempty"`
}

func (s *server) confirm(w http.ResponseWriter, records int) {
	s.answer(w, s.cfg.Status, answer{Records: &records})
}

func (s *server) refuse(w http.ResponseWriter, ref *refusal) {
	h := w.Header()
	switch ref.status {
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", strconv.Itoa(int(s.cfg.RetryAfter/time.Second)))
	case http.StatusRequestTimeout, http.StatusRequestEntityTooLarge:
		h.Set("Connection", "close") // the rest of the body is not wanted
	}
	s.answer(w, ref.status, answer{Error: ref.text, Line: ref.line})
}

func (s *server) answer(w http.ResponseWriter, status int, a answer) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout)) // both protocols can
	if status == http.StatusNoContent || status == http.StatusResetContent {
		w.WriteHeader(status)
		return
	}
	body, err := json.Marshal(a)
	if err != nil {
		panic(err) // texts and numbers only
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // who asked has gone
}

// budget counts bytes that bodies take (Invariant 5).
type budget struct {
	max  int64
	used atomic.Int64
}

// take takes n bytes, or nothing when there is no room.
func (b *budget) take(n int64) bool {
	if b.used.Add(n) <= b.max {
		return true
	}
	b.used.Add(-n)
	return false
}

func (b *budget) release(n int64) { b.used.Add(-n) }
