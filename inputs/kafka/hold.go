package kafka

import "time"

// heldPoll is how often to look whether a partition that is held back may go
// on.
const heldPoll = 20 * time.Millisecond

// heldBack lets go of partitions whose records were confirmed, and reports
// whether any is held back still.
func (in *Input) heldBack() bool {
	if in.holding == 0 {
		return false
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.holding = 0
	var free map[string][]int32
	for id, part := range in.parts {
		if !part.lag.held {
			continue
		}
		part.settle()
		if part.lag.bytes > in.share()/2 && len(in.parts) > 1 {
			in.holding++
			continue
		}
		part.lag.held = false
		if !part.ended {
			if free == nil {
				free = map[string][]int32{}
			}
			free[id.topic] = append(free[id.topic], id.partition)
		}
	}
	if free != nil {
		in.client.ResumeFetchPartitions(free)
	}
	return in.holding > 0
}

func (in *Input) isHeld(part *partition) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return part.lag.held
}

// hold stops reading a partition that has too large a share of what the
// pipeline may have in flight, so that one whose records do not get confirmed
// leaves room for the others. The member stays in the group, and the others
// are read on. mu is held.
func (in *Input) hold(part *partition) {
	share := in.share()
	if share == 0 || len(in.parts) < 2 || part.lag.bytes <= share || part.lag.held {
		return
	}
	part.lag.held = true
	in.holding++
	in.client.PauseFetchPartitions(map[string][]int32{part.id.topic: {part.id.partition}})
}

// share is how many bytes one of several partitions may have in flight: three
// quarters of all; 0: no limit.
func (in *Input) share() int64 {
	if h, ok := in.host.(interface{ MaxInFlight() int64 }); ok {
		return h.MaxInFlight() / 4 * 3
	}
	return 0
}
