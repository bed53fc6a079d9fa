package expr

// VMOnly returns an environment whose expressions run on the VM as a whole.
func (e *Env) VMOnly() *Env {
	out := &Env{e.env}
	out.vmOnly = true
	return out
}
