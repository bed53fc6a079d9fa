package reference

import (
	"fmt"

	"github.com/flowrecords/flow/engine"
)

// fromOption is what processors and outputs have beside their own options.
func fromOption() Option {
	return Option{Name: "from", Type: "list of reference", Example: "[processor.route.kr]",
		Doc: "What the element reads: input.NAME, processor.NAME, processor.NAME.PORT, the errors of one element as output.NAME.errors, or errors for those of all. Without it the element reads the one before it."}
}

// converters are the blocks of inputs and outputs that choose converters.
func converters(key, value string) []Option {
	option := func(name, what, def string) Option {
		o := Option{Name: name, Type: "block", Label: "The type of the converter: flow list converters.", labels: `"TYPE"`,
			Doc: fmt.Sprintf("How bytes become %s of a record and back. Its options are those of the converter.", what)}
		if def == "" {
			o.Doc += " Without the block it is written as it is."
		} else {
			o.Default = fmt.Sprintf("%s %q {}", name, def)
		}
		return o
	}
	headers := Option{Name: "header_values", Type: "block", Label: "The type of the converter: flow list converters.", labels: `"TYPE"`,
		Doc: "How bytes become the text of each header and back. Without the block headers stay as they are."}
	return []Option{option("key", "the key", key), option("value", "the value", value), headers}
}

// blocks are those of the language itself.
func blocks() ([]Entry, error) {
	settings := engine.DefaultSettings()
	spec, err := engine.Describe(&settings)
	if err != nil {
		return nil, fmt.Errorf("pipeline: %w", err)
	}
	elements := []Option{
		element("input", "A source of records: flow list inputs."),
		element("processor", "A step that filters, changes or routes records: flow list processors."),
		element("output", "A target of records: flow list outputs."),
	}
	list := []Entry{
		{Type: "pipeline", Syntax: `pipeline "NAME" { ... }`, Summary: "Inputs, processors and outputs that records flow through.",
			Description: "Elements are wired in the order of the file unless they say otherwise with `from`.",
			Options:     append(options(spec, engine.FirstRelease), elements...)},
		{Type: "variable", Syntax: `variable "NAME" { ... }`, Summary: "A value that comes from outside, read as var.NAME.",
			Description: "It comes from `--var NAME=VALUE`, from a file of `--var-file`, from the environment variable `FLOW_VAR_NAME`, or else is the default.",
			Options: []Option{
				{Name: "type", Type: "type", Example: "list(string)", Doc: "string, number, bool, any, list(T), set(T), map(T), tuple([T, ...]) or object({ name = T }). Without it the type of a plain default counts, and without a default the value is text."},
				{Name: "default", Type: "any", Example: "100", Doc: "What it is when nobody gives a value. Without it a value must be given."},
				{Name: "description", Type: "string", Doc: "What it is for, for people."},
				{Name: "sensitive", Type: "bool", Default: "false", Doc: "The value is never shown."},
				{Name: "validation", Type: "block", Repeated: true, Doc: "A rule that the value must obey.", Options: []Option{
					{Name: "condition", Type: "bool", Required: true, Example: "var.port > 1024", Doc: "What must be true of it."},
					{Name: "error_message", Type: "string", Required: true, Doc: "What to say when it is not."},
				}},
			}},
		{Type: "locals", Syntax: "locals { NAME = VALUE }", Summary: "Names for values, read as local.NAME.",
			Description: "Locals may refer to variables and to each other, in any order and over all files, but not in a circle."},
		{Type: "connection", Syntax: `connection "TYPE" "NAME" { ... }`, Summary: "Settings of a system that elements share.",
			Description: "An element names it with `connection = connection.TYPE.NAME`. `flow list connections` has the types."},
		{Type: "schema", Syntax: `schema "NAME" { ... }`, Summary: "The types of records, written once for all that need them.",
			Description: "An option that takes a schema names it with `schema = schema.NAME`. It is a list of fields, or says all of it in one text: `type`, `avro`, `json_schema` or `connect`. The text of a type may name other blocks, also those that lead back to it: `array<line>`.",
			Options: []Option{
				{Name: "type", Type: "string", Example: `"struct shop.Order{id int64, price decimal(10,2)?}"`, Doc: "The schema as the text of a type."},
				{Name: "avro", Type: "string", Example: `file("order.avsc")`, Doc: "The schema as Avro's JSON text."},
				{Name: "json_schema", Type: "string", Example: `file("order.schema.json")`, Doc: "The schema as JSON Schema."},
				{Name: "connect", Type: "string", Example: `file("order.json")`, Doc: "The schema as it stands in Kafka Connect's JSON envelope."},
				{Name: "name", Type: "string", Example: `"shop.Order"`, Doc: "Full name of the struct that the fields make, as Avro and Protobuf have it. Without it the label of the block."},
				{Name: "aliases", Type: "list of string", Example: `["shop.Purchase"]`, Doc: "Full names that the struct had before."},
				{Name: "doc", Type: "string", Doc: "What the records are, for people. Formats that have a place for it carry it along."},
				{Name: "field", Type: "block", Repeated: true, Label: "Its name.", anyLabel: true, Doc: "A field of the struct, in order. It has a type, or is a struct itself, with blocks field of its own.", Options: []Option{
					{Name: "type", Type: "schema", Example: `"decimal(10,2)"`, Doc: "The text of a type, or another block: schema.NAME. A ? behind a type makes it optional."},
					{Name: "optional", Type: "bool", Default: "false", Doc: "The field may be null."},
					{Name: "default", Type: "any", Example: `"new"`, Doc: "What the field is where it is not there. Times, decimals beyond 64 bits and bytes (as base64) are text."},
					{Name: "doc", Type: "string", Doc: "What it is, for people."},
					{Name: "aliases", Type: "list of string", Example: `["mail"]`, Doc: "Names that the field had before: data that was written with one of them can still be read."},
					{Name: "field", Type: "block", Repeated: true, Label: "Its name.", same: "#/$defs/schema/properties/field", Doc: "A field of a field that is a struct."},
				}},
			}},
		{Type: "function", Syntax: `function "NAME" { ... }`, Summary: "A function of your own for expressions.",
			Description: "Functions may call each other, in any order, but not in a circle. `flow list functions` has those that are there.",
			Options: []Option{
				{Name: "params", Type: "list of string", Example: `["s", "keep"]`, Doc: "Names of the parameters, in order."},
				{Name: "result", Type: "expression", Required: true, Example: `"repeat('*', len(s) - keep)"`, Doc: "What it gives: an expression over the parameters, variables, locals and other functions. It does not see the record."},
				{Name: "description", Type: "string", Doc: "What it is for, for people."},
			}},
		{Type: "input", Syntax: `input "TYPE" "NAME" { ... }`, Summary: "A source of records, within a pipeline.",
			Description: "`flow show input TYPE` has the options of a type.", Common: converters("json", "json")},
		{Type: "processor", Syntax: `processor "TYPE" "NAME" { ... }`, Summary: "A step that filters, changes or routes records, within a pipeline.",
			Description: "`flow show processor TYPE` has the options of a type.", Common: []Option{fromOption()}},
		{Type: "output", Syntax: `output "TYPE" "NAME" { ... }`, Summary: "A target of records, within a pipeline.",
			Description: "`flow show output TYPE` has the options of a type.", Common: append([]Option{fromOption()}, converters("json", "json")...)},
	}
	for i := range list {
		list[i].Kind, list[i].Since = KindBlock, engine.FirstRelease
		if list[i].Options == nil {
			list[i].Options = []Option{}
		}
		sinceFirst(list[i].Options)
		sinceFirst(list[i].Common)
	}
	return list, nil
}

func sinceFirst(list []Option) {
	for i := range list {
		list[i].Since = orFirst(list[i].Since)
		sinceFirst(list[i].Options)
	}
}

func element(kind, doc string) Option {
	return Option{Name: kind, Type: "block", Repeated: true, Label: "Its type, and behind that its name.", labels: `"TYPE" "NAME"`, Doc: doc}
}
