package avro_test

import (
	"testing"

	"github.com/flowrecords/flow/engine/record/avro"
	"github.com/flowrecords/flow/engine/schema"
)

// TestScrubbedNames: a field whose name Avro does not allow has another one in
// Avro, and its own where flow reads it, also in defaults.
func TestScrubbedNames(t *testing.T) {
	t.Parallel()
	s, err := schema.Parse(`struct shop.Row{"a-b" int32, in struct shop.In{"1" string, "x.y" int32?} = {"1":"d","x.y":null}, list array<struct shop.Elem{"ä" bool}>}`)
	if err != nil {
		t.Fatal(err)
	}
	own, err := avro.FromSchema(s, avro.FromOptions{Scrub: true})
	if err != nil {
		t.Fatal(err)
	}
	if own, err = avro.Parse([]byte(own.Text())); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"a_b", "in", "list"} {
		if got := own.Fields[i].Name; got != want {
			t.Errorf("field %d is %s, want %s", i, got, want)
		}
	}
	if got, want := string(own.Fields[1].Default), `{"_1":"d","x_y":null}`; got != want {
		t.Errorf("default %s, want %s", got, want)
	}
	e, err := avro.NewEncoding(own)
	if err != nil {
		t.Fatal(err)
	}
	is := e.Schema()
	if got, want := is.Fields[1].Schema.Fields[1].Name, "x.y"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := string(is.Fields[1].Schema.Default), `{"1":"d","x.y":null}`; got != want {
		t.Errorf("default %s, want %s", got, want)
	}
	w, err := avro.NewWriter(own, s, avro.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	const text = `{"a-b":1,"in":{"1":"t","x.y":2},"list":[{"ä":true}]}`
	raw, err := w.Append(nil, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := e.AppendJSON(nil, raw); err != nil || string(got) != text {
		t.Errorf("%s, %v, want %s", got, err, text)
	}
	// The schema is written as it was read.
	again, err := avro.FromSchema(is, avro.FromOptions{Scrub: true})
	if err != nil || again.Text() != own.Text() {
		t.Errorf("%v: %s, want %s", err, again.Text(), own.Text())
	}
}

// TestForeignFieldNames: a property that would give two fields one name, or one
// that Avro allows, is somebody else's.
func TestForeignFieldNames(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"type":"record","name":"R","fields":[{"name":"a","type":"int","flow.name":"x-y"},{"name":"b","type":"int","flow.name":"x-y"}]}`,
		`{"type":"record","name":"R","fields":[{"name":"a","type":"int","flow.name":"b"},{"name":"b","type":"int","flow.name":5}]}`,
	} {
		own, err := avro.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		e, err := avro.NewEncoding(own)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := e.AppendJSON(nil, []byte{2, 4}); err != nil || string(got) != `{"a":1,"b":2}` {
			t.Errorf("%s: %s, %v", text, got, err)
		}
		if again, err := avro.FromSchema(e.Schema(), avro.FromOptions{}); err != nil || again.Text() != own.Text() {
			t.Errorf("%v: %s, want %s", err, again.Text(), own.Text())
		}
	}
}
