package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/flowrecords/flow/connections/oauth"
	"github.com/flowrecords/flow/connections/probe"
	"github.com/flowrecords/flow/engine"
)

// Check implements engine.Checker: are the brokers there, whose certificates
// do they show, do they accept flow's credentials, can all brokers of the
// cluster be reached by the addresses that it tells, which versions are they
// of, and are their clocks right.
func (c *Connection) Check(ctx context.Context, r *engine.CheckReport) {
	if c.Embedded() {
		c.checkEmbedded(r)
		return
	}
	var conf *tls.Config
	if c.config.TLS != nil {
		var err error
		if conf, err = c.dialer.config(); err != nil {
			r.Fail("tls", err.Error(), "Correct the files that the tls block names.")
			return
		}
	}
	seeds := c.checkSeeds(ctx, r, conf)
	if len(seeds) == 0 {
		return
	}
	client, err := c.checkClient(kgo.SeedBrokers(seeds...))
	if err != nil {
		r.Fail("client", err.Error(), "Correct the options of the connection.")
		return
	}
	defer client.Close()
	if !c.checkLogin(ctx, r, client) {
		return
	}
	brokers, err := kadm.NewClient(client).BrokerMetadata(ctx)
	if err != nil {
		failed(r, "cluster", "asking for its brokers", err)
		return
	}
	c.checkBrokers(ctx, r, client, conf, brokers.Brokers, seeds)
	checkVersions(ctx, r, client)
	c.checkClock(ctx, r, client)
}

// checkClient makes a client for looking: it gives up at once, so that what is
// wrong is told.
func (c *Connection) checkClient(opts ...kgo.Opt) (*kgo.Client, error) {
	versions := kversion.Stable()
	// From version 6 on a group that does not exist is an error instead of one
	// without members, and the rights on it are not told.
	versions.SetMaxKeyVersion(int16(kmsg.DescribeGroups), 5)
	all := []kgo.Opt{kgo.RequestRetries(1), kgo.RetryTimeout(time.Second), kgo.MaxVersions(versions)}
	if c.config.ClientID == "" {
		all = append(all, kgo.ClientID("flow-doctor"))
	}
	return c.Client(engine.Env{Version: c.env.Version}, append(all, opts...)...)
}

// checkSeeds returns the brokers of the config that can be reached. One that
// cannot is only a warning while there are others.
func (c *Connection) checkSeeds(ctx context.Context, r *engine.CheckReport, conf *tls.Config) []string {
	reports := make([]engine.CheckReport, len(c.config.Brokers))
	var reached []string
	ok := each(len(c.config.Brokers), func(i int) bool {
		address := c.config.Brokers[i]
		return probe.Reach(ctx, &reports[i], probe.Target{What: "broker " + address, Address: address, TLS: conf, Timeout: c.config.DialTimeout, Option: "brokers"})
	})
	for i, address := range c.config.Brokers {
		if ok[i] {
			reached = append(reached, address)
		}
	}
	for i := range reports {
		for _, check := range reports[i].Checks() {
			if len(reached) > 0 && check.Status == engine.CheckFailure {
				check.Status = engine.CheckWarning
			}
			r.Add(check)
		}
	}
	return reached
}

// each calls f for 0 to n-1, some at a time, and returns the results.
func each(n int, f func(i int) bool) []bool {
	const atOnce = 8
	results := make([]bool, n)
	turns := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i := range n {
		turns <- struct{}{}
		all.Go(func() {
			results[i] = f(i)
			<-turns
		})
	}
	all.Wait()
	return results
}

func (c *Connection) checkLogin(ctx context.Context, r *engine.CheckReport, client *kgo.Client) bool {
	what, detail := "authentication", "the brokers ask for none"
	if s := c.config.SASL; s != nil {
		detail = "accepted by " + s.Mechanism
		if s.Username != "" {
			detail = s.Username + " is " + detail
		}
	} else if t := c.config.TLS; t != nil && (t.CertFile != "" || t.Cert != "") {
		detail = "the brokers took the handshake with the client's certificate"
	}
	if err := client.Ping(ctx); err != nil {
		failed(r, what, "", err)
		return false
	}
	r.OK(what, "%s", detail)
	return true
}

// failed reports an error of a client.
func failed(r *engine.CheckReport, what, doing string, err error) {
	detail, remedy := Explain(err)
	cause := oauth.Clean(err.Error())
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		detail, remedy = "no answer in time", "Allow more time by --timeout, and look whether the brokers are busy."
	case detail == "" && (errors.Is(err, net.ErrClosed) || isEOF(err)):
		detail, remedy = "the broker hung up", "Look whether the port is that of a listener with TLS or SASL, and whether the blocks tls and sasl fit it; the broker's log has the reason."
	case detail == "":
		detail, remedy = cause, "Look into the log of the broker."
	default:
		detail += ": " + cause
	}
	if doing != "" {
		detail = doing + ": " + detail
	}
	r.Fail(what, detail, remedy)
}

// checkBrokers reaches every broker by the address that the cluster tells
// clients, which need not be one that this machine can reach.
func (c *Connection) checkBrokers(ctx context.Context, r *engine.CheckReport, client *kgo.Client, conf *tls.Config, brokers kadm.BrokerDetails, seen []string) {
	reports := make([]engine.CheckReport, len(brokers))
	ok := each(len(brokers), func(i int) bool {
		b := brokers[i]
		address := net.JoinHostPort(b.Host, fmt.Sprint(b.Port))
		what := fmt.Sprintf("broker %d at %s", b.NodeID, address)
		if !slices.Contains(seen, address) && !probe.Reach(ctx, &reports[i], probe.Target{What: what, Address: address, TLS: conf, Timeout: c.config.DialTimeout, Option: "advertised.listeners of the broker", Quiet: true}) {
			return false
		}
		if _, err := client.Broker(int(b.NodeID)).Request(ctx, kmsg.NewPtrApiVersionsRequest()); err != nil {
			failed(&reports[i], what, "", err)
			return false
		}
		return true
	})
	reached := 0
	for i := range reports {
		if ok[i] {
			reached++
		}
		for _, check := range reports[i].Checks() {
			if check.Status == engine.CheckFailure {
				check.Detail = "the cluster names this address, and " + check.Detail
			}
			r.Add(check)
		}
	}
	if reached == len(brokers) {
		r.OK("cluster", "%s, reached by the addresses that it tells", plural(len(brokers), "broker"))
	}
	if c.config.Rack == "" {
		return
	}
	if !slices.ContainsFunc(brokers, func(b kadm.BrokerDetail) bool { return b.Rack != nil && *b.Rack == c.config.Rack }) {
		r.Warn("rack", "no broker says that it is in the rack "+c.config.Rack, "Correct rack, or set broker.rack of the brokers.")
	}
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func checkVersions(ctx context.Context, r *engine.CheckReport, client *kgo.Client) {
	versions, err := kadm.NewClient(client).ApiVersions(ctx)
	if err != nil {
		r.Unknown("version", "the brokers do not tell it: "+oauth.Clean(err.Error()), "")
		return
	}
	of := map[string][]string{}
	for _, v := range versions.Sorted() {
		if v.Err == nil {
			guess := v.VersionGuess()
			of[guess] = append(of[guess], fmt.Sprint(v.NodeID))
		}
	}
	var texts []string
	for v, ids := range of {
		texts = append(texts, fmt.Sprintf("%s (broker %s)", v, strings.Join(ids, ", ")))
	}
	slices.Sort(texts)
	switch len(texts) {
	case 0:
		r.Unknown("version", "the brokers do not tell it", "")
	case 1:
		for v := range of {
			r.OK("version", "speaks as Kafka %s", v)
		}
	default:
		r.Warn("version", "brokers speak as different versions: "+strings.Join(texts, "; "), "If no upgrade is under way, bring all brokers to one version.")
	}
}

// maxSkew is how far clocks may be apart: records get their times from both.
const maxSkew = 2 * time.Second

// checkClock compares clocks. The only time that a broker tells without a
// record is that at which the leader of the quorum saw its members last.
func (c *Connection) checkClock(ctx context.Context, r *engine.CheckReport, client *kgo.Client) {
	theirs, err := time.Time{}, error(kerr.ClusterAuthorizationFailed)
	may := mayDescribeCluster(ctx, client)
	before := time.Now()
	if may {
		theirs, err = quorumTime(ctx, client)
	}
	after := time.Now()
	if err == nil {
		judgeClock(r, "the cluster's", theirs, before, after, time.Second)
		return
	}
	if c.tokens != nil {
		if d, at, ok := c.tokens.clock(); ok {
			judgeClock(r, "the identity provider's", at.Add(d), at, at, time.Second)
			return
		}
	}
	why, remedy := "the brokers tell their time to nobody (before Kafka 3.3, or with ZooKeeper)", ""
	if errors.Is(err, kerr.ClusterAuthorizationFailed) {
		why, remedy = "the brokers tell their time only to users with the right to", "Have the user granted DESCRIBE on the cluster to see it."
	}
	r.Unknown("clock", why, remedy)
}

// mayDescribeCluster reports whether the user has the right to see the quorum.
// Without it the brokers would log the question as an error.
func mayDescribeCluster(ctx context.Context, client *kgo.Client) bool {
	req := kmsg.NewPtrDescribeClusterRequest()
	req.IncludeClusterAuthorizedOperations = true
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		return true // brokers that do not know it: they say what they make of the next one
	}
	yes, known := allowed(resp.ClusterAuthorizedOperations, kmsg.ACLOperationDescribe)
	return yes || !known
}

// quorumTime is the time of the leader of the quorum, at most the interval of
// its members' fetches (500 ms) old.
func quorumTime(ctx context.Context, client *kgo.Client) (time.Time, error) {
	req := kmsg.NewPtrDescribeQuorumRequest()
	topic := kmsg.NewDescribeQuorumRequestTopic()
	topic.Topic = "__cluster_metadata"
	topic.Partitions = append(topic.Partitions, kmsg.NewDescribeQuorumRequestTopicPartition())
	req.Topics = append(req.Topics, topic)
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		return time.Time{}, err
	}
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return time.Time{}, err
	}
	latest := int64(-1)
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			for _, s := range slices.Concat(p.CurrentVoters, p.Observers) {
				latest = max(latest, s.LastFetchTimestamp, s.LastCaughtUpTimestamp)
			}
		}
	}
	if latest <= 0 {
		return time.Time{}, errNoTime
	}
	return time.UnixMilli(latest), nil
}

var errNoTime = errors.New("no time in the answer")

// judgeClock compares a clock that was read between two moments of ours and is
// exact to grain.
func judgeClock(r *engine.CheckReport, whose string, theirs, before, after time.Time, grain time.Duration) {
	ahead := time.Duration(0)
	switch {
	case theirs.After(after):
		ahead = theirs.Sub(after)
	case theirs.Before(before):
		ahead = -before.Sub(theirs)
	}
	off := max(ahead.Abs()-grain, 0)
	if off <= maxSkew {
		r.OK("clock", "within %s of %s", engine.DurationText(maxSkew), whose)
		return
	}
	direction := "behind"
	if ahead < 0 {
		direction = "ahead of"
	}
	r.Warn("clock", fmt.Sprintf("this machine's clock is %s %s %s", ahead.Abs().Round(100*time.Millisecond), direction, whose),
		"Set the clocks right (NTP): times of records, of start and of tokens depend on them.")
}

// checkEmbedded looks at the folder; the broker is not started.
func (c *Connection) checkEmbedded(r *engine.CheckReport) {
	if !probe.Folder(r, c.config.Embedded, true) {
		return
	}
	path := filepath.Join(c.config.Embedded, "flow.lock")
	if _, err := os.Stat(path); err == nil {
		lock, err := lockFile(path)
		if err != nil {
			r.Fail("embedded broker", err.Error(), "Stop the other run, or give this one another folder.")
			return
		}
		_ = lock.Close()
	}
	r.OK("embedded broker", "starts with the run")
	if c.config.EmbeddedPort > 0 {
		probe.Listen(context.Background(), r, net.JoinHostPort("127.0.0.1", fmt.Sprint(c.config.EmbeddedPort)), "embedded_port")
	}
}

// allowed reports whether a bit field of rights holds an operation; known is
// false where the broker does not tell rights.
func allowed(rights int32, op kmsg.ACLOperation) (yes, known bool) {
	if rights == math.MinInt32 {
		return false, false
	}
	return rights&(1<<op) != 0, true
}
