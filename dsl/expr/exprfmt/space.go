package exprfmt

import (
	"strings"

	"github.com/expr-lang/expr/parser/operator"
)

// tighten finds the operators that stand without spaces: arithmetic within an
// index or slice, the colon of a slice, and the range of two plain operands.
func tighten(items []item) {
	for i := range items {
		switch it := &items[i]; it.role {
		case roleRange:
			it.tight = plainRange(items, i)
		case roleIndex:
			tightenIndex(items, i)
		}
	}
}

// tightenIndex decides for what stands directly in the brackets of an index.
func tightenIndex(items []item, open int) {
	colon, arith, others := -1, [2]bool{}, false
	side := 0
	for i := open + 1; i < items[open].pair; i++ {
		switch it := &items[i]; {
		case it.role.opens():
			i = it.pair
		case it.role == roleColon:
			colon, side = i, 1
		case it.role == roleArith:
			arith[side] = true
			others = others || startsSigned(items, i)
		case it.role.binary(), it.role == roleQuestion, it.role == roleWord, it.comment:
			others = true
		}
	}
	for i := open + 1; i < items[open].pair; i++ {
		switch it := &items[i]; {
		case it.role.opens():
			i = it.pair
		case it.role == roleArith:
			it.tight = !others
		}
	}
	if colon >= 0 {
		items[colon].tight = !others && (!arith[0] || !arith[1])
	}
}

// startsSigned reports whether the operand behind an operator begins with one:
// a - -b.
func startsSigned(items []item, op int) bool {
	return op+1 < len(items) && items[op+1].role == rolePrefix
}

// plainRange reports whether a .. stands between operands without operators.
func plainRange(items []item, at int) bool {
	if at+1 < len(items) && (items[at+1].role == rolePrefix || items[at+1].role == rolePointer) {
		return false
	}
	for i := at - 1; i >= 0 && !items[i].role.opens() && !bounds(&items[i]); i-- {
		if items[i].role == roleClose {
			i = items[i].pair
		} else if complicates(&items[i]) {
			return false
		}
	}
	for i := at + 1; i < len(items) && items[i].role != roleClose && !bounds(&items[i]); i++ {
		if items[i].role.opens() {
			i = items[i].pair
		} else if complicates(&items[i]) {
			return false
		}
	}
	return true
}

func complicates(it *item) bool {
	return it.role.binary() || it.comment || it.role == roleWord
}

// bounds reports whether an operand of a range ends at a token.
func bounds(it *item) bool {
	switch it.role {
	case roleComma, roleQuestion, roleElse, roleColon, roleRange:
		return true
	case roleWord:
		return it.value != "not"
	case roleBinary:
		return operator.Binary[it.value].Precedence < operator.Binary[".."].Precedence
	}
	return false
}

// spaced decides whether a space stands between two items of a line.
func spaced(a, b *item) bool {
	switch {
	case b.comment && strings.HasPrefix(b.value, "//"):
		return true
	case a.comment || b.comment:
		return !a.role.opens() && b.role != roleClose && b.role != roleComma
	case a.role == roleBlock || b.role == roleClose && b.block:
		return true
	case a.role.opens(), b.role == roleClose:
		return false
	case b.role == roleComma:
		return false
	case a.role == roleComma:
		return true
	case b.role == roleCall, b.role == roleIndex, b.role == roleDot, a.role == roleDot, a.role == rolePointer, a.role == rolePrefix:
		return false
	case b.role == roleMember:
		return false
	case a.role == roleQuestion && b.role == roleElse:
		return false
	case b.role == roleColon:
		return !b.tight && b.slice
	case a.role == roleColon:
		return !a.tight || !a.slice
	case a.role.binary():
		return !a.tight
	case b.role.binary():
		return !b.tight
	}
	return true
}
