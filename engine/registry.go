package engine

import (
	"fmt"
	"sort"
)

// Kind is the kind of a component.
type Kind string

// The kinds of components.
const (
	KindInput      Kind = "input"
	KindProcessor  Kind = "processor"
	KindOutput     Kind = "output"
	KindConverter  Kind = "converter"
	KindConnection Kind = "connection"
)

// Component is what every factory has: the only declaration of a component's
// name, docs and options. Lint, generated docs and completion come from it.
type Component struct {
	// Type is the first label of its block: kafka, file, filter.
	Type string
	// Summary is a sentence of one line, Description more, in Markdown.
	Summary, Description string
	// Defaults returns a new *Config with the default of every option (see
	// options.go for its tags). A *Config may be a Validator.
	Defaults func() any
	// Since is the version of flow in which the component came; empty means
	// FirstRelease.
	Since string
	// Examples are complete pipelines or blocks in HCL that lint clean.
	Examples []Example
}

// FirstRelease is the version in which a component came that does not say.
const FirstRelease = "0.1.0"

// Example is a piece of HCL with a title.
type Example struct{ Title, HCL string }

// InputFactory describes and makes one type of input.
type InputFactory struct {
	Component
	// New makes an input from a *Config. It does no I/O.
	New func(config any, env Env) (Input, error)
	// KeyConverter and ValueConverter are the converters that an element
	// without key or value block uses: "json" for most.
	KeyConverter, ValueConverter string
	// Bounded reports whether the input of this config ends by itself.
	Bounded func(config any) bool
	// FixedTopics returns the topics that records of this config can have,
	// nil when that is not known. It makes "{{ topic }}" a safe destination.
	FixedTopics func(config any) []string
	// Exclusive: only one element of this type can run in a process, since
	// what it reads is there once and two would share it by chance.
	Exclusive bool
	// Listens returns the addresses, HOST:PORT, at which an input of this config
	// listens: no other can listen there.
	Listens func(config any) []string
	// Files returns the paths, without globs, of the files that this config
	// reads. With OutputFactory.Files it finds what would read its own output.
	Files func(config any) []string
	// Streams names what this config reads beside files, the same name for the
	// same data in every element: "kafka localhost:9092 orders". With
	// OutputFactory.Streams lint finds what would read its own output.
	Streams func(config any) []string
	// Group names those with whom an input of this config shares its streams,
	// each getting a part of the records. Empty: it reads all of them.
	Group func(config any) string
	// Schemas says of which types the records of this config are. What it says
	// stands over the converters (see Typed), as records that an input hands over
	// with a schema do in a run: they are not decoded again. A part that is nil
	// is left to its converter; schema.Unknown is one whose schema only the data
	// tells, such as that of files which keep their own. nil: all is left.
	Schemas func(config any) Schemas
	// Container names the format of the files that this config reads where they
	// keep the schema of their records: avro, parquet. Empty, or nil: they do
	// not. It is for people.
	Container func(config any) string
	// Delivery says where positions are kept and whether records can be read
	// again. nil: positions are in the checkpoint, and they can.
	Delivery func(config any) Delivery
}

// ProcessorFactory describes and makes one type of processor.
type ProcessorFactory struct {
	Component
	New func(config any, env Env) (Processor, error)
	// Ports names the further outputs of this config, for wiring.
	Ports func(config any) []string
	// Passes returns a condition that holds for every record which leaves by
	// the main port, as that of a filter does.
	Passes func(config any) Expression
	// FirstMatch reports whether a record goes to the first of the ports of
	// this config whose condition holds, and to no later one.
	FirstMatch func(config any) bool
	// Changes says what a processor of this config changes of a record. nil:
	// nothing if the processor is ReadOnly, otherwise it is not known.
	Changes func(config any) Changes
	// Schemas says what a processor of this config makes of records of the types
	// in, at all its ports but errors, and what of the config cannot work on
	// them: a field that they do not have, a type that cannot be cast. What
	// expressions of the config find wrong is not among it: the compiler asks
	// them itself. nil: out is in for a processor that is ReadOnly or whose
	// Changes leave key and value alone, and otherwise not known.
	//
	// out is what a run gives the records, whatever they hold: the workers'
	// edits give the same schemas.
	Schemas func(config any, in Schemas) (out Schemas, problems []Problem)
	// Equal returns what does the same as a processor of this config by
	// expressions: blocks of HCL without a name, one line an option, in their
	// order. nil: there is none. It is for people, who see it in flow explain.
	Equal func(config any) []string
}

// OutputFactory describes and makes one type of output.
type OutputFactory struct {
	Component
	New func(config any, env Env) (Output, error)
	// Files returns the paths of the files that this config writes, as far as
	// they are the same for every record.
	Files func(config any) []string
	// Streams names what this config writes beside files, as in InputFactory,
	// as far as it is the same for every record.
	Streams func(config any) []string
	// KeyConverter and ValueConverter as in InputFactory; "" writes keys or
	// values in the record's own encoding, as they are.
	KeyConverter, ValueConverter string
	// Schemas says of which types records of in are where this config writes
	// them, behind its converters, and what of them it cannot write: each at its
	// option. A part that is schema.Unknown is no reason. nil: they stay as they
	// are.
	Schemas func(config any, in Schemas) (out Schemas, problems []Problem)
	// Container as in InputFactory, of the files that are written.
	Container func(config any) string
	// Delivery says what a confirmation of this config means. It is required.
	Delivery func(config any) Delivery
}

// ConverterFactory describes and makes one type of converter.
type ConverterFactory struct {
	Component
	New func(config any, env Env) (Converter, error)
}

// ConnectionFactory describes and makes one type of connection: settings and
// a client that elements share.
type ConnectionFactory struct {
	Component
	// New makes what ConnectionRef.Value holds. It does no I/O.
	New func(config any, env Env) (any, error)
}

// Registry holds the components of a binary.
type Registry struct {
	Inputs      map[string]InputFactory
	Processors  map[string]ProcessorFactory
	Outputs     map[string]OutputFactory
	Converters  map[string]ConverterFactory
	Connections map[string]ConnectionFactory
}

// Components are the lists that a Registry is made of, one line a component.
type Components struct {
	Inputs      []InputFactory
	Processors  []ProcessorFactory
	Outputs     []OutputFactory
	Converters  []ConverterFactory
	Connections []ConnectionFactory
}

// NewRegistry checks the lists; a type that is there twice is an error.
func NewRegistry(c Components) (*Registry, error) {
	r := &Registry{}
	var err error
	if r.Inputs, err = index(KindInput, c.Inputs, func(f InputFactory) string { return f.Type }); err != nil {
		return nil, err
	}
	if r.Processors, err = index(KindProcessor, c.Processors, func(f ProcessorFactory) string { return f.Type }); err != nil {
		return nil, err
	}
	if r.Outputs, err = index(KindOutput, c.Outputs, func(f OutputFactory) string { return f.Type }); err != nil {
		return nil, err
	}
	if r.Converters, err = index(KindConverter, c.Converters, func(f ConverterFactory) string { return f.Type }); err != nil {
		return nil, err
	}
	if r.Connections, err = index(KindConnection, c.Connections, func(f ConnectionFactory) string { return f.Type }); err != nil {
		return nil, err
	}
	return r, nil
}

func index[F any](kind Kind, list []F, typ func(F) string) (map[string]F, error) {
	m := make(map[string]F, len(list))
	for _, f := range list {
		t := typ(f)
		if _, dup := m[t]; dup {
			return nil, fmt.Errorf("%s %q is registered twice", kind, t)
		}
		m[t] = f
	}
	return m, nil
}

// Types returns the sorted type names of a kind's factories.
func Types[F any](m map[string]F) []string {
	names := make([]string, 0, len(m))
	for t := range m {
		names = append(names, t)
	}
	sort.Strings(names)
	return names
}
