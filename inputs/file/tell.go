package file

import (
	"fmt"
	"os"

	"github.com/flowrecords/flow/engine"
)

// TellPosition implements engine.PositionTeller.
func (in *input) TellPosition(path string, p engine.Position) string {
	id, err := parseIdentity(p)
	if err != nil {
		return ""
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Sprintf("byte %d of a file that is not there now", p.Offset)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	if same, err := id.matches(f, info); err != nil || !same {
		return fmt.Sprintf("byte %d of another file that had this name", p.Offset)
	}
	if id.done >= 0 {
		return "all of it"
	}
	return fmt.Sprintf("byte %d of %d", p.Offset, info.Size())
}

var _ engine.PositionTeller = (*input)(nil)
