package enginetest

import (
	"bytes"
	"context"
	"math/rand/v2"
	"testing"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// ConverterExample is one text of the format.
type ConverterExample struct {
	Name string
	// Source as it comes from a system.
	Source []byte
	// Decoded is the record; nil: the same bytes.
	Decoded []byte
	// Encoded is what Decoded is written as; nil: Source.
	Encoded []byte
}

// ConverterCase says what RunConverter needs to know of a converter.
type ConverterCase struct {
	New      func(t *testing.T) engine.Converter
	Examples []ConverterExample
	// Garbage is what decoding must refuse.
	Garbage [][]byte
	// NullText: the format has its own text for a null, so that encoding a
	// null does not give a null.
	NullText []byte
}

// RunConverter checks the contract of engine.Converter: that examples go both
// ways, that nulls stay nulls, that garbage is an error and never a panic, that
// results are appended, and that working copies share nothing.
func RunConverter(t *testing.T, c ConverterCase) {
	t.Run("examples", c.bothWays)
	t.Run("nulls", c.nulls)
	t.Run("garbage", c.garbage)
	t.Run("any bytes", c.hostile)
	t.Run("appends", c.appends)
	t.Run("two working copies", c.independent)
	t.Run("memory does not grow", c.memory)
}

// working is a pair of working copies, one of each encoding for writing.
type working struct {
	conv    engine.Converter
	decoder engine.Decode
	encs    map[record.Encoding]engine.Encode
}

func (c *ConverterCase) working(t *testing.T) *working {
	t.Helper()
	return newWorking(c.New(t))
}

func newWorking(conv engine.Converter) *working {
	return &working{conv: conv, decoder: conv.NewDecoder(), encs: map[record.Encoding]engine.Encode{}}
}

// decode decodes with the working copy, nil being the one that changes nothing.
// dst is never nil.
func (w *working) decode(dst, src []byte) ([]byte, record.Encoding, error) {
	if w.decoder == nil {
		if src == nil {
			return nil, nil, nil
		}
		return append(dst, src...), w.conv.Decoded(), nil
	}
	out, enc, err := w.decoder(dst, src, &engine.Meta{Context: context.Background(), Topic: "topic"})
	if enc == nil {
		enc = w.conv.Decoded()
	}
	return out, enc, err
}

// encode is decode in the other direction.
func (w *working) encode(dst, src []byte, from record.Encoding) ([]byte, error) {
	f, ok := w.encs[from]
	if !ok {
		f = w.conv.NewEncoder(from)
		w.encs[from] = f
	}
	if f == nil {
		if src == nil {
			return nil, nil
		}
		return append(dst, src...), nil
	}
	return f(dst, src, &engine.Meta{Context: context.Background(), Topic: "topic", AddHeader: func(string, []byte) {}})
}

func room() []byte { return make([]byte, 0, 64) }

func (e *ConverterExample) decoded() []byte {
	if e.Decoded == nil {
		return e.Source
	}
	return e.Decoded
}

func (e *ConverterExample) encoded() []byte {
	if e.Encoded == nil {
		return e.Source
	}
	return e.Encoded
}

func (c *ConverterCase) bothWays(t *testing.T) {
	w := c.working(t)
	if w.conv.Decoded() == nil {
		t.Fatal("Decoded is nil")
	}
	for range 2 { // a working copy is used again and again
		for _, e := range c.Examples {
			got, enc, err := w.decode(room(), e.Source)
			if err != nil || got == nil || !bytes.Equal(got, e.decoded()) {
				t.Errorf("%s: decoding %q gives %q, %v; want %q", e.Name, e.Source, got, err, e.decoded())
				continue
			}
			back, err := w.encode(room(), got, enc)
			if err != nil || back == nil || !bytes.Equal(back, e.encoded()) {
				t.Errorf("%s: encoding %q gives %q, %v; want %q", e.Name, got, back, err, e.encoded())
			}
		}
	}
}

// encodings are those that every converter meets.
func (w *working) encodings() []record.Encoding {
	return []record.Encoding{w.conv.Decoded(), record.JSON, record.Text, record.Opaque}
}

func (c *ConverterCase) nulls(t *testing.T) {
	w := c.working(t)
	if got, _, err := w.decode(room(), nil); got != nil || err != nil {
		t.Errorf("decoding a null gives %q, %v", got, err)
	}
	for _, from := range w.encodings() {
		got, err := w.encode(room(), nil, from)
		if err != nil || (got == nil) != (c.NullText == nil) || !bytes.Equal(got, c.NullText) {
			t.Errorf("encoding a null of %s gives %q, %v", from.Name(), got, err)
		}
	}
}

func (c *ConverterCase) garbage(t *testing.T) {
	w := c.working(t)
	if w.decoder == nil && len(c.Garbage) > 0 {
		t.Fatal("there is no decoder that could refuse garbage")
	}
	for _, g := range c.Garbage {
		if got, _, err := w.decode(room(), g); err == nil {
			t.Errorf("decoding %q gives %q", g, got)
		}
		// A refused record must not spoil the next one.
		for _, e := range c.Examples {
			if got, _, err := w.decode(room(), e.Source); err != nil || !bytes.Equal(got, e.decoded()) {
				t.Errorf("%s, after garbage %q: %q, %v", e.Name, g, got, err)
			}
		}
	}
}

// hostile feeds broken bytes to both directions: no panic, the source stays as
// it is, and the decoded form of whatever was accepted can be encoded.
func (c *ConverterCase) hostile(t *testing.T) {
	w := c.working(t)
	try := func(src []byte) {
		before := bytes.Clone(src)
		if got, enc, err := w.decode(room(), src); err == nil && src != nil && got != nil && w.decoder != nil {
			if _, err := w.encode(room(), got, enc); err != nil {
				t.Errorf("%q was decoded to %q, which cannot be encoded: %v", src, got, err)
			}
		}
		for _, enc := range w.encodings() {
			_, _ = w.encode(room(), src, enc)
		}
		if !bytes.Equal(src, before) {
			t.Errorf("the source %q was changed to %q", before, src)
		}
	}
	for _, v := range Hostile() {
		try(v)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, e := range c.Examples {
		for range 300 {
			try(mutate(rnd, e.Source))
		}
	}
}

// mutate changes some bytes, or cuts, or repeats.
func mutate(rnd *rand.Rand, p []byte) []byte {
	p = bytes.Clone(p)
	for range 1 + rnd.IntN(4) {
		if len(p) == 0 {
			return []byte{byte(rnd.Uint32())}
		}
		i := rnd.IntN(len(p))
		switch rnd.IntN(4) {
		case 0:
			p[i] = byte(rnd.Uint32())
		case 1:
			p = p[:i]
		case 2:
			p = append(p, p[i:]...)
		case 3:
			p[i] ^= 1 << rnd.IntN(8)
		}
	}
	return p
}

// appends checks that what lies in dst already stays.
func (c *ConverterCase) appends(t *testing.T) {
	w := c.working(t)
	const before = "before"
	for _, e := range c.Examples {
		got, enc, err := w.decode([]byte(before), e.Source)
		if err != nil || !bytes.Equal(got, append([]byte(before), e.decoded()...)) {
			t.Errorf("%s: decoding behind %q gives %q, %v", e.Name, before, got, err)
		}
		got, err = w.encode([]byte(before), e.decoded(), enc)
		if err != nil || !bytes.Equal(got, append([]byte(before), e.encoded()...)) {
			t.Errorf("%s: encoding behind %q gives %q, %v", e.Name, before, got, err)
		}
	}
}

func (c *ConverterCase) independent(t *testing.T) {
	one := c.working(t)
	two := newWorking(one.conv)
	for i, e := range c.Examples {
		f := c.Examples[(i+1)%len(c.Examples)]
		a, encA, errA := one.decode(room(), e.Source)
		b, encB, errB := two.decode(room(), f.Source)
		if errA != nil || errB != nil || !bytes.Equal(a, e.decoded()) || !bytes.Equal(b, f.decoded()) {
			t.Errorf("%s beside %s: %q, %v and %q, %v", e.Name, f.Name, a, errA, b, errB)
			continue
		}
		x, errX := one.encode(room(), a, encA)
		y, errY := two.encode(room(), b, encB)
		if errX != nil || errY != nil || !bytes.Equal(x, e.encoded()) || !bytes.Equal(y, f.encoded()) {
			t.Errorf("%s beside %s: %q, %v and %q, %v", e.Name, f.Name, x, errX, y, errY)
		}
	}
}

// memory uses one buffer again and again: its capacity must settle.
func (c *ConverterCase) memory(t *testing.T) {
	w := c.working(t)
	a, b := room(), room()
	settled := 0
	for round := range 50 {
		for _, e := range c.Examples {
			out, enc, err := w.decode(a[:0], e.Source)
			if err != nil || out == nil {
				continue
			}
			a = out
			if out, err := w.encode(b[:0], e.decoded(), enc); err == nil && out != nil {
				b = out
			}
		}
		if round == 10 {
			settled = cap(a) + cap(b)
		}
	}
	if cap(a)+cap(b) > settled {
		t.Errorf("buffers grew from %d to %d bytes on the same records", settled, cap(a)+cap(b))
	}
}
