package parquetfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"testing"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// hostilePage is a page as a damaged file may have it.
type hostilePage struct {
	h    format.PageHeader
	body []byte
}

// hostileFile is a file of one column with these pages.
func hostileFile(typ format.Type, values int64, opt bool, pages ...hostilePage) []byte {
	b := []byte("PAR1")
	at := int64(len(b))
	var dict, data int64
	for _, p := range pages {
		p.h.CompressedPageSize, p.h.UncompressedPageSize = int32(len(p.body)), int32(len(p.body))
		if p.h.Type == format.DictionaryPage {
			dict = int64(len(b))
		} else if data == 0 {
			data = int64(len(b))
		}
		t, err := thrift.Marshal(new(thrift.CompactProtocol), &p.h)
		if err != nil {
			panic(err)
		}
		b = append(append(b, t...), p.body...)
	}
	rep := format.Required
	if opt {
		rep = format.Optional
	}
	m := format.FileMetaData{Version: 1, NumRows: values, CreatedBy: "x", Schema: []format.SchemaElement{
		{Name: "r", NumChildren: thrift.Null[int32]{V: 1, Valid: true}},
		{Name: "a", Type: thrift.Null[format.Type]{V: typ, Valid: true}, RepetitionType: thrift.Null[format.FieldRepetitionType]{V: rep, Valid: true}},
	}, RowGroups: []format.RowGroup{{NumRows: values, TotalByteSize: 1, Columns: []format.ColumnChunk{{MetaData: format.ColumnMetaData{
		Type: typ, Encoding: []format.Encoding{format.Plain}, PathInSchema: []string{"a"}, NumValues: values, DataPageOffset: data, DictionaryPageOffset: dict,
		TotalCompressedSize: int64(len(b)) - at, TotalUncompressedSize: int64(len(b)) - at,
	}}}}}}
	t, err := thrift.Marshal(new(thrift.CompactProtocol), &m)
	if err != nil {
		panic(err)
	}
	b = append(b, t...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(t)))
	return append(b, "PAR1"...)
}

func hostileV1(n int32, e format.Encoding, body []byte) hostilePage {
	return hostilePage{format.PageHeader{Type: format.DataPage, DataPageHeader: thrift.Null[format.DataPageHeader]{Valid: true, V: format.DataPageHeader{
		NumValues: n, Encoding: e, DefinitionLevelEncoding: format.RLE, RepetitionLevelEncoding: format.RLE}}}, body}
}

func hostileDict(n int32, body []byte) hostilePage {
	return hostilePage{format.PageHeader{Type: format.DictionaryPage, DictionaryPageHeader: thrift.Null[format.DictionaryPageHeader]{Valid: true, V: format.DictionaryPageHeader{NumValues: n, Encoding: format.Plain}}}, body}
}

func uvarints(n ...uint64) (b []byte) {
	for _, x := range n {
		b = binary.AppendUvarint(b, x)
	}
	return b
}

// TestHostileClaims: what a page claims to hold takes no memory before it is
// there. It measures what is allocated, so it runs alone.
func TestHostileClaims(t *testing.T) {
	const most = 64 << 20
	const many = 1 << 27
	run := uvarints(many << 1)
	lv := append(uvarints(many<<1), 1)
	prefixed := func() []byte { // n values that repeat a long prefix
		n, long := 128*20, 1<<16
		delta := func(vals []int64) []byte {
			b := uvarints(128, 4, uint64(len(vals)))
			b = binary.AppendVarint(b, vals[0])
			for i := 1; i < len(vals); i += 128 {
				var d []int64
				for k := i; k < min(i+128, len(vals)); k++ {
					d = append(d, vals[k]-vals[k-1])
				}
				least := int64(0)
				for _, x := range d {
					least = min(least, x)
				}
				b = binary.AppendVarint(b, least)
				b = append(b, 32, 32, 32, 32)
				for k := 0; k < 128; k++ {
					x := uint32(0)
					if k < len(d) {
						x = uint32(d[k] - least)
					}
					b = binary.LittleEndian.AppendUint32(b, x)
				}
			}
			return b
		}
		pre, suf := make([]int64, n), make([]int64, n)
		for i := range pre {
			if i > 0 {
				pre[i] = int64(long)
			}
		}
		suf[0] = int64(long)
		return append(append(delta(pre), delta(suf)...), bytes.Repeat([]byte("x"), long)...)
	}()
	for name, data := range map[string][]byte{
		"indexes by a long run":    hostileFile(format.Int32, 8, false, hostileDict(1, []byte{1, 0, 0, 0}), hostileV1(8, format.RLEDictionary, append(append([]byte{1}, run...), 0))),
		"levels by a long run":     hostileFile(format.Int32, 8, true, hostileV1(8, format.Plain, append(binary.LittleEndian.AppendUint32(nil, uint32(len(lv))), append(lv, make([]byte, 32)...)...))),
		"delta that claims many":   hostileFile(format.Int32, 8, false, hostileV1(8, format.DeltaBinaryPacked, append(uvarints(128, 4, many), 0, 0, 0, 0, 0, 0))),
		"lengths that claim many":  hostileFile(format.ByteArray, 8, false, hostileV1(8, format.DeltaLengthByteArray, append(uvarints(128, 4, many), 0, 0, 0, 0, 0, 0))),
		"prefixes again and again": hostileFile(format.ByteArray, 128*20, false, hostileV1(128*20, format.DeltaByteArray, prefixed)),
	} {
		var a, z runtime.MemStats
		runtime.ReadMemStats(&a)
		r, err := NewReader(bytes.NewReader(data), int64(len(data)))
		n := 0
		if err == nil {
			for {
				if _, err = r.Next(); err != nil {
					break
				}
				n++
			}
			r.Close()
		}
		runtime.ReadMemStats(&z)
		if taken := z.TotalAlloc - a.TotalAlloc; taken > most || err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%s: a file of %d bytes gave %d rows and took %d bytes: %v", name, len(data), n, taken, err)
		}
	}
}
