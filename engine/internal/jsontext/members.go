package jsontext

// Members reads the object that comes next and calls emit once for each of n
// members in their order, whatever the order in the text: with a cursor at the
// value, or nil where it is not there. Of members of the same name the last
// counts. index says which member a name is, next being a good guess; below
// zero it is skipped. emit must be repeatable: a text in another order is read
// twice, and what was appended to dst until then is dropped.
func (c *Cursor) Members(dst []byte, n int, index func(name []byte, next int) (int, error), emit func(dst []byte, i int, v *Cursor) ([]byte, error)) ([]byte, error) {
	start, begin := *c, len(dst)
	if err := c.Open('{'); err != nil {
		return dst, err
	}
	next := 0
	for first := true; ; first = false {
		more, err := c.More('}', first)
		if err != nil {
			return dst, err
		}
		if !more {
			break
		}
		name, err := c.Key(nil)
		if err != nil {
			return dst, err
		}
		i, err := index(name, next)
		if err != nil {
			return dst, err
		}
		if i < 0 {
			if err := c.Skip(); err != nil {
				return dst, err
			}
			continue
		}
		if i < next {
			*c = start
			return c.disordered(dst[:begin], n, index, emit)
		}
		for ; next < i; next++ {
			if dst, err = emit(dst, next, nil); err != nil {
				// It may still come.
				*c = start
				return c.disordered(dst[:begin], n, index, emit)
			}
		}
		if dst, err = emit(dst, i, c); err != nil {
			return dst, err
		}
		next = i + 1
	}
	for ; next < n; next++ {
		var err error
		if dst, err = emit(dst, next, nil); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// disordered is Members for an object in any order.
func (c *Cursor) disordered(dst []byte, n int, index func(name []byte, next int) (int, error), emit func(dst []byte, i int, v *Cursor) ([]byte, error)) ([]byte, error) {
	if err := c.Open('{'); err != nil {
		return dst, err
	}
	depth := c.depth
	values := make([][]byte, n)
	next := 0
	for first := true; ; first = false {
		more, err := c.More('}', first)
		if err != nil {
			return dst, err
		}
		if !more {
			break
		}
		name, err := c.Key(nil)
		if err != nil {
			return dst, err
		}
		i, err := index(name, next)
		if err != nil {
			return dst, err
		}
		raw, err := c.Raw()
		if err != nil {
			return dst, err
		}
		if i >= 0 {
			values[i] = raw
			next = i + 1
		}
	}
	for i, raw := range values {
		var v *Cursor
		if raw != nil {
			at := At(raw, depth)
			v = &at
		}
		var err error
		if dst, err = emit(dst, i, v); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// Elements reads the array that comes next and calls each at every element.
func (c *Cursor) Elements(each func(i int) error) error {
	if err := c.Open('['); err != nil {
		return err
	}
	for i := 0; ; i++ {
		more, err := c.More(']', i == 0)
		if !more {
			return err
		}
		if err := each(i); err != nil {
			return err
		}
	}
}

// Object reads the object that comes next and calls each at the value of every
// member.
func (c *Cursor) Object(each func(name []byte) error) error {
	if err := c.Open('{'); err != nil {
		return err
	}
	for first := true; ; first = false {
		more, err := c.More('}', first)
		if !more {
			return err
		}
		name, err := c.Key(nil)
		if err != nil {
			return err
		}
		if err := each(name); err != nil {
			return err
		}
	}
}
