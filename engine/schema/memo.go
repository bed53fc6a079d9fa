package schema

// memo keeps what is computed once of a Schema. The zero memo is empty.
type memo struct{}
