// Package protosource compiles the text of .proto files to descriptors.
package protosource

import (
	"context"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/linker"
	"github.com/bufbuild/protocompile/reporter"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/flowrecords/flow/engine/record/protobuf"
)

// builtIn are files that registries know without being told, beside those of
// google/protobuf, which the compiler knows.
//
//go:embed files
var builtIn embed.FS

// Find returns the text of an imported file; fs.ErrNotExist if there is none.
type Find func(path string) (string, error)

// None finds no file.
func None(string) (string, error) { return "", fs.ErrNotExist }

// Bounds of what is compiled. See bounds.go for those within a file.
const (
	maxText     = 4 << 20
	maxFiles    = 1000
	maxMistakes = 3 // that are reported
)

// Compile compiles a file with what it imports. The text may also be the base64
// of a google.protobuf.FileDescriptorProto or FileDescriptorSet: so do registries
// hand out schemas that have no text.
func Compile(path, text string, find Find) (*protobuf.File, error) {
	if path == "" {
		path = "schema.proto"
	}
	c := compiler{find: find, root: path, text: text}
	descriptors, err := c.descriptors()
	if c.slow {
		c.bare, c.slow, c.files = true, false, 0
		descriptors, err = c.descriptors()
	}
	if err != nil {
		return nil, err
	}
	data, err := proto.Marshal(descriptors)
	if err != nil {
		return nil, fmt.Errorf("writing descriptors: %w", err)
	}
	set, err := protobuf.ParseSet(data)
	if err != nil {
		return nil, err
	}
	return set.Files[len(set.Files)-1], nil
}

type compiler struct {
	find       Find
	root, text string
	files      int
	// bare: without the places of what is declared, and so without comments.
	// slow: a file asks for that.
	bare, slow bool
}

// serialized returns the descriptor that text is the base64 of; nil if it is
// none.
func serialized(text string) *descriptorpb.FileDescriptorSet {
	data, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(data) == 0 {
		return nil
	}
	// A file's first field is its name, a set's a file.
	file, set := &descriptorpb.FileDescriptorProto{}, &descriptorpb.FileDescriptorSet{}
	if proto.Unmarshal(data, file) == nil && len(file.ProtoReflect().GetUnknown()) == 0 && (len(file.MessageType) > 0 || len(file.EnumType) > 0) {
		return &descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{file}}
	}
	if proto.Unmarshal(data, set) == nil && len(set.ProtoReflect().GetUnknown()) == 0 && len(set.File) > 0 {
		return set
	}
	return nil
}

// open finds an imported file or the root.
func (c *compiler) open(path string) (protocompile.SearchResult, error) {
	if c.files++; c.files > maxFiles {
		return protocompile.SearchResult{}, fmt.Errorf("more than %d imports", maxFiles)
	}
	text := c.text
	if path != c.root {
		var err error
		if text, err = c.find(path); errors.Is(err, fs.ErrNotExist) {
			if b, known := builtIn.ReadFile("files/" + path); known == nil {
				text, err = string(b), nil
			} else {
				err = fmt.Errorf("the imported file %s is not there: %w", path, err)
			}
		}
		if err != nil {
			return protocompile.SearchResult{}, err
		}
	}
	if len(text) > maxText {
		return protocompile.SearchResult{}, fmt.Errorf("%s has more than %d bytes", path, maxText)
	}
	if set := serialized(text); set != nil {
		file := set.File[len(set.File)-1]
		file.Name = proto.String(path)
		if err := checkDescriptor(file); err != nil {
			return protocompile.SearchResult{}, fmt.Errorf("%s: %w", path, err)
		}
		return protocompile.SearchResult{Proto: file}, nil
	}
	if err := checkText(text); err != nil {
		return protocompile.SearchResult{}, fmt.Errorf("%s: %w", path, err)
	}
	if !c.bare && slowPlaces(text) {
		c.slow = true
		return protocompile.SearchResult{}, errSlow
	}
	return protocompile.SearchResult{Source: io.NopCloser(strings.NewReader(text))}, nil
}

// descriptors compiles and returns the files in an order in which each comes
// behind its imports, the root last.
func (c *compiler) descriptors() (*descriptorpb.FileDescriptorSet, error) {
	var mistakes []string
	mode := protocompile.SourceInfoStandard
	if c.bare {
		mode = protocompile.SourceInfoNone
	}
	comp := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(protocompile.ResolverFunc(c.open)),
		SourceInfoMode: mode,
		MaxParallelism: 1,
		Reporter: reporter.NewReporter(func(err reporter.ErrorWithPos) error {
			mistakes = append(mistakes, err.Error())
			if len(mistakes) >= maxMistakes {
				return err
			}
			return nil
		}, nil),
	}
	files, err := comp.Compile(context.Background(), c.root)
	if len(mistakes) > 0 {
		return nil, errors.New(strings.Join(mistakes, "; "))
	}
	if err != nil {
		return nil, err
	}
	out := &descriptorpb.FileDescriptorSet{}
	seen := map[string]bool{}
	var add func(f protoreflect.FileDescriptor)
	add = func(f protoreflect.FileDescriptor) {
		if f.IsPlaceholder() || seen[f.Path()] {
			return
		}
		seen[f.Path()] = true
		for i := range f.Imports().Len() {
			add(f.Imports().Get(i).FileDescriptor)
		}
		if r, ok := f.(linker.Result); ok {
			out.File = append(out.File, r.FileDescriptorProto())
			return
		}
		out.File = append(out.File, protodesc.ToFileDescriptorProto(f))
	}
	add(files[0])
	return out, nil
}
