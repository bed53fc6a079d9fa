package kafka

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/record"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	away := startCluster(t)
	nowhere := connect(away.ListenAddrs())
	away.Close()
	make := func(t *testing.T, ref engine.ConnectionRef) engine.Output {
		config := Defaults()
		config.Connection, config.Topic = ref, literal("out")
		o, err := New(config, enginetest.Env(t, "output.kafka.out"))
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	enginetest.RunOutput(t, enginetest.OutputCase{
		New: func(t *testing.T) enginetest.Target {
			c := startCluster(t, kfake.SeedTopics(1, "out"))
			return enginetest.Target{
				Output: make(t, connect(c.ListenAddrs())),
				Read: func(t *testing.T) []enginetest.Record {
					n := int(c.PartitionInfo("out", 0).HighWatermark)
					var list []enginetest.Record
					if n == 0 {
						return list
					}
					for _, r := range arrived(t, c.ListenAddrs(), "out", n) {
						e := enginetest.Record{Key: r.Key, Value: r.Value, Timestamp: r.Timestamp.UnixNano(), HasTimestamp: true}
						for _, h := range r.Headers {
							e.Headers = append(e.Headers, record.Header{Key: h.Key, Value: h.Value})
						}
						list = append(list, e)
					}
					return list
				},
			}
		},
		// Every record is taken as it is.
		Arrives: func(r enginetest.Record) (enginetest.Record, error) { return r, nil },
		Away:    func(t *testing.T) engine.Output { return make(t, nowhere) },
	})
}

func TestValidate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		edit func(*Config)
		want []string
	}{
		{"defaults", func(*Config) {}, nil},
		{"buffer under a batch", func(c *Config) { c.MaxBuffered = 1000 }, []string{"max_buffered"}},
		{"level of zstd", func(c *Config) { c.Compression, c.CompressionLevel = "zstd", 19 }, nil},
		{"level of gzip", func(c *Config) { c.Compression, c.CompressionLevel = "gzip", 10 }, []string{"compression_level"}},
		{"level of lz4", func(c *Config) { c.Compression, c.CompressionLevel = "lz4", 10 }, []string{"compression_level"}},
		{"level of a codec without", func(c *Config) { c.CompressionLevel = 1 }, []string{"compression_level"}},
		{"configuration without a name", func(c *Config) { c.CreateTopics = &CreateTopics{Config: map[string]string{"": "x"}} }, []string{"create_topics.config"}},
		{"header twice", func(c *Config) { c.Headers = engine.NamedExpressions{{Name: "a"}, {Name: "a"}} }, []string{"headers"}},
		{"header without a name", func(c *Config) { c.Headers = engine.NamedExpressions{{}} }, []string{"headers"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := Defaults()
			tt.edit(c)
			ps := c.Validate()
			if len(ps) != len(tt.want) {
				t.Fatalf("problems %v, want %v", ps, tt.want)
			}
			for i, p := range ps {
				if p.Option != tt.want[i] || p.Summary == "" || p.Detail == "" {
					t.Errorf("problem %+v, want one of %s", p, tt.want[i])
				}
			}
		})
	}
}
