package javatime_test

import (
	"strings"
	"testing"
	"time"

	"github.com/flowrecords/flow/engine/record/javatime"
)

var at = time.Date(2023, 11, 4, 22, 3, 20, 123456789, time.FixedZone("", 2*3600))

func TestPattern(t *testing.T) {
	t.Parallel()
	tests := []struct {
		pattern string
		java    bool
		want    string
	}{
		{"yyyy-MM-dd'T'HH:mm:ss.SSSXXX", false, "2023-11-04T22:03:20.123+02:00"},
		{"yyyy-MM-dd HH:mm:ss.SSSSSS Z", false, "2023-11-04 22:03:20.123456 +0200"},
		{"yyyy-MM-dd HH:mm:ss.SSSSSS X", true, "2023-11-04 22:03:20.000123 +02"},
		{"EEE, d MMM yy 'o''clock' h a", false, "Sat, 4 Nov 23 o'clock 10 PM"},
		{"EEEE MMMM D u", false, "Saturday November 308 6"},
		{"yyyyMMddHHmmss", false, "20231104220320"},
	}
	for _, tt := range tests {
		p, err := javatime.Compile(tt.pattern, tt.java)
		if err != nil {
			t.Errorf("%s: %v", tt.pattern, err)
			continue
		}
		got := string(p.Append(nil, at))
		if got != tt.want {
			t.Errorf("%s: %s, want %s", tt.pattern, got, tt.want)
		}
		// What is written reads back, as far as the pattern says it.
		back, err := p.Parse(got, at, at.Location())
		if err != nil {
			t.Errorf("%s: reading %s: %v", tt.pattern, got, err)
		} else if again := string(p.Append(nil, back.In(at.Location()))); again != got && !strings.Contains(tt.pattern, "D u") {
			t.Errorf("%s: %s reads back as %s", tt.pattern, got, again)
		}
	}
}

func TestPatternMistakes(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]string{
		"yyyy-MM-ddTHH": "the letter T at character 11",
		"YYYY":          "the letter Y at character 1",
		"'open":         "the quote at character 1",
		"XXXX":          "the letter X at character 1",
		"":              "empty",
	} {
		if _, err := javatime.Compile(pattern, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", pattern, err, want)
		}
	}
}

func TestStrictAndLenient(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"2023-13-01", "2023-11-04 and more", "2023-02-30"} {
		strict, _ := javatime.Compile("yyyy-MM-dd", false)
		if _, err := strict.Parse(text, at, time.UTC); err == nil {
			t.Errorf("%s is read", text)
		}
		java, _ := javatime.Compile("yyyy-MM-dd", true)
		if _, err := java.Parse(text, at, time.UTC); err != nil {
			t.Errorf("%s is not read as Java does: %v", text, err)
		}
	}
}

// FuzzPattern: no pattern and no text panics, and what is written has a bound.
func FuzzPattern(f *testing.F) {
	f.Add("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "2023-11-04T22:03:20.123+02:00", true)
	f.Add("yyMMddHHmm", "2311042203", false)
	f.Fuzz(func(t *testing.T, pattern, text string, java bool) {
		p, err := javatime.Compile(pattern, java)
		if err != nil {
			return
		}
		if out := p.Append(nil, at); len(out) > 16*len(pattern)+16 {
			t.Errorf("%q writes %d bytes", pattern, len(out))
		}
		if back, err := p.Parse(text, at, time.UTC); err == nil && !java && (back.Year() < -9999 || back.Year() > 9999) {
			t.Errorf("%q of %q is %v", text, pattern, back)
		}
	})
}
