package protobufconv

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/flowrecords/flow/connections/registry"
	"github.com/flowrecords/flow/connections/registry/protosource"
	"github.com/flowrecords/flow/engine/record/protobuf"
)

// text is a message with the text of the file that declares it.
type text struct {
	file    *protobuf.File
	message *protobuf.Message
	enc     *protobuf.Encoding
	text    string
	refs    []registry.Reference
	// imports are the texts of the files that it imports, and these in turn, by
	// their paths: those of the option imports.
	imports map[string]*imported
}

type imported struct {
	text string
	file *protobuf.File
}

func newText(f *protobuf.File, m *protobuf.Message, source string) (*text, error) {
	enc, err := protobuf.NewEncoding(m)
	if err != nil {
		return nil, err
	}
	return &text{file: f, message: m, enc: enc, text: source}, nil
}

// pick returns the message of that name in a file, the first one for no name.
func pick(f *protobuf.File, name string) (*protobuf.Message, error) {
	if len(f.Messages) == 0 {
		return nil, errors.New("the file declares no message")
	}
	if name == "" {
		return f.Messages[0], nil
	}
	if m := find(f.Messages, name); m != nil {
		return m, nil
	}
	return nil, fmt.Errorf("the file declares no message %s; the first one is %s", name, f.Messages[0].Name)
}

func find(list []*protobuf.Message, name string) *protobuf.Message {
	for _, m := range list {
		if m.Name == name {
			return m
		}
		if n := find(m.Nested, name); n != nil {
			return n
		}
	}
	return nil
}

// compile compiles the text of a file with those of imports, by their paths.
func compile(source string, imports map[string]string, message string) (*text, error) {
	used := map[string]bool{}
	find := func(path string) (string, error) {
		s, ok := imports[path]
		if !ok {
			return "", errMissing(path)
		}
		used[path] = true
		return s, nil
	}
	f, err := protosource.Compile("", source, find)
	if err != nil {
		return nil, err
	}
	m, err := pick(f, message)
	if err != nil {
		return nil, err
	}
	t, err := newText(f, m, source)
	if err != nil {
		return nil, err
	}
	t.imports = make(map[string]*imported, len(used))
	for path := range used {
		in, err := protosource.Compile(path, imports[path], find)
		if err != nil {
			return nil, err
		}
		t.imports[path] = &imported{imports[path], in}
	}
	return t, nil
}

// errMissing is the error of a path that imports does not have.
type errMissing string

func (e errMissing) Error() string {
	return fmt.Sprintf("add it with imports = { %q = file(%q) }", string(e), string(e))
}

func (errMissing) Is(target error) bool { return target == fs.ErrNotExist }

// parseRegistered reads a file of the registry with what it refers to.
func parseRegistered(s *registry.Schema) (*protobuf.File, error) {
	if s.Type != registry.Protobuf {
		return nil, fmt.Errorf("the schema %d of the registry is of the type %s, not PROTOBUF", s.ID, s.Type)
	}
	return protosource.Compile("", s.Text.Text, func(path string) (string, error) {
		for i := range s.Uses {
			if u := &s.Uses[i]; u.Name == path {
				return u.Schema.Text.Text, nil
			}
		}
		return "", fs.ErrNotExist
	})
}
