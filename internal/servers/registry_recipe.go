package servers

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// registryDir is where prepareRegistry unpacks the archive, beside lib.
const registryDir = "app"

func prepareRegistry(_ context.Context, _ sayFunc, _, dir string, _ jdk) error {
	archive, err := only(filepath.Join(dir, "lib", "*.tar.gz"))
	if err != nil {
		return err
	}
	if err := unpack(archive, filepath.Join(dir, registryDir)); err != nil {
		return fmt.Errorf("unpacking %s: %w", filepath.Base(archive), err)
	}
	_, err = registryJar(dir)
	return err
}

// registryJar is the one that starts the registry; its manifest names the others.
func registryJar(dir string) (string, error) {
	return only(filepath.Join(dir, registryDir, "*-runner.jar"))
}

func only(pattern string) (string, error) {
	files, err := filepath.Glob(pattern)
	if err != nil {
		return "", err
	}
	if len(files) != 1 {
		return "", fmt.Errorf("%d files are %s, want one", len(files), pattern)
	}
	return files[0], nil
}

// unpack writes the files of a tar.gz, whose digest has been checked, into dir.
func unpack(archive, dir string) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if err := root.MkdirAll(filepath.Dir(h.Name), 0o755); err != nil {
			return err
		}
		if err := writeEntry(root, h.Name, t); err != nil {
			return err
		}
	}
}

func writeEntry(root *os.Root, name string, r io.Reader) error {
	f, err := root.Create(name)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, r); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
