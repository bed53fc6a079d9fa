package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	connkafka "github.com/flowrecords/flow/connections/kafka"
	"github.com/flowrecords/flow/engine"
)

// Transact joins the transaction of the pipeline. All of its outputs write with
// one producer, so nothing may be written a second time within the transaction:
// where the output otherwise hands a batch over again, the run ends and the
// transaction with it (see Output.unclear).
func (o *Output) Transact(s engine.TransactionSettings) (engine.Transaction, error) {
	o.session = o.conn.Session(cmp.Or(s.Name, o.env.Pipeline))
	o.limits.most = int32(o.config.BatchBytes) // the session opens its client before Open
	o.session.Join(o.env, s, func() []kgo.Opt { return o.options() }, o.limits.of)
	return o.session, nil
}

// connect takes the client of the session, or makes one.
func (o *Output) connect() error {
	if o.session == nil {
		return o.ownClient()
	}
	o.client = o.session.Client()
	o.admin = kadm.NewClient(o.client)
	return nil
}

// disconnect ends all writes. The session's client serves others, too, and
// takes back what is in its transaction; at this point nobody writes any more.
func (o *Output) disconnect(ctx context.Context) {
	if o.session == nil {
		o.watch.end()
		o.client.Close()
	} else {
		o.mu.Lock()
		busy := o.writes > 0
		o.mu.Unlock()
		if busy {
			o.session.Cancel(ctx)
		}
	}
	o.wait()
	o.client = nil
}

// unclear is the result of a write that the client has given up after it was
// handed over. Without a transaction it comes again.
func (o *Output) unclear(err error, refused bool) error {
	if o.session == nil {
		return engine.Retry(err)
	}
	return o.session.Failed("writing to Kafka", err, refused)
}

// confirmed tells the session that a transaction holds records of w.
func (o *Output) confirmed(w *write, err error) {
	if o.session == nil {
		return
	}
	var refused *engine.RecordErrors
	if err == nil || errors.As(err, &refused) && len(refused.Reasons) < len(w.recs) {
		o.session.Wrote()
	}
}

var errRenew = errors.New("the client must be made anew: its producer or a topic had changed")

// producer names what outputs of one transaction must have in common.
func (c *Config) producer() string {
	parts := []string{
		"compression " + c.Compression,
		"linger " + c.Linger.String(),
		fmt.Sprintf("batch_bytes %d", c.BatchBytes),
		"ack_timeout " + c.AckTimeout.String(),
		"partitioner " + c.Partitioner,
		"unkeyed " + c.Unkeyed,
	}
	if c.CompressionLevel > 0 {
		parts[0] += fmt.Sprintf(" of level %d", c.CompressionLevel)
	}
	return strings.Join(parts, ", ")
}

// transactions names the connection in whose transactions the output writes;
// empty: it does not.
func (c *Config) transactions() string {
	conn, err := connkafka.Of(c.Connection)
	if err != nil || conn.Embedded() || c.Acks != acksAll {
		return ""
	}
	return c.Connection.Name
}

var _ engine.Transactor = (*Output)(nil)
