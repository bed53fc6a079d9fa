package kafka

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	connkafka "github.com/flowrecords/flow/connections/kafka"
	"github.com/flowrecords/flow/engine"
)

// Config holds the options of the kafka input.
type Config struct {
	Connection    engine.ConnectionRef `flow:"connection,required" system:"kafka" doc:"The cluster to read from." example:"connection.kafka.main"`
	Topics        []string             `flow:"topics" doc:"Topics to read. Exactly one of topics and topics_regex is given. A topic that does not exist yet is waited for." example:"[\"orders\"]"`
	TopicsRegex   engine.Pattern       `flow:"topics_regex" doc:"Read all topics whose whole name matches, those created later too. Internal topics are left out." example:"\"orders-.*\""`
	TopicsExclude engine.Pattern       `flow:"topics_exclude" doc:"Beside topics_regex: leave out topics whose whole name matches." example:"\".*-dead\""`
	Group         string               `flow:"group,required" doc:"Consumer group. Its members share the partitions, and the cluster keeps its positions." example:"\"orders-to-files\""`

	GroupProtocol string `flow:"group_protocol" oneof:"classic consumer" doc:"How members share partitions. classic: one of them assigns them, and every cluster knows it. consumer (KIP-848, Kafka 4.0): the cluster assigns them and moves each without stopping the others; times of the session are then set in the cluster (group.consumer.session.timeout.ms and group.consumer.heartbeat.interval.ms), not here. A cluster that does not know it gets classic, with a warning."`
	Assignor      string `flow:"assignor" oneof:"auto cooperative_sticky sticky range round_robin uniform" doc:"Who gets which partition. auto is cooperative_sticky, and uniform with group_protocol consumer. Members of one group need one in common; cooperative_sticky, which takes away only what moves, cannot replace another one while members run. With group_protocol consumer: uniform or range."`
	InstanceID    string `flow:"instance_id" doc:"Name of this member within the group, kept over restarts: a restart within session_timeout gets its partitions back without a rebalance. It must be unique in the group: of two with the same one, the older ends when the other has stayed for two session_timeouts." example:"\"worker-1\""`

	Start        string            `flow:"start" doc:"Where to begin in a partition for which the group has no position: earliest; latest, what is written from now on; a time in RFC 3339, or a time back from now such as -24h: the first record that is not older; none: stop with an error. A partition that is made later is read from its beginning, or from the time." example:"\"2026-01-31T00:00:00Z\""`
	StartOffsets map[string]string `flow:"start_offsets" doc:"Where to begin in single partitions for which the group has no position: an offset, earliest or latest, by topic and partition. start tells for the others." example:"{ \"orders/0\" = 1200, \"orders/1\" = \"latest\" }"`
	StartAgain   string            `flow:"start_again" doc:"Begin once more where start and start_offsets say, although the group has positions. Any text: it is stored beside the positions, so each new text does it once, whatever is restarted. Records are delivered again, or left out." example:"\"replay of January\""`
	OnOffsetGone string            `flow:"on_offset_gone" oneof:"error earliest latest" doc:"What to do when the records at a position are no longer there: deleted before they were read, lost by the cluster, or their topic was made anew. error stops and says which are gone. earliest goes on at the oldest record that is there. latest goes on at the end; who falls behind while reading goes on at the oldest one. Both warn and say what is gone."`
	Until        string            `flow:"until" doc:"never goes on for ever. now, or end, which is the same, stops when everything was read that partitions held at the start. A time in RFC 3339, or a time back from now such as -24h, stops before the first record that is not older; a time that is still to come is waited for. Partitions that other members of the group have are theirs to read." example:"\"now\""`
	UntilOffsets map[string]string `flow:"until_offsets" doc:"Stop single partitions before this offset, by topic and partition; one that is still to come is waited for. until tells for the others, and must not be never." example:"{ \"orders/0\" = 5000 }"`
	Isolation    string            `flow:"isolation" oneof:"read_committed read_uncommitted" doc:"read_committed leaves out records of aborted transactions and waits for open ones."`

	FetchMinBytes          engine.ByteSize `flow:"fetch_min_bytes" min:"1B" max:"1GiB" doc:"How much a broker waits for, at most fetch_max_wait, before it answers a fetch. More than 1B saves requests and costs time."`
	FetchMaxBytes          engine.ByteSize `flow:"fetch_max_bytes" min:"64KiB" max:"1GiB" doc:"Most memory that one fetch from a broker takes, decompressed. Two fetches of each broker can be held at a time."`
	FetchMaxPartitionBytes engine.ByteSize `flow:"fetch_max_partition_bytes" min:"16KiB" max:"1GiB" doc:"Most memory that one partition takes in a fetch. A larger record is still read, alone."`
	FetchMaxWait           time.Duration   `flow:"fetch_max_wait" min:"1ms" max:"5m" doc:"How long a broker holds a fetch open while there is nothing to read."`
	MaxFetches             int             `flow:"max_fetches" unit:"fetches" min:"0" max:"1000" doc:"Fetches that are under way or wait to be taken at a time, to bound memory with many brokers: brokers take turns. 0: one of each broker."`

	SessionTimeout    time.Duration `flow:"session_timeout" min:"100ms" max:"30m" doc:"After this long without a sign of life the group gives this member's partitions to others. Brokers allow 6s to 30m unless told otherwise. A pipeline that stands still keeps its partitions for as long as it does: signs of life do not depend on it."`
	HeartbeatInterval time.Duration `flow:"heartbeat_interval" min:"0s" max:"15m" doc:"How often to send a sign of life. At most half of session_timeout. 0s: a quarter of it, at most 3s."`
	RebalanceTimeout  time.Duration `flow:"rebalance_timeout" min:"1s" max:"1h" doc:"How long the group waits for its members in a rebalance."`
	RevokeWait        time.Duration `flow:"revoke_wait" min:"0s" max:"5m" doc:"When a partition is taken away, how long to wait for its records in flight, so that the next owner need not read them again. Must be under rebalance_timeout."`
	MetadataMaxAge    time.Duration `flow:"metadata_max_age" min:"100ms" max:"1h" doc:"How often to look for new topics and partitions."`
	LagInterval       time.Duration `flow:"lag_interval" min:"0s" max:"1h" doc:"How often to ask for the ends of partitions, from which metrics tell how far this member is behind. 0s: never, and there are no such metrics."`
}

// Defaults is what an empty block means.
func Defaults() *Config {
	return &Config{
		GroupProtocol: "classic",
		Assignor:      "auto",
		Start:         wordEarliest,
		// Silence about records that nobody has read is worse than a stop.
		OnOffsetGone:  "error",
		Until:         wordNever,
		Isolation:     "read_committed",
		FetchMinBytes: 1,
		// Kafka's own 50 MiB would alone be a fifth of the memory that a
		// pipeline may use; above 1 MiB a larger fetch gains nothing.
		FetchMaxBytes:          4 << 20,
		FetchMaxPartitionBytes: 1 << 20,
		FetchMaxWait:           time.Second,
		SessionTimeout:         10 * time.Second,
		RebalanceTimeout:       30 * time.Second,
		RevokeWait:             3 * time.Second,
		MetadataMaxAge:         time.Minute,
		LagInterval:            10 * time.Second,
	}
}

// maxName is the longest name that brokers accept.
const maxName = 249

// legalName reports what brokers accept as the name of a topic or an instance.
func legalName(s string) bool {
	return s != "" && len(s) <= maxName && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '_' && r != '-'
	})
}

// Validate reports every mistake, each at its option.
func (c *Config) Validate() []engine.Problem {
	v := &validator{}
	c.validateTopics(v)
	c.validateGroup(v)
	c.validatePlaces(v)
	c.validateFetch(v)
	return v.problems
}

type validator struct{ problems []engine.Problem }

func (v *validator) add(option, summary, detail string, args ...any) {
	v.problems = append(v.problems, engine.Problem{Option: option, Summary: summary, Detail: fmt.Sprintf(detail, args...)})
}

func (c *Config) validateTopics(v *validator) {
	switch {
	case len(c.Topics) == 0 && c.TopicsRegex.Regexp == nil:
		v.add("topics", "no topics", `Name the topics to read, topics = ["orders"], or give topics_regex.`)
	case len(c.Topics) > 0 && c.TopicsRegex.Regexp != nil:
		v.add("topics_regex", "topics and topics_regex exclude each other", "Remove one of the two.")
	}
	if c.TopicsExclude.Regexp != nil && c.TopicsRegex.Regexp == nil {
		v.add("topics_exclude", "topics_exclude without topics_regex", "It leaves out some of the topics that topics_regex finds. Remove it.")
	}
	seen := map[string]bool{}
	for _, t := range c.Topics {
		switch {
		case t == "":
			v.add("topics", "empty topic name", "Remove the empty name.")
		case seen[t]:
			v.add("topics", fmt.Sprintf("topic %q is listed twice", t), "Remove one of the two.")
		case !legalName(t):
			v.add("topics", fmt.Sprintf("%q is no name of a topic", t), "Names have at most 249 letters, digits, dots, hyphens and underscores. For a pattern use topics_regex.")
		}
		seen[t] = true
	}
}

func (c *Config) validateGroup(v *validator) {
	if c.Group == "" {
		v.add("group", "group is empty", "The group's name is where positions are kept; give it one.")
	}
	if c.InstanceID != "" && !legalName(c.InstanceID) {
		v.add("instance_id", "instance_id has a character that brokers refuse", "Use at most 249 letters, digits, dots, hyphens and underscores.")
	}
	switch server := c.GroupProtocol == "consumer"; {
	case server && c.Assignor != "auto" && c.Assignor != "uniform" && c.Assignor != "range":
		v.add("assignor", "a cluster has no such assignor", "With group_protocol = \"consumer\" the cluster assigns partitions: it knows uniform and range. Use one of them, or group_protocol = \"classic\".")
	case !server && c.Assignor == "uniform":
		v.add("assignor", "only a cluster has the assignor uniform", "Add group_protocol = \"consumer\", or use sticky, which does about the same.")
	}
	if c.HeartbeatInterval > c.SessionTimeout/2 {
		v.add("heartbeat_interval", "heartbeat_interval is over half of session_timeout", "One that is late would already end the session. Lower heartbeat_interval, best to a third of session_timeout, or raise session_timeout.")
	}
	if c.RevokeWait >= c.RebalanceTimeout {
		v.add("revoke_wait", "revoke_wait is not under rebalance_timeout", "The group would throw this member out while it waits. Lower revoke_wait or raise rebalance_timeout.")
	}
}

func (c *Config) validatePlaces(v *validator) {
	start, ok := startMoment(c.Start)
	if !ok {
		v.add("start", "unknown start", `Write "earliest", "latest", "none", a time such as "2026-01-31T00:00:00Z", or a time back from now such as "-24h".`)
	}
	until, ok2 := untilMoment(c.Until)
	if !ok2 {
		v.add("until", "unknown until", `Write "never", "now", a time such as "2026-01-31T00:00:00Z", or a time back from now such as "-24h".`)
	}
	if ok && ok2 && start.isTime() && until.isTime() && (start.back > 0) == (until.back > 0) {
		zero := time.Unix(0, 0)
		if !start.time(zero).Before(until.time(zero)) {
			v.add("until", "until is not after start", "There is nothing between the two. Move one of them.")
		}
	}
	starts, err := places(c.StartOffsets, wordEarliest, wordLatest)
	if err != nil {
		v.add("start_offsets", err.Error(), `Write partitions as "TOPIC/NUMBER", and for each an offset, "earliest" or "latest": { "orders/0" = 1200 }.`)
	}
	ends, err := places(c.UntilOffsets)
	if err != nil {
		v.add("until_offsets", err.Error(), `Write partitions as "TOPIC/NUMBER", and for each an offset: { "orders/0" = 5000 }.`)
	}
	if len(ends) > 0 && until.word == wordNever {
		v.add("until_offsets", "until_offsets without until", `Say where the other partitions stop, even if there are none: until = "now".`)
	}
	c.validateTable(v, "start_offsets", starts)
	c.validateTable(v, "until_offsets", ends)
	for id, end := range ends {
		if s, ok := starts[id]; ok && s.word == "" && s.offset >= end.offset {
			v.add("until_offsets", fmt.Sprintf("%s stops before it starts", id), "Offset %d in until_offsets must be over %d in start_offsets.", end.offset, s.offset)
		}
	}
	if len(c.StartAgain) > maxAgain {
		v.add("start_again", "start_again is too long", "Brokers keep it with each position. Use at most %d bytes.", maxAgain)
	}
}

// validateTable reports partitions of topics that the input does not read.
func (c *Config) validateTable(v *validator, option string, table map[partitionID]place) {
	if len(c.Topics) == 0 {
		return
	}
	topics := map[string]bool{}
	for id := range table {
		if !slices.Contains(c.Topics, id.topic) {
			topics[id.topic] = true
		}
	}
	for _, t := range slices.Sorted(maps.Keys(topics)) {
		v.add(option, fmt.Sprintf("topic %q is not read", t), "It is not in topics. Remove its offsets or add it there.")
	}
}

func (c *Config) validateFetch(v *validator) {
	if c.FetchMaxPartitionBytes > c.FetchMaxBytes {
		v.add("fetch_max_partition_bytes", "fetch_max_partition_bytes is over fetch_max_bytes", "One partition can never take more than the whole fetch. Lower it, or raise fetch_max_bytes.")
	}
	if c.FetchMinBytes > c.FetchMaxBytes {
		v.add("fetch_min_bytes", "fetch_min_bytes is over fetch_max_bytes", "A broker would wait for more than it may send. Lower it.")
	}
	conn, err := connkafka.Of(c.Connection)
	if err == nil && int64(c.FetchMaxBytes) > conn.MaxReadBytes() {
		v.add("fetch_max_bytes", "fetch_max_bytes is over max_read_bytes of the connection", "Answers above it are refused. Raise max_read_bytes of %s or lower fetch_max_bytes.", c.Connection.Name)
	}
}

// bounded reports whether the input ends by itself.
func (c *Config) bounded() bool { return c.Until != wordNever }
