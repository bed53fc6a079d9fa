package record

import (
	"math"

	"github.com/flowrecords/flow/engine/schema"
)

// AppendAs appends v, which fits s, as typed JSON text of s: the inverse of As.
// What a Value says alone, an instant for a day, does not tell. Of a nil s it is
// AppendJSON.
func (v Value) AppendAs(dst []byte, s *schema.Schema) ([]byte, error) {
	switch {
	case s == nil:
	case v.kind == Float && v.flags&flagDigits == 0 && (math.IsNaN(v.Float()) || math.IsInf(v.Float(), 0)):
		word := "NaN"
		if f := v.Float(); f > 0 {
			word = "Infinity"
		} else if f < 0 {
			word = "-Infinity"
		}
		return append(append(append(dst, '"'), word...), '"'), nil
	case v.kind == Time && s.Type == schema.Date:
		const day = 24 * 60 * 60
		days := int64(v.num) / day
		if int64(v.num)%day < 0 {
			days--
		}
		return append(schema.AppendDate(append(dst, '"'), days), '"'), nil
	case v.kind == Time && (s.Type == schema.Timestamp || s.Type == schema.LocalTimestamp):
		return append(schema.AppendTimestamp(append(dst, '"'), int64(v.num), int(v.n), s.Type == schema.LocalTimestamp), '"'), nil
	case v.kind == Duration && s.Type == schema.Time:
		d := v.Duration()
		return append(schema.AppendTime(append(dst, '"'), int64(d/1e9), int(d%1e9)), '"'), nil
	}
	return v.AppendJSON(dst)
}
