package playground

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/flowrecords/flow/dsl/expr/funcs"
	"github.com/flowrecords/flow/engine/record"
)

// commandSpec is one command of the prompt.
type commandSpec struct {
	name, args, help string
	// expression: its argument is one.
	expression bool
	run        func(p *prompt, arg string) error
}

// commandSpecs are the commands in the order of :help.
func commandSpecs() []commandSpec {
	return []commandSpec{
		{"help", "", "this list", false, (*prompt).help},
		{"doc", "NAME", "what a function or operator does, with examples", false, (*prompt).doc},
		{"functions", "[TEXT]", "all functions, or those about a text", false, (*prompt).listFunctions},
		{"type", "EXPR", "the type of the result, and of the one for this record", true, (*prompt).typeOf},
		{"time", "EXPR", "what an evaluation costs, and what runs it", true, (*prompt).timeIt},
		{"paths", "[PATH]", "the fields of the sample with types and examples", false, (*prompt).paths},
		{"vars", "", "variables and locals of the config", false, (*prompt).vars},
		{"load", "FILE", "read JSON records", false, (*prompt).load},
		{"record", "[N]", "show the record, or go to record N", false, (*prompt).record},
		{"next", "", "go to the next record", false, (*prompt).next},
		{"previous", "", "go to the record before", false, (*prompt).previous},
		{"run", "[PROCESSOR]", "run the config's processors over the record", false, (*prompt).runChain},
		{"diff", "[PROCESSOR]", "the same, but show what they change", false, (*prompt).diffChain},
		{"quit", "", "leave; Ctrl-D does, too", false, func(*prompt, string) error { return errQuit }},
	}
}

// lookupCommand finds a command by its name or a beginning that is clear.
func lookupCommand(name string) (commandSpec, bool) {
	var found []commandSpec
	for _, spec := range commandSpecs() {
		if spec.name == name {
			return spec, true
		}
		if name != "" && strings.HasPrefix(spec.name, name) {
			found = append(found, spec)
		}
	}
	if len(found) == 1 {
		return found[0], true
	}
	return commandSpec{}, false
}

// command runs a line that begins with a colon.
func (p *prompt) command(line string) error {
	name, arg, _ := strings.Cut(strings.TrimPrefix(line, ":"), " ")
	arg = strings.TrimSpace(arg)
	spec, ok := lookupCommand(name)
	if !ok {
		var names []string
		for _, s := range commandSpecs() {
			names = append(names, s.name)
		}
		hint := ""
		if n := nearest(name, names); n != "" {
			hint = fmt.Sprintf(" Did you mean :%s?", n)
		}
		p.wrong("unknown command :%s.%s :help lists all.", name, hint)
		return nil
	}
	if arg == "" && spec.args != "" && spec.args[0] != '[' {
		p.wrong("write it as :%s %s", spec.name, spec.args)
		return nil
	}
	return spec.run(p, arg)
}

// wrong says what is wrong with a command.
func (p *prompt) wrong(format string, args ...any) {
	p.say("%s %s", p.Style.paint(colorBad, "error:"), plain(fmt.Sprintf(format, args...)))
}

func (p *prompt) help(string) error {
	width := 0
	for _, s := range commandSpecs() {
		width = max(width, len(s.name)+1+len(s.args))
	}
	for _, s := range commandSpecs() {
		use := strings.TrimSpace(s.name + " " + s.args)
		p.say("  %s%s  %s", p.Style.paint(colorBold, ":"+use), strings.Repeat(" ", width-len(use)), s.help)
	}
	p.say("\nTab completes fields, functions and commands. Enter goes on with the next line\nwhile a bracket, a text or an operator is open; an empty line ends it anyway.\nCtrl-R searches the history, Ctrl-C clears the line.")
	return nil
}

func (p *prompt) doc(name string) error {
	name = strings.TrimSuffix(name, "()")
	for _, f := range p.Scope.Functions() {
		if f.Name != name {
			continue
		}
		p.say("%s  %s", p.Style.paint(colorBold, f.Name+"("+strings.Join(f.Params, ", ")+")"), p.Style.paint(colorDim, "a function of the config"))
		if f.Description != "" {
			p.say("  %s", plain(f.Description))
		}
		p.say("  = %s", highlight(p.Style, strings.Join(strings.Fields(p.Scope.Scrub(f.Body)), " ")))
		return nil
	}
	if f, ok := funcs.Lookup(name); ok {
		p.describe(f)
		return nil
	}
	for _, w := range languageWords() {
		if w.name == name {
			p.say("%s", p.Style.paint(colorBold, w.name))
			p.wrap("  ", w.doc)
			p.say("\n  %s", highlight(p.Style, w.use))
			return nil
		}
	}
	var names []string
	for _, f := range p.complete.functions {
		names = append(names, f.name)
	}
	p.wrong("nothing is called %q.%s :functions TEXT searches.", name, didYouMean(name, names))
	return nil
}

// describe prints the documentation of a function.
func (p *prompt) describe(f funcs.Func) {
	p.say("%s", p.Style.paint(colorBold, funcs.Signature(f)))
	p.wrap("  ", strings.ReplaceAll(f.Doc, "`", ""))
	for _, prm := range f.Params {
		p.wrap("  ", prm.Name+": "+strings.ReplaceAll(prm.Doc, "`", ""))
	}
	for _, e := range f.Examples {
		p.say("")
		if e.Input != "" {
			p.say("  value = %s", e.Input)
		}
		p.say("  %s", highlight(p.Style, e.Expr))
		if e.Err != "" {
			p.say("    %s", p.Style.paint(colorBad, "error: "+e.Err))
		} else {
			p.say("    %s", p.Style.paint(colorNumber, e.Want))
		}
	}
}

// wrap prints a paragraph as wide as the terminal.
func (p *prompt) wrap(indent, text string) {
	width := p.Style.Width
	if width <= 0 {
		width = 80
	}
	line := indent
	for _, word := range strings.Fields(text) {
		if line != indent && len([]rune(line))+1+len([]rune(word)) > width {
			p.say("%s", line)
			line = indent
		}
		if line != indent {
			line += " "
		}
		line += word
	}
	p.say("%s", line)
}

func (p *prompt) listFunctions(about string) error {
	found := 0
	group := ""
	about = strings.ToLower(about)
	for _, f := range funcs.All() {
		if !strings.Contains(strings.ToLower(f.Name+" "+f.Group+" "+f.Doc), about) {
			continue
		}
		if found++; f.Group != group {
			group = f.Group
			p.say("%s", p.Style.paint(colorDim, group))
		}
		p.say("  %s", clip(funcs.Signature(f), p.report().room(2)))
	}
	for _, f := range p.Scope.Functions() {
		if strings.Contains(strings.ToLower(f.Name+" "+f.Description), about) {
			found++
			p.say("%s\n  %s(%s)", p.Style.paint(colorDim, "Of the config"), f.Name, strings.Join(f.Params, ", "))
		}
	}
	if found == 0 {
		p.wrong("no function is about %q", about)
	}
	return nil
}

func (p *prompt) typeOf(text string) error {
	static, problems := p.Scope.Type(text)
	if len(problems) > 0 {
		p.report().problems("", text, problems)
		return nil
	}
	prog, err := p.compile("", text)
	if err != nil {
		p.printed(err)
		return nil
	}
	p.say("%s  %s", static, p.Style.paint(colorDim, "for any record"))
	v, err := prog.eval(p.sample.current())
	if err != nil {
		p.recordError(text, err)
		return nil
	}
	p.say("%s  %s", typeOfValue(v), p.Style.paint(colorDim, "for this one"))
	return nil
}

// typeOfValue names the type of a result: array of string.
func typeOfValue(v record.Value) string {
	s := &shape{}
	(&shaper{}).add(s, v, 0)
	return s.typeText()
}

func (p *prompt) timeIt(text string) error {
	prog, err := p.compile("", text)
	if err != nil {
		p.printed(err)
		return nil
	}
	t := prog.measure(p.sample.records, p.interrupted)
	if t.failed > 0 {
		p.say("%s", p.Style.paint(colorChange, fmt.Sprintf("It fails for %s of %s.", count(t.failed, "record"), thousands(int64(t.records)))))
	}
	if t.evaluations == 0 {
		p.say("interrupted")
		return nil
	}
	p.say("%s a record, %s and %s allocated", p.Style.paint(colorNumber, nsText(t.ns)), countf(t.bytes, "byte"), countf(t.allocs, "object"))
	p.say("%s", p.Style.paint(colorDim, fmt.Sprintf("run by %s; %s over %s", modeText(prog.Mode), count(t.evaluations, "evaluation"), count(t.records, "record"))))
	return nil
}

func countf(n float64, noun string) string {
	s := round1(n)
	if s == "1" {
		return "1 " + noun
	}
	return s + " " + noun + "s"
}

func (p *prompt) paths(prefix string) error {
	rows := p.complete.value.rows("value")
	if p.Template.Key != nil {
		rows = append(rows, p.complete.key.rows("key")...)
	}
	for _, h := range p.Template.Headers {
		rows = append(rows, pathRow{"headers" + memberText(h.Key), "string", clip(plain(string(h.Value)), 60)})
	}
	rows = slices.DeleteFunc(rows, func(r pathRow) bool { return !strings.HasPrefix(r.path, prefix) })
	if len(rows) == 0 {
		p.wrong("the sample has no path that begins with %s", prefix)
		return nil
	}
	width, typed := 0, 0
	for _, r := range rows {
		width, typed = max(width, len([]rune(r.path))), max(typed, len([]rune(r.typ)))
	}
	width, typed = min(width, 36), min(typed, 34)
	for _, r := range rows {
		path := plain(r.path)
		pad := strings.Repeat(" ", max(0, width-len([]rune(path))))
		typ := r.typ + strings.Repeat(" ", max(0, typed-len([]rune(r.typ))))
		used := 2 + max(width, len([]rune(path))) + 2 + len([]rune(typ)) + 2
		line := fmt.Sprintf("  %s%s  %s", p.Style.paint(colorBold, path), pad, typ)
		if r.example != "" {
			line += "  " + p.Style.paint(colorDim, clip(r.example, p.report().room(used)))
		}
		p.say("%s", strings.TrimRight(line, " "))
	}
	return nil
}

func (p *prompt) vars(string) error {
	all := p.Scope.Constants()
	if len(all) == 0 {
		p.say("%s", p.Style.paint(colorDim, "There are none: --hcl names a config with variables and locals."))
		return nil
	}
	width := 0
	for _, c := range all {
		width = max(width, len(c.Name))
	}
	for _, c := range all {
		text := secret
		if !c.Secret {
			v, err := record.FromAny(c.Value)
			if err != nil {
				return err
			}
			text = p.Scope.Scrub(clip(plain(jsonLine(v)), p.report().room(width+6)))
		}
		p.say("  %s%s  %s", p.Style.paint(colorBold, c.Name), strings.Repeat(" ", width-len(c.Name)), text)
	}
	return nil
}

// badShown is how many bad records :load prints.
const badShown = 3

func (p *prompt) load(path string) error {
	path = unquote(path)
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home := p.getenv("HOME"); home != "" {
			path = home + string(os.PathSeparator) + rest
		}
	}
	bad := 0
	s, err := loadSample(path, p.Template, p.o.Each, func(b *BadRecord) {
		if bad++; bad <= badShown {
			p.report().bad(b)
		}
	})
	if bad > badShown {
		p.wrong("%s more are no records", thousands(int64(bad-badShown)))
	}
	if err != nil {
		var pe *os.PathError
		if errors.As(err, &pe) {
			p.wrong("cannot read %s: %v", pe.Path, pe.Err)
		} else {
			p.wrong("%v", err)
		}
		return nil
	}
	p.sample = s
	p.complete.value, p.complete.key = s.shapes()
	p.say("%s", p.Style.paint(colorDim, plain(s.title())))
	return nil
}

// unquote takes the quotes off that a path may have been given.
func unquote(s string) string {
	if len(s) > 1 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	return s
}

func (p *prompt) record(arg string) error {
	if arg != "" {
		n, err := strconv.Atoi(strings.ReplaceAll(arg, ",", ""))
		if err != nil || n < 1 {
			p.wrong("%q is no number of a record; the first is 1", arg)
			return nil
		}
		return p.show(n - 1)
	}
	return p.show(p.sample.at)
}

func (p *prompt) next(string) error     { return p.show(p.sample.at + 1) }
func (p *prompt) previous(string) error { return p.show(p.sample.at - 1) }

// show goes to a record and prints it.
func (p *prompt) show(i int) error {
	if i < 0 {
		p.wrong("this is the first record")
		return nil
	}
	if i >= len(p.sample.records) {
		p.wrong("the sample ends here: %s", p.sample.title())
		return nil
	}
	p.sample.at = i
	p.say("%s", p.Style.paint(colorDim, fmt.Sprintf("record %s of %s", thousands(int64(i+1)), thousands(int64(len(p.sample.records))))))
	return p.write(p.sample.current().value())
}

func (p *prompt) runChain(element string) error  { return p.chain(element, false) }
func (p *prompt) diffChain(element string) error { return p.chain(element, true) }

// chain runs processors over the record at hand. Each time they begin anew:
// what a processor remembers of other records is not there.
func (p *prompt) chain(element string, diff bool) error {
	if p.Plan == nil {
		p.wrong("processors stand in a config: begin with flow expr --hcl FILE")
		return nil
	}
	if p.sample.path == "" {
		p.wrong("there is no record: :load FILE reads some")
		return nil
	}
	o := p.o.Chain
	if element != "" {
		o.Element = element
	}
	c, err := NewChain(p.Plan, o)
	if err != nil {
		p.wrong("%v", err)
		return nil
	}
	defer c.Close()
	x := p.sample.current()
	var failed error
	each := func(o Outcome) {
		switch {
		case o.Err != nil:
			p.refused(fmt.Sprintf("record %d", x.Number), o)
		case o.Dropped != "":
			p.say("%s", p.Style.paint(colorChange, fmt.Sprintf("dropped by %s (%s)", o.Port, o.Dropped)))
		case diff:
			failed = errors.Join(failed, p.changes(exit(o), x, o.Result))
		default:
			p.say("%s", p.Style.paint(colorDim, "left by "+exit(o)))
			failed = errors.Join(failed, p.write(p.hidden(o.Result.value())))
		}
	}
	c.Run(*x, each)
	c.End(each)
	return failed
}
