package record

// PathID names a path of a Projection.
type PathID int32

// Root is the PathID of the whole value.
const Root PathID = 0

// Projection is the set of paths that the steps of a stage touch, as a trie,
// built while they are bound. Index looks for nothing else.
type Projection struct {
	nodes  []node
	frozen bool
}

// node is one path of the trie.
type node struct {
	parent PathID
	step   Step
	depth  int      // steps from the root
	quoted []byte   // "name": as it is written in front of a new member
	names  []PathID // children that are members
	elems  []PathID // children that are elements
	byName map[string]PathID
	// below is every path below this one.
	below []PathID
	// negative: an element is counted from the end.
	negative bool
	// alias: on the way stands an element that another path may name too
	// (items[0] and items[-1]), so an edit is not seen by paths alone.
	alias bool
}

// manyNames is when looking through a list of names gets slower than hashing.
const manyNames = 8

// NewProjection returns one that holds only the whole value, PathID 0.
func NewProjection() *Projection {
	return &Projection{nodes: []node{{parent: -1}}}
}

// Add returns the id of a path, the same one for an equal path. All prefixes
// of the path are added too. It panics after Freeze.
func (p *Projection) Add(path Path) PathID {
	if p.frozen {
		panic("record: Add to a frozen projection")
	}
	id := Root
	for _, step := range path {
		id = p.child(id, step)
	}
	return id
}

func (p *Projection) child(parent PathID, step Step) PathID {
	if step.IsIndex {
		step.Name = ""
	} else {
		step.Index = 0
	}
	n := &p.nodes[parent]
	siblings := n.names
	if step.IsIndex {
		siblings = n.elems
	}
	for _, id := range siblings {
		if p.nodes[id].step == step {
			return id
		}
	}
	id := PathID(len(p.nodes))
	if step.IsIndex {
		n.elems = append(n.elems, id)
	} else {
		n.names = append(n.names, id)
	}
	child := node{parent: parent, step: step, depth: n.depth + 1}
	if !step.IsIndex {
		child.quoted = append(AppendQuoted(nil, []byte(step.Name)), ':')
	}
	p.nodes = append(p.nodes, child)
	return id
}

// Parent returns the id of the path without its last step, and -1 for the root.
func (p *Projection) Parent(id PathID) PathID { return p.nodes[id].parent }

// Path returns the path of an id.
func (p *Projection) Path(id PathID) Path {
	path := Path{}
	for ; id != Root; id = p.nodes[id].parent {
		path = append(path, p.nodes[id].step)
	}
	for i, j := 0, len(path)-1; i < j; i, j = i+1, j-1 {
		path[i], path[j] = path[j], path[i]
	}
	return path
}

// Children returns the ids of the paths that are one step longer.
func (p *Projection) Children(id PathID) []PathID {
	n := &p.nodes[id]
	return append(append([]PathID(nil), n.names...), n.elems...)
}

// Freeze ends building. A frozen projection may be shared by many Docs and
// goroutines. NewDoc freezes.
func (p *Projection) Freeze() {
	if p.frozen {
		return
	}
	p.frozen = true
	for id := range p.nodes {
		n := &p.nodes[id]
		if len(n.names) > manyNames {
			n.byName = make(map[string]PathID, len(n.names))
			for _, c := range n.names {
				n.byName[p.nodes[c].step.Name] = c
			}
		}
		positive := false
		for _, c := range n.elems {
			if p.nodes[c].step.Index < 0 {
				n.negative = true
			} else {
				positive = true
			}
		}
		if n.negative && positive {
			for _, c := range n.elems {
				p.nodes[c].alias = true
			}
		}
		for up := n.parent; up >= 0; up = p.nodes[up].parent {
			p.nodes[up].below = append(p.nodes[up].below, PathID(id))
		}
	}
	for id := range p.nodes {
		if p.nodes[id].alias {
			for _, c := range p.nodes[id].below {
				p.nodes[c].alias = true
			}
		}
	}
}

// lookup returns the child of that name, -1 if it is not in the projection.
func (n *node) lookup(nodes []node, name []byte) PathID {
	if n.byName != nil {
		if id, ok := n.byName[string(name)]; ok {
			return id
		}
		return -1
	}
	for _, id := range n.names {
		if nodes[id].step.Name == string(name) {
			return id
		}
	}
	return -1
}

// element returns the child of the i-th element counted from the start, -1 if
// it is not in the projection.
func (n *node) element(nodes []node, i int) PathID {
	for _, id := range n.elems {
		if nodes[id].step.Index == i {
			return id
		}
	}
	return -1
}
