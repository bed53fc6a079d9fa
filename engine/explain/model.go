// Package explain describes a compiled pipeline for people and programs: what
// runs together, what each part reads and changes, what is bounded by what,
// what is promised about records and why. It opens no connection and reads no
// record; components are only constructed.
//
// A description holds no secret (Invariant 7): options that are secrets, and
// what stands before the @ of a URL, are shown as (secret), and an expression
// is shown as it was written, so that it names a variable and not its value.
package explain

// ShapeVersion is the version of the JSON form of a Plan. It grows when a
// member gets another meaning or goes away; new members may come without it.
const ShapeVersion = 1

// Plan is the description of a config. Its JSON form is stable: members that
// have nothing to say are left out, sizes are in bytes, durations are texts as
// in a config.
type Plan struct {
	Version   int        `json:"version"`
	Pipelines []Pipeline `json:"pipelines"`
}

// Pipeline describes one pipeline.
type Pipeline struct {
	Name string `json:"name"`
	// After names the pipelines that must have ended before this one starts.
	After []string `json:"after,omitempty"`
	// Bounded: it ends by itself. Otherwise Endless names the inputs that do not.
	Bounded bool     `json:"bounded"`
	Endless []string `json:"endless,omitempty"`
	// Order is "partition" or "none".
	Order string `json:"order"`
	// Elements in the order of the flow, inputs first.
	Elements []Element `json:"elements"`
	Stages   []Stage   `json:"stages,omitempty"`
	Delivery Delivery  `json:"delivery"`
	Bounds   Bounds    `json:"bounds"`
	Memory   Memory    `json:"memory"`
	Retry    Retry     `json:"retry"`
}

// Element describes an input, processor or output.
type Element struct {
	Address string `json:"address"`
	Kind    string `json:"kind"`
	Type    string `json:"type"`
	Name    string `json:"name"`
	// Where it stands: file:line:column.
	Where string `json:"where,omitempty"`
	// From is what it reads.
	From []Port `json:"from,omitempty"`
	// Ports names the outputs of a processor beside its main one.
	Ports []string `json:"ports,omitempty"`
	// Stage is the number of the stage that runs it, from 1. Of an input: the
	// one that decodes its records; 0 without.
	Stage int `json:"stage,omitempty"`
	// Options are those that differ from their defaults.
	Options []Option `json:"options,omitempty"`
	// Equal is what does the same by expressions: blocks of HCL without a name,
	// in their order. Empty if there is none.
	Equal []string `json:"equal,omitempty"`
	// Key and Value are the converters of an input or output.
	Key   *Conversion `json:"key,omitempty"`
	Value *Conversion `json:"value,omitempty"`
	// Container is the format of files that keep the schema of their values:
	// avro, parquet; empty: none.
	Container string `json:"container,omitempty"`
	// HeaderValues is the converter of headers; nil: they stay as they are.
	HeaderValues *Conversion `json:"header_values,omitempty"`
	// Reads is what its expressions read of a record, sorted: "value" is the
	// whole value, "value.id" a path in it, "headers.trace" a header.
	Reads []string `json:"reads,omitempty"`
	// Changes is what a processor does to records; nil for others.
	Changes *Changes `json:"changes,omitempty"`
	// Bounded: an input that ends by itself.
	Bounded bool `json:"bounded,omitempty"`
	// Positions says where those of an input are kept.
	Positions *Positions `json:"positions,omitempty"`
	// Confirms says when an output confirms a record.
	Confirms *Confirms `json:"confirms,omitempty"`
	// Errors names the elements that get the records that fail here. Empty:
	// the pipeline stops with the record named.
	Errors []string `json:"errors,omitempty"`
	// QueueBatches is how many batches wait in front of it at most; 0 for an
	// element that shares a loop with the one before.
	QueueBatches int `json:"queue_batches,omitempty"`
}

// Port is what an element reads: an element's main port, a named one, or with
// Element empty and Port "errors" the errors of all elements.
type Port struct {
	Element string `json:"element,omitempty"`
	Port    string `json:"port,omitempty"`
}

// Option is an option of an element. Kind is "value", "expression",
// "template", "connection" or "secret".
type Option struct {
	// Name as in the config: "path", "rotate.size", "case.kr.when".
	Name string `json:"name"`
	// Target is the path or header that an entry of a map is for.
	Target string `json:"target,omitempty"`
	Kind   string `json:"kind"`
	// Text is HCL text of a value, the text of an expression or template, the
	// address of a connection, or (secret).
	Text string `json:"text"`
	// Reads is what this expression reads.
	Reads []string `json:"reads,omitempty"`
}

// Conversion is a converter at work.
type Conversion struct {
	// Converter is its type; empty: the bytes stay as they are.
	Converter string `json:"converter,omitempty"`
	// Encoding is what decoding yields: json, text, bytes; at an output without a
	// converter what its records are made, if they come in a form that only flow
	// reads.
	Encoding string `json:"encoding,omitempty"`
	// Rewrites: bytes are converted, not only given a meaning.
	Rewrites bool `json:"rewrites"`
}

// Changes is what a processor, or all of a stage, does to records.
type Changes struct {
	// Known is false for a component that does not say.
	Known bool `json:"known"`
	// ReadOnly: no byte is changed, so none is copied.
	ReadOnly bool     `json:"read_only"`
	Writes   []string `json:"writes,omitempty"`
	Removes  []string `json:"removes,omitempty"`
	// Keeps are the only members of the value that stay.
	Keeps []string `json:"keeps,omitempty"`
	Moves []Move   `json:"moves,omitempty"`
}

// Move is a member that gets another name.
type Move struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Stage is a chain of processors in one loop, with the decoding of an input.
type Stage struct {
	Number int `json:"number"`
	// Decodes is the input whose records are decoded here.
	Decodes string `json:"decodes,omitempty"`
	// Elements are the processors; none in a stage that only decodes.
	Elements []string `json:"elements,omitempty"`
	Workers  int      `json:"workers"`
	// PerCPU: Workers is the number of CPUs.
	PerCPU bool `json:"per_cpu,omitempty"`
	// Serial: there is one worker, since a processor must see all records.
	Serial bool `json:"serial,omitempty"`
	// Reads is what all its expressions read. Projected: only these members of
	// a value are looked up; false when one reads the whole.
	Reads     []string `json:"reads,omitempty"`
	Projected bool     `json:"projected"`
	// Whole lists the options that read a whole value.
	Whole   []string `json:"whole,omitempty"`
	Changes Changes  `json:"changes"`
	// QueueBatches is how many batches wait in front of it at most.
	QueueBatches int `json:"queue_batches"`
}

// Positions says where an input goes on.
type Positions struct {
	// By whom they are kept. Empty: by nobody.
	By string `json:"by,omitempty"`
	// Checkpoint: flow itself keeps them, in the pipeline's state_dir.
	Checkpoint bool `json:"checkpoint"`
	// Prompt: they are stored as soon as something is confirmed, since somebody
	// waits for it, and not at intervals.
	Prompt bool `json:"prompt,omitempty"`
	// Once says why records cannot be read again; empty: they can.
	Once string `json:"once,omitempty"`
}

// Confirms says what the confirmation of an output means.
type Confirms struct {
	When       string `json:"when,omitempty"`
	Lossy      string `json:"lossy,omitempty"`
	Discards   bool   `json:"discards,omitempty"`
	Idempotent string `json:"idempotent,omitempty"`
}

// Delivery is what the pipeline promises, and why.
type Delivery struct {
	// Mode is at_least_once or exactly_once.
	Mode string `json:"mode"`
	// Kept: nothing in Weakened.
	Kept     bool     `json:"kept"`
	Why      []Reason `json:"why"`
	Weakened []Reason `json:"weakened,omitempty"`
	// Dropped says what is thrown away because the config says so.
	Dropped []Reason `json:"dropped,omitempty"`
	// Repeats says what comes again after a crash.
	Repeats string `json:"repeats"`
	// Commits says how often positions are stored.
	Commits Commits `json:"commits"`
}

// Reason is something that an element adds to a promise, or takes from it.
type Reason struct {
	Element string `json:"element"`
	Text    string `json:"text"`
}

// Commits is how often positions are stored: at whichever comes first.
type Commits struct {
	Interval string `json:"interval"`
	Bytes    int64  `json:"bytes"`
}

// Bounds are the limits of a pipeline.
type Bounds struct {
	BatchRecords  int    `json:"batch_records"`
	BatchBytes    int64  `json:"batch_bytes"`
	Linger        string `json:"linger"`
	InFlightBytes int64  `json:"in_flight_bytes"`
	QueueBatches  int    `json:"queue_batches"`
	RecordBytes   int64  `json:"record_bytes"`
	DrainTimeout  string `json:"drain_timeout"`
}

// Memory is an estimate of what the engine holds of records at most. What the
// clients of components hold comes on top.
type Memory struct {
	Bytes int64        `json:"bytes"`
	Parts []MemoryPart `json:"parts"`
}

// MemoryPart is one summand.
type MemoryPart struct {
	What  string `json:"what"`
	Bytes int64  `json:"bytes"`
}

// Retry is how transient failures are tried again.
type Retry struct {
	Min string `json:"min"`
	Max string `json:"max"`
}
