package offline

import (
	"math/big"
	"strings"
	"unicode"
)

var sumRules = []rule{
	saying(`(?:what(?:'s| is| are| do you get for)|calculate|compute|evaluate|solve|work out|how much is|tell me|add up)? ?:?([-+(\d√.]<rest>|square root of .+|the square root of .+)`, func(p *parser, m []string) string { return sumOf(p.value(m[1])) }),
}

var (
	spoken = strings.NewReplacer("multiplied by", "*", "divided by", "/", "plus", "+", "minus", "-", "times", "*", "over", "/", "squared", "^2", "cubed", "^3",
		"to the power of", "^", "percent of", "%*", "% of", "%*", "modulo", "mod", "×", "*", "·", "*", "÷", "/", "−", "-", "–", "-", "**", "^", "the square root of", "√", "square root of", "√")
	thousands = late(`(\d),(\d{3})\b`)
	timesX    = late(`(\d)\s*x\s*(\d)`)
)

// sumOf answers arithmetic exactly; "" for anything else. A lone number is no sum.
func sumOf(s string) string {
	shown := strings.TrimRight(strings.TrimSpace(s), " =?!.")
	text := spoken.Replace(strings.ToLower(shown))
	text = timesX.ReplaceAllString(text, "$1*$2")
	for thousands.MatchString(text) {
		text = thousands.ReplaceAllString(text, "$1$2")
	}
	c := &calc{in: []rune(strings.Join(strings.Fields(text), " "))}
	if len(c.in) > 200 || !strings.ContainsAny(string(c.in), "+-*/^%√m") {
		return ""
	}
	v := c.sum(0)
	if c.skip(); c.bad || c.at != len(c.in) || c.ops == 0 {
		return ""
	}
	if c.zero {
		return code(shown) + " has no value: it divides by zero."
	}
	return code(shown) + " = **" + number(v) + "**"
}

func number(v *big.Rat) string {
	if v.IsInt() {
		return v.Num().String()
	}
	s := strings.TrimRight(v.FloatString(10), "0")
	back, ok := new(big.Rat).SetString(s)
	if ok && back.Cmp(v) == 0 {
		return s
	}
	return "≈ " + s
}

// calc is a recursive descent over + - * / % ^ √ and brackets, in exact fractions.
type calc struct {
	in             []rune
	at, ops, depth int
	bad, zero      bool
}

func (c *calc) skip() {
	for c.at < len(c.in) && unicode.IsSpace(c.in[c.at]) {
		c.at++
	}
}

func (c *calc) take(s string) bool {
	c.skip()
	if strings.HasPrefix(string(c.in[min(c.at, len(c.in)):]), s) {
		c.at += len([]rune(s))
		return true
	}
	return false
}

func (c *calc) fail() *big.Rat { c.bad = true; return new(big.Rat) }

// sum reads terms of a level: 0 = + and -, 1 = * / % mod.
func (c *calc) sum(level int) *big.Rat {
	next := func() *big.Rat {
		if level == 0 {
			return c.sum(1)
		}
		return c.power()
	}
	v := next()
	for !c.bad {
		switch {
		case level == 0 && c.take("+"):
			v = new(big.Rat).Add(v, next())
		case level == 0 && c.take("-"):
			v = new(big.Rat).Sub(v, next())
		case level == 1 && c.take("*"):
			v = new(big.Rat).Mul(v, next())
		case level == 1 && c.take("/"):
			v = c.divide(v, next())
		case level == 1 && (c.take("mod") || c.take("%")):
			v = c.modulo(v, next())
		default:
			return v
		}
		c.ops++
	}
	return v
}

func (c *calc) divide(a, b *big.Rat) *big.Rat {
	if b.Sign() == 0 {
		c.zero = true
		return new(big.Rat)
	}
	return new(big.Rat).Quo(a, b)
}

func (c *calc) modulo(a, b *big.Rat) *big.Rat {
	if !a.IsInt() || !b.IsInt() {
		return c.fail()
	}
	if b.Sign() == 0 {
		c.zero = true
		return new(big.Rat)
	}
	return new(big.Rat).SetInt(new(big.Int).Mod(a.Num(), b.Num()))
}

func (c *calc) power() *big.Rat {
	v := c.unit()
	if !c.take("^") {
		return v
	}
	c.ops++
	e := c.power()
	if !e.IsInt() || !e.Num().IsInt64() || e.Num().Int64() < 0 || e.Num().Int64() > 512 || v.Num().BitLen() > 128 || v.Denom().BitLen() > 128 {
		return c.fail()
	}
	out := big.NewRat(1, 1)
	for range e.Num().Int64() {
		out.Mul(out, v)
	}
	return out
}

var digits = late(`^(?:\d{1,40}(?:\.\d{1,30})?|\.\d{1,30})`)

func (c *calc) unit() *big.Rat {
	if c.depth++; c.depth > 60 {
		return c.fail()
	}
	defer func() { c.depth-- }()
	switch {
	case c.take("-"):
		return new(big.Rat).Neg(c.power())
	case c.take("+"):
		return c.power()
	case c.take("√"):
		c.ops++
		return c.root(c.unit())
	case c.take("("):
		v := c.sum(0)
		if !c.take(")") {
			return c.fail()
		}
		return v
	}
	m := digits.FindString(string(c.in[min(c.at, len(c.in)):]))
	v, ok := new(big.Rat).SetString(m)
	if m == "" || !ok {
		return c.fail()
	}
	c.at += len(m)
	if at := c.at; c.take("%") { // a percentage, unless a number follows: then it is a remainder
		c.skip()
		if c.at < len(c.in) && (unicode.IsDigit(c.in[c.at]) || c.in[c.at] == '(') {
			c.at = at
			return v
		}
		c.ops++
		return v.Quo(v, big.NewRat(100, 1))
	}
	return v
}

func (c *calc) root(v *big.Rat) *big.Rat {
	if v.Sign() < 0 {
		return c.fail()
	}
	f := new(big.Float).SetPrec(200).SetRat(v)
	out, _ := f.Sqrt(f).Rat(nil)
	if r, ok := new(big.Rat).SetString(f.Text('f', 12)); ok && new(big.Rat).Mul(r, r).Cmp(v) == 0 {
		return r // exact
	}
	return out
}
