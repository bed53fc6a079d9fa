package servers

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// Record is a record as Kafka's own client reads it.
type Record struct {
	Partition   int32
	Offset      int64
	LeaderEpoch int32 // -1: not known
	Timestamp   time.Time
	Key, Value  []byte // nil is null
	Headers     []Header
}

// Header is a header of a record.
type Header struct {
	Key   string
	Value []byte // nil is null
}

// openTransactions bounds the wait for transactions that were open when a
// recount began, such as those of workers that were killed.
const openTransactions = 120 * time.Second

// ConsoleConsume reads all records of a topic with Kafka's Java client, so that
// a recount does not rest on the client that flow uses. They come in the order
// of their offsets within each partition. With readCommitted it first waits
// until no transaction is open on the topic, so nobody may go on writing in
// transactions meanwhile.
func (c *Cluster) ConsoleConsume(ctx context.Context, topic string, readCommitted bool) ([]Record, error) {
	isolation := "read_uncommitted"
	if readCommitted {
		isolation = "read_committed"
	}
	path, err := kafkaClassPath(c.store)
	if err != nil {
		return nil, err
	}
	args := append(c.flags(), "-cp", path, "Console", strings.Join(c.serving(), ","), topic, isolation,
		strconv.Itoa(int(openTransactions.Seconds())))
	cmd := exec.CommandContext(ctx, c.java.tool("java"), args...)
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("reading topic %s with the Java client: %w\n%s", topic, err, tail(log.String(), 20))
	}
	records, err := parseRecords(out.String())
	if err != nil {
		return nil, fmt.Errorf("reading topic %s with the Java client: %w", topic, err)
	}
	return records, nil
}

// parseRecords reads what Console.java prints.
func parseRecords(text string) ([]Record, error) {
	text, whole := strings.CutSuffix(text, "end\n")
	if !whole {
		return nil, errors.New("its output is cut off")
	}
	var records []Record
	for line := range strings.Lines(text) {
		r, err := parseRecord(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return nil, fmt.Errorf("line %q: %w", line, err)
		}
		records = append(records, r)
	}
	return records, nil
}

func parseRecord(line string) (Record, error) {
	f := strings.Split(line, "\t")
	if len(f) != 7 {
		return Record{}, fmt.Errorf("%d fields, not 7", len(f))
	}
	var numbers [4]int64
	for i := range numbers {
		n, err := strconv.ParseInt(f[i], 10, 64)
		if err != nil {
			return Record{}, err
		}
		numbers[i] = n
	}
	r := Record{Partition: int32(numbers[0]), Offset: numbers[1], LeaderEpoch: int32(numbers[2]), Timestamp: time.UnixMilli(numbers[3])}
	var err1, err2 error
	r.Key, err1 = parseBytes(f[4])
	r.Value, err2 = parseBytes(f[5])
	if err := errors.Join(err1, err2); err != nil {
		return Record{}, err
	}
	if f[6] == "" {
		return r, nil
	}
	for pair := range strings.SplitSeq(f[6], ",") {
		name, value, ok := strings.Cut(pair, ":")
		if !ok {
			return Record{}, fmt.Errorf("header %q has no value", pair)
		}
		key, err1 := parseBytes(name)
		v, err2 := parseBytes(value)
		if err := errors.Join(err1, err2); err != nil {
			return Record{}, err
		}
		r.Headers = append(r.Headers, Header{Key: string(key), Value: v})
	}
	return r, nil
}

// parseBytes reads base64, and "-" as null.
func parseBytes(text string) ([]byte, error) {
	if text == "-" {
		return nil, nil
	}
	return base64.StdEncoding.DecodeString(text)
}
