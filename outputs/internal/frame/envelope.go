package frame

import (
	"encoding/base64"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// appendEnvelope appends a record as one JSON object in one line. It cannot
// fail: whatever the bytes are, they are written in some way.
func appendEnvelope(dst []byte, b *engine.Batch, i int) []byte {
	dst = append(dst, '{')
	if t := b.Topic(i); t != "" {
		dst = append(dst, `"topic":`...)
		dst = appendText(dst, t)
		dst = append(dst, ',')
	}
	if s := b.Source(); s != nil {
		dst = append(dst, `"partition":`...)
		dst = strconv.AppendInt(dst, int64(s.Info().Partition), 10)
		dst = append(dst, ',')
	}
	dst = append(dst, `"offset":`...)
	dst = strconv.AppendInt(dst, b.Offset(i), 10)
	if len(b.Timestamps) > 0 && b.Timestamps[i] != engine.NoTimestamp {
		dst = append(dst, `,"timestamp":"`...)
		dst = time.Unix(0, b.Timestamps[i]).UTC().AppendFormat(dst, time.RFC3339Nano)
		dst = append(dst, '"')
	}
	if len(b.Key.Spans) > 0 {
		dst = appendPart(dst, "key", b.Key.At(i), b.Key.EncodingOf(i))
	} else {
		dst = append(dst, `,"key":null`...)
	}
	dst = appendPart(dst, "value", b.Value.At(i), b.Value.EncodingOf(i))
	if hs := b.Headers.At(i); len(hs) > 0 {
		dst = append(dst, `,"headers":[`...)
		for n, h := range hs {
			if n > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, `{"key":`...)
			dst = appendText(dst, h.Key)
			dst = appendPart(dst, "value", h.Value, record.Text)
			dst = append(dst, '}')
		}
		dst = append(dst, ']')
	}
	if len(b.Failures) > 0 {
		dst = appendFailure(dst, &b.Failures[i])
	}
	return append(dst, '}', '\n')
}

func appendFailure(dst []byte, f *engine.Failure) []byte {
	dst = append(dst, `,"error":{"reason":`...)
	reason := ""
	if f.Reason != nil {
		reason = f.Reason.Error()
	}
	dst = appendText(dst, reason)
	dst = append(dst, `,"element":`...)
	dst = appendText(dst, f.Element)
	dst = append(dst, `,"origin":`...)
	dst = appendText(dst, f.Origin)
	return append(dst, '}')
}

// appendPart appends ,"name":value, in the first form that holds p without
// loss: JSON that is valid as JSON, UTF-8 as a string, and all else as base64
// under "name_base64". Text stays text: a value "17" of that encoding does not
// become a number.
func appendPart(dst []byte, name string, p []byte, enc record.Encoding) []byte {
	dst = append(dst, ',', '"')
	dst = append(dst, name...)
	if p == nil {
		return append(dst, `":null`...)
	}
	if enc != record.Text {
		start := len(dst)
		dst = append(dst, `":`...)
		if out, err := record.Compact(dst, p); err == nil {
			return out
		}
		dst = dst[:start]
	}
	if utf8.Valid(p) {
		dst = append(dst, `":`...)
		return record.AppendQuoted(dst, p)
	}
	dst = append(dst, `_base64":"`...)
	dst = base64.StdEncoding.AppendEncode(dst, p)
	return append(dst, '"')
}

// appendText appends a string that should be UTF-8; what is not is replaced.
func appendText(dst []byte, s string) []byte {
	return record.AppendQuoted(dst, []byte(s))
}
