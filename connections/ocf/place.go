package ocf

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Place says for people where a record lies in a file.
type Place struct {
	// Block is that of the record, from 1, and Blocks how many there are; of a
	// record behind the last one it is the last.
	Block, Blocks int64
	// Records are those of all blocks.
	Records int64
}

// Locate finds record number n, from 0, by the heads of the blocks: nothing is
// unpacked.
func Locate(file io.ReaderAt, size, n int64) (Place, error) {
	h, err := ReadHeader(bufio.NewReader(io.NewSectionReader(file, 0, size)))
	if err != nil {
		return Place{}, err
	}
	var p Place
	var head [2 * binary.MaxVarintLen64]byte
	for at := h.Size; at < size; {
		k, err := file.ReadAt(head[:], at)
		if err != nil && !errors.Is(err, io.EOF) {
			return Place{}, fmt.Errorf("reading at byte %d: %w", at, err)
		}
		count, a := binary.Varint(head[:k])
		if a <= 0 || count < 0 {
			return Place{}, fmt.Errorf("no block begins at byte %d", at)
		}
		length, b := binary.Varint(head[a:k])
		if b <= 0 || length < 0 || length > size-at {
			return Place{}, fmt.Errorf("the block at byte %d is cut short", at)
		}
		p.Blocks++
		if p.Block == 0 && n < p.Records+count {
			p.Block = p.Blocks
		}
		p.Records += count
		at += int64(a+b) + length + syncBytes
	}
	if p.Block == 0 {
		p.Block = p.Blocks
	}
	return p, nil
}
