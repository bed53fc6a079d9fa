package kafka

import "github.com/twmb/franz-go/pkg/kgo"

// chosenPartitioner takes the partition that a record carries. Records without
// one (-1) go where the client's default puts them: by the hash of their key
// as Kafka's own clients compute it, or, without a key, to a partition with
// little waiting.
type chosenPartitioner struct{}

func (chosenPartitioner) ForTopic(name string) kgo.TopicPartitioner {
	byKey := kgo.UniformBytesPartitioner(64<<10, true, true, nil).ForTopic(name)
	return chosenTopicPartitioner{byKey.(kgo.TopicBackupPartitioner)}
}

type chosenTopicPartitioner struct{ byKey kgo.TopicBackupPartitioner }

func (c chosenTopicPartitioner) RequiresConsistency(r *kgo.Record) bool {
	return r.Partition >= 0 || c.byKey.RequiresConsistency(r)
}

// Partition is there for the interface: the client asks PartitionByBackup.
func (c chosenTopicPartitioner) Partition(r *kgo.Record, n int) int {
	return c.PartitionByBackup(r, n, nil)
}

func (c chosenTopicPartitioner) PartitionByBackup(r *kgo.Record, n int, backup kgo.TopicBackupIter) int {
	if r.Partition >= 0 {
		return int(r.Partition)
	}
	return c.byKey.PartitionByBackup(r, n, backup)
}
