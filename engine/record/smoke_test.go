package record

import "testing"

func TestSmoke(t *testing.T) {
	p := NewProjection()
	ids := map[string]PathID{}
	for _, s := range []string{"a", "b", "c.d", "c.e", "x", "items[0].sku", "items[-1]", "n.m.o"} {
		path, err := ParsePath(s)
		if err != nil {
			t.Fatal(err)
		}
		ids[s] = p.Add(path)
	}
	d := NewDoc(p)
	d.Reset(JSON, []byte(`{"a": 1, "b":"x\ny", "c":{"d":1.50,"e":[1,2]}, "items":[{"sku":"S"},{"sku":"T"}]}`))
	for s, id := range ids {
		v, err := d.Get(id)
		t.Log(s, v.Kind(), v, err)
	}
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	show := func() {
		b, err := d.AppendTo(nil)
		check(err)
		t.Log(string(b))
		if err := ValidateJSON(b); err != nil {
			t.Fatal(err)
		}
	}
	check(d.Set(ids["a"], FloatValue(12.25)))
	show()
	check(d.Delete(ids["b"]))
	show()
	check(d.Rename(ids["c.d"], ids["c.e"]))
	show()
	check(d.Set(ids["n.m.o"], StringValue("q\"")))
	show()
	check(d.Rename(ids["a"], ids["x"]))
	show()
	check(d.Delete(ids["items[-1]"]))
	show()
	check(d.Set(ids["items[0].sku"], NullValue()))
	show()
	check(d.Keep([]PathID{ids["x"], ids["n.m.o"]}))
	show()
}
