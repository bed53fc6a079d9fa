package cli

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// files returns the files that the arguments stand for, each once, and whether
// one of them is a folder.
func (f *formatting) files(args []string) (files []string, folder bool) {
	seen := make(map[string]bool)
	add := func(name string) {
		if key := filepath.Clean(name); !seen[key] {
			seen[key] = true
			files = append(files, name)
		}
	}
	for _, arg := range args {
		if arg == stdinName {
			files = append(files, arg)
			continue
		}
		info, err := os.Stat(arg)
		switch {
		case err != nil:
			f.problem(fmt.Errorf("reading the config: %w", err))
		case !info.IsDir():
			add(arg)
		default:
			folder = true
			found := f.inFolder(arg)
			if len(found) == 0 && !f.failed {
				f.problem(fmt.Errorf("no config in folder %q: there is no file *.hcl or *.flowvars", arg))
			}
			for _, name := range found {
				add(name)
			}
		}
	}
	return files, folder
}

// inFolder returns the files of a folder and those below it.
func (f *formatting) inFolder(dir string) []string {
	var found []string
	// The separator leads into a folder that is a link itself.
	err := filepath.WalkDir(filepath.Clean(dir)+string(filepath.Separator), func(path string, d fs.DirEntry, err error) error {
		hidden := len(path) > 0 && strings.HasPrefix(d.Name(), ".") && filepath.Clean(path) != filepath.Clean(dir)
		switch {
		case err != nil:
			f.problem(fmt.Errorf("reading the folder: %w", err))
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
		case hidden && d.IsDir():
			return fs.SkipDir
		case hidden || d.IsDir() || !laidOut(d.Name()):
		case !regular(path, d):
		default:
			found = append(found, filepath.Clean(path))
		}
		return nil
	})
	if err != nil {
		f.problem(fmt.Errorf("reading the folder: %w", err))
	}
	return found
}

// laidOut reports whether a file of a folder is one for fmt, by its name.
func laidOut(name string) bool {
	return slices.Contains([]string{".hcl", ".flowvars"}, filepath.Ext(name))
}

// regular reports whether an entry is a file, or a link to one.
func regular(path string, d fs.DirEntry) bool {
	if d.Type()&fs.ModeSymlink == 0 {
		return d.Type().IsRegular()
	}
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// overwrite replaces the text of a file by another one. Since a rename needs
// no more than a writable folder, it asks for the file's own permission first.
func overwrite(name string, was, is []byte) error {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return fmt.Errorf("writing the config: %w", err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("writing the config: %s is no file", name)
	}
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		return fmt.Errorf("writing the config: %w", err)
	}
	if err := replaceFile(name, was, is); err != nil {
		return fmt.Errorf("writing the config: %w", err)
	}
	return nil
}
