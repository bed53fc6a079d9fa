// Package enginetest holds what tests of components and of the engine share:
// conformance suites, one for each kind of component, that every component's
// tests run, and fakes of inputs and outputs that fail, hang, refuse records
// and answer late.
//
// A suite checks the contract that stands on the interface in package engine.
// What a component cannot do it says with a field of the case; the suite then
// checks that, too, where it can.
package enginetest
