// Package engine is the contract of flow: what a batch is, what inputs,
// processors, outputs, converters and connections must do and may assume, how
// a component describes its options, and the plan that a config compiles to.
// It imports the standard library and its own children only.
//
// The invariants, cited by number where they are held:
//
//  1. A source position is stored only after every output that the record
//     reached has confirmed it, or its error was confirmed by an errors output.
//  2. The stored position of a partition never passes an unconfirmed record,
//     never goes backward, and never survives a failed store.
//  3. No record is dropped without an explicit element that says so; every
//     drop is counted with a reason.
//  4. Order within a source partition is kept through a chain unless the
//     pipeline says order = "none".
//  5. Memory is bounded by configuration, whatever the input does.
//  6. Exactly once: output and source position change in one transaction, or
//     the output is keyed so that a repeat changes nothing.
//  7. A secret is never in a log, an error, a metric, a REST answer or in what
//     explain prints.
package engine
