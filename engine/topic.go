package engine

import "fmt"

// maxTopic is the longest name of a topic that Kafka takes.
const maxTopic = 249

// CheckTopic reports why Kafka would not take name as that of a topic. The
// error is worded to stand after the option's name.
func CheckTopic[T string | []byte](name T) error {
	if len(name) == 0 || len(name) > maxTopic {
		return fmt.Errorf("the name of a topic has 1 to %d bytes, this one has %d", maxTopic, len(name))
	}
	for i := range len(name) {
		switch c := name[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_', c == '-':
		default:
			return fmt.Errorf("%.60q is no name of a topic: it has letters from a to z, digits, dot, _ and - only", name)
		}
	}
	if s := string(name); s == "." || s == ".." {
		return fmt.Errorf("%q is no name of a topic: one or two dots alone are none", s)
	}
	return nil
}
