package protosource

import (
	"errors"
	"strings"

	"google.golang.org/protobuf/types/descriptorpb"
)

// Bounds of a file, beside its size. Everything that is declared has a full name,
// which holds those of all that it stands in: without them a text of some
// megabytes makes a compiler take as many gigabytes.
const (
	maxDepth = 100      // of brackets, and of messages within messages
	maxNames = 64 << 20 // bytes of all full names together
	maxLines = 4 << 30  // sum of the squares of the lengths of lines
)

var (
	errDepth = errors.New("more than 100 levels of brackets or messages within each other")
	errSlow  = errors.New("its lines are too long")
	errNames = errors.New("the full names of what it declares take more than 64 MiB together")
)

// checkText refuses a text that takes too much to compile. It knows of the
// language only what it needs, and counts rather too much.
func checkText(text string) error {
	// scopes are how long the names are of what is open.
	scopes := make([]int, 1, 16)
	names, last, keyword := 0, 0, ""
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case isWord(c):
			end := i + 1
			for end < len(text) && isWord(text[end]) {
				end++
			}
			if keyword == "" {
				keyword = text[i:end]
			}
			last, i = end-i, end
			continue
		case c == '"' || c == '\'':
			i = behindString(text, i)
			continue
		case strings.HasPrefix(text[i:], "//"):
			i = behind(text, i, "\n")
			continue
		case strings.HasPrefix(text[i:], "/*"):
			i = behind(text, i+2, "*/")
			continue
		case strings.IndexByte("{[(<", c) >= 0:
			if len(scopes) > maxDepth {
				return errDepth
			}
			scopes = append(scopes, scopes[len(scopes)-1]+last+1)
			names += scopes[len(scopes)-1]
			keyword = ""
		case strings.IndexByte("}])>", c) >= 0:
			if len(scopes) > 1 {
				scopes = scopes[:len(scopes)-1]
			}
			if c == '}' {
				keyword = ""
			}
		case c == ';' || c == ',':
			if keyword == "package" {
				scopes[0] = last
			}
			names += scopes[len(scopes)-1] + last
			keyword = ""
		}
		if names > maxNames {
			return errNames
		}
		i++
	}
	return nil
}

// slowPlaces reports that the places of what a text declares would take long to
// find: the compiler counts the columns of a line from its beginning, for every
// place anew.
func slowPlaces(text string) bool {
	sum := 0
	for line := range strings.Lines(text) {
		sum += len(line) * len(line)
	}
	return sum > maxLines
}

func isWord(c byte) bool {
	return c == '_' || c == '.' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// behind returns the index behind the next end from i on.
func behind(text string, i int, end string) int {
	if n := strings.Index(text[i:], end); n >= 0 {
		return i + n + len(end)
	}
	return len(text)
}

// behindString returns the index behind the string that begins at i. A string
// ends with its line at the latest.
func behindString(text string, i int) int {
	quote := text[i]
	for i++; i < len(text); i++ {
		switch text[i] {
		case quote, '\n':
			return i + 1
		case '\\':
			i++
		}
	}
	return len(text)
}

// checkDescriptor is checkText for a file that came as a descriptor.
func checkDescriptor(f *descriptorpb.FileDescriptorProto) error {
	names := 0
	var walk func(list []*descriptorpb.DescriptorProto, enums []*descriptorpb.EnumDescriptorProto, scope, depth int) error
	walk = func(list []*descriptorpb.DescriptorProto, enums []*descriptorpb.EnumDescriptorProto, scope, depth int) error {
		if depth > maxDepth {
			return errDepth
		}
		for _, e := range enums {
			names += scope + len(e.GetName())
			for _, v := range e.GetValue() {
				names += scope + len(v.GetName())
			}
		}
		for _, m := range list {
			inner := scope + 1 + len(m.GetName())
			names += inner
			for _, x := range m.GetField() {
				names += inner + 1 + len(x.GetName())
			}
			if names > maxNames {
				return errNames
			}
			if err := walk(m.GetNestedType(), m.GetEnumType(), inner, depth+1); err != nil {
				return err
			}
		}
		if names > maxNames {
			return errNames
		}
		return nil
	}
	return walk(f.GetMessageType(), f.GetEnumType(), len(f.GetPackage()), 0)
}
