package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"reflect"

	"github.com/flowrecords/flow/engine"
)

// runAll looks at the subjects, some at a time.
func runAll(ctx context.Context, list []*subject, o Options, p *progress, hide *blotter) {
	turns := make(chan struct{}, max(o.AtOnce, 1))
	var all sync.WaitGroup
	for _, s := range list {
		turns <- struct{}{}
		all.Go(func() {
			defer func() { <-turns }()
			p.begin(s.Address)
			s.run(ctx, o.Grace)
			s.settle(hide)
			p.end(s.Address)
		})
	}
	all.Wait()
}

// run asks the subject, and gives up on one that does not come to an end.
func (s *subject) run(ctx context.Context, grace time.Duration) {
	began := time.Now()
	r := &engine.CheckReport{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				r.Fail("check", fmt.Sprintf("it panicked: %v", p), "This is a bug of flow. Please report it.")
			}
		}()
		s.check(ctx, r)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		t := time.NewTimer(grace)
		defer t.Stop()
		select {
		case <-done:
		case <-t.C:
		}
	}
	for _, c := range r.Checks() {
		s.Checks = append(s.Checks, Check(c))
	}
	if ctx.Err() != nil && !slices.ContainsFunc(s.Checks, func(c Check) bool { return c.Status == engine.CheckFailure }) {
		s.Checks = append(s.Checks, Check{Status: engine.CheckFailure, What: "time", Detail: "not all was looked at in the time there was",
			Remedy: "Allow more by --timeout, and look at what is slow."})
	}
	s.Seconds = time.Since(began).Seconds()
}

// settle takes secrets out of the results and finds the worst one.
func (s *subject) settle(hide *blotter) {
	s.Status = engine.CheckOK
	if s.Checks == nil {
		s.Checks = []Check{}
	}
	for i := range s.Checks {
		c := &s.Checks[i]
		c.What, c.Detail, c.Remedy = hide.scrub(c.What), hide.scrub(c.Detail), hide.scrub(c.Remedy)
		s.Status = worse(s.Status, c.Status)
	}
}

// blotter takes the secrets of all configs out of texts (Invariant 7).
// Components must not put them there; what a server repeats of them is not in
// their hands.
type blotter struct{ secrets []string }

func newBlotter() *blotter { return &blotter{} }

func (b *blotter) learn(config any) {
	walk(reflect.ValueOf(config), 0, func(v any) {
		// Values of one or two characters would blot out half of every text
		// and guard nothing.
		if s, ok := v.(engine.Secret); ok && len(s.Reveal()) > 2 && !slices.Contains(b.secrets, s.Reveal()) {
			b.secrets = append(b.secrets, s.Reveal())
		}
	})
	// A secret that is part of another must not break it up.
	slices.SortStableFunc(b.secrets, func(a, c string) int { return len(c) - len(a) })
}

func (b *blotter) scrub(s string) string {
	for _, secret := range b.secrets {
		s = strings.ReplaceAll(s, secret, engine.Secret{}.String())
	}
	return s
}

// progress tells how far all is.
type progress struct {
	tell func(done, all int, now []string)
	all  int

	mu   sync.Mutex // guards the following, and tell
	done int
	now  []string
}

func (p *progress) begin(address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = append(p.now, address)
	p.say()
}

func (p *progress) end(address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.now, address); i >= 0 {
		p.now = slices.Delete(p.now, i, i+1)
	}
	p.done++
	p.say()
}

func (p *progress) say() {
	if p.tell != nil {
		p.tell(p.done, p.all, p.now)
	}
}
