// Package oracle reads what the Java implementations of Kafka Connect's
// converters and transforms and of Avro answered to the cases of
// testdata/oracle, for tests that compare flow with them. The notation of the
// files stands in testdata/oracle/README.md.
//
// It knows nothing of flow's own records, so that a mistake there cannot hide
// on both sides of a comparison. A test goes
//
//	from Case.Properties, Connect's configuration of the case, to flow's;
//	from Case.Record by Envelope or Plain to the bytes that flow reads (data
//	without schema only where Value.JSONNative says that JSON can carry it);
//	from what flow wrote by ParseEnvelope or ParsePlain back to a Data, and by
//	Diff to the first place where it differs from Result.Record.
//
// The cases are made by internal/oracle/gen and answered by
// internal/oracle/regen, which `make oracle` runs.
package oracle
