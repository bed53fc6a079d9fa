package enginetest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// Emitted is one record that a processor let go.
type Emitted struct {
	// Port is "" for the main one.
	Port string
	Record
}

// ProcessorExample is one record and what the processor makes of it.
type ProcessorExample struct {
	Name string
	In   Record
	// Encoding of In's value and key; nil: JSON.
	Encoding record.Encoding
	// Want is what goes on, in order; nothing for a record that is dropped.
	// Port, Key, Value, Headers and timestamp are compared, Topic if given.
	Want []Emitted
	// Err: the record is refused.
	Err bool
}

// ProcessorCase says what RunProcessor needs to know of a processor.
type ProcessorCase struct {
	New      func(t *testing.T) engine.Processor
	Examples []ProcessorExample
}

// RunProcessor checks the contract of engine.Processor and its working copies:
// that examples come out as wanted, that a record which is refused stays as it
// was, that no input makes it panic, and that working copies share nothing.
func RunProcessor(t *testing.T, c ProcessorCase) {
	t.Run("examples", func(t *testing.T) {
		for _, e := range c.Examples {
			t.Run(e.Name, func(t *testing.T) { c.example(t, bind(t, c.New(t)), e) })
		}
	})
	t.Run("one working copy for all examples", func(t *testing.T) {
		w := bind(t, c.New(t))
		defer w.close()
		if w.bound.State != nil {
			t.Skip("it remembers the examples")
		}
		for round := range 3 {
			for _, e := range c.Examples {
				if !c.example(t, w, e) {
					t.Fatalf("example %q failed in round %d", e.Name, round)
				}
			}
		}
	})
	t.Run("two working copies", c.independent)
	t.Run("any record", c.hostile)
	t.Run("ports", c.ports)
	t.Run("state", c.state)
}

// copyOf is a working copy of a processor with its record, as a worker has it.
type copyOf struct {
	t     *testing.T
	p     engine.Processor
	bound engine.Bound
	r     *record.Record
}

func bind(t *testing.T, p engine.Processor) *copyOf {
	t.Helper()
	l := record.NewLayout()
	b, err := p.Bind(l)
	if err != nil {
		t.Fatalf("Bind: %v", err)
	}
	set := 0
	for _, is := range []bool{b.Step != nil, b.Route != nil, b.Expand != nil, b.Window != nil, b.Gate != nil} {
		if is {
			set++
		}
	}
	if set != 1 {
		t.Fatalf("Bound has %d of Step, Route, Expand, Window and Gate, want 1", set)
	}
	if serial, ok := p.(engine.Serial); (!ok || !serial.Serial()) && (b.Window != nil || b.Gate != nil || b.Source != nil || b.State != nil) {
		t.Fatal("only a Serial may set Window, Gate, Source and State")
	}
	if b.Window != nil && b.Period <= 0 {
		t.Fatal("a window needs a Period")
	}
	return &copyOf{t, p, b, record.NewRecord(l)}
}

func (w *copyOf) close() {
	if w.bound.Close != nil {
		w.bound.Close()
	}
}

// load makes a batch of one record and points the working copy at it.
func (w *copyOf) load(in Record, enc record.Encoding) *engine.Batch {
	if enc == nil {
		enc = record.JSON
	}
	b := engine.NewBatch()
	Fill(b, in)
	b.Value.Encoding, b.Key.Encoding = enc, enc
	s := engine.NewSource(engine.SourceInfo{ID: "suite/0", Topic: in.Topic, OffsetSeparator: "/"}, nil, nil)
	s.Begin(b, engine.Position{Offset: in.Offset + 1}, in.Offset, nil)
	if w.bound.Source != nil {
		w.bound.Source(s)
	}
	b.Load(0, w.r)
	return b
}

var errEncode = errors.New("the result cannot be written")

// snapshot copies the current state of a record.
func snapshot(r *record.Record) (Record, error) {
	var out Record
	var err error
	if !r.Value.IsNull() {
		if out.Value, err = r.Value.AppendTo([]byte{}); err != nil {
			return out, fmt.Errorf("%w: value: %w", errEncode, err)
		}
	}
	if !r.Key.IsNull() {
		if out.Key, err = r.Key.AppendTo([]byte{}); err != nil {
			return out, fmt.Errorf("%w: key: %w", errEncode, err)
		}
	}
	for _, h := range r.Headers() {
		out.Headers = append(out.Headers, record.Header{Key: h.Key, Value: append([]byte{}, h.Value...)})
	}
	out.Timestamp, out.HasTimestamp, out.Topic, out.Offset = r.Timestamp, r.HasTimestamp, r.Topic, r.Offset
	return out, nil
}

// alone puts the loaded record into a window of its own.
func (w *copyOf) alone() ([]Emitted, error) {
	x := w.bound.Window()
	if _, err := x.Add(w.r); err != nil {
		return nil, err
	}
	r := record.NewRecord(record.NewLayout())
	r.Topic, r.Offset = w.r.Topic, w.r.Offset
	if err := x.Result(r); err != nil {
		return nil, err
	}
	out, err := snapshot(r)
	return []Emitted{{Record: out}}, err
}

// run processes the loaded record.
func (w *copyOf) run() ([]Emitted, error) {
	w.t.Helper()
	names := append([]string{""}, w.p.Ports()...)
	switch {
	case w.bound.Window != nil:
		return w.alone()
	case w.bound.Gate != nil:
		n, err := w.bound.Gate(w.t.Context(), 1, func(int) int { return len(w.r.Value.Raw()) })
		if err != nil || n != 1 {
			return nil, fmt.Errorf("the gate let %d of 1 records pass: %w", n, err)
		}
		out, err := snapshot(w.r)
		return []Emitted{{Record: out}}, err
	case w.bound.Step != nil:
		keep, err := w.bound.Step(w.r)
		if err != nil || !keep {
			return nil, err
		}
		out, err := snapshot(w.r)
		return []Emitted{{Record: out}}, err
	case w.bound.Route != nil:
		ports, err := w.bound.Route(w.r, nil)
		if err != nil {
			return nil, err
		}
		var list []Emitted
		for _, p := range ports {
			if p < 0 || p >= len(names) {
				w.t.Fatalf("Route chose port %d of %d", p, len(names))
			}
			out, err := snapshot(w.r)
			if err != nil {
				return nil, err
			}
			list = append(list, Emitted{Port: names[p], Record: out})
		}
		return list, nil
	}
	var list []Emitted
	err := w.bound.Expand(w.r, func(part *record.Record) error {
		out, err := snapshot(part)
		list = append(list, Emitted{Record: out})
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// example runs one example and reports whether it went well.
func (c *ProcessorCase) example(t *testing.T, w *copyOf, e ProcessorExample) bool {
	t.Helper()
	b := w.load(e.In, e.Encoding)
	got, err := w.run()
	if e.Err {
		if err == nil {
			t.Errorf("%s: got %v, want an error", e.Name, got)
			return false
		}
		return w.unchanged(e.Name, b, err)
	}
	if err != nil {
		t.Errorf("%s: %v", e.Name, err)
		return false
	}
	for i := range min(len(got), len(e.Want)) {
		why := differ(got[i].Record, e.Want[i].Record)
		if got[i].Port != e.Want[i].Port {
			why = "the port differs: " + got[i].Port
		}
		if why != "" {
			t.Errorf("%s: result %d: %s\n got %v\nwant %v", e.Name, i, why, got[i].Record, e.Want[i].Record)
			return false
		}
	}
	if len(got) != len(e.Want) {
		t.Errorf("%s: got %d records, want %d", e.Name, len(got), len(e.Want))
		return false
	}
	return w.readOnly(e.Name, b)
}

// unchanged checks that a refused record is as it was.
func (w *copyOf) unchanged(name string, b *engine.Batch, cause error) bool {
	w.t.Helper()
	if errors.Is(cause, errEncode) {
		return true
	}
	got, err := snapshot(w.r)
	if err != nil {
		w.t.Errorf("%s: after the error %q the record cannot be written: %v", name, cause, err)
		return false
	}
	want := Records(b)[0]
	want.Source = "" // a record knows its topic and offset, not its source
	why := differ(got, want)
	switch {
	case got.Topic != want.Topic:
		why = "the topic differs: " + got.Topic
	case got.HasTimestamp != want.HasTimestamp || got.Timestamp != want.Timestamp:
		why = "the timestamp differs"
	}
	if why != "" {
		w.t.Errorf("%s: the error %q left the record changed: %s\n got %v\nwant %v", name, cause, why, got, want)
		return false
	}
	return true
}

// readOnly checks that a processor that calls itself so edits nothing.
func (w *copyOf) readOnly(name string, b *engine.Batch) bool {
	w.t.Helper()
	if ro, ok := w.p.(engine.ReadOnly); !ok || !ro.ReadOnly() || w.bound.Expand != nil {
		return true
	}
	if w.r.Value.Edited() || w.r.Key.Edited() || w.r.Topic != b.Topic(0) {
		w.t.Errorf("%s: a processor that says it is ReadOnly has edited the record", name)
		return false
	}
	return w.unchanged(name, b, nil)
}

// independent interleaves two working copies of one processor.
func (c *ProcessorCase) independent(t *testing.T) {
	p := c.New(t)
	one, two := bind(t, p), bind(t, p)
	for i, e := range c.Examples {
		f := c.Examples[(i+1)%len(c.Examples)]
		// Load both before running either.
		a, b := one.load(e.In, e.Encoding), two.load(f.In, f.Encoding)
		_, _ = a, b
		gotOne, errOne := one.run()
		gotTwo, errTwo := two.run()
		same(t, e, gotOne, errOne)
		same(t, f, gotTwo, errTwo)
	}
	one.close()
	for _, e := range c.Examples {
		two.load(e.In, e.Encoding)
		got, err := two.run()
		same(t, e, got, err)
	}
	two.close()
}

func same(t *testing.T, e ProcessorExample, got []Emitted, err error) {
	t.Helper()
	if (err != nil) != e.Err || err == nil && len(got) != len(e.Want) {
		t.Errorf("%s: beside another working copy: %d records, error %v", e.Name, len(got), err)
		return
	}
	for i := range got {
		if why := differ(got[i].Record, e.Want[i].Record); why != "" {
			t.Errorf("%s: beside another working copy: %s", e.Name, why)
		}
	}
}

// state checks that what one working copy remembers is known to the next, and
// that a damaged entry is refused and never a panic.
func (c *ProcessorCase) state(t *testing.T) {
	first := bind(t, c.New(t))
	defer first.close()
	if first.bound.State == nil {
		t.Skip("it remembers nothing")
	}
	log := make([][]byte, 0, 2*len(c.Examples))
	for _, e := range c.Examples {
		first.load(e.In, e.Encoding)
		_, _ = first.run() // the examples check what comes of it
		if entry := first.bound.State.Changes(nil); len(entry) > 0 {
			log = append(log, entry)
		}
	}
	if entry := first.bound.State.Changes(nil); len(entry) > 0 {
		t.Error("Changes has changes when nothing has happened since")
	}
	want := first.bound.State.Snapshot(nil)
	second := bind(t, c.New(t))
	defer second.close()
	for _, entry := range log {
		if err := second.bound.State.Replay(entry); err != nil {
			t.Fatalf("Replay of what Changes gave: %v", err)
		}
	}
	if got := second.bound.State.Snapshot(nil); string(got) != string(want) {
		t.Errorf("after all changes a snapshot is %x, want %x", got, want)
	}
	for n := range want {
		third := bind(t, c.New(t))
		_ = third.bound.State.Replay(want[:n]) // no panic, whatever is cut off
		third.close()
	}
	if err := bind(t, c.New(t)).bound.State.Replay([]byte("no entry")); err == nil {
		t.Error("Replay takes anything")
	}
}

// Hostile lists values that every component must survive.
func Hostile() map[string][]byte {
	deep := make([]byte, 0, 20_000)
	for range 10_000 {
		deep = append(deep, '[')
	}
	return map[string][]byte{
		"null": nil, "empty": {}, "json null": []byte("null"), "true": []byte("true"), "number": []byte("12"),
		"string": []byte(`"s"`), "array": []byte(`[1,{"a":2},null]`), "empty object": []byte("{}"), "empty array": []byte("[]"),
		"cut object": []byte(`{"a":`), "two values": []byte("{} {}"), "space": []byte(" \n\t "), "NUL": []byte("\x00"),
		"invalid UTF-8": []byte("{\"a\":\"\xff\xfe\"}"), "lone surrogate": []byte(`{"a":"\ud800"}`),
		"huge number": []byte(`{"a":1e999,"b":123456789012345678901234567890}`), "bad number": []byte(`{"a":01}`),
		"duplicate names": []byte(`{"a":1,"a":{"b":2},"a":"x"}`), "deep": deep, "text": []byte("a,b;c\r\nd"),
		"nested": []byte(`{"a":{"b":{"c":[{"d":1}]}},"":0," ":1,"a.b":2}`),
	}
}

// hostile feeds everything to everything: no panic, and a refused record stays
// as it was.
func (c *ProcessorCase) hostile(t *testing.T) {
	w := bind(t, c.New(t))
	defer w.close()
	for _, enc := range []record.Encoding{record.JSON, record.Text, record.Opaque} {
		for vn, value := range Hostile() {
			for kn, key := range map[string][]byte{"none": nil, "cut": []byte(`{"a":`), "string": []byte(`"k"`)} {
				name := fmt.Sprintf("%s value %s, key %s", enc.Name(), vn, kn)
				b := w.load(Record{Key: key, Value: value, Headers: []record.Header{{Key: "h", Value: nil}}}, enc)
				if _, err := w.run(); err != nil {
					w.unchanged(name, b, err)
				} else {
					w.readOnly(name, b)
				}
			}
		}
	}
}

func (c *ProcessorCase) ports(t *testing.T) {
	seen := map[string]bool{"": true, engine.ErrorsPort: true}
	for _, p := range c.New(t).Ports() {
		if seen[p] {
			t.Errorf("port %q is there twice or has a reserved name", p)
		}
		seen[p] = true
	}
}
