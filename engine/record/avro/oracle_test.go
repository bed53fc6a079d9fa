package avro

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// oracleCase is a question to Avro's own library for Java, with its answer.
type oracleCase struct {
	Name, Op               string
	Schema, Writer, Reader json.RawMessage
	History                []json.RawMessage
	Value                  json.RawMessage
	Hex                    string

	answer struct {
		Canonical, CRC64, Hex string
		Error                 *struct{ Stage string }
		Raw, Logical          json.RawMessage
		Compatible            bool
		Reasons               []struct{ Type, Path, Message string }
		Levels                map[string]bool
	}
}

func oracle(t *testing.T, file string) []oracleCase {
	t.Helper()
	root := filepath.Join("..", "..", "..", "testdata", "oracle", "avro")
	questions, answers := lines(t, filepath.Join(root, "cases", file)), lines(t, filepath.Join(root, "golden", file))
	if len(questions) != len(answers) || len(questions) == 0 {
		t.Fatalf("%d questions and %d answers", len(questions), len(answers))
	}
	cases := make([]oracleCase, len(questions))
	for i := range questions {
		if err := json.Unmarshal(questions[i], &cases[i]); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(answers[i], &cases[i].answer); err != nil {
			t.Fatal(err)
		}
	}
	return cases
}

func lines(t *testing.T, path string) [][]byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all [][]byte
	s := bufio.NewScanner(f)
	s.Buffer(nil, 4<<20)
	for s.Scan() {
		all = append(all, bytes.Clone(s.Bytes()))
	}
	if s.Err() != nil {
		t.Fatal(s.Err())
	}
	return all
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// plain turns a value of the oracle, a class with a text, into JSON as a
// Writer takes it.
func plain(t *testing.T, tagged any) any {
	t.Helper()
	o, ok := tagged.(map[string]any)
	if !ok {
		return tagged
	}
	for class, v := range o {
		switch class {
		case "int8", "int16", "int32", "int64", "float32", "float64":
			text := v.(string)
			if text == "NaN" || strings.HasSuffix(text, "Infinity") {
				return text
			}
			return json.Number(text)
		case "decimal":
			d := v.(map[string]any)
			digits, neg := strings.CutPrefix(d["unscaled"].(string), "-")
			scale := int(d["scale"].(float64))
			if len(digits) <= scale {
				digits = strings.Repeat("0", scale-len(digits)+1) + digits
			}
			if scale > 0 {
				digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
			}
			if neg {
				digits = "-" + digits
			}
			return json.Number(digits)
		case "array":
			list := []any{}
			for _, e := range v.([]any) {
				list = append(list, plain(t, e))
			}
			return list
		case "map":
			m := map[string]any{}
			for _, e := range v.([]any) {
				pair := e.([]any)
				m[plain(t, pair[0]).(string)] = plain(t, pair[1])
			}
			return m
		case "struct":
			m := map[string]any{}
			for name, e := range v.(map[string]any) {
				m[name] = plain(t, e)
			}
			return m
		default:
			return v
		}
	}
	return nil
}

func plainText(t *testing.T, tagged json.RawMessage) []byte {
	t.Helper()
	if tagged == nil {
		return []byte("null")
	}
	var v any
	if err := json.Unmarshal(tagged, &v); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(plain(t, v))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestOracleValues(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, c := range oracle(t, "values.jsonl") {
		if c.answer.Error != nil {
			continue
		}
		s := parse(t, string(c.Schema))
		if got := s.Canonical(); got != c.answer.Canonical {
			t.Errorf("%s: canonical form %s, want %s", c.Name, got, c.answer.Canonical)
		}
		if got := hex.EncodeToString(binary.LittleEndian.AppendUint64(nil, s.Fingerprint())); got != c.answer.CRC64 {
			t.Errorf("%s: fingerprint %s, want %s", c.Name, got, c.answer.CRC64)
		}
		checked++
		data := unhex(t, c.answer.Hex)
		e, err := NewEncoding(s)
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		text, err := e.AppendJSON(nil, data)
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		if back := write(t, e, string(text)); !bytes.Equal(back, data) && !strings.Contains(string(c.answer.Raw), `"map"`) {
			t.Errorf("%s: %s is written as %x, want %x", c.Name, text, back, data)
		}
		w, err := NewWriter(s, nil, WriterOptions{})
		if err != nil {
			t.Fatal(err)
		}
		value := c.answer.Logical
		if value == nil {
			value = c.Value
		}
		if strings.Contains(c.Name, "/union-") || strings.Contains(c.Name, "/map-") || strings.Contains(c.Name, "/big-decimal") || strings.HasSuffix(c.Name, "/duration") {
			continue // plain JSON does not tell the branch, Go sorts keys, and Avro's duration is bytes in Java
		}
		got, err := w.Append(nil, bytes.Replace(plainText(t, value), []byte(`"00:00"`), []byte(`"00:00:00"`), 1))
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: %s is written as %x, %v; Java writes %x (%s)", c.Name, plainText(t, value), got, err, data, text)
		}
	}
	if checked < 100 {
		t.Errorf("only %d values", checked)
	}
}

func TestOracleSchemas(t *testing.T) {
	t.Parallel()
	// What Java refuses and is taken here, since data can be read all the
	// same: names that are none, defaults that do not fit.
	lenient := map[string]bool{"avro/schemas/bad-symbol": true, "avro/schemas/nested-type-object": true}
	for _, c := range oracle(t, "schemas.jsonl") {
		s, err := Parse(c.Schema)
		if c.answer.Error != nil {
			if err == nil && !strings.Contains(c.Name, "default") && !strings.Contains(c.Name, "name") && !lenient[c.Name] {
				t.Errorf("%s: %s is taken", c.Name, c.Schema)
			}
			continue
		}
		if c.Name == "avro/schemas/union-empty" {
			continue // no value is of it
		}
		if err != nil {
			t.Errorf("%s: %s: %v", c.Name, c.Schema, err)
			continue
		}
		if got := s.Canonical(); got != c.answer.Canonical {
			t.Errorf("%s: canonical form %s, want %s", c.Name, got, c.answer.Canonical)
		}
	}
}

// TestOracleDecode: what Java refuses is refused; what it takes is taken but
// for the list.
func TestOracleDecode(t *testing.T) {
	t.Parallel()
	// Java reads these as something: numbers cut to their bits, any byte but 1 as
	// false, replaced characters.
	stricter := map[string]bool{
		"avro/decode/int-beyond": true, "avro/decode/long-ten-bytes-beyond": true, "avro/decode/boolean-two": true,
		"avro/decode/string-bad-utf8": true, "avro/decode/array-sized-block-wrong-size": true,
	}
	for _, c := range oracle(t, "decode.jsonl") {
		s := parse(t, string(c.Schema))
		e, err := NewEncoding(s)
		if err != nil {
			t.Fatal(err)
		}
		_, err = e.AppendJSON(nil, unhex(t, c.Hex))
		if (err == nil) != (c.answer.Error == nil) && !stricter[c.Name] {
			t.Errorf("%s: %s of %s: %v, Java %v", c.Name, c.Hex, c.Schema, err, c.answer.Error)
		}
	}
}

// differentResolution are the cases in which flow does not read what Java reads.
var differentResolution = map[string]string{
	"avro/resolution/decimal-scale-changed":         "Java moves the point: 1.234 becomes 12.34",
	"avro/resolution/logical-changed":               "Java takes milliseconds for microseconds",
	"avro/resolution/to-union-best-branch":          "the branch of the same type wins over an earlier one to promote to",
	"avro/resolution/type/bytes-to-string-bad-utf8": "Java replaces what is no UTF-8",
}

func TestOracleResolution(t *testing.T) {
	t.Parallel()
	for _, c := range oracle(t, "resolution.jsonl") {
		if c.answer.Hex == "" || differentResolution[c.Name] != "" {
			continue
		}
		w, r := parse(t, string(c.Writer)), parse(t, string(c.Reader))
		v, err := NewResolver(w, r)
		var out []byte
		if err == nil {
			out, err = v.Append(nil, unhex(t, c.answer.Hex))
		}
		if (err == nil) != (c.answer.Error == nil) {
			t.Errorf("%s: %s to %s: %v, Java %v", c.Name, c.Writer, c.Reader, err, c.answer.Error)
			continue
		}
		if err != nil {
			continue
		}
		e, err := NewEncoding(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Check(out); err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		raw := c.answer.Raw
		bare := parse(t, r.Canonical()) // the oracle shows values without their logical types
		wr, err := NewWriter(bare, nil, WriterOptions{})
		if err != nil {
			t.Fatal(err)
		}
		want, err := wr.Append(nil, plainText(t, raw))
		if err != nil || !bytes.Equal(out, want) {
			text, _ := e.AppendJSON(nil, out)
			t.Errorf("%s: %s to %s: %x is %s, want %x of %s (%v)", c.Name, c.Writer, c.Reader, out, text, want, plainText(t, raw), err)
		}
	}
}
