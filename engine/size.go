package engine

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// sizeUnits is in the order in which String tries them: the largest unit that
// divides a size is used.
var sizeUnits = [...]struct {
	name  string
	bytes int64
}{
	{"TiB", 1 << 40}, {"TB", 1e12},
	{"GiB", 1 << 30}, {"GB", 1e9},
	{"MiB", 1 << 20}, {"MB", 1e6},
	{"KiB", 1 << 10}, {"KB", 1e3},
	{"B", 1},
}

// ParseByteSize reads a size as it stands in a config: a whole or decimal
// number and a unit, "64KiB", "1.5 MB", "512B". No unit means bytes.
func ParseByteSize(s string) (ByteSize, error) {
	num, unit := strings.TrimSpace(s), int64(1)
	for _, u := range sizeUnits {
		if len(num) > len(u.name) && strings.EqualFold(num[len(num)-len(u.name):], u.name) {
			num, unit = strings.TrimSpace(num[:len(num)-len(u.name)]), u.bytes
			break
		}
	}
	if n, err := strconv.ParseInt(num, 10, 64); err == nil {
		if n > math.MaxInt64/unit || n < math.MinInt64/unit {
			return 0, fmt.Errorf("size %q is too large", s)
		}
		return ByteSize(n * unit), nil
	}
	if strings.Trim(num, "0123456789.") != "" || num == "" {
		return 0, fmt.Errorf("size %q is no number with a unit such as KiB, MiB, KB or MB", s)
	}
	f, err := strconv.ParseFloat(num, 64)
	if err != nil || f*float64(unit) >= math.MaxInt64 {
		return 0, fmt.Errorf("size %q is no number with a unit such as KiB, MiB, KB or MB", s)
	}
	return ByteSize(f * float64(unit)), nil
}

// String writes the size with the largest unit that loses nothing: 64KiB, 10MB.
func (b ByteSize) String() string {
	if b == 0 {
		return "0B"
	}
	for _, u := range sizeUnits {
		if int64(b)%u.bytes == 0 {
			return strconv.FormatInt(int64(b)/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(int64(b), 10) + "B" // not reached: 1 divides all
}

// SizeText writes a number of bytes for people: 1.5 MiB. ByteSize.String is
// exact instead.
func SizeText(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	f, i := float64(n)/unit, 0
	for ; f >= unit && i < 4; i++ {
		f /= unit
	}
	return fmt.Sprintf("%.1f %s", f, [...]string{"KiB", "MiB", "GiB", "TiB", "PiB"}[i])
}
