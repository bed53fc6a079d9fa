package kafka

import (
	connkafka "github.com/flowrecords/flow/connections/kafka"
	"github.com/flowrecords/flow/engine"
)

// Enlist offers positions to a transaction of outputs of the same connection.
func (in *Input) Enlist(positions map[*engine.Source]engine.Position) any {
	offsets, marks := offsetMap{}, map[partitionID]string{}
	in.mu.Lock()
	client := in.client
	for s, p := range positions {
		info := s.Info()
		id := partitionID{info.Topic, info.Partition}
		offsets.add(id, p)
		if part := in.parts[id]; part != nil && part.again != "" {
			marks[id] = againMark + part.again
		}
	}
	in.mu.Unlock()
	return &connkafka.GroupOffsets{
		Group:    in.config.Group,
		Instance: in.config.InstanceID,
		Offsets:  offsets,
		Metadata: func(topic string, p int32) string { return marks[partitionID{topic, p}] },
		Member: func() (string, int32) {
			if client == nil {
				return "", -1
			}
			return client.GroupMetadata()
		},
		Held: func() bool { return held(positions) },
		Done: func() { in.enlisted(offsets, positions) },
	}
}

// held reports whether no source was taken away.
func held(positions map[*engine.Source]engine.Position) bool {
	for s := range positions {
		if s.Revoked() {
			return false
		}
	}
	return true
}

// enlisted notes what a transaction has committed, so that Commit has nothing
// left to do.
func (in *Input) enlisted(offsets offsetMap, positions map[*engine.Source]engine.Position) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for s := range positions {
		info := s.Info()
		id := partitionID{info.Topic, info.Partition}
		if part := in.parts[id]; part != nil && part.src == s {
			part.committed = max(part.committed, offsets[id.topic][id.partition].Offset)
		}
	}
}

var _ engine.Enlister = (*Input)(nil)
