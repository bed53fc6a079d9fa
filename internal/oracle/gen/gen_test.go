package gen

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/flowrecords/flow/internal/oracle"
)

const root = "../../../testdata/oracle"

func TestCasesAreCurrent(t *testing.T) {
	t.Parallel()
	files, err := Files()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err, "; run: make oracle")
		}
		if string(got) != string(want) {
			t.Errorf("%s is not what its table makes; run: make oracle", name)
		}
	}
	for _, pattern := range []string{"cases/*.jsonl", "avro/cases/*.jsonl"} {
		there, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range there {
			name, err := filepath.Rel(root, path)
			if err != nil {
				t.Fatal(err)
			}
			if files[filepath.ToSlash(name)] == nil {
				t.Errorf("%s has no table; run: make oracle", name)
			}
		}
	}
}

// transforms is what Kafka Connect 4.3 documents: each transform, whether it has
// variants for key and value, and its options.
var transforms = []struct {
	class    string
	variants bool
	options  []string
	// schemas tells whether it looks into the key or value, so that cases with
	// schema, without, and of null belong to it.
	schemas bool
	// sure is set where nothing about a record makes it fail.
	sure bool
}{
	{"Cast", true, []string{"spec", "replace.null.with.default"}, true, false},
	{"DropHeaders", false, []string{"headers"}, false, true},
	{"ExtractField", true, []string{"field", "field.syntax.version", "replace.null.with.default"}, true, false},
	{"Filter", false, nil, false, true},
	{"Flatten", true, []string{"delimiter"}, true, false},
	{"HeaderFrom", true, []string{"fields", "headers", "operation", "replace.null.with.default"}, true, false},
	{"HoistField", true, []string{"field"}, true, false},
	{"InsertField", true, []string{"topic.field", "partition.field", "offset.field", "timestamp.field", "static.field", "static.value", "replace.null.with.default"}, true, false},
	{"InsertHeader", false, []string{"header", "value.literal"}, false, true},
	{"MaskField", true, []string{"fields", "replacement", "replace.null.with.default"}, true, false},
	{"RegexRouter", false, []string{"regex", "replacement"}, false, false},
	{"ReplaceField", true, []string{"exclude", "include", "renames", "blacklist", "whitelist", "replace.null.with.default"}, true, false},
	{"SetSchemaMetadata", true, []string{"schema.name", "schema.version", "replace.null.with.default"}, true, false},
	{"TimestampConverter", true, []string{"field", "target.type", "format", "unix.precision", "replace.null.with.default"}, true, false},
	{"TimestampRouter", false, []string{"topic.format", "timestamp.format"}, false, false},
	{"ValueToKey", false, []string{"fields", "replace.null.with.default"}, true, false},
}

// The table above is covered: by answers of Java, not by questions alone.
func TestTransformsAreCovered(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for _, a := range all(t) {
		if a.Op != oracle.Transform {
			continue
		}
		outcome := "done"
		if a.Result.Error != nil {
			outcome = a.Result.Error.Stage
		}
		for _, s := range a.Chain {
			class, which, _ := strings.Cut(strings.TrimPrefix(s.Class, classes), "$")
			part := a.Record.Value
			if which == "Key" {
				part = a.Record.Key
			}
			with := "schema"
			if part.Schema == nil {
				with = "schemaless"
			}
			for _, fact := range []string{"", with} {
				seen[fmt.Sprintf("%s %s %s", class, outcome, fact)]++
			}
			if part.Value.IsNull() {
				seen[class+" null"]++
			}
			seen[fmt.Sprintf("%s$%s %s", class, which, outcome)]++
			for name := range s.Config {
				seen[fmt.Sprintf("%s %s %s", class, outcome, name)]++
				if which != "" {
					seen[fmt.Sprintf("%s$%s %s %s", class, which, outcome, name)]++
				}
			}
		}
	}
	need := func(fact string) {
		if seen[fact] == 0 {
			t.Errorf("no case: %s", fact)
		}
	}
	for _, tr := range transforms {
		whiches := []string{""}
		if tr.variants {
			whiches = []string{"Key", "Value"}
		}
		for _, which := range whiches {
			need(fmt.Sprintf("%s$%s done", tr.class, which))
			for _, option := range tr.options {
				if which == "" {
					need(fmt.Sprintf("%s done %s", tr.class, option))
				} else {
					need(fmt.Sprintf("%s$%s done %s", tr.class, which, option))
				}
			}
		}
		if tr.options != nil && tr.class != "Flatten" && tr.class != "TimestampRouter" {
			need(tr.class + " configure ")
		}
		if !tr.sure {
			need(tr.class + " apply ")
		}
		if tr.schemas {
			need(tr.class + " null")
			need(tr.class + " done schema")
			if tr.class != "SetSchemaMetadata" {
				need(tr.class + " done schemaless")
			}
		}
	}
}

// Every type of Connect passes every transform that looks into values.
func TestTypesAreCovered(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, a := range all(t) {
		if a.Record == nil {
			continue
		}
		for _, s := range a.Chain {
			class, _, _ := strings.Cut(strings.TrimPrefix(s.Class, classes), "$")
			note(seen, class, a.Record.Value.Schema)
			note(seen, class, a.Record.Key.Schema)
		}
	}
	for _, tr := range transforms {
		if !tr.schemas || tr.class == "InsertField" || tr.class == "TimestampConverter" {
			continue // they do not look at the types of what is there, or name those that they take
		}
		for _, s := range samples() {
			if !seen[tr.class+" "+typeName(s.schema)] {
				t.Errorf("no case of %s has a %s", tr.class, s.name)
			}
		}
	}
}

func note(seen map[string]bool, class string, s *oracle.Schema) {
	if s == nil {
		return
	}
	seen[class+" "+typeName(s)] = true
	note(seen, class, s.Keys)
	note(seen, class, s.Values)
	for _, f := range s.Fields {
		note(seen, class, f.Schema)
	}
}

func typeName(s *oracle.Schema) string {
	if l := s.Logical(); l != "" {
		return l
	}
	return string(s.Type)
}

// Each converter is asked in both directions, and so is each as a converter of
// headers; each predicate is asked, both ways round.
func TestConvertersAndPredicatesAreCovered(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, a := range all(t) {
		if a.Converter != nil {
			seen[a.Converter.Class+" "+string(a.Op)] = true
			for name, val := range a.Converter.Config {
				seen[a.Converter.Class+" "+string(a.Op)+" "+name+"="+val] = true
			}
		}
		if a.Predicate != nil && a.Result.Error == nil {
			seen[fmt.Sprintf("%s %t %t", strings.TrimPrefix(a.Predicate.Class, classes+"predicates."), a.Predicate.Negate, a.Result.Test)] = true
		}
	}
	var want []string
	for _, class := range []string{jsonC, storage + "StringConverter", numbers + "ByteArrayConverter", numbers + "ShortConverter", numbers + "IntegerConverter", numbers + "LongConverter", numbers + "FloatConverter", numbers + "DoubleConverter", numbers + "BooleanConverter"} {
		for _, op := range []oracle.Op{oracle.ToConnect, oracle.FromConnect, oracle.ToConnectHeader, oracle.FromConnectHeader} {
			want = append(want, class+" "+string(op))
		}
	}
	want = append(want, storage+"SimpleHeaderConverter to_connect_header", storage+"SimpleHeaderConverter from_connect_header")
	for _, op := range []oracle.Op{oracle.ToConnect, oracle.FromConnect} {
		for _, option := range []string{"schemas.enable=false", "decimal.format=NUMERIC", "replace.null.with.default=true", "replace.null.with.default=false"} {
			want = append(want, jsonC+" "+string(op)+" "+option)
		}
	}
	for _, p := range []string{"TopicNameMatches", "HasHeaderKey", "RecordIsTombstone"} {
		for _, b := range []string{"true true", "true false", "false true", "false false"} {
			want = append(want, p+" "+b)
		}
	}
	for _, w := range want {
		if !seen[w] {
			t.Errorf("no case: %s", w)
		}
	}
}

// A case's configuration is the one that a user would write.
func TestProperties(t *testing.T) {
	t.Parallel()
	for _, a := range all(t) {
		if a.Name != "chains/schema/guard-by-tombstone" {
			continue
		}
		got := a.Properties()
		for name, want := range map[string]string{
			"transforms":              "t0,t1",
			"transforms.t0.type":      classes + "MaskField$Value",
			"transforms.t0.fields":    "id",
			"transforms.t0.predicate": "p0",
			"transforms.t0.negate":    "true",
			"predicates":              "p0", "predicates.p0.type": classes + "predicates.RecordIsTombstone", "transforms.t1.header": "h",
		} {
			if got[name] != want {
				t.Errorf("%s: want %q, got %q", name, want, got[name])
			}
		}
		return
	}
	t.Error("the case is gone")
}

// Tests share what they read and change nothing of it.
var loadOnce = sync.OnceValues(func() (map[string][]oracle.Answered, error) { return oracle.Load(root) })

func all(t *testing.T) []oracle.Answered {
	t.Helper()
	byFile, err := loadOnce()
	if err != nil {
		t.Fatal(err)
	}
	var list []oracle.Answered
	for _, l := range byFile {
		list = append(list, l...)
	}
	slices.SortFunc(list, func(a, b oracle.Answered) int { return strings.Compare(a.Name, b.Name) })
	return list
}
