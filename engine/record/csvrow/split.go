package csvrow

import "bytes"

// Finder finds the ends of rows in a stream that arrives in pieces of any
// size. A newline within quotes belongs to the row. After a mistake in its
// quotes a row ends at the next newline, so that one bad row does not take
// the rows behind it along.
type Finder struct {
	d     Dialect
	state finderState
}

type finderState uint8

const (
	fieldStart finderState = iota
	unquoted
	quoted
	quoteSeen // a quote within quotes: closes, or is the first of two
	crSeen    // a carriage return behind what may be the closing quote
	broken    // strict only: runs to the next newline
)

// NewFinder returns a Finder that stands at the start of a row.
func NewFinder(d Dialect) *Finder { return &Finder{d: d} }

// Reset makes the next byte the first one of a row.
func (f *Finder) Reset() { f.state = fieldStart }

// Next returns the length of the row's rest up to and with its newline, or -1
// when data ends within the row. The next call must get the bytes that follow.
func (f *Finder) Next(data []byte) int {
	i := 0
	for i < len(data) {
		switch f.state {
		case fieldStart, unquoted, broken:
			n := bytes.IndexByte(data[i:], '\n')
			line := data[i:]
			if n >= 0 {
				line = line[:n]
			}
			used := f.outside(line)
			if used == len(line) && n >= 0 && f.state != quoted {
				f.state = fieldStart
				return i + n + 1
			}
			i += used
		case quoted:
			n := bytes.IndexByte(data[i:], '"')
			if n < 0 {
				return -1
			}
			i += n + 1
			f.state = quoteSeen
		default:
			c := data[i]
			i++
			if c == '\n' {
				f.state = fieldStart
				return i
			}
			f.behindQuote(c)
		}
	}
	return -1
}

// outside goes over bytes without newline, up to an opening quote and past
// it, and returns how many it took.
func (f *Finder) outside(line []byte) int {
	if len(line) == 0 {
		return 0
	}
	if f.state == broken {
		return len(line)
	}
	if bytes.IndexByte(line, '"') < 0 {
		f.state = unquoted
		if line[len(line)-1] == f.d.Delimiter {
			f.state = fieldStart
		}
		return len(line)
	}
	for i, c := range line {
		switch {
		case c == '"' && f.state == fieldStart:
			f.state = quoted
			return i + 1
		case c == '"' && !f.d.Lazy:
			f.state = broken
			return len(line)
		case c == f.d.Delimiter:
			f.state = fieldStart
		default:
			f.state = unquoted
		}
	}
	return len(line)
}

// behindQuote takes the byte c, no newline, behind a quote within quotes.
func (f *Finder) behindQuote(c byte) {
	switch {
	case f.state == quoteSeen && c == '"':
		f.state = quoted
	case f.state == quoteSeen && c == f.d.Delimiter:
		f.state = fieldStart
	case f.state == quoteSeen && c == '\r':
		f.state = crSeen
	case !f.d.Lazy:
		f.state = broken
	case c == '"':
		f.state = quoteSeen
	default:
		f.state = quoted
	}
}

// Parser splits rows into fields.
type Parser struct {
	d       Dialect
	fields  []Field
	scratch []byte // text of fields that held doubled quotes
}

// NewParser returns a Parser.
func NewParser(d Dialect) *Parser { return &Parser{d: d} }

// Parse splits one row, with or without its line end (\n or \r\n). The fields
// are ranges of row and of the parser's scratch, valid until the next Parse.
// An empty row has one empty field.
func (p *Parser) Parse(row []byte) ([]Field, error) {
	row = trimLineEnd(row)
	p.fields = p.fields[:0]
	if bytes.IndexByte(row, '"') < 0 {
		for {
			n := bytes.IndexByte(row, p.d.Delimiter)
			if n < 0 {
				p.fields = append(p.fields, Field{Text: row})
				return p.fields, nil
			}
			p.fields = append(p.fields, Field{Text: row[:n]})
			row = row[n+1:]
		}
	}
	if cap(p.scratch) < len(row) {
		// Never grown within a row: fields are ranges of it.
		p.scratch = make([]byte, 0, len(row)+len(row)/2)
	}
	p.scratch = p.scratch[:0]
	for {
		text, used, isQuoted, err := p.field(row)
		if err != nil {
			return nil, &FieldError{Field: len(p.fields) + 1, Err: err}
		}
		p.fields = append(p.fields, Field{Text: text, Quoted: isQuoted})
		if used == len(row) {
			return p.fields, nil
		}
		row = row[used+1:]
	}
}

// field reads the field that row begins with, up to its delimiter.
func (p *Parser) field(row []byte) (text []byte, used int, isQuoted bool, err error) {
	if len(row) == 0 || row[0] != '"' {
		n := bytes.IndexByte(row, p.d.Delimiter)
		if n < 0 {
			n = len(row)
		}
		if !p.d.Lazy && bytes.IndexByte(row[:n], '"') >= 0 {
			return nil, 0, false, ErrBareQuote
		}
		return row[:n], n, false, nil
	}
	text, used, err = p.quotedField(row)
	return text, used, true, err
}

func (p *Parser) quotedField(row []byte) (text []byte, used int, err error) {
	start := len(p.scratch)
	i := 1
	for {
		n := bytes.IndexByte(row[i:], '"')
		if n < 0 {
			if !p.d.Lazy {
				return nil, 0, ErrQuote
			}
			p.scratch = append(p.scratch, row[i:]...)
			return p.scratch[start:], len(row), nil
		}
		end := i + n
		switch {
		case end+1 == len(row) || row[end+1] == p.d.Delimiter:
			if len(p.scratch) == start {
				return row[i:end], end + 1, nil
			}
			p.scratch = append(p.scratch, row[i:end]...)
			return p.scratch[start:], end + 1, nil
		case row[end+1] == '"':
			p.scratch = append(p.scratch, row[i:end+1]...)
			i = end + 2
		case p.d.Lazy:
			p.scratch = append(p.scratch, row[i:end+1]...)
			i = end + 1
		default:
			return nil, 0, ErrQuote
		}
	}
}

// trimLineEnd cuts one line end off. A lone carriage return at the end counts
// too: it is what is left of \r\n in a file that was cut short.
func trimLineEnd(row []byte) []byte {
	row = bytes.TrimSuffix(row, []byte{'\n'})
	return bytes.TrimSuffix(row, []byte{'\r'})
}

var bom = []byte("\uFEFF")

// SkipBOM cuts a UTF-8 byte order mark off the start of a file.
func SkipBOM(data []byte) []byte { return bytes.TrimPrefix(data, bom) }
