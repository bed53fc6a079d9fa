package ocf

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	hamba "github.com/hamba/avro/v2/ocf"
	"go.uber.org/goleak"

	"github.com/flowrecords/flow/engine/record/avro"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t testing.TB, data []byte) *Reader {
	t.Helper()
	r, err := NewReader(bufio.NewReader(bytes.NewReader(data)), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func all(t testing.TB, r *Reader) []string {
	t.Helper()
	var list []string
	for {
		v, err := r.Next()
		if err == io.EOF {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := r.Encoding().AppendJSON(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, string(text))
	}
}

// TestJava reads the files of Avro's own library, with each codec.
func TestJava(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "testdata", "oracle", "avro", "files")
	lines, err := os.ReadFile(filepath.Join(dir, "order.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSpace(string(lines)), "\n")
	var first []string
	for _, codec := range Codecs {
		data, err := os.ReadFile(filepath.Join(dir, codec+".avro"))
		if err != nil {
			t.Fatal(err)
		}
		got := all(t, open(t, data))
		if len(got) != len(want) {
			t.Fatalf("%s: %d records, want %d", codec, len(got), len(want))
		}
		if first == nil {
			first = got
		}
		for i := range got {
			if got[i] != first[i] {
				t.Fatalf("%s: record %d is %s, want %s", codec, i, got[i], first[i])
			}
			var a struct{ ID json.Number }
			var b struct{ Struct map[string]any }
			if json.Unmarshal([]byte(got[i]), &a) != nil || json.Unmarshal([]byte(want[i]), &b) != nil || a.ID.String() != b.Struct["id"].(map[string]any)["int64"] {
				t.Fatalf("%s: record %d is %s, want %s", codec, i, got[i], want[i])
			}
		}
	}
	if data, err := os.ReadFile(filepath.Join(dir, "empty.avro")); err != nil || len(all(t, open(t, data))) != 0 {
		t.Errorf("the empty file: %v", err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "bzip2.avro"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewReader(bufio.NewReader(bytes.NewReader(data)), 0); err == nil || !strings.Contains(err.Error(), `the codec "bzip2" of the file is none of null, deflate`) {
		t.Errorf("bzip2: %v", err)
	}
}

// file writes a file of n records in blocks of per.
func file(t testing.TB, codec string, n, per int) []byte {
	t.Helper()
	s, err := avro.Parse([]byte(`{"type":"record","name":"R","fields":[{"name":"n","type":"long"},{"name":"s","type":"string"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	w, err := avro.NewWriter(s, nil, avro.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	h := &Header{Schema: s, Codec: codec, Sync: [16]byte{1, 2, 3}}
	o, err := NewWriter(h, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	out := AppendHeader(nil, h)
	var data []byte
	count := 0
	for i := range n {
		text, _ := json.Marshal(map[string]any{"n": i, "s": strings.Repeat("x", i%50)})
		if data, err = w.Append(data, text); err != nil {
			t.Fatal(err)
		}
		if count++; count == per || i == n-1 {
			if out, err = o.AppendBlock(out, count, data); err != nil {
				t.Fatal(err)
			}
			data, count = data[:0], 0
		}
	}
	return out
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, codec := range Codecs {
		data := file(t, codec, 1000, 77)
		if got := all(t, open(t, data)); len(got) != 1000 || got[999] != `{"n":999,"s":"`+strings.Repeat("x", 49)+`"}` {
			t.Errorf("%s: %d records", codec, len(got))
		}
		d, err := hamba.NewDecoder(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for d.HasNext() {
			var v map[string]any
			if err := d.Decode(&v); err != nil || v["n"] != int64(n) {
				t.Fatalf("%s: another library reads %v as record %d: %v", codec, v, n, err)
			}
			n++
		}
		if n != 1000 || d.Error() != nil {
			t.Errorf("%s: another library reads %d records: %v", codec, n, d.Error())
		}
		for _, to := range []int64{0, 1, 76, 77, 78, 500, 999, 1000} {
			r := open(t, data)
			if err := r.Skip(to); err != nil || r.Number() != to {
				t.Fatalf("%s: skipping to %d: %d %v", codec, to, r.Number(), err)
			}
			if got := all(t, r); len(got) != 1000-int(to) {
				t.Errorf("%s: %d records from %d on", codec, len(got), to)
			}
		}
		if err := open(t, data).Skip(1001); err != io.EOF {
			t.Errorf("%s: skipping beyond the end: %v", codec, err)
		}
	}
}

// TestDamage: a file that is cut or changed anywhere gives records that are
// right, and then an error.
func TestDamage(t *testing.T) {
	t.Parallel()
	for _, codec := range Codecs {
		data := file(t, codec, 60, 20)
		ends := map[int64]bool{}
		r := open(t, data)
		ends[r.Size] = true
		for {
			if _, err := r.Next(); err != nil {
				break
			}
			ends[r.Offset()] = true
		}
		for n := range data {
			r, err := NewReader(bufio.NewReader(bytes.NewReader(data[:n])), 0)
			if err != nil {
				continue
			}
			for err == nil {
				_, err = r.Next()
			}
			r.Close()
			if (err == io.EOF) != ends[int64(n)] {
				t.Fatalf("%s: cut at %d of %d: %v", codec, n, len(data), err)
			}
		}
		broken := bytes.Clone(data)
		broken[len(broken)-1] ^= 1
		r = open(t, broken)
		var err error
		n := 0
		for ; err == nil; n++ {
			_, err = r.Next()
		}
		if n != 41 || !strings.Contains(err.Error(), "marker") {
			t.Errorf("%s: %d records before %v", codec, n-1, err)
		}
	}
	for _, in := range []string{"", "Obj", "Obj\x02", "PAR1....", "Obj\x01\x02\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"} {
		if _, err := NewReader(bufio.NewReader(strings.NewReader(in)), 0); err == nil {
			t.Errorf("%q is a container file", in)
		}
	}
}

// TestBomb: a block unpacks to no more than its bound.
func TestBomb(t *testing.T) {
	t.Parallel()
	for _, codec := range Codecs[1:] {
		c, err := newCodec(codec, 1<<30, 0)
		if err != nil {
			t.Fatal(err)
		}
		packed, err := c.pack(nil, make([]byte, 1<<20))
		c.close()
		if err != nil {
			t.Fatal(err)
		}
		small, err := newCodec(codec, 1<<16, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := small.unpack(nil, packed); err == nil {
			t.Errorf("%s unpacks to 1 MiB where 64 KiB are allowed", codec)
		}
		small.close()
	}
}

func FuzzReader(f *testing.F) {
	for _, codec := range Codecs {
		f.Add(file(f, codec, 5, 2))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := NewReader(bufio.NewReader(bytes.NewReader(data)), 1<<20)
		if err != nil {
			return
		}
		defer r.Close()
		for range 10_000 {
			if _, err := r.Next(); err != nil {
				return
			}
		}
	})
}
