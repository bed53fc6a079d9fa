package checkpoint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"

	"github.com/flowrecords/flow/engine"
)

const version = 1

// header is the first line of a file.
type header struct {
	Version  int    `json:"flow_positions"`
	Pipeline string `json:"pipeline"`
}

const sumDigits = 8

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func sum(p []byte) string {
	return fmt.Sprintf("%08x", crc32.Checksum(p, castagnoli))
}

// line appends v as a line of the format.
func line(dst []byte, v any) ([]byte, error) {
	p, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	dst = append(dst, sum(p)...)
	dst = append(dst, ' ')
	dst = append(dst, p...)
	return append(dst, '\n'), nil
}

var (
	errTorn = errors.New("it ends within a line: the last write was cut")
	errSum  = errors.New("a line does not have its checksum: the file is corrupt")
)

// next takes the first line off data.
func next(data []byte) (payload, rest []byte, err error) {
	text, rest, found := bytes.Cut(data, []byte{'\n'})
	if !found {
		return nil, nil, errTorn
	}
	if len(text) <= sumDigits || text[sumDigits] != ' ' || string(text[:sumDigits]) != sum(text[sumDigits+1:]) {
		return nil, nil, errSum
	}
	return text[sumDigits+1:], rest, nil
}

// parse reads a file. whole reports whether at least its first two lines are
// good, so that the result is a state that was once complete; err says what is
// wrong with the file, whole or not.
func parse(data []byte, pipeline string) (m map[string]engine.Position, whole bool, err error) {
	payload, data, err := next(data)
	if err != nil {
		return nil, false, err
	}
	var h header
	if err := json.Unmarshal(payload, &h); err != nil {
		return nil, false, fmt.Errorf("reading its first line: %w", err)
	}
	if h.Version != version || h.Pipeline != pipeline {
		return nil, false, fmt.Errorf("it is of version %d and pipeline %q, not of version %d and pipeline %q", h.Version, h.Pipeline, version, pipeline)
	}
	if payload, data, err = next(data); err != nil {
		return nil, false, err
	}
	m = make(map[string]engine.Position)
	for {
		var changed map[string]engine.Position
		if err := json.Unmarshal(payload, &changed); err != nil {
			return m, whole, fmt.Errorf("reading positions: %w", err)
		}
		maps.Copy(m, changed)
		whole = true
		if len(data) == 0 {
			return m, true, nil
		}
		if payload, data, err = next(data); err != nil {
			return m, true, err
		}
	}
}

// firstBytes is the length of the first two lines of a good file.
func firstBytes(data []byte) int64 {
	n := 0
	for range 2 {
		i := bytes.IndexByte(data[n:], '\n')
		n += i + 1
	}
	return int64(n)
}
