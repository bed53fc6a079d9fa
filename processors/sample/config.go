// Package sample is the processor that lets a part of the records pass.
package sample

import "github.com/flowrecords/flow/engine"

// Config holds the options of sample.
type Config struct {
	Rate  float64           `flow:"rate" unit:"" min:"0" max:"1" doc:"The part of the records that passes: 0.01 is one of a hundred. Which ones is decided by a hash, so a record that is read again after a crash is decided alike." example:"0.01"`
	By    engine.Expression `flow:"by" doc:"With rate: records with the same result of this expression are decided alike, here and in every other sample with the same rate and seed. Without it each record is decided by itself." example:"\"value.customer_id\""`
	Every int               `flow:"every" unit:"records" min:"0" max:"1000000000" doc:"Instead of rate: the first record passes, and then one of so many. It counts anew with each start."`
	Seed  int64             `flow:"seed" unit:"" doc:"Another number makes another choice with the same rate."`
}

// Defaults is what an empty block means.
func Defaults() *Config { return &Config{} }

// Validate asks for one of rate and every.
func (c *Config) Validate() []engine.Problem {
	switch {
	case c.Rate == 0 && c.Every == 0:
		return []engine.Problem{{Summary: "sample has neither rate nor every", Detail: "Give one of them: rate = 0.01 for one record of a hundred by chance, every = 100 for each hundredth."}}
	case c.Rate != 0 && c.Every != 0:
		return []engine.Problem{{Option: "every", Summary: "sample has both rate and every", Detail: "Remove one of them."}}
	case c.Every != 0 && !c.By.IsZero():
		return []engine.Problem{{Option: "by", Summary: "by needs rate", Detail: "every counts all records. Remove by, or give rate instead of every."}}
	}
	return nil
}
