package protobuf

import "testing"

// TestReaderIsReleased: what a large value needed is not kept for the next one,
// nor is the value.
func TestReaderIsReleased(t *testing.T) {
	t.Parallel()
	var r reader
	r.reset([]byte("data"))
	r.pieces, r.finds = make([]piece, 0, 10*keptPieces), make([]found, 0, 10*keptFinds)
	r.fail(1, "damaged")
	r.release()
	if r.b != nil || r.err != nil || cap(r.pieces) > keptPieces || cap(r.finds) > keptFinds {
		t.Errorf("%d bytes, %v, %d pieces and %d finds are kept", len(r.b), r.err, cap(r.pieces), cap(r.finds))
	}
	r.pieces, r.finds = make([]piece, 0, keptPieces), make([]found, 0, keptFinds)
	r.release()
	if r.pieces == nil || r.finds == nil {
		t.Error("usual scratch is not kept")
	}
}
