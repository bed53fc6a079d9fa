// Package schematest makes schemas and values of them at random, for tests
// that must hold for all: conversions, round trips, comparisons.
package schematest

import (
	"encoding/base64"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/flowrecords/flow/engine/schema"
)

// Options say which schemas are made.
type Options struct {
	// Depth is how deep they nest at most; 0: 4.
	Depth int
	// Recursive makes some that are within themselves.
	Recursive bool
	// Types are those that occur; nil: all.
	Types []schema.Type
	// Bare leaves out docs, versions, aliases, parameters and tags.
	Bare bool
}

// Generator makes schemas and values. It is not safe for several goroutines.
type Generator struct {
	Options
	r     *rand.Rand
	count int              // of names
	open  []*schema.Schema // structs that are being made
}

// New returns a generator whose results depend on the seed alone.
func New(seed uint64, o Options) *Generator {
	if o.Depth == 0 {
		o.Depth = 4
	}
	if o.Types == nil {
		o.Types = schema.Types()
	}
	return &Generator{Options: o, r: rand.New(rand.NewPCG(seed, 1))}
}

// Schema returns a valid schema of any type.
func (g *Generator) Schema() *schema.Schema { return g.schema(g.Depth) }

// Struct returns a valid struct.
func (g *Generator) Struct() *schema.Schema {
	s := &schema.Schema{}
	g.fill(s, schema.Struct, g.Depth)
	return s
}

func (g *Generator) one(n int) bool { return g.r.IntN(n) == 0 }

// pick returns a type that may stand with depth levels left.
func (g *Generator) pick(depth int) schema.Type {
	for range 100 {
		if t := g.Types[g.r.IntN(len(g.Types))]; depth > 0 || !t.IsComplex() {
			return t
		}
	}
	return schema.String
}

func (g *Generator) schema(depth int) *schema.Schema {
	s := &schema.Schema{}
	g.fill(s, g.pick(depth), depth)
	if s.Optional = g.one(3); !g.Recursive && g.one(4) || !s.Type.IsComplex() && g.one(4) {
		s.Default = g.Value(s)
	}
	return s
}

func (g *Generator) name() string {
	g.count++
	odd := []string{"", "", "", "", " ", ".", "é", `"`, "-", "\n"}
	return "n" + strconv.Itoa(g.count) + odd[g.r.IntN(len(odd))]
}

func (g *Generator) fill(s *schema.Schema, t schema.Type, depth int) {
	s.Type = t
	if t == schema.Struct || t == schema.Enum || g.one(8) {
		s.Name = "t" + strconv.Itoa(g.count)
		if g.one(2) {
			s.Name = "org.x." + s.Name
		}
		g.count++
	}
	g.free(s)
	switch t {
	case schema.Decimal:
		if g.one(4) {
			s.Scale = g.r.IntN(30) - 5
		} else {
			s.Precision = 1 + g.r.IntN(60)
			s.Scale = g.r.IntN(s.Precision + 1)
		}
	case schema.Bytes:
		if g.one(3) {
			s.Size = 1 + g.r.IntN(20)
		}
	case schema.Enum:
		for range 1 + g.r.IntN(4) {
			s.Symbols = append(s.Symbols, g.name())
		}
	case schema.Array:
		s.Elem = g.schema(depth - 1)
	case schema.Map:
		s.Key = g.key()
		s.Elem = g.schema(depth - 1)
	case schema.Struct:
		g.open = append(g.open, s)
		for i := range g.r.IntN(6) {
			s.Fields = append(s.Fields, g.field(i, depth))
		}
		g.open = g.open[:len(g.open)-1]
	case schema.Union:
		for i := range 1 + g.r.IntN(3) {
			b := &schema.Schema{}
			g.fill(b, g.pick(depth-1), depth-1)
			s.Branches = append(s.Branches, schema.Branch{Name: g.name(), Schema: b})
			if !g.Bare && g.one(3) {
				s.Branches[i].Tag = i + 1
			}
		}
	default:
		if t.HasUnit() {
			s.Unit = schema.Unit(g.r.IntN(4))
		}
	}
}

func (g *Generator) key() *schema.Schema {
	s := &schema.Schema{Type: schema.String}
	if g.one(2) {
		g.fill(s, g.pick(0), 0)
	}
	return s
}

func (g *Generator) field(i, depth int) schema.Field {
	f := schema.Field{Name: g.name(), Schema: g.schema(depth - 1)}
	if g.Recursive && len(g.open) > 0 && g.one(5) {
		// Through an array, so that values end.
		f.Schema = &schema.Schema{Type: schema.Array, Elem: g.open[g.r.IntN(len(g.open))]}
	}
	if !g.Bare {
		if g.one(4) {
			f.Doc = "field " + g.name()
		}
		if g.one(6) {
			f.Aliases = []string{g.name()}
		}
		if g.one(4) {
			f.Tag = i + 1
		}
	}
	return f
}

// free fills what is not part of the type.
func (g *Generator) free(s *schema.Schema) {
	if g.Bare {
		return
	}
	if g.one(5) {
		s.Doc = "doc " + g.name()
	}
	if g.one(5) {
		s.Version = g.r.IntN(4)
	}
	if g.one(8) {
		s.Aliases = []string{g.name(), "org.y." + g.name()}
	}
	if g.one(5) {
		s.Parameters = map[string]string{"k" + g.name(): g.name(), "a.b": "1"}
	}
}

// Value returns typed JSON text of a value of s, in its canonical form: one
// line, all fields in order. It ends for recursive schemas, too.
func (g *Generator) Value(s *schema.Schema) []byte {
	return g.value(nil, s, 12)
}

func (g *Generator) value(dst []byte, s *schema.Schema, depth int) []byte {
	if s.Optional && (depth <= 0 || g.one(4)) {
		return append(dst, "null"...)
	}
	switch s.Type {
	case schema.Array:
		dst = append(dst, '[')
		for i := range g.few(depth) {
			dst = g.value(comma(dst, i), s.Elem, depth-1)
		}
		return append(dst, ']')
	case schema.Map:
		return g.mapping(dst, s, depth)
	case schema.Struct:
		dst = append(dst, '{')
		for i := range s.Fields {
			dst = append(quote(comma(dst, i), s.Fields[i].Name), ':')
			dst = g.value(dst, s.Fields[i].Schema, depth-1)
		}
		return append(dst, '}')
	case schema.Union:
		b := s.Branches[g.r.IntN(len(s.Branches))]
		dst = append(quote(append(dst, '{'), b.Name), ':')
		return append(g.value(dst, b.Schema, depth-1), '}')
	default:
		return append(dst, g.leaf(s)...)
	}
}

func (g *Generator) few(depth int) int {
	if depth <= 0 {
		return 0
	}
	return g.r.IntN(3)
}

func comma(dst []byte, i int) []byte {
	if i > 0 {
		return append(dst, ',')
	}
	return dst
}

func (g *Generator) mapping(dst []byte, s *schema.Schema, depth int) []byte {
	object := s.Key.Type == schema.String
	open, end := byte('['), byte(']')
	if object {
		open, end = '{', '}'
	}
	dst = append(dst, open)
	seen := make(map[string]bool)
	for range g.few(depth) {
		k := string(g.value(nil, s.Key, 0))
		if seen[k] || object && k == "null" {
			continue
		}
		dst = comma(dst, len(seen))
		seen[k] = true
		if object {
			dst = append(append(dst, k...), ':')
			dst = g.value(dst, s.Elem, depth-1)
			continue
		}
		dst = append(append(append(dst, '['), k...), ',')
		dst = append(g.value(dst, s.Elem, depth-1), ']')
	}
	return append(dst, end)
}

func (g *Generator) leaf(s *schema.Schema) string {
	switch s.Type {
	case schema.Any:
		return []string{"null", "1.50", `{"a":[1,"x"]}`, `"text"`, "true"}[g.r.IntN(5)]
	case schema.Bool:
		return strconv.FormatBool(g.one(2))
	case schema.Float32:
		return g.float(32)
	case schema.Float64:
		return g.float(64)
	case schema.Decimal:
		return g.decimal(s)
	case schema.String:
		return string(quote(nil, []string{"", "x", "é\n\"", "a b c", " ", "\\"}[g.r.IntN(6)]))
	case schema.Enum:
		return string(quote(nil, s.Symbols[g.r.IntN(len(s.Symbols))]))
	case schema.Bytes:
		b := make([]byte, g.r.IntN(10))
		if s.Size > 0 {
			b = make([]byte, s.Size)
		}
		for i := range b {
			b[i] = byte(g.r.Uint32())
		}
		return `"` + base64.StdEncoding.EncodeToString(b) + `"`
	case schema.UUID:
		a, b := g.r.Uint64(), g.r.Uint64()
		return fmt.Sprintf(`"%08x-%04x-%04x-%04x-%012x"`, a>>32, a>>16&0xffff, a&0xffff, b>>48, b&0xffffffffffff)
	default:
		if s.Type.IsInt() {
			return g.integer(s.Type)
		}
		return `"` + g.clock(s) + `"`
	}
}

func (g *Generator) integer(t schema.Type) string {
	if t >= schema.Uint8 {
		n := g.r.Uint64() >> g.r.IntN(64)
		return strconv.FormatUint(n>>(64-8<<(t-schema.Uint8)), 10)
	}
	n := int64(g.r.Uint64()) >> g.r.IntN(64)
	return strconv.FormatInt(n>>(64-8<<(t-schema.Int8)), 10)
}

func (g *Generator) float(bits int) string {
	if g.one(6) {
		return []string{`"NaN"`, `"Infinity"`, `"-Infinity"`}[g.r.IntN(3)]
	}
	f := math.Round(g.r.NormFloat64()*1e6) / 64
	return strconv.FormatFloat(f, 'f', -1, bits)
}

func (g *Generator) decimal(s *schema.Schema) string {
	digits := s.Precision
	if digits == 0 {
		digits = 30
	}
	n := 1 + g.r.IntN(digits)
	text := make([]byte, n)
	for i := range text {
		text[i] = byte('0' + g.r.IntN(10))
	}
	unscaled := strings.TrimLeft(string(text), "0")
	if unscaled == "" {
		unscaled = "0"
	}
	sign := ""
	if unscaled != "0" && g.one(2) {
		sign = "-"
	}
	switch {
	case s.Scale <= 0:
		if unscaled != "0" {
			unscaled += strings.Repeat("0", -s.Scale)
		}
	default:
		if len(unscaled) <= s.Scale {
			unscaled = strings.Repeat("0", s.Scale-len(unscaled)+1) + unscaled
		}
		unscaled = unscaled[:len(unscaled)-s.Scale] + "." + unscaled[len(unscaled)-s.Scale:]
	}
	return sign + unscaled
}

func (g *Generator) clock(s *schema.Schema) string {
	each := int64(time.Second) / s.Unit.PerSecond()
	nsec := g.r.Int64N(1e9) / each * each
	if g.one(3) {
		nsec = 0
	}
	sec := g.r.Int64N(4e9) - 1e9
	switch s.Type {
	case schema.Date:
		return string(schema.AppendDate(nil, sec/50_000))
	case schema.Time:
		return string(schema.AppendTime(nil, g.r.Int64N(86400), int(nsec)))
	case schema.Duration:
		return (time.Duration(sec)*time.Second + time.Duration(nsec)).String()
	default:
		return string(schema.AppendTimestamp(nil, sec, int(nsec), s.Type == schema.LocalTimestamp))
	}
}

func quote(dst []byte, text string) []byte {
	dst = append(dst, '"')
	for _, r := range text {
		switch r {
		case '"', '\\':
			dst = append(dst, '\\', byte(r))
		case '\n':
			dst = append(dst, '\\', 'n')
		default:
			dst = append(dst, string(r)...)
		}
	}
	return append(dst, '"')
}
