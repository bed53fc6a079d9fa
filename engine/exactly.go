package engine

// ExactlyOnce is the value of Settings.Delivery under which positions are stored
// in cuts.
const ExactlyOnce = "exactly_once"

// Obstacle is an element that keeps a pipeline from delivering exactly once.
type Obstacle struct {
	// Element is its address.
	Element string
	// Why is part of a sentence that follows the address: "cannot be read
	// again: a pipe delivers its bytes once".
	Why string
	// Remedy is a whole sentence; empty where only another output or input helps.
	Remedy string
}

// ObstaclesOf returns what keeps elements from delivering exactly once, in their
// order; none: every record is in every target once, whatever happens
// (Invariant 6). Each output must take back what came after a cut (Marker), be
// keyed so that a repeat changes nothing, or throw away. Each input must go on
// exactly where a cut says.
func ObstaclesOf(elements []*Element) []Obstacle {
	var list []Obstacle
	tx := TransactionsOf(elements)
	for _, e := range elements {
		var o Obstacle
		switch {
		case e.Kind == KindInput && tx != "":
			o = enlistObstacle(&e.Delivery, tx)
		case e.Kind == KindInput:
			o = inputObstacle(&e.Delivery)
		case e.Kind == KindOutput && tx != "" && e.Delivery.Transactions != "":
			o = producerObstacle(e, elements)
		case e.Kind == KindOutput:
			o = outputObstacle(&e.Delivery)
		}
		if o.Why != "" {
			o.Element = e.Address()
			list = append(list, o)
		}
	}
	return list
}

func inputObstacle(d *Delivery) Obstacle {
	switch {
	case d.Once != "":
		return Obstacle{Why: "cannot be read again: " + d.Once, Remedy: "Put what can be read again in front, such as a file or a topic."}
	case d.Positions != "" && !d.Resumes:
		return Obstacle{Why: "has its positions kept by " + d.Positions + ", which cannot change together with what outputs hold"}
	}
	return Obstacle{}
}

func outputObstacle(d *Delivery) Obstacle {
	switch {
	case d.Discards:
		return Obstacle{}
	case d.Lossy != "":
		return Obstacle{Why: "may lose what it has confirmed: " + d.Lossy, Remedy: "If an option makes it so, leave that at its default."}
	case d.Marks, d.Idempotent != "":
		return Obstacle{}
	case d.Transactions != "":
		return Obstacle{Why: "writes in transactions of " + d.Transactions + ", in which not all outputs take part", Remedy: "Have all outputs write over one connection, or split the pipeline at a topic."}
	case d.Unmarked != "":
		return Obstacle{Why: "cannot take back what it has written: " + d.Unmarked}
	}
	return Obstacle{Why: "cannot take back what it has written, nor is a record that comes twice without effect there"}
}
