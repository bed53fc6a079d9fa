package record_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/avro"
	"github.com/flowrecords/flow/engine/record/connectjson"
	"github.com/flowrecords/flow/engine/record/internal/agree"
	"github.com/flowrecords/flow/engine/record/protobuf"
	"github.com/flowrecords/flow/engine/record/row"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/connect"
)

// side is one encoding of a schema: read reads its records as typed JSON text,
// and writer returns what makes such text of a schema, or of none, one of them.
type side struct {
	enc    record.Encoding
	read   func(dst, raw []byte) ([]byte, error)
	writer func(from *schema.Schema) (func(dst, text []byte) ([]byte, error), error)
}

// sides are all encodings that flow has. Each makes one of a schema, or says
// that it has no form for it.
var sides = map[string]func(s *schema.Schema) (side, error){
	"JSON text": func(s *schema.Schema) (side, error) {
		// Text says nothing of its types: it is held against them.
		checked := func(dst, text []byte) ([]byte, error) { return append(dst, text...), schema.Check(s, text) }
		return side{record.JSON, checked, writes(checked)}, nil
	},
	"typed JSON": func(s *schema.Schema) (side, error) {
		e := record.JSONOf(s)
		return side{e, e.AppendJSON, writes(e.AppendJSON)}, nil
	},
	"row": func(s *schema.Schema) (side, error) {
		e := row.Of(s)
		return side{e, e.AppendJSON, writes(e.Append)}, nil
	},
	"avro": func(s *schema.Schema) (side, error) {
		to, err := avro.FromSchema(s, avro.FromOptions{Untyped: true})
		if err != nil {
			return side{}, err
		}
		e, err := avro.NewEncoding(to)
		if err != nil {
			return side{}, err
		}
		return side{e, e.AppendJSON, func(from *schema.Schema) (func(dst, text []byte) ([]byte, error), error) {
			w, err := avro.NewWriter(to, from, avro.WriterOptions{})
			if err != nil {
				return nil, err
			}
			return w.Append, nil
		}}, nil
	},
	"protobuf": func(s *schema.Schema) (side, error) {
		m, err := protobuf.FromSchema(s, protobuf.FromOptions{Untyped: protobuf.UntypedJSON, Scrub: true})
		if err != nil {
			return side{}, err
		}
		e, err := protobuf.NewEncoding(m)
		if err != nil {
			return side{}, err
		}
		return side{e, e.AppendJSON, func(from *schema.Schema) (func(dst, text []byte) ([]byte, error), error) {
			w, err := e.NewWriter(from, protobuf.WriterOptions{})
			if err != nil {
				return nil, err
			}
			return w.Append, nil
		}}, nil
	},
	"payload": func(s *schema.Schema) (side, error) { // of Kafka Connect, decimals in base64
		e := connectjson.Of(s, false)
		return side{e, e.AppendJSON, writes(connect.NewWriter(s, connect.Options{KeepNulls: true}).Append)}, nil
	},
	"envelope": func(s *schema.Schema) (side, error) { // decimals as numbers, the schema in each
		o := connect.Options{Numeric: true, KeepNulls: true}
		node, err := connect.AppendSchema(nil, s, o)
		if err != nil {
			return side{}, err
		}
		w, cache := connect.NewWriter(s, o), &connect.Cache{}
		var payload []byte
		return side{record.JSONOf(s),
			func(dst, raw []byte) ([]byte, error) {
				out, is, err := cache.Decode(dst, raw, o)
				if err == nil && !schema.EqualTypes(is, s) {
					err = fmt.Errorf("the envelope is of %s", is)
				}
				return out, err
			},
			writes(func(dst, text []byte) ([]byte, error) {
				var err error
				if payload, err = w.Append(payload[:0], text); err != nil {
					return dst, err
				}
				return connect.AppendEnvelope(dst, node, payload), nil
			})}, nil
	},
}

// writes is a writer that needs not know what the text is of.
func writes(f func(dst, text []byte) ([]byte, error)) func(*schema.Schema) (func(dst, text []byte) ([]byte, error), error) {
	return func(*schema.Schema) (func(dst, text []byte) ([]byte, error), error) { return f, nil }
}

// transcode returns what turns records of one side into those of another, as
// outputs do it: by way of typed JSON text, and of nothing else.
func transcode(from, to side) (func(raw []byte) ([]byte, error), error) {
	write, err := to.writer(record.SchemaOf(from.enc))
	if err != nil {
		return nil, err
	}
	var text, out []byte
	return func(raw []byte) ([]byte, error) {
		var err error
		if text, err = from.read(text[:0], raw); err != nil {
			return nil, fmt.Errorf("reading: %w", err)
		}
		out, err = write(out[:0], text)
		return out, err
	}, nil
}

var errNoForm = errors.New("no form")

// thereAndBack writes the text as a, turns that into b and back: it is the same.
func thereAndBack(s *schema.Schema, text []byte, a, b string) error {
	from, errA := sides[a](s)
	to, errB := sides[b](s)
	if errA != nil || errB != nil {
		return errNoForm
	}
	write, err := from.writer(s)
	if err != nil {
		return err
	}
	there, err := transcode(from, to)
	if err != nil {
		return err
	}
	back, err := transcode(to, from)
	if err != nil {
		return err
	}
	raw, err := write(nil, text)
	if err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	other, err := there(raw)
	if err != nil {
		return fmt.Errorf("there: %w", err)
	}
	got, err := back(other)
	if err != nil {
		return fmt.Errorf("back from %q: %w", other, err)
	}
	// The bytes may differ where an encoding has two forms of one value, such as
	// a null that is written and one that is left out.
	was, err := from.read(nil, raw)
	if err != nil {
		return err
	}
	is, err := from.read(nil, got)
	if err != nil || !bytes.Equal(is, was) || a != "avro" && b != "avro" && !bytes.Equal(is, text) {
		return fmt.Errorf("comes back as\n%s, was\n%s, %v", is, was, err)
	}
	return nil
}

func pairsOfSides(f func(a, b string)) {
	names := slices.Sorted(maps.Keys(sides))
	for _, a := range names {
		for _, b := range names {
			f(a, b)
		}
	}
}

// TestTranscode turns random values of random schemas from each encoding into
// each other one and back.
func TestTranscode(t *testing.T) {
	t.Parallel()
	const values = 400
	pairsOfSides(func(a, b string) {
		t.Run(a+" and "+b, func(t *testing.T) {
			t.Parallel()
			tried := 0
			for seed := range uint64(values) {
				g := agree.Generator(seed, 11)
				s := g.Struct(2, false)
				text := g.Value(nil, s)
				switch err := thereAndBack(s, text, a, b); {
				case err == nil:
					tried++
				case !errors.Is(err, errNoForm):
					t.Fatalf("seed %d: %s of %s: %v", seed, text, s, err)
				}
			}
			if tried < values/20 {
				t.Errorf("only %d of %d schemas have a form in both", tried, values)
			}
		})
	})
}

// TestTranscodeAllocations: a record takes no memory to speak of on its way, as
// it would in maps.
func TestTranscodeAllocations(t *testing.T) {
	s, err := schema.Parse(`struct{id int64, name string?, price decimal(10,2), at timestamp(ms), day date, on bool, tags array<string>, attrs map<string, int64>, ` +
		`customer struct{id int64, email string}, items array<struct{sku string, qty int32}>}`)
	if err != nil {
		t.Fatal(err)
	}
	text := []byte(`{"id":9007199254740993,"name":"n","price":12.50,"at":"2026-01-02T03:04:05.678Z","day":"2026-01-02","on":true,"tags":["a","b"],"attrs":{"k":1,"l":2},` +
		`"customer":{"id":1,"email":"e"},"items":[{"sku":"a","qty":1},{"sku":"b","qty":2}]}`)
	pairsOfSides(func(a, b string) {
		from, errA := sides[a](s)
		to, errB := sides[b](s)
		write, errW := from.writer(s)
		turn, errT := transcode(from, to)
		if err := errors.Join(errA, errB, errW, errT); err != nil {
			t.Fatalf("%s to %s: %v", a, b, err)
		}
		raw, err := write(nil, text)
		if err != nil {
			t.Fatalf("%s: %v", a, err)
		}
		n := testing.AllocsPerRun(100, func() {
			if _, err = turn(raw); err != nil {
				t.Fatalf("%s to %s: %v", a, b, err)
			}
		})
		if n > 16 {
			t.Errorf("%s to %s: %v allocations", a, b, n)
		}
	})
}
