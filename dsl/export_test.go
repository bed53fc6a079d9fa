package dsl

// Types finds the types of records in a compiled config once more.
func Types(r *Result) {
	for _, p := range r.scope.l.pipelines {
		r.scope.l.types(p)
	}
}
