package kafka

import (
	"context"
	"errors"
	"time"
)

// Coordinators have been seen to answer everything that belongs to a
// transactional id with CONCURRENT_TRANSACTIONS for ever (KAFKA-19925), which
// the client takes for something that passes. So nothing waits for one without a
// bound, and where the id may be another one, the next run takes another.

// watch begins when a transaction does. It needs mu.
func (s *Session) watch() {
	s.giving.Add(1)
	s.overdue = time.AfterFunc(s.patience(), func() {
		defer s.giving.Done()
		s.giveUp()
	})
}

// patience is so long that brokers have taken a transaction back by themselves.
func (s *Session) patience() time.Duration { return 2 * s.timeout() }

// timeout is how long brokers leave a transaction open.
func (s *Session) timeout() time.Duration {
	return s.settings.CommitInterval + s.conn.config.TransactionTimeout
}

// giveUp ends the run because its transaction does not end.
func (s *Session) giveUp() {
	s.mu.Lock()
	if !s.begun || s.overdue == nil {
		s.mu.Unlock()
		return
	}
	s.stuck = true
	s.mu.Unlock()
	s.logger().Warn("a transaction does not come to its end", "transactional_id", s.ID(), "after", s.patience())
	ctx, cancel := context.WithTimeout(context.Background(), closeWait)
	defer cancel()
	s.cancel(ctx, errOverdue)
}

var errOverdue = errors.New("the transaction was open for longer than brokers leave it")

// onTime says that the end of the transaction is under way, which has a bound
// of its own, or that there is none. It needs mu.
func (s *Session) onTime() {
	if s.overdue != nil && s.overdue.Stop() {
		s.giving.Done()
	}
	s.overdue = nil
}

// endOthers ends what the process before, or the run before, has left open.
func (s *Session) endOthers(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, s.patience())
	defer cancel()
	_, err := s.note(bounded)
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		s.mu.Lock()
		s.stuck = true
		s.mu.Unlock()
	}
	return Classify("ending transactions that were left open, as "+s.ID(), err)
}
