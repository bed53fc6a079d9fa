package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	connkafka "github.com/flowrecords/flow/connections/kafka"
	"github.com/flowrecords/flow/engine"
)

// againMark is what stands before the text of start_again in the metadata of a
// stored position.
const againMark = "flow start_again: "

// maxAgain keeps the text under the brokers' least usual limit of such
// metadata (offset.metadata.max.bytes, 4096).
const maxAgain = 1000

// onFetched learns for which start_again the group's positions stand. It runs
// before onPositions.
func (in *Input) onFetched(_ context.Context, _ *kgo.Client, resp *kmsg.OffsetFetchResponse) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, g := range resp.Groups {
		for _, t := range g.Topics {
			for _, p := range t.Partitions {
				part := in.parts[partitionID{t.Topic, p.Partition}]
				if part == nil || p.Metadata == nil {
					continue
				}
				if text, ok := strings.CutPrefix(*p.Metadata, againMark); ok {
					part.again = text
				}
			}
		}
	}
	return nil
}

// begin is where an assigned partition begins.
type begin struct {
	part   *partition
	offset kgo.Offset // what the group has, then what is to be read from
	stored bool       // the group has a position, which counts
	again  bool       // what the group has does not count
	anew   bool       // its topic was made anew
	from   int64      // offset as a number
	keep   bool       // the position must be stored before anything is read
}

// onPositions decides where newly assigned partitions begin, before the first
// fetch. An error makes the client join the group again.
func (in *Input) onPositions(ctx context.Context, offsets map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	client, begins := in.assignedNow(offsets)
	if len(begins) == 0 {
		return offsets, nil
	}
	if err := in.placeAll(ctx, client, begins); err != nil {
		if gone := (*goneError)(nil); errors.As(err, &gone) || errors.Is(err, errNoPosition) || connkafka.FatalLater(err) {
			in.fail(err)
			return map[string]map[int32]kgo.Offset{}, nil
		}
		return nil, fmt.Errorf("finding where to begin: %w", err)
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	for i := range begins {
		b := &begins[i]
		offsets[b.part.id.topic][b.part.id.partition] = b.offset
		b.part.from, b.part.again = b.from, in.config.againOr(b.part.again)
		in.placed[b.part.id] = true
		if in.bounded {
			b.part.ended = b.from >= b.part.end
			if in.ends != nil {
				in.read.expect(b.part.end - b.from)
			}
		}
	}
	in.wakeUp()
	return offsets, nil
}

// againOr is the text to store beside positions: without start_again that of
// before is kept, so that giving the same text later does nothing.
func (c *Config) againOr(before string) string {
	if c.StartAgain != "" {
		return c.StartAgain
	}
	return before
}

func (in *Input) assignedNow(offsets map[string]map[int32]kgo.Offset) (*kgo.Client, []begin) {
	in.mu.Lock()
	defer in.mu.Unlock()
	var list []begin
	for topic, ps := range offsets {
		for p, o := range ps {
			id := partitionID{topic, p}
			part := in.parts[id]
			if part == nil {
				continue
			}
			b := begin{part: part, offset: o, stored: o.EpochOffset().Offset >= 0}
			b.anew = in.anew[topic] && !in.placed[id]
			b.again = b.stored && (b.anew || in.config.StartAgain != "" && part.again != in.config.StartAgain)
			if pos, ok := in.host.Stored(id.String()); ok && !b.again && (!b.stored || pos.Offset > o.EpochOffset().Offset) {
				// What outputs hold in one cut with it counts, where the group
				// has not come further with another worker since.
				b.offset, b.stored = kgo.NewOffset().At(pos.Offset).WithEpoch(pos.Epoch), true
			}
			list = append(list, b)
		}
	}
	return in.member, list
}

// placeAll fills offset and from. What has no position gets one that is stored
// at once where the start moves with time: otherwise another member that takes
// the partition over before the first commit would begin later, and records in
// between would be lost.
func (in *Input) placeAll(ctx context.Context, client *kgo.Client, begins []begin) error {
	ids := make([]partitionID, len(begins))
	for i := range begins {
		ids[i] = begins[i].part.id
	}
	oldest, err := in.listAll(ctx, client, ids, atStart)
	if err != nil {
		return err
	}
	starts, err := in.startsOf(ctx, client, begins, oldest)
	if err != nil {
		return err
	}
	keep := offsetMap{}
	marks := map[partitionID]string{}
	for i := range begins {
		b := &begins[i]
		id := b.part.id
		if b.stored && !b.again {
			b.from = b.offset.EpochOffset().Offset
		} else if at := starts[id]; at == atStart {
			b.from = oldest[id] // and the client lists it again: it may move
			b.offset = kgo.NewOffset().AtStart()
		} else {
			b.from, b.keep = at, true
		}
		if b.from < oldest[id] && b.from >= 0 {
			if err := in.gone(ctx, client, b, oldest[id]); err != nil {
				return err
			}
		}
		if b.again || b.keep {
			b.offset, b.keep = kgo.NewOffset().At(b.from), true
			keep.add(id, engine.Position{Offset: b.from, Epoch: -1})
			marks[id] = in.config.againOr(b.part.again)
		}
	}
	if err := commit(withMarks(ctx, marks), client, keep); err != nil {
		return fmt.Errorf("storing where to begin in group %s: %w", in.config.Group, err)
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	for i := range begins {
		if b := &begins[i]; b.keep {
			b.part.committed = b.from
		}
	}
	return nil
}

var errNoPosition = errors.New("the group has no position")

// startsOf returns where partitions begin whose position does not count:
// atStart, or an offset.
func (in *Input) startsOf(ctx context.Context, client *kgo.Client, begins []begin, oldest map[partitionID]int64) (map[partitionID]int64, error) {
	starts, times, ends := map[partitionID]int64{}, map[partitionID]int64{}, map[partitionID]int64{}
	end := func(id partitionID) {
		if tip, ok := in.tips[id]; ok {
			starts[id] = max(tip, oldest[id])
		} else {
			ends[id] = atEnd
		}
	}
	start, _ := startMoment(in.config.Start)
	for i := range begins {
		b := &begins[i]
		id := b.part.id
		given, isGiven := in.starts[id]
		if b.stored && !b.again {
			continue
		}
		switch {
		case b.anew:
			starts[id] = atStart
		case isGiven && given.word == "":
			starts[id] = given.offset
		case isGiven && given.word == wordEarliest:
			starts[id] = atStart
		case isGiven:
			end(id)
		case start.isTime():
			times[id] = millis(start.time(in.opened))
		case start.word == wordEarliest || !in.there[id]:
			// A partition that came later holds only records that nobody
			// could have read before.
			starts[id] = atStart
		case start.word == wordNone:
			return nil, fmt.Errorf(`%s: %w %s. Give it one with the tools of the cluster, or change start = "none"`, id, errNoPosition, in.config.Group)
		default:
			end(id)
		}
	}
	byTime, err := in.listOffsets(ctx, client, times)
	if err != nil {
		return nil, err
	}
	for id, at := range byTime {
		if starts[id] = at; at < 0 {
			end(id) // every record is older
		}
	}
	atEnds, err := in.listOffsets(ctx, client, ends)
	if err != nil {
		return nil, err
	}
	for id, at := range atEnds {
		starts[id] = max(at, oldest[id])
	}
	return starts, nil
}

// goneError says that records are gone that nobody has read.
type goneError struct{ text string }

func (e *goneError) Error() string { return e.text }

const goneRemedy = `To go on without them set on_offset_gone to "earliest" (the oldest record that is there) or "latest" (the end)`

// gone applies on_offset_gone to a position below the oldest record.
func (in *Input) gone(ctx context.Context, client *kgo.Client, b *begin, oldest int64) error {
	id := b.part.id
	what := fmt.Sprintf("the records of %s from offset %d to %d are gone (%d at most): they were deleted before group %s had read them",
		id, b.from, oldest-1, oldest-b.from, in.config.Group)
	to := oldest
	switch in.config.OnOffsetGone {
	case "error":
		return &goneError{what + ". " + goneRemedy}
	case wordLatest:
		ends, err := in.listAll(ctx, client, []partitionID{id}, atEnd)
		if err != nil {
			return err
		}
		to = max(ends[id], oldest)
	}
	in.logger().Warn(what, "going_on_at", to)
	b.from, b.offset = to, kgo.NewOffset().At(to)
	b.keep = true
	return nil
}

// outOfRange makes an error of a broker's refusal of an offset while reading;
// with on_offset_gone = "error" only, otherwise the client goes on by itself.
func (in *Input) outOfRange(ctx context.Context, id partitionID, at int64) error {
	oldest, err := in.listAll(ctx, in.client, []partitionID{id}, atStart)
	if err == nil && at >= 0 && at < oldest[id] {
		return &goneError{fmt.Sprintf("the records of %s from offset %d to %d are gone (%d at most): they were deleted before they were read. %s",
			id, at, oldest[id]-1, oldest[id]-at, goneRemedy)}
	}
	return &goneError{fmt.Sprintf("%s ends before offset %d, which group %s has reached: the cluster has lost records, or the topic was made anew. %s",
		id, at, in.config.Group, goneRemedy)}
}

// withMarks makes a commit store the texts of start_again.
func withMarks(ctx context.Context, marks map[partitionID]string) context.Context {
	return kgo.PreCommitFnContext(ctx, func(req *kmsg.OffsetCommitRequest) error {
		for i := range req.Topics {
			t := &req.Topics[i]
			for j := range t.Partitions {
				p := &t.Partitions[j]
				if text := marks[partitionID{t.Topic, p.Partition}]; text != "" {
					text = againMark + text
					p.Metadata = &text
				}
			}
		}
		return nil
	})
}
