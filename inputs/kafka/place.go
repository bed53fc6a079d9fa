package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	connkafka "github.com/flowrecords/flow/connections/kafka"
	"github.com/flowrecords/flow/engine"
)

// moveTargets is what Moves understands beside nothing, which forgets.
const moveTargets = "earliest, latest, an offset, a time in RFC 3339 or one back from now such as -24h"

// asking calls do with a client that joins no group.
func (in *Input) asking(ctx context.Context, do func(*kgo.Client) error) error {
	if err := in.conn.Acquire(ctx); err != nil {
		return err
	}
	defer func() { _ = in.conn.Release() }()
	client, err := in.conn.Client(in.env, kgo.RequestRetries(3))
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.Ping(ctx); err != nil {
		return connkafka.Classify("connecting to Kafka", err)
	}
	return do(client)
}

// standing is what the cluster says of the input's partitions.
type standing struct {
	ids        []partitionID // in order
	start, end map[partitionID]int64
	group      kadm.OffsetResponses
	members    []string
}

func (p *standing) at(id partitionID) int64 {
	if o, ok := p.group.Lookup(id.topic, id.partition); ok && o.Err == nil {
		return o.At
	}
	return -1
}

func (in *Input) stand(ctx context.Context, client *kgo.Client) (*standing, error) {
	ids, err := in.nowThere(ctx, client)
	if err != nil {
		return nil, err
	}
	p := &standing{ids: ids}
	var fresh bool
	if p.members, fresh, err = in.conn.GroupMembers(ctx, client, in.config.Group); err != nil {
		return nil, err
	}
	if !fresh {
		if p.group, err = kadm.NewClient(client).FetchOffsets(ctx, in.config.Group); err != nil {
			return nil, connkafka.Classify("asking for the positions of group "+in.config.Group, err)
		}
	}
	if p.start, err = in.listAll(ctx, client, ids, atStart); err == nil {
		p.end, err = in.listAll(ctx, client, ids, atEnd)
	}
	if err != nil {
		return nil, connkafka.Classify("asking for the ends of partitions", err)
	}
	return p, nil
}

// nowThere lists the partitions in order. Topics that do not exist have none.
func (in *Input) nowThere(ctx context.Context, client *kgo.Client) ([]partitionID, error) {
	found, err := kadm.NewClient(client).ListTopics(ctx, in.config.Topics...)
	if err != nil {
		return nil, connkafka.Classify("listing topics", err)
	}
	match := in.config.matcher()
	var ids []partitionID
	for _, t := range found {
		switch {
		case len(in.config.Topics) == 0 && (t.IsInternal || !match(t.Topic)):
		case t.Err == nil:
			ids = append(ids, partitionsOf(t)...)
		case !errors.Is(t.Err, kerr.UnknownTopicOrPartition):
			return nil, connkafka.Classify("looking for topic "+t.Topic, t.Err)
		}
	}
	slices.SortFunc(ids, func(a, b partitionID) int {
		return cmp.Or(strings.Compare(a.topic, b.topic), cmp.Compare(a.partition, b.partition))
	})
	return ids, nil
}

// Placement implements engine.Placer.
func (in *Input) Placement(ctx context.Context) (*engine.Placement, error) {
	where := "consumer group " + in.config.Group + " of " + in.conn.Where()
	out := &engine.Placement{Where: where, Targets: moveTargets}
	err := in.asking(ctx, func(client *kgo.Client) error {
		p, err := in.stand(ctx, client)
		if err != nil {
			return err
		}
		if n := len(p.members); n > 0 {
			out.Busy = fmt.Sprintf("%d of its members are at work: %s", n, strings.Join(p.members, ", "))
		}
		for _, id := range p.ids {
			x := engine.PlacedPartition{ID: id.String(), Position: p.at(id), Behind: -1}
			if x.Position >= 0 {
				x.Behind = max(p.end[id]-max(x.Position, p.start[id]), 0)
			}
			out.Partitions = append(out.Partitions, x)
		}
		return nil
	})
	return out, err
}

// Moves implements engine.Placer.
func (in *Input) Moves(ctx context.Context, names []string, to string) (moves []engine.Move, err error) {
	target, err := parseTarget(to)
	if err != nil {
		return nil, err
	}
	err = in.asking(ctx, func(client *kgo.Client) error {
		p, err := in.stand(ctx, client)
		if err != nil {
			return err
		}
		ids, err := p.choose(names)
		if err != nil {
			return err
		}
		ends, err := in.targets(ctx, client, p, ids, target)
		if err != nil {
			return err
		}
		for _, id := range ids {
			m := engine.Move{ID: id.String(), From: p.at(id), To: ends[id]}
			to := m.To
			if to < 0 && in.config.Start == wordEarliest && len(in.config.StartOffsets) == 0 {
				to = p.start[id]
			}
			if m.From >= 0 && to >= 0 {
				m.Again, m.Known = min(max(m.From, p.start[id]), p.end[id])-to, true
			}
			if m.From != m.To {
				moves = append(moves, m)
			}
		}
		return nil
	})
	return moves, err
}

// choose returns the partitions that are named, as topic/number, or by their
// number alone where there is one topic.
func (p *standing) choose(names []string) ([]partitionID, error) {
	if len(names) == 0 {
		return p.ids, nil
	}
	var list []partitionID
	for _, name := range names {
		i := slices.IndexFunc(p.ids, func(id partitionID) bool { return id.String() == name })
		if n, err := strconv.ParseInt(name, 10, 32); i < 0 && err == nil && len(p.ids) > 0 && p.ids[0].topic == p.ids[len(p.ids)-1].topic {
			i = slices.Index(p.ids, partitionID{p.ids[0].topic, int32(n)})
		}
		if i < 0 {
			var there []string
			for _, id := range p.ids {
				there = append(there, id.String())
			}
			return nil, fmt.Errorf("there is no partition %s; there are %s", name, strings.Join(there, ", "))
		}
		if !slices.Contains(list, p.ids[i]) {
			list = append(list, p.ids[i])
		}
	}
	return list, nil
}

// target is where to move to.
type target struct {
	forget bool
	word   string
	offset int64
	when   *moment
}

func parseTarget(to string) (target, error) {
	if to == "" {
		return target{forget: true}, nil
	}
	if p, ok := parsePlace(to, []string{wordEarliest, wordLatest}); ok {
		return target{word: p.word, offset: p.offset}, nil
	}
	if m, ok := parseMoment(to); ok {
		return target{when: &m}, nil
	}
	return target{}, fmt.Errorf("%q is none of: %s", to, moveTargets)
}

// targets finds the offsets that partitions move to; -1 forgets.
func (in *Input) targets(ctx context.Context, client *kgo.Client, p *standing, ids []partitionID, to target) (map[partitionID]int64, error) {
	if to.when != nil {
		found, err := in.listAll(ctx, client, ids, millis(to.when.time(in.now())))
		if err != nil {
			return nil, connkafka.Classify("looking for records of that time", err)
		}
		for id, offset := range found {
			if offset < 0 { // nothing is as late
				found[id] = p.end[id]
			}
		}
		return found, nil
	}
	list := make(map[partitionID]int64, len(ids))
	for _, id := range ids {
		switch {
		case to.forget:
			list[id] = -1
		case to.word == wordEarliest:
			list[id] = p.start[id]
		case to.word == wordLatest:
			list[id] = p.end[id]
		case to.offset < p.start[id] || to.offset > p.end[id]:
			return nil, fmt.Errorf("%s has the offsets %d to %d, and not %d", id, p.start[id], p.end[id], to.offset)
		default:
			list[id] = to.offset
		}
	}
	return list, nil
}

// Move implements engine.Placer. Brokers refuse while the group has members.
func (in *Input) Move(ctx context.Context, moves []engine.Move) error {
	return in.asking(ctx, func(client *kgo.Client) error {
		adm := kadm.NewClient(client)
		had, err := adm.FetchOffsets(ctx, in.config.Group)
		if err != nil {
			return connkafka.Classify("asking for the positions of group "+in.config.Group, err)
		}
		set, forget := kadm.Offsets{}, kadm.TopicsSet{}
		for _, m := range moves {
			id, ok := parsePartition(m.ID)
			if !ok {
				return fmt.Errorf("%q is no partition of a topic", m.ID)
			}
			if m.To < 0 {
				forget.Add(id.topic, id.partition)
				continue
			}
			o := kadm.Offset{Topic: id.topic, Partition: id.partition, At: m.To, LeaderEpoch: -1}
			if was, ok := had.Lookup(id.topic, id.partition); ok {
				o.Metadata = was.Metadata // for which start_again it stands
			}
			set.Add(o)
		}
		doing := "moving group " + in.config.Group
		if len(set) > 0 {
			if err := adm.CommitAllOffsets(ctx, in.config.Group, set); err != nil {
				return connkafka.Classify(doing, err)
			}
		}
		if len(forget) > 0 {
			answers, err := adm.DeleteOffsets(ctx, in.config.Group, forget)
			if err == nil {
				err = answers.Error()
			}
			if err != nil {
				return connkafka.Classify(doing, err)
			}
		}
		return nil
	})
}

var _ engine.Placer = (*Input)(nil)
