package record

// Encoding is how the bytes of a record are to be read and written. The
// encodings of this package are JSON, Text and Opaque. Others (Avro with its
// schema, Protobuf, rows) implement the same interface in packages of their
// own; nothing outside an Encoding knows a format.
//
// An Encoding is safe for all goroutines.
type Encoding interface {
	// Name is for people: json, text, bytes.
	Name() string

	// Index validates raw fully and fills the slots of the projection's paths.
	// An error is an error of the record.
	Index(d *Doc, raw []byte) error

	// AppendEdited appends the record with the edits of d spliced in.
	AppendEdited(dst []byte, d *Doc) ([]byte, error)
}

// The encodings of this package.
var (
	// JSON is one JSON text (RFC 8259) in UTF-8: full check of numbers,
	// escapes and UTF-8, of duplicate names the last wins, at most
	// limits.JSONDepth deep.
	JSON Encoding
	// Text is UTF-8 text that is one string value. Invalid UTF-8 is an error
	// of the record as soon as a path is read.
	Text Encoding
	// Opaque is any bytes, one Bytes value.
	Opaque Encoding
)

// PathID names a path of a Projection.
type PathID int32

// Projection is the set of paths that the steps of a stage touch, as a trie,
// built while they are bound. Index looks for nothing else.
type Projection struct{ trie }

// NewProjection returns one that holds only the whole value, PathID 0.
func NewProjection() *Projection { panic("TODO") }

// Add returns the id of a path, the same one for an equal path. All prefixes
// of the path are added too. It panics after Freeze.
func (p *Projection) Add(path Path) PathID { panic("TODO") }

// Parent returns the id of the path without its last step, and -1 for the root.
func (p *Projection) Parent(id PathID) PathID { panic("TODO") }

// Path returns the path of an id.
func (p *Projection) Path(id PathID) Path { panic("TODO") }

// Freeze ends building. A frozen projection may be shared by many Docs and
// goroutines. NewDoc freezes.
func (p *Projection) Freeze() { panic("TODO") }

// Doc is one value (or key) of a record: its bytes, the slots that a
// projection asks for, and the edits made so far, as an overlay. It is the
// scratch of one worker, Reset for each record, and allocates nothing once it
// has grown to the size of its records.
type Doc struct{ doc }

// NewDoc returns a Doc over p, which it freezes.
func NewDoc(p *Projection) *Doc { panic("TODO") }

// Reset makes d stand for raw. raw == nil is a null (a tombstone). Nothing is
// read before the first Get or edit; raw must stay unchanged until the next
// Reset. raw needs no padding.
func (d *Doc) Reset(enc Encoding, raw []byte) { panic("TODO") }

// Get returns the value at a path as it is now, edits included. A path that
// is not there, also below a missing or scalar parent, is Missing; ask for
// Parent to tell the cases apart. The first Get of a record validates all of
// it; the error then is an error of the record, and the same for every later
// call until Reset.
func (d *Doc) Get(id PathID) (Value, error) { panic("TODO") }

// Check validates the record without reading a path.
func (d *Doc) Check() error { panic("TODO") }

// Set puts v at a path and creates the objects on the way. A parent that is
// there and neither object nor array is an error of the record, as is an
// index beyond the end (the index equal to the length appends). Setting
// Missing deletes. A new member is added behind the others.
// v may be a range of this Doc's own record.
func (d *Doc) Set(id PathID, v Value) error { panic("TODO") }

// Delete removes a member or element if it is there. Deleting the root makes
// the value a null.
func (d *Doc) Delete(id PathID) error { panic("TODO") }

// Rename moves the value at from to to, in place when only the last name
// differs, so that the member keeps its position. It does nothing when from
// is missing; an existing member at to is replaced.
func (d *Doc) Rename(from, to PathID) error { panic("TODO") }

// Keep removes every member that is neither one of ids nor a parent or child
// of one. On a value that is no object it is an error of the record.
func (d *Doc) Keep(ids []PathID) error { panic("TODO") }

// Edited reports whether any edit was made since Reset.
func (d *Doc) Edited() bool { panic("TODO") }

// IsNull reports whether the value is null as it is now.
func (d *Doc) IsNull() bool { panic("TODO") }

// Raw returns the bytes given to Reset.
func (d *Doc) Raw() []byte { panic("TODO") }

// Encoding returns the encoding that AppendTo writes: that of Reset, or after
// the root was set, JSON (Text for a string and Opaque for bytes set as the
// whole of a Text or Opaque record).
func (d *Doc) Encoding() Encoding { panic("TODO") }

// AppendTo appends the value with all edits. Without edits it appends the raw
// bytes as they are, unread. It must not be called on a null.
func (d *Doc) AppendTo(dst []byte) ([]byte, error) { panic("TODO") }
