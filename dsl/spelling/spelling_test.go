package spelling_test

import (
	"testing"

	"github.com/flowrecords/flow/dsl/spelling"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		given string
		names []string
		want  string
	}{
		{"satte", []string{"id", "state"}, "state"},
		{"stat", []string{"id", "state"}, "state"},
		{"stdot", []string{"stdin", "stdout"}, "stdout"},
		{"orderId", []string{"order_id"}, "order_id"},
		{"STATE", []string{"id", "state"}, "state"},
		{"X", []string{"x"}, "x"},
		{"tale", []string{"once", "tail"}, "tail"},
		{"di", []string{"x", "id"}, "id"},
		{"idd", []string{"x", "id"}, "id"},
		{"skus", []string{"sku"}, "sku"},
		{"cat", []string{"cut"}, "cut"},
		{"straße", []string{"strasse", "strase"}, "strase"},
		{"custmer_emial", []string{"customer", "customer_email"}, "customer_email"},
		// The nearest of several, and the first of those that are equally near.
		{"totel", []string{"hotel", "total"}, "hotel"},
		{"totall", []string{"tally", "total"}, "total"},
		// What it begins with.
		{"gz", []string{"none", "zstd", "gzip"}, "gzip"},
		{"cust", []string{"custom_label", "customer"}, "customer"},
		{"to", []string{"tombstones"}, ""},
		{"gzip", []string{"gz"}, ""},
		// Of a short name too little is left to be sure.
		{"y", []string{"x"}, ""},
		{"a", []string{"ab", "x"}, ""},
		{"ab", []string{"a", "b"}, ""},
		{"id", []string{"is", "it", "at"}, ""},
		{"nr", []string{"id"}, ""},
		{"abc", []string{"xyz", "abd1"}, ""},
		{"date", []string{"name", "rows"}, ""},
		{"file", []string{"mode"}, ""},
		{"phone", []string{"email"}, ""},
		{"amount", []string{"customer", "state", "lines"}, ""},
		{"", []string{"x", "ab"}, ""},
		{"x", nil, ""},
	} {
		if got := spelling.Nearest(tt.given, tt.names); got != tt.want {
			t.Errorf("%q of %q: got %q, want %q", tt.given, tt.names, got, tt.want)
		}
	}
}
