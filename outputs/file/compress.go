package file

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/flowrecords/flow/connections/ocf"
)

// compressor turns a block of records into one self-contained member (gzip)
// or frame (zstd). Members can be put one behind another, and a file can be
// cut between them.
type compressor interface {
	Append(dst, src []byte) ([]byte, error)
	Close()
}

// The kinds of compression.
const (
	plain = "none"
	gz    = "gzip"
	zst   = "zstd"
	// blocks are those of a container file, which have a codec of their own.
	blocks = "blocks"
)

// kindOf resolves auto by the suffix of the path.
func kindOf(compression, path string) string {
	if compression != "auto" {
		return compression
	}
	switch {
	case strings.HasSuffix(path, ".gz"):
		return gz
	case strings.HasSuffix(path, ".zst"), strings.HasSuffix(path, ".zstd"):
		return zst
	}
	return plain
}

// newCompressor returns nil for plain.
func newCompressor(kind string, level int) (compressor, error) {
	switch kind {
	case gz:
		if level == 0 {
			level = gzip.DefaultCompression
		}
		w, err := gzip.NewWriterLevel(nil, min(level, gzip.BestCompression))
		if err != nil {
			return nil, fmt.Errorf("preparing gzip: %w", err)
		}
		return &gzipper{w: w}, nil
	case zst:
		speed := zstd.SpeedDefault
		if level != 0 {
			speed = zstd.EncoderLevelFromZstd(level)
		}
		w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(speed), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true))
		if err != nil {
			return nil, fmt.Errorf("preparing zstd: %w", err)
		}
		return zstdder{w}, nil
	}
	return nil, nil
}

type gzipper struct {
	w   *gzip.Writer
	out bytes.Buffer
}

func (g *gzipper) Append(dst, src []byte) ([]byte, error) {
	g.out.Reset()
	g.w.Reset(&g.out)
	if _, err := g.w.Write(src); err != nil {
		return dst, err
	}
	if err := g.w.Close(); err != nil {
		return dst, err
	}
	return append(dst, g.out.Bytes()...), nil
}

func (g *gzipper) Close() {}

type zstdder struct{ w *zstd.Encoder }

func (z zstdder) Append(dst, src []byte) ([]byte, error) { return z.w.EncodeAll(src, dst), nil }

func (z zstdder) Close() { _ = z.w.Close() }

var (
	gzipMagic = []byte{0x1f, 0x8b}
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}
)

// kindOfContent guesses from the first bytes of a file.
func kindOfContent(head []byte) string {
	switch {
	case bytes.HasPrefix(head, gzipMagic):
		return gz
	case bytes.HasPrefix(head, zstdMagic):
		return zst
	case bytes.HasPrefix(head, ocf.Magic):
		return blocks
	}
	return plain
}
