package ocf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
)

// Codecs are those that are read and written.
var Codecs = []string{"null", "deflate", "snappy", "zstandard"} //nolint:gochecknoglobals // a constant list

// codec packs and unpacks blocks. What it unpacks to is bounded.
type codec interface {
	pack(dst, src []byte) ([]byte, error)
	unpack(dst, src []byte) ([]byte, error)
	close()
}

var errUnpacked = errors.New("a block unpacks to more than is allowed")

func newCodec(name string, most int64, level int) (codec, error) {
	switch name {
	case "null":
		return null{}, nil
	case "deflate":
		if level == 0 {
			level = flate.DefaultCompression
		}
		return &deflate{most: most, level: min(level, flate.BestCompression)}, nil
	case "snappy":
		return snap{most}, nil
	case "zstandard":
		return &zstandard{most: most, level: level}, nil
	}
	return nil, fmt.Errorf("the codec %q of the file is none of %s", name, strings.Join(Codecs, ", "))
}

type null struct{}

func (null) pack(dst, src []byte) ([]byte, error)   { return append(dst, src...), nil }
func (null) unpack(dst, src []byte) ([]byte, error) { return append(dst, src...), nil }
func (null) close()                                 {}

// deflate is RFC 1951 without a frame.
type deflate struct {
	most  int64
	level int
	w     *flate.Writer
	r     io.ReadCloser
	out   bytes.Buffer
}

func (d *deflate) pack(dst, src []byte) ([]byte, error) {
	d.out.Reset()
	if d.w == nil {
		var err error
		if d.w, err = flate.NewWriter(&d.out, d.level); err != nil {
			return dst, err
		}
	} else {
		d.w.Reset(&d.out)
	}
	if _, err := d.w.Write(src); err != nil {
		return dst, err
	}
	if err := d.w.Close(); err != nil {
		return dst, err
	}
	return append(dst, d.out.Bytes()...), nil
}

func (d *deflate) unpack(dst, src []byte) ([]byte, error) {
	in := bytes.NewReader(src)
	if d.r == nil {
		d.r = flate.NewReader(in)
	} else if err := d.r.(flate.Resetter).Reset(in, nil); err != nil {
		return dst, err
	}
	d.out.Reset()
	n, err := io.Copy(&d.out, io.LimitReader(d.r, d.most+1))
	switch {
	case err != nil:
		return dst, short(err)
	case n > d.most:
		return dst, errUnpacked
	}
	return append(dst, d.out.Bytes()...), nil
}

func (d *deflate) close() {}

// snap is a block of snappy with a checksum of what it unpacks to.
type snap struct{ most int64 }

func (snap) pack(dst, src []byte) ([]byte, error) {
	dst = append(dst, snappy.Encode(nil, src)...)
	return binary.BigEndian.AppendUint32(dst, crc32.ChecksumIEEE(src)), nil
}

func (s snap) unpack(dst, src []byte) ([]byte, error) {
	if len(src) < 4 {
		return dst, errShort
	}
	body, sum := src[:len(src)-4], binary.BigEndian.Uint32(src[len(src)-4:])
	n, err := snappy.DecodedLen(body)
	if err != nil {
		return dst, err
	}
	if int64(n) > s.most {
		return dst, errUnpacked
	}
	out, err := snappy.Decode(nil, body)
	if err != nil {
		return dst, err
	}
	if crc32.ChecksumIEEE(out) != sum {
		return dst, errors.New("the checksum is wrong")
	}
	return append(dst, out...), nil
}

func (snap) close() {}

type zstandard struct {
	most  int64
	level int
	enc   *zstd.Encoder
	dec   *zstd.Decoder
}

func (z *zstandard) pack(dst, src []byte) ([]byte, error) {
	if z.enc == nil {
		speed := zstd.SpeedDefault
		if z.level != 0 {
			speed = zstd.EncoderLevelFromZstd(z.level)
		}
		var err error
		if z.enc, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(speed), zstd.WithEncoderConcurrency(1)); err != nil {
			return dst, err
		}
	}
	return z.enc.EncodeAll(src, dst), nil
}

func (z *zstandard) unpack(dst, src []byte) ([]byte, error) {
	if z.dec == nil {
		var err error
		if z.dec, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(uint64(z.most))); err != nil {
			return dst, err
		}
	}
	out, err := z.dec.DecodeAll(src, dst)
	if err != nil {
		return dst, err
	}
	return out, nil
}

func (z *zstandard) close() {
	if z.enc != nil {
		_ = z.enc.Close() // nothing is open in it
	}
	if z.dec != nil {
		z.dec.Close()
	}
}
