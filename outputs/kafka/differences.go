package kafka

import (
	"maps"
	"slices"
	"strconv"
)

// difference is between a topic that is there and one that would have been
// created.
type difference struct{ option, want, got string }

// differences compares a topic with what the block says. What the block leaves
// to the brokers, and what they do not tell, cannot differ.
func (c *CreateTopics) differences(t *topic, configs map[string]string) []difference {
	var list []difference
	add := func(option, want, got string) {
		if want != got {
			list = append(list, difference{option, want, got})
		}
	}
	if c.Partitions > 0 {
		add("partitions", strconv.Itoa(c.Partitions), strconv.Itoa(int(t.partitions)))
	}
	if c.Replication > 0 && t.copies > 0 {
		add("replication", strconv.Itoa(c.Replication), strconv.Itoa(t.copies))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Config)) {
		if got, ok := configs[name]; ok {
			add("config "+name, c.Config[name], got)
		}
	}
	return list
}
