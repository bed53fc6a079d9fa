//go:build !race

package funcs_test

const raceEnabled = false
