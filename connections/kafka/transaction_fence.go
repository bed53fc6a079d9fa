package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/flowrecords/flow/engine"
)

// Brokers say the same, that there is a newer producer, to one whose place
// another process has taken and to one whose transaction they have taken back
// since it stood open for too long, such as through an outage. The first must
// end, the second goes on. What tells them apart is a request for the next
// epoch that names the one that was held last: brokers grant it to whoever held
// the latest, or the one that they have taken back themselves, and to nobody
// once another process has begun without naming one.

// fenced reports whether the coordinator has given the producer's place away.
func fenced(err error) bool {
	return errors.Is(err, kerr.ProducerFenced) || errors.Is(err, kerr.InvalidProducerEpoch) || errors.Is(err, kerr.InvalidProducerIDMapping)
}

// producerEpoch is what a transactional id was given.
type producerEpoch struct {
	id    int64
	epoch int16
}

// nextEpoch asks for the epoch behind held, as often as brokers are still ending
// a transaction of this id. An error that is fenced says that held was not the
// latest.
func nextEpoch(ctx context.Context, cl *kgo.Client, name string, timeout time.Duration, held producerEpoch) (producerEpoch, error) {
	req := kmsg.NewPtrInitProducerIDRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch = kmsg.StringPtr(name), held.id, held.epoch
	req.TransactionTimeoutMillis = int32(timeout.Milliseconds())
	for {
		resp, err := req.RequestWith(ctx, cl)
		if err == nil {
			err = kerr.ErrorForCode(resp.ErrorCode)
		}
		if err == nil {
			return producerEpoch{resp.ProducerID, resp.ProducerEpoch}, nil
		}
		if !errors.Is(err, kerr.ConcurrentTransactions) {
			return held, err
		}
		select {
		case <-time.After(groupPause):
		case <-ctx.Done():
			return held, context.Cause(ctx)
		}
	}
}

// note takes down what the producer was given last.
func (s *Session) note(ctx context.Context) (producerEpoch, error) {
	id, epoch, err := s.client.ProducerID(ctx)
	if err != nil {
		return producerEpoch{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = producerEpoch{id, epoch}
	return s.held, nil
}

// doubt says whether brokers may have given more epochs than is known.
func (s *Session) doubt(unsure bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unsure = unsure
}

// keep takes down what a commit has stored. Only the goroutine that calls Open
// and Commit reads it.
func (s *Session) keep(positions map[string]engine.Position) {
	if s.stored == nil {
		s.stored = map[string]engine.Position{}
	}
	maps.Copy(s.stored, positions)
	s.maybe = nil
}

// stillMine makes sure, behind a run that broke, that no other process has begun
// to run the pipeline meanwhile: to begin anew would end that one. What is held
// may be one step behind what brokers gave. Where it may be further behind, since
// answers were lost, the positions decide: another process that has stored some
// has taken over. A process that begins right behind the question, or has stored
// nothing yet, is ended by this one, as by any later start; positions are read
// after that.
func (s *Session) stillMine(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, s.patience())
	defer cancel()
	s.mu.Lock()
	held, unsure := s.held, s.unsure
	s.mu.Unlock()
	doing := "beginning anew as " + s.ID()
	next, err := nextEpoch(bounded, s.control, s.ID(), s.timeout(), held)
	switch {
	case err == nil:
		s.mu.Lock()
		defer s.mu.Unlock()
		s.held, s.unsure = next, false
		return nil
	case fenced(err) && unsure:
		found, readErr := s.readPositions(bounded)
		if readErr != nil {
			return readErr
		}
		if s.untouched(found) {
			return nil
		}
		fallthrough
	case fenced(err):
		s.placed = false
		return fmt.Errorf("%s: another process has begun to write as %s: only one process at a time may run this pipeline: %w", doing, s.ID(), err)
	}
	s.doubt(true)
	if bounded.Err() != nil && ctx.Err() == nil {
		return engine.Retry(fmt.Errorf("%s: %w", doing, err))
	}
	return Classify(doing, err)
}

// untouched reports whether nobody else has stored a position since.
func (s *Session) untouched(found map[string]engine.Position) bool {
	for source, p := range found {
		was, ok := s.stored[source]
		may, also := s.maybe[source]
		if known := ok && p == was || also && p == may; !known {
			return false
		}
	}
	for source := range s.stored {
		if _, ok := found[source]; !ok {
			return false
		}
	}
	return true
}
