package engine_test

import (
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/flowrecords/flow/engine"
)

type shared struct {
	Delimiter string `flow:"delimiter" doc:"What stands between records."`
}

type rotate struct {
	Size engine.ByteSize `flow:"size" min:"1KiB" doc:"Bytes of a file." example:"\"1MiB\""`
}

type port struct {
	Name string            `flow:",label" doc:"Its name."`
	When engine.Expression `flow:"when,required,bool" doc:"Its condition." example:"\"true\""`
}

type config struct {
	shared
	Path     engine.Template         `flow:"path,required,destination" allow:"paths" doc:"Where to."`
	Paths    []string                `flow:"paths" doc:"What path may be."`
	Mode     string                  `flow:"mode" oneof:"fast safe" doc:"How."`
	Linger   time.Duration           `flow:"linger" min:"0s" max:"1m" doc:"How long."`
	Buffer   engine.ByteSize         `flow:"buffer" doc:"How much."`
	Retries  int                     `flow:"retries" min:"0" doc:"How often."`
	Rate     float64                 `flow:"rate" doc:"How fast."`
	Fsync    bool                    `flow:"fsync" doc:"How safe."`
	Password engine.Secret           `flow:"password" doc:"The password."`
	Match    engine.Pattern          `flow:"match" doc:"What."`
	Set      engine.Assignments      `flow:"set" doc:"What to set."`
	Rename   engine.Renames          `flow:"rename" doc:"What to rename."`
	Headers  engine.NamedExpressions `flow:"headers" doc:"What to add."`
	Remove   []engine.PathOption     `flow:"remove" doc:"What to remove."`
	Labels   map[string]string       `flow:"labels" doc:"What to say."`
	Conn     engine.ConnectionRef    `flow:"connection" system:"kafka" doc:"Whom to ask."`
	Rotate   *rotate                 `flow:"rotate,block" doc:"When to rotate."`
	Cases    []port                  `flow:"case,block" doc:"Where to go."`

	Derived  int // no option
	internal int
}

func defaults() *config {
	c := &config{Mode: "fast", Linger: 90 * time.Second / 2, Buffer: 64 << 10, Retries: 3, Rate: 1.5,
		Password: engine.NewSecret("hunter2"), Match: engine.Pattern{Regexp: regexp.MustCompile(`\d+"${x}`)}, Paths: []string{"a", "b\n"}}
	c.Delimiter = "\n"
	c.internal = 1
	return c
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	s, err := engine.Describe(defaults())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := range s.Options {
		o := &s.Options[i]
		line := o.Name + ": " + o.Type
		if o.Default != "" {
			line += " = " + o.Default
		}
		for name, on := range map[string]bool{" required": o.Required, " secret": o.Secret, " repeated": o.Repeated} {
			if on {
				line += name
			}
		}
		got = append(got, line)
	}
	want := []string{
		`delimiter: string = "\n"`,
		`path: template required`,
		`paths: list of string = ["a", "b\n"]`,
		`mode: string = "fast"`,
		`linger: duration = "45s"`,
		`buffer: size = "64KiB"`,
		`retries: number = 3`,
		`rate: number = 1.5`,
		`fsync: bool = false`,
		`password: secret secret`,
		`match: pattern = "\\d+\"$${x}"`,
		`set: map of path to expression`,
		`rename: map of path to path`,
		`headers: map of expression`,
		`remove: list of path`,
		`labels: map of string`,
		`connection: connection.kafka`,
		`rotate: block`,
		`case: block repeated`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	c := defaults()
	s.Option("delimiter").Field(reflect.ValueOf(c)).SetString(";")
	if c.Delimiter != ";" {
		t.Error("Field does not reach into an embedded struct")
	}
	block := s.Option("case").Block
	if block.Label == nil || !block.Option("when").Bool {
		t.Errorf("case has label %v and options %v", block.Label, block.Names())
	}
}

func TestDescribeRefuses(t *testing.T) {
	t.Parallel()
	type inner struct {
		A string `flow:"a" doc:"."`
	}
	tests := []struct {
		name   string
		config any
		want   string
	}{
		{"no pointer", inner{}, "want a pointer"},
		{"no struct", new(int), "want a pointer"},
		{"name", &struct {
			A string `flow:"Aa"`
		}{}, "lower_snake_case"},
		{"unexported", &struct {
			a string `flow:"a"`
		}{}, "exported"},
		{"twice", &struct {
			inner
			B string `flow:"a"`
		}{}, "twice"},
		{"flag", &struct {
			A string `flow:"a,requierd"`
		}{}, "unknown flag"},
		{"type", &struct {
			A chan int `flow:"a"`
		}{}, "can have the type"},
		{"list of lists", &struct {
			A [][]string `flow:"a"`
		}{}, "can have the type"},
		{"unit of a text", &struct {
			A string `flow:"a" unit:"records"`
		}{}, "unit on a string"},
		{"unit of a duration", &struct {
			A time.Duration `flow:"a" unit:"s"`
		}{}, "unit on a duration"},
		{"version", &struct {
			A string `flow:"a" since:"v0.2"`
		}{}, "is no version"},
		{"bound", &struct {
			A int `flow:"a" min:"1s"`
		}{}, "bound"},
		{"bound of a text", &struct {
			A string `flow:"a" min:"1"`
		}{}, "bound"},
		{"bool", &struct {
			A string `flow:"a,bool"`
		}{}, "flag bool"},
		{"destination", &struct {
			A string `flow:"a,destination"`
		}{}, "flag destination"},
		{"oneof", &struct {
			A int `flow:"a" oneof:"1 2"`
		}{}, "oneof"},
		{"allow", &struct {
			A engine.Template `flow:"a,destination" allow:"b"`
		}{}, "allow names"},
		{"connection", &struct {
			A engine.ConnectionRef `flow:"a"`
		}{}, "tag system"},
		{"block", &struct {
			A string `flow:"a,block"`
		}{}, "a block is"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := engine.Describe(tt.config); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func described(typ string, defaults func() any) engine.Component {
	return engine.Component{Type: typ, Summary: "Does it.", Defaults: defaults, Examples: []engine.Example{{Title: "It", HCL: ""}}}
}

func TestCheckRegistry(t *testing.T) {
	t.Parallel()
	type good struct {
		A string `flow:"a" doc:"It."`
	}
	same := &good{}
	tests := []struct {
		name string
		c    engine.Component
		want string // empty: nothing is wrong
	}{
		{"good", described("good", func() any { return &good{} }), ""},
		{"no doc", described("x", func() any {
			return &struct {
				A string `flow:"a"`
			}{}
		}), "option a has no doc"},
		{"no summary", engine.Component{Type: "x", Defaults: func() any { return &good{} }}, "its summary is no line"},
		{"no example", engine.Component{Type: "x", Defaults: func() any { return &good{} }}, "has no example"},
		{"no defaults", engine.Component{Type: "x"}, "has no Defaults"},
		{"shared defaults", described("x", func() any { return same }), "same config twice"},
		{"type", described("X-1", func() any { return &good{} }), "lower_snake_case"},
		{"default not allowed", described("x", func() any {
			return &struct {
				A string `flow:"a" oneof:"b c" doc:"It."`
			}{A: "d"}
		}), `default "d" is none of`},
		{"default below", described("x", func() any {
			return &struct {
				A time.Duration `flow:"a" min:"1s" doc:"It."`
			}{}
		}), "below 1s"},
		{"default above", described("x", func() any {
			return &struct {
				A engine.ByteSize `flow:"a" max:"1KiB" doc:"It."`
			}{2048}
		}), "above 1KiB"},
		{"required with default", described("x", func() any {
			return &struct {
				A string `flow:"a,required" doc:"It."`
			}{"b"}
		}), "is required and has a default"},
		{"inner", described("x", func() any {
			return &struct {
				B []struct {
					A string `flow:"a"`
				} `flow:"b,block" doc:"It."`
			}{}
		}), "option b.a has no doc"},
		{"number without unit", described("x", func() any {
			return &struct {
				A int `flow:"a" doc:"It."`
			}{}
		}), "option a is a number without the tag unit"},
		{"numbers without unit", described("x", func() any {
			return &struct {
				A []float64 `flow:"a" doc:"It."`
			}{}
		}), "option a is a number without the tag unit"},
		{"number that counts nothing", described("x", func() any {
			return &struct {
				A int `flow:"a" unit:"" doc:"It."`
			}{}
		}), ""},
		{"version", since("1.0", described("x", func() any { return &good{} })), `Since "1.0" is no version`},
		{"option of a later version", since("0.9.0", described("x", func() any {
			return &struct {
				A string `flow:"a" since:"0.10.0" doc:"It."`
			}{}
		})), ""},
		{"option older than its component", since("0.10.0", described("x", func() any {
			return &struct {
				A string `flow:"a" since:"0.9.0" doc:"It."`
			}{}
		})), "option a is of version 0.9.0 and so older"},
		{"option older than its block", described("x", func() any {
			return &struct {
				B struct {
					A string `flow:"a" since:"0.2.0" doc:"It."`
				} `flow:"b,block" since:"0.3.0" doc:"It."`
			}{}
		}), "option b.a is of version 0.2.0 and so older"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, err := engine.NewRegistry(engine.Components{Processors: []engine.ProcessorFactory{{Component: tt.c,
				New: func(any, engine.Env) (engine.Processor, error) { return nil, nil }}}})
			if err != nil {
				t.Fatal(err)
			}
			err = engine.CheckRegistry(r)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
	r, err := engine.NewRegistry(engine.Components{Outputs: []engine.OutputFactory{{Component: described("x", func() any { return &good{} }), ValueConverter: "json"}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.CheckRegistry(r); err == nil || !strings.Contains(err.Error(), "has no New") || !strings.Contains(err.Error(), `value converter "json" does not exist`) || !strings.Contains(err.Error(), "has no Delivery") {
		t.Errorf("error %v", err)
	}
}

func TestCheckDelivery(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		kind engine.Kind
		d    engine.Delivery
		want string // empty: nothing is wrong
	}{
		{"output", engine.KindOutput, engine.Delivery{Confirms: "it is there", Lossy: "it may go", Idempotent: "it is keyed"}, ""},
		{"drop", engine.KindOutput, engine.Delivery{Confirms: "it is gone", Discards: true}, ""},
		{"input", engine.KindInput, engine.Delivery{Positions: "the sender", Once: "it is gone"}, ""},
		{"silent output", engine.KindOutput, engine.Delivery{}, "Confirms does not say"},
		{"capital", engine.KindOutput, engine.Delivery{Confirms: "It is there"}, "Confirms is no part of a sentence"},
		{"full stop", engine.KindInput, engine.Delivery{Once: "it is gone."}, "Once is no part of a sentence"},
		{"output with positions", engine.KindOutput, engine.Delivery{Confirms: "it is there", Positions: "there"}, "are of inputs"},
		{"input that confirms", engine.KindInput, engine.Delivery{Confirms: "it is there"}, "are of outputs"},
		{"lossy on purpose", engine.KindOutput, engine.Delivery{Confirms: "it is gone", Discards: true, Lossy: "it is gone"}, "not lossy"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := described("x", func() any { return &struct{}{} })
			says := func(any) engine.Delivery { return tt.d }
			var list engine.Components
			if tt.kind == engine.KindInput {
				list.Inputs = []engine.InputFactory{{Component: c, Delivery: says, New: func(any, engine.Env) (engine.Input, error) { return nil, nil }}}
			} else {
				list.Outputs = []engine.OutputFactory{{Component: c, Delivery: says, New: func(any, engine.Env) (engine.Output, error) { return nil, nil }}}
			}
			r, err := engine.NewRegistry(list)
			if err != nil {
				t.Fatal(err)
			}
			err = engine.CheckRegistry(r)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func since(version string, c engine.Component) engine.Component {
	c.Since = version
	return c
}

func TestUnits(t *testing.T) {
	t.Parallel()
	s, err := engine.Describe(&struct {
		A int             `flow:"a" unit:"records"`
		B []float64       `flow:"b" unit:"shares"`
		C time.Duration   `flow:"c"`
		D engine.ByteSize `flow:"d"`
		E string          `flow:"e" since:"0.2.0"`
		F float64         `flow:"f"`
	}{})
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		unit, since string
		whole       bool
	}{{"records", "", true}, {"shares", "", false}, {engine.UnitsDuration, "", false}, {engine.UnitsSize, "", false}, {"", "0.2.0", false}, {"", "", false}}
	for i, w := range want {
		if o := s.Options[i]; o.Unit != w.unit || o.Since != w.since || o.Whole != w.whole {
			t.Errorf("%s: unit %q, since %q, whole %v", o.Name, o.Unit, o.Since, o.Whole)
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	s := engine.DefaultSettings()
	c := described("settings", func() any { s := s; return &s })
	r, err := engine.NewRegistry(engine.Components{Processors: []engine.ProcessorFactory{{Component: c,
		New: func(any, engine.Env) (engine.Processor, error) { return nil, nil }}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.CheckRegistry(r); err != nil {
		t.Errorf("the options of a pipeline block: %v", err)
	}
}
