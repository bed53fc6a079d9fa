package record

import "slices"

// edit replaces a range of the base. Edits never overlap, and those that
// insert at the same place keep the order in which they were made.
type edit struct {
	start, end int32
	name       PathID // an inserted member's path, whose name goes before; 0: none
	comma      bool   // a comma goes before all
	text       []byte
}

// fewEdits is up to where sorting by insertion is the fastest.
const fewEdits = 24

// sort returns the edits' numbers in the order of their places.
func (d *Doc) sort() []int32 {
	order, edits := d.order[:0], d.edits
	for i := range edits {
		order = append(order, int32(i))
	}
	d.order = order
	if len(order) > fewEdits {
		slices.SortStableFunc(order, func(a, b int32) int { return int(edits[a].start - edits[b].start) })
		return order
	}
	for i := 1; i < len(order); i++ {
		for j := i; j > 0 && edits[order[j]].start < edits[order[j-1]].start; j-- {
			order[j], order[j-1] = order[j-1], order[j]
		}
	}
	return order
}

// splice appends base[start:end] with the edits that lie in it.
func (d *Doc) splice(dst []byte, start, end int) []byte {
	at := start
	nodes, edits, base := d.proj.nodes, d.edits, d.base
	for _, n := range d.sort() {
		e := &edits[n]
		if int(e.start) < start || int(e.start) >= end {
			continue // behind the last bracket begins the next container's
		}
		dst = append(dst, base[at:e.start]...)
		if e.comma {
			dst = append(dst, ',')
		}
		if e.name != Root {
			dst = append(dst, nodes[e.name].quoted...)
		}
		dst = append(dst, e.text...)
		at = int(e.end)
	}
	return append(dst, base[at:end]...)
}
