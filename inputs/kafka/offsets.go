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

// What ListOffsets calls the ends of a log in place of a time.
const (
	atStart int64 = -2
	atEnd   int64 = -1
)

// listWait bounds the search for offsets, listPause is between two tries.
const (
	listWait  = 15 * time.Second
	listPause = 50 * time.Millisecond
)

// listOffsets returns an offset for each partition of at: that of its start or
// end, or of the first record that is not older than so many milliseconds, -1
// where there is none. The end is that of what isolation lets through.
//
// kadm would ask for all partitions of a topic, and miss those that its cached
// metadata does not know yet.
func (in *Input) listOffsets(ctx context.Context, client *kgo.Client, at map[partitionID]int64) (map[partitionID]int64, error) {
	ctx, cancel := context.WithTimeout(ctx, listWait)
	defer cancel()
	found := make(map[partitionID]int64, len(at))
	missing := at
	for len(missing) > 0 {
		err := in.listOnce(ctx, client, missing, found)
		missing = make(map[partitionID]int64)
		for id, t := range at {
			if _, ok := found[id]; !ok {
				missing[id] = t
			}
		}
		if len(missing) == 0 {
			break
		}
		if err == nil {
			err = errors.New("the answer lacks a partition")
		}
		var broker *kerr.Error
		if errors.As(err, &broker) && !broker.Retriable {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(listPause):
		}
	}
	return found, nil
}

// listOnce asks once and adds what is told to found.
func (in *Input) listOnce(ctx context.Context, client *kgo.Client, at, found map[partitionID]int64) error {
	var fail error
	for _, shard := range client.RequestSharded(ctx, in.listRequest(at)) {
		if shard.Err != nil {
			fail = shard.Err
			continue
		}
		for _, t := range shard.Resp.(*kmsg.ListOffsetsResponse).Topics {
			for _, p := range t.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					fail = fmt.Errorf("%s/%d: %w", t.Topic, p.Partition, err)
					continue
				}
				found[partitionID{t.Topic, p.Partition}] = p.Offset
			}
		}
	}
	return fail
}

func (in *Input) listRequest(at map[partitionID]int64) *kmsg.ListOffsetsRequest {
	topics := make(map[string]*kmsg.ListOffsetsRequestTopic)
	for id, t := range at {
		topic := topics[id.topic]
		if topic == nil {
			topic = &kmsg.ListOffsetsRequestTopic{Topic: id.topic}
			topics[id.topic] = topic
		}
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Partition, p.Timestamp, p.MaxNumOffsets = id.partition, t, 1
		topic.Partitions = append(topic.Partitions, p)
	}
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID = -1
	if in.config.Isolation == "read_committed" {
		req.IsolationLevel = 1
	}
	for _, topic := range topics {
		req.Topics = append(req.Topics, *topic)
	}
	return req
}

// listAll asks the same of many partitions.
func (in *Input) listAll(ctx context.Context, client *kgo.Client, ids []partitionID, at int64) (map[partitionID]int64, error) {
	want := make(map[partitionID]int64, len(ids))
	for _, id := range ids {
		want[id] = at
	}
	return in.listOffsets(ctx, client, want)
}
