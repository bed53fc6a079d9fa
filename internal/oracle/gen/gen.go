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
		if err := unique(f); err != nil {
			return nil, err
		}
		data, err := oracle.Lines(f.cases)
		if err != nil {
			return nil, err
		}
		files["cases/"+f.name+".jsonl"] = data
	}
	return files, nil
}

func unique(f file) error {
	seen := map[string]bool{}
	for _, c := range f.cases {
		if seen[c.Name] {
			return fmt.Errorf("two cases are named %s", c.Name)
		}
		seen[c.Name] = true
	}
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
	}
	var files []file
	for _, t := range tables {
		f := file{name: t.name}
		t.fill(&f)
		files = append(files, f)
	}
	return files
}
