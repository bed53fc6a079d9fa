package funcs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"time"

	"github.com/flowrecords/flow/engine/record"
)

func (s *set) machineFuncs() []def {
	return []def{
		{
			// It stands in for the language's own now, which reads the
			// machine's clock directly.
			Func: Func{
				Name: "now", Group: groupMachine, Doc: "The time now, in UTC or in the zone given. A null zone is an error.",
				Params: []Param{opt("zone", "string", "a zone such as Europe/Berlin or +02:00")}, Result: "time",
				Examples: []Example{ex(`now()`, `"2026-01-01T00:00:00Z"`), ex(`now("Asia/Seoul")`, `"2026-01-01T09:00:00+09:00"`)},
			},
			impure: true,
			impl:   func(a *in) (any, error) { return s.Now().In(s.zone(a, 0, time.UTC)), nil },
			fast: func(a fin) (record.Value, []byte, error) {
				loc := time.UTC
				if a.has(0) {
					name := a.text(0)
					if a.err != nil {
						return a.done(record.Value{}, nil)
					}
					var err error
					if loc, err = s.zones.get(view(name)); err != nil {
						return a.done(record.Value{}, err)
					}
				}
				return a.done(record.TimeValue(s.Now().In(loc)), nil)
			},
			checks: map[int]func(any) string{0: s.checkZone},
		},
		{
			Func: Func{
				Name: "randomInt", Group: groupMachine, Doc: "A random integer, both bounds included, each equally likely.",
				Params: []Param{p("least", "int", "the lower bound"), p("most", "int", "the upper bound")}, Result: "int",
				Examples: []Example{ex(`randomInt(1, 6)`, `2`)},
			},
			impure: true,
			impl: func(a *in) (any, error) {
				least, most := a.int(0), a.int(1)
				if a.err != nil {
					return nil, nil
				}
				if most < least {
					return nil, errors.New("least is more than most")
				}
				return s.randomInt(least, most)
			},
		},
		{
			Func: Func{
				Name: "randomFloat", Group: groupMachine, Doc: "A random number from 0 up to, not including, 1.",
				Result: "float", Examples: []Example{ex(`randomFloat()`, `0.22780469050365237`)},
			},
			impure: true,
			impl: func(*in) (any, error) {
				n, err := s.random()
				return float64(n>>11) / (1 << 53), err
			},
		},
		{
			Func: Func{
				Name: "hostname", Group: groupMachine, Doc: "The name of the machine that runs flow.",
				Result: "string", Examples: []Example{ex(`hostname()`, `"worker-1"`)},
			},
			impure: true,
			impl:   func(*in) (any, error) { return s.Hostname() },
		},
	}
}

func (s *set) random() (uint64, error) {
	var b [8]byte
	if _, err := io.ReadFull(s.Rand, b[:]); err != nil {
		return 0, fmt.Errorf("reading randomness: %w", err)
	}
	return binary.BigEndian.Uint64(b[:]), nil
}

// randomInt draws again where the remainder would favour some results.
func (s *set) randomInt(least, most int) (any, error) {
	n := uint64(most) - uint64(least) + 1 // 0: all 64 bits
	for {
		r, err := s.random()
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return int(r), nil
		}
		hi, lo := bits.Mul64(r, n)
		if lo >= -n%n {
			return int(uint64(least) + hi), nil
		}
	}
}
