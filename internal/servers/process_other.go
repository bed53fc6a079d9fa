//go:build !unix

package servers

import (
	"errors"
	"os"
	"os/exec"
)

var errUnixOnly = errors.New("real servers run on Unix only")

func lockFile(string, func()) (func(), error) { return nil, errUnixOnly }

func ownGroup(*exec.Cmd) {}

func ownSession(*exec.Cmd) {}

func terminate(*os.Process) error { return errUnixOnly }

func suspend(*os.Process) error { return errUnixOnly }

func resume(*os.Process) error { return errUnixOnly }
