package dsl

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/flowrecords/flow/dsl/rules"
	"github.com/flowrecords/flow/engine"
)

// checkFiles finds outputs that write a file which an input reads: that would
// read what it writes, without end or torn. Pipelines of which one waits for
// the other may share a file.
func (l *loader) checkFiles() {
	type reader struct {
		p *pipeline
		e *element
	}
	readers := make(map[string][]reader)
	byName := make(map[string]*pipeline)
	for _, p := range l.pipelines {
		byName[p.name] = p
		for _, e := range p.elements {
			for _, path := range e.files {
				if path = filepath.Clean(path); e.Kind == engine.KindInput && !device(path) {
					readers[path] = append(readers[path], reader{p, e})
				}
			}
		}
	}
	for _, p := range l.pipelines {
		for _, e := range p.elements {
			if e.Kind != engine.KindOutput {
				continue
			}
			for _, path := range e.files {
				for _, r := range readers[filepath.Clean(path)] {
					if r.p != p && (p.waitsFor(r.p, byName) || r.p.waitsFor(p, byName)) {
						continue
					}
					l.report(rules.ReadsWhatItWrites, e.d.place("path"), fmt.Sprintf("output writes what %s reads", r.e.Address()),
						"The input at %s would read what this output writes to %s. Choose another path%s.", r.e.Where, shown(path), afterRemedy(p, r.p))
				}
			}
		}
	}
}

func afterRemedy(writer, reader *pipeline) string {
	if writer == reader {
		return ""
	}
	return fmt.Sprintf(", or let one pipeline wait for the other: after = [%q] in %s", writer.name, reader.name)
}

// device: what is written to /dev/null and the like cannot be read again.
func device(path string) bool { return strings.HasPrefix(path, "/dev/") }

// waitsFor reports whether p waits for q, directly or not.
func (p *pipeline) waitsFor(q *pipeline, byName map[string]*pipeline) bool {
	return p != q && p.circle(byName, q, map[*pipeline]bool{})
}
