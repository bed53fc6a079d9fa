package protobuf_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/flowrecords/flow/engine/record/protobuf"
)

// extra are files that registries have built in and the compiler has not.
var extra = map[string]string{
	"google/type/date.proto":       `syntax = "proto3"; package google.type; message Date { int32 year = 1; int32 month = 2; int32 day = 3; }`,
	"google/type/timeofday.proto":  `syntax = "proto3"; package google.type; message TimeOfDay { int32 hours = 1; int32 minutes = 2; int32 seconds = 3; int32 nanos = 4; }`,
	"confluent/type/decimal.proto": `syntax = "proto3"; package confluent.type; message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }`,
	"confluent/meta.proto": `syntax = "proto3"; package confluent; import "google/protobuf/descriptor.proto";
message Meta { string doc = 1; map<string, string> params = 2; repeated string tags = 3; }
extend google.protobuf.FileOptions { Meta file_meta = 1088; }
extend google.protobuf.MessageOptions { Meta message_meta = 1088; }
extend google.protobuf.FieldOptions { Meta field_meta = 1088; }
extend google.protobuf.EnumOptions { Meta enum_meta = 1088; }
extend google.protobuf.EnumValueOptions { Meta enum_value_meta = 1088; }`,
}

// compile compiles files and returns the descriptor of one of them, and the
// set of all.
func compile(t testing.TB, files map[string]string, path string) (protoreflect.FileDescriptor, *protobuf.Set) {
	t.Helper()
	for name, text := range extra {
		files[name] = text
	}
	c := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(&protocompile.SourceResolver{Accessor: protocompile.SourceAccessorFromMap(files)}),
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	out, err := c.Compile(context.Background(), path)
	if err != nil {
		t.Fatalf("compiling: %v\n%s", err, files[path])
	}
	set := &descriptorpb.FileDescriptorSet{}
	seen := map[string]bool{}
	var add func(f protoreflect.FileDescriptor)
	add = func(f protoreflect.FileDescriptor) {
		if seen[f.Path()] {
			return
		}
		seen[f.Path()] = true
		for i := range f.Imports().Len() {
			add(f.Imports().Get(i).FileDescriptor)
		}
		set.File = append(set.File, protodesc.ToFileDescriptorProto(f))
	}
	add(out[0])
	data, err := proto.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := protobuf.ParseSet(data)
	if err != nil {
		t.Fatal(err)
	}
	// Dynamic messages want a descriptor without the compiler's types.
	var clean descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(data, &clean); err != nil {
		t.Fatal(err)
	}
	known, err := protodesc.NewFiles(&clean)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := known.FindFileByPath(path)
	if err != nil {
		t.Fatal(err)
	}
	return theirs, ours
}

func read(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

type pair struct {
	theirs protoreflect.MessageDescriptor
	ours   *protobuf.Encoding
}

// load compiles a file of testdata and returns one of its messages.
func load(t testing.TB, file, message string) pair {
	t.Helper()
	theirs, set := compile(t, map[string]string{file: read(t, file)}, file)
	m := set.Message(message)
	if m == nil {
		t.Fatalf("%s has no message %s", file, message)
	}
	e, err := protobuf.NewEncoding(m)
	if err != nil {
		t.Fatal(err)
	}
	return pair{theirs.Messages().ByName(protoreflect.FullName(message).Name()), e}
}
