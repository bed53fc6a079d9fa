package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
)

// some makes n records with every kind of part, chosen at random.
func some(rnd *rand.Rand, n int) []enginetest.Record {
	keys, headers, stamps := rnd.IntN(2) == 0, rnd.IntN(2) == 0, rnd.IntN(2) == 0
	list := make([]enginetest.Record, n)
	for i := range list {
		r := &list[i]
		if rnd.IntN(5) > 0 {
			r.Value = fmt.Appendf([]byte{}, `{"n":%d,"p":"%s"}`, i, strings.Repeat("x", rnd.IntN(20)))
		}
		if keys && rnd.IntN(2) == 0 {
			r.Key = fmt.Appendf([]byte{}, `"k%d"`, i)
		}
		for range rnd.IntN(3) {
			if headers {
				r.Headers = append(r.Headers, record.Header{Key: fmt.Sprint("h", rnd.IntN(3)), Value: fmt.Append([]byte{}, i)})
			}
		}
		if stamps && rnd.IntN(2) == 0 {
			r.Timestamp, r.HasTimestamp = int64(i), true
		}
	}
	return list
}

// begun makes a batch of a source from records.
func begun(list []enginetest.Record, topic string) *engine.Batch {
	b := engine.NewBatch()
	enginetest.Fill(b, list...)
	b.Value.Encoding, b.Key.Encoding = record.JSON, record.JSON
	s := engine.NewSource(engine.SourceInfo{ID: "p/0", Topic: topic, OffsetSeparator: "/"}, nil, nil)
	s.Begin(b, engine.Position{Offset: int64(len(list))}, 0, nil)
	return b
}

func newRecord() *record.Record { return record.NewRecord(record.NewLayout()) }

// appendAll copies records of b one by one, as a stage does.
func appendAll(t *testing.T, dst, src *engine.Batch, each func(i int, r *record.Record)) {
	t.Helper()
	r := newRecord()
	load := src.Loader(r)
	for i := range src.Len() {
		load.Load(i)
		if each != nil {
			each(i, r)
		}
		if ok, err := dst.Append(r); !ok || err != nil {
			t.Fatalf("Append %d: %v, %v", i, ok, err)
		}
	}
}

func same(t *testing.T, what string, got, want []enginetest.Record) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d records, want %d", what, len(got), len(want))
	}
	for i := range got {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Fatalf("%s: record %d\n got %v\nwant %v", what, i, got[i], want[i])
		}
	}
}

// TestEveryWayOfCopying makes the same selection by Append, Compact and
// Borrow, and twice in a row: all must show the same records.
func TestEveryWayOfCopying(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		src := begun(some(rnd, rnd.IntN(12)), "t")
		all := enginetest.Records(src)

		copied := engine.NewBatch()
		copied.Attach(src)
		copied.Inherit(src)
		appendAll(t, copied, src, nil)
		same(t, "Append", enginetest.Records(copied), all)

		want, batch := all, src
		for round := range 3 {
			var kept []uint32
			var left []enginetest.Record
			for i, r := range want {
				if rnd.IntN(3) > 0 {
					kept = append(kept, uint32(i))
					left = append(left, r)
				}
			}
			child := engine.NewBatch()
			child.Borrow(batch, kept)
			child.Inherit(batch)
			same(t, fmt.Sprint("Borrow ", round), enginetest.Records(child), left)
			if batch.Alone() {
				t.Fatal("a batch with a borrower is alone")
			}
			other := engine.NewBatch()
			other.Attach(batch)
			appendAll(t, other, batch, nil)
			other.Compact(kept)
			same(t, fmt.Sprint("Compact ", round), enginetest.Records(other), left)
			want, batch = left, child
		}
	}
}

func TestAppendColumnsThatComeLate(t *testing.T) {
	t.Parallel()
	src := begun([]enginetest.Record{{Value: []byte("1")}, {Value: []byte("2")}, {Value: []byte("3")}, {Value: []byte("4")}}, "in")
	dst := engine.NewBatch()
	dst.Inherit(src)
	appendAll(t, dst, src, func(i int, r *record.Record) {
		switch i {
		case 1:
			r.Topic = "other"
			r.SetHeader("h", []byte("v"))
		case 2:
			r.Timestamp, r.HasTimestamp = 5, true
			r.Key.Reset(record.Text, []byte("k"))
		}
	})
	got := enginetest.Records(dst)
	want := enginetest.Records(src)
	want[1].Topic, want[1].Headers = "other", []record.Header{{Key: "h", Value: []byte("v")}}
	want[2].Timestamp, want[2].HasTimestamp, want[2].Key = 5, true, []byte("k")
	same(t, "late columns", got, want)
	if dst.Key.Encoding != record.Text {
		t.Errorf("the key's encoding is %v", dst.Key.Encoding)
	}
}

func TestAppendWithoutRoom(t *testing.T) {
	t.Parallel()
	r := newRecord()
	b := engine.NewBatch()
	r.Value.Reset(record.JSON, []byte("1"))
	if ok, err := b.Append(r); !ok || err != nil {
		t.Fatal(ok, err)
	}
	r.Value.Reset(record.Text, []byte("x"))
	if ok, err := b.Append(r); ok || err != nil {
		t.Errorf("another encoding: %v, %v", ok, err)
	}
	r.Value.Reset(record.JSON, nil)
	if ok, err := b.Append(r); !ok || err != nil {
		t.Errorf("a null fits every encoding: %v, %v", ok, err)
	}
	big := bytes.Repeat([]byte("1"), 3*limits.BatchBytes)
	r.Value.Reset(record.JSON, big)
	if ok, err := b.Append(r); !ok || err != nil {
		t.Errorf("a giant record: %v, %v", ok, err)
	}
	r.Value.Reset(record.JSON, []byte("2"))
	if ok, err := b.Append(r); ok || err != nil {
		t.Errorf("a full batch took one more: %v, %v", ok, err)
	}
	if b.Len() != 3 || string(b.Value.At(0)) != "1" || b.Value.At(1) != nil || len(b.Value.At(2)) != len(big) {
		t.Error("the batch does not hold what was appended")
	}
	nulls := engine.NewBatch()
	r.Value.Reset(record.JSON, nil)
	n := 0
	for ; n < 1<<17; n++ {
		if ok, _ := nulls.Append(r); !ok {
			break
		}
	}
	if n == 1<<17 {
		t.Error("a batch takes any number of nulls")
	}
}

// TestAppendErrorStoresNothing: a value that cannot be written leaves the
// batch as it was.
func TestAppendErrorStoresNothing(t *testing.T) {
	t.Parallel()
	l := record.NewLayout()
	path, err := record.ParsePath("a")
	if err != nil {
		t.Fatal(err)
	}
	id, keyID := l.Value.Add(path), l.Key.Add(path)
	r := record.NewRecord(l)
	b := engine.NewBatch()
	load := func() {
		r.Value.Reset(record.JSON, []byte(`{"a":1}`))
		r.Key.Reset(record.JSON, []byte(`{"a":2}`))
	}
	load()
	if ok, err := b.Append(r); !ok || err != nil {
		t.Fatal(ok, err)
	}
	before := enginetest.Records(b)
	refused := 0
	for _, edit := range []func() error{
		func() error { return r.Value.Set(id, record.FloatValue(inf())) },
		func() error { return r.Key.Set(keyID, record.FloatValue(inf())) },
	} {
		load()
		err := edit()
		if err == nil {
			var ok bool
			if ok, err = b.Append(r); ok {
				t.Error("an infinity was stored")
			}
		}
		if err != nil {
			refused++
		}
		same(t, "after an error", enginetest.Records(b), before)
	}
	if refused != 2 {
		t.Errorf("%d of 2 infinities were refused", refused)
	}
}

func inf() float64 {
	x := 0.0
	return 1 / x
}

func TestRollback(t *testing.T) {
	t.Parallel()
	for seed := range uint64(100) {
		rnd := rand.New(rand.NewPCG(seed, 5))
		first, second := begun(some(rnd, 5), "t"), begun(some(rnd, 5), "t")
		b := engine.NewBatch()
		b.Attach(first)
		appendAll(t, b, first, nil)
		want := enginetest.Records(b)
		m := b.Mark()
		appendAll(t, b, second, nil)
		b.Rollback(m)
		same(t, "after Rollback", enginetest.Records(b), want)
		appendAll(t, b, first, nil)
		got := enginetest.Records(b)
		same(t, "appended after Rollback", got[5:], want)
	}
}

// TestLines: the flag must be off as soon as a record may hold a newline.
func TestLines(t *testing.T) {
	t.Parallel()
	l := record.NewLayout()
	path, err := record.ParsePath("a")
	if err != nil {
		t.Fatal(err)
	}
	id := l.Value.Add(path)
	r := record.NewRecord(l)
	src := begun([]enginetest.Record{{Value: []byte(`{"a":1}`)}, {Value: []byte(`{"b":2}`)}}, "t")
	src.Value.Lines = true
	for _, tt := range []struct {
		name string
		set  record.Value
		want bool
	}{
		{"nothing", record.Value{}, true},
		{"text with a newline", record.StringValue("x\ny"), true}, // escaped in JSON
		{"white space of another JSON text", record.RawJSON([]byte("{\n\"k\": 1}")), false},
	} {
		b := engine.NewBatch()
		b.Attach(src)
		b.Inherit(src)
		for i := range src.Len() {
			src.Load(i, r)
			if tt.set.Kind() != record.Missing {
				if err := r.Value.Set(id, tt.set); err != nil {
					t.Fatal(err)
				}
			}
			if ok, err := b.Append(r); !ok || err != nil {
				t.Fatal(ok, err)
			}
		}
		holds := bytes.Count(b.Value.Data, []byte("\n")) != b.Len()
		if b.Value.Lines && holds {
			t.Errorf("%s: Lines is set for %q", tt.name, b.Value.Data)
		}
		if tt.want && !b.Value.Lines {
			t.Errorf("%s: Lines was lost", tt.name)
		}
	}
}

func TestTranscoder(t *testing.T) {
	t.Parallel()
	upper := func(dst, src []byte, _ record.Encoding, _ *engine.Meta) ([]byte, record.Encoding, error) {
		if src == nil {
			return nil, nil, nil
		}
		if bytes.Contains(src, []byte("bad")) {
			return append(dst, "half"...), nil, errors.New("bad")
		}
		return append(dst, bytes.ToUpper(src)...), record.Text, nil
	}
	records := []enginetest.Record{
		{Key: []byte("k0"), Value: []byte("a")}, {Key: []byte("k1"), Value: []byte("bad")}, {Value: nil, Key: []byte("k2")},
		{Key: []byte("bad"), Value: []byte("d")}, {Key: nil, Value: []byte("e\nf")}, {Key: []byte("k5"), Value: []byte{}},
	}
	for _, borrowed := range []bool{false, true} {
		tr := &engine.Transcoder{Value: upper, Key: upper}
		for round := range 3 {
			src := begun(records, "t")
			b := src
			if borrowed {
				b = engine.NewBatch()
				b.Borrow(src, []uint32{0, 1, 2, 3, 4, 5})
				b.Inherit(src)
			}
			before := enginetest.Records(src)
			var failed []int
			kept, err := tr.Run(t.Context(), b, func(i int, reason error) {
				same(t, "unchanged while failing", enginetest.Records(b), before)
				failed = append(failed, i)
			})
			if err != nil || !slices.Equal(failed, []int{1, 3}) || !slices.Equal(kept, []uint32{0, 2, 4, 5}) {
				t.Fatalf("failed %v, kept %v", failed, kept)
			}
			got := enginetest.Records(b)
			values, keys := []string{}, []string{}
			for _, r := range got {
				values, keys = append(values, fmt.Sprintf("%q", r.Value)), append(keys, fmt.Sprintf("%q", r.Key))
			}
			if fmt.Sprint(values) != `["A" "" "E\nF" ""]` || fmt.Sprint(keys) != `["K0" "K2" "" "K5"]` || got[1].Value != nil || got[3].Value == nil {
				t.Fatalf("round %d: values %v, keys %v", round, values, keys)
			}
			if got[3].Origin != "p/0/5" || b.Value.Encoding != record.Text || b.Value.Lines {
				t.Errorf("origin %s, encoding %v, lines %v", got[3].Origin, b.Value.Encoding, b.Value.Lines)
			}
			if borrowed {
				same(t, "the owner of borrowed memory", enginetest.Records(src), before)
			}
			b.Release()
		}
	}
}

// TestBorrowedMemoryIsReturnedOnce: a slab goes back to its pool only after
// its last reader, and is nobody else's until then.
func TestBorrowedMemoryIsReturnedOnce(t *testing.T) {
	t.Parallel()
	inputs, children := engine.NewPool(1, 1024), engine.NewPool(4, 0)
	for round := range 20 {
		b := inputs.TryGet()
		if b == nil {
			t.Fatalf("round %d: the slab did not come back", round)
		}
		want := fmt.Sprint("record ", round)
		b.Value.Add([]byte(want))
		one, two := children.TryGet(), children.TryGet()
		one.Borrow(b, []uint32{0})
		two.Borrow(one, []uint32{0})
		b.Release()
		if inputs.TryGet() != nil {
			t.Fatal("a slab with readers is free")
		}
		one.Release()
		if got := string(two.Value.At(0)); got != want {
			t.Fatalf("the last reader sees %q", got)
		}
		two.Release()
	}
}

func TestGiantSlabsAreNotKept(t *testing.T) {
	t.Parallel()
	p := engine.NewPool(1, 1024)
	b := p.TryGet()
	b.Value.Add(make([]byte, 16<<20))
	b.Release()
	if b = p.TryGet(); cap(b.Value.Data) > 4*limits.BatchBytes {
		t.Errorf("a free batch keeps %d bytes", cap(b.Value.Data))
	}
}

func TestPoolWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := engine.NewPool(2, 0)
		a, _ := p.Get(t.Context())
		if _, err := p.Get(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		got := make(chan error, 2)
		go func() { _, err := p.Get(t.Context()); got <- err }()
		synctest.Wait()
		select {
		case <-got:
			t.Fatal("a third batch of two")
		default:
		}
		a.Release()
		if err := <-got; err != nil {
			t.Fatal(err)
		}
		why := errors.New("why")
		go func() { _, err := p.Get(ctx); got <- err }()
		synctest.Wait()
		cancel(why)
		if err := <-got; !errors.Is(err, why) {
			t.Errorf("got %v", err)
		}
	})
}
