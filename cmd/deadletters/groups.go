package deadletters

import (
	"cmp"
	"regexp"
	"slices"
	"time"
)

// maxGroups bounds how many different reasons are told apart; the rest is
// counted together (Invariant 5).
const maxGroups = 1000

// Group is letters of one element and reason.
type Group struct {
	Element string `json:"element"`
	// Reason is that of the first one; those that differ in numbers and quoted
	// text only are in the same group.
	Reason string    `json:"reason"`
	Count  int64     `json:"count"`
	First  time.Time `json:"first,omitzero"`
	Last   time.Time `json:"last,omitzero"`
	// Example names one of them.
	Example string `json:"example"`
}

// Groups counts letters.
type Groups struct {
	all   map[[2]string]*Group
	other *Group
}

// NewGroups returns an empty count.
func NewGroups() *Groups { return &Groups{all: map[[2]string]*Group{}} }

// varying is what differs between errors of one kind.
var varying = regexp.MustCompile("\"(?:[^\"\\\\]|\\\\.)*\"|'[^']*'|`[^`]*`|[0-9]+")

// Add counts a letter.
func (g *Groups) Add(element, reason string, l *Letter) {
	key := [2]string{element, varying.ReplaceAllString(reason, "?")}
	x := g.all[key]
	if x == nil {
		if len(g.all) >= maxGroups {
			if g.other == nil {
				g.other = &Group{Element: "-", Reason: "other reasons", Example: l.ID}
			}
			x = g.other
		} else {
			x = &Group{Element: element, Reason: reason, Example: l.ID}
			g.all[key] = x
		}
	}
	x.Count++
	if l.Time.IsZero() {
		return
	}
	if x.First.IsZero() || l.Time.Before(x.First) {
		x.First = l.Time
	}
	if l.Time.After(x.Last) {
		x.Last = l.Time
	}
}

// List returns the groups, the largest first.
func (g *Groups) List() []*Group {
	var list []*Group
	for _, x := range g.all {
		list = append(list, x)
	}
	slices.SortFunc(list, func(a, b *Group) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Element, b.Element), cmp.Compare(a.Reason, b.Reason))
	})
	if g.other != nil {
		list = append(list, g.other)
	}
	return list
}
