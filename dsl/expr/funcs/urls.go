package funcs

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

func (s *set) urlFuncs() []def {
	text := p("text", "string", "the text")
	return []def{
		{
			Func: Func{
				Name: "parseURL", Group: groupURL,
				Doc: "The parts of a URL: scheme, user, password, host, port, path, query, fragment. What is not there is null; the port is an integer;" +
					" in query a name that repeats has an array. A null text is an error.",
				Params: []Param{p("text", "string", "the URL")}, Result: "object",
				Examples: []Example{
					ex(`parseURL("https://jo@example.com:8443/a?x=1&y=2&y=3#top")`,
						`{"fragment":"top","host":"example.com","password":null,"path":"/a","port":8443,"query":{"x":"1","y":["2","3"]},"scheme":"https","user":"jo"}`),
				},
			},
			impl: func(a *in) (any, error) { return parseURL(a.text(0)) },
		},
		textDef("urlEncode", groupURL, "Escapes a text for the query of a URL; a space becomes +.", url.QueryEscape, ex(`urlEncode("a b&c")`, `"a+b%26c"`)),
		textDef("urlPathEncode", groupURL, "Escapes a text as one segment of the path of a URL.", url.PathEscape, ex(`urlPathEncode("a b/c")`, `"a%20b%2Fc"`)),
		{
			Func: Func{
				Name: "urlDecode", Group: groupURL, Doc: "The text that `urlEncode` or `urlPathEncode` was given; + is a space.",
				Params: []Param{text}, Result: "string",
				Examples: []Example{ex(`urlDecode("a+b%26c")`, `"a b&c"`)},
			},
			impl: func(a *in) (any, error) {
				t := a.text(0)
				out, err := url.QueryUnescape(t)
				if err != nil {
					return nil, fmt.Errorf("%s is not URL-encoded", quote(t))
				}
				return out, nil
			},
		},
		{
			Func: Func{
				Name: "parseQuery", Group: groupURL,
				Doc:    "The names and values of a URL's query as an object. A name that repeats has an array.",
				Params: []Param{p("text", "string", "the query, with or without ?")}, Result: "object",
				Examples: []Example{ex(`parseQuery("?q=a+b&tag=x&tag=y")`, `{"q":"a b","tag":["x","y"]}`)},
			},
			impl: func(a *in) (any, error) {
				t := a.text(0)
				v, err := url.ParseQuery(strings.TrimPrefix(t, "?"))
				if err != nil {
					return nil, fmt.Errorf("%s is not a query", quote(t))
				}
				return queryObject(v), nil
			},
		},
		{
			Func: Func{
				Name: "buildQuery", Group: groupURL,
				Doc:    "An object as the query of a URL, names sorted. An array repeats the name, a null member is left out. A null argument is an error.",
				Params: []Param{p("obj", "object", "names and values")}, Result: "string",
				Examples: []Example{ex(`buildQuery({"q": "a b", "page": 2, "tag": ["x", "y"]})`, `"page=2&q=a+b&tag=x&tag=y"`)},
			},
			impl: func(a *in) (any, error) { return buildQuery(a.object(0)) },
		},
	}
}

func parseURL(text string) (any, error) {
	u, err := url.Parse(text)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err
		}
		return nil, fmt.Errorf("%s is not a URL: %w", quote(text), err)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, fmt.Errorf("%s is not a URL: bad query", quote(text))
	}
	out := map[string]any{
		"scheme": orNil(u.Scheme), "user": nil, "password": nil, "host": orNil(u.Hostname()), "port": nil,
		"path": orNil(u.Path), "query": queryObject(query), "fragment": orNil(u.Fragment),
	}
	if u.Opaque != "" {
		out["path"] = u.Opaque
	}
	if u.User != nil {
		out["user"] = orNil(u.User.Username())
		if pw, ok := u.User.Password(); ok {
			out["password"] = pw
		}
	}
	if port := u.Port(); port != "" {
		n, err := strconv.Atoi(port)
		if err != nil || n > 65535 {
			return nil, fmt.Errorf("%s is not a URL: bad port", quote(text))
		}
		out["port"] = n
	}
	return out, nil
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func queryObject(v url.Values) map[string]any {
	out := make(map[string]any, len(v))
	for name, values := range v {
		if len(values) == 1 {
			out[name] = values[0]
			continue
		}
		arr := make([]any, len(values))
		for i, x := range values {
			arr[i] = x
		}
		out[name] = arr
	}
	return out
}

func buildQuery(obj map[string]any) (any, error) {
	var b strings.Builder
	add := func(name string, v any) error {
		t, err := toText(v)
		if err != nil {
			return fmt.Errorf("member %s: %w", quote(name), err)
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(name))
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(t))
		if b.Len() > maxText {
			return tooLong()
		}
		return nil
	}
	for _, name := range sortedKeys(obj) {
		v := obj[name]
		arr, ok := asArray(v)
		if !ok {
			arr = []any{v}
		}
		for _, e := range arr {
			if e == nil {
				continue
			}
			if err := add(name, e); err != nil {
				return nil, err
			}
		}
	}
	return b.String(), nil
}
