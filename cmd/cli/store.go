package cli

import (
	"log/slog"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/checkpoint"
)

// storeOf returns where the positions of a pipeline are: in the system that its
// checkpoint names, or in dir.
func storeOf(p *engine.Pipeline, dir, version string, logger *slog.Logger) *lazyStore {
	system, ok := p.Settings.Checkpoint.Value.(checkpoint.System)
	if !ok {
		return &lazyStore{where: dir, anew: "take them back with flow positions reset, or give another --state-dir",
			open: func() (checkpoint.Store, error) { return checkpoint.OpenDir(dir, p.Name) }}
	}
	logger = logger.With("pipeline", p.Name)
	where := system.PositionsIn()
	moved := &checkpoint.Moved{Dir: dir, Pipeline: p.Name, Adopted: func(n int) {
		logger.Info("positions were taken over from a folder, which is not looked at again", "positions", n, "from", dir, "to", where)
	}}
	if p.Settings.Delivery == engine.ExactlyOnce && engine.TransactionsOf(p.Elements) != "" {
		// The transaction of the outputs reads and writes the topic itself, and
		// counts over what the folder has.
		moved.Store = checkpoint.NewMemory()
		moved.Adopted = nil
	} else {
		moved.Store = system.Positions(engine.Env{Pipeline: p.Name, Element: "checkpoint", Logger: logger.With("element", "checkpoint"), Now: time.Now, Version: version}, p.Name)
	}
	return &lazyStore{where: where, anew: "take them back with flow positions reset, or give the pipeline another name",
		open: func() (checkpoint.Store, error) { return moved, nil }}
}
