package transform

import (
	"fmt"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// Move is one of the renames that make several at once.
type Move struct {
	From, To record.PathID
	Of       record.Path // that the option names
}

// Moves are the renames, one after the other, that make all of a list at once:
// where a new name is also an old one, fields lie aside meanwhile.
func Moves(p *record.Projection, renames engine.Renames) []Move {
	var out []Move
	for _, rn := range steps(renames) {
		out = append(out, Move{p.Add(rn.From), p.Add(rn.To), rn.of})
	}
	return out
}

// Renamed is the schema behind these renames, nil if it is not known.
func Renamed(s *schema.Schema, renames engine.Renames) *schema.Schema {
	for _, rn := range steps(renames) {
		if s == nil || len(rn.From) == 0 || len(rn.To) == 0 {
			return nil
		}
		s = record.SchemaRename(s, rn.From, rn.To)
	}
	return s
}

type rename struct {
	engine.Rename
	of record.Path
}

func steps(renames engine.Renames) []rename {
	var out, back []rename
	around := circular(renames)
	for i, rn := range renames {
		if !around {
			out = append(out, rename{rn, rn.From})
			continue
		}
		// A name that no record has.
		aside := record.Path{{Name: fmt.Sprintf("\x00flow.%d", i)}}
		out = append(out, rename{engine.Rename{From: rn.From, To: aside}, rn.From})
		back = append(back, rename{engine.Rename{From: aside, To: rn.To}, rn.From})
	}
	return append(out, back...)
}

// circular reports that a new name is also an old one.
func circular(renames engine.Renames) bool {
	old := make(map[string]bool)
	for _, r := range renames {
		old[r.From.String()] = true
	}
	for _, r := range renames {
		if old[r.To.String()] {
			return true
		}
	}
	return false
}
