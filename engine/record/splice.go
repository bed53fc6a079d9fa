package record

import "slices"

// edit replaces a range of the base. Edits never overlap, and those that
// insert at the same place keep the order in which they were made.
type edit struct {
	start, end int
	comma      bool   // a comma goes before
	key        []byte // "name": of an inserted member
	text       []byte
}

// fewEdits is up to where sorting by insertion is the fastest.
const fewEdits = 24

// sort returns the edits' numbers in the order of their places.
func (d *Doc) sort() []int32 {
	order := d.order[:0]
	for i := range d.edits {
		order = append(order, int32(i))
	}
	d.order = order
	if len(order) > fewEdits {
		slices.SortStableFunc(order, func(a, b int32) int { return d.edits[a].start - d.edits[b].start })
		return order
	}
	for i := 1; i < len(order); i++ {
		for j := i; j > 0 && d.edits[order[j]].start < d.edits[order[j-1]].start; j-- {
			order[j], order[j-1] = order[j-1], order[j]
		}
	}
	return order
}

// splice appends base[start:end] with the edits that lie in it.
func (d *Doc) splice(dst []byte, start, end int) []byte {
	at := start
	size := end - start
	for i := range d.edits {
		size += len(d.edits[i].key) + len(d.edits[i].text) + 1
	}
	dst = slices.Grow(dst, size)
	for _, n := range d.sort() {
		e := &d.edits[n]
		if e.start < start || e.start >= end {
			continue // behind the last bracket begins the next container's
		}
		dst = append(dst, d.base[at:e.start]...)
		if e.comma {
			dst = append(dst, ',')
		}
		if e.key != nil {
			dst = append(dst, e.key...)
		}
		dst = append(dst, e.text...)
		at = e.end
	}
	return append(dst, d.base[at:end]...)
}
