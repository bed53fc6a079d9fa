package funcs

// recordFuncs ask about the record as a whole. The compiler of expressions reads
// what they ask for from the record itself; what is here holds for none.
func (s *set) recordFuncs() []def {
	none := func(*in) (any, error) { return false, nil }
	return []def{
		{
			Func: Func{
				Name: "topicMatches", Group: groupRecord,
				Doc:      "Whether a pattern matches the whole topic of the record; false where it has none. As Kafka Connect's `TopicNameMatches`. Null is an error.",
				Params:   []Param{p("pattern", "string", "a regular expression in RE2 syntax")},
				Result:   "bool",
				Examples: []Example{ex("topicMatches(`orders-.*`)", "false")},
			},
			checks: map[int]func(any) string{0: s.checkRegex},
			impl:   none,
		},
		{
			Func: Func{
				Name: "hasHeader", Group: groupRecord,
				Doc:      "Whether the record has at least one header of that name, be it null. As Kafka Connect's `HasHeaderKey`.",
				Params:   []Param{p("name", "string", "the name, in upper and lower case as it is")},
				Result:   "bool",
				Examples: []Example{ex(`hasHeader("trace-id")`, "false")},
			},
			impl: none,
		},
		{
			Func: Func{
				Name: "isTombstone", Group: groupRecord,
				Doc:      "Whether the value of the record is null, which in Kafka deletes what has its key. It reads nothing of other values. As Kafka Connect's `RecordIsTombstone`.",
				Result:   "bool",
				Examples: []Example{exIn(`isTombstone()`, `{"id": 1}`, "false")},
			},
			impl: none,
		},
	}
}
