package avro

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/flowrecords/flow/engine/schema"
)

// javaPlace turns a pointer of Java into a path of the reader's schema. A number
// that is not that of a field is of a branch of the writer.
func javaPlace(t *testing.T, reader json.RawMessage, pointer string) string {
	t.Helper()
	var at any
	if err := json.Unmarshal(reader, &at); err != nil {
		t.Fatal(err)
	}
	named := map[string]any{}
	var note func(v any)
	note = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if name, ok := v["name"].(string); ok && v["type"] != nil {
				named[name] = v
			}
			for _, inner := range v {
				note(inner)
			}
		case []any:
			for _, inner := range v {
				note(inner)
			}
		}
	}
	note(at)
	var path []string
	steps := strings.Split(strings.Trim(pointer, "/"), "/")
	for i := 0; i < len(steps); i++ {
		if name, ok := at.(string); ok && named[name] != nil {
			at = named[name]
		}
		o, _ := at.(map[string]any)
		switch steps[i] {
		case "fields":
			i++
			n, err := strconv.Atoi(steps[i])
			if err != nil {
				t.Fatal(pointer)
			}
			f := o["fields"].([]any)[n].(map[string]any)
			path, at = append(path, f["name"].(string)), f["type"]
		case "items", "values":
			path, at = append(path, "[]"), o[steps[i]]
		}
	}
	return strings.ReplaceAll(strings.Join(path, "."), ".[", "[")
}

// sameParts names elements of maps as those of arrays, and leaves branches out.
var sameParts = strings.NewReplacer("[value]", "[]")

var branches = regexp.MustCompile(`\([^)]*\)`)

// within is whether a place is another, or in it.
func within(place, outer string) bool {
	rest, ok := strings.CutPrefix(place, outer)
	return ok && (rest == "" || outer == "" || rest[0] == '.' || rest[0] == '[')
}

// places fails unless the places that flow names are those that Java names, or
// lie within them: where no branch of a union fits, flow says what is wrong in
// the one that is meant.
func places(t *testing.T, c *oracleCase, who string, ours []string) {
	t.Helper()
	var theirs []string
	for _, r := range c.answer.Reasons {
		theirs = append(theirs, javaPlace(t, c.Reader, r.Path))
	}
	for _, p := range ours {
		if !slices.ContainsFunc(theirs, func(j string) bool { return within(p, j) }) {
			t.Errorf("%s: %s names %q, Java %q", c.Name, who, p, theirs)
		}
	}
	for _, j := range theirs {
		if !slices.ContainsFunc(ours, func(p string) bool { return within(p, j) }) {
			t.Errorf("%s: Java names %q, %s %q", c.Name, j, who, ours)
		}
	}
}

// beyondJava are verdicts of the model that differ from Java's, with the reason.
var beyondJava = map[string]string{
	"decimal-precision-changed/turned": "digits would be lost; Avro does not look at logical types",
	"decimal-scale-changed":            "the point would move",
	"decimal-scale-changed/turned":     "the point would move",
	"logical-changed/turned":           "microseconds would be lost",
	"logical-ignored":                  "an instant is no number",
	"logical-ignored/turned":           "a number is no instant",
	"type/boolean-to-null":             "what is always null is of no known type in the model, which takes all",
	"type/bytes-to-null":               "the same",
	"type/double-to-null":              "the same",
	"type/float-to-null":               "the same",
	"type/int-to-null":                 "the same",
	"type/long-to-null":                "the same",
	"type/string-to-null":              "the same",
}

// TestOracleEvolution: over what people do to schemas, package schema and this
// one say of the same pairs as Java that they go together, and where they do
// not, name the same places.
func TestOracleEvolution(t *testing.T) {
	t.Parallel()
	verdicts, used := map[bool]int{}, map[string]bool{}
	for _, c := range slices.Concat(oracle(t, "evolution.jsonl"), oracle(t, "compatibility.jsonl")) {
		if c.Op != "compatible" {
			continue
		}
		verdicts[c.answer.Compatible]++
		writer, reader := parse(t, string(c.Writer)), parse(t, string(c.Reader))
		found := Compatible(writer, reader)
		if (len(found) == 0) != c.answer.Compatible {
			t.Errorf("%s: %v, Java %v %v", c.Name, found, c.answer.Compatible, c.answer.Reasons)
			continue
		}
		var ours []string
		for _, f := range found {
			ours = append(ours, f.Path)
		}
		places(t, &c, "avro", ours)
		if model := schema.Compatible(typed(t, reader), typed(t, writer)); (len(model) == 0) != c.answer.Compatible {
			name := strings.TrimPrefix(c.Name, "avro/compatibility/")
			if used[name] = true; beyondJava[name] == "" {
				t.Errorf("%s: the model says %v, Java %v %v", c.Name, model, c.answer.Compatible, c.answer.Reasons)
			}
		} else {
			ours = nil
			for _, e := range model {
				ours = append(ours, branches.ReplaceAllString(sameParts.Replace(e.Path), ""))
			}
			places(t, &c, "the model", ours)
		}
	}
	if verdicts[true] < 150 || verdicts[false] < 150 {
		t.Errorf("the pairs are one-sided: %v", verdicts)
	}
	for name := range beyondJava {
		if !used[name] {
			t.Errorf("%s agrees, and is listed", name)
		}
	}
}

func typed(t *testing.T, s *Schema) *schema.Schema {
	t.Helper()
	out, err := ToSchema(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestOracleLevels: at each level, the same schema may follow the same history
// as in Java.
func TestOracleLevels(t *testing.T) {
	t.Parallel()
	verdicts := map[string]map[bool]int{}
	apart := 0
	for _, c := range oracle(t, "evolution.jsonl") {
		if c.Op != "levels" {
			continue
		}
		next := typed(t, parse(t, string(c.Schema)))
		var history []*schema.Schema
		for _, text := range c.History {
			history = append(history, typed(t, parse(t, string(text))))
		}
		if len(c.answer.Levels) != 6 {
			t.Fatalf("%s: %d levels", c.Name, len(c.answer.Levels))
		}
		for name, want := range c.answer.Levels {
			l, err := schema.ParseLevel(name)
			if err != nil {
				t.Fatal(err)
			}
			found := l.Check(next, history)
			if (len(found) == 0) != want {
				t.Errorf("%s: at %s %v, Java %v", c.Name, l, found, want)
			}
			for _, v := range found {
				if v.Against < 0 || v.Against >= len(history) || v.Error() == "" || !l.Transitive() && v.Against != len(history)-1 {
					t.Errorf("%s: at %s %+v", c.Name, l, v)
				}
			}
			if verdicts[name] == nil {
				verdicts[name] = map[bool]int{}
			}
			verdicts[name][want]++
			if !l.Transitive() && want != c.answer.Levels[name+"_transitive"] {
				apart++
			}
		}
	}
	for name, n := range verdicts {
		if n[true] < 5 || n[false] < 5 {
			t.Errorf("%s is one-sided: %v", name, n)
		}
	}
	if len(verdicts) != 6 || apart < 10 {
		t.Errorf("%d levels, and %d verdicts change with all of the history", len(verdicts), apart)
	}
}
