package protobuf

// features are what the syntax of a file decides, and what editions let every
// element say. 0: not said. Numbers are those of google.protobuf.FeatureSet.
type features struct{ presence, enum, repeated, utf8, message uint8 }

const (
	presenceExplicit = 1
	presenceImplicit = 2
	presenceRequired = 3

	enumOpen   = 1
	enumClosed = 2

	repeatedPacked   = 1
	repeatedExpanded = 2

	utf8Verify = 2
	utf8None   = 3

	messagePrefixed  = 1
	messageDelimited = 2
)

// featuresOf returns those of a syntax.
func featuresOf(s Syntax) features {
	switch s {
	case Proto2:
		return features{presenceExplicit, enumClosed, repeatedExpanded, utf8None, messagePrefixed}
	case Proto3:
		return features{presenceImplicit, enumOpen, repeatedPacked, utf8Verify, messagePrefixed}
	}
	return features{presenceExplicit, enumOpen, repeatedPacked, utf8Verify, messagePrefixed}
}

// with returns f with what over says.
func (f features) with(over features) features {
	pick := func(a, b uint8) uint8 {
		if b != 0 {
			return b
		}
		return a
	}
	return features{pick(f.presence, over.presence), pick(f.enum, over.enum), pick(f.repeated, over.repeated), pick(f.utf8, over.utf8), pick(f.message, over.message)}
}

func parseFeatures(b []byte) (f features, err error) {
	err = eachField(b, func(p part) error {
		v := uint8(min(p.v, 255))
		switch p.num {
		case 1:
			f.presence = v
		case 2:
			f.enum = v
		case 3:
			f.repeated = v
		case 4:
			f.utf8 = v
		case 5:
			f.message = v
		}
		return nil
	})
	return f, err
}

// append writes the features that differ from those of base.
func (f features) append(dst []byte, base features) []byte {
	for i, v := range [...][2]uint8{{f.presence, base.presence}, {f.enum, base.enum}, {f.repeated, base.repeated}, {f.utf8, base.utf8}, {f.message, base.message}} {
		if v[0] != v[1] && v[0] != 0 {
			dst = appendVarintField(dst, i+1, uint64(v[0]))
		}
	}
	return dst
}

// Where the features stand in the options of each element.
const (
	fileFeatures    = 50
	messageFeatures = 12
	fieldFeatures   = 21
	oneofFeatures   = 1
	enumFeatures    = 7
)

// optionFeatures finds the features in options.
func optionFeatures(options []byte, num int) (f features, err error) {
	err = eachField(options, func(p part) error {
		if p.num != num || p.wire != wireBytes {
			return nil
		}
		more, err := parseFeatures(p.data)
		f = f.with(more)
		return err
	})
	return f, err
}
