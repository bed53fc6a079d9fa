package kafka

import (
	"strings"
	"testing"

	"github.com/flowrecords/flow/engine"
)

// Check compares a topic that is there with the block, and makes none.
func TestCheckTellsDifferences(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c *cluster) {
		there := c.create(t, "there", 2, map[string]string{"retention.ms": "1000000"})
		check := func(topic string) (warnings []string, failed bool) {
			config := Defaults()
			config.Connection, config.Topic = connect(c.addrs), literal(topic)
			config.CreateTopics = &CreateTopics{Partitions: 6, Config: map[string]string{"retention.ms": "2000000"}}
			o, err := New(config, engine.Env{Pipeline: "test", Element: "output.kafka.out"})
			if err != nil {
				t.Fatal(err)
			}
			r := &engine.CheckReport{}
			o.Check(testContext(t), r)
			for _, check := range r.Checks() {
				if check.Status == engine.CheckWarning && strings.Contains(check.Detail, "create_topics") {
					warnings = append(warnings, check.Detail)
				}
				failed = failed || check.Status == engine.CheckFailure
			}
			return warnings, failed
		}
		warnings, failed := check(there)
		if len(warnings) != 2 || failed || !strings.Contains(warnings[0], "partitions is 2") || !strings.Contains(warnings[1], "retention.ms is 1000000") {
			t.Errorf("warnings %q, failed %t", warnings, failed)
		}
		missing := c.missing(t, "missing")
		if warnings, failed := check(missing); len(warnings) > 0 || failed {
			t.Errorf("a topic that can be created: %q, failed %t", warnings, failed)
		}
		if topics, err := c.admin(t).ListTopics(testContext(t), missing); err != nil || len(topics[missing].Partitions) > 0 {
			t.Errorf("Check has made the topic: %v", err)
		}
	})
}
