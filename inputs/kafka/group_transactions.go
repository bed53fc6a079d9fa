//go:build !grouptransactions

package kafka

// groupTransactions says whether positions of a group may go into transactions
// of outputs. They may not yet: after the death of a broker a partition has been
// seen without its end of a transaction, and records came twice.
const groupTransactions = false
