package kafka

import (
	"hash/crc32"

	"github.com/twmb/franz-go/pkg/kgo"
)

// stickyBytes is how much a partition gets of records without key before
// another one is chosen.
const stickyBytes = 64 << 10

// partitioner returns what puts records into partitions, nil for the client's
// default, which is that of the options.
func (c *Config) partitioner() kgo.Partitioner {
	d := Defaults()
	if c.Partition.IsZero() && c.Partitioner == d.Partitioner && c.Unkeyed == d.Unkeyed {
		return nil
	}
	p := partitioner{name: c.Partitioner, unkeyed: kgo.UniformBytesPartitioner(stickyBytes, true, false, nil)}
	if c.Unkeyed == "round_robin" {
		p.unkeyed = kgo.RoundRobinPartitioner()
	}
	return p
}

// partitioner takes the partition that a record carries. Records without one
// (-1) go where their key puts them, and those without key where unkeyed does.
type partitioner struct {
	name    string
	unkeyed kgo.Partitioner
}

func (p partitioner) ForTopic(name string) kgo.TopicPartitioner {
	t := &topicPartitioner{unkeyed: p.unkeyed.ForTopic(name)}
	t.byLoad, _ = t.unkeyed.(kgo.TopicBackupPartitioner)
	switch p.name {
	case "murmur2":
		// The hash itself is not exported by the client.
		java := kgo.StickyKeyPartitioner(nil).ForTopic(name)
		t.keyed = java.Partition
	case "crc32":
		t.emptyIsNone = true
		t.keyed = hashed(func(key []byte) uint32 { return crc32.ChecksumIEEE(key) }, unsigned)
	case "fnv1a":
		t.keyed = hashed(fnv1a, absolute)
	case "fnv1a_reference":
		t.keyed = hashed(fnv1a, positive)
	}
	return t
}

type topicPartitioner struct {
	keyed       func(r *kgo.Record, n int) int // nil: keys do not count
	emptyIsNone bool                           // an empty key is no key
	unkeyed     kgo.TopicPartitioner
	byLoad      kgo.TopicBackupPartitioner // unkeyed, if it looks at what waits
}

func (t *topicPartitioner) hasKey(r *kgo.Record) bool {
	return t.keyed != nil && r.Key != nil && (len(r.Key) > 0 || !t.emptyIsNone)
}

// RequiresConsistency makes the client wait for a partition that has no leader
// instead of choosing among the others.
func (t *topicPartitioner) RequiresConsistency(r *kgo.Record) bool {
	return r.Partition >= 0 || t.hasKey(r)
}

// Partition is there for the interface: the client asks PartitionByBackup.
func (t *topicPartitioner) Partition(r *kgo.Record, n int) int {
	return t.PartitionByBackup(r, n, nil)
}

func (t *topicPartitioner) PartitionByBackup(r *kgo.Record, n int, backup kgo.TopicBackupIter) int {
	switch {
	case r.Partition >= 0:
		return int(r.Partition)
	case t.hasKey(r):
		return t.keyed(r, n)
	case t.byLoad != nil:
		return t.byLoad.PartitionByBackup(r, n, backup)
	default:
		return t.unkeyed.Partition(r, n)
	}
}

// hashed makes a function that chooses by a hash of the key. Clients agree on
// hashes and differ in how they make a number of partitions out of 32 bits.
func hashed(hash func([]byte) uint32, choose func(h uint32, n int32) int32) func(*kgo.Record, int) int {
	return func(r *kgo.Record, n int) int { return int(choose(hash(r.Key), int32(n))) }
}

// unsigned is librdkafka's way.
func unsigned(h uint32, n int32) int32 { return int32(h % uint32(n)) }

// absolute is Sarama's way.
func absolute(h uint32, n int32) int32 {
	p := int32(h) % n
	if p < 0 {
		return -p
	}
	return p
}

// positive is the Java client's way, which Sarama's reference hash takes over.
func positive(h uint32, n int32) int32 { return int32(h&0x7fffffff) % n }

// fnv1a is hash/fnv without its state on the heap.
func fnv1a(key []byte) uint32 {
	h := uint32(2166136261)
	for _, c := range key {
		h ^= uint32(c)
		h *= 16777619
	}
	return h
}
