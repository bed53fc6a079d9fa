package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/flowrecords/flow/connections/oauth"
	"github.com/flowrecords/flow/engine"
)

// groupState is what a cluster says of a consumer group.
type groupState struct {
	state, protocol string
	rights          int32
	members         []memberState
}

type memberState struct{ client, host, instance string }

// checkGroup reports on a group and its lag in the topics.
func checkGroup(ctx context.Context, r *engine.CheckReport, client *kgo.Client, n Reads, topics []string) {
	what := "group " + n.Group
	if fresh, err := groupIsNew(ctx, client, n.Group); err == nil && fresh {
		r.OK(what, "not in use")
		r.Unknown("rights on "+what, "no group was used in this cluster yet, and the first look would make a topic", "")
		return
	}
	g, err := describeGroup(ctx, client, n.Group)
	if err != nil {
		failed(r, what, "", err)
		return
	}
	if yes, known := allowed(g.rights, kmsg.ACLOperationRead); known && !yes {
		r.Fail(what, "the user of the connection lacks the right READ", "Have it granted READ on the group.")
		return
	} else if !known {
		r.Unknown("rights on "+what, "the brokers do not tell them", "")
	}
	if g.protocol != "" && g.protocol != "consumer" {
		r.Fail(what, "it is a group of the kind "+oauth.Clean(g.protocol)+", not of consumers", "Give the input a group of its own.")
		return
	}
	if i := slices.IndexFunc(g.members, func(m memberState) bool { return n.InstanceID != "" && m.instance == n.InstanceID }); i >= 0 {
		r.Warn(what, fmt.Sprintf("a member with the instance_id %s is there already: %s", n.InstanceID, g.members[i]),
			"If it is not the run that this one replaces, give each member an instance_id of its own: of two with the same, one is thrown out.")
	}
	switch {
	case len(g.members) == 0:
		r.OK(what, "no members")
	default:
		var list []string
		for _, m := range g.members {
			list = append(list, m.String())
		}
		slices.Sort(list)
		r.OK(what, "%s: %s", plural(len(list), "member"), abbreviated(list))
	}
	checkLag(ctx, r, client, n.Group, topics)
}

func (m memberState) String() string {
	s := oauth.Clean(m.client)
	if m.instance != "" {
		s += " (" + oauth.Clean(m.instance) + ")"
	}
	return s + " at " + oauth.Clean(m.host)
}

// groupIsNew reports that nobody has used the group and that asking for its
// coordinator would make the topic of groups.
func groupIsNew(ctx context.Context, client *kgo.Client, group string) (bool, error) {
	internal, err := describeTopics(ctx, client, []string{"__consumer_offsets"}, nil)
	if err != nil {
		return false, err
	}
	if len(internal) != 1 || !errors.Is(internal[0].err, kerr.UnknownTopicOrPartition) {
		return false, nil
	}
	groups, err := kadm.NewClient(client).ListGroups(ctx)
	if err != nil {
		return false, err
	}
	_, used := groups[group]
	return !used, nil
}

func describeGroup(ctx context.Context, client *kgo.Client, group string) (*groupState, error) {
	req := kmsg.NewPtrDescribeGroupsRequest()
	req.Groups = []string{group}
	req.IncludeAuthorizedOperations = true
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		return nil, err
	}
	if len(resp.Groups) != 1 {
		return nil, fmt.Errorf("a broker answered for %d groups instead of one", len(resp.Groups))
	}
	answer := resp.Groups[0]
	if err := kerr.ErrorForCode(answer.ErrorCode); err != nil {
		return nil, err
	}
	g := &groupState{state: answer.State, protocol: answer.ProtocolType, rights: answer.AuthorizedOperations}
	for _, m := range answer.Members {
		s := memberState{client: m.ClientID, host: m.ClientHost}
		if m.InstanceID != nil {
			s.instance = *m.InstanceID
		}
		g.members = append(g.members, s)
	}
	if len(g.members) == 0 {
		g.addServerSide(ctx, client, group)
	}
	return g, nil
}

// addServerSide adds the members of a group whose partitions the brokers
// assign, which the older request does not see.
func (g *groupState) addServerSide(ctx context.Context, client *kgo.Client, group string) {
	described, err := kadm.NewClient(client).DescribeConsumerGroups(ctx, group)
	if err != nil || described[group].Err != nil {
		return // brokers before 3.7, or no such group
	}
	d := described[group]
	g.state = d.State
	for _, m := range d.Members {
		s := memberState{client: m.ClientID, host: m.ClientHost}
		if m.InstanceID != nil {
			s.instance = *m.InstanceID
		}
		g.members = append(g.members, s)
	}
}

// checkLag compares the group's positions with what the topics hold.
func checkLag(ctx context.Context, r *engine.CheckReport, client *kgo.Client, group string, topics []string) {
	if len(topics) == 0 {
		return
	}
	what := "lag of group " + group
	admin := kadm.NewClient(client)
	committed, err := admin.FetchOffsets(ctx, group)
	if err != nil {
		failed(r, what, "asking for positions", err)
		return
	}
	starts, err := admin.ListStartOffsets(ctx, topics...)
	if err == nil {
		var ends kadm.ListedOffsets
		if ends, err = admin.ListEndOffsets(ctx, topics...); err == nil {
			judgeLag(r, what, committed, starts, ends)
			return
		}
	}
	failed(r, what, "asking for offsets", err)
}

func judgeLag(r *engine.CheckReport, what string, committed kadm.OffsetResponses, starts, ends kadm.ListedOffsets) {
	var lag, gone, without int64
	var beyond []string
	var unknown error
	ends.Each(func(end kadm.ListedOffset) {
		start, ok := starts.Lookup(end.Topic, end.Partition)
		if end.Err != nil || !ok || start.Err != nil {
			unknown = errors.Join(unknown, end.Err, start.Err)
			return
		}
		at, ok := committed.Lookup(end.Topic, end.Partition)
		switch {
		case !ok || at.At < 0:
			without++
		case at.At > end.Offset:
			beyond = append(beyond, fmt.Sprintf("%s/%d", end.Topic, end.Partition))
		case at.At < start.Offset:
			gone += start.Offset - at.At
			lag += end.Offset - start.Offset
		default:
			lag += end.Offset - at.At
		}
	})
	slices.Sort(beyond)
	switch {
	case len(beyond) > 0:
		r.Warn(what, "the group's position lies beyond the end of partition "+abbreviated(beyond),
			"The topic was made anew, or records were lost by the brokers. The input would begin as option start says; set the group's positions if that is wrong.")
	case gone > 0:
		r.Warn(what, fmt.Sprintf("the topic's retention deleted %s before the group had read them; left: %s", plural(int(gone), "record"), plural(int(lag), "record")),
			"Raise the topic's retention, or read more often. The input goes on as option start says.")
	case unknown != nil:
		r.Unknown(what, oauth.Clean(unknown.Error()), "")
	case without > 0 && lag == 0:
		r.OK(what, "no position yet in %s, where option start decides", plural(int(without), "partition"))
	case without > 0:
		r.OK(what, "%s; no position yet in %s", plural(int(lag), "record"), plural(int(without), "partition"))
	default:
		r.OK(what, "%s", plural(int(lag), "record"))
	}
}

// GroupMembers tells who is in a consumer group. fresh: the cluster has never
// seen a group and this one neither, so that asking for its positions would make
// the topic that holds them.
func (c *Connection) GroupMembers(ctx context.Context, client *kgo.Client, group string) (members []string, fresh bool, err error) {
	if fresh, err := groupIsNew(ctx, client, group); err != nil || fresh {
		return nil, fresh, Classify("looking at group "+group, err)
	}
	g, err := describeGroup(ctx, client, group)
	if errors.Is(err, kerr.GroupIDNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, Classify("looking at group "+group, err)
	}
	for _, m := range g.members {
		members = append(members, m.String())
	}
	slices.Sort(members)
	return members, false, nil
}
