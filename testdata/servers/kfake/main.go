// Command kfake is a Kafka-protocol broker in a process of its own, for tests
// that kill flow, or the broker, and for benchmarks that count the CPU of the
// client alone. It prints its address on one line when it is ready, and ends
// on SIGTERM or SIGINT with its data on disk.
package main

import (
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

func main() {
	var (
		dir        = flag.String("dir", "", "folder in which topics and positions are kept; empty: memory")
		listen     = flag.String("listen", "127.0.0.1:0", "address, on 127.0.0.1; port 0 takes a free one")
		partitions = flag.Int("partitions", 1, "partitions of a topic that is created without a number")
		topic      = flag.String("topic", "", "a topic to create if it is missing")
		session    = flag.Duration("min-session", 100*time.Millisecond, "shortest session timeout that a group member may ask for")
	)
	flag.Parse()
	if err := run(*dir, *listen, *partitions, *topic, *session); err != nil {
		fmt.Fprintln(os.Stderr, "kfake:", err)
		os.Exit(1)
	}
}

func run(dir, listen string, partitions int, topic string, session time.Duration) error {
	_, text, err := net.SplitHostPort(listen)
	if err != nil {
		return err
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return fmt.Errorf("port of %s: %w", listen, err)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)

	opts := []kfake.Opt{
		kfake.NumBrokers(1),
		kfake.Ports(port),
		kfake.DefaultNumPartitions(partitions),
		kfake.GroupMinSessionTimeout(session),
	}
	if dir != "" {
		opts = append(opts, kfake.DataDir(dir))
	}
	if topic != "" {
		opts = append(opts, kfake.SeedTopics(-1, topic))
	}
	cluster, err := kfake.NewCluster(opts...)
	if err != nil {
		return err
	}
	fmt.Println(cluster.ListenAddrs()[0])
	<-stop
	cluster.Close()
	return nil
}
