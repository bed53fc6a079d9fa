package exprfmt

import "github.com/expr-lang/expr/parser/lexer"

// role is what a token does where it stands.
type role int

const (
	roleNone     role = iota
	roleOperand       // a name, number or text
	roleMember        // the name behind a dot, or behind a #
	roleWord          // let, if, else, and not as a prefix
	rolePrefix        // ! - + ::
	roleBinary        // an operator between two operands
	roleArith         // the same, of arithmetic
	roleRange         // ..
	roleDot           // . and ?. behind an operand
	rolePointer       // the . that begins an operand
	roleComma         // , and ;
	roleQuestion      // ?
	roleElse          // the : of ?
	roleColon         // the : of a map or slice
	roleGroup         // ( [ { that begin an operand
	roleCall          // the ( of a call
	roleIndex         // the [ behind an operand
	roleBlock         // the { of if and else
	roleClose
)

func (r role) opens() bool { return r >= roleGroup && r <= roleBlock }

// binary reports an operator with an operand on both sides.
func (r role) binary() bool { return r == roleBinary || r == roleArith || r == roleRange }

// classifier walks over the tokens of an expression that the parser takes.
type classifier struct {
	items []item
	// open are the brackets around the token.
	open []bracket
	// operand: the token before ends an operand.
	operand bool
	prev    int
}

type bracket struct{ at, questions int }

// classify sets the roles, pairs and brackets of all tokens.
func classify(items []item) {
	c := &classifier{items: items, open: []bracket{{at: -1}}, prev: -1}
	for i := range items {
		it := &items[i]
		it.in = c.open[len(c.open)-1].at
		if it.comment {
			continue
		}
		it.role, c.operand = c.role(i)
		switch {
		case it.role.opens():
			c.open = append(c.open, bracket{at: i})
		case it.role == roleColon:
			it.slice = it.in >= 0 && items[it.in].role == roleIndex
		case it.role == roleClose && len(c.open) > 1:
			it.pair = it.in
			items[it.pair].pair = i
			it.in = items[it.pair].in
			it.block = items[it.pair].role == roleBlock
			c.open = c.open[:len(c.open)-1]
		}
		c.prev = i
	}
}

func (c *classifier) before() (role, string) {
	if c.prev < 0 {
		return roleNone, ""
	}
	return c.items[c.prev].role, c.items[c.prev].value
}

// role also says whether the token ends an operand.
func (c *classifier) role(i int) (role, bool) {
	it := &c.items[i]
	last, value := c.before()
	if (last == roleDot || last == rolePointer) && it.kind != lexer.Bracket {
		return roleMember, true
	}
	switch it.kind {
	case lexer.Bracket:
		return c.bracket(it.value, last, value)
	case lexer.Operator:
		return c.operator(it.value)
	}
	if last == roleOperand && value == "#" && it.kind == lexer.Identifier {
		return roleMember, true
	}
	return roleOperand, true
}

func (c *classifier) bracket(b string, last role, value string) (role, bool) {
	switch b {
	case "(":
		if c.operand {
			return roleCall, false
		}
	case "[":
		if c.operand || last == roleDot {
			return roleIndex, false
		}
	case "{":
		if c.operand || last == roleWord && value == "else" {
			return roleBlock, false
		}
	default:
		return roleClose, true
	}
	return roleGroup, false
}

func (c *classifier) operator(op string) (role, bool) {
	frame := &c.open[len(c.open)-1]
	switch op {
	case "#":
		return roleOperand, true
	case "let", "if", "else":
		return roleWord, false
	case "!", "::":
		return rolePrefix, false
	case "not":
		if !c.operand {
			return roleWord, false
		}
	case "+", "-":
		if !c.operand {
			return rolePrefix, false
		}
		return roleArith, false
	case "*", "/", "%":
		return roleArith, false
	case "..":
		return roleRange, false
	case "?.":
		return roleDot, false
	case ".":
		if !c.operand {
			return rolePointer, false
		}
		return roleDot, false
	case ",", ";":
		return roleComma, false
	case "?":
		frame.questions++
		return roleQuestion, false
	case ":":
		if frame.questions > 0 {
			frame.questions--
			return roleElse, false
		}
		return roleColon, false
	}
	return roleBinary, false
}
