package engine

import (
	"testing"
)

func TestParseByteSize(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in   string
		want ByteSize
		ok   bool
	}{
		{"64KiB", 64 << 10, true},
		{"10MB", 10_000_000, true},
		{"1.5 kib", 1536, true},
		{"512", 512, true},
		{"512B", 512, true},
		{" 2 GiB ", 2 << 30, true},
		{"0", 0, true},
		{"-1KiB", -1024, true},
		{"", 0, false},
		{"KiB", 0, false},
		{"64K", 0, false},
		{"1e3", 0, false},
		{"0x10", 0, false},
		{"NaNMB", 0, false},
		{"9000000000000000000TiB", 0, false},
		{"99999999999999.5TiB", 0, false},
	}
	for _, tt := range tests {
		got, err := ParseByteSize(tt.in)
		if (err == nil) != tt.ok || got != tt.want {
			t.Errorf("ParseByteSize(%q) = %d, %v; want %d, ok %v", tt.in, got, err, tt.want, tt.ok)
		}
	}
}

func FuzzByteSize(f *testing.F) {
	f.Add("64KiB")
	f.Add("1.5MB")
	f.Fuzz(func(t *testing.T, s string) {
		n, err := ParseByteSize(s)
		if err != nil {
			return
		}
		back, err := ParseByteSize(n.String())
		if err != nil || back != n {
			t.Fatalf("ParseByteSize(%q) = %d, written %q, read back %d, %v", s, n, n.String(), back, err)
		}
	})
}

func TestSizeText(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1536: "1.5 KiB", 1 << 30: "1.0 GiB", 1 << 60: "1024.0 PiB"} {
		if got := SizeText(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
}
