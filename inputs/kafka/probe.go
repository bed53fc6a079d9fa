package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// probeWait bounds one probe.
const probeWait = 10 * time.Second

// probe ends partitions of which nothing is left before their end although the
// end was not seen. The last offsets of a log may hold nothing: compaction has
// removed them. No fetch tells that, since the client hands out records only,
// so that a reader would wait for ever.
func (in *Input) probe(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, probeWait)
	defer cancel()
	type open struct {
		part     *partition
		from, to int64
	}
	var list []open
	topics := map[string]bool{}
	in.mu.Lock()
	for id, part := range in.parts {
		if !part.ended && !part.leaving && part.from >= 0 && in.ends != nil {
			list = append(list, open{part, part.position(), part.end})
			topics[id.topic] = true
		}
	}
	in.mu.Unlock()
	if len(list) == 0 {
		return
	}
	details, err := kadm.NewClient(in.client).ListTopics(ctx, keys(topics)...)
	if err != nil {
		in.logger().Debug("looking whether partitions have ended", "error", err)
		return
	}
	for _, o := range list {
		empty, err := in.emptyBetween(ctx, details[o.part.id.topic], o.part.id, o.from, o.to)
		if err != nil {
			in.logger().Debug("looking whether a partition has ended", "partition", o.part.id, "error", err)
			continue
		}
		in.mu.Lock()
		// Unless something has come since, which has an end of its own.
		if empty && !o.part.leaving && o.part.position() == o.from {
			in.endPartition(o.part)
		}
		in.mu.Unlock()
	}
}

func keys(m map[string]bool) []string {
	var list []string
	for k := range m {
		list = append(list, k)
	}
	return list
}

// emptyBetween reports whether nothing that can be read, neither record nor
// marker, has an offset of from or more and less than to.
func (in *Input) emptyBetween(ctx context.Context, topic kadm.TopicDetail, id partitionID, from, to int64) (bool, error) {
	for from < to {
		rp, err := in.fetchOnce(ctx, topic, id, from)
		if err != nil {
			return false, err
		}
		isolation := kgo.ReadUncommitted()
		seen := rp.HighWatermark
		if in.config.Isolation == "read_committed" {
			isolation, seen = kgo.ReadCommitted(), rp.LastStableOffset
		}
		fp, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
			KeepControlRecords: true, Offset: from, IsolationLevel: isolation, Topic: id.topic, Partition: id.partition,
		}, rp, kgo.DefaultDecompressor(), nil)
		switch {
		case fp.Err != nil:
			return false, fp.Err
		case len(fp.Records) > 0 && fp.Records[0].Offset < to:
			return false, nil
		case len(fp.Records) > 0:
			return true, nil
		case next <= from:
			return seen >= to, nil // the broker has nothing from here on
		}
		from = next
	}
	return true, nil
}

func (in *Input) fetchOnce(ctx context.Context, topic kadm.TopicDetail, id partitionID, from int64) (*kmsg.FetchResponseTopicPartition, error) {
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition, p.FetchOffset, p.PartitionMaxBytes = id.partition, from, int32(in.config.FetchMaxPartitionBytes)
	t := kmsg.NewFetchRequestTopic()
	t.Topic, t.TopicID = id.topic, topic.ID
	t.Partitions = append(t.Partitions, p)
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes = 0, 0, int32(in.config.FetchMaxPartitionBytes)
	req.SessionEpoch = -1 // no fetch session
	if in.config.Isolation == "read_committed" {
		req.IsolationLevel = 1
	}
	req.Topics = append(req.Topics, t)
	leader, ok := topic.Partitions[id.partition]
	if !ok || leader.Leader < 0 {
		return nil, fmt.Errorf("%s has no leader", id)
	}
	resp, err := in.client.Broker(int(leader.Leader)).Request(ctx, req)
	if err != nil {
		return nil, err
	}
	got := resp.(*kmsg.FetchResponse)
	if err := kerr.ErrorForCode(got.ErrorCode); err != nil {
		return nil, err
	}
	if len(got.Topics) != 1 || len(got.Topics[0].Partitions) != 1 {
		return nil, errors.New("the answer lacks the partition")
	}
	return &got.Topics[0].Partitions[0], nil
}
