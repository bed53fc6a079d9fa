package reference

import (
	"regexp"
	"strings"
)

// Wrap breaks text into lines of at most width characters at its spaces. A
// word that is longer stays whole.
func Wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range words(text) {
		switch {
		case line == "":
			line = word
		case len([]rune(line))+1+len([]rune(word)) <= width:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// words are divided by spaces, but for those within `code` that is short.
func words(text string) []string {
	fields := strings.Fields(text)
	var out []string
	for i := 0; i < len(fields); i++ {
		word := fields[i]
		for n := 0; strings.Count(word, "`")%2 == 1 && i+1 < len(fields) && n < 5; n++ {
			i++
			word += " " + fields[i]
		}
		out = append(out, word)
	}
	return out
}

var (
	mdLink = regexp.MustCompile(`\[([^\]]+)\]\(([^)\s]+)\)`)
	mdBold = regexp.MustCompile(`\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*`)
	mdItem = regexp.MustCompile(`^(\s*)([-*]|[0-9]+\.) +(.*)$`)
)

// inline takes Markdown's marks out of a line of prose; code keeps its ticks,
// since they tell it from the words around it.
func inline(s string) string {
	s = mdLink.ReplaceAllStringFunc(s, func(m string) string {
		p := mdLink.FindStringSubmatch(m)
		if strings.HasPrefix(p[2], "http") && p[1] != p[2] {
			return p[1] + " (" + p[2] + ")"
		}
		return p[1]
	})
	parts := strings.Split(s, "`") // every second one is code
	for i := 0; i < len(parts); i += 2 {
		parts[i] = mdBold.ReplaceAllString(parts[i], "$1$2")
	}
	return strings.Join(parts, "`")
}

// Plain renders Markdown for a terminal: paragraphs and lists wrapped, tables
// in columns, code as it stands.
func Plain(markdown string, width int) []string {
	var out []string
	lines := strings.Split(strings.TrimSpace(markdown), "\n")
	for i := 0; i < len(lines); {
		line := lines[i]
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "":
			if len(out) > 0 && out[len(out)-1] != "" {
				out = append(out, "")
			}
			i++
		case strings.HasPrefix(trimmed, "```"):
			for i++; i < len(lines) && !strings.HasPrefix(strings.TrimSpace(lines[i]), "```"); i++ {
				out = append(out, strings.TrimRight("    "+lines[i], " "))
			}
			i++
		case strings.HasPrefix(trimmed, "|"):
			var table []string
			for ; i < len(lines) && strings.HasPrefix(strings.TrimSpace(lines[i]), "|"); i++ {
				table = append(table, lines[i])
			}
			out = append(out, plainTable(table, width)...)
		case strings.HasPrefix(trimmed, "#"):
			out = append(out, strings.TrimLeft(trimmed, "# "))
			i++
		case mdItem.MatchString(line):
			m := mdItem.FindStringSubmatch(line)
			text := m[3]
			for i++; i < len(lines) && continues(lines[i]); i++ {
				text += " " + strings.TrimSpace(lines[i])
			}
			head := "  " + m[1] + m[2] + " "
			for n, l := range Wrap(inline(text), max(width-len(head), 20)) {
				if n > 0 {
					head = strings.Repeat(" ", len(head))
				}
				out = append(out, head+l)
			}
		default:
			text := trimmed
			for i++; i < len(lines) && continues(lines[i]); i++ {
				text += " " + strings.TrimSpace(lines[i])
			}
			out = append(out, Wrap(inline(text), width)...)
		}
	}
	return out
}

// continues reports whether a line goes on with the paragraph or item before.
func continues(line string) bool {
	t := strings.TrimSpace(line)
	return t != "" && !strings.HasPrefix(t, "|") && !strings.HasPrefix(t, "```") && !strings.HasPrefix(t, "#") && !mdItem.MatchString(line)
}

// plainTable writes the rows of a Markdown table in columns; the last one is
// wrapped.
func plainTable(lines []string, width int) []string {
	var rows [][]string
	for _, l := range lines {
		l = strings.ReplaceAll(strings.Trim(strings.TrimSpace(l), "|"), `\|`, "\x00")
		if strings.Trim(l, "|-: ") == "" {
			continue
		}
		cells := strings.Split(l, "|")
		for i := range cells {
			cells[i] = inline(strings.ReplaceAll(strings.TrimSpace(cells[i]), "\x00", "|"))
		}
		rows = append(rows, cells)
	}
	return Table(rows, width)
}

// Table writes rows in columns, indented by two. The last column takes what
// room is left and is wrapped within it.
func Table(rows [][]string, width int) []string {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	var out []string
	for _, row := range rows {
		line := "  "
		for i, cell := range row {
			if i < len(widths)-1 {
				line += cell + strings.Repeat(" ", widths[i]-len([]rune(cell))+2)
				continue
			}
			indent := len([]rune(line))
			for n, l := range Wrap(cell, max(width-indent, 24)) {
				if n > 0 {
					out, line = append(out, line), strings.Repeat(" ", indent)
				}
				line += l
			}
		}
		out = append(out, strings.TrimRight(line, " "))
	}
	return out
}
