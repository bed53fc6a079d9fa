package http

import (
	"fmt"
	"strconv"
	"strings"
)

// statusRange holds statuses, both ends included.
type statusRange struct{ from, to int }

// parseStatus reads "404", "4xx" or "500-504".
func parseStatus(s string) (statusRange, error) {
	if class, ok := strings.CutSuffix(strings.ToLower(s), "xx"); ok && len(class) == 1 && class >= "1" && class <= "5" {
		from := int(class[0]-'0') * 100
		return statusRange{from, from + 99}, nil
	}
	first, last, isRange := strings.Cut(s, "-")
	if !isRange {
		last = first
	}
	from, err := status(first)
	if err != nil {
		return statusRange{}, err
	}
	to, err := status(last)
	if err != nil || to < from {
		return statusRange{}, fmt.Errorf("%q is no range of statuses", s)
	}
	return statusRange{from, to}, nil
}

func status(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || len(s) != 3 || n < 100 {
		return 0, fmt.Errorf("%q is no status", s)
	}
	return n, nil
}

// statuses is a list of checked statuses.
type statuses []statusRange

func newStatuses(list []string) statuses {
	var out statuses
	for _, s := range list {
		if r, err := parseStatus(s); err == nil { // Validate has found the others
			out = append(out, r)
		}
	}
	return out
}

func (s statuses) has(code int) bool {
	for _, r := range s {
		if code >= r.from && code <= r.to {
			return true
		}
	}
	return false
}
