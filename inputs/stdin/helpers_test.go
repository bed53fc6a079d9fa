package stdin

import (
	"regexp"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/inputs/internal/framing"
)

func multiline(start string, timeout time.Duration) *framing.MultilineBlock {
	return &framing.MultilineBlock{Start: engine.Pattern{Regexp: regexp.MustCompile(start)}, Timeout: timeout}
}
