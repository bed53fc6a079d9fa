package run

import (
	"context"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// verdict is what an element makes of one value: what goes on, by port number,
// or an error.
type verdict struct {
	out []routed
	err error
}

type routed struct {
	port int
	v    string
}

// behaviour is a pure function of a value, which both the engine and the model
// use. What it decides depends on the record and on a salt.
type behaviour struct {
	kind string
	salt uint64
}

// roll is a fixed number for a record at an element. Tags do not matter.
func (b behaviour) roll(v string) int {
	base, _, _ := strings.Cut(v, "|")
	h := fnv.New64a()
	fmt.Fprint(h, base, b.salt)
	return int(h.Sum64() % 840)
}

func (b behaviour) ports() []string {
	if b.kind == "route" {
		return []string{"x", "y"}
	}
	return nil
}

func (b behaviour) on(v string) verdict {
	k := b.roll(v)
	main := func(vs ...string) verdict {
		var w verdict
		for _, v := range vs {
			w.out = append(w.out, routed{0, v})
		}
		return w
	}
	switch b.kind {
	case "filter":
		if k%3 == 0 {
			return main()
		}
		return main(v)
	case "tag":
		return main(v + fmt.Sprintf("|t%d", b.salt%100))
	case "fail":
		if k%4 == 0 {
			return verdict{err: errBroken}
		}
		return main(v)
	case "route":
		switch k % 4 {
		case 0:
			return main(v)
		case 1:
			return verdict{out: []routed{{1, v}}}
		case 2:
			return verdict{out: []routed{{1, v}, {2, v}}}
		}
		return main()
	case "gather": // one behind the other, gather and ungather change nothing
		if k%7 == 0 {
			return verdict{err: errBroken}
		}
		return main(v)
	case "ungather", "gate":
		return main(v)
	case "split":
		if k%5 == 0 {
			return verdict{err: errBroken}
		}
		var parts []string
		for i := range k % 4 {
			parts = append(parts, fmt.Sprintf("%s|c%d", v, i))
		}
		return main(parts...)
	}
	panic(b.kind)
}

func (b behaviour) processor() engine.Processor {
	p := processor{ports: b.ports(), readOnly: b.kind == "filter" || b.kind == "fail" || b.kind == "route"}
	value := func(r *record.Record) string { return string(r.Value.Raw()) }
	switch b.kind {
	case "gather":
		p = gather(0, time.Second)
		size := 1 + int(b.salt%9)
		p.window = func() engine.Window {
			return &joined{size: size, refuse: func(v string) error { return b.on(v).err }}
		}
	case "ungather":
		p = ungather()
	case "gate":
		p.gate = func(ctx context.Context, n int, size func(int) int) (int, error) {
			if size(0) != 0 && size(n-1) == 0 {
				return 0, errBroken // no record of these tests is empty
			}
			time.Sleep(time.Duration(b.salt%3) * time.Millisecond)
			return 1 + int(b.salt)%n, ctx.Err()
		}
	case "route":
		p.route = func(r *record.Record, ports []int) ([]int, error) {
			for _, o := range b.on(value(r)).out {
				ports = append(ports, o.port)
			}
			return ports, nil
		}
	case "split":
		p.expand = func(r *record.Record, emit func(*record.Record) error) (err error) {
			v := value(r)
			defer restore(r, &err)()
			w := b.on(v)
			if w.err != nil { // after some parts
				r.Value.Reset(record.Opaque, []byte("rubbish"))
				if err := emit(r); err != nil {
					return err
				}
				return w.err
			}
			for _, o := range w.out {
				r.Value.Reset(record.Opaque, []byte(o.v))
				if err := emit(r); err != nil {
					return err
				}
			}
			return nil
		}
	default:
		p.step = func(r *record.Record) (bool, error) {
			v := value(r)
			w := b.on(v)
			if w.err != nil || len(w.out) == 0 {
				return false, w.err
			}
			if w.out[0].v != v {
				r.Value.Reset(record.Opaque, []byte(w.out[0].v))
			}
			return true, nil
		}
	}
	return p
}
