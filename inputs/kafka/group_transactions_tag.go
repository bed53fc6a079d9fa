//go:build grouptransactions

package kafka

// groupTransactions lets through what is otherwise refused, for its tests.
const groupTransactions = true
