package playground

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Bounds of what the prompt keeps of a sample: it is held in memory, so that
// :record finds each of its records at once.
const (
	sampleRecords = 10_000
	sampleBytes   = 64 << 20
)

// sample is the records of the prompt.
type sample struct {
	path    string // empty: one record that is null
	records []Record
	at      int
	more    bool // the file has more than was read
}

// loadSample reads the beginning of a file. Text that is no record is told to
// bad and left out.
func loadSample(path string, template Record, each bool, bad func(*BadRecord)) (*sample, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s is a folder", path)
	}
	s := &sample{path: path}
	in, size := NewSamples(f), 0
	in.Each = each
	for {
		value, err := in.Next()
		var wrong *BadRecord
		switch {
		case errors.Is(err, io.EOF):
			if len(s.records) == 0 {
				return nil, fmt.Errorf("%s holds no JSON record", path)
			}
			return s, nil
		case errors.As(err, &wrong):
			bad(wrong)
			continue
		case err != nil:
			return nil, err
		}
		if len(s.records) == sampleRecords || size+len(value) > sampleBytes {
			s.more = true
			return s, nil
		}
		size += len(value)
		s.records = append(s.records, template.At(in.Number(), bytes.Clone(value)))
	}
}

// current is the record that expressions see.
func (s *sample) current() *Record { return &s.records[s.at] }

// title says what the sample is.
func (s *sample) title() string {
	if s.path == "" {
		return "no records: value is nil; :load FILE reads some"
	}
	n := thousands(int64(len(s.records))) + " records"
	if len(s.records) == 1 {
		n = "1 record"
	}
	if s.more {
		n = "the first " + n
	}
	return n + " of " + s.path
}

// shapes reads what the fields are from the first records.
func (s *sample) shapes() (value, key *shape) {
	value, key = &shape{}, &shape{}
	vs, ks := &shaper{}, &shaper{}
	for i := range min(len(s.records), shapeRecords) {
		vs.add(value, s.records[i].value(), 0)
		ks.add(key, s.records[i].key(), 0)
	}
	return value, key
}

// filesLike lists what a path that is being typed may become: folders end
// with a slash, and of hidden ones only those that are asked for.
func filesLike(prefix string) []string {
	dir, base := filepath.Split(prefix)
	at := dir
	if at == "" {
		at = "."
	}
	entries, err := os.ReadDir(at)
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		name := e.Name()
		if !strings.HasPrefix(name, base) || strings.HasPrefix(name, ".") && !strings.HasPrefix(base, ".") {
			continue
		}
		if e.IsDir() {
			name += "/"
		}
		if out = append(out, dir+name); len(out) == 500 {
			break
		}
	}
	return out
}
