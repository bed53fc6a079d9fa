package protobuf

import (
	"maps"
	"slices"
)

// meta is what Confluent's confluent/meta.proto lets fields, messages and enums
// say beyond Protobuf: a doc and free parameters. It is where types go that
// Protobuf lacks.
type meta struct {
	doc    string
	params map[string]string
}

// metaOption is the number of the options confluent.field_meta, message_meta,
// enum_meta and enum_value_meta, and of file_meta.
const metaOption = 1088

const metaFile = "confluent/meta.proto"

// parseMeta finds it in options.
func parseMeta(options []byte) (m meta, err error) {
	err = eachField(options, func(p part) error {
		if p.num != metaOption || p.wire != wireBytes {
			return nil
		}
		return eachField(p.data, func(p part) error {
			switch {
			case p.wire != wireBytes:
			case p.num == 1:
				m.doc = string(p.data)
			case p.num == 2:
				var key, value string
				if err := eachField(p.data, func(p part) error {
					switch p.num {
					case 1:
						key = string(p.data)
					case 2:
						value = string(p.data)
					}
					return nil
				}); err != nil {
					return err
				}
				if m.params == nil {
					m.params = map[string]string{}
				}
				m.params[key] = value
			}
			return nil
		})
	})
	return m, err
}

func (m meta) empty() bool { return m.doc == "" && len(m.params) == 0 }

func (m *meta) set(name, value string) {
	if m.params == nil {
		m.params = map[string]string{}
	}
	m.params[name] = value
}

// append adds the option to others.
func (m meta) append(options []byte) []byte {
	if m.empty() {
		return options
	}
	var b []byte
	if m.doc != "" {
		b = appendBytesField(b, 1, m.doc)
	}
	for _, name := range slices.Sorted(maps.Keys(m.params)) {
		e := appendBytesField(nil, 1, name)
		b = appendBytesField(b, 2, appendBytesField(e, 2, m.params[name]))
	}
	return appendBytesField(options, metaOption, b)
}
