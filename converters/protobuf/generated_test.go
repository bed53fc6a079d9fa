package protobufconv

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/flowrecords/flow/converters/protobuf/internal/orders"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/protobuf"
)

// generated is the encoding of orders.Order by the descriptor that the
// generated code brings along.
func generated(t testing.TB) *protobuf.Encoding {
	t.Helper()
	set := &descriptorpb.FileDescriptorSet{}
	file := orders.File_order_proto
	for i := range file.Imports().Len() {
		set.File = append(set.File, protodesc.ToFileDescriptorProto(file.Imports().Get(i).FileDescriptor))
	}
	set.File = append(set.File, protodesc.ToFileDescriptorProto(file))
	data, err := proto.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := protobuf.ParseSet(data)
	if err != nil {
		t.Fatal(err)
	}
	enc, err := protobuf.NewEncoding(parsed.Message("orders.Order"))
	if err != nil {
		t.Fatal(err)
	}
	return enc
}

func someOrder() *orders.Order {
	return &orders.Order{
		Id: 123456, Customer: &orders.Order_Customer{Id: 4711, Name: "Ann Example", Email: "ann@example.com", Country: "DE"},
		Status: "paid", Price: 19.99, Quantity: 3, Currency: "EUR", Created: timestamppb.New(time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)),
		Items: []*orders.Item{{Sku: "A-1", Qty: 1, Price: 9.99}, {Sku: "B-22", Qty: 2, Price: 5}},
		Note:  proto.String("leave at the door"), Card: "4111111111111111",
	}
}

// TestGeneratedCode: what generated code writes is read, and what is written of
// it generated code reads as the same.
func TestGeneratedCode(t *testing.T) {
	t.Parallel()
	rich := someOrder()
	rich.Kind, rich.Deltas = orders.Kind_KIND_PHONE, []int32{-1, math.MinInt32, math.MaxInt32}
	rich.Counters = map[string]int64{"a": -1, "": math.MaxInt64}
	rich.ByPosition = map[int32]*orders.Item{-3: {Sku: "x"}, 0: {}}
	rich.Took, rich.Comment = durationpb.New(-1500*time.Millisecond), wrapperspb.String("")
	rich.Raw, rich.Big, rich.Ratio, rich.Paid = []byte{0, 255}, math.MaxUint64, 0.1, true
	rich.U32, rich.S64, rich.F32, rich.Sf32, rich.Sf64 = math.MaxUint32, math.MinInt64, 7, -7, math.MinInt64
	barter := someOrder()
	barter.Payment, barter.Parent = &orders.Order_Barter{Barter: &orders.Item{Sku: "goat"}}, rich
	enc := generated(t)
	w, err := enc.NewWriter(enc.Schema(), protobuf.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]*orders.Order{
		"usual": someOrder(), "rich": rich, "oneof message": barter, "empty": {},
		"oneof text": {Payment: &orders.Order_Iban{}}, "oneof number": {Payment: &orders.Order_Voucher{Voucher: math.MaxUint64}}, "empty optional": {Note: proto.String("")},
	} {
		data, err := proto.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		text, err := enc.AppendJSON(nil, data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		again, err := w.Append(nil, text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var got orders.Order
		if err := proto.Unmarshal(again, &got); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !proto.Equal(o, &got) {
			t.Errorf("%s: %v came back as %v by way of %s", name, o, &got, text)
		}
	}
}

// BenchmarkOrder is decode, filter, set 2 and encode of one order: flow,
// Protobuf's dynamic messages, and generated code. All three write the same.
func BenchmarkOrder(b *testing.B) {
	data, err := proto.Marshal(someOrder())
	if err != nil {
		b.Fatal(err)
	}
	sides := []struct {
		name string
		step func(dst []byte) ([]byte, error)
	}{{"flow", byFlow(generated(b), data)}, {"dynamic", byDynamic(data)}, {"generated", byGenerated(data)}}
	var want orders.Order
	for i, s := range sides {
		out, err := s.step(nil)
		if err != nil {
			b.Fatal(s.name, err)
		}
		var got orders.Order
		if err := proto.Unmarshal(out, &got); err != nil {
			b.Fatal(s.name, err)
		}
		if i == 0 {
			proto.Merge(&want, &got)
		}
		if !proto.Equal(&got, &want) || got.GetCard() != "****" {
			b.Fatalf("%s wrote %v, and flow %v", s.name, &got, &want)
		}
	}
	for _, s := range sides {
		b.Run(s.name, func(b *testing.B) {
			var out []byte
			b.ReportAllocs()
			for b.Loop() {
				if out, err = s.step(out[:0]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

var errNotPaid = errors.New("the order is not paid")

func byFlow(enc *protobuf.Encoding, data []byte) func([]byte) ([]byte, error) {
	p := record.NewProjection()
	id := func(name string) record.PathID { return p.Add(record.Path{{Name: name}}) }
	status, price, quantity, card := id("status"), id("price"), id("quantity"), id("card")
	d := record.NewDoc(p)
	return func(dst []byte) ([]byte, error) {
		d.Reset(enc, data)
		s, err := d.Get(status)
		if err != nil {
			return dst, err
		}
		if string(s.Text()) != "paid" {
			return dst, errNotPaid
		}
		x, err := d.Get(price)
		if err != nil {
			return dst, err
		}
		q, err := d.Get(quantity)
		if err != nil {
			return dst, err
		}
		if err := d.Set(price, record.FloatValue(x.Float()*float64(q.Int()))); err != nil {
			return dst, err
		}
		if err := d.Set(card, record.StringValue("****")); err != nil {
			return dst, err
		}
		if dst, err = d.AppendTo(dst); err != nil {
			return dst, err
		}
		if _, native := d.Encoding().(*protobuf.Encoding); !native {
			return dst, fmt.Errorf("written as %s", d.Encoding().Name())
		}
		return dst, nil
	}
}

func byDynamic(data []byte) func([]byte) ([]byte, error) {
	desc := (&orders.Order{}).ProtoReflect().Descriptor()
	status, price, quantity, card := desc.Fields().ByName("status"), desc.Fields().ByName("price"), desc.Fields().ByName("quantity"), desc.Fields().ByName("card")
	return func(dst []byte) ([]byte, error) {
		m := dynamicpb.NewMessage(desc)
		if err := proto.Unmarshal(data, m); err != nil {
			return dst, err
		}
		if m.Get(status).String() != "paid" {
			return dst, errNotPaid
		}
		m.Set(price, protoreflect.ValueOfFloat64(m.Get(price).Float()*float64(m.Get(quantity).Int())))
		m.Set(card, protoreflect.ValueOfString("****"))
		return proto.MarshalOptions{}.MarshalAppend(dst, m)
	}
}

func byGenerated(data []byte) func([]byte) ([]byte, error) {
	return func(dst []byte) ([]byte, error) {
		var o orders.Order
		if err := proto.Unmarshal(data, &o); err != nil {
			return dst, err
		}
		if o.Status != "paid" {
			return dst, errNotPaid
		}
		o.Price *= float64(o.Quantity)
		o.Card = "****"
		return proto.MarshalOptions{}.MarshalAppend(dst, &o)
	}
}
