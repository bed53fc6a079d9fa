package run

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
)

// failureOf says of record i of b that n refused it.
func failureOf(n *node, b *engine.Batch, i int, reason error) engine.Failure {
	f := engine.Failure{Reason: reason, Element: n.addr, Origin: b.Origin(i), Attempts: 1}
	if s := b.Source(); s != nil && s.Info().Topic != "" {
		f.Topic, f.Partition, f.Offset = s.Info().Topic, s.Info().Partition, b.Offset(i)
	}
	if n.refused != nil {
		n.refused(b, i, &f)
	}
	return f
}

// label gives r the headers that say why n refused it.
func (f *failures) label(n *node, r *record.Record, failure *engine.Failure) {
	if len(n.headers) == 0 || slices.Contains(n.headers, engine.ErrorHeadersFlow) {
		f.labelFlow(n, r, failure)
	}
	if slices.Contains(n.headers, engine.ErrorHeadersConnect) {
		labelConnect(n, r, failure)
	}
}

func (f *failures) labelFlow(n *node, r *record.Record, failure *engine.Failure) {
	set := func(name, text string) { r.SetHeader(name, bounded(text)) }
	set(engine.HeaderErrorReason, failure.Reason.Error())
	set(engine.HeaderErrorPipeline, n.env.Pipeline)
	set(engine.HeaderErrorElement, failure.Element)
	set(engine.HeaderErrorOrigin, failure.Origin)
	set(engine.HeaderErrorTime, f.now().UTC().Format(time.RFC3339))
	set(engine.HeaderErrorAttempts, strconv.Itoa(failure.Attempts))
	if failure.Topic != "" {
		set(engine.HeaderErrorTopic, failure.Topic)
		set(engine.HeaderErrorPartition, strconv.Itoa(int(failure.Partition)))
		set(engine.HeaderErrorOffset, strconv.FormatInt(failure.Offset, 10))
	} else {
		// Those of another pipeline that wrote the source are not this record's.
		r.DeleteHeader(engine.HeaderErrorTopic)
		r.DeleteHeader(engine.HeaderErrorPartition)
		r.DeleteHeader(engine.HeaderErrorOffset)
	}
	if r.HasTimestamp {
		set(engine.HeaderErrorTimestamp, r.Time().Format(time.RFC3339Nano))
	} else {
		r.DeleteHeader(engine.HeaderErrorTimestamp)
	}
	labelEncoding(r, engine.HeaderErrorEncoding, r.Value)
	labelEncoding(r, engine.HeaderErrorKeyEncoding, r.Key)
}

func labelEncoding(r *record.Record, name string, d *record.Doc) {
	if d.IsNull() {
		r.DeleteHeader(name)
		return
	}
	text := d.Encoding().Name()
	switch {
	case d.Edited():
	case d.Encoding() == record.JSON && record.ValidateJSON(d.Raw()) != nil:
		text = engine.EncodingInvalidJSON
	case d.Encoding() == record.Opaque && record.ValidateJSON(d.Raw()) == nil:
		text = engine.EncodingJSONBytes
	}
	r.SetHeader(name, []byte(text))
}

// What readers of Connect's headers group by: the stages and exceptions that
// Connect itself would name.
const (
	stageConverter      = "VALUE_CONVERTER"
	stageTransformation = "TRANSFORMATION"
	stagePut            = "TASK_PUT"
	exceptionData       = "org.apache.kafka.connect.errors.DataException"
	exceptionConnect    = "org.apache.kafka.connect.errors.ConnectException"
)

// labelConnect writes what Connect's DeadLetterQueueReporter does, in its
// order. class.name is the element, which is what a class is there. There are
// no tasks here: task.id is 0, and the stack has one frame, the element with
// its place in the config.
func labelConnect(n *node, r *record.Record, failure *engine.Failure) {
	set := func(name, text string) { r.SetHeader(name, bounded(text)) }
	if failure.Topic != "" {
		set(engine.HeaderConnectTopic, failure.Topic)
		set(engine.HeaderConnectPartition, strconv.Itoa(int(failure.Partition)))
		set(engine.HeaderConnectOffset, strconv.FormatInt(failure.Offset, 10))
	}
	stage, exception := stageTransformation, exceptionData
	switch n.el.Kind {
	case engine.KindInput:
		stage = stageConverter
	case engine.KindOutput:
		stage, exception = stagePut, exceptionConnect
	}
	reason := failure.Reason.Error()
	set(engine.HeaderConnectConnector, n.env.Pipeline)
	set(engine.HeaderConnectTask, "0")
	set(engine.HeaderConnectStage, stage)
	set(engine.HeaderConnectClass, failure.Element)
	set(engine.HeaderConnectException, exception)
	set(engine.HeaderConnectMessage, reason)
	where := "flow"
	if n.el.Where != "" {
		where = n.el.Where
	}
	set(engine.HeaderConnectStacktrace, exception+": "+reason+"\n\tat "+failure.Element+"("+where+")\n")
}

// bounded cuts a header's value to its limit and makes it UTF-8.
func bounded(text string) []byte {
	const more = "..."
	if len(text) > limits.ErrorHeaderBytes {
		text = text[:limits.ErrorHeaderBytes-len(more)]
		return append([]byte(strings.ToValidUTF8(text, "")), more...)
	}
	return []byte(strings.ToValidUTF8(text, "\uFFFD"))
}
