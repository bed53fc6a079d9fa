package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// GroupOffsets is what a member of a consumer group offers to a transaction.
type GroupOffsets struct {
	Group    string
	Instance string // of a static member; empty: none
	Offsets  map[string]map[int32]kgo.EpochOffset
	// Metadata is the text that goes with an offset; empty: none.
	Metadata func(topic string, partition int32) string
	// Member tells the member's id and generation, as they are now.
	Member func() (id string, generation int32)
	// Held reports whether all partitions are still those of this member. It
	// is asked behind Member: a generation in which they were is what proves
	// it to the group.
	Held func() bool
	// Done is called when the offsets are committed.
	Done func()
}

// errNotHeld is why a transaction is taken back: another member may read these
// records again.
var errNotHeld = errors.New("the group has given partitions of this worker to another one")

const groupPause = 100 * time.Millisecond

// commitGroup adds positions of a group to the open transaction. The group
// refuses a member of an earlier generation; what this member still holds in
// the next one is offered again.
func (s *Session) commitGroup(ctx context.Context, o *GroupOffsets) error {
	added := s.second
	for {
		id, generation := o.Member()
		// Without a member the group would take the positions unasked.
		if !o.Held() || id == "" || generation < 0 {
			return errNotHeld
		}
		err := error(nil)
		if !added {
			err = s.addGroup(ctx, o.Group)
		}
		if err == nil {
			added = true
			err = s.offerGroup(ctx, o, id, generation)
		}
		switch {
		case err == nil:
			return nil
		case !retriesGroup(err):
			return err
		}
		select {
		case <-time.After(groupPause):
		case <-ctx.Done():
			return err
		}
	}
}

func retriesGroup(err error) bool {
	for _, e := range []error{kerr.ConcurrentTransactions, kerr.IllegalGeneration, kerr.UnknownMemberID, kerr.StaleMemberEpoch, kerr.RebalanceInProgress} {
		if errors.Is(err, e) {
			return true
		}
	}
	var answer *kerr.Error
	return !errors.As(err, &answer) || answer.Retriable // a broker that is away
}

func (s *Session) addGroup(ctx context.Context, group string) error {
	req := kmsg.NewPtrAddOffsetsToTxnRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group = s.ID(), s.began.id, s.began.epoch, group
	resp, err := req.RequestWith(ctx, s.control)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(resp.ErrorCode)
}

func (s *Session) offerGroup(ctx context.Context, o *GroupOffsets, id string, generation int32) error {
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch = s.ID(), s.began.id, s.began.epoch
	req.Group, req.MemberID, req.Generation = o.Group, id, generation
	if o.Instance != "" {
		req.InstanceID = kmsg.StringPtr(o.Instance)
	}
	for topic, partitions := range o.Offsets {
		t := kmsg.NewTxnOffsetCommitRequestTopic()
		t.Topic = topic
		for partition, at := range partitions {
			p := kmsg.NewTxnOffsetCommitRequestTopicPartition()
			p.Partition, p.Offset, p.LeaderEpoch = partition, at.Offset, at.Epoch
			if text := o.Metadata(topic, partition); text != "" {
				p.Metadata = &text
			}
			t.Partitions = append(t.Partitions, p)
		}
		req.Topics = append(req.Topics, t)
	}
	resp, err := req.RequestWith(ctx, s.control)
	if err != nil {
		return err
	}
	answered := 0
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return fmt.Errorf("%s/%d: %w", t.Topic, p.Partition, err)
			}
			answered++
		}
	}
	for _, t := range req.Topics {
		answered -= len(t.Partitions)
	}
	if answered != 0 {
		return errors.New("the answer lacks a partition")
	}
	return nil
}
