package file

import (
	"fmt"
	"os"

	"github.com/flowrecords/flow/connections/ocf"
	"github.com/flowrecords/flow/connections/parquetfile"
	"github.com/flowrecords/flow/engine"
)

// TellPosition implements engine.PositionTeller.
func (in *input) TellPosition(path string, p engine.Position) string {
	id, err := parseIdentity(p)
	if err != nil {
		return ""
	}
	unit := "byte"
	if in.cfg.container() {
		unit = "record"
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Sprintf("%s %d of a file that is not there now", unit, p.Offset)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	if same, err := id.matches(f, info); err != nil || !same {
		return fmt.Sprintf("%s %d of another file that had this name", unit, p.Offset)
	}
	if id.done >= 0 {
		return "all of it"
	}
	if in.cfg.container() {
		return in.tellRecord(f, info.Size(), path, p.Offset)
	}
	return fmt.Sprintf("byte %d of %d", p.Offset, info.Size())
}

// tellRecord says where record n lies in a container file; of one that cannot be
// looked into, only its number.
func (in *input) tellRecord(f *os.File, size int64, path string, n int64) string {
	number := fmt.Sprintf("record %d", n)
	if in.cfg.compression(path) != "none" {
		return number
	}
	if in.cfg.Format == "parquet" {
		r, err := parquetfile.NewReader(f, size)
		if err != nil {
			return number
		}
		defer r.Close()
		group, groups := r.Place(n)
		return fmt.Sprintf("%s of %d, in row group %d of %d", number, r.Rows(), group, groups)
	}
	at, err := ocf.Locate(f, size, n)
	if err != nil {
		return number
	}
	return fmt.Sprintf("%s of %d, in block %d of %d", number, at.Records, at.Block, at.Blocks)
}

var _ engine.PositionTeller = (*input)(nil)
