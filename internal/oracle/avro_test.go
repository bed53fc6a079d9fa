package oracle

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func avroCases(t *testing.T) map[string][]AvroAnswered {
	t.Helper()
	all, err := LoadAvro(root)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAvroIsCovered(t *testing.T) {
	t.Parallel()
	all := avroCases(t)
	schemas, ops := map[string]bool{}, map[AvroOp]map[bool]int{}
	for _, list := range all {
		for _, c := range list {
			if c.Op == AvroValue {
				schemas[string(c.Schema)] = true
			}
			if ops[c.Op] == nil {
				ops[c.Op] = map[bool]int{}
			}
			ops[c.Op][c.Result.Error == nil && (c.Op != AvroCompatible || c.Result.Compatible)]++
		}
	}
	if len(schemas) < 60 {
		t.Errorf("values of %d schemas", len(schemas))
	}
	for op, least := range map[AvroOp][2]int{AvroSchema: {10, 15}, AvroValue: {100, 4}, AvroDecode: {8, 15}, AvroResolve: {30, 30}, AvroCompatible: {150, 150}, AvroLevels: {50, 0}} {
		if ops[op][true] < least[0] || ops[op][false] < least[1] {
			t.Errorf("%s: %d that hold, %d that do not, want %v", op, ops[op][true], ops[op][false], least)
		}
	}
	var text strings.Builder
	for s := range schemas {
		text.WriteString(s)
	}
	for _, name := range []string{
		`"null"`, `"boolean"`, `"int"`, `"long"`, `"float"`, `"double"`, `"bytes"`, `"string"`, `"record"`, `"enum"`, `"array"`, `"map"`, `"fixed"`, "[",
		"decimal", "big-decimal", "uuid", "date", "time-millis", "time-micros", "timestamp-millis", "timestamp-micros", "timestamp-nanos", "local-timestamp-millis", "local-timestamp-micros", "local-timestamp-nanos", "duration",
	} {
		if !strings.Contains(text.String(), name) {
			t.Errorf("no value of %s", name)
		}
	}
}

func TestAvroNotationIsLossless(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(root, "avro", "cases", "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	for _, f := range files {
		cases, err := readLines[AvroCase](f)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Lines(cases)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s changes when it is read and written", f)
		}
	}
	for _, list := range avroCases(t) {
		for _, c := range list {
			for _, v := range []Value{c.Result.Raw, c.Result.Logical} {
				same(t, c.Name, Data{Value: v}, Diff)
			}
		}
	}
}

// The fingerprints are of the canonical form, by the definitions of Avro's
// specification, and a single object is the marker, the fingerprint and the
// bytes.
func TestAvroFingerprints(t *testing.T) {
	t.Parallel()
	n := 0
	for _, list := range avroCases(t) {
		for _, c := range list {
			r := c.Result
			if r.Canonical == "" {
				continue
			}
			n++
			s, m := sha256.Sum256([]byte(r.Canonical)), md5.Sum([]byte(r.Canonical))
			if !bytes.Equal(s[:], r.SHA256) || !bytes.Equal(m[:], r.MD5) || !bytes.Equal(rabin(r.Canonical), r.CRC64) {
				t.Errorf("%s: a fingerprint is not that of %s", c.Name, r.Canonical)
			}
			if c.Op == AvroValue && r.Error == nil && !bytes.Equal(append(append([]byte{0xc3, 1}, r.CRC64...), r.Hex...), r.SingleObject) {
				t.Errorf("%s: %x", c.Name, r.SingleObject)
			}
		}
	}
	if n < 100 {
		t.Errorf("only %d", n)
	}
}

func rabin(text string) []byte {
	const empty = 0xc15d213aa4d7a795
	fp := uint64(empty)
	for _, b := range []byte(text) {
		x := (fp ^ uint64(b)) & 0xff
		for range 8 {
			x = x>>1 ^ empty&-(x&1)
		}
		fp = fp>>8 ^ x
	}
	return binary.LittleEndian.AppendUint64(nil, fp)
}

func TestAvroFiles(t *testing.T) {
	t.Parallel()
	records, err := AvroFileRecords(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(records) != 300 {
		t.Errorf("%d records", len(records))
	}
	id, ok := records[299].Field("id")
	if !ok || id.Int != 9007199254740993+299 {
		t.Errorf("the last id is %+v", id)
	}
	dir := filepath.Join(root, "avro", "files")
	schema, err := os.ReadFile(filepath.Join(dir, "order.avsc"))
	if err != nil || !json.Valid(schema) {
		t.Error("order.avsc", err)
	}
	for name, codec := range map[string]string{"null": "null", "deflate": "deflate", "snappy": "snappy", "zstandard": "zstandard", "bzip2": "bzip2", "empty": "deflate"} {
		b, err := os.ReadFile(filepath.Join(dir, name+".avro"))
		if err != nil {
			t.Error(err)
			continue
		}
		head := append([]byte("avro.codec"), byte(2*len(codec)))
		if !bytes.HasPrefix(b, []byte("Obj\x01")) || !bytes.Contains(b, append(head, codec...)) || !bytes.HasSuffix(b, []byte("flow sync marker")) {
			t.Errorf("%s.avro is no object container file of codec %s", name, codec)
		}
		if blocks := bytes.Count(b, []byte("flow sync marker")) - 1; name == "empty" && blocks != 0 || name != "empty" && blocks < 2 {
			t.Errorf("%s.avro has %d blocks", name, blocks)
		}
	}
}
