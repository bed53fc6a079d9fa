package command

import (
	"os/exec"
	"path/filepath"

	"github.com/flowrecords/flow/engine"
)

// Check reports whether the program is there and may be run. It does not run
// it.
func (o *Options) Check(r *engine.CheckReport) {
	what := "program " + o.Command[0]
	if err := o.Find(); err != nil {
		r.Fail(what, err.Error(), "Correct command or dir, or install the program.")
		return
	}
	name := o.Command[0]
	if o.Dir != "" && filepath.Base(name) != name && !filepath.IsAbs(name) {
		name = filepath.Join(o.Dir, name) // as the child would see it
	}
	path, err := exec.LookPath(name)
	if err != nil {
		r.Fail(what, describeStart(name, err).Error(), "Correct command or dir, or make the file executable.")
		return
	}
	r.OK(what, "%s, may be run", path)
}
