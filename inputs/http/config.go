package http

import (
	"fmt"
	"net"
	"path"
	"strings"
	"time"

	conn "github.com/flowrecords/flow/connections/http"
	"github.com/flowrecords/flow/connections/tlsconf"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/limits"
)

// Config holds the options of the http input.
type Config struct {
	Address string   `flow:"address,required" doc:"Where to listen, HOST:PORT. Without a host it is reachable at all addresses of the machine. Port 0 takes a free one, which the log names." example:"\"127.0.0.1:8080\""`
	Paths   []string `flow:"paths" doc:"Paths of URLs that take records. One that ends with / takes all below it. Others are answered with 404." example:"[\"/orders\", \"/hooks/\"]"`
	Methods []string `flow:"methods" oneof:"POST PUT PATCH" doc:"Methods that take records. Others are answered with 405."`

	Format    string          `flow:"format" oneof:"auto json ndjson raw" doc:"What a body is: one JSON record, a JSON record a line, or raw bytes that are one record. auto decides by Content-Type between json and ndjson and answers others with 415."`
	MaxBody   engine.ByteSize `flow:"max_body" min:"1" max:"1GiB" doc:"Largest body, after decompression. A larger one is answered with 413."`
	MaxRecord engine.ByteSize `flow:"max_record" min:"1" max:"1GiB" doc:"Largest record of a body of lines. A body with a larger one is answered with 413."`

	MaxRequests    int             `flow:"max_requests" unit:"requests" min:"1" max:"100000" doc:"Most requests that are received or wait for confirmation. Further ones are answered with 503."`
	MaxBuffer      engine.ByteSize `flow:"max_buffer" min:"1KiB" doc:"Most bytes of bodies that are received and not yet taken by the pipeline. A request that needs more is answered with 503."`
	MaxConnections int             `flow:"max_connections" unit:"connections" min:"1" max:"1000000" doc:"Most connections. Further ones wait until one closes."`
	RetryAfter     time.Duration   `flow:"retry_after" min:"1s" max:"1h" doc:"The wait that an answer with 503 asks for, in whole seconds."`

	HeaderTimeout  time.Duration `flow:"header_timeout" min:"1ms" max:"10m" doc:"Longest time from the first byte of a request to the end of its headers."`
	BodyTimeout    time.Duration `flow:"body_timeout" min:"1ms" max:"1h" doc:"Longest time in which a body arrives. A slower one is answered with 408."`
	IdleTimeout    time.Duration `flow:"idle_timeout" min:"1ms" max:"1h" doc:"How long a connection waits for its next request."`
	ConfirmTimeout time.Duration `flow:"confirm_timeout" min:"1ms" max:"24h" doc:"How long a request waits for the confirmation of its records. Then it is answered with 503, though its records may still arrive."`

	Status int `flow:"status" unit:"" min:"200" max:"299" doc:"Status of the answer when all records of a request are confirmed. 204 and 205 have no body."`

	KeyHeader   string   `flow:"key_header" doc:"Header of the request whose text is the key of its records. Without the header they have none." example:"\"X-Order-Id\""`
	Headers     []string `flow:"headers" doc:"Headers of the request to keep as headers of its records, by the names that stand here." example:"[\"X-Request-Id\"]"`
	QueryParams []string `flow:"query_params" doc:"Parameters of the URL's query to keep as headers of its records, by their names." example:"[\"source\"]"`
	Request     []string `flow:"request" oneof:"method path host remote_address user" doc:"What else of a request to keep as headers of its records: http.method, http.path and so on. user is the name of basic authentication or of the client's certificate." example:"[\"path\", \"remote_address\"]"`

	BearerTokens []engine.Secret `flow:"bearer_tokens" doc:"Tokens of which a request must carry one as Authorization: Bearer. Two allow to replace one without a gap." example:"[env(\"INGEST_TOKEN\")]"`
	Basic        *conn.Basic     `flow:"basic,block" doc:"Name and password that a request must carry."`
	Signature    *Signature      `flow:"signature,block" doc:"Signature of the body that a request must carry, as webhooks do."`
	TLS          *tlsconf.Server `flow:"tls,block" doc:"Serve HTTPS. Without it everything is sent as plain text, tokens included."`
}

// Signature holds the options of a signature block.
type Signature struct {
	Header          string          `flow:"header,required" doc:"Header that holds the signature." example:"\"X-Hub-Signature-256\""`
	Secrets         []engine.Secret `flow:"secrets,required" doc:"Keys of which one must have made the signature. Two allow to replace one without a gap." example:"[env(\"HOOK_SECRET\")]"`
	Algorithm       string          `flow:"algorithm" oneof:"sha256 sha512 sha1" doc:"Hash of the HMAC. Empty means sha256."`
	Encoding        string          `flow:"encoding" oneof:"hex base64" doc:"How the signature is written. Empty means hex."`
	Prefix          string          `flow:"prefix" doc:"Text before the signature in the header." example:"\"sha256=\""`
	TimestampHeader string          `flow:"timestamp_header" doc:"Header with the time of signing, in seconds since 1970. Requests that are too old or too new are refused, so that a request that was overheard cannot be sent again later." example:"\"X-Request-Timestamp\""`
	Tolerance       time.Duration   `flow:"tolerance" min:"0s" max:"24h" doc:"How far that time may be from now. 0s means 5m."`
	Signed          string          `flow:"signed" doc:"The text that is signed, with {body} and {timestamp} in it. Empty means {body}, with timestamp_header {timestamp}.{body}." example:"\"v0:{timestamp}:{body}\""`
}

// Defaults returns the default of every option.
func Defaults() any {
	return &Config{
		Paths:          []string{"/"},
		Methods:        []string{"POST"},
		Format:         "auto",
		MaxBody:        10 << 20,
		MaxRecord:      limits.RecordBytes,
		MaxRequests:    256,
		MaxBuffer:      64 << 20,
		MaxConnections: 1024,
		RetryAfter:     time.Second,
		HeaderTimeout:  10 * time.Second,
		BodyTimeout:    30 * time.Second,
		IdleTimeout:    2 * time.Minute,
		ConfirmTimeout: time.Minute,
		Status:         200,
	}
}

// Validate reports the mistakes that the options' types cannot express.
func (c *Config) Validate() []engine.Problem {
	var ps []engine.Problem
	add := func(option, summary, detail string) {
		ps = append(ps, engine.Problem{Option: option, Summary: summary, Detail: detail})
	}
	if _, port, err := net.SplitHostPort(c.Address); c.Address != "" && (err != nil || port == "") {
		add("address", "address without host or port", `Write it as HOST:PORT, "127.0.0.1:8080", or as ":8080" for all addresses of the machine.`)
	}
	if len(c.Paths) == 0 {
		add("paths", "no paths", `Name the paths that take records; ["/"] takes all.`)
	}
	for _, p := range c.Paths {
		if !strings.HasPrefix(p, "/") || strings.ContainsAny(p, "?#") || clean(p) != p {
			add("paths", fmt.Sprintf("%q is no path of a URL", p), `A path begins with /, has no query and no empty, "." or ".." segments.`)
		}
	}
	if len(c.Methods) == 0 {
		add("methods", "no methods", `Name the methods that take records, such as ["POST"].`)
	}
	if c.MaxBuffer < c.MaxBody {
		add("max_buffer", "max_buffer is smaller than max_body", "A body of the allowed size could then never be received. Raise max_buffer or lower max_body.")
	}
	if c.RetryAfter%time.Second != 0 {
		add("retry_after", "retry_after has fractions of seconds", "The header Retry-After has whole seconds only.")
	}
	for option, names := range map[string][]string{"headers": c.Headers, "key_header": {c.KeyHeader}} {
		for _, name := range names {
			if !conn.IsToken(name) && (option != "key_header" || name != "") {
				add(option, fmt.Sprintf("%q is no name of a header", name), "The name of a header has letters, digits and - only.")
			}
		}
	}
	if c.Basic != nil && len(c.BearerTokens) > 0 {
		add("basic", "basic and bearer_tokens exclude each other", "A request carries one Authorization header. Remove one of the two.")
	}
	for _, token := range c.BearerTokens {
		if token.IsZero() {
			add("bearer_tokens", "empty token", "Anybody could send it. Give a token of at least 16 random characters.")
		}
	}
	if c.Basic != nil && c.Basic.Password.IsZero() {
		add("basic.password", "empty password", "Anybody could send it. Give a password.")
	}
	ps = append(ps, c.Signature.problems()...)
	return append(ps, c.TLS.Problems("tls")...)
}

// clean returns a path without empty and dot segments.
func clean(p string) string {
	c := path.Clean(p)
	if strings.HasSuffix(p, "/") && c != "/" {
		c += "/"
	}
	return c
}

func (s *Signature) problems() []engine.Problem {
	if s == nil {
		return nil
	}
	var ps []engine.Problem
	add := func(option, summary, detail string) {
		ps = append(ps, engine.Problem{Option: "signature." + option, Summary: summary, Detail: detail})
	}
	if !conn.IsToken(s.Header) {
		add("header", fmt.Sprintf("%q is no name of a header", s.Header), "The name of a header has letters, digits and - only.")
	}
	if len(s.Secrets) == 0 {
		add("secrets", "no secrets", "Give the key that the sender signs with.")
	}
	for _, secret := range s.Secrets {
		if secret.IsZero() {
			add("secrets", "empty secret", "Anybody could sign with it. Give the key that the sender signs with.")
		}
	}
	if s.TimestampHeader != "" && !conn.IsToken(s.TimestampHeader) {
		add("timestamp_header", fmt.Sprintf("%q is no name of a header", s.TimestampHeader), "The name of a header has letters, digits and - only.")
	}
	if s.Tolerance > 0 && s.TimestampHeader == "" {
		add("tolerance", "tolerance without timestamp_header", "Name the header that holds the time of signing, or remove tolerance.")
	}
	if s.Signed != "" {
		if strings.Count(s.Signed, "{body}") != 1 {
			add("signed", "signed without {body}", `The signed text holds the body once: "{timestamp}.{body}".`)
		}
		if has := strings.Contains(s.Signed, "{timestamp}"); has != (s.TimestampHeader != "") {
			add("signed", "{timestamp} and timestamp_header go together", "A time that is not signed could be changed by anybody, and one that is not known cannot be checked. Give both or none.")
		}
	}
	return ps
}
