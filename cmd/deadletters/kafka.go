package deadletters

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	connkafka "github.com/flowrecords/flow/connections/kafka"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// Topics is a Source of topics. It joins no group and commits nothing.
type Topics struct {
	Title string
	Conn  *connkafka.Connection
	Env   engine.Env
	// Topic is the name of the only one, or what all names begin with.
	Topic  string
	Prefix bool

	client   *kgo.Client
	acquired bool
}

// fetchWait is how long a reader waits for a record below the end of a
// partition before it says that nothing comes.
const fetchWait = 30 * time.Second

// fetchBytes bounds what a fetch holds in memory.
const fetchBytes = 4 << 20

// Name implements Source.
func (s *Topics) Name() string { return s.Title }

// Close implements Source.
func (s *Topics) Close() {
	if s.client != nil {
		s.client.Close()
		s.client = nil
	}
	if s.acquired {
		_ = s.Conn.Release()
		s.acquired = false
	}
}

// Parts implements Source. A partition ends in front of the first transaction
// that is open now.
func (s *Topics) Parts(ctx context.Context) ([]*Part, error) {
	if err := s.Conn.Acquire(ctx); err != nil {
		return nil, err
	}
	s.acquired = true
	var err error
	if s.client, err = s.Conn.Client(s.Env); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, fetchWait)
	defer cancel()
	admin := kadm.NewClient(s.client)
	topics, err := s.names(ctx, admin)
	if err != nil {
		return nil, err
	}
	starts, err := admin.ListStartOffsets(ctx, topics...)
	if err == nil {
		err = starts.Error()
	}
	if err != nil {
		return nil, said("asking where partitions begin", err)
	}
	ends, err := admin.ListCommittedOffsets(ctx, topics...)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, said("asking where partitions end", err)
	}
	var parts []*Part
	ends.Each(func(end kadm.ListedOffset) {
		start, _ := starts.Lookup(end.Topic, end.Partition)
		p := &Part{ID: s.Conn.Stream(end.Topic) + "/" + strconv.Itoa(int(end.Partition)), Source: s, Start: start.Offset, End: end.Offset}
		label := strconv.Itoa(int(end.Partition)) + "/"
		if len(topics) > 1 {
			label = end.Topic + "/" + label
		}
		p.open = func(_ context.Context, from int64) (reader, error) {
			return s.read(end.Topic, end.Partition, label, from, p.End)
		}
		parts = append(parts, p)
	})
	slices.SortFunc(parts, func(a, b *Part) int { return strings.Compare(a.ID, b.ID) })
	return parts, nil
}

func (s *Topics) names(ctx context.Context, admin *kadm.Client) ([]string, error) {
	var ask []string
	if !s.Prefix {
		ask = []string{s.Topic}
	}
	found, err := admin.ListTopics(ctx, ask...)
	if err != nil {
		return nil, said("listing topics", err)
	}
	var names []string
	for name, t := range found {
		switch {
		case s.Prefix && (t.Err != nil || t.IsInternal || !strings.HasPrefix(name, s.Topic)):
		case errors.Is(t.Err, kerr.UnknownTopicOrPartition):
			return nil, fmt.Errorf("topic %s does not exist, so nothing has failed yet, or the name is wrong", name)
		case t.Err != nil:
			return nil, said("looking for topic "+name, t.Err)
		default:
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no topic begins with %q, so nothing has failed yet", s.Topic)
	}
	slices.Sort(names)
	return names, nil
}

// said is an error of a broker for people.
func said(doing string, err error) error {
	if what, remedy := connkafka.Explain(err); what != "" {
		text := strings.TrimSuffix(doing+": "+what+". "+remedy, " ")
		return errors.New(strings.TrimSuffix(text, "."))
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// topicReader reads one partition up to an end.
type topicReader struct {
	client *kgo.Client
	topic  string
	number int32
	label  string
	at     int64 // offset behind the last record
	end    int64
	queue  []*kgo.Record
}

// read makes a client of its own, which reads nothing but this partition. It
// asks for the marks of transactions, too: with nothing but aborted records at
// the end, the end would never be seen.
func (s *Topics) read(topic string, number int32, label string, from, end int64) (reader, error) {
	r := &topicReader{topic: topic, number: number, label: label, at: from, end: end}
	if from >= end {
		return r, nil
	}
	var err error
	r.client, err = s.Conn.Client(s.Env,
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {number: kgo.NewOffset().At(from)}}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(),
		kgo.FetchMaxBytes(fetchBytes), kgo.FetchMaxPartitionBytes(fetchBytes), kgo.FetchMaxWait(500*time.Millisecond))
	return r, err
}

// next implements reader.
func (r *topicReader) next(ctx context.Context) (*Letter, error) {
	for {
		for len(r.queue) > 0 {
			x := r.queue[0]
			r.queue = r.queue[1:]
			if x.Offset >= r.end {
				return nil, io.EOF
			}
			r.at = x.Offset + 1
			if !x.Attrs.IsControl() {
				return r.letter(x)
			}
		}
		if r.at >= r.end {
			return nil, io.EOF
		}
		if err := r.poll(ctx); err != nil {
			return nil, err
		}
	}
}

func (r *topicReader) poll(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, fetchWait, errStalled)
	defer cancel()
	fetches := r.client.PollFetches(ctx)
	r.queue = fetches.Records()
	if len(r.queue) > 0 {
		return nil
	}
	doing := fmt.Sprintf("reading %s/%d at %d", r.topic, r.number, r.at)
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", doing, context.Cause(ctx))
	}
	for _, e := range fetches.Errors() {
		return said(doing, e.Err)
	}
	return nil
}

var errStalled = fmt.Errorf("the brokers have sent nothing for %s", fetchWait)

func (r *topicReader) letter(x *kgo.Record) (*Letter, error) {
	l := &Letter{ID: r.label + strconv.FormatInt(x.Offset, 10), Offset: x.Offset, Next: x.Offset + 1}
	headers := make([]record.Header, len(x.Headers))
	for i, h := range x.Headers {
		headers[i] = record.Header{Key: h.Key, Value: h.Value}
	}
	// Topic, partition and offset are those of the letter: where the record was
	// stands in headers.
	l.Record.Timestamp, l.Record.HasTimestamp = x.Timestamp, true
	l.Record.Key, l.Record.Value = x.Key, x.Value
	l.read(headers)
	if l.Reason == "" && l.Element == "" && l.Stage == "" {
		return nil, &Unreadable{ID: l.ID, Err: errors.New("no header says why the record failed: it is not of an errors output")}
	}
	return l, nil
}

func (r *topicReader) close() {
	if r.client != nil {
		r.client.Close()
	}
}
