package kafka

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/internal/servers"
)

// The topic of positions and the transactional id are looked at before a run
// needs them, each lack with what to grant, and nothing is made.
func TestCheckPositions(t *testing.T) {
	t.Parallel()
	c := secured(t)
	look := func(conf *Config, elsewhere bool) []string {
		return check(t, func(ctx context.Context, r *engine.CheckReport) { New(conf).CheckPositions(ctx, r, "p", elsewhere) })
	}
	settle := func(want string, f func() []string) {
		t.Helper()
		eventually(t, func() error {
			if lines := f(); !strings.Contains(strings.Join(lines, "\n"), want) {
				return fmt.Errorf("no check says %q:\n%s", want, strings.Join(lines, "\n"))
			}
			return nil
		})
	}
	topic := servers.UniqueName(t)
	of := func(user string) *Config {
		conf := as(c, user)
		conf.PositionsTopic, conf.TransactionalID = topic, topic+"-"
		return conf
	}
	admin, bob := of(servers.Admin), of(servers.Bob)
	mine := func() []string { return look(bob, false) }

	// The topic of transactions must be there for rights on an id to be told.
	transact(t, c, servers.UniqueName(t), c.Topic(t, 1))
	expect(t, look(admin, false), "ok topic "+topic+": does not exist yet, and can be created")
	expect(t, look(admin, false), "ok transactional id "+topic+"-p: not in use")
	topics, err := kadm.NewClient(c.Client(t)).ListTopics(testContext(t))
	if err != nil || topics.Has(topic) {
		t.Errorf("the topic was created by a look: %v", err)
	}
	settle("failure topic "+topic+": the user of the connection lacks a right on the topic", mine)
	allow(t, c, servers.Bob, kadm.NewACLs().Topics(topic), kadm.OpDescribe)
	settle("it does not exist, and the user of the connection may not create it → Have it granted CREATE on the topic", mine)

	if err := c.CreateTopic(testContext(t), topic, 1, map[string]string{"cleanup.policy": "compact"}); err != nil {
		t.Fatal(err)
	}
	settle("failure topic "+topic+": the user of the connection lacks the right READ", mine)
	allow(t, c, servers.Bob, kadm.NewACLs().Topics(topic), kadm.OpRead)
	settle("failure topic "+topic+": the user of the connection lacks the right WRITE", mine)
	allow(t, c, servers.Bob, kadm.NewACLs().Topics(topic), kadm.OpWrite)
	settle("unknown cleanup.policy of topic "+topic, mine)
	allow(t, c, servers.Bob, kadm.NewACLs().Topics(topic), kadm.OpDescribeConfigs)
	settle("ok topic "+topic+": 1 partition, 1 copy of each, holds positions", mine)
	settle("failure transactional id "+topic+"-p: the user of the connection lacks a right on the transactional id", mine)
	allow(t, c, servers.Bob, kadm.NewACLs().TransactionalIDs(topic+"-p"), kadm.OpWrite)
	settle("ok transactional id "+topic+"-p: not in use", mine)
	unexpected(t, mine(), "failure", "warning", "unknown")

	// Where groups keep the positions only the ids of the processes count.
	lines := look(admin, true)
	expect(t, lines, "ok transactional id "+topic+"-p-: not in use")
	if text := strings.Join(lines, "\n"); strings.Contains(text, "ok topic") {
		t.Errorf("the topic was looked at:\n%s", text)
	}

	for policy, x := range map[string]struct {
		partitions int32
		want       string
	}{
		"delete":  {1, "has cleanup.policy=delete"},
		"compact": {3, "has 3 partitions"},
	} {
		conf := as(c, servers.Admin)
		conf.PositionsTopic = topicOf(t, c, x.partitions, map[string]string{"cleanup.policy": policy})
		expect(t, look(conf, false), "failure topic "+conf.PositionsTopic+": it "+x.want)
	}

	// With these rights and no more the store works.
	s := New(bob).Positions(engine.Env{}, "p")
	t.Cleanup(func() { _ = s.Close() })
	loaded(t, s)
	save(t, s, positions{"in/x": at(1)})
}
