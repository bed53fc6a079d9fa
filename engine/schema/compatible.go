package schema

import (
	"fmt"
	"strings"
)

// Level is how a new schema must go with those before it.
type Level uint8

// The levels of schema registries. Backward: the new schema reads data of the
// last one. Forward: the last one reads data of the new. Full: both. Transitive:
// also with all before the last.
const (
	LevelNone Level = iota
	Backward
	BackwardTransitive
	Forward
	ForwardTransitive
	Full
	FullTransitive
)

var levelNames = [...]string{"none", "backward", "backward_transitive", "forward", "forward_transitive", "full", "full_transitive"}

// String returns the level in lower case: backward_transitive.
func (l Level) String() string {
	if int(l) < len(levelNames) {
		return levelNames[l]
	}
	return "unknown"
}

// ParseLevel reads a level in any letter case, as registries (BACKWARD) and
// configs (backward) write it.
func ParseLevel(text string) (Level, error) {
	for l, name := range levelNames {
		if strings.EqualFold(name, text) {
			return Level(l), nil
		}
	}
	return LevelNone, fmt.Errorf("there is no compatibility level %q: it is one of %s", text, strings.Join(levelNames[:], ", "))
}

// Transitive reports whether all schemas of a history count, not only the last.
func (l Level) Transitive() bool {
	return l == BackwardTransitive || l == ForwardTransitive || l == FullTransitive
}

func (l Level) backward() bool { return l == Backward || l == BackwardTransitive || l >= Full }
func (l Level) forward() bool  { return l >= Forward }

// Violation is a reason why a schema does not go with one before it.
type Violation struct {
	// Against is which schema of the history, counted from 0.
	Against int
	// Forward: the old schema cannot read data of the new one. Else the new one
	// cannot read data of the old.
	Forward bool
	Reason  Error
}

func (v *Violation) Error() string {
	what := "data of version %d cannot be read with the new schema: %s"
	if v.Forward {
		what = "version %d cannot read data of the new schema: %s"
	}
	return fmt.Sprintf(what, v.Against+1, v.Reason.Error())
}

// Check returns every reason why next does not go with the history, the oldest
// first, at this level.
func (l Level) Check(next *Schema, history []*Schema) []Violation {
	var list []Violation
	first := 0
	if !l.Transitive() && len(history) > 0 {
		first = len(history) - 1
	}
	for i := first; i < len(history); i++ {
		if l.backward() {
			for _, e := range Compatible(next, history[i]) {
				list = append(list, Violation{Against: i, Reason: e})
			}
		}
		if l.forward() {
			for _, e := range Compatible(history[i], next) {
				list = append(list, Violation{Against: i, Forward: true, Reason: e})
			}
		}
	}
	return list
}
