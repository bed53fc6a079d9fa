package kafka

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/flowrecords/flow/engine"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		edit func(*Config)
		want string
	}{
		{"topics", func(*Config) {}, ""},
		{"a time", func(c *Config) { c.Start = "2026-01-31T10:00:00+02:00" }, ""},
		{"no topics", func(c *Config) { c.Topics = nil }, "topics: no topics"},
		{"topics and a pattern", func(c *Config) { c.TopicsRegex = engine.Pattern{Regexp: regexp.MustCompile("a")} },
			"topics_regex: topics and topics_regex exclude each other"},
		{"a topic twice", func(c *Config) { c.Topics = []string{"a", "a"} }, `topics: topic "a" is listed twice`},
		{"an empty topic", func(c *Config) { c.Topics = []string{""} }, "topics: empty topic name"},
		{"no group", func(c *Config) { c.Group = "" }, "group: group is empty"},
		{"start", func(c *Config) { c.Start = "yesterday" }, "start: unknown start"},
		{"revoke_wait", func(c *Config) { c.RevokeWait = time.Hour }, "revoke_wait: revoke_wait is not under rebalance_timeout"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := Defaults()
			c.Topics, c.Group = []string{"orders"}, "g"
			tt.edit(c)
			var got []string
			for _, p := range c.Validate() {
				if p.Detail == "" {
					t.Errorf("%s has no detail", p.Summary)
				}
				got = append(got, p.Option+": "+p.Summary)
			}
			if strings.Join(got, "\n") != tt.want {
				t.Errorf("problems %q, want %q", got, tt.want)
			}
		})
	}
}
