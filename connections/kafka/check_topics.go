package kafka

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/flowrecords/flow/connections/oauth"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/limits"
)

// Reads is what an element reads of a cluster.
type Reads struct {
	// Topics by name, or all those whose whole name matches Pattern.
	Topics  []string
	Pattern *regexp.Regexp
	// Group is the consumer group; empty: none. InstanceID is the static
	// member's.
	Group, InstanceID string
	// FetchBytes is the most that it fetches at once.
	FetchBytes int64
}

// Writes is what an element writes to a cluster.
type Writes struct {
	// Topics whose names are known before a record is there.
	Topics []string
	// Others: records name further topics.
	Others bool
	// Create: missing topics are created, with these numbers; 0 or -1 leaves
	// them to the brokers. Configs are those of the new topic.
	Create      bool
	Partitions  int32
	Replication int16
	Configs     map[string]*string
	// BatchBytes is the most that a batch of one partition takes.
	BatchBytes int64
	// TransactionalID of its producer; empty: none.
	TransactionalID string
	// Internal are topics on which exactly once rests beside Topics; none:
	// delivery is at least once.
	Internal []string
}

// CheckReads reports whether an element could read, for its Check: topics,
// partitions, rights, the state of the group and its lag.
func (c *Connection) CheckReads(ctx context.Context, r *engine.CheckReport, n Reads) {
	client, ok := c.look(r)
	if !ok {
		return
	}
	defer client.Close()
	if n.FetchBytes > c.MaxReadBytes() {
		r.Fail("fetch size", fmt.Sprintf("%d bytes are fetched at once, and the connection reads at most %d", n.FetchBytes, c.MaxReadBytes()),
			"Raise max_read_bytes of the connection, or lower fetch_max_bytes.")
	}
	topics, err := describeTopics(ctx, client, n.Topics, n.Pattern)
	if err != nil {
		failed(r, "topics", "asking for topics", err)
		return
	}
	if n.Pattern != nil && len(topics) == 0 {
		r.Warn("topics", "no topic matches "+n.Pattern.String(), "Correct the pattern, or have the user granted DESCRIBE on the topics. Topics that come later are found.")
	}
	var there []string
	for i := range topics {
		if t := &topics[i]; t.checkRead(r) {
			there = append(there, t.name)
		}
	}
	if n.Group != "" {
		checkGroup(ctx, r, client, n, there)
	}
}

// CheckWrites reports whether an element could write, for its Check: topics,
// in-sync replicas, rights, sizes.
func (c *Connection) CheckWrites(ctx context.Context, r *engine.CheckReport, n Writes) {
	client, ok := c.look(r)
	if !ok {
		return
	}
	defer client.Close()
	if n.Others {
		r.Unknown("topics", "records name topics, which are looked at when they come", "")
	}
	if len(n.Topics) > 0 {
		topics, err := describeTopics(ctx, client, n.Topics, nil)
		if err != nil {
			failed(r, "topics", "asking for topics", err)
			return
		}
		for i := range topics {
			topics[i].checkWrite(ctx, r, client, n)
		}
	}
	if n.TransactionalID != "" {
		checkTransactionalID(ctx, r, client, n.TransactionalID)
	}
	if len(n.Internal) > 0 {
		checkReplicas(ctx, r, client, slices.Concat(n.Topics, n.Internal))
	}
}

// look makes a client for the checks of an element.
func (c *Connection) look(r *engine.CheckReport) (*kgo.Client, bool) {
	if c.Embedded() {
		r.Unknown("topics", "the embedded broker runs only while flow does", "")
		return nil, false
	}
	client, err := c.checkClient()
	if err != nil {
		r.Fail("client", err.Error(), "Correct the options of the connection.")
		return nil, false
	}
	return client, true
}

// topicState is what a cluster says of a topic.
type topicState struct {
	name    string
	err     error
	rights  int32
	parts   []kmsg.MetadataResponseTopicPartition
	configs map[string]string // nil: not told
}

// describeTopics asks past the client's cache, which would not know the
// rights. It never creates a topic.
func describeTopics(ctx context.Context, client *kgo.Client, names []string, pattern *regexp.Regexp) ([]topicState, error) {
	req := kmsg.NewPtrMetadataRequest()
	req.AllowAutoTopicCreation = false
	req.IncludeTopicAuthorizedOperations = true
	if pattern == nil {
		for _, name := range names {
			t := kmsg.NewMetadataRequestTopic()
			t.Topic = kmsg.StringPtr(name)
			req.Topics = append(req.Topics, t)
		}
	}
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		return nil, err
	}
	var topics []topicState
	var known []string
	for _, t := range resp.Topics {
		if t.Topic == nil || pattern != nil && (t.IsInternal || !pattern.MatchString(*t.Topic)) {
			continue
		}
		s := topicState{name: *t.Topic, err: kerr.ErrorForCode(t.ErrorCode), rights: t.AuthorizedOperations, parts: t.Partitions}
		topics = append(topics, s)
		if s.err == nil {
			known = append(known, s.name)
		}
	}
	slices.SortFunc(topics, func(a, b topicState) int { return strings.Compare(a.name, b.name) })
	if len(known) == 0 {
		return topics, nil
	}
	configs, err := kadm.NewClient(client).DescribeTopicConfigs(ctx, known...)
	if err != nil {
		return topics, nil // what needs them says so
	}
	for i := range topics {
		rc, err := configs.On(topics[i].name, nil)
		if err != nil || rc.Err != nil {
			continue
		}
		topics[i].configs = map[string]string{}
		for _, c := range rc.Configs {
			topics[i].configs[c.Key] = c.MaybeValue()
		}
	}
	return topics, nil
}

func (t *topicState) number(config string) (int64, bool) {
	n, err := strconv.ParseInt(t.configs[config], 10, 64)
	return n, err == nil
}

// summary is the topic in a few words.
func (t *topicState) summary() string {
	least := len(t.parts[0].Replicas)
	for _, p := range t.parts {
		least = min(least, len(p.Replicas))
	}
	copies := "1 copy"
	if least != 1 {
		copies = fmt.Sprintf("%d copies", least)
	}
	return fmt.Sprintf("%s, %s of each", plural(len(t.parts), "partition"), copies)
}

// checkRead reports whether the topic can be read.
func (t *topicState) checkRead(r *engine.CheckReport) bool {
	what := "topic " + t.name
	switch {
	case errors.Is(t.err, kerr.UnknownTopicOrPartition):
		r.Warn(what, "it does not exist; the input waits for it", "Create the topic, or correct its name.")
		return false
	case t.err != nil:
		failed(r, what, "", t.err)
		return false
	}
	if !t.checkRight(r, kmsg.ACLOperationRead, "READ") {
		return false
	}
	if !t.checkLeaders(r) {
		return true
	}
	if n, ok := t.number("max.message.bytes"); ok && n > limits.RecordBytes {
		r.Warn(what, fmt.Sprintf("%s; it takes records of up to %d bytes, and flow carries at most %d", t.summary(), n, limits.RecordBytes),
			"Larger records go to the errors edge with their beginning only. Give the pipeline an output with from = [errors], or lower the topic's max.message.bytes.")
		return true
	}
	r.OK(what, "%s, may be read", t.summary())
	return true
}

func (t *topicState) checkRight(r *engine.CheckReport, op kmsg.ACLOperation, name string) bool {
	yes, known := allowed(t.rights, op)
	if !known {
		r.Unknown("rights on topic "+t.name, "the brokers do not tell them", "")
		return true
	}
	if !yes {
		r.Fail("topic "+t.name, "the user of the connection lacks the right "+name, "Have it granted "+name+" on the topic.")
	}
	return yes
}

// checkLeaders finds partitions without a leader.
func (t *topicState) checkLeaders(r *engine.CheckReport) bool {
	var without []string
	for _, p := range t.parts {
		if p.Leader < 0 || p.ErrorCode == kerr.LeaderNotAvailable.Code {
			without = append(without, fmt.Sprint(p.Partition))
		}
	}
	if len(without) > 0 {
		r.Fail("topic "+t.name, "no broker leads partition "+abbreviated(without), "Start the brokers that hold its copies.")
	}
	return len(without) == 0
}

// abbreviated joins a list that may be long.
func abbreviated(list []string) string {
	const most = 10
	if len(list) > most {
		return strings.Join(list[:most], ", ") + fmt.Sprintf(" and %d more", len(list)-most)
	}
	return strings.Join(list, ", ")
}

// checkWrite reports whether the topic can be written to.
func (t *topicState) checkWrite(ctx context.Context, r *engine.CheckReport, client *kgo.Client, n Writes) {
	what := "topic " + t.name
	switch {
	case errors.Is(t.err, kerr.UnknownTopicOrPartition) && n.Create:
		t.checkCreate(ctx, r, client, n)
		return
	case errors.Is(t.err, kerr.UnknownTopicOrPartition):
		r.Fail(what, "it does not exist, and records for it would be refused", "Create the topic, or give the output a block create_topics { }.")
		return
	case t.err != nil:
		failed(r, what, "", t.err)
		return
	}
	if !t.checkRight(r, kmsg.ACLOperationWrite, "WRITE") || !t.checkLeaders(r) || !t.checkInSync(r) {
		return
	}
	fits := t.checkSizes(r, n)
	if n, ok := t.number("min.insync.replicas"); ok && n == 1 && len(t.parts[0].Replicas) > 1 {
		r.Warn(what, "min.insync.replicas is 1: a record counts as written when one broker has it, and is lost with that broker", "Set min.insync.replicas of the topic to 2.")
		return
	}
	if fits {
		r.OK(what, "%s, may be written to", t.summary())
	}
}

// checkCreate asks the brokers whether they would create the topic.
func (t *topicState) checkCreate(ctx context.Context, r *engine.CheckReport, client *kgo.Client, n Writes) {
	what := "topic " + t.name
	partitions, replication := n.Partitions, n.Replication
	if partitions == 0 {
		partitions = -1
	}
	if replication == 0 {
		replication = -1
	}
	resp, err := kadm.NewClient(client).ValidateCreateTopics(ctx, partitions, replication, n.Configs, t.name)
	if err == nil {
		err = resp[t.name].Err
	}
	switch {
	case err == nil:
		r.OK(what, "does not exist yet, and can be created")
	case errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(err, kerr.ClusterAuthorizationFailed):
		r.Fail(what, "it does not exist, and the user of the connection may not create it", "Have it granted CREATE on the topic, or create the topic.")
	default:
		detail := oauth.Clean(err.Error())
		if m := resp[t.name].ErrMessage; m != "" {
			detail = oauth.Clean(m)
		}
		r.Fail(what, "it does not exist, and the brokers would not create it: "+detail, "Correct the block create_topics, or create the topic.")
	}
}

// checkInSync compares the replicas that are there with those that a write
// needs.
func (t *topicState) checkInSync(r *engine.CheckReport) bool {
	what := "topic " + t.name
	need, known := t.number("min.insync.replicas")
	var few, behind []string
	for _, p := range t.parts {
		switch {
		case known && int64(len(p.ISR)) < need:
			few = append(few, fmt.Sprint(p.Partition))
		case len(p.ISR) < len(p.Replicas):
			behind = append(behind, fmt.Sprint(p.Partition))
		}
	}
	switch {
	case len(few) > 0 && int64(len(t.parts[0].Replicas)) < need:
		r.Fail(what, fmt.Sprintf("it has fewer copies than min.insync.replicas (%d) asks for, so every write is refused", need), "Lower min.insync.replicas of the topic, or give it more copies.")
		return false
	case len(few) > 0:
		r.Fail(what, fmt.Sprintf("fewer copies are in sync than min.insync.replicas (%d) asks for, in partition %s: writes wait", need, abbreviated(few)), "Start the brokers that are away.")
		return false
	case len(behind) > 0:
		r.Warn(what, "copies are not in sync in partition "+abbreviated(behind), "Start the brokers that are away, or wait until they have caught up.")
	}
	return true
}

// checkSizes compares what the output sends with what the topic takes.
func (t *topicState) checkSizes(r *engine.CheckReport, n Writes) bool {
	what := "topic " + t.name
	if t.configs == nil {
		r.Unknown("limits of topic "+t.name, "the user of the connection may not see its configuration", "Have it granted DESCRIBE_CONFIGS on the topic, so that records that are too large are found before they are sent.")
		return true
	}
	if most, ok := t.number("max.message.bytes"); ok && n.BatchBytes > most {
		r.Warn(what, fmt.Sprintf("%s; batches may take %d bytes (batch_bytes), and the topic takes at most %d", t.summary(), n.BatchBytes, most),
			"Lower batch_bytes of the output below the topic's max.message.bytes, or raise that.")
		return false
	}
	return true
}

// checkTransactionalID asks for the coordinator, which needs a right on the id
// and changes nothing. Before the first transaction of a cluster even that
// would make a topic.
func checkTransactionalID(ctx context.Context, r *engine.CheckReport, client *kgo.Client, id string) {
	what := "transactional id " + id
	internal, err := describeTopics(ctx, client, []string{"__transaction_state"}, nil)
	if err == nil && len(internal) == 1 && errors.Is(internal[0].err, kerr.UnknownTopicOrPartition) {
		r.Unknown(what, "the cluster has not seen a transaction yet", "")
		return
	}
	described, err := kadm.NewClient(client).DescribeTransactions(ctx, id)
	if err == nil {
		err = described[id].Err
	}
	switch {
	case err == nil:
		t := described[id]
		if t.State == "Ongoing" {
			r.Warn(what, "a producer has a transaction open under it", "If another run uses it, this one would fence it: give each pipeline an id of its own.")
			return
		}
		r.OK(what, "known to the cluster, %s", strings.ToLower(t.State))
	case errors.Is(err, kerr.TransactionalIDNotFound):
		r.OK(what, "not in use")
	default:
		failed(r, what, "", err)
	}
}

// checkReplicas warns of topics of transactions that one broker alone has. Those
// that do not exist or may not be seen have been told of, or come with the first
// transaction.
func checkReplicas(ctx context.Context, r *engine.CheckReport, client *kgo.Client, names []string) {
	topics, err := describeTopics(ctx, client, names, nil)
	if err != nil {
		return
	}
	var alone []string
	for i := range topics {
		t := &topics[i]
		if t.err == nil && slices.ContainsFunc(t.parts, func(p kmsg.MetadataResponseTopicPartition) bool { return len(p.Replicas) == 1 }) {
			alone = append(alone, t.name)
		}
	}
	if len(alone) > 0 {
		r.Warn("replicas", "exactly once rests on topics that one broker alone has: "+strings.Join(alone, ", ")+". Where it dies in a transaction, brokers of Kafka 4.3 and 4.4 may forget the end of that there (KAFKA-20734): records come twice, or readers of committed records wait for ever",
			"Give these topics three replicas, and set min.insync.replicas to 2.")
	}
}
