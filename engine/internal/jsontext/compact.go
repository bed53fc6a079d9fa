package jsontext

// AppendCompact appends the valid JSON text src without white space between
// its tokens.
func AppendCompact(dst, src []byte) []byte {
	quoted := false
	for i := 0; i < len(src); i++ {
		c := src[i]
		switch {
		case quoted && c == '\\':
			dst = append(dst, c)
			i++
			c = src[i]
		case c == '"':
			quoted = !quoted
		case !quoted && c <= ' ':
			continue
		}
		dst = append(dst, c)
	}
	return dst
}
