package registry

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/flowrecords/flow/engine/record/avro"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/jsonschema"
	"github.com/flowrecords/flow/internal/servers"
)

// verdicts asks the registry and flow whether data of one schema can be read
// with the other: they must agree.
func verdicts(t *testing.T, r anyRegistry) {
	fields := func(list string) string { return `{"type":"record","name":"R","fields":[` + list + `]}` }
	pairs := []struct{ name, old, next string }{
		{"int to long", fields(`{"name":"a","type":"int"}`), fields(`{"name":"a","type":"long"}`)},
		{"int to double", fields(`{"name":"a","type":"int"}`), fields(`{"name":"a","type":"double"}`)},
		{"long to float", fields(`{"name":"a","type":"long"}`), fields(`{"name":"a","type":"float"}`)},
		{"long to int", fields(`{"name":"a","type":"long"}`), fields(`{"name":"a","type":"int"}`)},
		{"string to bytes", fields(`{"name":"a","type":"string"}`), fields(`{"name":"a","type":"bytes"}`)},
		{"bytes to string", fields(`{"name":"a","type":"bytes"}`), fields(`{"name":"a","type":"string"}`)},
		{"int to string", fields(`{"name":"a","type":"int"}`), fields(`{"name":"a","type":"string"}`)},
		{"boolean to int", fields(`{"name":"a","type":"boolean"}`), fields(`{"name":"a","type":"int"}`)},
		{"added with default", fields(`{"name":"a","type":"int"}`), fields(`{"name":"a","type":"int"},{"name":"b","type":"string","default":"x"}`)},
		{"added without default", fields(`{"name":"a","type":"int"}`), fields(`{"name":"a","type":"int"},{"name":"b","type":"string"}`)},
		{"added optional without default", fields(`{"name":"a","type":"int"}`), fields(`{"name":"a","type":"int"},{"name":"b","type":["null","string"]}`)},
		{"removed", fields(`{"name":"a","type":"int"},{"name":"b","type":"int"}`), fields(`{"name":"a","type":"int"}`)},
		{"renamed with alias", fields(`{"name":"a","type":"int"}`), fields(`{"name":"b","type":"int","aliases":["a"]}`)},
		{"renamed without", fields(`{"name":"a","type":"int"}`), fields(`{"name":"b","type":"int"}`)},
		{"record renamed", fields(`{"name":"a","type":"int"}`), strings.Replace(fields(`{"name":"a","type":"int"}`), `"R"`, `"S"`, 1)},
		{"now optional", fields(`{"name":"a","type":"int"}`), fields(`{"name":"a","type":["null","int"]}`)},
		{"no longer optional", fields(`{"name":"a","type":["null","int"]}`), fields(`{"name":"a","type":"int"}`)},
		{"union widened", fields(`{"name":"a","type":["int","string"]}`), fields(`{"name":"a","type":["int","string","boolean"]}`)},
		{"union narrowed", fields(`{"name":"a","type":["int","string","boolean"]}`), fields(`{"name":"a","type":["int","string"]}`)},
		{"enum with a new symbol", fields(`{"name":"a","type":{"type":"enum","name":"E","symbols":["A"]}}`), fields(`{"name":"a","type":{"type":"enum","name":"E","symbols":["A","B"]}}`)},
		{"enum without a symbol", fields(`{"name":"a","type":{"type":"enum","name":"E","symbols":["A","B"]}}`), fields(`{"name":"a","type":{"type":"enum","name":"E","symbols":["A"]}}`)},
		{"the same with a default", fields(`{"name":"a","type":{"type":"enum","name":"E","symbols":["A","B"]}}`), fields(`{"name":"a","type":{"type":"enum","name":"E","symbols":["A"],"default":"A"}}`)},
		{"fixed of another size", fields(`{"name":"a","type":{"type":"fixed","name":"F","size":4}}`), fields(`{"name":"a","type":{"type":"fixed","name":"F","size":8}}`)},
		{"array of a wider type", fields(`{"name":"a","type":{"type":"array","items":"int"}}`), fields(`{"name":"a","type":{"type":"array","items":"long"}}`)},
		{"map of another type", fields(`{"name":"a","type":{"type":"map","values":"string"}}`), fields(`{"name":"a","type":{"type":"map","values":"int"}}`)},
		{"array to map", fields(`{"name":"a","type":{"type":"array","items":"int"}}`), fields(`{"name":"a","type":{"type":"map","values":"int"}}`)},
		{"nested field with default", fields(`{"name":"a","type":{"type":"record","name":"N","fields":[]}}`), fields(`{"name":"a","type":{"type":"record","name":"N","fields":[{"name":"x","type":"int","default":1}]}}`)},
		{"nested field without", fields(`{"name":"a","type":{"type":"record","name":"N","fields":[]}}`), fields(`{"name":"a","type":{"type":"record","name":"N","fields":[{"name":"x","type":"int"}]}}`)},
		{"decimal of another scale", fields(`{"name":"a","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}}`), fields(`{"name":"a","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":3}}`)},
	}
	c, agreed := connect(t, r.url, nil), map[bool]int{}
	for _, p := range pairs {
		for _, way := range []struct{ name, old, next string }{{p.name, p.old, p.next}, {p.name + ", the other way", p.next, p.old}} {
			w, err := avro.Parse([]byte(way.old))
			if err != nil {
				t.Fatal(err)
			}
			n, err := avro.Parse([]byte(way.next))
			if err != nil {
				t.Fatal(err)
			}
			ours := avro.Compatible(w, n)
			theirs, reasons := verdict(t, c, Avro, way.old, way.next)
			if theirs != (len(ours) == 0) {
				t.Errorf("%s: the registry says %v %v, flow says %v", way.name, theirs, reasons, ours)
			}
			agreed[theirs]++
		}
	}
	if agreed[true] < 15 || agreed[false] < 15 {
		t.Errorf("the pairs are one-sided: %v", agreed)
	}
}

// verdict asks whether next may follow old under a subject of its own.
func verdict(t *testing.T, c *Connection, kind, old, next string) (bool, []string) {
	t.Helper()
	subject := servers.UniqueName(t)
	if _, err := c.Register(t.Context(), subject, Text{Type: kind, Text: old}); err != nil {
		t.Fatal(err)
	}
	ok, reasons, err := c.Compatible(t.Context(), subject, Text{Type: kind, Text: next})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Register(t.Context(), subject, Text{Type: kind, Text: next})
	if ok != (err == nil) {
		t.Errorf("asked, the registry says %v; told, %v", ok, err)
	}
	return ok, reasons
}

// verdictsJSON is verdicts for JSON Schemas as flow makes them: their objects
// are closed.
func verdictsJSON(t *testing.T, r anyRegistry) {
	pairs := []struct {
		old, next string
		// stricter: the registry refuses what flow could read.
		stricter bool
	}{
		{old: "struct{a int64}", next: "struct{a int64, b string?}"},
		{old: "struct{a int64}", next: `struct{a int64, b string = "x"}`},
		{old: "struct{a int64}", next: "struct{a int64, b string}"},
		{old: "struct{a int64, b string?}", next: "struct{a int64}", stricter: true},
		{old: "struct{a int64}", next: "struct{a float64}"},
		{old: "struct{a float64}", next: "struct{a int64}"},
		{old: "struct{a int64}", next: "struct{a string}"},
		{old: "struct{a int64}", next: "struct{a int64?}", stricter: true}, // this registry does not look into oneOf
		{old: "struct{a int64?}", next: "struct{a int64}"},
		{old: "struct{a array<int64>}", next: "struct{a array<float64>}"},
		{old: "struct{a array<int64>}", next: "struct{a array<string>}"},
		{old: "struct{a enum(A)}", next: "struct{a enum(A, B)}"},
		{old: "struct{a enum(A, B)}", next: "struct{a enum(A)}"},
		{old: "struct{a map<string, int64>}", next: "struct{a map<string, string>}"},
		{old: "struct{a struct{b int64}}", next: "struct{a struct{b int64, c date?}}"},
	}
	c := connect(t, r.url, nil)
	for _, p := range pairs {
		var texts [2]string
		var parsed [2]*schema.Schema
		for i, text := range []string{p.old, p.next} {
			s, err := schema.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			b, err := jsonschema.Append(nil, jsonschema.Style{Formats: true, Closed: true}.Of(s))
			if err != nil {
				t.Fatal(err)
			}
			texts[i], parsed[i] = string(b), s
		}
		ours := jsonschema.Compatible(parsed[1], parsed[0])
		theirs, reasons := verdict(t, c, JSON, texts[0], texts[1])
		if want := len(ours) == 0 && !p.stricter; theirs != want {
			t.Errorf("%s, then %s: the registry says %v %v, flow says %v", p.old, p.next, theirs, reasons, ours)
		}
	}
}

// level sets that of a subject.
func level(t *testing.T, r anyRegistry, subject, level string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, r.url+"/config/"+url.PathEscape(subject), strings.NewReader(`{"compatibility":"`+level+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/vnd.schemaregistry.v1+json")
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("setting the level: %s", resp.Status)
	}
}
