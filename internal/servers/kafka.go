package servers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// KafkaOptions says which cluster to start. The zero value is one broker
// without security.
type KafkaOptions struct {
	// Brokers is their number; 0 is 1. Several replicate everything, also the
	// positions of groups and the state of transactions, and need all but one
	// to confirm a write.
	Brokers int
	// Security adds the listeners SSL, MutualTLS, SASLPlaintext and SASLSSL.
	Security bool
	// ACLs makes the brokers ask who may do what: Admin and who comes without a
	// name, through Plaintext or SSL, may do all, everybody else nothing without
	// a rule.
	ACLs bool
	// Proxied adds the listener Proxied, whose clients are sent to addresses
	// at which nobody listens until a test puts a proxy there.
	Proxied bool
	// Racks puts each broker into a rack of its own, called rack- and its id,
	// and lets consumers read from the copy in theirs.
	Racks bool
	// Properties of the brokers, over those that this package sets. A broker
	// that was killed waits for broker.session.timeout.ms before it serves again.
	Properties map[string]string
	// JVM flags, after those that this package sets, such as -Xmx1g.
	JVM []string
}

// Listener names an entrance of the brokers.
type Listener string

// The listeners. All but Plaintext must be asked for by KafkaOptions.
const (
	Plaintext     Listener = "PLAINTEXT"
	SSL           Listener = "SSL"            // encrypted; a client certificate is not asked for
	MutualTLS     Listener = "MTLS"           // encrypted; the certificate's common name is the user
	SASLPlaintext Listener = "SASL_PLAINTEXT" // every mechanism of Mechanisms
	SASLSSL       Listener = "SASL_SSL"       // the same, encrypted
	Proxied       Listener = "PROXIED"        // plain text through a proxy
	controller    Listener = "CONTROLLER"
)

// protocol is Kafka's name of what a listener speaks.
func (l Listener) protocol() string {
	switch l {
	case MutualTLS:
		return "SSL"
	case Proxied, controller:
		return "PLAINTEXT"
	default:
		return string(l)
	}
}

// Mechanisms lists what SASLPlaintext and SASLSSL accept.
func Mechanisms() []string {
	return []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"}
}

// Cluster is a running cluster of Apache Kafka. Its brokers are called by
// their node ids, 1 to Brokers. All methods may be called from any goroutine,
// those that act on one broker not at the same time for the same broker.
type Cluster struct {
	opts    KafkaOptions
	dir     string // everything of this cluster
	store   string // what was fetched
	java    jdk
	dog     *watchdog
	shared  bool
	nodes   []*node
	secrets *secrets // nil without security
}

// node is one broker.
type node struct {
	id    int
	dir   string
	ports map[Listener]int
	// advertised is where clients of Proxied are sent.
	advertised int

	mu      sync.Mutex // guards what follows
	process *process
	paused  bool
}

// StartKafka starts a cluster and waits until every broker serves. Close it.
// Tests call Kafka or SharedKafka.
func StartKafka(ctx context.Context, opts KafkaOptions) (*Cluster, error) {
	java, err := findJDK(ctx)
	if err != nil {
		return nil, fmt.Errorf("starting Kafka: no usable Java, run make servers: %w", err)
	}
	store, err := find("kafka", java)
	if err != nil {
		return nil, fmt.Errorf("starting Kafka: %w", err)
	}
	return startKafka(ctx, opts, store, java, func(*Cluster) {})
}

// startTries bounds how often a cluster is started with other ports.
const startTries = 5

// startKafka is StartKafka from a folder that may not be ready. It calls chosen
// when ports are chosen and nothing listens at them yet.
func startKafka(ctx context.Context, opts KafkaOptions, store string, java jdk, chosen func(*Cluster)) (*Cluster, error) {
	if opts.Brokers == 0 {
		opts.Brokers = 1
	}
	var errs []error
	for range startTries {
		c, err := newCluster(opts, store, java)
		if err != nil {
			return nil, fmt.Errorf("starting Kafka: %w", err)
		}
		chosen(c)
		if err = c.startAll(ctx); err == nil {
			return c, nil
		}
		clash := strings.Contains(c.Logs(math.MaxInt), "Address already in use")
		err = fmt.Errorf("starting Kafka: %w\n%s", err, c.Logs(30))
		c.Close()
		if !clash {
			return nil, err
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// newCluster writes the folders of all brokers and starts none.
func newCluster(opts KafkaOptions, store string, java jdk) (*Cluster, error) {
	dog, err := theWatchdog()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(dog.dir, "kafka-")
	if err != nil {
		return nil, err
	}
	c := &Cluster{opts: opts, dir: dir, store: store, java: java, dog: dog}
	if opts.Security {
		if c.secrets, err = newSecrets(dir); err != nil {
			return nil, err
		}
	}
	for id := 1; id <= opts.Brokers; id++ {
		n := &node{id: id, dir: filepath.Join(dir, fmt.Sprintf("broker-%d", id)), ports: map[Listener]int{}}
		for _, l := range append(c.listeners(), controller) {
			if n.ports[l], err = thePorts.free(); err != nil {
				return nil, err
			}
		}
		if n.advertised, err = thePorts.free(); err != nil {
			return nil, err
		}
		c.nodes = append(c.nodes, n)
	}
	for _, n := range c.nodes {
		if err := c.format(n); err != nil {
			return nil, fmt.Errorf("formatting broker %d: %w", n.id, err)
		}
	}
	return c, nil
}

func (c *Cluster) listeners() []Listener {
	list := []Listener{Plaintext}
	if c.opts.Security {
		list = append(list, SSL, MutualTLS, SASLPlaintext, SASLSSL)
	}
	if c.opts.Proxied {
		list = append(list, Proxied)
	}
	return list
}

func (c *Cluster) startAll(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, errNotReady)
	defer cancel()
	for _, n := range c.nodes {
		if err := c.launch(n); err != nil {
			return err
		}
	}
	for _, n := range c.nodes {
		if err := c.ready(ctx, n, c.opts.Brokers); err != nil {
			return err
		}
	}
	return nil
}

// startTimeout is long: a start takes one to three seconds, but the machines
// of tests are busy.
const startTimeout = 90 * time.Second

var errNotReady = fmt.Errorf("not ready after %s", startTimeout)

// launch starts a broker's process.
func (c *Cluster) launch(n *node) error {
	path, err := kafkaClassPath(c.store)
	if err != nil {
		return err
	}
	args := append(c.flags(), "-cp", path, "kafka.Kafka", "server.properties")
	p, err := startProcess(c.dog, n.dir, n.log(), c.java.tool("java"), args...)
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.process, n.paused = p, false
	return nil
}

// flags keep a broker small and quick to start: little heap, the collector
// with the least threads, one compiler, and the classes from an archive.
func (c *Cluster) flags() []string {
	return slices.Concat([]string{
		"-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData",
		"-Xshare:auto", "-XX:SharedArchiveFile=" + filepath.Join(c.store, archiveFile),
		"-Djava.io.tmpdir=" + c.dir,
		"-Dlog4j2.configurationFile=" + filepath.Join(c.store, logFile),
		"-Dorg.apache.kafka.sasl.oauthbearer.allowed.files=" + filepath.Join(c.dir, jwksFile),
		"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=" + "file://" + filepath.Join(c.dir, jwksFile),
	}, c.opts.JVM)
}

// ready waits until a broker answers and knows so many living brokers, itself
// among them.
func (c *Cluster) ready(ctx context.Context, n *node, brokers int) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(n.addr(Plaintext)))
	if err != nil {
		return err
	}
	defer cl.Close()
	n.mu.Lock()
	p := n.process
	n.mu.Unlock()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		select {
		case <-p.done:
			cancel(fmt.Errorf("the process ended: %w", p.err))
		case <-stop:
		}
	}()
	err = poll(ctx, func(ctx context.Context) error { return answers(ctx, cl, int32(n.id), brokers) })
	if err != nil {
		return fmt.Errorf("broker %d: %w", n.id, err)
	}
	return nil
}

// answers asks the broker behind cl for the brokers that it knows.
func answers(ctx context.Context, cl *kgo.Client, id int32, brokers int) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{}
	got, err := cl.SeedBrokers()[0].Request(ctx, req)
	if err != nil {
		return err
	}
	m := got.(*kmsg.MetadataResponse)
	self := slices.ContainsFunc(m.Brokers, func(b kmsg.MetadataResponseBroker) bool { return b.NodeID == id })
	if !self || len(m.Brokers) < brokers || m.ControllerID < 0 {
		return fmt.Errorf("it knows %d brokers and controller %d", len(m.Brokers), m.ControllerID)
	}
	return nil
}

// Addrs returns the addresses of all brokers for clients that speak plain text.
func (c *Cluster) Addrs() []string { return c.AddrsOf(Plaintext) }

// AddrsOf returns the addresses of all brokers at a listener. Those of Proxied
// are where proxies belong; see Upstream.
func (c *Cluster) AddrsOf(l Listener) []string {
	var addrs []string
	for _, n := range c.nodes {
		if l == Proxied {
			addrs = append(addrs, loopback(n.advertised))
		} else {
			addrs = append(addrs, n.addr(l))
		}
	}
	return addrs
}

// Upstream is where the proxy of a broker at the listener Proxied forwards to.
// The proxy listens at AddrsOf(Proxied)[id-1].
func (c *Cluster) Upstream(id int) string { return c.nodes[id-1].addr(Proxied) }

// Brokers returns the node ids of all brokers, running or not.
func (c *Cluster) Brokers() []int {
	var ids []int
	for _, n := range c.nodes {
		ids = append(ids, n.id)
	}
	return ids
}

// Close kills all brokers and removes their data.
func (c *Cluster) Close() {
	for _, n := range c.nodes {
		n.mu.Lock()
		if n.process != nil {
			n.process.kill()
		}
		n.mu.Unlock()
	}
	_ = os.RemoveAll(c.dir) // the watchdog tries again
}

// Logs returns the last lines that each broker logged.
func (c *Cluster) Logs(lines int) string { return c.logsSince(nil, lines) }

// logsSince returns the last lines that each broker logged after the sizes
// that logSizes has returned.
func (c *Cluster) logsSince(from map[int]int64, lines int) string {
	var b strings.Builder
	for _, n := range c.nodes {
		data, err := os.ReadFile(n.log())
		if err != nil {
			continue
		}
		data = data[min(from[n.id], int64(len(data))):]
		fmt.Fprintf(&b, "broker %d logged last:\n%s\n", n.id, tail(string(data), lines))
	}
	return b.String()
}

func (c *Cluster) logSizes() map[int]int64 {
	sizes := map[int]int64{}
	for _, n := range c.nodes {
		if info, err := os.Stat(n.log()); err == nil {
			sizes[n.id] = info.Size()
		}
	}
	return sizes
}

func (n *node) log() string { return filepath.Join(n.dir, "log") }

func (n *node) addr(l Listener) string { return loopback(n.ports[l]) }

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// writeProperties writes a file of Java properties.
func writeProperties(path string, p map[string]string) error {
	var b strings.Builder
	escape := strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	for _, k := range slices.Sorted(maps.Keys(p)) {
		fmt.Fprintf(&b, "%s=%s\n", k, escape.Replace(p[k]))
	}
	return os.WriteFile(path, []byte(b.String()), 0o600)
}
