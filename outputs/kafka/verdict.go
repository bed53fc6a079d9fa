package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	connkafka "github.com/flowrecords/flow/connections/kafka"
)

// verdict is what the end of a record that is not written means.
type verdict int

const (
	// isTransient: the record is written again, for as long as it takes.
	isTransient verdict = iota
	// asksAgain: the topic is gone, is another one by the same name, or a
	// broker does not know it yet. It is looked up again, which tells.
	asksAgain
	// refusesTopic: no record can go to this topic now. The next look-up or
	// keepFresh later may say otherwise.
	refusesTopic
	// refusesRecord: the broker refuses some record of the batch, however
	// often it is asked. The client gives all records that it holds for the
	// partition the same answer.
	refusesRecord
	// stopsAll: nothing can be written until somebody changes the config or
	// the rights.
	stopsAll
	// isClosing: Close has cut the record off.
	isClosing
)

// verdicts are the answers that are not transient. Any other error is: an
// error that nobody has thought of costs a repeat and no record.
var verdicts = []struct {
	err     error
	verdict verdict
}{
	{kerr.UnknownTopicOrPartition, asksAgain},
	{kerr.UnknownTopicID, asksAgain},
	{kerr.InconsistentTopicID, asksAgain},

	{kerr.TopicAuthorizationFailed, refusesTopic},
	{kerr.InvalidTopicException, refusesTopic},

	{kerr.MessageTooLarge, refusesRecord},
	{kerr.RecordListTooLarge, refusesRecord},
	{kerr.InvalidRecord, refusesRecord},
	{kerr.InvalidTimestamp, refusesRecord},
	{kerr.UnsupportedForMessageFormat, refusesRecord},
	{kerr.PolicyViolation, refusesRecord},

	{kerr.UnsupportedCompressionType, stopsAll},
	{kerr.InvalidRequiredAcks, stopsAll},
}

// judge sorts an error with which the client has ended a record. Errors of
// contexts are no sign of an end: none goes with a record, and a dial that
// takes too long looks like one.
func (o *Output) judge(err error) verdict {
	if o.closing.Load() || errors.Is(err, kgo.ErrClientClosed) {
		return isClosing
	}
	for _, v := range verdicts {
		if errors.Is(err, v.err) {
			return v.verdict
		}
	}
	if connkafka.FatalLater(err) {
		return stopsAll
	}
	return isTransient
}

// doubts are what failed records have shown, to be looked into before the next
// write. The zero value is none.
type doubts struct {
	any bool
	// topics to look up again. With an error: records for it are refused, for
	// that reason.
	topics map[string]error
	// outdated: the client holds on to a topic that is gone.
	outdated bool
}

func (d *doubts) add(topic string, v verdict, err error) {
	if v == isClosing || v == stopsAll || v == refusesRecord {
		return
	}
	d.any = true
	if d.topics == nil {
		d.topics = map[string]error{}
	}
	switch v {
	case refusesTopic:
		d.topics[topic] = err
	case asksAgain:
		// The client fails everything for a topic that was made anew until it
		// is told to forget it. Forgetting would number the producer's batches
		// from 0 again under the same epoch, and brokers that know the
		// numbers would take new batches for repeats and drop them. A new
		// client has a new producer id.
		d.outdated = d.outdated || errors.Is(err, kerr.UnknownTopicID) || errors.Is(err, kerr.InconsistentTopicID)
		if _, ok := d.topics[topic]; !ok {
			d.topics[topic] = nil
		}
	}
}

// recover looks into what the records that failed before have shown. An error
// is about the batch.
func (o *Output) recover(ctx context.Context) error {
	o.mu.Lock()
	found, alone := o.doubts, o.writes == 1
	o.doubts = doubts{}
	o.mu.Unlock()
	o.outdated = o.outdated || found.outdated
	for name, err := range found.topics {
		t := o.topics[name]
		switch {
		case t == nil:
		case err != nil:
			t.missing, t.fresh = fmt.Errorf("topic %s: %w", name, err), o.now().Add(keepFresh)
		default:
			t.stale = true
		}
	}
	if found.any {
		// What the client knows of leaders, partitions and rights may be why.
		o.client.ForceMetadataRefresh()
		if err := o.checkProducer(ctx); err != nil {
			return err
		}
	}
	if o.outdated && o.session != nil {
		return o.session.Failed("writing to Kafka", errRenew, false)
	}
	if o.outdated && alone {
		return o.renew()
	}
	return nil
}

// producerPatience bounds the wait for a producer id. The client goes on by
// itself afterwards.
const producerPatience = 10 * time.Second

// checkProducer finds a producer id that has failed for good: the client fails
// every record from then on.
func (o *Output) checkProducer(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, producerPatience)
	defer cancel()
	_, _, err := o.client.ProducerID(ctx)
	switch {
	case err == nil || ctx.Err() != nil:
	case connkafka.FatalLater(err):
		return connkafka.ClassifyLater("asking for a producer id", err)
	default:
		o.outdated = true
	}
	return nil
}

// renew replaces the client. Nothing is under way, so nothing can arrive late
// from the old one.
func (o *Output) renew() error {
	client, watch := o.client, o.watch
	if err := o.ownClient(); err != nil {
		return connkafka.ClassifyLater("making a client anew", err)
	}
	watch.end()
	client.Close()
	o.outdated = false
	o.logger().Info("the client was replaced: its producer or a topic had changed")
	return nil
}
