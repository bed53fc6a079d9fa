package connect_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/flowrecords/flow/engine/internal/payload"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/connect"
	"github.com/flowrecords/flow/engine/schema/schematest"
)

var optionSets = []connect.Options{
	{}, {Numeric: true}, {KeepNulls: true}, {Lenient: true, Numeric: true}, {KeepNulls: true, FillIn: true, Numeric: true}, {Lenient: true, KeepNulls: true},
}

// compareReading reads a text in both ways.
func compareReading(t *testing.T, s *schema.Schema, o connect.Options, text []byte) {
	t.Helper()
	want, wantErr := connect.AppendTyped([]byte("x"), text, s, o)
	got, err := connect.NewReader(s, o).Append([]byte("x"), text)
	if (err == nil) != (wantErr == nil) || err == nil && !bytes.Equal(got, want) {
		t.Errorf("%s with %+v: %s is read as %s, %v, and in the general way as %s, %v", s, o, text, got, err, want, wantErr)
	}
	if err == nil {
		if err := schema.Check(s, got[1:]); err != nil {
			t.Errorf("%s: %s was read as %s: %v", s, text, got[1:], err)
		}
	}
}

// compareRewriting compares with reading and writing. What comes out stays as it
// is, and is what a Checker takes.
func compareRewriting(t *testing.T, s *schema.Schema, o connect.Options, text []byte) {
	t.Helper()
	typed, wantErr := connect.AppendTyped(nil, text, s, o)
	var want []byte
	if wantErr == nil {
		want, wantErr = connect.AppendPayload([]byte("x"), typed, s, o)
	}
	got, err := connect.NewRewriter(s, o).Append([]byte("x"), text)
	if (err == nil) != (wantErr == nil) || err == nil && !bytes.Equal(got, want) {
		t.Errorf("%s with %+v: %s is rewritten as %s, %v, and by way of typed text as %s, %v", s, o, text, got, err, want, wantErr)
	}
	checker := payload.Checker(s, payload.Options{Numeric: o.Numeric})
	taken := func(b []byte) bool {
		w := checker.Walk(b)
		return w.Value(checker.Root(), 0, 0) == len(b)
	}
	if err == nil && !taken(got[1:]) {
		t.Errorf("%s with %+v: %s is not taken", s, o, got[1:])
	}
	if !taken(text) {
		return
	}
	o.KeepNulls, o.Lenient = true, false
	if got, err := connect.NewRewriter(s, o).Append(nil, text); err != nil || !bytes.Equal(got, text) {
		t.Errorf("%s with %+v: %s is taken and rewritten as %s, %v", s, o, text, got, err)
	}
}

func compareWriting(t *testing.T, s *schema.Schema, o connect.Options, typed []byte) {
	t.Helper()
	want, wantErr := connect.AppendPayload([]byte("x"), typed, s, o)
	got, err := connect.NewWriter(s, o).Append([]byte("x"), typed)
	if (err == nil) != (wantErr == nil) || err == nil && !bytes.Equal(got, want) {
		t.Errorf("%s with %+v: %s is written as %s, %v, and in the general way as %s, %v", s, o, typed, got, err, want, wantErr)
	}
}

// spoil makes another text of text, mostly one that is no value any more.
func spoil(r *rand.Rand, text []byte) []byte {
	const bytesOf = `0123456789.-+eE"{}[],: nulltruefas\u00aé` + "\x00\xff"
	text = bytes.Clone(text)
	for range 1 + r.IntN(3) {
		if len(text) == 0 {
			return text
		}
		i := r.IntN(len(text))
		switch r.IntN(4) {
		case 0:
			text[i] = bytesOf[r.IntN(len(bytesOf))]
		case 1:
			text = append(text[:i], text[i+1:]...)
		case 2:
			text = bytes.Join([][]byte{text[:i], {bytesOf[r.IntN(len(bytesOf))]}, text[i:]}, nil)
		case 3:
			text = text[:i]
		}
	}
	return text
}

// TestFastWays: what is quick in the usual form is what the general way does,
// for values and for what is nearly one.
func TestFastWays(t *testing.T) {
	t.Parallel()
	for seed := range uint64(150) {
		g := schematest.New(seed, schematest.Options{})
		r := rand.New(rand.NewPCG(seed, 1))
		s := g.Schema()
		for _, o := range optionSets {
			for range 3 {
				typed := g.Value(s)
				compareWriting(t, s, o, typed)
				payload, err := connect.AppendPayload(nil, typed, s, o)
				if err != nil {
					continue
				}
				compareReading(t, s, o, payload)
				compareRewriting(t, s, o, payload)
				for _, other := range optionSets {
					compareRewriting(t, s, other, payload)
				}
				for range 10 {
					compareWriting(t, s, o, spoil(r, typed))
					spoiled := spoil(r, payload)
					compareReading(t, s, o, spoiled)
					compareRewriting(t, s, o, spoiled)
				}
			}
		}
	}
}

// FuzzFastWays is the same for one schema with every kind of value.
func FuzzFastWays(f *testing.F) {
	s, err := schema.Parse("struct{a int8, b int64, c float32, d float64, e decimal(9,2), f decimal(*,0)?, g string, h bool, i date, j time(ms), k timestamp(ms), l duration, m bytes(2)?, n enum(a, b), o array<int16?>, p map<string, uint32>, q string = \"x\", r uint64, s any}")
	if err != nil {
		f.Fatal(err)
	}
	typed := []byte(`{"a":-1,"b":9007199254740993,"c":0.5,"d":1.5,"e":12.34,"f":null,"g":"ä\n","h":true,"i":"2026-01-02","j":"03:04:05.006","k":"2026-01-02T03:04:05.006Z","l":"1h0m0s","m":"AAE=","n":"a","o":[1,null],"p":{"k":7},"q":"y","r":18446744073709551615,"s":{"x":[1]}}`)
	for i, o := range optionSets {
		payload, err := connect.AppendPayload(nil, typed, s, o)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(typed, uint8(i))
		f.Add(payload, uint8(i))
	}
	f.Fuzz(func(t *testing.T, text []byte, i uint8) {
		o := optionSets[int(i)%len(optionSets)]
		compareReading(t, s, o, text)
		compareRewriting(t, s, o, text)
		compareWriting(t, s, o, text)
	})
}
