package funcs

// builtins documents the functions of the expression language itself, so that
// one list shows all that an expression may call. A test compares it with the
// language's own list.
func builtins() []def {
	b := func(group, name, doc, result string, params []Param, examples ...Example) def {
		return def{Func: Func{
			Name: name, Group: group, Doc: doc, Params: params, Result: result, Examples: examples, Builtin: true,
		}}
	}
	ps := func(params ...Param) []Param { return params }
	text := p("text", "string", "the text")
	arr := p("array", "array", "the array")
	x := p("x", "number", "the number")
	pred := p("predicate", "predicate", "an expression over the element, which is `#`; `.name` is a member of it")
	optPred := opt("predicate", "predicate", "an expression over the element, which is `#`")
	order := opt("order", "string", "`asc` or `desc`")
	nums := p("numbers", "number|array", "numbers, or arrays of numbers")
	bits := ps(p("a", "int", "an integer"), p("b", "int", "an integer"))
	shift := ps(p("n", "int", "an integer"), p("count", "int", "by how many bits"))

	return []def{
		b(groupText, "trim", "The text without white space, or the characters given, at both ends.", "string",
			ps(text, opt("chars", "string", "the characters to remove")), ex(`trim("  a ")`, `"a"`), ex(`trim("__a_", "_")`, `"a"`)),
		b(groupText, "trimPrefix", "The text without a prefix, if it begins with it.", "string",
			ps(text, opt("prefix", "string", "the prefix; a space if not given")), ex(`trimPrefix("order-42", "order-")`, `"42"`)),
		b(groupText, "trimSuffix", "The text without a suffix, if it ends with it.", "string",
			ps(text, opt("suffix", "string", "the suffix; a space if not given")), ex(`trimSuffix("a.json", ".json")`, `"a"`)),
		b(groupText, "upper", "The text in upper case.", "string", ps(text), ex(`upper("abc")`, `"ABC"`)),
		b(groupText, "lower", "The text in lower case.", "string", ps(text), ex(`lower("ABC")`, `"abc"`)),
		b(groupText, "split", "The parts of the text between separators.", "array",
			ps(text, p("separator", "string", "the separator"), opt("n", "int", "the most parts; the last one then holds the rest")),
			ex(`split("a,b,c", ",")`, `["a","b","c"]`), ex(`split("a,b,c", ",", 2)`, `["a","b,c"]`)),
		b(groupText, "splitAfter", "Like `split`, but each part keeps its separator.", "array",
			ps(text, p("separator", "string", "the separator"), opt("n", "int", "the most parts")),
			ex(`splitAfter("a,b", ",")`, `["a,","b"]`)),
		b(groupText, "replace", "Replaces every occurrence of a text, or only the first n.", "string",
			ps(text, p("old", "string", "what to replace"), p("new", "string", "what to put there"), opt("n", "int", "how many")),
			ex(`replace("a-b-c", "-", "+")`, `"a+b+c"`)),
		b(groupText, "repeat", "The text n times.", "string", ps(text, p("n", "int", "how often")), ex(`repeat("ab", 3)`, `"ababab"`)),
		b(groupText, "indexOf", "Where the first occurrence of a part begins, -1 if there is none.", "int",
			ps(text, p("part", "string", "what to look for")), ex(`indexOf("apple pie", "pie")`, `6`)),
		b(groupText, "lastIndexOf", "Where the last occurrence of a part begins, -1 if there is none.", "int",
			ps(text, p("part", "string", "what to look for")), ex(`lastIndexOf("a-b-c", "-")`, `3`)),
		b(groupText, "hasPrefix", "Whether the text begins with a prefix.", "bool", ps(text, p("prefix", "string", "the prefix")), ex(`hasPrefix("order-42", "order")`, `true`)),
		b(groupText, "hasSuffix", "Whether the text ends with a suffix.", "bool", ps(text, p("suffix", "string", "the suffix")), ex(`hasSuffix("a.json", ".csv")`, `false`)),
		b(groupText, "join", "The texts of an array as one, with a separator between them.", "string",
			ps(arr, opt("separator", "string", "what stands between them")), ex(`join(["a", "b"], ", ")`, `"a, b"`)),

		b(groupTime, "date", "Reads a time by a Go layout and zone. `parseTime` takes more layouts, `toTime` the common forms.", "time",
			ps(text, opt("layout", "string", "a Go layout"), opt("zone", "string", "a zone such as Europe/Berlin")),
			ex(`date("2026-03-01")`, `"2026-03-01T00:00:00Z"`)),
		b(groupTime, "timezone", "A zone by name, for the method In of a time. `inZone` does the same in one step.", "any",
			ps(p("name", "string", "a name such as Europe/Berlin")),
			ex(`date("2026-03-01").In(timezone("Asia/Seoul"))`, `"2026-03-01T09:00:00+09:00"`)),
		b(groupDuration, "duration", "A duration from units ns, us, ms, s, m and h. `parseDuration` also takes days, weeks and ISO 8601.", "duration",
			ps(text), ex(`duration("1h30m")`, `"1h30m0s"`), exIn(`toTime(value.t) + duration("1h")`, `{"t": "2026-01-01"}`, `"2026-01-01T01:00:00Z"`)),

		b(groupParse, "toJSON", "A value as JSON in indented lines. `formatJSON` writes one line.", "string", ps(p("x", "any", "the value")), ex(`toJSON([1])`, `"[\n  1\n]"`)),
		b(groupParse, "fromJSON", "The value of a JSON text; every number becomes a float. `parseJSON` keeps integers exact.", "any", ps(text), ex(`fromJSON("[1, 2.5]")`, `[1,2.5]`)),
		b(groupEncoding, "toBase64", "Standard base64 of a text. `base64Encode` also takes bytes.", "string", ps(text), ex(`toBase64("flow")`, `"Zmxvdw=="`)),
		b(groupEncoding, "fromBase64", "The text of standard base64 with padding. `base64Decode` gives bytes.", "string", ps(text), ex(`fromBase64("Zmxvdw==")`, `"flow"`)),

		b(groupTypes, "type", "The name of a value's type: nil, bool, int, float, string, array, map, time, duration. Takes null.", "string", ps(p("x", "any", "the value")),
			ex(`type(1.5)`, `"float"`), ex(`type(nil)`, `"nil"`)),
		b(groupConvert, "int", "An integer from a number, whose fraction is cut off, or from text. `toInt` refuses a fraction and takes a fallback.", "int", ps(p("x", "number|string", "the value")),
			ex(`int("42")`, `42`), ex(`int(3.9)`, `3`)),
		b(groupConvert, "float", "A float from a number or text. `toFloat` takes a fallback.", "float", ps(p("x", "number|string", "the value")), ex(`float("1.5")`, `1.5`)),
		b(groupConvert, "string", "Text for people: bytes that are UTF-8 as text; arrays, objects and times as Go prints them. `toString` writes JSON and RFC 3339.", "string", ps(p("x", "any", "the value")),
			ex(`string(42)`, `"42"`)),

		b(groupArray, "all", "Whether the predicate holds for every element; true for an empty array.", "bool", ps(arr, pred), ex(`all([1, 2], # > 0)`, `true`)),
		b(groupArray, "any", "Whether the predicate holds for at least one element.", "bool", ps(arr, pred), ex(`any([1, 2], # > 1)`, `true`)),
		b(groupArray, "one", "Whether the predicate holds for exactly one element.", "bool", ps(arr, pred), ex(`one([1, 2], # > 1)`, `true`)),
		b(groupArray, "none", "Whether the predicate holds for no element.", "bool", ps(arr, pred), ex(`none([1, 2], # > 2)`, `true`)),
		b(groupArray, "map", "The array of what the predicate gives for each element.", "array", ps(arr, pred),
			exIn(`map(value.items, .qty * 2)`, `{"items": [{"qty": 1}, {"qty": 2}]}`, `[2,4]`)),
		b(groupArray, "filter", "The elements for which the predicate holds.", "array", ps(arr, pred), ex(`filter([1, 2, 3], # > 1)`, `[2,3]`)),
		b(groupArray, "find", "The first element for which the predicate holds; null if there is none.", "any", ps(arr, pred), ex(`find([1, 2, 3], # > 1)`, `2`)),
		b(groupArray, "findIndex", "The place of the first element for which the predicate holds; null if there is none.", "int", ps(arr, pred), ex(`findIndex([1, 2, 3], # > 1)`, `1`)),
		b(groupArray, "findLast", "The last element for which the predicate holds; null if there is none.", "any", ps(arr, pred), ex(`findLast([1, 2, 3], # > 1)`, `3`)),
		b(groupArray, "findLastIndex", "The place of the last element for which the predicate holds; null if there is none.", "int", ps(arr, pred), ex(`findLastIndex([1, 2, 3], # > 1)`, `2`)),
		b(groupArray, "groupBy", "An object of arrays: the elements by what the predicate gives for them.", "object", ps(arr, pred),
			ex(`groupBy(["a", "bb", "c"], len(#) == 1 ? "short" : "long")`, `{"long":["bb"],"short":["a","c"]}`)),
		b(groupArray, "count", "For how many elements the predicate holds; without one, how many are true.", "int", ps(arr, optPred), ex(`count([1, 2, 3], # > 1)`, `2`)),
		b(groupArray, "sum", "The sum of the elements, or of what the predicate gives for each.", "number", ps(arr, optPred),
			ex(`sum([1, 2, 3])`, `6`), exIn(`sum(value.items, .price * .qty)`, `{"items": [{"price": 1.5, "qty": 2}, {"price": 4, "qty": 1}]}`, `7`)),
		b(groupArray, "mean", "The average of numbers; 0 if there are none.", "float", ps(nums), ex(`mean([1, 2, 6])`, `3`)),
		b(groupArray, "median", "The middle one of numbers; 0 if there are none.", "float", ps(nums), ex(`median([1, 9, 2])`, `2`)),
		b(groupArray, "min", "The least of numbers.", "number", ps(nums), ex(`min(3, 1, 2)`, `1`)),
		b(groupArray, "max", "The greatest of numbers.", "number", ps(nums), ex(`max([3, 1, 2])`, `3`)),
		b(groupArray, "reduce", "One value from all elements: the predicate sees what it gave last as `#acc` and the place as `#index`.", "any",
			ps(arr, pred, opt("initial", "any", "the first `#acc`; the first element if not given")), ex(`reduce([1, 2, 3], #acc * #, 1)`, `6`)),
		b(groupArray, "sort", "The elements in order.", "array", ps(arr, order), ex(`sort([2, 3, 1], "desc")`, `[3,2,1]`)),
		b(groupArray, "sortBy", "The elements in the order of what the predicate gives for each.", "array", ps(arr, pred, order),
			exIn(`sortBy(value, .n)`, `[{"n": 2}, {"n": 1}]`, `[{"n":1},{"n":2}]`)),
		b(groupArray, "first", "The first element; null if there is none.", "any", ps(arr), ex(`first([1, 2])`, `1`)),
		b(groupArray, "last", "The last element; null if there is none.", "any", ps(arr), ex(`last([1, 2])`, `2`)),
		b(groupArray, "take", "The first n elements.", "array", ps(arr, p("n", "int", "how many")), ex(`take([1, 2, 3], 2)`, `[1,2]`)),
		b(groupArray, "reverse", "The elements in reverse order.", "array", ps(arr), ex(`reverse([1, 2, 3])`, `[3,2,1]`)),
		b(groupArray, "uniq", "The array without elements that came before. `distinct` is faster for long arrays.", "array", ps(arr), ex(`uniq([1, 2, 1])`, `[1,2]`)),
		b(groupArray, "concat", "One array of the elements of several.", "array", ps(p("arrays", "array", "the arrays")), ex(`concat([1], [2, 3])`, `[1,2,3]`)),
		b(groupArray, "flatten", "One array of the elements of all nested arrays.", "array", ps(arr), ex(`flatten([1, [2, [3]]])`, `[1,2,3]`)),

		b(groupObject, "len", "The count of an array's elements, an object's members or a text's characters.", "int", ps(p("x", "array|object|string", "the value")), ex(`len("größe")`, `5`)),
		b(groupObject, "get", "The element or member at an index or name; null if it is not there, also for a null x.", "any",
			ps(p("x", "array|object", "the value"), p("index", "int|string", "the index or name")), ex(`get({"a": 1}, "b")`, `null`), ex(`get([1, 2], -1)`, `2`)),
		b(groupObject, "fromPairs", "The object of arrays of name and value.", "object", ps(p("pairs", "array", "what `toPairs` gives")), ex(`fromPairs([["a", 1]])`, `{"a":1}`)),

		b(groupNumber, "abs", "The number without its sign.", "number", ps(x), ex(`abs(-5)`, `5`)),
		b(groupNumber, "ceil", "The next whole number upward, as a float.", "float", ps(x), ex(`ceil(1.2)`, `2`)),
		b(groupNumber, "floor", "The next whole number downward, as a float.", "float", ps(x), ex(`floor(1.8)`, `1`)),
		b(groupNumber, "round", "The nearest whole number as a float, halves away from zero. `roundTo` rounds to digits.", "float", ps(x), ex(`round(2.5)`, `3`)),

		b(groupBits, "bitand", "The bits that are set in both.", "int", bits, ex(`bitand(0b1010, 0b1100)`, `8`)),
		b(groupBits, "bitor", "The bits that are set in at least one.", "int", bits, ex(`bitor(0b1010, 0b1100)`, `14`)),
		b(groupBits, "bitxor", "The bits that are set in exactly one.", "int", bits, ex(`bitxor(0b1010, 0b1100)`, `6`)),
		b(groupBits, "bitnand", "The bits of a that are not set in b.", "int", bits, ex(`bitnand(0b1010, 0b1100)`, `2`)),
		b(groupBits, "bitnot", "All bits turned over.", "int", ps(p("n", "int", "an integer")), ex(`bitnot(10)`, `-11`)),
		b(groupBits, "bitshl", "The bits moved left.", "int", shift, ex(`bitshl(5, 2)`, `20`)),
		b(groupBits, "bitshr", "The bits moved right, the sign kept.", "int", shift, ex(`bitshr(-8, 1)`, `-4`)),
		b(groupBits, "bitushr", "The bits moved right, zeros from the left.", "int", shift, ex(`bitushr(-5, 2)`, `4611686018427387902`)),
	}
}
