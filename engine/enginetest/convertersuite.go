package enginetest

import (
	"bytes"
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

// call runs a working copy, nil being the one that changes nothing. dst is
// never nil.
func call(f engine.Transcode, dst, src []byte) ([]byte, error) {
	if f == nil {
		if src == nil {
			return nil, nil
		}
		return append(dst, src...), nil
	}
	return f(dst, src)
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
	conv := c.New(t)
	if conv.Decoded() == nil {
		t.Fatal("Decoded is nil")
	}
	dec, enc := conv.NewDecoder(), conv.NewEncoder(conv.Decoded())
	for range 2 { // a working copy is used again and again
		for _, e := range c.Examples {
			got, err := call(dec, room(), e.Source)
			if err != nil || got == nil || !bytes.Equal(got, e.decoded()) {
				t.Errorf("%s: decoding %q gives %q, %v; want %q", e.Name, e.Source, got, err, e.decoded())
				continue
			}
			back, err := call(enc, room(), got)
			if err != nil || back == nil || !bytes.Equal(back, e.encoded()) {
				t.Errorf("%s: encoding %q gives %q, %v; want %q", e.Name, got, back, err, e.encoded())
			}
		}
	}
}

func (c *ConverterCase) nulls(t *testing.T) {
	conv := c.New(t)
	if got, err := call(conv.NewDecoder(), room(), nil); got != nil || err != nil {
		t.Errorf("decoding a null gives %q, %v", got, err)
	}
	for _, from := range []record.Encoding{conv.Decoded(), record.JSON, record.Text, record.Opaque} {
		got, err := call(conv.NewEncoder(from), room(), nil)
		if err != nil || (got == nil) != (c.NullText == nil) || !bytes.Equal(got, c.NullText) {
			t.Errorf("encoding a null of %s gives %q, %v", from.Name(), got, err)
		}
	}
}

func (c *ConverterCase) garbage(t *testing.T) {
	dec := c.New(t).NewDecoder()
	if dec == nil && len(c.Garbage) > 0 {
		t.Fatal("there is no decoder that could refuse garbage")
	}
	for _, g := range c.Garbage {
		if got, err := call(dec, room(), g); err == nil {
			t.Errorf("decoding %q gives %q", g, got)
		}
		// A refused record must not spoil the next one.
		for _, e := range c.Examples {
			if got, err := call(dec, room(), e.Source); err != nil || !bytes.Equal(got, e.decoded()) {
				t.Errorf("%s, after garbage %q: %q, %v", e.Name, g, got, err)
			}
		}
	}
}

// hostile feeds broken bytes to both directions: no panic, the source stays as
// it is, and the decoded form of whatever was accepted can be encoded.
func (c *ConverterCase) hostile(t *testing.T) {
	conv := c.New(t)
	dec := conv.NewDecoder()
	encoders := map[string]engine.Transcode{}
	for _, from := range []record.Encoding{conv.Decoded(), record.JSON, record.Text, record.Opaque} {
		encoders[from.Name()] = conv.NewEncoder(from)
	}
	try := func(src []byte) {
		before := bytes.Clone(src)
		if got, err := call(dec, room(), src); err == nil && src != nil && got != nil && dec != nil {
			if _, err := call(encoders[conv.Decoded().Name()], room(), got); err != nil {
				t.Errorf("%q was decoded to %q, which cannot be encoded: %v", src, got, err)
			}
		}
		for _, enc := range encoders {
			_, _ = call(enc, room(), src)
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
	conv := c.New(t)
	const before = "before"
	for _, e := range c.Examples {
		got, err := call(conv.NewDecoder(), []byte(before), e.Source)
		if err != nil || !bytes.Equal(got, append([]byte(before), e.decoded()...)) {
			t.Errorf("%s: decoding behind %q gives %q, %v", e.Name, before, got, err)
		}
		got, err = call(conv.NewEncoder(conv.Decoded()), []byte(before), e.decoded())
		if err != nil || !bytes.Equal(got, append([]byte(before), e.encoded()...)) {
			t.Errorf("%s: encoding behind %q gives %q, %v", e.Name, before, got, err)
		}
	}
}

func (c *ConverterCase) independent(t *testing.T) {
	conv := c.New(t)
	one, two := conv.NewDecoder(), conv.NewDecoder()
	encOne, encTwo := conv.NewEncoder(conv.Decoded()), conv.NewEncoder(conv.Decoded())
	for i, e := range c.Examples {
		f := c.Examples[(i+1)%len(c.Examples)]
		a, errA := call(one, room(), e.Source)
		b, errB := call(two, room(), f.Source)
		if errA != nil || errB != nil || !bytes.Equal(a, e.decoded()) || !bytes.Equal(b, f.decoded()) {
			t.Errorf("%s beside %s: %q, %v and %q, %v", e.Name, f.Name, a, errA, b, errB)
			continue
		}
		x, errX := call(encOne, room(), a)
		y, errY := call(encTwo, room(), b)
		if errX != nil || errY != nil || !bytes.Equal(x, e.encoded()) || !bytes.Equal(y, f.encoded()) {
			t.Errorf("%s beside %s: %q, %v and %q, %v", e.Name, f.Name, x, errX, y, errY)
		}
	}
}

// memory uses one buffer again and again: its capacity must settle.
func (c *ConverterCase) memory(t *testing.T) {
	conv := c.New(t)
	dec, enc := conv.NewDecoder(), conv.NewEncoder(conv.Decoded())
	a, b := room(), room()
	settled := 0
	for round := range 50 {
		for _, e := range c.Examples {
			if out, err := call(dec, a[:0], e.Source); err == nil && out != nil {
				a = out
			}
			if out, err := call(enc, b[:0], e.decoded()); err == nil && out != nil {
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
