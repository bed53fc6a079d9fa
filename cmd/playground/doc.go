// Package playground is flow expr: it evaluates expressions and runs the
// processors of a config over JSON records, once over a stream or at an
// interactive prompt. It opens no input and no output of a config.
//
// What runs is what the engine runs: expressions are the compiled programs of
// dsl/expr, processors are those of the config's plan, bound to layouts.
package playground
