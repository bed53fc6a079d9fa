package funcs

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/flowrecords/flow/engine/record"
)

func (s *set) networkFuncs() []def {
	isIP := func(name, doc, yes, no string, ok func(netip.Addr) bool) def {
		is := func(t string) bool {
			ip, err := netip.ParseAddr(t)
			return err == nil && ok(ip)
		}
		return def{
			Func: Func{
				Name: name, Group: groupNet, Doc: doc + " False for null and for what is not text.",
				Params: []Param{p("text", "any", "the value")}, Result: "bool",
				Examples: []Example{ex(name+`("`+yes+`")`, `true`), ex(name+`("`+no+`")`, `false`)},
			},
			impl: func(a *in) (any, error) {
				t, ok := a.any(0).(string)
				return ok && is(t), nil
			},
			fast: func(a fin) (record.Value, []byte, error) {
				v := a.value(0)
				return a.done(record.BoolValue(v.Kind() == record.String && is(view(v.Text()))), nil)
			},
		}
	}
	ip := p("ip", "string", "an IPv4 or IPv6 address")
	return []def{
		isIP("isIP", "Whether a value is an IPv4 or IPv6 address.", "::1", "1.2.3", func(netip.Addr) bool { return true }),
		isIP("isIPv4", "Whether a value is an IPv4 address.", "10.0.0.1", "::1", netip.Addr.Is4),
		isIP("isIPv6", "Whether a value is an IPv6 address.", "::1", "10.0.0.1", netip.Addr.Is6),
		{
			Func: Func{
				Name: "ipInCIDR", Group: groupNet,
				Doc:    "Whether an address lies in a network, or in at least one of several. An IPv4 address written as IPv6 (`::ffff:10.0.0.1`) counts as IPv4.",
				Params: []Param{ip, p("networks", "string|array", "`10.0.0.0/8`, or an array of these")}, Result: "bool",
				Examples: []Example{
					ex(`ipInCIDR("10.1.2.3", "10.0.0.0/8")`, `true`),
					ex(`ipInCIDR("192.0.2.1", ["10.0.0.0/8", "172.16.0.0/12"])`, `false`),
				},
			},
			impl: func(a *in) (any, error) {
				t := a.text(0)
				var nets []string
				if n, ok := a.any(1).(string); ok {
					nets = []string{n}
				} else if nets = a.texts(1); a.err != nil {
					return nil, nil
				}
				addr, err := parseIP(t)
				if err != nil {
					return nil, err
				}
				in := false
				for _, n := range nets {
					network, err := parseCIDR(n)
					if err != nil {
						return nil, err
					}
					in = in || network.Contains(addr)
				}
				return in, nil
			},
			checks: map[int]func(any) string{1: func(arg any) string {
				nets, ok := asArray(arg)
				if !ok {
					nets = []any{arg}
				}
				for _, n := range nets {
					if t, ok := n.(string); ok {
						if _, err := parseCIDR(t); err != nil {
							return err.Error()
						}
					}
				}
				return ""
			}},
		},
		{
			Func: Func{
				Name: "ipKind", Group: groupNet, Doc: "What an address is for: unspecified, loopback, linkLocal, multicast, private or global.",
				Params: []Param{ip}, Result: "string",
				Examples: []Example{ex(`ipKind("192.168.1.7")`, `"private"`), ex(`ipKind("2001:4860:4860::8888")`, `"global"`)},
			},
			impl: func(a *in) (any, error) {
				addr, err := parseIP(a.text(0))
				if err != nil {
					return nil, err
				}
				return ipKind(addr), nil
			},
		},
		{
			Func: Func{
				Name: "maskIP", Group: groupMask,
				Doc: "An address with all bits behind its network part zero, so that it names a neighbourhood and no longer a device.",
				Params: []Param{
					ip, opt("bits4", "int", "the bits that stay of an IPv4 address; 24 if not given"),
					opt("bits6", "int", "the bits that stay of an IPv6 address; 48 if not given"),
				},
				Result:   "string",
				Examples: []Example{ex(`maskIP("203.0.113.77")`, `"203.0.113.0"`), ex(`maskIP("2001:db8:1:2::7")`, `"2001:db8:1::"`)},
			},
			impl: func(a *in) (any, error) {
				t, bits4, bits6 := a.text(0), a.optInt(1, 24), a.optInt(2, 48)
				if bits4 < 0 || bits4 > 32 || bits6 < 0 || bits6 > 128 {
					return nil, errors.New("the bits are out of range")
				}
				addr, err := parseIP(t)
				if err != nil {
					return nil, err
				}
				bits := bits6
				if addr.Is4() {
					bits = bits4
				}
				network, err := addr.WithZone("").Prefix(bits)
				if err != nil {
					return nil, err
				}
				return network.Addr().String(), nil
			},
		},
	}
}

func parseIP(t string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(t)
	if err != nil {
		return addr, fmt.Errorf("%s is not an IP address", quote(t))
	}
	return addr.Unmap(), nil
}

func parseCIDR(t string) (netip.Prefix, error) {
	n, err := netip.ParsePrefix(t)
	if err != nil {
		return n, fmt.Errorf("%s is not a network such as 10.0.0.0/8", quote(t))
	}
	return n, nil
}

func ipKind(a netip.Addr) string {
	switch {
	case a.IsUnspecified():
		return "unspecified"
	case a.IsLoopback():
		return "loopback"
	case a.IsLinkLocalUnicast():
		return "linkLocal"
	case a.IsMulticast():
		return "multicast"
	case a.IsPrivate():
		return "private"
	}
	return "global"
}
