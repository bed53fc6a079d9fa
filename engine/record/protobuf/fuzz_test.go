package protobuf_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/protobuf"
)

// FuzzData: whatever the bytes are, reading them ends, checking and turning
// into JSON agree, paths read as in that JSON, and what is written of it reads
// as the same again. Data that Protobuf's own library refuses is refused.
func FuzzData(f *testing.F) {
	var all []pair
	r := rand.New(rand.NewPCG(3, 4))
	for i, m := range messages {
		p := load(f, m.file, m.name)
		all = append(all, p)
		for range 5 {
			data, err := proto.Marshal(random(r, p.theirs, 0))
			if err != nil {
				f.Fatal(err)
			}
			f.Add(uint8(i), data)
		}
		f.Add(uint8(i), []byte("\x8a\x01\x02\x0a\x00\x8a\x01\x02\x10\x01"))
	}
	paths := [][]string{
		{"i32", "s", "inner.name", "inner.next.n", "packed[0]", "packed[-1]", "inners[1].name", "counts.a", "by_name.k.name", "pick.pick_text", "pick.pick_inner.n", "at", "took", "day", "clock", "boxed_text", "boxed_u64", "object.a", "anything", "list", "self.inner.name", "color"},
		{"id", "name", "extra.note", "extra.line[0].n", "child.id", "kind", "raw"},
		{"implicit", "need", "part.part.n", "parts[-1].n", "map.k.n", "closed", "raw"},
	}
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		k := int(which) % len(all)
		p := all[k]
		checked := p.ours.Check(data)
		theirs := unmarshal(p, data)
		if checked == nil && theirs != nil {
			t.Fatalf("taken, and Protobuf's library says %v", theirs)
		}
		text, err := p.ours.AppendJSON(nil, data)
		if err == nil && checked != nil {
			t.Fatalf("is JSON, and the check says %v", checked)
		}
		if err == nil && len(text) > 4096+4096*len(data) {
			t.Fatalf("%d bytes became %d", len(data), len(text))
		}
		compare(t, p.ours, paths[k], data, text, checked, err)
		if err != nil {
			return
		}
		w, err := p.ours.NewWriter(p.ours.Schema(), protobuf.WriterOptions{})
		if err != nil {
			t.Fatal(err)
		}
		again, err := w.Append(nil, text)
		if err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		second, err := p.ours.AppendJSON(nil, again)
		if err != nil || !bytes.Equal(text, second) {
			t.Fatalf("%s\nwritten and read is\n%s (%v)", text, second, err)
		}
	})
}

// unmarshal is what Protobuf's library says of data. It panics over a key of
// a map that has another wire type, and then says nothing.
func unmarshal(p pair, data []byte) (err error) {
	defer func() {
		if recover() != nil {
			err = nil
		}
	}()
	return proto.Unmarshal(data, dynamicpb.NewMessage(p.theirs))
}

// compare reads paths from data and from its JSON text.
func compare(t *testing.T, e *protobuf.Encoding, paths []string, data, text []byte, checked, textErr error) {
	t.Helper()
	p := record.NewProjection()
	var ids []record.PathID
	for _, path := range paths {
		parsed, err := record.ParsePath(path)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, p.Add(parsed))
	}
	native, typed := record.NewDoc(p), record.NewDoc(p)
	native.Reset(e, data)
	typed.Reset(record.JSONOf(e.Schema()), text)
	for i, id := range ids {
		a, err := native.Get(id)
		if checked != nil || textErr != nil {
			if checked != nil && err == nil {
				t.Fatalf("%s reads, and the check says %v", paths[i], checked)
			}
			continue
		}
		b, errB := typed.Get(id)
		x, _ := a.AppendJSON(nil)
		y, _ := b.AppendJSON(nil)
		if err != nil || errB != nil || a.Kind() != b.Kind() || !bytes.Equal(x, y) {
			t.Fatalf("%s: %s %s (%v), and as JSON %s %s (%v)\n%s", paths[i], a.Kind(), x, err, b.Kind(), y, errB, text)
		}
	}
}

// FuzzDescriptor: whatever the bytes are, reading them as descriptors ends, and
// a message in them has a schema and a text or an error.
func FuzzDescriptor(f *testing.F) {
	for _, m := range messages {
		_, set := compile(f, map[string]string{m.file: read(f, m.file)}, m.file)
		f.Add(set.Marshal())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := protobuf.ParseSet(data)
		if err != nil {
			return
		}
		again, err := protobuf.ParseSet(set.Marshal())
		if err != nil {
			t.Fatalf("written anew: %v", err)
		}
		for i, file := range set.Files {
			if text := file.Text(); text != again.Files[i].Text() {
				t.Fatalf("%s\nwritten and read is\n%s", text, again.Files[i].Text())
			}
			for _, m := range file.Messages {
				e, err := protobuf.NewEncoding(m)
				if err != nil {
					continue
				}
				_, _ = e.AppendJSON(nil, data)
				_, _ = protobuf.FromSchema(e.Schema(), protobuf.FromOptions{Untyped: protobuf.UntypedValue})
			}
		}
	})
}
