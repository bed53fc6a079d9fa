// Command regen makes the cases of testdata/oracle and has Java answer them:
//
//	go run ./internal/oracle/regen          cases and answers
//	go run ./internal/oracle/regen -cases   cases only, without Java
//	go run ./internal/oracle/regen -sums    write the digests of changed versions
//
// It runs in the root of the checkout.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/flowrecords/flow/internal/oracle/gen"
	"github.com/flowrecords/flow/internal/servers"
)

const root = "testdata/oracle"

func main() {
	var (
		sums  = flag.Bool("sums", false, "write the digests of the jars into the recipe, and do no more")
		cases = flag.Bool("cases", false, "make the cases and ask nobody")
	)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *sums, *cases); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, sums, casesOnly bool) error {
	if sums {
		return servers.WriteProgramSums(ctx, os.Stdout, "oracle", filepath.Join(root, "java"))
	}
	if err := writeCases(); err != nil {
		return err
	}
	if casesOnly {
		return nil
	}
	return answer(ctx, os.Stdout, filepath.Join(root, "java"), root)
}

// answer has the program whose sources lie in java answer the cases in dir.
func answer(ctx context.Context, out io.Writer, java, dir string) error {
	p, err := servers.BuildProgram(ctx, out, "oracle", java)
	if err != nil {
		return err
	}
	// Connect formats some dates in the zone and the language of the machine.
	jvm := []string{"-Duser.timezone=UTC", "-Duser.language=en", "-Duser.country=US", "-Dfile.encoding=UTF-8", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"}
	return p.Run(ctx, out, jvm, "Oracle", dir)
}

// writeCases writes the files that gen makes, and removes those that it no
// longer does.
func writeCases() error {
	files, err := gen.Files()
	if err != nil {
		return err
	}
	for _, pattern := range []string{"cases/*.jsonl", "avro/cases/*.jsonl"} {
		old, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return err
		}
		for _, path := range old {
			name, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			if files[filepath.ToSlash(name)] == nil {
				if err := os.Remove(path); err != nil {
					return err
				}
			}
		}
	}
	for name, data := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
