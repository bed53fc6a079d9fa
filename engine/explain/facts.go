package explain

import (
	"slices"
	"strings"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// pathText writes a path below a name as an expression does.
func pathText(root string, p record.Path) string {
	text := p.String()
	if text == "" || text[0] == '[' {
		return root + text
	}
	return root + "." + text
}

// readsText lists what is read, sorted. A path below one that is there too is
// left out.
func readsText(r engine.Reads) []string {
	list := append(pathsText("value", r.Value), pathsText("key", r.Key)...)
	list = append(list, namesText("headers", r.Headers, r.AllHeaders)...)
	list = append(list, namesText("meta", r.Meta, r.AllMeta)...)
	for _, f := range []struct {
		name string
		on   bool
	}{{"topic", r.Topic}, {"partition", r.Partition}, {"offset", r.Offset}, {"timestamp", r.Timestamp}} {
		if f.on {
			list = append(list, f.name)
		}
	}
	return list
}

func pathsText(root string, paths []record.Path) []string {
	var list []string
	for _, p := range paths {
		below := slices.ContainsFunc(paths, func(q record.Path) bool { return len(q) < len(p) && slices.Equal(q, p[:len(q)]) })
		if text := pathText(root, p); !below && !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	slices.Sort(list)
	return list
}

func namesText(root string, names []string, all bool) []string {
	if all {
		return []string{root}
	}
	var list []string
	for _, n := range names {
		list = append(list, pathText(root, record.Path{{Name: n}}))
	}
	slices.Sort(list)
	return list
}

// wholeOf reports whether all of a value is read, so that projection is no
// help.
func wholeOf(paths []record.Path) bool {
	return slices.ContainsFunc(paths, func(p record.Path) bool { return len(p) == 0 })
}

// changesOf is what a processor says of itself.
func changesOf(c *engine.Changes, readOnly bool) *Changes {
	switch {
	case readOnly:
		return &Changes{Known: true, ReadOnly: true}
	case c == nil:
		return &Changes{}
	}
	out := &Changes{Known: true}
	if c.WholeValue {
		out.Writes = append(out.Writes, "value")
	}
	for _, p := range c.Sets {
		out.Writes = append(out.Writes, pathText("value", p))
	}
	for _, p := range c.Removes {
		out.Removes = append(out.Removes, pathText("value", p))
	}
	for _, p := range c.Keeps {
		out.Keeps = append(out.Keeps, pathText("value", p))
	}
	for _, m := range c.Moves {
		out.Moves = append(out.Moves, Move{From: pathText("value", m.From), To: pathText("value", m.To)})
	}
	if c.Key {
		out.Writes = append(out.Writes, "key")
	}
	out.Writes = append(out.Writes, namesText("headers", c.Headers, c.AllHeaders)...)
	if c.Topic {
		out.Writes = append(out.Writes, "topic")
	}
	if c.Timestamp {
		out.Writes = append(out.Writes, "timestamp")
	}
	return out
}

// add makes c the changes of a chain.
func (c *Changes) add(other *Changes) {
	c.Known = c.Known && other.Known
	c.ReadOnly = c.ReadOnly && other.ReadOnly
	c.Writes = union(c.Writes, other.Writes)
	c.Removes = union(c.Removes, other.Removes)
	c.Keeps = union(c.Keeps, other.Keeps)
	c.Moves = append(c.Moves, other.Moves...)
}

func union(list, more []string) []string {
	for _, s := range more {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

// list joins names as a sentence does: a, b and c.
func list(names []string) string {
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "")
}
