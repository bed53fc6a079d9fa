package kafka

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The words of start, until and their tables of offsets.
const (
	wordEarliest = "earliest"
	wordLatest   = "latest"
	wordNone     = "none"
	wordNever    = "never"
	wordNow      = "now"
	wordEnd      = "end" // the same as now
)

// moment is a place in time: a word, or a time that may count from now.
type moment struct {
	word string
	at   time.Time
	back time.Duration // from now; 0: at
}

// parseMoment reads one of words, a time in RFC 3339, or a negative duration.
func parseMoment(s string, words ...string) (moment, bool) {
	for _, w := range words {
		if s == w {
			return moment{word: w}, true
		}
	}
	if strings.HasPrefix(s, "-") {
		d, err := time.ParseDuration(s[1:])
		return moment{back: d}, err == nil && d > 0
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	return moment{at: t}, err == nil
}

func (m moment) isTime() bool { return m.word == "" }

// time returns the time that is meant when it is now.
func (m moment) time(now time.Time) time.Time {
	if m.back > 0 {
		return now.Add(-m.back)
	}
	return m.at
}

func startMoment(s string) (moment, bool) {
	return parseMoment(s, wordEarliest, wordLatest, wordNone)
}

func untilMoment(s string) (moment, bool) { return parseMoment(s, wordNever, wordNow, wordEnd) }

// millis is the first millisecond that is not before t: brokers count in
// whole ones, and a record of the millisecond that t lies in is before t.
func millis(t time.Time) int64 {
	ms := t.UnixMilli()
	if t.Sub(time.UnixMilli(ms)) > 0 {
		ms++
	}
	return ms
}

// place is where to begin or end in one partition: an offset or a word.
type place struct {
	offset int64
	word   string
}

// places reads a table such as {"orders/0" = "120"}.
func places(table map[string]string, words ...string) (map[partitionID]place, error) {
	list := make(map[partitionID]place, len(table))
	for key, text := range table {
		id, ok := parsePartition(key)
		if !ok {
			return nil, fmt.Errorf("%q is no partition of a topic", key)
		}
		if _, dup := list[id]; dup {
			return nil, fmt.Errorf("%s/%d is there twice", id.topic, id.partition)
		}
		p, ok := parsePlace(text, words)
		if !ok {
			return nil, fmt.Errorf("%q of %s is no offset", text, key)
		}
		list[id] = p
	}
	return list, nil
}

func parsePlace(text string, words []string) (place, bool) {
	for _, w := range words {
		if text == w {
			return place{word: w}, true
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return place{offset: n}, err == nil && n >= 0
}

func parsePartition(s string) (partitionID, bool) {
	topic, number, ok := strings.Cut(s, "/")
	n, err := strconv.ParseInt(number, 10, 32)
	return partitionID{topic, int32(n)}, ok && topic != "" && err == nil && n >= 0
}

func (id partitionID) String() string { return id.topic + "/" + strconv.Itoa(int(id.partition)) }
