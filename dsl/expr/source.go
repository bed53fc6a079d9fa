package expr

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// Mode says what runs an expression.
type Mode int

// The modes.
const (
	// ModeConstant: the result was computed when the expression was compiled.
	ModeConstant Mode = iota
	// ModeClosures: Go closures alone.
	ModeClosures
	// ModeVM: expr's VM, for the whole or for parts of the expression.
	ModeVM
)

func (m Mode) String() string { return [...]string{"constant", "closures", "vm"}[m] }

// Source is a checked expression. It is safe for all goroutines.
type Source struct {
	text string
	want Want

	refs   []*ref
	used   []string
	consts []string
	random bool
	// named: the text names the type of the result.
	named bool

	root    code
	islands []island
	locals  int

	constant *record.Value

	// mu guards the compilation of islands: expr caches in the tree's types.
	mu  sync.Mutex
	env *Env
	src file.Source
}

var (
	_ engine.ExpressionSource = (*Source)(nil)
	_ engine.Reader           = (*Source)(nil)
	_ engine.Fingerprinter    = (*Source)(nil)
)

// newSource builds the closures over a checked and optimised tree.
func newSource(r *resolver, tree *parser.Tree, text string, want Want) *Source {
	s := &Source{
		text: text, want: want, refs: r.refsIn(tree.Node), random: r.random, env: r.env, src: tree.Source,
		used: slices.Sorted(maps.Keys(r.used)), consts: slices.Sorted(maps.Keys(r.constants)),
	}
	s.named = r.names(tree.Node)
	b := &builder{r: r, s: s}
	s.root = b.program(tree.Node)
	return s
}

// refsIn returns the references that are left in a tree: some were joined
// with a longer path, or stood in a branch that can never be taken.
func (r *resolver) refsIn(n ast.Node) []*ref {
	var out []*ref
	var look func(n ast.Node)
	look = func(n ast.Node) {
		if f := r.refOf(n); f != nil && !slices.Contains(out, f) {
			out = append(out, f)
		}
		for _, c := range children(n) {
			if c != nil {
				look(c)
			}
		}
	}
	look(n)
	return out
}

// settle evaluates an expression that reads nothing of the record, once.
func (s *Source) settle() (Problem, bool) {
	if len(s.refs) > 0 || s.random {
		return Problem{}, false
	}
	v, err := s.once()
	if err != nil {
		return Problem{Kind: KindFails, Length: len(s.text), Summary: "The expression always fails", Detail: sentence(err.Error()), Constants: s.Constants()}, true
	}
	if s.want == WantBool && v.Kind() != record.Bool {
		return Problem{Kind: KindNotBool, Length: len(s.text), Summary: "The result must be true or false", Detail: "This is always " + kindName(v.Kind()) + "."}, true
	}
	own := v.Own()
	s.constant = &own
	return Problem{}, false
}

// once evaluates without a record.
func (s *Source) once() (record.Value, error) {
	l := record.NewLayout()
	p, err := s.bind(l)
	if err != nil {
		return record.Value{}, err
	}
	v, err := p.Eval(record.NewRecord(l))
	return v.Own(), err
}

// Text is the expression as written.
func (s *Source) Text() string { return s.text }

// Fingerprint implements engine.Fingerprinter: it is of the tree behind names,
// with the bodies of functions and the values of constants in it, so layout
// and the names of either do not matter.
func (s *Source) Fingerprint() (sum [16]byte) {
	var text strings.Builder
	defer func() {
		if recover() != nil { // a constant that cannot be printed
			text.Reset()
			text.WriteString(s.text)
		}
		h := sha256.Sum256([]byte(text.String()))
		copy(sum[:], h[:])
	}()
	r, tree, problems := s.env.front(s.text)
	if len(problems) > 0 {
		panic("expr: an expression that compiled before does not")
	}
	text.WriteString(r.node(tree.Node).String())
	for _, f := range r.refs {
		text.WriteString("\n" + f.fn + " " + f.identity())
	}
	return sum
}

// Mode says what runs the expression.
func (s *Source) Mode() Mode {
	switch {
	case s.constant != nil:
		return ModeConstant
	case len(s.islands) > 0:
		return ModeVM
	}
	return ModeClosures
}

// Constant returns the result of an expression that is the same for every
// record.
func (s *Source) Constant() (record.Value, bool) {
	if s.constant == nil {
		return record.Value{}, false
	}
	return *s.constant, true
}

// ValuePaths returns the paths of the value that the expression reads; the
// empty path is the whole.
func (s *Source) ValuePaths() []record.Path { return paths(s.refs, refValue) }

// KeyPaths returns the paths of the key that the expression reads.
func (s *Source) KeyPaths() []record.Path { return paths(s.refs, refKey) }

// Reads implements engine.Reader.
func (s *Source) Reads() engine.Reads {
	r := engine.Reads{Value: s.ValuePaths(), Key: s.KeyPaths()}
	for _, f := range s.refs {
		switch f.kind {
		case refHeader:
			r.Headers = append(r.Headers, f.name)
		case refHeaders:
			r.AllHeaders = true
		case refMeta:
			r.Meta = append(r.Meta, f.name)
		case refMetaAll:
			r.AllMeta = true
		case refTopic:
			r.Topic = true
		case refPartition:
			r.Partition = true
		case refOffset:
			r.Offset = true
		case refTimestamp:
			r.Timestamp = true
		case refTombstone, refNothing, refValue, refKey, refParam: // value and key are paths
		}
	}
	return r
}

// Functions returns the names of the functions that are called, sorted.
func (s *Source) Functions() []string { return slices.Clone(s.used) }

// Constants returns the constants that the expression or a function that it
// calls refers to, such as var.token, sorted. The name of the root alone
// stands for all below it.
func (s *Source) Constants() []string { return slices.Clone(s.consts) }

// Deterministic reports that the same record always gives the same result:
// neither clock nor randomness nor the machine are asked.
func (s *Source) Deterministic() bool { return !s.random }

// OnlyTopic reports that the expression is topic and nothing else.
func (s *Source) OnlyTopic() bool {
	return len(s.refs) == 1 && s.refs[0].kind == refTopic && s.root.slot == 0 && s.root.isSlot
}

// NamesType implements engine.Resulting.
func (s *Source) NamesType() bool { return s.named }

// MayBeNothing implements engine.Resulting.
func (s *Source) MayBeNothing() bool {
	return slices.ContainsFunc(s.refs, func(f *ref) bool { return f.kind == refNothing })
}

// Bind adds the paths that it reads to l and returns a program for one worker.
func (s *Source) Bind(l *record.Layout) (engine.Program, error) { return s.bind(l) }

func (s *Source) bind(l *record.Layout) (*program, error) {
	m, err := s.machine(l)
	if err != nil {
		return nil, err
	}
	return &program{m: m, s: s, root: s.root}, nil
}

// machine makes the scratch of one worker.
func (s *Source) machine(l *record.Layout) (*machine, error) {
	m := &machine{slots: make([]slot, len(s.refs)), locals: make([]record.Value, s.locals)}
	for i, f := range s.refs {
		var err error
		if m.slots[i], err = bindRef(f, l); err != nil {
			return nil, fmt.Errorf("%s: %w", f.label, err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.islands {
		p, err := s.compileIsland(&s.islands[i], m)
		if err != nil {
			return nil, fmt.Errorf("compiling %s: %w", s.text, err)
		}
		m.islands = append(m.islands, p)
	}
	return m, nil
}

// program is an expression bound to a worker.
type program struct {
	m    *machine
	s    *Source
	root code
}

// Eval returns the result, valid until r is loaded anew: Missing if it is that of
// nothing().
func (p *program) Eval(r *record.Record) (record.Value, error) {
	if c := p.s.constant; c != nil {
		return *c, nil
	}
	m := p.m
	m.begin(r)
	v := p.root.val(m)
	switch {
	case m.err != nil:
		return record.Value{}, m.err
	case m.nothing:
		return record.Value{}, nil
	}
	return v, nil
}

var errNotBool = errors.New("the result is not true or false")

// Test returns the result of an expression that was checked to be a bool.
func (p *program) Test(r *record.Record) (bool, error) {
	if c := p.s.constant; c != nil {
		return c.Bool(), nil
	}
	m := p.m
	m.begin(r)
	if p.root.test != nil {
		ok := p.root.test(m)
		if m.err != nil {
			return false, m.err
		}
		return ok, nil
	}
	v := p.root.val(m)
	if m.err != nil {
		return false, m.err
	}
	if v.Kind() != record.Bool {
		return false, fmt.Errorf("%w but %s: %s", errNotBool, kindName(v.Kind()), excerpt(p.s.text))
	}
	return v.Bool(), nil
}

// island is a part of an expression that runs on expr's VM.
type island struct {
	node ast.Node
	text string
	// places is the text of its nodes by location, for errors.
	places map[file.Location]string
}
