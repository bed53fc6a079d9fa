package parquetfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
	"github.com/pierrec/lz4/v4"
)

// unpacker decompresses pages. The library's own codecs take as much memory as
// the data asks for; here a page has exactly the size that its header says, which
// has a bound.
type unpacker struct {
	zstd *zstd.Decoder
	gzip *gzip.Reader
	br   *brotli.Reader
	in   bytes.Reader
}

var errUnpacked = errors.New("a page does not unpack to the size that its header says")

// unpack appends size bytes, which src is packed of, to dst.
func (u *unpacker) unpack(codec format.CompressionCodec, dst, src []byte, size int) ([]byte, error) {
	if size == 0 {
		return dst, nil // some writers pack nothing to nothing
	}
	at := len(dst)
	dst = append(dst, make([]byte, size)...)
	out := dst[at : at+size : at+size]
	switch codec {
	case format.Uncompressed:
		if len(src) != size {
			return dst, errUnpacked
		}
		copy(out, src)
		return dst, nil
	case format.Snappy:
		if n, err := snappy.DecodedLen(src); err != nil || n != size {
			return dst, errors.Join(errUnpacked, err)
		}
		_, err := snappy.Decode(out, src)
		return dst, err
	case format.Lz4Raw:
		n, err := lz4.UncompressBlock(src, out)
		if err == nil && n != size {
			err = errUnpacked
		}
		return dst, err
	case format.Zstd:
		return dst, u.unzstd(out, src)
	}
	u.in.Reset(src)
	var r io.Reader
	switch codec {
	case format.Gzip:
		if u.gzip == nil {
			u.gzip = new(gzip.Reader)
		}
		if err := u.gzip.Reset(&u.in); err != nil {
			return dst, err
		}
		r = u.gzip
	case format.Brotli:
		if u.br == nil {
			u.br = brotli.NewReader(nil)
		}
		if err := u.br.Reset(&u.in); err != nil {
			return dst, err
		}
		r = u.br
	default:
		return dst, fmt.Errorf("pages compressed with %s cannot be read", codec)
	}
	if _, err := io.ReadFull(r, out); err != nil {
		return dst, fmt.Errorf("%w: %w", errUnpacked, err)
	}
	if n, _ := r.Read(make([]byte, 1)); n > 0 {
		return dst, errUnpacked
	}
	return dst, nil
}

func (u *unpacker) unzstd(out, src []byte) error {
	if u.zstd == nil {
		var err error
		// What does not fit into out is an error, and a frame's window no more
		// than a page.
		if u.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(2*maxPage),
			zstd.WithDecoderMaxWindow(maxPage), zstd.WithDecodeAllCapLimit(true)); err != nil {
			return err
		}
	}
	got, err := u.zstd.DecodeAll(src, out[:0])
	if err == nil && len(got) != len(out) {
		err = errUnpacked
	}
	return err
}

func (u *unpacker) close() {
	if u.zstd != nil {
		u.zstd.Close()
	}
}
