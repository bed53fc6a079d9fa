// Command bare is what flow's file benchmarks are compared with: the loop that
// one would write by hand to copy lines. It reads 1 MiB blocks, finds each
// line and writes the blocks; it parses nothing and can resume nowhere.
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: bare IN OUT")
		os.Exit(2)
	}
	lines, err := copyLines(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "bare:", err)
		os.Exit(1)
	}
	fmt.Println(lines)
}

func copyLines(from, to string) (lines int, err error) {
	in, err := os.Open(from)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return 0, err
	}
	buf := make([]byte, 1<<20)
	ends := make([]int, 0, 1<<16)
	kept := 0 // bytes of an unfinished line at the start of buf
	for {
		n, err := in.Read(buf[kept:])
		end := kept + n
		if err == io.EOF {
			if _, err := out.Write(buf[:end]); err != nil {
				return 0, err
			}
			if err := out.Sync(); err != nil { // as flow's file output does by default
				return 0, err
			}
			return lines, out.Close()
		}
		if err != nil {
			return 0, err
		}
		ends = ends[:0]
		at := 0
		for {
			i := bytes.IndexByte(buf[at:end], '\n')
			if i < 0 {
				break
			}
			at += i + 1
			ends = append(ends, at)
		}
		lines += len(ends)
		if _, err := out.Write(buf[:at]); err != nil {
			return 0, err
		}
		kept = copy(buf, buf[at:end])
	}
}
