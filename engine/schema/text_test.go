package schema_test

import (
	"testing"

	"github.com/flowrecords/flow/engine/schema"
)

func TestText(t *testing.T) {
	t.Parallel()
	s, err := schema.Parse(`struct orders.Order{id int64, price decimal(10,2)? = 1.50, customer struct Customer{mail string, friends array<Customer>}?,
		lines map<string, struct Line{sku string?}>, paid union{card string, cash struct{}}, other Customer}`)
	if err != nil {
		t.Fatal(err)
	}
	s.Version, s.Doc = 3, "an order\nas the shop sends it"
	s.Fields[2].Schema.Fields[0].Aliases = []string{"email"}
	s.Fields[0].Tag = 1
	const want = `struct orders.Order  # version 3; an order as the shop sends it
  id int64  # number 1
  price decimal(10,2)? = 1.50
  customer struct Customer?
    mail string  # was email
    friends array<Customer>
  lines map<string, struct Line>
    sku string?
  paid union
    card string
    cash struct
  other Customer
`
	if got := s.Text(); got != want {
		t.Errorf("got\n%s", got)
	}
}
