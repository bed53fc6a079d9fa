package oracle

import (
	"encoding/hex"
	"encoding/json"
	"path/filepath"
)

// AvroOp is what a case asks of Avro.
type AvroOp string

// The operations of Avro's cases.
const (
	// AvroSchema parses a schema and gives its canonical form and fingerprints.
	AvroSchema AvroOp = "schema"
	// AvroValue writes a value, and besides does what AvroSchema does.
	AvroValue AvroOp = "value"
	// AvroDecode reads bytes.
	AvroDecode AvroOp = "decode"
	// AvroResolve writes a value with one schema and reads it with another.
	AvroResolve AvroOp = "resolve"
	// AvroCompatible tells whether a reader's schema reads what a writer's wrote.
	AvroCompatible AvroOp = "compatible"
	// AvroLevels tells at which levels a schema may follow a history.
	AvroLevels AvroOp = "levels"
)

// AvroCase is a question to Avro. Which fields are set follows from Op.
type AvroCase struct {
	Hex Hex `json:"hex,omitempty"`
	// History are the versions before Schema, the oldest first.
	History []json.RawMessage `json:"history,omitempty"`
	Name    string            `json:"name"`
	Op      AvroOp            `json:"op"`
	Reader  json.RawMessage   `json:"reader,omitempty"`
	Schema  json.RawMessage   `json:"schema,omitempty"`
	Value   *Value            `json:"value,omitempty"`
	Writer  json.RawMessage   `json:"writer,omitempty"`
}

// AvroResult is the answer of Avro. Error's stage is parse, encode, decode or
// resolve.
type AvroResult struct {
	Name  string   `json:"name"`
	Error *Failure `json:"error"`
	// Hex are the bytes that were written.
	Hex Hex `json:"hex"`
	// SingleObject is the same with Avro's marker and fingerprint before it.
	SingleObject Hex `json:"single_object"`
	// Raw is what was read, as it is encoded: a date is an int32.
	Raw Value `json:"raw"`
	// Logical is what was read, as its logical types have it.
	Logical Value `json:"logical"`
	// Canonical is the parsing canonical form, and the rest its fingerprints.
	// CRC64 is CRC-64-AVRO, little-endian, as a single object has it.
	Canonical string `json:"canonical"`
	CRC64     Hex    `json:"crc64"`
	MD5       Hex    `json:"md5"`
	SHA256    Hex    `json:"sha256"`
	// Compatible and the reasons against it.
	Compatible bool         `json:"compatible"`
	Reasons    []AvroReason `json:"reasons"`
	// Levels tells for each level, backward_transitive, whether it allows it.
	Levels map[string]bool `json:"levels"`
}

// AvroReason is why a reader's schema does not read what a writer's wrote. Path
// is a JSON pointer into the reader's schema.
type AvroReason struct {
	Type    string `json:"type"`
	Path    string `json:"path"`
	Message string `json:"message"`
}

// AvroAnswered is a case with its result.
type AvroAnswered struct {
	AvroCase
	Result AvroResult
}

// Hex is bytes.
type Hex []byte

// MarshalText writes hexadecimal digits.
func (h Hex) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h), nil }

// UnmarshalText reads hexadecimal digits.
func (h *Hex) UnmarshalText(text []byte) error {
	b, err := hex.AppendDecode([]byte{}, text)
	*h = b
	return err
}

// LoadAvro reads Avro's cases with their results, by file name without its
// ending. dir is the path of testdata/oracle.
func LoadAvro(dir string) (map[string][]AvroAnswered, error) {
	return load(filepath.Join(dir, "avro"), func(c AvroCase, r AvroResult) (AvroAnswered, string, string) {
		return AvroAnswered{c, r}, c.Name, r.Name
	})
}

// AvroFileRecords reads what each object container file of testdata/oracle
// holds but empty.avro, with values as they are encoded.
func AvroFileRecords(dir string) ([]Value, error) {
	return readLines[Value](filepath.Join(dir, "avro", "files", "order.jsonl"))
}
