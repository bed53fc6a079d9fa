package kafka

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// places is where other clients put keys in topics of 3, 10 and 1000
// partitions. murmur2 is what Kafka's Java client 4.3.1 says
// (BuiltInPartitioner.partitionForKey) and librdkafka 2.0.2 with
// partitioner=murmur2_random did; crc32 and fnv1a are what librdkafka did with
// consistent_random, its default, and fnv1a_random.
var places = []struct {
	key                   string
	murmur2, crc32, fnv1a [3]int32
}{
	{"a", [3]int32{1, 4, 524}, [3]int32{0, 7, 907}, [3]int32{0, 6, 76}},
	{"ab", [3]int32{2, 4, 434}, [3]int32{2, 5, 885}, [3]int32{0, 6, 946}},
	{"abc", [3]int32{0, 7, 107}, [3]int32{0, 8, 578}, [3]int32{2, 1, 331}},
	{"abcd", [3]int32{2, 0, 100}, [3]int32{1, 9, 369}, [3]int32{0, 3, 763}},
	{"order-1", [3]int32{1, 6, 326}, [3]int32{1, 9, 79}, [3]int32{1, 9, 949}},
	{"order-2", [3]int32{0, 3, 643}, [3]int32{0, 3, 693}, [3]int32{1, 2, 92}},
	{"user-42", [3]int32{1, 0, 460}, [3]int32{1, 5, 435}, [3]int32{0, 9, 499}},
	{"21", [3]int32{0, 0, 340}, [3]int32{1, 2, 532}, [3]int32{0, 2, 452}},
	{"foobar", [3]int32{0, 6, 166}, [3]int32{2, 9, 69}, [3]int32{0, 6, 576}},
	{"a-little-bit-long-string", [3]int32{2, 2, 112}, [3]int32{0, 4, 554}, [3]int32{1, 4, 104}},
	{"Grüße", [3]int32{0, 9, 359}, [3]int32{0, 7, 97}, [3]int32{1, 2, 112}},
	{"0123456789abcdef", [3]int32{0, 2, 52}, [3]int32{0, 1, 11}, [3]int32{1, 1, 251}},
}

var placePartitions = [3]int{3, 10, 1000}

// reference is Sarama's reference hash partitioner.
func reference(key string, n int) int32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key))
	return (int32(h.Sum32()) & 0x7fffffff) % int32(n)
}

func TestPartitionersAsOtherClients(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"murmur2", "crc32", "fnv1a", "fnv1a_reference"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := Defaults()
			config.Partitioner = name
			config.Unkeyed = "round_robin" // the default of both is the client's own
			p := config.partitioner().ForTopic("out")
			for _, place := range places {
				for i, n := range placePartitions {
					want := map[string]int32{"murmur2": place.murmur2[i], "crc32": place.crc32[i], "fnv1a": place.fnv1a[i], "fnv1a_reference": reference(place.key, n)}[name]
					r := &kgo.Record{Key: []byte(place.key), Partition: -1}
					if got := p.Partition(r, n); got != int(want) || !p.RequiresConsistency(r) {
						t.Errorf("%q of %d: partition %d, want %d", place.key, n, got, want)
					}
				}
			}
		})
	}
}

// The same from outside, with records in a topic.
func TestPartitioner(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		edit func(*Config)
		want func(i int) int32 // of places[i]; -1: any
	}{
		{"default", func(*Config) {}, func(i int) int32 { return places[i].murmur2[1] }},
		{"murmur2", func(c *Config) { c.Unkeyed = "round_robin" }, func(i int) int32 { return places[i].murmur2[1] }},
		{"crc32", func(c *Config) { c.Partitioner = "crc32" }, func(i int) int32 { return places[i].crc32[1] }},
		{"fnv1a", func(c *Config) { c.Partitioner = "fnv1a" }, func(i int) int32 { return places[i].fnv1a[1] }},
		{"fnv1a_reference", func(c *Config) { c.Partitioner = "fnv1a_reference" }, func(i int) int32 { return reference(places[i].key, 10) }},
		{"none, by turns", func(c *Config) { c.Partitioner, c.Unkeyed = "none", "round_robin" }, func(i int) int32 { return int32(i % 10) }},
		{"none, sticky", func(c *Config) { c.Partitioner = "none" }, func(int) int32 { return -1 }},
		{"partition wins", func(c *Config) { c.Partitioner, c.Partition = "crc32", expr(value(record.IntValue(7))) }, func(int) int32 { return 7 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			onEach(t, func(t *testing.T, c *cluster) {
				out := c.create(t, "out", 10, nil)
				o := testOutput(t, c, func(config *Config) {
					config.Topic = literal(out)
					tt.edit(config)
				})
				b := engine.NewBatch()
				for _, p := range places {
					b.Key.Add([]byte(p.key))
					b.Value.Add([]byte("v"))
				}
				if refused := deliver(t, o, b)[0]; refused != nil {
					t.Fatal(refused)
				}
				got := map[string]int32{}
				partitions := map[int32]bool{}
				for _, r := range arrived(t, c.addrs, out, len(places)) {
					got[string(r.Key)] = r.Partition
					partitions[r.Partition] = true
				}
				for i, p := range places {
					if want := tt.want(i); want >= 0 && got[p.key] != want {
						t.Errorf("%q is in partition %d, want %d", p.key, got[p.key], want)
					}
				}
				if tt.want(0) < 0 && len(partitions) != 1 {
					t.Errorf("few bytes without key went to %d partitions, want 1", len(partitions))
				}
			})
		})
	}
}

func TestRecordsWithoutKey(t *testing.T) {
	t.Parallel()
	const n = 400
	tests := []struct {
		name   string
		edit   func(*Config)
		key    []byte
		all    int // partitions that get records
		evenly bool
	}{
		{name: "sticky", edit: func(*Config) {}, all: 4},
		{name: "round_robin", edit: func(c *Config) { c.Unkeyed = "round_robin" }, all: 4, evenly: true},
		{name: "an empty key is one in Java", edit: func(c *Config) { c.Unkeyed = "round_robin" }, key: []byte{}, all: 1},
		{name: "an empty key is none in librdkafka", edit: func(c *Config) { c.Partitioner, c.Unkeyed = "crc32", "round_robin" }, key: []byte{}, all: 4, evenly: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			onEach(t, func(t *testing.T, c *cluster) {
				out := c.create(t, "out", 4, nil)
				o := testOutput(t, c, func(config *Config) {
					config.Topic = literal(out)
					tt.edit(config)
				})
				b := engine.NewBatch()
				for range n {
					b.Key.Add(tt.key)
					b.Value.Add([]byte(strings.Repeat("x", 8<<10))) // 50 times what a partition gets at once
				}
				if refused := deliver(t, o, b)[0]; refused != nil {
					t.Fatal(refused)
				}
				per := map[int32]int{}
				for _, r := range arrived(t, c.addrs, out, n) {
					per[r.Partition]++
				}
				if len(per) != tt.all {
					t.Errorf("%v records per partition, want %d partitions", per, tt.all)
				}
				for p, k := range per {
					if tt.evenly && k != n/tt.all {
						t.Errorf("partition %d has %d records, want %d", p, k, n/tt.all)
					}
				}
			})
		})
	}
}

// stored returns the batches of partition 0 as they lie in the broker.
func (c *cluster) stored(t *testing.T, topic string) []kmsg.RecordBatch {
	t.Helper()
	versions := kversion.Stable()
	versions.SetMaxKeyVersion(int16(kmsg.Fetch), 12) // by name, not by id
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.addrs...), kgo.MaxVersions(versions))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	req := kmsg.NewPtrFetchRequest()
	req.ReplicaID, req.MaxWaitMillis, req.MinBytes, req.MaxBytes = -1, 100, 1, 100<<20
	rt := kmsg.NewFetchRequestTopic()
	rt.Topic = topic
	rp := kmsg.NewFetchRequestTopicPartition()
	rp.PartitionMaxBytes, rp.CurrentLeaderEpoch = 100<<20, -1
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	topics, err := c.admin(t).ListTopics(testContext(t), topic)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := cl.Broker(int(topics[topic].Partitions[0].Leader)).Request(testContext(t), req)
	if err != nil {
		t.Fatal(err)
	}
	got := resp.(*kmsg.FetchResponse).Topics[0].Partitions[0]
	if err := kerr.ErrorForCode(got.ErrorCode); err != nil {
		t.Fatal(err)
	}
	var list []kmsg.RecordBatch
	for raw := got.RecordBatches; len(raw) > 12; {
		var rb kmsg.RecordBatch
		n := 12 + int(uint32(raw[8])<<24|uint32(raw[9])<<16|uint32(raw[10])<<8|uint32(raw[11]))
		if err := rb.ReadFrom(raw[:n]); err != nil {
			t.Fatal(err)
		}
		list, raw = append(list, rb), raw[n:]
	}
	return list
}

// Every codec is what brokers hold, and a higher level makes fewer bytes.
func TestCompression(t *testing.T) {
	t.Parallel()
	text := compressible()
	tests := []struct {
		codec  string
		code   int16
		levels []int // each smaller than the one before
	}{
		{"none", 0, []int{0}},
		{"gzip", 1, []int{1, 9}},
		{"snappy", 2, []int{0}},
		{"lz4", 3, []int{0, 9}},
		{"zstd", 4, []int{1, 19}},
	}
	for _, tt := range tests {
		t.Run(tt.codec, func(t *testing.T) {
			t.Parallel()
			onEach(t, func(t *testing.T, c *cluster) {
				before := len(text) + 100
				if tt.code == 0 {
					before += 1000
				}
				for _, level := range tt.levels {
					out := c.create(t, fmt.Sprint("level-", level), 1, nil)
					o := testOutput(t, c, func(config *Config) {
						config.Topic, config.Compression, config.CompressionLevel = literal(out), tt.codec, level
					})
					deliver(t, o, batch(text))
					list := c.stored(t, out)
					if len(list) != 1 || list[0].Attributes&7 != tt.code {
						t.Fatalf("%d batches, codec %d, want one of %d", len(list), list[0].Attributes&7, tt.code)
					}
					size := len(list[0].Records)
					t.Logf("level %d: %d bytes of %d", level, size, len(text))
					if size >= before {
						t.Errorf("level %d: %d bytes, want fewer than %d", level, size, before)
					}
					before = size
					if got := texts(arrived(t, c.addrs, out, 1)); got[0] != text {
						t.Error("the text has changed on the way")
					}
				}
			})
		})
	}
}

// compressible is a text that rewards effort.
func compressible() string {
	rng := rand.New(rand.NewPCG(1, 2))
	var words []string
	for range 500 {
		w := make([]byte, 3+rng.IntN(8))
		for i := range w {
			w[i] = byte('a' + rng.IntN(26))
		}
		words = append(words, string(w))
	}
	var b strings.Builder
	for b.Len() < 200_000 {
		b.WriteString(words[min(rng.IntN(500), rng.IntN(500))])
		b.WriteByte(' ')
	}
	return b.String()
}

func TestBatchBytesAndLinger(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		edit        func(*Config)
		limit       string // max.message.bytes of the topic
		least, most int    // batches
	}{
		// Two where Flush comes while the client looks up the topic: it then
		// sends what it has of the records.
		{name: "one batch", edit: func(*Config) {}, least: 1, most: 2},
		{name: "batch_bytes", edit: func(c *Config) { c.BatchBytes = 10 << 10 }, least: 10, most: 14},
		{name: "the topic's limit", edit: func(*Config) {}, limit: "20480", least: 5, most: 7},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			onEach(t, func(t *testing.T, c *cluster) {
				configs := map[string]string{}
				if tt.limit != "" {
					configs["max.message.bytes"] = tt.limit
				}
				out := c.create(t, "out", 1, configs)
				o := testOutput(t, c, func(config *Config) {
					config.Topic, config.Compression, config.Linger = literal(out), "none", time.Minute
					tt.edit(config)
				})
				// Nothing but Flush or a full batch ends the wait of a minute.
				deliver(t, o, batch(slices.Repeat([]string{strings.Repeat("x", 1000)}, 50)...), batch(slices.Repeat([]string{strings.Repeat("y", 1000)}, 50)...))
				if n := len(c.stored(t, out)); n < tt.least || n > tt.most {
					t.Errorf("%d batches, want %d to %d", n, tt.least, tt.most)
				}
				arrived(t, c.addrs, out, 100)
			})
		})
	}
}

// Without Flush, a batch waits for linger and no longer. The client may take it
// along at once while its sender ends what came before, and a busy machine may
// be late, so that one of a few tries has to show it.
func TestLingerEnds(t *testing.T) {
	t.Parallel()
	c := startCluster(t, kfake.SeedTopics(1, "out"))
	for _, linger := range []time.Duration{0, 300 * time.Millisecond} {
		o := testOutput(t, c, func(c *Config) { c.Linger = linger })
		deliver(t, o, batch("first")) // the topic and the producer are known
		var waits []time.Duration
		for len(waits) == 0 || waits[len(waits)-1] < linger || linger == 0 && waits[len(waits)-1] > 250*time.Millisecond {
			if len(waits) == 10 {
				t.Fatalf("linger %s: acknowledged after %s", linger, waits)
			}
			p := newPending(t, o)
			begin := time.Now()
			p.write(batch("next"))
			if err := (<-p.errs).err; err != nil {
				t.Fatal(err)
			}
			waits = append(waits, time.Since(begin))
		}
	}
}

// What brokers are asked for is seen in the requests.
func TestAcksInRequests(t *testing.T) {
	t.Parallel()
	tests := []struct {
		acks       string
		code       int16
		idempotent bool
	}{{"all", -1, true}, {"leader", 1, false}, {"none", 0, false}}
	for _, tt := range tests {
		t.Run(tt.acks, func(t *testing.T) {
			t.Parallel()
			c := startCluster(t, kfake.SeedTopics(1, "out"))
			reqs := make(chan *kmsg.ProduceRequest, 10)
			c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Observe: true, Count: -1, When: func(req kmsg.Request) bool {
				reqs <- req.(*kmsg.ProduceRequest)
				return true
			}})
			o := testOutput(t, c, func(c *Config) { c.Acks, c.AckTimeout = tt.acks, 1234*time.Millisecond })
			deliver(t, o, batch("1"))
			req := <-reqs
			var rb kmsg.RecordBatch
			if err := rb.ReadFrom(req.Topics[0].Partitions[0].Records); err != nil {
				t.Fatal(err)
			}
			if req.Acks != tt.code || req.TimeoutMillis != 1234 || rb.ProducerID >= 0 != tt.idempotent {
				t.Errorf("acks %d, timeout %d ms, producer %d", req.Acks, req.TimeoutMillis, rb.ProducerID)
			}
			arrived(t, c.ListenAddrs(), "out", 1)
		})
	}
}

func TestDelivery(t *testing.T) {
	t.Parallel()
	for acks, lossy := range map[string]string{"all": "", "leader": "a leader that fails", "none": "brokers do not answer"} {
		config := Defaults()
		config.Connection, config.Acks = connect([]string{"localhost:9092"}), acks
		d := Factory().Delivery(config)
		if d.Confirms == "" || (d.Lossy == "") != (lossy == "") || !strings.HasPrefix(d.Lossy, lossy) {
			t.Errorf("acks %s: %+v", acks, d)
		}
	}
}

// Every error that the client can end a record with means what it should: an
// error that nobody has thought of loses nothing.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	dial := &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}
	tests := []struct {
		err  error
		want verdict
	}{
		{kerr.UnknownServerError, isTransient},
		{kerr.CorruptMessage, isTransient},
		{kerr.NotEnoughReplicas, isTransient},
		{kerr.OutOfOrderSequenceNumber, isTransient},
		{kerr.ThrottlingQuotaExceeded, isTransient},
		{kerr.SaslAuthenticationFailed, isTransient}, // it has worked: it is being changed
		{kgo.ErrRecordTimeout, isTransient},
		{kgo.ErrRecordRetries, isTransient},
		{kgo.ErrAborting, isTransient},
		{fmt.Errorf("unable to dial: %w", dial), isTransient},
		{fmt.Errorf("unable to dial: %w", context.DeadlineExceeded), isTransient},
		{context.Canceled, isTransient},
		{errors.New("invalid record partitioning choice"), isTransient},
		{kerr.UnknownTopicOrPartition, asksAgain},
		{kerr.UnknownTopicID, asksAgain},
		{kerr.TopicAuthorizationFailed, refusesTopic},
		{kerr.InvalidTopicException, refusesTopic},
		{fmt.Errorf("%w (uncompressed_bytes=7)", kerr.MessageTooLarge), refusesRecord},
		{kerr.RecordListTooLarge, refusesRecord},
		{kerr.InvalidRecord, refusesRecord},
		{kerr.InvalidTimestamp, refusesRecord},
		{kerr.ClusterAuthorizationFailed, stopsAll},
		{kerr.UnsupportedCompressionType, stopsAll},
		{kgo.ErrClientClosed, isClosing},
	}
	o := &Output{}
	for _, tt := range tests {
		if got := o.judge(tt.err); got != tt.want {
			t.Errorf("%v: %d, want %d", tt.err, got, tt.want)
		}
	}
	o.closing.Store(true)
	if got := o.judge(kerr.UnknownServerError); got != isClosing {
		t.Errorf("while closing: %d", got)
	}
}
