package funcs

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"time"
)

// members reads an object and returns what pick makes of each member, sorted
// by name. The names are of any type: groupBy takes what its predicate gives.
func (a *in) members(i int, pick func(name, value any) any) []any {
	rv := reflect.ValueOf(a.any(i))
	if rv.Kind() != reflect.Map {
		a.wrong(i, "object")
		return nil
	}
	type member struct{ name, value any }
	all := make([]member, 0, rv.Len())
	for it := rv.MapRange(); it.Next(); {
		all = append(all, member{it.Key().Interface(), it.Value().Interface()})
	}
	slices.SortFunc(all, func(x, y member) int { return compareNames(x.name, y.name) })
	out := make([]any, len(all))
	for k, m := range all {
		out[k] = pick(m.name, m.value)
	}
	return out
}

// compareNames orders names: null, false, true, numbers, texts, times,
// durations, all else by how Go prints it.
func compareNames(a, b any) int {
	if c := cmp.Compare(nameRank(a), nameRank(b)); c != 0 {
		return c
	}
	switch a := a.(type) {
	case string:
		return cmp.Compare(a, b.(string))
	case time.Time:
		return cmp.Or(a.Compare(b.(time.Time)), cmp.Compare(a.String(), b.(time.Time).String()))
	case time.Duration:
		return cmp.Compare(a, b.(time.Duration))
	}
	if x, ok := asInt(a); ok {
		if y, ok := asInt(b); ok && x != y {
			return cmp.Compare(x, y)
		}
	}
	if x, ok := nameNumber(a); ok {
		y, _ := nameNumber(b)
		if c := cmp.Compare(x, y); c != 0 {
			return c
		}
	}
	// 1 and 1.0 are two names.
	return cmp.Or(cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)), cmp.Compare(fmt.Sprintf("%T", a), fmt.Sprintf("%T", b)))
}

func nameRank(v any) int {
	switch v := v.(type) {
	case nil:
		return 0
	case bool:
		if v {
			return 2
		}
		return 1
	case string:
		return 4
	case time.Time:
		return 5
	case time.Duration:
		return 6
	}
	if _, ok := nameNumber(v); ok {
		return 3
	}
	return 7
}

func nameNumber(v any) (float64, bool) {
	if n, ok := asInt(v); ok {
		return float64(n), true
	}
	switch f := v.(type) {
	case float64:
		return f, true
	case float32:
		return float64(f), true
	}
	return 0, false
}
