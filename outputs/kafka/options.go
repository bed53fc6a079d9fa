package kafka

import "github.com/twmb/franz-go/pkg/kgo"

// options are those of the client. Three of the client's limits stay as they
// are, off, since each would turn a long outage into records that are given
// up: the number of tries and the age of a record (RecordRetries,
// RecordDeliveryTimeout), and stopping at a loss that a broker has had
// (StopProducerOnDataLossDetected). A context that ends never goes with a
// record either. So a record ends only by the answer of a broker, by what is
// said of its topic, or by Close.
//
// Fatal states. When a broker has forgotten the producer, or knows it with
// other numbers (UNKNOWN_PRODUCER_ID, OUT_OF_ORDER_SEQUENCE_NUMBER,
// INVALID_PRODUCER_EPOCH), the client takes the next epoch of its producer id
// and sends everything that is not acknowledged again, from the first record
// on. Nothing is lost, since nothing unacknowledged is dropped. Nothing is
// reordered: the client asks one answer of a partition's new leader before it
// sends several batches, the brokers take batches of one epoch only in their
// sequence, and a request of the old epoch that arrives late is refused as
// soon as the new one has written. What can come is a repeat, of a batch that
// was written and whose answer got lost. A client whose producer id failed for
// good is replaced (see Output.renew).
func (o *Output) options() []kgo.Opt {
	c := o.config
	opts := []kgo.Opt{
		kgo.ProduceRequestTimeout(c.AckTimeout),
		kgo.WithHooks(&o.sending),
		// The client's own default is 10 ms since 1.20.
		kgo.ProducerLinger(c.Linger),
		kgo.ProducerBatchMaxBytesFn(o.limits.of),
		// Write bounds what is buffered, a batch at a time. The client's own
		// bound starts a goroutine for each record that waits.
		kgo.MaxBufferedRecords(int(c.MaxBuffered)/recordOverhead + 1<<20),
		kgo.ProducerBatchCompression(codec(c.Compression, c.CompressionLevel)...),
		// Topics are looked up before the first record goes there; after that
		// a missing one is a deleted one, or a broker that lags behind. It is
		// then looked up again.
		kgo.UnknownTopicRetries(10),
		kgo.ProducerOnDataLossDetected(func(topic string, partition int32) {
			o.logger().Warn("the broker has forgotten this producer: records that it acknowledged before may be lost", "topic", topic, "partition", partition)
		}),
	}
	switch c.Acks {
	case acksLeader:
		// Without idempotence the client has one request in flight a broker,
		// which keeps the order of repeats.
		opts = append(opts, kgo.RequiredAcks(kgo.LeaderAck()), kgo.DisableIdempotentWrite())
	case acksNone:
		opts = append(opts, kgo.RequiredAcks(kgo.NoAck()), kgo.DisableIdempotentWrite())
	default:
		opts = append(opts, kgo.RequiredAcks(kgo.AllISRAcks()))
	}
	if p := c.partitioner(); p != nil {
		opts = append(opts, kgo.RecordPartitioner(p))
	}
	return opts
}

// codec returns a fresh list: the client sorts it in place.
func codec(name string, level int) []kgo.CompressionCodec {
	codec := kgo.NoCompression()
	switch name {
	case "gzip":
		codec = kgo.GzipCompression()
	case "snappy":
		codec = kgo.SnappyCompression()
	case "lz4":
		codec = kgo.Lz4Compression()
		if level > 0 {
			level = 1 << (8 + level) // as the library counts
		}
	case "zstd":
		codec = kgo.ZstdCompression()
		if level > 0 {
			level = zstdEffort(level)
		}
	}
	if level > 0 {
		codec = codec.WithLevel(level)
	}
	return []kgo.CompressionCodec{codec}
}

// zstdEffort maps the levels of zstd to the four that the library has.
func zstdEffort(level int) int {
	switch {
	case level < 3:
		return 1
	case level < 6:
		return 2
	case level < 10:
		return 3
	}
	return 4
}

// levels is the highest level of a codec; 0: it has none.
func levels(codec string) int {
	switch codec {
	case "gzip", "lz4":
		return 9
	case "zstd":
		return 22
	}
	return 0
}
