package playground

import (
	"bytes"
	"slices"
	"strings"

	"github.com/flowrecords/flow/engine/record"
)

// Change is what happened to one field of a record.
type Change struct {
	// Path with its root: value.customer.name, headers.source, topic.
	Path string
	// Old and New are Missing where the field was not, or is no more, there.
	Old, New record.Value
}

// maxChanges bounds what is said of one record.
const maxChanges = 10_000

// Diff returns what is different in b, in the order of a's fields, then what b
// has more.
func Diff(a, b *Record) []Change {
	d := &differ{}
	d.value("value", nil, optional(a.value(), a.Value != nil), optional(b.value(), b.Value != nil))
	d.value("key", nil, optional(a.key(), a.Key != nil), optional(b.key(), b.Key != nil))
	d.headers(a.Headers, b.Headers)
	d.plain("topic", a.Topic, b.Topic)
	if a.HasTimestamp != b.HasTimestamp || !a.Timestamp.Equal(b.Timestamp) {
		d.add(Change{"timestamp", optional(record.TimeValue(a.Timestamp), a.HasTimestamp), optional(record.TimeValue(b.Timestamp), b.HasTimestamp)})
	}
	return d.changes
}

func optional(v record.Value, there bool) record.Value {
	if !there {
		return record.Value{}
	}
	return v
}

type differ struct{ changes []Change }

func (d *differ) add(c Change) {
	if len(d.changes) < maxChanges {
		d.changes = append(d.changes, c)
	}
}

func (d *differ) plain(path, a, b string) {
	if a != b {
		d.add(Change{path, optional(record.StringValue(a), a != ""), optional(record.StringValue(b), b != "")})
	}
}

func (d *differ) headers(a, b []record.Header) {
	get := func(hs []record.Header, name string) record.Value {
		var v record.Value
		for _, h := range hs {
			if h.Key == name {
				v = text(h.Value)
			}
		}
		return v
	}
	var names []string
	for _, h := range slices.Concat(a, b) {
		if !slices.Contains(names, h.Key) {
			names = append(names, h.Key)
		}
	}
	for _, name := range names {
		if x, y := get(a, name), get(b, name); !sameValue(x, y) {
			d.add(Change{"headers" + step(record.Step{Name: name}), x, y})
		}
	}
}

// member is one field of an object; of repeated names the last counts.
type member struct {
	name  string
	value record.Value
}

func membersOf(v record.Value) []member {
	var out []member
	index := map[string]int{}
	_ = v.Members(func(name []byte, v record.Value) error {
		if i, ok := index[string(name)]; ok {
			out[i].value = v
			return nil
		}
		index[string(name)] = len(out)
		out = append(out, member{string(name), v})
		return nil
	})
	return out
}

func (d *differ) value(root string, path record.Path, a, b record.Value) {
	switch {
	case len(d.changes) == maxChanges:
		return
	case a.Kind() == record.Object && b.Kind() == record.Object:
		d.objects(root, path, a, b)
	case a.Kind() == record.Array && b.Kind() == record.Array:
		d.arrays(root, path, a, b)
	case !sameValue(a, b):
		d.add(Change{pathText(root, path), a, b})
	}
}

func (d *differ) objects(root string, path record.Path, a, b record.Value) {
	was, is := membersOf(a), membersOf(b)
	now := make(map[string]record.Value, len(is))
	for _, m := range is {
		now[m.name] = m.value
	}
	before := make(map[string]bool, len(was))
	for _, m := range was {
		before[m.name] = true
		d.value(root, append(slices.Clone(path), record.Step{Name: m.name}), m.value, now[m.name])
	}
	for _, m := range is {
		if !before[m.name] {
			d.value(root, append(slices.Clone(path), record.Step{Name: m.name}), record.Value{}, m.value)
		}
	}
}

func (d *differ) arrays(root string, path record.Path, a, b record.Value) {
	was, is := elementsOf(a), elementsOf(b)
	for i := range max(len(was), len(is)) {
		var x, y record.Value
		if i < len(was) {
			x = was[i]
		}
		if i < len(is) {
			y = is[i]
		}
		d.value(root, append(slices.Clone(path), record.Step{IsIndex: true, Index: i}), x, y)
	}
}

func elementsOf(v record.Value) []record.Value {
	var out []record.Value
	_ = v.Elements(func(e record.Value) error {
		out = append(out, e)
		return nil
	})
	return out
}

// sameValue compares as the bytes of JSON do: 1 and 1.0 differ, since a
// consumer may see the difference.
func sameValue(a, b record.Value) bool {
	if (a.Kind() == record.Missing) != (b.Kind() == record.Missing) {
		return false
	}
	x, errX := a.AppendJSON(nil)
	y, errY := b.AppendJSON(nil)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

func pathText(root string, path record.Path) string {
	if len(path) == 0 {
		return root
	}
	rest := path.String()
	if rest[0] != '[' {
		root += "."
	}
	return root + rest
}

func step(s record.Step) string {
	return pathText("", record.Path{s})
}

// changeLines writes changes for people, in columns.
func (s Style) changeLines(changes []Change, hide func(string) string) []string {
	width := 0
	for _, c := range changes {
		width = max(width, len([]rune(plain(c.Path))))
	}
	width = min(width, 40)
	room := s.Width
	if room <= 0 {
		room = 1 << 20
	}
	var lines []string
	for _, c := range changes {
		path := plain(c.Path)
		head := 4 + max(width, len([]rune(path))) + 2
		rest := max(room-head, 20)
		pad := strings.Repeat(" ", max(0, width-len([]rune(path))))
		short := func(v record.Value, columns int) string {
			return clip(hide(plain(jsonLine(v))), columns)
		}
		switch {
		case c.Old.Kind() == record.Missing:
			lines = append(lines, s.paint(colorAdd, "  + "+path+pad+"  "+short(c.New, rest)))
		case c.New.Kind() == record.Missing:
			lines = append(lines, s.paint(colorDel, "  - "+path+pad+"  "+short(c.Old, rest)))
		default:
			half := max((rest-4)/2, 10)
			lines = append(lines, s.paint(colorChange, "  ~ "+path+pad)+"  "+
				s.paint(colorDel, short(c.Old, half))+" -> "+s.paint(colorAdd, short(c.New, half)))
		}
	}
	return lines
}

func jsonLine(v record.Value) string {
	if v.IsNil() {
		return "null"
	}
	b, err := v.AppendJSON(nil)
	if err != nil {
		return err.Error()
	}
	if c, err := record.Compact(nil, b); err == nil {
		b = c
	}
	return string(b)
}
