package engine

// Failure says why a record is on an errors edge.
type Failure struct {
	// Reason is the error of the record; nil in a batch of an input stands
	// for a record that is well.
	Reason error
	// Element is the address of the element that refused it: processor.map.shape.
	Element string
	// Origin names the record at its source: orders.jsonl@10342, orders/3/991.
	Origin string

	// Topic, Partition and Offset are the record's place at its source; Topic
	// is empty where the source has no such thing.
	Topic     string
	Partition int32
	Offset    int64
	// Attempts counts how often the record has failed, this time included.
	Attempts int
}

// The headers that a record on an errors edge carries, with error_headers =
// ["flow"]. They replace headers of the same name that it had, and say all
// that takes it back to where it failed. Each is UTF-8 and has at most
// limits.ErrorHeaderBytes.
const (
	// HeaderErrorReason is the text of the error.
	HeaderErrorReason = "flow.error.reason"
	// HeaderErrorPipeline is the name of the pipeline.
	HeaderErrorPipeline = "flow.error.pipeline"
	// HeaderErrorElement is the address of the element that refused it.
	HeaderErrorElement = "flow.error.element"
	// HeaderErrorOrigin names the record at its source.
	HeaderErrorOrigin = "flow.error.origin"
	// HeaderErrorTime is when it was refused, RFC 3339 in UTC.
	HeaderErrorTime = "flow.error.time"
	// HeaderErrorAttempts is how often it has failed: 1, and one more each time
	// that it fails again after a replay.
	HeaderErrorAttempts = "flow.error.attempts"

	// HeaderErrorTopic, HeaderErrorPartition and HeaderErrorOffset are the
	// record's place at its source. None of them is there where the source has
	// no topics.
	HeaderErrorTopic     = "flow.error.topic"
	HeaderErrorPartition = "flow.error.partition"
	HeaderErrorOffset    = "flow.error.offset"
	// HeaderErrorTimestamp is the record's own time, RFC 3339 to the
	// nanosecond; it is not there if the record had none, which an errors
	// output may not be able to tell otherwise.
	HeaderErrorTimestamp = "flow.error.timestamp"

	// HeaderErrorEncoding and HeaderErrorKeyEncoding say what the bytes of value
	// and key are: the name of their encoding (json, text, bytes), or one of the
	// two below. Neither is there for a null.
	HeaderErrorEncoding    = "flow.error.encoding"
	HeaderErrorKeyEncoding = "flow.error.key_encoding"
)

// Formats that hold JSON as JSON and all else as a string cannot tell a JSON
// string from the same text, so the encodings of failed records have more names.
const (
	// EncodingInvalidJSON: should be JSON and is not, which is why it failed.
	EncodingInvalidJSON = "invalid_json"
	// EncodingJSONBytes: bytes, and JSON by chance or before they were decoded.
	EncodingJSONBytes = "json_bytes"
)

// The headers that Kafka Connect gives to what it writes to a dead letter queue
// (errors.deadletterqueue.context.headers.enable), with error_headers =
// ["connect"]. All are UTF-8 text, numbers too.
const (
	HeaderConnectTopic      = "__connect.errors.topic"
	HeaderConnectPartition  = "__connect.errors.partition"
	HeaderConnectOffset     = "__connect.errors.offset"
	HeaderConnectConnector  = "__connect.errors.connector.name"
	HeaderConnectTask       = "__connect.errors.task.id"
	HeaderConnectStage      = "__connect.errors.stage"
	HeaderConnectClass      = "__connect.errors.class.name"
	HeaderConnectException  = "__connect.errors.exception.class.name"
	HeaderConnectMessage    = "__connect.errors.exception.message"
	HeaderConnectStacktrace = "__connect.errors.exception.stacktrace"
)

// The values of Settings.ErrorHeaders.
const (
	ErrorHeadersFlow    = "flow"
	ErrorHeadersConnect = "connect"
)
