//go:build !linux

package file

// WriteVAt implements handle, one range after another.
func (f osFile) WriteVAt(list [][]byte, off int64) (int, error) {
	total := 0
	for _, p := range list {
		n, err := f.WriteAt(p, off+int64(total))
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}
