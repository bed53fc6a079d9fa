package explain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode"
)

// WriteJSON writes a plan in its stable form. Characters that a terminal takes
// for a command, or that turn the direction of text, are escaped.
func WriteJSON(w io.Writer, plan *Plan) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(plan); err != nil {
		return err
	}
	var out bytes.Buffer
	for _, r := range b.String() {
		if r > 0x7e && r <= 0xffff && !unicode.IsPrint(r) {
			fmt.Fprintf(&out, `\u%04x`, r) // only within texts: all else is ASCII
			continue
		}
		out.WriteRune(r)
	}
	_, err := w.Write(out.Bytes())
	return err
}
