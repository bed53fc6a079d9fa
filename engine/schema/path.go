package schema

import (
	"errors"
	"strconv"
	"strings"

	"github.com/flowrecords/flow/engine/internal/jsontext"
)

// Error says what is wrong with a schema or a value, and where in it.
type Error struct {
	// Path leads there: items[3].price, counts["x"], payment(Card).number. In a
	// schema elements are items[], keys and values counts[key] and
	// counts[value]. It is empty for the whole.
	Path string
	Msg  string
}

func (e *Error) Error() string {
	if e.Path == "" {
		return e.Msg
	}
	return e.Path + ": " + e.Msg
}

// JoinPath returns the path of what lies at inner below a step.
func JoinPath(step, inner string) string {
	switch {
	case inner == "":
		return step
	case step == "" || inner[0] == '[' || inner[0] == '(':
		return step + inner
	default:
		return step + "." + inner
	}
}

// FieldStep is the step to a field, as expressions write paths: price, ["a.b"].
func FieldStep(name string) string {
	if plain := quoteName(name, false); plain == name {
		return name
	}
	return "[" + string(jsontext.AppendQuoted(nil, name)) + "]"
}

func indexStep(i int) string { return "[" + strconv.Itoa(i) + "]" }

func branchStep(name string) string { return "(" + name + ")" }

// within returns err with a step before its path. Errors of the JSON reader
// get their place as text.
func within(err error, step string) error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return &Error{Path: JoinPath(step, e.Path), Msg: e.Msg}
	}
	return err
}

// excerpt is the beginning of a value, for errors.
func excerpt(text []byte) string {
	const most = 60
	if len(text) <= most {
		return string(text)
	}
	return strings.ToValidUTF8(string(text[:most]), "") + "..."
}
