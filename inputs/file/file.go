// Package file is the input that reads files: their lines, CSV rows or whole
// contents, once or as they grow.
package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/flowrecords/flow/connections/parquetfile"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record/avro"
	"github.com/flowrecords/flow/inputs/internal/framing"
)

// input is the file input in either mode.
type input struct {
	cfg     *Config
	env     engine.Env
	host    engine.Host
	framing framing.Options

	// Of batch mode, used by Read alone.
	paths []string
	cur   *stream
	// encodings of container files by the text of their schema.
	encodings map[string]*avro.Encoding
	// schemas of Parquet files.
	schemas []*parquetfile.Schema

	tail  *tail         // of tail mode
	watch func() *watch // of tail mode; nil: without

	// done and total are bytes of files, as they lie on disk; Read writes
	// them, Progress reads them.
	done, total atomic.Int64
}

func newInput(config any, env engine.Env) (engine.Input, error) {
	cfg, ok := config.(*Config)
	if !ok {
		return nil, fmt.Errorf("the config of the file input is a %T", config)
	}
	in := &input{cfg: cfg, env: env}
	if cfg.Mode == "tail" {
		in.tail, in.watch = &tail{in: in}, newWatch
	}
	return in, nil
}

// Open finds the files. A path without wildcards must be there in batch mode.
func (in *input) Open(ctx context.Context, h engine.Host) error {
	in.host = h
	in.framing = in.cfg.OptionsOf(in.cfg.Format, h.Limits())
	if in.tail != nil {
		return in.tail.open(ctx)
	}
	paths, err := in.match(true)
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		in.env.Logger.Warn("no file matches", "globs", in.cfg.globs())
	}
	total := int64(0)
	for _, p := range paths {
		if info, err := os.Stat(p); err == nil {
			total += info.Size()
		}
	}
	in.paths = paths
	in.done.Store(0)
	in.total.Store(total)
	return nil
}

// match returns the files that the globs name, sorted, each once.
func (in *input) match(strict bool) ([]string, error) {
	var paths []string
	for _, glob := range in.cfg.globs() {
		glob = filepath.Clean(glob)
		info, err := os.Stat(glob)
		switch {
		case err == nil:
			if err := regular(glob, info); err != nil {
				return nil, err
			}
			paths = append(paths, glob)
			continue
		case !hasMeta(glob):
			if strict || !errors.Is(err, fs.ErrNotExist) {
				return nil, fmt.Errorf("finding the file: %w", err)
			}
			continue
		}
		found, err := doublestar.FilepathGlob(glob, doublestar.WithFailOnIOErrors())
		if err != nil {
			return nil, fmt.Errorf("finding the files of %s: %w", glob, err)
		}
		for _, p := range found {
			// What is gone already, or no file, is not what the glob is for.
			if info, err := os.Stat(p); err == nil && info.Mode().IsRegular() {
				paths = append(paths, p)
			}
		}
	}
	slices.Sort(paths)
	paths = slices.Compact(paths)
	return slices.DeleteFunc(paths, in.cfg.excluded), nil
}

// hasMeta reports whether a path is a glob.
func hasMeta(path string) bool { return strings.ContainsAny(path, `*?[{\`) }

// source returns the source partition of a path.
func (in *input) source(path string) *engine.Source {
	return in.host.Source(engine.SourceInfo{
		ID:              path,
		OffsetSeparator: "@",
		Meta:            map[string]string{"path": path, "file": filepath.Base(path), "input": in.env.Element},
	})
}

// Read returns the next batch of the current file, or of the one behind it.
func (in *input) Read(ctx context.Context) (*engine.Batch, error) {
	if in.tail != nil {
		return in.tail.read(ctx)
	}
	b, err := in.host.NewBatch(ctx)
	if err != nil {
		return nil, err
	}
	for {
		ok, err := in.readInto(ctx, b)
		if ok {
			return b, nil
		}
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			b.Release()
			return nil, err
		}
	}
}

// readInto reads a piece of the current file.
func (in *input) readInto(ctx context.Context, b *engine.Batch) (bool, error) {
	if in.cur == nil {
		if len(in.paths) == 0 {
			return false, engine.ErrEnd
		}
		path := in.paths[0]
		s, err := in.open(ctx, path, path, in.stored(path)...)
		if errors.Is(err, fs.ErrNotExist) && !in.named(path) {
			in.env.Logger.Warn("file is gone before it was read", "path", path)
			in.paths = in.paths[1:]
			return false, nil
		}
		if err != nil {
			return false, err
		}
		in.cur, in.paths = s, in.paths[1:]
		s.count(s.raw.n)
	}
	s := in.cur
	if !s.over {
		ok, err := s.fill(b, endOfFile)
		if ok || err != nil {
			return ok, err
		}
	}
	if s.finished() {
		s.count(s.info.Size())
		s.close()
		in.cur = nil
	}
	return false, nil
}

// named reports whether a path is given as such, so that it must be there.
func (in *input) named(path string) bool {
	for _, glob := range in.cfg.globs() {
		if filepath.Clean(glob) == path {
			return true
		}
	}
	return false
}

// stored returns the position of a path in the checkpoint, if there is one.
func (in *input) stored(path string) []engine.Position {
	if p, ok := in.host.Stored(path); ok {
		return []engine.Position{p}
	}
	return nil
}

// Close closes the files.
func (in *input) Close(context.Context) error {
	if in.cur != nil {
		in.cur.close()
		in.cur = nil
	}
	if in.tail != nil {
		in.tail.close()
	}
	return nil
}

// Progress counts bytes of files as they lie on disk. What is followed has no
// end to be measured by.
func (in *input) Progress() engine.Progress {
	if in.tail != nil {
		return engine.Progress{}
	}
	return engine.Progress{Done: in.done.Load(), Total: in.total.Load()}
}
