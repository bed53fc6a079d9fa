package connect_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/flowrecords/flow/dsl/connect"
)

func TestConverter(t *testing.T) {
	t.Parallel()
	const (
		headers = "header.converter"
		value   = "value.converter"
		storage = "org.apache.kafka.connect.storage."
		numbers = "org.apache.kafka.connect.converters."
		jsonC   = "org.apache.kafka.connect.json.JsonConverter"
	)
	tests := []struct {
		option  string
		class   string
		conf    map[string]string
		reading bool
		want    string // the block; empty: none
		finding string // its summary
	}{
		// Headers: without a block their text stays, which is what Connect has
		// without the option.
		{headers, "", nil, true, "", ""},
		{headers, storage + "SimpleHeaderConverter", nil, true, "", ""},
		{headers, "Simple", nil, false, "", ""},
		{headers, "SimpleHeaderConverter", map[string]string{"x": "1"}, false, "", "is ignored"},
		{headers, storage + "StringConverter", nil, true, "header_values \"string\" {}\n", ""},
		{headers, numbers + "ByteArrayConverter", nil, true, "header_values \"bytes\" {}\n", ""},
		{headers, numbers + "LongConverter", nil, false, "header_values \"primitive\" {\n  type = \"int64\"\n}\n", ""},
		{headers, jsonC, nil, true, "header_values \"json\" {\n  form                      = \"envelope\"\n  lenient                   = true\n  replace_null_with_default = true\n}\n", ""},
		{headers, "Json", map[string]string{"schemas.enable": "false", "replace.null.with.default": "false"}, false, "header_values \"json\" {\n  form    = \"payload\"\n  decimal = \"base64\"\n}\n", ""},
		{headers, "io.confluent.connect.avro.AvroConverter", nil, true, "", "unknown converter io.confluent.connect.avro.AvroConverter"},
		// Keys and values; names and aliases are those of Connect's plugins.
		{value, "", nil, true, "", "is missing"},
		{value, "SimpleHeaderConverter", nil, true, "", "a converter of headers only"},
		{value, "StringConverter", nil, true, "value \"string\" {}\n", ""},
		{value, "String", map[string]string{"converter.encoding": "UTF-16"}, true, "", "texts are UTF-8"},
		{value, "ByteArray", nil, true, "value \"bytes\" {}\n", ""},
		{value, " Double ", nil, true, "value \"primitive\" {\n  type = \"float64\"\n}\n", ""},
		{value, "HeaderConverter", nil, true, "", "unknown converter HeaderConverter"},
	}
	for _, tt := range tests {
		props := map[string]string{tt.option: tt.class}
		for k, v := range tt.conf {
			props[tt.option+"."+k] = v
		}
		element, findings := connect.Converter(props, tt.option, tt.reading)
		got := ""
		if element.Type != "" {
			got = element.ConverterHCL(map[string]string{headers: "header_values", value: "value"}[tt.option])
		}
		if got != tt.want {
			t.Errorf("%s = %s became\n%s\nwant\n%s", tt.option, tt.class, got, tt.want)
		}
		there := slices.ContainsFunc(findings, func(f connect.Finding) bool { return f.Summary == tt.finding })
		if tt.finding == "" && len(findings) > 0 || tt.finding != "" && !there {
			t.Errorf("%s = %s: findings %s, want %q", tt.option, tt.class, fmt.Sprint(findings), tt.finding)
		}
	}
}
