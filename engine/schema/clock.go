package schema

import "time"

// The texts of times in typed JSON. They are those of RFC 3339 and ISO 8601,
// with a sign and more than four digits for years that have no other
// (-0044-03-15, +12026-01-01), so that every number of a format has a text.

// maxYear bounds years: as many as 64 bits of milliseconds hold.
const maxYear = 292_500_000

const (
	secondsPerDay = 86400
	// daysTo1970 is from 1 March of the year 0 to 1 January 1970.
	daysTo1970 = 719468
	// daysOf400 is how many days 400 years have.
	daysOf400 = 146097
)

// civil returns year, month and day of a number of days since 1970-01-01, in
// the Gregorian calendar without a beginning.
func civil(days int64) (year int64, month, day int) {
	z := days + daysTo1970
	if z >= 0 && z < 1<<29 {
		return civil32(uint32(z))
	}
	era := floorDiv(z, daysOf400)
	doe := z - era*daysOf400
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	day = int(doy - (153*mp+2)/5 + 1)
	month = int(mp) + 3
	if month > 12 {
		month -= 12
	}
	year = yoe + era*400
	if month <= 2 {
		year++
	}
	return year, month, day
}

// civil32 is civil for days since 0000-03-01, without a division that is not by
// a constant, after Neri and Schneider, "Euclidean affine functions and their
// application to calendar algorithms" (2022).
func civil32(z uint32) (year int64, month, day int) {
	n := 4*z + 3
	century := n / daysOf400
	n = n%daysOf400 | 3
	p := uint64(n) * 2939745
	ofCentury, ofYear := uint32(p>>32), uint32(p)/2939745/4
	n = 2141*ofYear + 197913
	month, day = int(n>>16), int(n&0xffff/2141)+1
	year = int64(100*century + ofCentury)
	if month > 12 {
		month -= 12
		year++
	}
	return year, month, day
}

// daysOf is the inverse of civil.
func daysOf(year int64, month, day int) int64 {
	if month <= 2 {
		year--
	}
	era := floorDiv(year, 400)
	yoe := year - era*400
	mp := int64(month+9) % 12
	doy := (153*mp+2)/5 + int64(day) - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return era*daysOf400 + doe - daysTo1970
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func monthDays(year int64, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// AppendDate appends the day that is days after 1970-01-01.
func AppendDate(dst []byte, days int64) []byte {
	year, month, day := civil(days)
	if year >= 0 && year <= 9999 {
		y := int(year)
		return append(dst, digit(y/1000), digit(y/100%10), digit(y/10%10), digit(y%10), '-', digit(month/10), digit(month%10), '-', digit(day/10), digit(day%10))
	}
	switch {
	case year < 0:
		dst = append(dst, '-')
		year = -year
	case year > 9999:
		dst = append(dst, '+')
	}
	dst = appendPadded(dst, year, 4)
	dst = appendPadded(append(dst, '-'), int64(month), 2)
	return appendPadded(append(dst, '-'), int64(day), 2)
}

// AppendTime appends the time of the day that is sec seconds and nsec
// nanoseconds after midnight: as many digits as it needs.
func AppendTime(dst []byte, sec int64, nsec int) []byte {
	clock := int(sec)
	h, m, c := clock/3600, clock/60%60, clock%60
	dst = append(dst, digit(h/10), digit(h%10), ':', digit(m/10), digit(m%10), ':', digit(c/10), digit(c%10))
	if nsec == 0 {
		return dst
	}
	dst = appendPadded(append(dst, '.'), int64(nsec), 9)
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

// AppendTimestamp appends the instant that is sec seconds and nsec nanoseconds
// after 1970-01-01T00:00:00Z: in UTC, with a Z, or without for a
// LocalTimestamp.
func AppendTimestamp(dst []byte, sec int64, nsec int, local bool) []byte {
	days := floorDiv(sec, secondsPerDay)
	dst = append(AppendDate(dst, days), 'T')
	dst = AppendTime(dst, sec-days*secondsPerDay, nsec)
	if !local {
		dst = append(dst, 'Z')
	}
	return dst
}

func digit(n int) byte { return byte('0' + n) }

func appendPadded(dst []byte, n int64, width int) []byte {
	var buf [20]byte
	i := len(buf)
	for n > 0 || width > 0 {
		i--
		buf[i] = byte('0' + n%10)
		n /= 10
		width--
	}
	return append(dst, buf[i:]...)
}

// ParseDate reads what AppendDate appends.
func ParseDate(text []byte) (days int64, ok bool) {
	days, rest, ok := cutDate(text)
	return days, ok && len(rest) == 0
}

// ParseTime reads what AppendTime appends. 24:00:00 is the end of a day.
func ParseTime(text []byte) (sec int64, nsec int, ok bool) {
	sec, nsec, rest, ok := cutTime(text)
	return sec, nsec, ok && len(rest) == 0
}

// ParseTimestamp reads what AppendTimestamp appends, and other zones than Z if
// not local.
func ParseTimestamp(text []byte, local bool) (sec int64, nsec int, ok bool) {
	days, rest, ok := cutDate(text)
	if !ok || len(rest) == 0 || rest[0] != 'T' && rest[0] != 't' && rest[0] != ' ' {
		return 0, 0, false
	}
	clock, nsec, rest, ok := cutTime(rest[1:])
	if !ok || clock == secondsPerDay {
		return 0, 0, false
	}
	sec = days*secondsPerDay + clock
	switch {
	case local:
		return sec, nsec, len(rest) == 0
	case len(rest) == 1 && rest[0]|0x20 == 'z':
		return sec, nsec, true
	case len(rest) == 6 && (rest[0] == '+' || rest[0] == '-') && rest[3] == ':':
		h, ok1 := number(rest[1:3])
		m, ok2 := number(rest[4:6])
		if !ok1 || !ok2 || h > 23 || m > 59 {
			return 0, 0, false
		}
		offset := h*3600 + m*60
		if rest[0] == '-' {
			offset = -offset
		}
		return sec - offset, nsec, true
	}
	return 0, 0, false
}

func cutDate(b []byte) (days int64, rest []byte, ok bool) {
	sign := int64(1)
	signed := len(b) > 0 && (b[0] == '-' || b[0] == '+')
	if signed {
		if b[0] == '-' {
			sign = -1
		}
		b = b[1:]
	}
	n := 0
	for n < len(b) && n < 10 && b[n]-'0' <= 9 {
		n++
	}
	if n < 4 || n > 4 && !signed || len(b) < n+6 || b[n] != '-' || b[n+3] != '-' {
		return 0, nil, false
	}
	year, ok1 := number(b[:n])
	month, ok2 := number(b[n+1 : n+3])
	day, ok3 := number(b[n+4 : n+6])
	if !ok1 || !ok2 || !ok3 || year > maxYear || month < 1 || month > 12 || day < 1 || day > int64(monthDays(year, int(month))) {
		return 0, nil, false
	}
	return daysOf(sign*year, int(month), int(day)), b[n+6:], true
}

func cutTime(b []byte) (sec int64, nsec int, rest []byte, ok bool) {
	if len(b) < 8 || b[2] != ':' || b[5] != ':' {
		return 0, 0, nil, false
	}
	h, ok1 := number(b[0:2])
	m, ok2 := number(b[3:5])
	s, ok3 := number(b[6:8])
	if !ok1 || !ok2 || !ok3 || h > 24 || m > 59 || s > 59 {
		return 0, 0, nil, false
	}
	b = b[8:]
	if len(b) > 1 && b[0] == '.' && b[1]-'0' <= 9 {
		n, scale := 1, 100_000_000
		for ; n < len(b) && b[n]-'0' <= 9; n++ {
			if scale == 0 {
				return 0, 0, nil, false // finer than nanoseconds
			}
			nsec += int(b[n]-'0') * scale
			scale /= 10
		}
		b = b[n:]
	}
	sec = h*3600 + m*60 + s
	if sec > secondsPerDay || sec == secondsPerDay && nsec > 0 {
		return 0, 0, nil, false
	}
	return sec, nsec, b, true
}

func number(b []byte) (int64, bool) {
	n := int64(0)
	for _, c := range b {
		if c-'0' > 9 {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, len(b) > 0
}

// Count returns sec seconds and nsec nanoseconds in units of u. It is false if
// they are not whole units or do not fit.
func (u Unit) Count(sec int64, nsec int) (n int64, ok bool) {
	const far = 1 << 40 // seconds of which milliseconds fit
	if u == Millisecond && sec > -far && sec < far {
		return sec*1000 + int64(nsec)/1_000_000, nsec%1_000_000 == 0
	}
	per := u.PerSecond()
	each := int64(time.Second) / per
	if int64(nsec)%each != 0 {
		return 0, false
	}
	n = sec * per
	if per > 1 && sec != 0 && (n/per != sec) {
		// One second less may fit with the fraction: the least of 64 bits.
		if sec >= 0 {
			return 0, false
		}
		n = (sec + 1) * per
		if n/per != sec+1 {
			return 0, false
		}
		m := n - (per - int64(nsec)/each)
		return m, m < n
	}
	m := n + int64(nsec)/each
	return m, m >= n
}

// Split is the inverse of Count.
func (u Unit) Split(n int64) (sec int64, nsec int) {
	if u == Millisecond { // the most common one, with divisions by constants
		sec = floorDiv(n, 1000)
		return sec, int(n-sec*1000) * 1_000_000
	}
	per := u.PerSecond()
	sec = floorDiv(n, per)
	return sec, int((n - sec*per) * (int64(time.Second) / per))
}

// InYears reports whether an instant is within the years that have a text.
func InYears(sec int64) bool {
	const most = maxYear * int64(31_556_952)
	return sec <= most && sec >= -most
}
