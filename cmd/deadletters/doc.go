// Package deadletters reads what errors outputs have written, the records that
// failed for good, and takes them back to where they failed.
package deadletters
