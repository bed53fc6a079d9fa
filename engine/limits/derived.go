package limits

// InputBatches is how many batches an input may have taken: enough for what
// may be in flight in full batches, and for some that are not full.
func InputBatches(inFlightBytes, batchBytes int64) int {
	return int(min(max(inFlightBytes/max(batchBytes, 1), 4), 256)) + 4
}

// WorkerBatches is how many batches each of the workers of a stage may have
// under way, so that all have StageBatches, and a few where there are many.
func WorkerBatches(workers int) int { return max(8, StageBatches/max(workers, 1)) }

// SlabSlack is room for the newlines and the last record of a batch that ends
// when its bytes reach the limit.
const SlabSlack = BatchBytes / 16
