// Command genorders writes order events, one a line, for the demo and the
// benchmarks.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"

	"github.com/flowrecords/flow/bench/orders"
)

func main() {
	n := flag.Int("n", 1000, "orders to write")
	bad := flag.Int("bad", 0, "how many of them are damaged, spread evenly")
	seed := flag.Uint64("seed", 1, "the same seed gives the same orders")
	out := flag.String("o", "", "file to write (default: standard output)")
	flag.Parse()
	if err := write(*out, *seed, *n, *bad); err != nil {
		fmt.Fprintln(os.Stderr, "genorders:", err)
		os.Exit(1)
	}
}

func write(name string, seed uint64, n, bad int) error {
	f := os.Stdout
	if name != "" {
		var err error
		if f, err = os.Create(name); err != nil {
			return err
		}
	}
	w := bufio.NewWriterSize(f, 1<<20)
	g := orders.New(seed)
	var line []byte
	for i := range n {
		line = g.Append(line[:0])
		if bad > 0 && i%(n/bad) == n/bad/2 {
			line = damage(line, i, i/(n/bad))
		}
		if _, err := w.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// damage makes a line that no JSON reader takes, or one whose amount is no
// number; nth counts the damaged ones.
func damage(line []byte, i, nth int) []byte {
	if nth%2 == 0 {
		return line[:len(line)/2]
	}
	return fmt.Appendf(nil, `{"order_id":"ord-%08d","status":"paid","price":"unknown","quantity":1,"customer":{"country":"DE","card":"0000"}}`, i)
}
