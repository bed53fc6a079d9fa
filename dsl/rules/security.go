package rules

// Ids of security.
const (
	PlainSecret    ID = "FL2210"
	SecretInURL    ID = "FL2211"
	NoTLS          ID = "FL2212"
	UnverifiedTLS  ID = "FL2213"
	OpenListener   ID = "FL2214"
	WorldWritable  ID = "FL2215"
	SecretInRecord ID = "FL2216"
)

// securityRules are about secrets, plain text and who may reach what.
func securityRules() []Rule {
	return []Rule{
		{
			ID: PlainSecret, Name: "plain-secret-default", Category: Security, Severity: Warning,
			Summary: "A variable or local that is a secret, or is called like one, has its value in the config.",
			Doc: `A config is read by many people and kept in version control for ever. A password as the default of a variable, or as a local, is known to all of them.

Leave the default out and give the value from outside: with ` + "`" + `FLOW_VAR_name` + "`" + `, with a file for ` + "`" + `--var-file` + "`" + ` that is not checked in, or as ` + "`" + `env("NAME")` + "`" + ` or ` + "`" + `file("PATH")` + "`" + `.
Names that end with password, secret, token, key of an API and such count, and every variable with ` + "`" + `sensitive = true` + "`" + `.`,
			Bad: `variable "card_salt_secret" {
  default = "9f3c1a"
}

pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "map" "shape" {
    set = { card = "sha256(value.card + var.card_salt_secret)" }
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
			Good: `locals {
  card_salt_secret = env("CARD_SALT", "")
}

pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "map" "shape" {
    set = { card = "sha256(value.card + local.card_salt_secret)" }
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
		},
		{
			ID: SecretInURL, Name: "secret-in-url", Category: Security, Severity: Warning,
			Summary: "A URL in the config holds a password.",
			Doc: `Everyone who can read the file can read it, and URLs are shown: in logs, in errors and by ` + "`" + `flow explain` + "`" + `.

Use the options that take a name and a password, with ` + "`" + `env("NAME")` + "`" + ` or ` + "`" + `file("PATH")` + "`" + `; give a program its password in a file or in its environment.`,
			Bad: `pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  output "command" "out" {
    command = ["load-orders", "postgres://flow:hunter2@db.example.com/orders"]
  }
}
`,
			Good: `pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  output "command" "out" {
    command = ["load-orders", "postgres://flow@db.example.com/orders"]
  }
}
`,
		},
		{
			ID: NoTLS, Name: "no-tls", Category: Security, Severity: Warning,
			Summary: "Data goes to another machine as plain text.",
			Doc: `Whoever sits on the way between two machines can read what is not encrypted, passwords included, and change it. The rule looks at addresses of other machines only.

Add a ` + "`" + `tls {}` + "`" + ` block, or write https:// instead of http://. Where something else encrypts, such as a service mesh, say so with an ignore.`,
			Bad: `connection "kafka" "main" {
  brokers = ["kafka.example.com:9092"]
}

pipeline "orders" {
  input "kafka" "orders" {
    connection = connection.kafka.main
    topics     = ["orders"]
    group      = "orders-to-file"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
			Good: `connection "kafka" "main" {
  brokers = ["kafka.example.com:9093"]
  tls {}
}

pipeline "orders" {
  input "kafka" "orders" {
    connection = connection.kafka.main
    topics     = ["orders"]
    group      = "orders-to-file"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
		},
		{
			ID: UnverifiedTLS, Name: "unverified-tls", Category: Security, Severity: Warning,
			Summary: "Certificates of another machine are not verified.",
			Doc: `Encryption without verification keeps out only those who listen. Whoever sits on the way can pose as the server, and then reads everything and changes what he likes.

Trust the authority that signed the server's certificate: ` + "`" + `ca_file = "ca.pem"` + "`" + `. If the name in it differs from the host, give ` + "`" + `server_name` + "`" + `.`,
			Bad: `connection "kafka" "main" {
  brokers = ["kafka.example.com:9093"]
  tls {
    insecure_skip_verify = true
  }
}

pipeline "orders" {
  input "kafka" "orders" {
    connection = connection.kafka.main
    topics     = ["orders"]
    group      = "orders-to-file"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
			Good: `connection "kafka" "main" {
  brokers = ["kafka.example.com:9093"]
  tls {
    ca_file = "ca.pem"
  }
}

pipeline "orders" {
  input "kafka" "orders" {
    connection = connection.kafka.main
    topics     = ["orders"]
    group      = "orders-to-file"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
		},
		{
			ID: OpenListener, Name: "open-listener", Category: Security, Severity: Warning,
			Summary: "A server listens at all addresses of the machine and asks for no password, token or certificate.",
			Doc: `Everyone who reaches the machine can send records, and all outputs write them.

Listen at one address, such as 127.0.0.1 behind a proxy, or ask for a token, a name and a password, a signature or a client's certificate.`,
			Bad: `pipeline "orders" {
  input "http" "in" {
    address = ":8080"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
			Good: `pipeline "orders" {
  input "http" "in" {
    address = "127.0.0.1:8080"
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
		},
		{
			ID: WorldWritable, Name: "world-writable-file", Category: Security, Severity: Warning,
			Summary: "A file is made so that everyone on the machine can change it.",
			Doc: `The last digit of the mode is what all other users may do; 2 in it is writing. Whoever can write to an output file can forget or invent records.

Use ` + "`" + `0640` + "`" + `, or ` + "`" + `0644` + "`" + ` where everyone may read.`,
			Bad: `pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  output "file" "out" {
    path = "orders.jsonl"
    mode = "0666"
  }
}
`,
			Good: `pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  output "file" "out" {
    path = "orders.jsonl"
    mode = "0640"
  }
}
`,
		},
		{
			ID: SecretInRecord, Name: "secret-in-record", Category: Security, Severity: Warning,
			Summary: "A sensitive variable is written into records as it is.",
			Doc: `Records are read, copied and kept by others, who all have the secret then.

Where it is to prove something, write a hash or a signature of it, such as ` + "`" + `hmac('sha256', value.id, var.token)` + "`" + `.`,
			Bad: `variable "token" {
  sensitive = true
  default   = ""
}

pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "map" "shape" {
    set = { token = "var.token" }
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
			Good: `variable "token" {
  sensitive = true
  default   = ""
}

pipeline "orders" {
  input "file" "in" {
    path = "incoming.jsonl"
  }

  processor "map" "shape" {
    set = { proof = "sha256(value.id + var.token)" }
  }

  output "file" "out" {
    path = "orders.jsonl"
  }
}
`,
		},
	}
}
