package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const sampleOrders = `{"id":1,"status":"paid","price":9.5,"quantity":2,"customer":{"name":"Ada","email":"ada@example.com"},"items":[{"sku":"A-1","price":2},{"sku":"B-2","price":7.5}]}
{"id":2,"status":"new","price":12,"quantity":1,"customer":null,"items":[]}
{"id":3,"status":"paid","price":100,"quantity":3,"customer":{"name":"Grace"},"items":[{"sku":"C-3","price":100}],"note":"fragile"}
`

const sampleConfig = `variable "min" {
  default = 20
}
variable "token" {
  sensitive = true
  default   = "do-not-show-me"
}
locals {
  rates = { EUR = 1.0, USD = 1.1 }
}
function "total" {
  params      = ["order"]
  result      = "order.price * order.quantity"
  description = "What an order costs."
}
pipeline "orders" {
  input "file" "in" {
    path = "never-read.jsonl"
  }
  processor "filter" "paid" {
    where = "value.status == 'paid'"
  }
  processor "map" "shape" {
    set    = { total = "total(value)", "customer.name" = "upper(value.customer.name)" }
    remove = ["items"]
  }
  output "file" "out" {
    path = "never-written.jsonl"
  }
}
`

// startPrompt begins a prompt over the sample.
func startPrompt(t *testing.T, cols, rows int, environ []string, args ...string) (x *terminal, dir string) {
	t.Helper()
	dir = t.TempDir()
	write(t, filepath.Join(dir, "orders.jsonl"), sampleOrders)
	write(t, filepath.Join(dir, "orders.hcl"), sampleConfig)
	x = startTerminal(t, dir, cols, rows, environ, append([]string{"expr"}, args...)...)
	x.last("flow>")
	return x, dir
}

// enter types a line and waits for the next prompt.
func (x *terminal) enter(line string) (answer string) {
	x.t.Helper()
	before := x.text()
	prompts := strings.Count(before, "flow>")
	x.keys(line + "\r")
	after := x.wait("the prompt behind "+line, func(screen string) bool {
		return strings.Count(screen, "flow>") > prompts && strings.HasSuffix(screen, "\nflow>\n")
	})
	parts := strings.Split(after, "flow>")
	return parts[len(parts)-2]
}

// quit leaves by Ctrl-D.
func (x *terminal) quit() {
	x.t.Helper()
	x.keys("\x04")
	if err := x.left(); err != nil {
		x.t.Errorf("%v\n%s", err, x.text())
	}
}

// TestPromptCompletes: Tab offers the fields of the sample with their types,
// functions with their signatures, variables without secrets, and commands.
func TestPromptCompletes(t *testing.T) {
	t.Parallel()
	x, _ := startPrompt(t, 80, 24, nil, "--interactive", "-i", "orders.jsonl", "--hcl", "orders.hcl", "--header", "source=web")
	for _, c := range []struct {
		keys string
		want []string
	}{
		{"value.customer.\t", []string{"name ", "email", "string"}},
		{"value.cus\t", []string{"flow> value.customer"}},
		{"1 + value.items[0].pr\t", []string{"flow> 1 + value.items[0].price"}},
		{"filter(value.items, .s\t", []string{"flow> filter(value.items, .sku", "filter(array array, predicate predicate) array"}},
		{"base64D\t", []string{"flow> base64Decode(", "base64Decode(text string) bytes"}},
		{"hash(value.id) + headers.\t", []string{"headers.source"}},
		{"local.rates.\t", []string{"EUR", "USD", "float"}},
		{"var.\t", []string{"min", "int", "token", "(secret)"}},
		{"tot\t", []string{"flow> total(", "total(order)"}},
		{":ty\t1", []string{"flow> :type 1"}},
		{":type upp\t", []string{"flow> :type upper("}},
		{":doc endsW\t", []string{"flow> :doc endsWith"}},
		{":load ord\t", []string{"orders.hcl", "orders.jsonl"}},
		{":run ma\t\x15:run processor.m\t", []string{"flow> :run processor.map.shape"}},
	} {
		x.keys(c.keys)
		for _, want := range c.want {
			x.see(want)
		}
		if strings.Contains(x.text(), "do-not-show-me") {
			t.Fatalf("a secret is on the screen:\n%s", x.text())
		}
		// Ctrl-C closes the list first, and then clears the line.
		x.keys("\x1b[D\x1b[C") // a move closes a list
		x.enter("\x15")
	}
	x.quit()
}

// TestPromptKeys: history, Ctrl-C, more than one line, the end by Ctrl-D; no
// error ends the prompt.
func TestPromptKeys(t *testing.T) {
	t.Parallel()
	x, dir := startPrompt(t, 80, 24, nil, "-i", "orders.jsonl")
	if got := x.enter("value.price * 2"); !strings.Contains(got, "\n19\n") {
		t.Errorf("value.price * 2: %s", got)
	}
	if got := x.enter("value.nme + 1"); !strings.Contains(got, "error: cannot add nil and int") || !strings.Contains(got, "^^^^^") {
		t.Errorf("an error of the record: %s", got)
	}
	if got := x.enter("valu.x"); !strings.Contains(got, `Did you mean "value"?`) {
		t.Errorf("an error of the compiler: %s", got)
	}
	if got := x.enter(":tpye 1"); !strings.Contains(got, "Did you mean :type?") {
		t.Errorf("an unknown command: %s", got)
	}
	if got := x.enter("\x1b[A\x1b[A\x1b[A\x1b[A"); !strings.Contains(got, "\n19\n") { // up four times
		t.Errorf("history: %s", got)
	}

	// Ctrl-C clears what is typed, and the next line is fresh.
	x.keys("1 + 1 + nothing")
	x.see("nothing")
	x.keys("\x03")
	x.last("flow>")
	if got := x.enter("40 + 2"); !strings.Contains(got, "\n42\n") {
		t.Errorf("after Ctrl-C: %s", got)
	}

	// An open bracket goes on; Enter behind its end evaluates all.
	x.keys("{\r")
	x.keys("sum: 20 +\r")
	x.keys("1}\r")
	x.see(`{"sum": 21}`)
	x.last("flow>")
	if got := x.enter("[1,\r"); !strings.Contains(got, "is not complete") {
		t.Errorf("an empty line must end an expression: %s", got)
	}
	x.quit()

	// The history lies in a file of its owner, and the next prompt has it.
	path := filepath.Join(dir, "state", "flow", "expr_history")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("the history has mode %o", mode)
	}
	kept, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(kept, []byte(`"value.price * 2"`)) || !bytes.Contains(kept, []byte(`"{\nsum: 20 +\n1}"`)) {
		t.Errorf("the history: %s", kept)
	}
	y := startTerminal(t, dir, 80, 24, nil, "expr", "-i", "orders.jsonl")
	y.last("flow>")
	y.keys("\x12value.price") // search backwards
	y.see("value.price * 2")
	y.keys("\r")
	y.wait("the result", func(s string) bool { return strings.Contains(s, "\n19\n") || strings.Contains(s, "value.price * 2") })
	y.keys("\r")
	y.see("\n19\n")
	y.last("flow>")
	y.quit()

	// --no-history writes none.
	z, dir := startPrompt(t, 80, 24, nil, "--no-history")
	z.enter("1 + 1")
	z.quit()
	if _, err := os.Stat(filepath.Join(dir, "state")); !os.IsNotExist(err) {
		t.Errorf("--no-history left a file: %v", err)
	}
}

// TestPromptResizes: what is printed fits the window as it is now, also when
// the prompt stands in its last row and when lines are wider than it.
func TestPromptResizes(t *testing.T) {
	t.Parallel()
	x, _ := startPrompt(t, 120, 12, nil, "-i", "orders.jsonl")
	wide := x.enter("concat(value.items, value.items, [1])")
	if !strings.Contains(wide, `[{"price": 2, "sku": "A-1"}, {"price": 7.5, "sku": "B-2"}, {"price": 2, "sku": "A-1"}, {"price": 7.5, "sku": "B-2"}, 1]`) {
		t.Errorf("in 120 columns: %s", wide)
	}
	x.resize(50, 12)
	narrow := x.enter("concat(value.items, value.items, [2])")
	for line := range strings.SplitSeq(narrow, "\n") {
		if len(line) > 50 {
			t.Errorf("a line of %d columns in a window of 50: %s", len(line), line)
		}
	}
	// A line wider than the window, in its last row: nothing above is touched.
	for range 4 {
		x.enter("1")
	}
	marker := x.enter("'marker' + 's'")
	if !strings.Contains(marker, `"markers"`) {
		t.Fatalf("%s", marker)
	}
	long := "1+1" + strings.Repeat("+1", 60)
	x.keys(long)
	x.wait("the long line", func(s string) bool {
		return strings.Contains(strings.ReplaceAll(s, "\n", ""), long)
	})
	x.resize(70, 10)
	x.keys("\r")
	x.see("\n62\n")
	if text := x.text(); strings.Count(text, `"markers"`) != 1 || strings.Count(text, "\n1\nflow>") < 4 {
		t.Errorf("what stood above was drawn over:\n%s", text)
	}
	x.last("flow>")
	x.quit()
}

// TestPromptOfConfig: processors, functions and variables of a config; nothing
// of it is opened, and no secret is shown.
func TestPromptOfConfig(t *testing.T) {
	t.Parallel()
	x, dir := startPrompt(t, 100, 40, nil, "--hcl", "orders.hcl", "-i", "orders.jsonl", "--interactive")
	for _, c := range []struct{ line, want string }{
		{"total(value) > var.min", "false"},
		{":vars", "var.token    (secret)"},
		{":vars", `local.rates  {"EUR":1,"USD":1.1}`},
		{"var.token", "(secret)"},
		{"var.token + 'x'", "(secret)"},
		{"int(var.token)", "why is not shown"},
		{":doc total", "What an order costs."},
		{":diff", "~ value.customer.name  \"Ada\" -> \"ADA\""},
		{":run shape", "left by processor.map.shape to output.file.out"},
		{":record 2", `"status": "new"`},
		{":run", "dropped by processor.filter.paid (condition)"},
		{":run shape", "value.customer is nil"},
		{":run shpe", `Did you mean "shape"?`},
		{":type total(value)", "for any record"},
	} {
		if got := x.enter(c.line); !strings.Contains(got, c.want) {
			t.Errorf("%s: no %q in\n%s", c.line, c.want, got)
		}
	}
	if strings.Contains(x.bytes(), "do-not-show-me") {
		t.Error("a secret came out")
	}
	x.quit()
	for _, name := range []string{"never-read.jsonl", "never-written.jsonl", ".flow"} {
		if _, err := os.Stat(filepath.Join(dir, name)); !os.IsNotExist(err) {
			t.Errorf("%s: something of the config was opened: %v", name, err)
		}
	}
}

// TestPromptPlain: a terminal that cannot move its cursor gets lines and no
// sequence.
func TestPromptPlain(t *testing.T) {
	t.Parallel()
	x, _ := startPrompt(t, 80, 24, []string{"TERM=dumb"}, "-i", "orders.jsonl")
	if got := x.enter("value.customer"); !strings.Contains(got, `{"name": "Ada", "email": "ada@example.com"}`) {
		t.Errorf("%s", got)
	}
	x.keys("\x04")
	if err := x.left(); err != nil {
		t.Error(err)
	}
	if strings.Contains(x.bytes(), "\x1b") {
		t.Errorf("a sequence came: %q", x.bytes())
	}
}

var (
	recording   = regexp.MustCompile("(?s)(<!-- recorded by TestPromptRecorded -->\n```text\n)(.*?)(```\n)")
	measurement = regexp.MustCompile(`(?m)^[0-9.]+ [a-z]+ a record, .* allocated$|; [0-9,]+ evaluations`)
)

// TestPromptRecorded plays the session that the documentation shows, and
// compares it but for measured numbers. -update writes it anew.
func TestPromptRecorded(t *testing.T) {
	t.Parallel()
	x, _ := startPrompt(t, 80, 60, nil, "--interactive", "--hcl", "orders.hcl", "-i", "orders.jsonl")
	x.keys("value.cus\t.\t")
	x.see("\nname   -- string\n")
	menu := tail(x.text(), "flow>")
	x.enter("na\t")
	x.keys("formatTi\t")
	x.see("[zone string]) string\n")
	hint := tail(x.text(), "flow>")
	x.keys("\x03")
	x.last("flow>")
	for _, line := range []string{
		"value.price * value.qty", "total(value)", "filter(value.items, .price > 5)", ":type value.price", ":paths value.items",
		":doc mask", ":time total(value) > var.min", ":vars", ":diff", ":next", "value.customer?.name ?? 'nobody'", "duration('90m') * 2", ":nxet",
	} {
		x.enter(line)
	}
	x.quit()
	session := strings.TrimSuffix(strings.TrimRight(x.text(), "\n"), "\nflow>") + "\n"
	want := []string{session, menu, hint}

	const page = "../../docs/playground.md"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	blocks := recording.FindAllStringSubmatchIndex(string(text), -1)
	if len(blocks) != len(want) {
		t.Fatalf("%s has %d recorded blocks, want %d", page, len(blocks), len(want))
	}
	if *update {
		var out strings.Builder
		from := 0
		for i, b := range blocks {
			out.WriteString(string(text[from:b[4]]) + want[i])
			from = b[5]
		}
		out.Write(text[from:])
		if err := os.WriteFile(page, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	for i, b := range blocks {
		if got := string(text[b[4]:b[5]]); unmeasured(got) != unmeasured(want[i]) {
			t.Errorf("%s is stale: run this test with -update. It shows\n%s\nbut the prompt\n%s", page, got, want[i])
		}
	}
}

// tail is the screen from the last line that begins with a text.
func tail(screen, begin string) string {
	return screen[strings.LastIndex(screen, begin):]
}

func unmeasured(s string) string { return measurement.ReplaceAllString(s, "(measured)") }
