package record

// String returns the kind's name as docs and errors write it.
func (k Kind) String() string {
	names := [...]string{"missing", "null", "bool", "int", "float", "string", "bytes", "time", "duration", "array", "object"}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}
