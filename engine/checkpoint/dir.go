package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"

	"github.com/flowrecords/flow/engine"
)

// Bounds of the files of a store.
const (
	// rewriteBytes and rewriteFactor say when a file is replaced by a fresh
	// one: when it is larger than both the bytes and so many times its first
	// entry. Rewriting then costs a fraction of appending.
	rewriteBytes  = 1 << 20
	rewriteFactor = 4

	// keptFiles is how many files stay: the current one and the one before,
	// which serves when the current one cannot be read.
	keptFiles = 2
)

// dirStore keeps the positions of a pipeline in a series NAME.N.positions of a
// folder, beside NAME.lock, which the process that uses the store holds; its pid
// is in it.
//
// A file is lines of text. Each line is the CRC-32C (Castagnoli) of its rest,
// as eight hex digits, a space, and a JSON object:
//
//	{"flow_positions":1,"pipeline":"orders"}     the first line
//	{"input.file.in/a.jsonl":{"offset":10342}}   the second line: all positions
//	{"input.file.in/a.jsonl":{"offset":20177}}   each further line: one Save
//
// A line counts only with its newline and the right sum, so a torn write ends
// the file at the line before.
type dirStore struct {
	series
	pipeline string
	dir      string // for messages
	lock     *lock

	positions map[string]engine.Position // as stored
	damage    error
	logs      []*dirLog // made so far
}

// OpenDir opens the store of a pipeline in a folder, which it makes if need
// be. One process at a time can hold it; a second one gets a *HeldError that
// names the holder. It survives kill -9 and a torn write.
func OpenDir(dir, pipeline string) (Store, error) {
	fs := &osFiles{dir: dir}
	if err := fs.prepare(); err != nil {
		return nil, fmt.Errorf("making the folder for positions: %w", err)
	}
	l, err := acquire(fs.path(fileName(pipeline) + ".lock"))
	if err != nil {
		return nil, fmt.Errorf("positions of pipeline %s in %s: %w", pipeline, dir, err)
	}
	s := newDirStore(fs, l, pipeline)
	s.dir = dir
	return s, nil
}

func newDirStore(fs files, l *lock, pipeline string) *dirStore {
	return &dirStore{series: series{files: fs, name: fileName(pipeline), suffix: ".positions"}, pipeline: pipeline, lock: l, positions: make(map[string]engine.Position)}
}

// fileName makes a pipeline's name safe as part of a file name.
func fileName(pipeline string) string { return url.PathEscape(pipeline) }

// Load implements Store. A file with a damaged end counts up to there; one
// with a damaged beginning does not count at all, and the one before serves.
func (s *dirStore) Load(context.Context) (map[string]engine.Position, error) {
	list, err := s.numbers()
	if err != nil {
		return nil, fmt.Errorf("listing files of positions: %w", err)
	}
	var bad []error
	for i, n := range list {
		data, err := s.files.read(s.fileOf(n))
		if err != nil {
			return nil, fmt.Errorf("reading positions: %w", err)
		}
		m, whole, err := parse(data, s.pipeline)
		if err != nil {
			bad = append(bad, fmt.Errorf("%s: %w", s.path(s.fileOf(n)), err))
		}
		if !whole {
			continue
		}
		s.positions, s.number = m, list[0]
		s.damage = errors.Join(bad...)
		if i == 0 && err == nil {
			s.open(n, int64(len(data)), firstBytes(data))
		}
		return maps.Clone(m), nil
	}
	if len(list) > 0 {
		return nil, fmt.Errorf("no file of positions can be read; to start over, which reads all inputs from their beginning, remove them: %w", errors.Join(bad...))
	}
	return maps.Clone(s.positions), nil
}

// path is how people find a file.
func (s *dirStore) path(name string) string { return filepath.Join(s.dir, name) }

var errGone = errors.New("the folder was removed or replaced while it was in use; start flow again to use it anew")

// Damage implements Damaged.
func (s *dirStore) Damage() error { return s.damage }

// Save implements Store.
func (s *dirStore) Save(ctx context.Context, changed map[string]engine.Position) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(changed) == 0 {
		return nil
	}
	// Without the lock another process may be at work: nothing counts as stored.
	if s.lock != nil && !s.lock.held() {
		return errGone
	}
	if s.there() && !s.long() {
		text, err := line(nil, changed)
		if err == nil {
			err = s.add(text)
		}
		if err != nil {
			return fmt.Errorf("adding to %s: %w", s.fileOf(s.number), err)
		}
		maps.Copy(s.positions, changed)
		return nil
	}
	all := maps.Clone(s.positions)
	maps.Copy(all, changed)
	if err := s.rewrite(all); err != nil {
		return fmt.Errorf("writing %s: %w", s.fileOf(s.number+1), err)
	}
	s.positions = all
	return nil
}

// Forget implements Resetter.
func (s *dirStore) Forget(ctx context.Context, keys []string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.lock != nil && !s.lock.held() {
		return errGone
	}
	all := maps.Clone(s.positions)
	for _, k := range keys {
		delete(all, k)
	}
	if err := s.rewrite(all); err != nil {
		return fmt.Errorf("writing %s: %w", s.fileOf(s.number+1), err)
	}
	s.positions = all
	return nil
}

// rewrite makes the next file, with all positions.
func (s *dirStore) rewrite(all map[string]engine.Position) error {
	text, err := line(nil, header{Version: version, Pipeline: s.pipeline})
	if err == nil {
		text, err = line(text, all)
	}
	if err != nil {
		return err
	}
	return s.replace(text)
}

// Close implements Store.
func (s *dirStore) Close() error {
	s.leave()
	for _, l := range s.logs {
		l.leave()
	}
	if s.lock == nil {
		return nil
	}
	return s.lock.release()
}
