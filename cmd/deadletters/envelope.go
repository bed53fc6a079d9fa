package deadletters

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// envelope is what format = "envelope" writes for a record.
type envelope struct {
	Topic       string          `json:"topic"`
	Partition   int32           `json:"partition"`
	Offset      *int64          `json:"offset"`
	Timestamp   *time.Time      `json:"timestamp"`
	Key         json.RawMessage `json:"key"`
	KeyBase64   *string         `json:"key_base64"`
	Value       json.RawMessage `json:"value"`
	ValueBase64 *string         `json:"value_base64"`
	Headers     []struct {
		Key         string  `json:"key"`
		Value       *string `json:"value"`
		ValueBase64 *string `json:"value_base64"`
	} `json:"headers"`
	Error *struct {
		Reason  string `json:"reason"`
		Element string `json:"element"`
		Origin  string `json:"origin"`
	} `json:"error"`
}

var errNoEnvelope = errors.New("the line is no envelope of a failed record: an errors output writes them with format = \"envelope\"")

// parseEnvelope reads a line. An error says that it is no failed record.
func parseEnvelope(line []byte) (*Letter, error) {
	var e envelope
	if err := json.Unmarshal(line, &e); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return nil, fmt.Errorf("the line is no JSON: %w", err)
		}
		return nil, errNoEnvelope
	}
	l := &Letter{}
	var headers []record.Header
	for _, h := range e.Headers {
		value, err := part(h.Value, h.ValueBase64)
		if err != nil {
			return nil, fmt.Errorf("header %s: %w", h.Key, err)
		}
		headers = append(headers, record.Header{Key: h.Key, Value: value})
	}
	if e.Error != nil {
		l.Reason, l.Element, l.Origin = e.Error.Reason, e.Error.Element, e.Error.Origin
	}
	l.Record.Topic, l.Record.Partition = e.Topic, e.Partition
	if e.Offset != nil {
		l.Record.Offset = *e.Offset
	}
	if e.Timestamp != nil {
		l.Record.Timestamp, l.Record.HasTimestamp = *e.Timestamp, true
	}
	l.read(headers)
	if l.Reason == "" && l.Element == "" {
		return nil, errNoEnvelope
	}
	var err error
	if l.Record.Value, l.Record.ValueAs, err = body(e.Value, e.ValueBase64, l.valueAs); err != nil {
		return nil, fmt.Errorf("value: %w", err)
	}
	if l.Record.Key, l.Record.KeyAs, err = body(e.Key, e.KeyBase64, l.keyAs); err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	return l, nil
}

func part(text, coded *string) ([]byte, error) {
	switch {
	case text != nil:
		return []byte(*text), nil
	case coded != nil:
		return base64.StdEncoding.DecodeString(*coded)
	}
	return nil, nil
}

// body turns a value or key back into its bytes. said is what the headers call
// them, empty if they do not. An envelope writes bytes that are JSON as JSON and
// others as a string.
func body(raw json.RawMessage, coded *string, said string) ([]byte, record.Encoding, error) {
	as := encodingNamed(said)
	if coded != nil {
		b, err := base64.StdEncoding.DecodeString(*coded)
		return b, as, err
	}
	raw = bytes.TrimSpace(raw)
	switch {
	case len(raw) == 0, string(raw) == "null" && said == "":
		return nil, as, nil
	case raw[0] != '"' && said == "":
		return bytes.Clone(raw), record.JSON, nil
	case raw[0] != '"', said == record.JSON.Name(), said == engine.EncodingJSONBytes:
		return bytes.Clone(raw), as, nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, nil, err
	}
	if said == "" {
		as = record.Text
	}
	return []byte(s), as, nil
}
