// Command fetch brings the servers of the tests into the user's cache folder:
//
//	go run ./internal/servers/fetch [NAME...]    fetch what is missing
//	go run ./internal/servers/fetch -clean       remove what was fetched
//	go run ./internal/servers/fetch -sums NAME   write the digests of changed versions
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/flowrecords/flow/internal/servers"
)

func main() {
	var (
		clean = flag.Bool("clean", false, "remove what was fetched")
		write = flag.String("sums", "", "write the digests of this server's files into its recipe")
	)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	switch {
	case *clean:
		err = servers.Clean()
	case *write != "":
		err = servers.WriteSums(ctx, os.Stdout, *write)
	default:
		err = servers.Fetch(ctx, os.Stdout, flag.Args()...)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
