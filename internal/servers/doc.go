// Package servers starts real servers for tests and benchmarks: processes of
// their own on loopback ports, in private folders, gone when the process that
// started them is gone, however it ends.
//
// What a server consists of is fetched once by `make servers` into a folder of
// the user outside the checkout; the recipes stand in testdata/servers, a
// folder each, with the digest of every file. A test that needs a server and
// does not find it fails and says so; with -short it is skipped.
package servers
