package deadletters

import (
	"cmp"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flowrecords/flow/cmd/playground"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// Letter is one failed record as an errors output has written it.
type Letter struct {
	// Record is as it came into the element that refused it: with its own
	// topic, partition, offset and time where they are known, and without the
	// headers that say why it failed.
	Record playground.Record
	// Headers are all that were written.
	Headers []record.Header

	// ID names it in its source, for people: a line of a file, a partition and
	// offset of a topic.
	ID string
	// Part is the source partition that it lies in, at bytes or offsets from
	// Offset up to Next.
	Part         *Part
	Offset, Next int64

	// What is known of the failure; zero where it is not.
	Reason, Element, Origin, Pipeline string
	Time                              time.Time
	Attempts                          int
	// Stage and Exception are what Kafka Connect says of its own.
	Stage, Exception string
	// What the headers call the bytes of value and key.
	valueAs, keyAs string
	// Replayed: a replay has taken it back already.
	Replayed bool
}

// hash tells a letter from another one at its place, should a file have been
// removed or a topic made anew.
func (l *Letter) hash() uint64 {
	h := fnv.New64a()
	add := func(b []byte) { // the length keeps two parts from running together
		_, _ = h.Write(strconv.AppendInt(nil, int64(len(b)), 10))
		_, _ = h.Write([]byte{':'})
		_, _ = h.Write(b)
	}
	add(l.Record.Value)
	add(l.Record.Key)
	for _, x := range l.Headers {
		add([]byte(x.Key))
		add(x.Value)
	}
	return h.Sum64()
}

// headerPrefixes begin the names of headers that are not the record's own.
var headerPrefixes = []string{"flow.error.", "__connect.errors."}

// isErrorHeader reports a header that says why a record failed.
func isErrorHeader(name string) bool {
	return slices.ContainsFunc(headerPrefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// read takes what the headers say. The record has its topic, offset and time as
// they were written.
func (l *Letter) read(headers []record.Header) {
	l.Headers, l.Record.Headers = headers, nil
	said := map[string]string{}
	for _, h := range headers {
		if isErrorHeader(h.Key) {
			said[h.Key] = string(h.Value)
		} else {
			l.Record.Headers = append(l.Record.Headers, h)
		}
	}
	l.Reason = cmp.Or(said[engine.HeaderErrorReason], said[engine.HeaderConnectMessage], l.Reason)
	l.Pipeline = cmp.Or(said[engine.HeaderErrorPipeline], said[engine.HeaderConnectConnector])
	l.Element = cmp.Or(said[engine.HeaderErrorElement], l.Element)
	l.Stage, l.Exception = said[engine.HeaderConnectStage], said[engine.HeaderConnectException]
	if class := said[engine.HeaderConnectClass]; l.Element == "" && isAddress(class) {
		l.Element = class
	}
	l.Time, _ = time.Parse(time.RFC3339Nano, said[engine.HeaderErrorTime])
	l.Attempts, _ = strconv.Atoi(said[engine.HeaderErrorAttempts])
	l.valueAs, l.keyAs = said[engine.HeaderErrorEncoding], said[engine.HeaderErrorKeyEncoding]
	l.Record.ValueAs, l.Record.KeyAs = encodingNamed(l.valueAs), encodingNamed(l.keyAs)
	if said[engine.HeaderErrorElement] != "" {
		// The time is that of the record, and none is none: what wrote the
		// letter may have had to give it one.
		at, err := time.Parse(time.RFC3339Nano, said[engine.HeaderErrorTimestamp])
		l.Record.Timestamp, l.Record.HasTimestamp = at, err == nil
	}
	l.place(said, engine.HeaderErrorTopic, engine.HeaderErrorPartition, engine.HeaderErrorOffset)
	if said[engine.HeaderErrorElement] == "" {
		l.place(said, engine.HeaderConnectTopic, engine.HeaderConnectPartition, engine.HeaderConnectOffset)
	}
	l.Origin = cmp.Or(said[engine.HeaderErrorOrigin], l.Origin)
	if l.Origin == "" && said[engine.HeaderConnectTopic] != "" {
		l.Origin = said[engine.HeaderConnectTopic] + "/" + said[engine.HeaderConnectPartition] + "/" + said[engine.HeaderConnectOffset]
	}
}

// place takes topic, partition and offset from headers, all or none.
func (l *Letter) place(said map[string]string, topic, partition, offset string) {
	p, err := strconv.ParseInt(said[partition], 10, 32)
	o, err2 := strconv.ParseInt(said[offset], 10, 64)
	if said[topic] != "" && err == nil && err2 == nil {
		l.Record.Topic, l.Record.Partition, l.Record.Offset = said[topic], int32(p), o
	}
}

func encodingNamed(name string) record.Encoding {
	switch name {
	case record.JSON.Name(), engine.EncodingInvalidJSON:
		return record.JSON
	case record.Text.Name():
		return record.Text
	}
	return record.Opaque
}

// isAddress reports the form input.file.in.
func isAddress(s string) bool {
	kind, rest, _ := strings.Cut(s, ".")
	switch engine.Kind(kind) {
	case engine.KindInput, engine.KindProcessor, engine.KindOutput:
		return strings.Count(rest, ".") == 1
	}
	return false
}

// At is the element as people are shown it, or what Connect says instead.
func (l *Letter) At() string { return cmp.Or(l.Element, l.Stage, "-") }
