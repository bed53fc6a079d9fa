package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/flowrecords/flow/engine"
)

// commitWait bounds one commit, so that a broker that does not answer stops
// neither the committer nor a rebalance for long.
const commitWait = 5 * time.Second

// idlePoll is how often a revoke looks whether what was in flight is confirmed.
const idlePoll = 2 * time.Millisecond

func sourceInfo(id partitionID) engine.SourceInfo {
	return engine.SourceInfo{
		ID:              id.String(),
		Topic:           id.topic,
		Partition:       id.partition,
		OffsetSeparator: "/",
	}
}

// onAssigned runs before the first fetch of the new partitions.
func (in *Input) onAssigned(_ context.Context, client *kgo.Client, assigned map[string][]int32) {
	// A bounded input has paused what it had read to the end in an assignment
	// before, and the client remembers that over assignments.
	client.ResumeFetchPartitions(assigned)
	in.mu.Lock()
	defer in.mu.Unlock()
	in.member = client
	for topic, ps := range assigned {
		for _, p := range ps {
			id := partitionID{topic, p}
			in.parts[id] = &partition{
				id: id, src: in.host.Source(sourceInfo(id)),
				from: -1, next: -1, committed: -1, end: in.endOf(id), lag: newLag(),
			}
		}
	}
	in.assigned, in.fenced = true, time.Time{}
	in.wakeUp()
}

// onRevoked hands partitions over to other members. The group waits for it,
// so it is bounded: by revoke_wait, and by commitWait twice (a commit that
// is under way, then its own).
func (in *Input) onRevoked(_ context.Context, client *kgo.Client, revoked map[string][]int32) {
	parts, closing := in.leave(revoked)
	if len(parts) == 0 {
		return
	}
	if c, exact := in.host.(engine.Cutter); exact && !closing {
		in.cutBefore(c, parts)
	} else if !closing {
		in.waitIdle(parts)
	}

	in.commitMu.Lock()
	defer in.commitMu.Unlock()
	offsets, marks := offsetMap{}, map[partitionID]string{}
	in.mu.Lock()
	for _, part := range parts {
		// Invariant 2: from here on no acknowledgement moves the position of
		// this assignment, and no commit includes it: the next owner's
		// commits must not be overwritten.
		pos, ok := part.src.Revoke()
		delete(in.parts, part.id)
		if ok && pos.Offset > part.committed {
			offsets.add(part.id, pos)
			marks[part.id] = part.again
		}
	}
	in.assigned = false // until the group answers again, perhaps with nothing
	in.mu.Unlock()

	ctx, cancel := context.WithTimeout(context.Background(), commitWait)
	defer cancel()
	if err := commit(withMarks(ctx, marks), client, offsets); err != nil {
		// The next owner reads from the last commit: repeats, no loss.
		in.logger().Warn("committing positions of revoked partitions", "error", err)
	}
}

// onLost ends partitions that others may own already: a commit now could
// overwrite theirs.
func (in *Input) onLost(_ context.Context, _ *kgo.Client, lost map[string][]int32) {
	parts, _ := in.leave(lost)
	if len(parts) == 0 {
		return
	}
	in.logger().Warn("the group has taken partitions away without asking; their records in flight will be read again by others", "partitions", len(parts))
	// No wait for commitMu: a commit that is under way carries the old
	// generation, and the group refuses it.
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, part := range parts {
		part.src.Revoke()
		delete(in.parts, part.id)
	}
	in.assigned = false
}

// leave stops reading partitions and returns those that were ours.
func (in *Input) leave(gone map[string][]int32) (parts []*partition, closing bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for topic, ps := range gone {
		for _, p := range ps {
			if part := in.parts[partitionID{topic, p}]; part != nil {
				part.leaving = true
				parts = append(parts, part)
			}
		}
	}
	return parts, in.closing
}

// waitIdle waits until everything in flight of the partitions is confirmed,
// revoke_wait at most.
func (in *Input) waitIdle(parts []*partition) {
	in.mu.Lock()
	hurry := in.hurry
	in.mu.Unlock()
	deadline := time.NewTimer(in.config.RevokeWait)
	defer deadline.Stop()
	tick := time.NewTicker(idlePoll)
	defer tick.Stop()
	for _, part := range parts {
		for !part.src.Idle() {
			select {
			case <-tick.C:
			case <-hurry:
				return
			case <-deadline.C:
				in.logger().Info("records in flight of a revoked partition are not confirmed yet; its next owner reads them again",
					"topic", part.id.topic, "partition", part.id.partition, "records", part.src.InFlight())
				return
			}
		}
	}
}

// Commit stores confirmed positions in the group.
func (in *Input) Commit(ctx context.Context, sources []*engine.Source) error {
	in.commitMu.Lock()
	defer in.commitMu.Unlock()
	offsets, marks := offsetMap{}, map[partitionID]string{}
	var parts []*partition
	in.mu.Lock()
	for _, src := range sources {
		info := src.Info()
		part := in.parts[partitionID{info.Topic, info.Partition}]
		if part == nil || part.src != src {
			continue // taken away since, perhaps given back as another assignment
		}
		if pos, ok := src.Confirmed(); ok && pos.Offset > part.committed {
			offsets.add(part.id, pos)
			marks[part.id] = part.again
			parts = append(parts, part)
		}
	}
	client := in.client
	in.mu.Unlock()
	if len(parts) == 0 || client == nil {
		return nil
	}

	ctx, cancel := context.WithTimeout(ctx, commitWait)
	defer cancel()
	if err := commit(withMarks(ctx, marks), client, offsets); err != nil {
		return fmt.Errorf("committing positions of group %s: %w", in.config.Group, err)
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, part := range parts {
		part.committed = max(part.committed, offsets[part.id.topic][part.id.partition].Offset)
	}
	return nil
}

// offsetMap is what the client commits.
type offsetMap map[string]map[int32]kgo.EpochOffset

func (m offsetMap) add(id partitionID, pos engine.Position) {
	if m[id.topic] == nil {
		m[id.topic] = map[int32]kgo.EpochOffset{}
	}
	m[id.topic][id.partition] = kgo.EpochOffset{Epoch: pos.Epoch, Offset: pos.Offset}
}

func commit(ctx context.Context, client *kgo.Client, offsets offsetMap) error {
	if len(offsets) == 0 {
		return nil
	}
	var fail error
	client.CommitOffsetsSync(ctx, offsets, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
		if err != nil {
			fail = err
			return
		}
		for _, t := range resp.Topics {
			for _, p := range t.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil && fail == nil {
					fail = fmt.Errorf("%s/%d: %w", t.Topic, p.Partition, err)
				}
			}
		}
	})
	return fail
}

var (
	_ engine.Input      = (*Input)(nil)
	_ engine.Committer  = (*Input)(nil)
	_ engine.Progresser = (*Input)(nil)
	_ engine.Lagger     = (*Input)(nil)
)
