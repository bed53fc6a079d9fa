package kafka

import (
	"errors"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	connkafka "github.com/flowrecords/flow/connections/kafka"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/internal/servers"
)

// What a broker refuses for good ends the input with an error that names it,
// and is not tried again.
func TestRightsOfARealBroker(t *testing.T) {
	t.Parallel()
	c := servers.SharedKafka(t, servers.KafkaOptions{Security: true, ACLs: true})
	topic := c.Topic(t, 1)
	put(t, c, numbered(topic, 0, 0, 3)...)
	tests := []struct {
		name           string
		topics, groups []kadm.ACLOperation
		topic          string
		want           error
		says           string
	}{
		{"everything", []kadm.ACLOperation{kadm.OpRead}, []kadm.ACLOperation{kadm.OpRead}, topic, nil, ""},
		{"no right to read the topic", []kadm.ACLOperation{kadm.OpDescribe}, []kadm.ACLOperation{kadm.OpRead}, topic, kerr.TopicAuthorizationFailed, topic},
		{"no right to see the topic", nil, []kadm.ACLOperation{kadm.OpRead}, topic, kerr.TopicAuthorizationFailed, topic},
		{"no right to the group", []kadm.ACLOperation{kadm.OpRead}, nil, topic, kerr.GroupAuthorizationFailed, "group"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			own := c.Topic(t, 1)
			put(t, c, numbered(own, 0, 0, 3)...)
			group := servers.UniqueName(t)
			allow(t, c, "User:"+servers.Alice, kmsg.ACLResourceTypeTopic, own, tt.topics)
			allow(t, c, "User:"+servers.Alice, kmsg.ACLResourceTypeGroup, group, tt.groups)
			config := Defaults()
			config.Topics, config.Group = []string{own}, group
			config.Connection = as(c, servers.Alice)
			in, err := New(config, engine.Env{Pipeline: "test", Element: "input.kafka.in"})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { closeInput(t, in) })
			err = in.Open(testContext(t), newHost())
			if tt.want == nil {
				if err != nil {
					t.Fatal(err)
				}
				confirm(readN(t, in, 3)...)
				return
			}
			if err == nil {
				err = readError(t, in)
			}
			if !errors.Is(err, tt.want) || isRetry(err) || !strings.Contains(err.Error(), group) && !strings.Contains(err.Error(), own) {
				t.Errorf("error %v, want %v for good", err, tt.want)
			}
			t.Log(err)
		})
	}
}

func as(c *servers.Cluster, user string) engine.ConnectionRef {
	config := connkafka.Defaults()
	config.Brokers = c.AddrsOf(servers.SASLPlaintext)
	config.SASL = &connkafka.SASL{Mechanism: "plain", Username: user, Password: engine.NewSecret(servers.Password(user))}
	return engine.ConnectionRef{Name: "connection.kafka.test", Value: connkafka.New(config)}
}

func allow(t *testing.T, b servers.Broker, user string, kind kmsg.ACLResourceType, name string, ops []kadm.ACLOperation) {
	t.Helper()
	if len(ops) == 0 {
		return
	}
	acl := kadm.NewACLs().Allow(user).AllowHosts("*").ResourcePatternType(kadm.ACLPatternLiteral).Operations(ops...)
	if kind == kmsg.ACLResourceTypeTopic {
		acl = acl.Topics(name)
	} else {
		acl = acl.Groups(name)
	}
	got, err := admin(t, b).CreateACLs(testContext(t), acl)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range got {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
}
