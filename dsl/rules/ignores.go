package rules

// ignoreRules are about the comments that hide findings.
func ignoreRules() []Rule {
	return []Rule{
		{
			ID: IgnoreWithoutReason, Name: "ignore-without-reason", Category: Lint, Severity: Warning,
			Summary: "A flow:ignore comment does not say why.",
			Doc:     "`# flow:ignore FL2203 the broker is a local one for tests`: first the rule, or several with commas between them, then the reason. Without it nobody can tell later whether the comment is still right, so it hides nothing.",
			Bad: `pipeline "p" {
  # flow:ignore FL2203
  input "stdin" "in" {}
  output "stdout" "out" {}
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  output "stdout" "out" {}
}
`,
		},
		{
			ID: UselessIgnore, Name: "useless-ignore", Category: Lint, Severity: Warning, Fixable: true,
			Summary: "A flow:ignore comment hides nothing.",
			Doc: "There is no finding of the rule at its place, any more or never: the mistake was corrected, the code moved away from the comment, or the comment stands at the wrong line. It would hide the next one that comes there by accident." +
				"\n\n" +
				"`--fix` removes it.",
			Bad: `pipeline "p" {
  # flow:ignore FL2203 the broker is a local one for tests
  input "stdin" "in" {}
  output "stdout" "out" {}
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  output "stdout" "out" {}
}
`,
		},
		{
			ID: UnknownIgnored, Name: "unknown-rule-ignored", Category: Lint, Severity: Warning,
			Summary: "A flow:ignore comment names a rule that there is not.",
			Doc:     "Rules have ids such as FL2203 and names such as plain-text-secret. `flow lint --rules` lists them.",
			Bad: `pipeline "p" {
  # flow:ignore FL9999 it is only a test
  input "stdin" "in" {}
  output "stdout" "out" {}
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  output "stdout" "out" {}
}
`,
		},
		{
			ID: ErrorIgnored, Name: "error-ignored", Category: Lint, Severity: Warning,
			Summary: "A flow:ignore comment names a rule whose findings are errors.",
			Doc:     "With an error the config does not run, whether it is shown or not. Only warnings can be hidden; correct the error.",
			Bad: `pipeline "p" {
  # flow:ignore FL1101 workers are known elsewhere
  input "stdin" "in" {}
  output "stdout" "out" {}
}
`,
			Good: `pipeline "p" {
  input "stdin" "in" {}
  output "stdout" "out" {}
}
`,
		},
	}
}
