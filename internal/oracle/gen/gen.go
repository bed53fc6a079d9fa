// Package gen makes the cases of testdata/oracle: tables of records and options
// of Kafka Connect's transforms, predicates and converters, and of Avro's
// schemas. The same program makes the same files.
//
// To add a case, add a line to the table of its transform and run `make oracle`.
// A case is a question only; the answer is Java's.
package gen

import (
	"fmt"

	"github.com/flowrecords/flow/internal/oracle"
)

// Files returns the files of cases by their path under testdata/oracle.
func Files() (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, f := range connect() {
		if err := put(files, "cases/"+f.name, f.cases, func(c oracle.Case) string { return c.Name }); err != nil {
			return nil, err
		}
	}
	for _, f := range avro() {
		if err := put(files, "avro/cases/"+f.name, f.cases, func(c oracle.AvroCase) string { return c.Name }); err != nil {
			return nil, err
		}
	}
	return files, nil
}

func put[T any](files map[string][]byte, path string, cases []T, name func(T) string) error {
	seen := map[string]bool{}
	for _, c := range cases {
		if seen[name(c)] {
			return fmt.Errorf("two cases are named %s", name(c))
		}
		seen[name(c)] = true
	}
	data, err := oracle.Lines(cases)
	if err != nil {
		return err
	}
	files[path+".jsonl"] = data
	return nil
}

// connect are the cases of Kafka Connect, a file for each transform and
// converter.
func connect() []file {
	tables := []struct {
		name string
		fill func(*file)
	}{
		{"cast", cast},
		{"drop_headers", dropHeaders},
		{"extract_field", extractField},
		{"filter", filter},
		{"flatten", flatten},
		{"header_from", headerFrom},
		{"hoist_field", hoistField},
		{"insert_field", insertField},
		{"insert_header", insertHeader},
		{"mask_field", maskField},
		{"regex_router", regexRouter},
		{"replace_field", replaceField},
		{"set_schema_metadata", setSchemaMetadata},
		{"timestamp_converter", timestampConverter},
		{"timestamp_router", timestampRouter},
		{"value_to_key", valueToKey},
		{"predicates", predicates},
		{"chains", chains},
		{"json_from", jsonFrom},
		{"json_to", jsonTo},
		{"primitives", primitives},
		{"headers", headers},
		{"projection", projection},
	}
	var files []file
	for _, t := range tables {
		f := file{name: t.name}
		t.fill(&f)
		files = append(files, f)
	}
	return files
}
