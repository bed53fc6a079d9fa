package csvrow

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
)

var comma = Dialect{Delimiter: ','}

func texts(fields []Field) []string {
	out := make([]string, 0, len(fields))
	for _, f := range fields {
		s := string(f.Text)
		if f.Quoted {
			s = `"` + s + `"`
		}
		out = append(out, s)
	}
	return out
}

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		d    Dialect
		in   string
		want []string
		err  error
	}{
		{"empty row", comma, "", []string{""}, nil},
		{"plain", comma, "a,b,c\n", []string{"a", "b", "c"}, nil},
		{"empty fields", comma, ",,\r\n", []string{"", "", ""}, nil},
		{"blanks are text", comma, " a , b ", []string{" a ", " b "}, nil},
		{"quoted", comma, `"a","b,c",""` + "\r\n", []string{`"a"`, `"b,c"`, `""`}, nil},
		{"doubled quotes", comma, `"a""b","""",""""""`, []string{`"a"b"`, `"""`, `""""`}, nil},
		{"newline in quotes", comma, "\"a\r\nb\",c\n", []string{"\"a\r\nb\"", "c"}, nil},
		{"other delimiter", Dialect{Delimiter: '\t'}, "a,b\tc", []string{"a,b", "c"}, nil},
		{"bare quote", comma, `a"b,c`, nil, ErrBareQuote},
		{"text behind a quote", comma, `"a"b,c`, nil, ErrQuote},
		{"blank behind a quote", comma, `"a" ,c`, nil, ErrQuote},
		{"no closing quote", comma, `a,"b`, nil, ErrQuote},
		{"lazy bare quote", Dialect{',', true}, `a"b,"c"`, []string{`a"b`, `"c"`}, nil},
		{"lazy quote inside", Dialect{',', true}, `"a"b",c`, []string{`"a"b"`, "c"}, nil},
		{"lazy open quote", Dialect{',', true}, `a,"b"",c`, []string{"a", `"b",c"`}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			fields, err := NewParser(tt.d).Parse([]byte(tt.in))
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if err == nil && !slices.Equal(texts(fields), tt.want) {
				t.Errorf("got %q, want %q", texts(fields), tt.want)
			}
		})
	}
}

func TestErrorNamesField(t *testing.T) {
	t.Parallel()
	_, err := NewParser(comma).Parse([]byte(`a,"b"c`))
	var fe *FieldError
	if !errors.As(err, &fe) || fe.Field != 2 {
		t.Errorf("got %v, want field 2", err)
	}
}

// rows splits data with a Finder that gets it in pieces.
func rows(d Dialect, data []byte, size int) []string {
	var out []string
	f := NewFinder(d)
	start, at := 0, 0
	for at < len(data) {
		n := f.Next(data[at:min(at+size, len(data))])
		if n < 0 {
			at = min(at+size, len(data))
			continue
		}
		at += n
		out = append(out, string(data[start:at]))
		start = at
	}
	if start < len(data) {
		out = append(out, string(data[start:]))
	}
	return out
}

func TestFinder(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		d    Dialect
		in   string
		want []string
	}{
		{"plain", comma, "a,b\nc\n\nd", []string{"a,b\n", "c\n", "\n", "d"}},
		{"newline in quotes", comma, "\"a\nb\",c\nd\n", []string{"\"a\nb\",c\n", "d\n"}},
		{"newline first in quotes", comma, "a,\"\nb\"\nc\n", []string{"a,\"\nb\"\n", "c\n"}},
		{"doubled quotes", comma, "\"a\"\"\n\"\nb\n", []string{"\"a\"\"\n\"\n", "b\n"}},
		{"carriage returns", comma, "\"a\"\r\n\"b\r\n\"\r\nc\r\n", []string{"\"a\"\r\n", "\"b\r\n\"\r\n", "c\r\n"}},
		{"bare quote ends with its line", comma, "a\"b\nc\n", []string{"a\"b\n", "c\n"}},
		{"text behind a quote ends with its line", comma, "\"a\"b\",\"c\nd\n", []string{"\"a\"b\",\"c\n", "d\n"}},
		{"lone carriage return behind a quote", comma, "\"a\"\r\"b\nc\n", []string{"\"a\"\r\"b\n", "c\n"}},
		{"lazy quote inside", Dialect{',', true}, "\"a\"b\nc\"\nd\n", []string{"\"a\"b\nc\"\n", "d\n"}},
		{"lazy bare quote", Dialect{',', true}, "a\"b\nc\n", []string{"a\"b\n", "c\n"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for size := 1; size <= len(tt.in); size++ {
				if got := rows(tt.d, []byte(tt.in), size); !slices.Equal(got, tt.want) {
					t.Errorf("pieces of %d: got %q, want %q", size, got, tt.want)
				}
			}
		})
	}
}

func TestAppendJSON(t *testing.T) {
	t.Parallel()
	types := map[string]Type{"i": Int, "f": Float, "b": Bool}
	c, err := NewColumns([]string{"s", "i", "f", "b"}, types, []string{"", "NULL"})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, in, want, err string }{
		{"typed", "x,7,1.50,true", `{"s":"x","i":7,"f":1.50,"b":true}`, ""},
		{"nulls", ",NULL,,", `{"s":null,"i":null,"f":null,"b":null}`, ""},
		{"a quoted text is no null", `"NULL",1,1,1`, `{"s":"NULL","i":1,"f":1,"b":true}`, ""},
		{"escapes", "\"a\"\"\\\b\n\t\",1,1,f", `{"s":"a\"\\\u0008\n\t","i":1,"f":1,"b":false}`, ""},
		{"other spellings", "é, +007 ,.5,YES", `{"s":"é","i":7,"f":0.5,"b":true}`, ""},
		{"digits are kept", "x,-9223372036854775808,1.10000000000000000000000001e400,N", `{"s":"x","i":-9223372036854775808,"f":1.10000000000000000000000001e400,"b":false}`, ""},
		{"no int", "x,1.0,1,1", "", `column "i": the text does not fit the column's type int: "1.0"`},
		{"int too large", "x,9223372036854775808,1,1", "", `column "i": the text does not fit the column's type int of 64 bits: "9223372036854775808"`},
		{"no float", "x,1,0x10,1", "", `column "f": the text does not fit the column's type float: "0x10"`},
		{"word is no float", "x,1,NaN,1", "", `column "f": the text does not fit the column's type float: "NaN"`},
		{"no bool", "x,1,1,maybe", "", `column "b": the text does not fit the column's type bool: "maybe"`},
		{"quoted empty int", `x,"",1,1`, "", `column "i": the text does not fit the column's type int: ""`},
		{"not UTF-8", "\xff,1,1,1", "", `column "s": the text is not UTF-8`},
		{"too few", "x,1,1", "", "wrong number of fields: 3, the header has 4"},
		{"too many", "x,1,1,1,1", "", "wrong number of fields: 5, the header has 4"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			fields, err := NewParser(comma).Parse([]byte(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.AppendJSON([]byte("+"), fields)
			if tt.err != "" {
				if err == nil || err.Error() != tt.err || string(got) != "+" {
					t.Fatalf("got %s, error %v, want %s", got, err, tt.err)
				}
				return
			}
			if err != nil || string(got) != "+"+tt.want || !json.Valid(got[1:]) {
				t.Errorf("got %s, %v, want %s", got, err, tt.want)
			}
		})
	}
}

func TestNewColumns(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		names []string
		types map[string]Type
		want  string
	}{
		{"none", nil, nil, "there are no columns"},
		{"twice", []string{"a", "b", "a"}, nil, `two columns are named "a"`},
		{"not UTF-8", []string{"\xff"}, nil, "name of column 1: the text is not UTF-8"},
		{"unknown type", []string{"a", "b"}, map[string]Type{"c": Int}, `there is no column "c", for which a type is given; the columns are a, b`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := NewColumns(tt.names, tt.types, nil); err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestWriter(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		names string
		o     WriterOptions
		in    string
		want  string
		err   string
	}{
		{"in order", "a b", WriterOptions{}, `{"a":"x","b":1.50}`, "x,1.50", ""},
		{"other order and blanks", "a b", WriterOptions{}, " {\n\"b\" : true , \"a\" : \"x\"\t}\n", "x,true", ""},
		{"quotes where needed", "a b c d", WriterOptions{}, `{"a":"x,y","b":"x\"y","c":"x\ny","d":" x"}`, "\"x,y\",\"x\"\"y\",\"x\ny\",\" x\"", ""},
		{"escapes", "a b", WriterOptions{}, `{"a":"\u00e9\ud83d\ude00\ud83d\/","b":"\\\b\f\r\t"}`, "é😀\uFFFD/,\"\\\b\f\r\t\"", ""},
		{"null and missing", "a b c", WriterOptions{}, `{"a":null,"c":""}`, `,,""`, ""},
		{"text for null", "a b c", WriterOptions{Null: "NULL"}, `{"a":null,"b":"NULL","c":"NULL,"}`, `NULL,"NULL","NULL,"`, ""},
		{"nested", "a b c", WriterOptions{}, `{"a":{"x":[1,"}"]},"b":[],"c":-1e5}`, `"{""x"":[1,""}""]}",[],-1e5`, ""},
		{"last duplicate counts", "a", WriterOptions{}, `{"a":1,"a":2}`, "2", ""},
		{"one empty field", "a", WriterOptions{}, `{}`, `""`, ""},
		{"escaped name", "é", WriterOptions{}, `{"\u00e9":1}`, "1", ""},
		{"unknown member", "a", WriterOptions{}, `{"a":1,"b":2}`, "", `member "b" is no column`},
		{"unknown member left out", "a", WriterOptions{IgnoreUnknown: true}, `{"b":{"a":2},"a":1}`, "1", ""},
		{"no object", "a", WriterOptions{}, `[1]`, "", "the value is not a JSON object, so it has no columns"},
		{"no JSON", "a", WriterOptions{}, `{"a":}`, "", "invalid JSON"},
		{"not UTF-8", "a", WriterOptions{}, "{\"a\":\"\xff\"}", "", "invalid UTF-8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.o.Delimiter = ','
			w, err := NewWriter(strings.Fields(tt.names), tt.o)
			if err != nil {
				t.Fatal(err)
			}
			got, err := w.AppendRow([]byte("+"), []byte(tt.in))
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) || string(got) != "+" {
					t.Fatalf("got %s, error %v, want %s", got, err, tt.err)
				}
				return
			}
			if err != nil || string(got) != "+"+tt.want {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	got, err := Names([]byte(`{"b":{"x":1},"a\n":2,"b":3}`))
	if err != nil || !slices.Equal(got, []string{"b", "a\n"}) {
		t.Errorf("got %q, %v", got, err)
	}
	for _, in := range []string{"{}", "1", "{"} {
		if _, err := Names([]byte(in)); err == nil {
			t.Errorf("%s has no names, got no error", in)
		}
	}
	if h := AppendHeader(nil, []string{"a,b", "c"}, ','); string(h) != `"a,b",c` {
		t.Errorf("got header %s", h)
	}
}

func TestParseDelimiter(t *testing.T) {
	t.Parallel()
	for _, s := range []string{",", ";", "\t", "|", " "} {
		if b, err := ParseDelimiter(s); err != nil || string(b) != s {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, s := range []string{"", ",,", "\"", "\n", "\r", "\x00", "é"} {
		if _, err := ParseDelimiter(s); err == nil {
			t.Errorf("%q: no error", s)
		}
	}
}

// FuzzAgainstStandardLibrary: every row that encoding/csv takes is read alike,
// and one that it refuses is refused.
func FuzzAgainstStandardLibrary(f *testing.F) {
	for _, s := range []string{"a,b\n", "\"a\n\"\"b\",c\r\n\nd", "a\"b\nc\n", "\"a\"b\nc\n", "\"a\"\r\"\n", "a,\"\nb", "\"a\"\r\n\r\n,", "x\r"} {
		f.Add([]byte(s), uint8(3), false)
		f.Add([]byte(s), uint8(1), true)
	}
	f.Fuzz(func(t *testing.T, data []byte, size uint8, lazy bool) {
		if bytes.Contains(data, []byte("\r\r")) || bytes.Contains(data, []byte("\r\"")) {
			return // the standard library changes carriage returns before it looks
		}
		d := Dialect{Delimiter: ',', Lazy: lazy}
		p := NewParser(d)
		std := csv.NewReader(bytes.NewReader(data))
		std.FieldsPerRecord, std.LazyQuotes = -1, lazy
		all := rows(d, data, int(size)+1)
		for i, row := range all {
			if strings.Trim(row, "\r\n") == "" {
				continue // it skips empty rows
			}
			fields, err := p.Parse([]byte(row))
			want, wantErr := std.Read()
			if (err != nil) != (wantErr != nil) {
				t.Fatalf("row %q: error %v, the standard library has %v", row, err, wantErr)
			}
			if err != nil {
				continue
			}
			got := make([]string, 0, len(fields))
			for _, f := range fields {
				got = append(got, strings.ReplaceAll(string(f.Text), "\r\n", "\n"))
			}
			if lazy && i == len(all)-1 {
				// An open quote at the end keeps the line end there.
				want[len(want)-1] = strings.TrimRight(want[len(want)-1], "\n")
				got[len(got)-1] = strings.TrimRight(got[len(got)-1], "\n")
			}
			if !slices.Equal(got, want) {
				t.Fatalf("row %q: got %q, want %q", row, got, want)
			}
		}
		if row, err := std.Read(); err != io.EOF {
			t.Fatalf("the standard library has another row: %q, %v", row, err)
		}
	})
}

// FuzzRoundTrip: what is written is read back.
func FuzzRoundTrip(f *testing.F) {
	f.Add("a", "b,\"c\"\n", "")
	f.Add("\r", " ", "\t\"")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		want := []string{a, b, c}
		var row []byte
		for i, s := range want {
			if i > 0 {
				row = append(row, ',')
			}
			row = AppendField(row, []byte(s), ',')
		}
		row = append(row, '\n')
		if got := rows(comma, row, 1); len(got) != 1 {
			t.Fatalf("%q is %d rows", row, len(got))
		}
		fields, err := NewParser(comma).Parse(row)
		if err != nil || len(fields) != 3 {
			t.Fatalf("%q: %v, %v", row, texts(fields), err)
		}
		for i := range fields {
			if string(fields[i].Text) != want[i] {
				t.Fatalf("%q: field %d is %q, want %q", row, i, fields[i].Text, want[i])
			}
		}
		columns, err := NewColumns([]string{"x", "y", "z"}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		object, err := columns.AppendJSON(nil, fields)
		if err != nil {
			return // not UTF-8
		}
		w, err := NewWriter(columns.Names(), WriterOptions{Delimiter: ','})
		if err != nil {
			t.Fatal(err)
		}
		again, err := w.AppendRow(nil, object)
		if err != nil {
			t.Fatal(err)
		}
		fields, err = NewParser(comma).Parse(again)
		if err != nil || len(fields) != 3 || string(fields[0].Text) != a || string(fields[1].Text) != b || string(fields[2].Text) != c {
			t.Fatalf("%s became %q", object, again)
		}
	})
}

// FuzzWriter: any object either fails or keeps its members.
func FuzzWriter(f *testing.F) {
	f.Add([]byte(`{"a":"\u00e9\ud800x","b":[1,{"c":"]"}],"c":null}`))
	f.Add([]byte(` { "a" : -1.5e3 , "a" : "x" } `))
	f.Fuzz(func(t *testing.T, object []byte) {
		names, err := Names(object)
		if err != nil {
			return
		}
		var want map[string]any
		d := json.NewDecoder(bytes.NewReader(object))
		d.UseNumber()
		if err := d.Decode(&want); err != nil {
			t.Fatalf("names of %s, which is no object: %v", object, err)
		}
		if len(names) != len(want) {
			t.Fatalf("names %q of %s", names, object)
		}
		w, err := NewWriter(names, WriterOptions{Delimiter: ';', Null: "null"})
		if err != nil {
			t.Fatal(err)
		}
		row, err := w.AppendRow(nil, object)
		if err != nil {
			t.Fatal(err)
		}
		fields, err := NewParser(Dialect{Delimiter: ';'}).Parse(row)
		if err != nil || len(fields) != len(names) {
			t.Fatalf("%s became %q: %v", object, row, err)
		}
		for i, name := range names {
			got := string(fields[i].Text)
			switch v := want[name].(type) {
			case string:
				if got != v {
					t.Fatalf("%q: got %q, want %q", name, got, v)
				}
			case nil:
				if got != "null" || fields[i].Quoted {
					t.Fatalf("%q: got %q, want null", name, got)
				}
			default:
				var back any
				d := json.NewDecoder(strings.NewReader(got))
				d.UseNumber()
				if err := d.Decode(&back); err != nil || !reflect.DeepEqual(back, want[name]) {
					t.Fatalf("%q: got %s, want %v", name, got, v)
				}
			}
		}
	})
}

func TestNoAllocation(t *testing.T) {
	p := NewParser(comma)
	c, err := NewColumns([]string{"a", "b", "c"}, map[string]Type{"b": Int}, []string{""})
	if err != nil {
		t.Fatal(err)
	}
	row := []byte("some text,12345,\"quoted \"\"text\"\"\"\n")
	dst := make([]byte, 0, 1024)
	run := func() {
		fields, err := p.Parse(row)
		if err == nil {
			_, err = c.AppendJSON(dst, fields)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	run()
	if n := testing.AllocsPerRun(100, run); n > 0 {
		t.Errorf("%v allocations for a row read", n)
	}
	w, err := NewWriter([]string{"a", "b"}, WriterOptions{Delimiter: ','})
	if err != nil {
		t.Fatal(err)
	}
	object := []byte(`{"a":"x\ny","b":12}`)
	write := func() {
		if _, err := w.AppendRow(dst, object); err != nil {
			t.Fatal(err)
		}
	}
	write()
	if n := testing.AllocsPerRun(100, write); n > 0 {
		t.Errorf("%v allocations for a row written", n)
	}
}

func BenchmarkRow(b *testing.B) {
	row := []byte("some text,12345,\"quoted, text\",2026-01-01T00:00:00Z\n")
	b.Run("read", func(b *testing.B) {
		p := NewParser(comma)
		c, _ := NewColumns([]string{"a", "b", "c", "d"}, map[string]Type{"b": Int}, nil)
		f := NewFinder(comma)
		var dst []byte
		b.ReportAllocs()
		for b.Loop() {
			fields, err := p.Parse(row[:f.Next(row)])
			if err == nil {
				dst, err = c.AppendJSON(dst[:0], fields)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read with the standard library", func(b *testing.B) {
		src := bytes.NewReader(row)
		r := csv.NewReader(src)
		r.ReuseRecord = true
		b.ReportAllocs()
		for b.Loop() {
			src.Reset(row)
			rec, err := r.Read()
			if err == nil {
				_, err = json.Marshal(map[string]string{"a": rec[0], "b": rec[1], "c": rec[2], "d": rec[3]})
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("write", func(b *testing.B) {
		w, _ := NewWriter([]string{"a", "b", "c"}, WriterOptions{Delimiter: ','})
		object := []byte(`{"a":"some text","b":12345,"c":"quoted, text"}`)
		var dst []byte
		b.ReportAllocs()
		for b.Loop() {
			var err error
			if dst, err = w.AppendRow(dst[:0], object); err != nil {
				b.Fatal(err)
			}
		}
	})
}
