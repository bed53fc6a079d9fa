package dsl

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	//nolint:gosec // md5 is there for keys and file names of other systems, not for secrecy.
	"crypto/md5"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// newContext returns a context with the functions of the language. They are
// those of Terraform where cty has them.
func (l *loader) newContext() *hcl.EvalContext {
	fs := map[string]function.Function{
		"abs":             stdlib.AbsoluteFunc,
		"ceil":            stdlib.CeilFunc,
		"chomp":           stdlib.ChompFunc,
		"chunklist":       stdlib.ChunklistFunc,
		"coalesce":        stdlib.CoalesceFunc,
		"coalescelist":    stdlib.CoalesceListFunc,
		"compact":         stdlib.CompactFunc,
		"concat":          stdlib.ConcatFunc,
		"contains":        stdlib.ContainsFunc,
		"csvdecode":       stdlib.CSVDecodeFunc,
		"distinct":        stdlib.DistinctFunc,
		"element":         stdlib.ElementFunc,
		"flatten":         stdlib.FlattenFunc,
		"floor":           stdlib.FloorFunc,
		"format":          stdlib.FormatFunc,
		"formatdate":      stdlib.FormatDateFunc,
		"formatlist":      stdlib.FormatListFunc,
		"indent":          stdlib.IndentFunc,
		"index":           indexFunc,
		"join":            stdlib.JoinFunc,
		"jsondecode":      stdlib.JSONDecodeFunc,
		"jsonencode":      stdlib.JSONEncodeFunc,
		"keys":            stdlib.KeysFunc,
		"length":          lengthFunc,
		"log":             stdlib.LogFunc,
		"lookup":          stdlib.LookupFunc,
		"lower":           stdlib.LowerFunc,
		"max":             stdlib.MaxFunc,
		"merge":           stdlib.MergeFunc,
		"min":             stdlib.MinFunc,
		"parseint":        stdlib.ParseIntFunc,
		"pow":             stdlib.PowFunc,
		"range":           stdlib.RangeFunc,
		"regex":           stdlib.RegexFunc,
		"regexall":        stdlib.RegexAllFunc,
		"replace":         replaceFunc,
		"reverse":         stdlib.ReverseListFunc,
		"setintersection": stdlib.SetIntersectionFunc,
		"setproduct":      stdlib.SetProductFunc,
		"setsubtract":     stdlib.SetSubtractFunc,
		"setunion":        stdlib.SetUnionFunc,
		"signum":          stdlib.SignumFunc,
		"slice":           stdlib.SliceFunc,
		"sort":            stdlib.SortFunc,
		"split":           stdlib.SplitFunc,
		"strrev":          stdlib.ReverseFunc,
		"substr":          stdlib.SubstrFunc,
		"timeadd":         stdlib.TimeAddFunc,
		"title":           stdlib.TitleFunc,
		"trim":            stdlib.TrimFunc,
		"trimprefix":      stdlib.TrimPrefixFunc,
		"trimspace":       stdlib.TrimSpaceFunc,
		"trimsuffix":      stdlib.TrimSuffixFunc,
		"upper":           stdlib.UpperFunc,
		"values":          stdlib.ValuesFunc,
		"zipmap":          stdlib.ZipmapFunc,

		"tobool":   stdlib.MakeToFunc(cty.Bool),
		"tolist":   stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)),
		"tomap":    stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType)),
		"tonumber": stdlib.MakeToFunc(cty.Number),
		"toset":    stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)),
		"tostring": stdlib.MakeToFunc(cty.String),

		"can": tryfunc.CanFunc,
		"try": tryfunc.TryFunc,

		"abspath":  textFunc(filepath.Abs),
		"basename": textFunc(func(s string) (string, error) { return filepath.Base(s), nil }),
		"dirname":  textFunc(func(s string) (string, error) { return filepath.Dir(s), nil }),

		"base64decode": textFunc(base64Decode),
		"base64encode": textFunc(func(s string) (string, error) { return base64.StdEncoding.EncodeToString([]byte(s)), nil }),
		"md5":          textFunc(func(s string) (string, error) { sum := md5.Sum([]byte(s)); return hex.EncodeToString(sum[:]), nil }), //nolint:gosec // see the import
		"sha256": textFunc(func(s string) (string, error) {
			sum := sha256.Sum256([]byte(s))
			return hex.EncodeToString(sum[:]), nil
		}),
		"sha512": textFunc(func(s string) (string, error) {
			sum := sha512.Sum512([]byte(s))
			return hex.EncodeToString(sum[:]), nil
		}),
		"urlencode":   textFunc(func(s string) (string, error) { return url.QueryEscape(s), nil }),
		"startswith":  textTest(strings.HasPrefix),
		"endswith":    textTest(strings.HasSuffix),
		"strcontains": textTest(strings.Contains),

		"alltrue":   allTrueFunc,
		"anytrue":   anyTrueFunc,
		"one":       oneFunc,
		"sum":       sumFunc,
		"secret":    markFunc(true),
		"sensitive": markFunc(true),
		// The opposite of sensitive, for what is derived from a secret and is
		// none: the length of a password, a user name in a URL.
		"nonsensitive": markFunc(false),

		"env":        l.envFunc(),
		"file":       l.fileFunc(),
		"fileexists": fileExistsFunc,
	}
	return &hcl.EvalContext{Functions: fs}
}

// textFunc is a function from one text to another.
func textFunc(f func(string) (string, error)) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "str", Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			s, err := f(args[0].AsString())
			if err != nil {
				return cty.UnknownVal(cty.String), function.NewArgError(0, err)
			}
			return cty.StringVal(s), nil
		},
	})
}

// textTest is a question about two texts.
func textTest(f func(s, part string) bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "str", Type: cty.String}, {Name: "part", Type: cty.String}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(f(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

func base64Decode(s string) (string, error) {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return "", fmt.Errorf("the text is no base64")
	}
	if !utf8.Valid(b) {
		return "", fmt.Errorf("the decoded bytes are no UTF-8 text")
	}
	return string(b), nil
}

// markFunc marks its argument as sensitive, or takes every mark away.
func markFunc(secret bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowMarked: true, AllowNull: true, AllowUnknown: true, AllowDynamicType: true}},
		Type:   func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if secret {
				return args[0].Mark(sensitiveMark), nil
			}
			v, _ := args[0].UnmarkDeep()
			return v, nil
		},
	})
}

// envFunc reads the environment. Without a default an unset variable is an
// error: an empty password is never made of a misspelt name.
func (l *loader) envFunc() function.Function {
	return function.New(&function.Spec{
		Params:   []function.Parameter{{Name: "name", Type: cty.String}},
		VarParam: &function.Parameter{Name: "default", Type: cty.String, AllowNull: true},
		Type:     function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			name := args[0].AsString()
			if v, ok := l.environ[name]; ok {
				if !utf8.ValidString(v) {
					return cty.UnknownVal(cty.String), function.NewArgErrorf(0, "environment variable %s is no UTF-8 text", name)
				}
				l.outside = append(l.outside, v)
				return cty.StringVal(v).Mark(outsideMark), nil
			}
			switch len(args) {
			case 1:
				return cty.UnknownVal(cty.String), function.NewArgErrorf(0, "environment variable %s is not set; give a default with env(%q, \"...\")", name, name)
			case 2:
				return args[1], nil
			}
			return cty.UnknownVal(cty.String), function.NewArgErrorf(2, "env takes a name and a default")
		},
	})
}

// maxReadBytes bounds file(): it is for certificates and passwords.
const maxReadBytes = 16 << 20

// fileFunc reads a text file.
func (l *loader) fileFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			path := args[0].AsString()
			fail := func(why string) (cty.Value, error) {
				return cty.UnknownVal(cty.String), function.NewArgErrorf(0, "reading %q: %s", path, why)
			}
			info, err := os.Stat(path)
			switch {
			case err != nil:
				return fail(cause(err).Error())
			case !info.Mode().IsRegular():
				return fail("not a regular file")
			case info.Size() > maxReadBytes:
				return fail("the file is too large")
			}
			b, err := os.ReadFile(path)
			if err != nil {
				return fail(cause(err).Error())
			}
			if !utf8.Valid(b) {
				return fail("the file is no UTF-8 text")
			}
			l.outside = append(l.outside, string(b), strings.TrimSpace(string(b)))
			return cty.StringVal(string(b)).Mark(outsideMark), nil
		},
	})
}

var fileExistsFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "path", Type: cty.String}},
	Type:   function.StaticReturnType(cty.Bool),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		info, err := os.Stat(args[0].AsString())
		return cty.BoolVal(err == nil && info.Mode().IsRegular()), nil
	},
})

// lengthFunc is cty's, and takes texts too, as Terraform's does.
var lengthFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowDynamicType: true}},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		t := args[0].Type()
		switch {
		case t == cty.String:
			return stdlib.Strlen(args[0])
		case t.IsObjectType():
			return cty.NumberIntVal(int64(len(t.AttributeTypes()))), nil
		case t.IsCollectionType() || t.IsTupleType():
			return stdlib.Length(args[0])
		}
		return cty.UnknownVal(cty.Number), function.NewArgErrorf(0, "a text, list, set, map or object has a length, a %s has none", t.FriendlyName())
	},
})

// indexFunc finds a value in a list, as Terraform's does; cty's own takes an
// element out of one.
var indexFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}, {Name: "value", Type: cty.DynamicPseudoType}},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if t := args[0].Type(); !t.IsListType() && !t.IsTupleType() {
			return cty.UnknownVal(cty.Number), function.NewArgErrorf(0, "need a list")
		}
		i := 0
		for it := args[0].ElementIterator(); it.Next(); i++ {
			_, e := it.Element()
			if eq, err := stdlib.Equal(e, args[1]); err == nil && eq.IsKnown() && !eq.IsNull() && eq.True() {
				return cty.NumberIntVal(int64(i)), nil
			}
		}
		return cty.UnknownVal(cty.Number), function.NewArgErrorf(1, "the list does not hold the value")
	},
})

// replaceFunc replaces a text, or what a pattern between slashes matches.
var replaceFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "str", Type: cty.String}, {Name: "old", Type: cty.String}, {Name: "new", Type: cty.String}},
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		old := args[1].AsString()
		if len(old) > 1 && old[0] == '/' && old[len(old)-1] == '/' {
			return stdlib.RegexReplace(args[0], cty.StringVal(old[1:len(old)-1]), args[2])
		}
		return stdlib.Replace(args[0], args[1], args[2])
	},
})

var (
	allTrueFunc = boolsFunc(func(found map[bool]bool) bool { return !found[false] })
	anyTrueFunc = boolsFunc(func(found map[bool]bool) bool { return found[true] })
)

func boolsFunc(f func(map[bool]bool) bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "list", Type: cty.List(cty.Bool)}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			found := make(map[bool]bool)
			for it := args[0].ElementIterator(); it.Next(); {
				_, e := it.Element()
				found[!e.IsNull() && e.True()] = true
			}
			return cty.BoolVal(f(found)), nil
		},
	})
}

var oneFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}},
	Type:   function.StaticReturnType(cty.DynamicPseudoType),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if !args[0].CanIterateElements() {
			return cty.DynamicVal, function.NewArgErrorf(0, "need a list or set")
		}
		switch args[0].LengthInt() {
		case 0:
			return cty.NullVal(cty.DynamicPseudoType), nil
		case 1:
			it := args[0].ElementIterator()
			it.Next()
			_, e := it.Element()
			return e, nil
		}
		return cty.DynamicVal, function.NewArgErrorf(0, "the list has more than one element")
	},
})

var sumFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if !args[0].CanIterateElements() || args[0].LengthInt() == 0 {
			return cty.UnknownVal(cty.Number), function.NewArgErrorf(0, "need a list of at least one number")
		}
		total := cty.Zero
		for it := args[0].ElementIterator(); it.Next(); {
			_, e := it.Element()
			n, err := convert.Convert(e, cty.Number)
			if err != nil || n.IsNull() || !n.IsKnown() {
				return cty.UnknownVal(cty.Number), function.NewArgErrorf(0, "an element is no number")
			}
			if total, err = stdlib.Add(total, n); err != nil {
				return cty.UnknownVal(cty.Number), err
			}
		}
		return total, nil
	},
})

func environMap(environ []string) map[string]string {
	m := make(map[string]string, len(environ))
	for _, e := range environ {
		if name, value, ok := strings.Cut(e, "="); ok {
			m[name] = value
		}
	}
	return m
}
