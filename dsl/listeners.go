package dsl

import (
	"fmt"
	"net"

	"github.com/flowrecords/flow/dsl/rules"
	"github.com/flowrecords/flow/engine"
)

// checkListeners finds inputs that would listen where another one does.
func (l *loader) checkListeners() {
	type listener struct {
		e          *element
		host, port string
	}
	var all []listener
	for _, p := range l.pipelines {
		for _, e := range p.elements {
			if e.Kind != engine.KindInput || !e.ok || l.reg.Inputs[e.Type].Listens == nil {
				continue
			}
			for _, address := range l.reg.Inputs[e.Type].Listens(e.Config) {
				host, port, err := net.SplitHostPort(address)
				if err != nil || port == "0" { // a free one
					continue
				}
				for _, o := range all {
					if o.port == port && (o.host == host || everywhere(o.host) || everywhere(host)) {
						l.report(rules.SecondInput, e.d.place("address"), fmt.Sprintf("second input at port %s", port),
							"The input at %s listens at %s already. Choose another port, or let several elements read that input.", o.e.Where, net.JoinHostPort(o.host, o.port))
						break
					}
				}
				all = append(all, listener{e, host, port})
			}
		}
	}
}

// everywhere: all addresses of the machine.
func everywhere(host string) bool {
	ip := net.ParseIP(host)
	return host == "" || ip != nil && ip.IsUnspecified()
}
