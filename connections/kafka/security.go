package kafka

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/flowrecords/flow/connections/oauth"
	"github.com/flowrecords/flow/engine"
)

// The values of mechanism.
const (
	mechanismPlain    = "plain"
	mechanismScram256 = "scram-sha-256"
	mechanismScram512 = "scram-sha-512"
	mechanismOAuth    = "oauthbearer"
)

// SASL holds the options of a sasl block.
type SASL struct {
	Mechanism string        `flow:"mechanism,required" oneof:"plain scram-sha-256 scram-sha-512 oauthbearer" doc:"How flow proves who it is. plain sends the password and oauthbearer a token as they are: both need tls on any network that is not trusted." example:"\"scram-sha-512\""`
	Username  string        `flow:"username" doc:"Name to authenticate as, for plain and scram." example:"\"flow\""`
	Password  engine.Secret `flow:"password" doc:"Password of the name." example:"env(\"KAFKA_PASSWORD\")"`

	Token             engine.Secret            `flow:"token" doc:"Token for oauthbearer, the same for as long as flow runs." example:"env(\"KAFKA_TOKEN\")"`
	TokenFile         string                   `flow:"token_file" doc:"File with the token for oauthbearer. It is read for each connection, so that a new token is used as soon as it is there." example:"\"/run/secrets/kafka-token\""`
	ClientCredentials *oauth.ClientCredentials `flow:"client_credentials,block" doc:"Where flow asks for a token for oauthbearer."`
	Extensions        map[string]string        `flow:"extensions" doc:"SASL extensions that go along with a token." example:"{ logicalCluster = \"lkc-1\" }"`
	Identity          string                   `flow:"identity" doc:"Identity to act as (authzid), where it is another one than the token's. Few brokers know it." example:"\"flow\""`
}

// problems reports what does not go together.
func (s *SASL) problems() []engine.Problem {
	if s == nil {
		return nil
	}
	var ps []engine.Problem
	add := func(option, summary, detail string) {
		ps = append(ps, engine.Problem{Option: "sasl" + option, Summary: summary, Detail: detail})
	}
	if s.Mechanism != mechanismOAuth {
		if s.Username == "" {
			add(".username", s.Mechanism+" without username", "Give the name to authenticate as.")
		}
		if s.Password.IsZero() {
			add(".password", s.Mechanism+" without password", `Give the password by a function: password = env("KAFKA_PASSWORD").`)
		}
		for _, x := range []struct {
			option string
			given  bool
		}{{"token", !s.Token.IsZero()}, {"token_file", s.TokenFile != ""}, {"client_credentials", s.ClientCredentials != nil},
			{"extensions", len(s.Extensions) > 0}, {"identity", s.Identity != ""}} {
			if x.given {
				add("."+x.option, x.option+" without oauthbearer", fmt.Sprintf(`Only mechanism = "oauthbearer" uses %s. Set the mechanism, or remove %[1]s.`, x.option))
			}
		}
		return ps
	}
	if s.Username != "" {
		add(".username", "username with oauthbearer", "The token says who flow is. Remove username.")
	}
	if !s.Password.IsZero() {
		add(".password", "password with oauthbearer", "The token is the proof. Remove password.")
	}
	switch n := count(!s.Token.IsZero(), s.TokenFile != "", s.ClientCredentials != nil); {
	case n == 0:
		add("", "oauthbearer without a token", "Give token, token_file or a block client_credentials.")
	case n > 1:
		add("", "more than one token", "A token comes from one place. Give one of token, token_file and client_credentials.")
	}
	for name := range s.Extensions {
		if name == "auth" || !letters(name) {
			add(".extensions", quote(name)+" is no name of an extension", "The name of an extension has letters only, and is not auth.")
		}
	}
	return append(ps, s.ClientCredentials.Problems("sasl.client_credentials")...)
}

func count(given ...bool) (n int) {
	for _, g := range given {
		if g {
			n++
		}
	}
	return n
}

func letters(s string) bool {
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return false
		}
	}
	return s != ""
}

// mechanism returns how clients authenticate; tokens gives the tokens of
// oauthbearer.
func (s *SASL) mechanism(tokens *tokenSource) sasl.Mechanism {
	switch s.Mechanism {
	case mechanismScram256:
		return scram.Auth{User: s.Username, Pass: s.Password.Reveal()}.AsSha256Mechanism()
	case mechanismScram512:
		return scram.Auth{User: s.Username, Pass: s.Password.Reveal()}.AsSha512Mechanism()
	case mechanismOAuth:
		return bearer{tokens, s}
	default:
		return plain.Auth{User: s.Username, Pass: s.Password.Reveal()}.AsMechanism()
	}
}

// AuthError says that whoever was asked has refused flow's proof of who it is.
// Waiting does not change that; see Fatal.
type AuthError = oauth.Error
