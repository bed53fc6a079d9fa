package gen

import (
	"fmt"

	"github.com/flowrecords/flow/internal/oracle"
)

func projection(f *file) {
	add := func(name string, source, target schema, v value) {
		f.add(name, oracle.Case{Op: oracle.Project, Data: &oracle.Data{Schema: source, Value: v}, Target: target})
	}
	for _, from := range samples() {
		for _, to := range samples() {
			add(fmt.Sprintf("type/%s-to-%s", from.name, to.name), from.schema, to.schema, from.value)
		}
	}
	rec := structS
	a := field("a", int32S())
	one := structV("a", i32(1))
	for name, c := range sorted(map[string]struct {
		source, target schema
		value          value
	}{
		"same":                                {rec(a), rec(a), one},
		"field-removed":                       {rec(a, field("b", stringS())), rec(a), structV("a", i32(1), "b", str("x"))},
		"field-added":                         {rec(a), rec(a, field("b", stringS())), one},
		"field-added-optional":                {rec(a), rec(a, field("b", opt(stringS()))), one},
		"field-added-default":                 {rec(a), rec(a, field("b", def(stringS(), str("d")))), one},
		"field-added-optional-default":        {rec(a), rec(a, field("b", opt(def(stringS(), str("d"))))), one},
		"fields-reordered":                    {rec(a, field("b", stringS())), rec(field("b", stringS()), a), structV("a", i32(1), "b", str("x"))},
		"field-widened":                       {rec(a), rec(field("a", float64S())), one},
		"field-narrowed":                      {rec(field("a", int64S())), rec(a), structV("a", i64(1))},
		"optional-to-required":                {rec(field("a", opt(int32S()))), rec(a), one},
		"optional-to-required-null":           {rec(field("a", opt(int32S()))), rec(a), structV()},
		"optional-to-default":                 {rec(field("a", opt(int32S()))), rec(field("a", def(int32S(), i32(7)))), one},
		"optional-to-default-null":            {rec(field("a", opt(int32S()))), rec(field("a", def(int32S(), i32(7)))), structV()},
		"required-to-optional":                {rec(a), rec(field("a", opt(int32S()))), one},
		"optional-null":                       {rec(field("a", opt(int32S()))), rec(field("a", opt(int64S()))), structV()},
		"default-changed":                     {rec(field("a", def(int32S(), i32(1)))), rec(field("a", def(int32S(), i32(2)))), structV()},
		"name-changed":                        {named(rec(a), "x"), named(rec(a), "y"), one},
		"name-added":                          {rec(a), named(rec(a), "y"), one},
		"field-name-of-schema-changed":        {rec(field("a", named(int32S(), "x"))), rec(field("a", named(int32S(), "y"))), one},
		"version-changed":                     {version(rec(a), 1), version(rec(a), 2), one},
		"doc-changed":                         {doc(rec(a), "x"), doc(rec(a), "y"), one},
		"parameters-changed":                  {param(rec(a), "p", "x"), param(rec(a), "p", "y"), one},
		"field-parameters-changed":            {rec(field("a", param(int32S(), "p", "x"))), rec(field("a", param(int32S(), "p", "y"))), one},
		"nested":                              {rec(field("p", rec(a))), rec(field("p", rec(field("a", int64S()), field("z", opt(stringS()))))), structV("p", one)},
		"array-widened":                       {arrayS(int32S()), arrayS(int64S()), arr(i32(1), i32(2))},
		"array-of-structs":                    {arrayS(rec(a)), arrayS(rec(field("a", int64S()))), arr(one)},
		"array-of-null":                       {arrayS(opt(int32S())), arrayS(opt(int64S())), arr(null, i32(1))},
		"array-wrong":                         {arrayS(stringS()), arrayS(int32S()), arr(str("x"))},
		"map-widened":                         {mapS(stringS(), int32S()), mapS(stringS(), float64S()), obj("k", i32(1))},
		"map-keys-widened":                    {mapS(int32S(), stringS()), mapS(int64S(), stringS()), mapV(i32(1), str("x"))},
		"map-wrong":                           {mapS(stringS(), stringS()), mapS(stringS(), int32S()), obj("k", str("x"))},
		"struct-to-map":                       {rec(a), mapS(stringS(), int32S()), one},
		"decimal-scale":                       {decimalS(2), decimalS(3), dec("1234", 2)},
		"decimal-to-bytes":                    {decimalS(2), bytesS(), dec("1234", 2)},
		"timestamp-to-int64":                  {timestampS(), int64S(), date(stamp)},
		"date-to-time":                        {dateS(), timeS(), date(0)},
		"whole-optional-to-default-null":      {opt(int32S()), def(int32S(), i32(3)), null},
		"whole-null":                          {opt(int32S()), opt(int64S()), null},
		"whole-optional-to-required":          {opt(int32S()), int32S(), i32(1)},
		"whole-required-null-to-default":      {def(int32S(), i32(1)), def(int32S(), i32(3)), null},
		"whole-optional-null-to-required":     {opt(int32S()), int32S(), null},
		"whole-required-to-optional-widened":  {int8S(), opt(int64S()), i8(1)},
		"whole-float32-to-float64":            {float32S(), float64S(), f32(0.1)},
		"whole-int64-to-float32-loses-digits": {int64S(), float32S(), i64(9007199254740993)},
	}) {
		add(name, c.source, c.target, c.value)
	}
}
