package gen

import (
	"fmt"

	"github.com/flowrecords/flow/internal/oracle"
)

func timestampConverter(f *file) {
	const day = 86400000
	inputs := []struct {
		name   string
		schema schema
		value  value
		extra  []string
	}{
		{"timestamp", timestampS(), date(stamp), nil},
		{"date", dateS(), date(19675 * day), nil},
		{"time", timeS(), date(3723004), nil},
		{"before-epoch", timestampS(), date(-1500), nil},
		{"before-epoch-date", dateS(), date(-day), nil},
		{"string", stringS(), str("2023-11-14 22:13:20.123"), nil},
		{"unix-milliseconds", int64S(), i64(stamp), nil},
		{"unix-seconds", int64S(), i64(1700000000), []string{"unix.precision", "seconds"}},
		{"unix-microseconds", int64S(), i64(1700000000123456), []string{"unix.precision", "microseconds"}},
		{"unix-nanoseconds", int64S(), i64(1700000000123456789), []string{"unix.precision", "nanoseconds"}},
		{"unix-negative", int64S(), i64(-1500), nil},
		{"unix-negative-microseconds", int64S(), i64(-1500), []string{"unix.precision", "microseconds"}},
		{"int32", int32S(), i32(1700000000), nil},
		{"float64", float64S(), f64(1.5), nil},
		{"decimal", decimalS(0), dec("1700000000", 0), nil},
		{"struct", structS(field("x", int32S())), structV("x", i32(1)), nil},
		{"bytes", bytesS(), byt("x"), nil},
	}
	targets := []string{"string", "unix", "Date", "Time", "Timestamp"}
	const format = "yyyy-MM-dd HH:mm:ss.SSS"
	for _, in := range inputs {
		for _, target := range targets {
			conf := append([]string{"target.type", target, "format", format}, in.extra...)
			for _, fm := range forms {
				f.transform(fmt.Sprintf("field/%s/%s-to-%s", fm, in.name, target), onValue.sink(fm.data(member{"a", in.schema, in.value}, member{"b", stringS(), str("stays")})), step("TimestampConverter$Value", append([]string{"field", "a"}, conf...)...))
			}
			if in.extra == nil {
				f.transform(fmt.Sprintf("whole/%s-to-%s", in.name, target), onValue.sink(withSchema.one(in.schema, in.value)), step("TimestampConverter$Value", conf...))
			}
		}
	}
	for _, target := range targets {
		conf := []string{"target.type", target, "format", format}
		for _, v := range variants {
			for _, fm := range forms {
				name := func(s string) string { return fmt.Sprintf("%s/%s/%s-to-%s", v, fm, s, target) }
				f.transform(name("whole"), v.sink(fm.one(timestampS(), date(stamp))), step(v.of("TimestampConverter"), conf...))
				f.transform(name("whole-null"), v.sink(fm.one(opt(timestampS()), null)), step(v.of("TimestampConverter"), conf...))
				f.transform(name("null"), v.sink(fm.data(member{"a", opt(timestampS()), null})), step(v.of("TimestampConverter"), append([]string{"field", "a"}, conf...)...))
				f.transform(name("missing"), v.sink(fm.data(member{"b", opt(timestampS()), date(1)})), step(v.of("TimestampConverter"), append([]string{"field", "a"}, conf...)...))
			}
		}
		f.transform("attributes-to-"+target, onValue.sink(oracle.Data{Schema: full(opt(structS(field("a", opt(doc(def(timestampS(), date(0)), "when"))), field("b", full(opt(int32S())))))), Value: structV("a", date(stamp))}), step("TimestampConverter$Value", append([]string{"field", "a"}, conf...)...))
		for _, replace := range []string{"true", "false"} {
			f.transform(fmt.Sprintf("default-to-%s-replace-%s", target, replace), onValue.sink(oracle.Data{Schema: structS(field("a", opt(def(timestampS(), date(1000)))), field("b", opt(def(int32S(), i32(3))))), Value: structV()}), step("TimestampConverter$Value", append([]string{"field", "a", "replace.null.with.default", replace}, conf...)...))
		}
	}
	timestampPrecision(f)
	timestampFormats(f)
	r := onValue.sink(withSchema.data(member{"a", timestampS(), date(stamp)}))
	for name, conf := range sorted(map[string][]string{
		"no-target":             {"field", "a"},
		"bad-target":            {"field", "a", "target.type", "datetime"},
		"lower-target":          {"field", "a", "target.type", "timestamp"},
		"string-without-format": {"field", "a", "target.type", "string"},
		"bad-format":            {"field", "a", "target.type", "string", "format", "yyyy-bb"},
		"bad-precision":         {"field", "a", "target.type", "unix", "unix.precision", "weeks"},
		"upper-precision":       {"field", "a", "target.type", "unix", "unix.precision", "SECONDS"},
		"empty-field":           {"field", "", "target.type", "unix"},
		"field-with-spaces":     {"field", " a ", "target.type", "unix"},
	}) {
		f.transform("config/"+name, r, step("TimestampConverter$Value", conf...))
	}
	f.transform("whole/struct-without-field", r, step("TimestampConverter$Value", "target.type", "unix"))
	f.transform("whole/map-without-field", onValue.sink(schemaless.data(member{"a", nil, date(stamp)})), step("TimestampConverter$Value", "target.type", "unix"))
	f.transform("field/of-no-struct", onValue.sink(withSchema.one(int64S(), i64(1))), step("TimestampConverter$Value", "field", "a", "target.type", "unix"))
	f.transform("field/of-no-map", onValue.sink(schemaless.one(int64S(), i64(1))), step("TimestampConverter$Value", "field", "a", "target.type", "unix"))
	f.transform("field/dotted", onValue.sink(withSchema.data(member{"a.b", timestampS(), date(stamp)})), step("TimestampConverter$Value", "field", "a.b", "target.type", "unix"))
	f.transform("tombstone", onValue.sink(oracle.Data{}), step("TimestampConverter$Value", "field", "a", "target.type", "unix"))
	f.transform("on-key-field", onKey.sink(withSchema.data(member{"a", timestampS(), date(stamp)})), step("TimestampConverter$Key", "field", "a", "target.type", "unix", "unix.precision", "seconds"))
	f.nullsOnKey("TimestampConverter", "field", "a", "target.type", "unix")
}

func timestampPrecision(f *file) {
	for _, precision := range []string{"seconds", "milliseconds", "microseconds", "nanoseconds"} {
		for _, v := range variants {
			for name, millis := range sorted(map[string]int64{"now": stamp, "zero": 0, "before-epoch": -1, "far": 253402300799999, "nano-overflow": 9223372036855}) {
				f.transform(fmt.Sprintf("precision/%s/%s-%s", v, name, precision), v.sink(withSchema.one(timestampS(), date(millis))), step(v.of("TimestampConverter"), "target.type", "unix", "unix.precision", precision))
			}
		}
		f.transform("precision/back-"+precision, onValue.sink(withSchema.one(int64S(), i64(1700000000999999999))), step("TimestampConverter$Value", "target.type", "Timestamp", "unix.precision", precision))
		f.transform("precision/same-"+precision, onValue.sink(withSchema.one(int64S(), i64(1700000000999999))), step("TimestampConverter$Value", "target.type", "unix", "unix.precision", precision))
	}
}

func timestampFormats(f *file) {
	for name, format := range sorted(map[string]string{
		"iso":            "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'",
		"iso-offset":     "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
		"rfc822":         "EEE, d MMM yyyy HH:mm:ss Z",
		"date":           "yyyy-MM-dd",
		"time":           "HH:mm",
		"twelve-hours":   "hh:mm a",
		"day-of-year":    "yyyy-DDD",
		"week":           "YYYY-'W'ww-u",
		"two-digit-year": "yy/M/d",
		"zone-name":      "yyyy z",
		"quoted":         "'on' yyyy ''x''",
		"hour-one":       "kk:mm",
		"k-hour":         "K:mm",
		"month-name":     "MMMM d",
		"era":            "G y",
		"millis-wide":    "ss.SSSSSS",
		"literal-only":   "''",
	}) {
		f.transform("format/write-"+name, onValue.sink(withSchema.one(timestampS(), date(stamp))), step("TimestampConverter$Value", "target.type", "string", "format", format))
	}
	for name, c := range sorted(map[string][2]string{
		"iso":              {"yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "2023-11-14T23:13:20.123+01:00"},
		"iso-z":            {"yyyy-MM-dd'T'HH:mm:ssX", "2023-11-14T22:13:20Z"},
		"date":             {"yyyy-MM-dd", "2023-11-14"},
		"lenient-month":    {"yyyy-MM-dd", "2023-13-45"},
		"trailing-text":    {"yyyy-MM-dd", "2023-11-14 and more"},
		"too-short":        {"yyyy-MM-dd", "2023-11"},
		"word":             {"yyyy-MM-dd", "today"},
		"empty":            {"yyyy-MM-dd", ""},
		"no-padding":       {"yyyy-MM-dd", "2023-1-2"},
		"millis-as-number": {"ss.SSS", "20.123456"},
		"two-digit-year":   {"yy/M/d", "23/1/2"},
		"month-name":       {"d MMM yyyy", "14 Nov 2023"},
		"twelve-hours":     {"h:mm a", "10:13 PM"},
		"leap-day":         {"yyyy-MM-dd", "2024-02-29"},
		"year-one":         {"yyyy-MM-dd", "0001-01-01"},
		"gregorian-gap":    {"yyyy-MM-dd", "1582-10-10"},
	}) {
		f.transform("format/read-"+name, onValue.sink(withSchema.one(stringS(), str(c[1]))), step("TimestampConverter$Value", "target.type", "Timestamp", "format", c[0]))
	}
	f.transform("format/read-without-format", onValue.sink(withSchema.one(stringS(), str("2023"))), step("TimestampConverter$Value", "target.type", "Timestamp"))
	f.transform("format/string-to-string", onValue.sink(withSchema.one(stringS(), str("2023-11-14"))), step("TimestampConverter$Value", "target.type", "string", "format", "yyyy-MM-dd"))
}

func timestampRouter(f *file) {
	for name, format := range sorted(map[string]string{
		"default": "",
		"month":   "yyyy-MM",
		"hour":    "yyyyMMddHH",
		"quoted":  "yyyy'y'",
		"week":    "YYYY-ww",
		"millis":  "SSS",
		"bad":     "bbb",
		"text":    "'x'",
	}) {
		conf := []string{}
		if format != "" {
			conf = []string{"timestamp.format", format}
		}
		f.transform("format/"+name, sink(), step("TimestampRouter", conf...))
	}
	for name, format := range sorted(map[string]string{
		"swapped":      "${timestamp}_${topic}",
		"no-timestamp": "${topic}-x",
		"no-topic":     "x-${timestamp}",
		"neither":      "x",
		"twice":        "${topic}${topic}-${timestamp}${timestamp}",
		"unknown":      "${nope}-${topic}",
		"dollar":       "$1-${topic}",
		"empty":        "",
		"open":         "${topic",
	}) {
		f.transform("topic/"+name, sink(), step("TimestampRouter", "topic.format", format))
	}
	for name, topic := range sorted(map[string]string{"dollar-in-topic": "a$1b", "backslash-in-topic": "a\\b", "placeholder-in-topic": "${timestamp}"}) {
		r := sink()
		r.Topic = &topic
		f.transform("topic/"+name, r, step("TimestampRouter"))
	}
	for name, millis := range sorted(map[string]int64{"epoch": 0, "before-epoch": -1, "midnight": 1699920000000, "before-midnight": 1699919999999, "far": 253402300800000}) {
		r := sink()
		r.Timestamp = &millis
		f.transform("time/"+name, r, step("TimestampRouter"))
	}
	f.transform("time/none", source(), step("TimestampRouter"))
	f.transform("tombstone", onValue.sink(oracle.Data{}), step("TimestampRouter"))
	f.transform("both", sink(), step("TimestampRouter", "topic.format", "${topic}/${timestamp}", "timestamp.format", "yyyy/MM/dd"))
}
