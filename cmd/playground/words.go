package playground

// languageWord is what :doc knows beside functions.
type languageWord struct{ name, use, doc string }

// languageWords are the operators and names of the language.
func languageWords() []languageWord {
	return []languageWord{
		{"value", "value.customer.name, value[\"a.b\"], value.items[-1].sku", "The record's value. A member that is not there is nil; a member of nil is an error unless ?. stands before it."},
		{"key", "key, key.id", "The record's key, nil if it has none."},
		{"headers", "headers.source, headers[\"content-type\"]", "The record's headers as text, nil if there is none of that name."},
		{"topic", "topic", "The topic that the record comes from or was sent to, empty if there is none."},
		{"partition", "partition", "The number of the source partition."},
		{"offset", "offset", "The place of the record in its source partition."},
		{"timestamp", "timestamp", "When the record was made, as a time in UTC; nil if the source does not say."},
		{"meta", "meta.path", "What the source says of itself, as text; nil if it does not know the name."},
		{"var", "var.limit", "A variable of the config."},
		{"local", "local.rates", "A local of the config."},
		{"let", "let total = value.price * value.quantity; total > 100 ? total : 0", "Gives a name to a value that is used behind the semicolon."},
		{"??", "value.name ?? 'unknown'", "The right side if the left one is nil."},
		{"?.", "value.customer?.name", "A member, or nil if what should have it is nil."},
		{"?:", "value.amount > 100 ? 'big' : 'small'", "One of two values, as the condition says."},
		{"|", "value.name | trim() | upper()", "Passes the left side as the first argument of the call on the right."},
		{"in", "value.country in ['DE', 'AT']", "Whether an array holds the left side, or an object has a member of that name."},
		{"not", "not (value.status in ['new', 'paid'])", "Turns true into false and false into true; also written as !."},
		{"and", "value.paid and value.amount > 0", "True if both sides are; also written as &&."},
		{"or", "value.paid or value.amount == 0", "True if one side is; also written as ||."},
		{"contains", "value.note contains 'fragile'", "Whether a text holds another one."},
		{"startsWith", "value.sku startsWith 'A-'", "Whether a text begins with another one."},
		{"endsWith", "value.file endsWith '.csv'", "Whether a text ends with another one."},
		{"matches", "value.sku matches '^[A-Z]+-[0-9]+$'", "Whether a text matches a regular expression (RE2)."},
		{"..", "1..3", "An array of the whole numbers from the left side to the right one."},
		{"**", "2 ** 10", "Raises to a power; also written as ^."},
		{"%", "offset % 10", "The rest of a division of whole numbers."},
		{"#", "filter(value.items, #.price > 10)", "The element at hand within filter, map, all, any and their like; .price is short for #.price."},
		{"nil", "value.name == nil", "The null of JSON, and what is not there."},
	}
}
