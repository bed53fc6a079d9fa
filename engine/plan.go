package engine

import (
	"time"

	"github.com/flowrecords/flow/engine/limits"
)

// Plan is what the files of a config compile to. It is pure data and
// constructors: nothing is open.
type Plan struct {
	Pipelines []*Pipeline
	// Connections in the order of the file, those that no element uses too.
	Connections []*Connection
}

// Connection is one connection block, checked.
type Connection struct {
	// Name is the address: connection.kafka.main.
	Name string
	Type string
	// Config is the connection's *Config, complete.
	Config any
	// Value is what its factory made of it, which ConnectionRef.Value of the
	// elements holds too.
	Value any
}

// Pipeline is one DAG.
type Pipeline struct {
	Name     string
	Settings Settings
	// Elements in the order of the file.
	Elements []*Element
}

// Settings are the options of a pipeline block.
type Settings struct {
	Delivery string `flow:"delivery" oneof:"at_least_once exactly_once" doc:"What the pipeline guarantees. at_least_once: nothing is lost, and after a crash some records come twice. exactly_once: nor that, for inputs and outputs that can do it."`
	Order    string `flow:"order" oneof:"partition none" doc:"partition keeps the order of records within each source partition. none lets workers overtake each other."`
	Workers  int    `flow:"workers" unit:"workers" min:"0" max:"256" doc:"Workers of each stage. 0 means one for each CPU."`

	BatchRecords   int           `flow:"batch_records" unit:"records" min:"1" max:"65536" doc:"Most records of a batch."`
	BatchBytes     ByteSize      `flow:"batch_bytes" min:"1KiB" max:"64MiB" doc:"Bytes after which a batch is complete."`
	Linger         time.Duration `flow:"linger" min:"0s" max:"1m" doc:"Longest wait for a fuller batch after its first record. 0s sends every record as soon as nothing more is at hand."`
	MaxInFlight    ByteSize      `flow:"max_in_flight" min:"64KiB" doc:"Most source bytes that are read and not yet confirmed."`
	CommitInterval time.Duration `flow:"commit_interval" min:"1ms" max:"10m" doc:"How often confirmed positions are stored."`
	DrainTimeout   time.Duration `flow:"drain_timeout" min:"0s" doc:"How long a stop waits for records in flight."`
	RetryMax       time.Duration `flow:"retry_max" min:"1ms" doc:"Longest pause between two tries after a transient failure."`
	After          []string      `flow:"after" doc:"Names of pipelines of this config that must have ended before this one starts. They must end by themselves." example:"[\"load\"]"`
	ErrorHeaders   []string      `flow:"error_headers" oneof:"flow connect" doc:"Headers that say of a failed record why it failed. flow: flow.error.*, with all that flow errors replay needs. connect: __connect.errors.*, as a dead letter queue of Kafka Connect has them. Both may be given."`
	StateDir       string        `flow:"state_dir" doc:"Folder in which positions are stored, for inputs that keep none themselves."`
	Checkpoint     ConnectionRef `flow:"checkpoint" system:"kafka" doc:"Connection whose positions_topic holds the positions instead of state_dir, for all machines: whichever process runs the pipeline goes on where the one before ended. Of two at once the later goes on and the earlier ends." example:"connection.kafka.main"`
}

// DefaultSettings is what a pipeline block without options means.
func DefaultSettings() Settings {
	return Settings{
		Delivery:       "at_least_once",
		Order:          "partition",
		BatchRecords:   limits.BatchRecords,
		BatchBytes:     limits.BatchBytes,
		Linger:         limits.Linger,
		MaxInFlight:    limits.InFlightBytes,
		CommitInterval: limits.CommitInterval,
		DrainTimeout:   limits.DrainTimeout,
		RetryMax:       limits.RetryMax,
		ErrorHeaders:   []string{ErrorHeadersFlow},
		StateDir:       ".flow",
	}
}

// Element is one input, processor or output of a pipeline, checked and wired.
type Element struct {
	Kind Kind
	Type string
	Name string
	// Config is the component's *Config, complete.
	Config any
	// From lists what the element reads; empty for an input.
	From []Port
	// Ports names the further outputs of a processor.
	Ports []string

	// Exactly one is set, by Kind. They do no I/O.
	NewInput     func(Env) (Input, error)
	NewProcessor func(Env) (Processor, error)
	NewOutput    func(Env) (Output, error)

	// Key and Value convert at an input or output; nil at an output writes
	// the record's own bytes.
	Key, Value Converter
	// Headers converts the value of each header but OwnHeader; nil leaves them
	// as bytes. Within a pipeline a header is text or bytes: see HeaderDecoding.
	Headers Converter

	// KeyConverter, ValueConverter and HeadersConverter are the types of Key,
	// Value and Headers; empty without one. They are for people.
	KeyConverter, ValueConverter, HeadersConverter string

	// Container is the format of files that keep the schema of their records:
	// of what an input reads or an output writes, for people; empty: none.
	Container string

	// Bounded: an input that ends by itself.
	Bounded bool

	// Delivery of an input or output, and Changes of a processor, nil when they
	// are not known: what the component says of itself, for people and lint.
	Delivery Delivery
	Changes  *Changes

	// Types are what is known before a run of the records at the element.
	Types Flowing

	// Where it stands in the config: file:line:column, for messages.
	Where string
}

// Address is how people and errors name the element: processor.map.shape.
func (e *Element) Address() string {
	return string(e.Kind) + "." + e.Type + "." + e.Name
}

// Port is one output of an element.
type Port struct {
	// Element is the address of the element. Empty, with ErrorsPort: the
	// errors of all elements, but of those whose errors port an element reads
	// by name, and of those that read the errors of all or lie behind such a
	// one (graph.ErrorReaders).
	Element string
	// Name of the port: "" the main one, "errors", or one of Element.Ports.
	Name string
}

// ErrorsPort is the name of the port that carries failed records.
const ErrorsPort = "errors"
