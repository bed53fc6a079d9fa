package servers

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

// What prepareKafka makes beside lib.
const (
	consoleJar    = "console.jar"
	logFile       = "log4j2.yaml"
	templateDir   = "template"
	bootstrapFile = "bootstrap.checkpoint"
	archiveFile   = "kafka.jsa"
)

// prepareKafka compiles the console consumer, formats the template of data
// folders and makes the archive of loaded classes, which halves the start.
func prepareKafka(ctx context.Context, say sayFunc, source, dir string, java jdk) error {
	if err := os.CopyFS(dir, os.DirFS(source)); err != nil {
		return err
	}
	if err := buildConsole(ctx, source, dir, java); err != nil {
		return fmt.Errorf("building the console consumer: %w", err)
	}
	if err := makeTemplate(ctx, dir, java); err != nil {
		return fmt.Errorf("formatting the template of data folders: %w", err)
	}
	say("starting a broker to archive its classes")
	if err := archiveClasses(ctx, dir, java); err != nil {
		return fmt.Errorf("archiving classes: %w", err)
	}
	return nil
}

// kafkaClassPath lists every jar: an archive of classes holds for this very
// list in this order only, and a wildcard has no order.
func kafkaClassPath(dir string) (string, error) {
	jars, err := filepath.Glob(filepath.Join(dir, "lib", "*.jar")) // sorted
	if err != nil {
		return "", err
	}
	jars = append(jars, filepath.Join(dir, consoleJar))
	return strings.Join(jars, string(filepath.ListSeparator)), nil
}

func buildConsole(ctx context.Context, source, dir string, java jdk) error {
	classes := filepath.Join(dir, "classes")
	defer os.RemoveAll(classes)
	if err := command(ctx, dir, java.tool("javac"), "-nowarn", "-proc:none", "-cp", filepath.Join(dir, "lib", "*"), "-d", classes, filepath.Join(source, "Console.java")); err != nil {
		return err
	}
	return command(ctx, dir, java.tool("jar"), "--create", "--file", consoleJar, "-C", classes, ".")
}

// makeTemplate formats a data folder and keeps the part that is the same for
// every broker: the features and the users with their salted passwords.
func makeTemplate(ctx context.Context, dir string, java jdk) error {
	tmp, err := os.MkdirTemp("", "flow-servers-format")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	properties := filepath.Join(tmp, "server.properties")
	c := &Cluster{opts: KafkaOptions{Brokers: 1}}
	c.nodes = []*node{{id: 1, ports: map[Listener]int{Plaintext: 1, controller: 2}}}
	if err := writeProperties(properties, c.properties(c.nodes[0])); err != nil {
		return err
	}
	path, err := kafkaClassPath(dir)
	if err != nil {
		return err
	}
	args := []string{"-cp", path, "kafka.tools.StorageTool", "format", "-t", clusterID, "-c", properties}
	for _, user := range Users() {
		for _, m := range []string{"SCRAM-SHA-256", "SCRAM-SHA-512"} {
			args = append(args, "--add-scram", fmt.Sprintf("%s=[name=%s,password=%s]", m, user, Password(user)))
		}
	}
	if err := command(ctx, tmp, java.tool("java"), args...); err != nil {
		return err
	}
	data, err := os.ReadFile(filepath.Join(tmp, "data", bootstrapFile))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, templateDir), 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, templateDir, bootstrapFile), data, 0o644)
}

// archiveClasses runs a broker with all listeners through what tests do most,
// so that the archive holds the classes for it. It is written at the exit.
func archiveClasses(ctx context.Context, dir string, java jdk) error {
	c, err := startKafka(ctx, KafkaOptions{
		Security: true,
		JVM:      []string{"-XX:SharedArchiveFile=", "-XX:ArchiveClassesAtExit=" + filepath.Join(dir, archiveFile)},
	}, dir, java, func(*Cluster) {})
	if err != nil {
		return err
	}
	defer c.Close()
	if err := warm(ctx, c); err != nil {
		return err
	}
	if err := c.Stop(1); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, archiveFile)); err != nil {
		return fmt.Errorf("the JVM wrote none: %w\n%s", err, c.Logs(10))
	}
	return nil
}

// warm writes in a transaction and reads in a group.
func warm(ctx context.Context, c *Cluster) error {
	if err := c.CreateTopic(ctx, "warm", 1, nil); err != nil {
		return err
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.Addrs()...), kgo.TransactionalID("warm"), kgo.DefaultProduceTopic("warm"),
		kgo.ConsumerGroup("warm"), kgo.ConsumeTopics("warm"), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		return err
	}
	defer cl.Close()
	if err := cl.BeginTransaction(); err != nil {
		return err
	}
	if err := cl.ProduceSync(ctx, kgo.StringRecord("warm")).FirstErr(); err != nil {
		return err
	}
	if err := cl.EndTransaction(ctx, kgo.TryCommit); err != nil {
		return err
	}
	if err := cl.PollFetches(ctx).Err(); err != nil {
		return err
	}
	return cl.CommitUncommittedOffsets(ctx)
}

func command(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(name), err, tail(string(out), 15))
	}
	return nil
}
