// Package registrytest is a schema registry for tests, within the process. It
// speaks the REST interface that clients of Confluent's Schema Registry use and
// refuses incompatible schemas, as it does.
package registrytest

import (
	"crypto/md5" //nolint:gosec // an id, as the registry makes it
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/flowrecords/flow/connections/registry/protosource"
	"github.com/flowrecords/flow/engine/record/avro"
	"github.com/flowrecords/flow/engine/record/protobuf"
	flowschema "github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/jsonschema"
)

// Registry is the handler. The zero value is not ready: see New.
type Registry struct {
	mux *http.ServeMux

	mu       sync.Mutex // guards the following
	schemas  []schema   // by id less 1
	subjects map[string][]int
	levels   map[string]string
	down     bool
	user     string
	password string
	token    string
	guids    GUIDs
	requests map[string]int
}

// GUIDs says where a registry tells the GUIDs of schemas.
type GUIDs int

// The kinds of registries: new ones tell it everywhere, some do not with a
// schema that is asked for by its id, and old ones know of none.
const (
	GUIDsEverywhere GUIDs = iota
	GUIDsOfVersions
	NoGUIDs
)

type schema struct {
	Schema     string      `json:"schema"`
	SchemaType string      `json:"schemaType,omitempty"`
	References []reference `json:"references,omitempty"`
}

type reference struct {
	Name    string `json:"name"`
	Subject string `json:"subject"`
	Version int    `json:"version"`
}

// New returns an empty registry whose level is BACKWARD.
func New() *Registry {
	r := &Registry{mux: http.NewServeMux(), subjects: map[string][]int{}, levels: map[string]string{"": "BACKWARD"}, requests: map[string]int{}}
	for pattern, h := range map[string]func(*http.Request) (any, *failure){
		"GET /subjects":                                             r.list,
		"POST /subjects/{subject}":                                  r.lookup,
		"GET /subjects/{subject}/versions":                          r.versions,
		"POST /subjects/{subject}/versions":                         r.register,
		"GET /subjects/{subject}/versions/{version}":                r.version,
		"GET /schemas/ids/{id}":                                     r.byID,
		"GET /schemas/ids/{id}/versions":                            r.versionsOf,
		"GET /schemas/guids/{guid}":                                 r.byGUID,
		"GET /schemas/types":                                        func(*http.Request) (any, *failure) { return []string{"JSON", "PROTOBUF", "AVRO"}, nil },
		"POST /compatibility/subjects/{subject}/versions/{version}": r.compatibility,
		"GET /config":                                               r.level,
		"GET /config/{subject}":                                     r.level,
		"PUT /config":                                               r.setLevel,
		"PUT /config/{subject}":                                     r.setLevel,
	} {
		r.mux.HandleFunc(pattern, func(w http.ResponseWriter, req *http.Request) { r.answer(w, req, h) })
	}
	return r
}

// SetDown makes every request fail with status 503, or answers again.
func (r *Registry) SetDown(down bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = down
}

// SetBasic asks for a name and a password from now on.
func (r *Registry) SetBasic(user, password string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.user, r.password = user, password
}

// SetToken asks for a bearer token from now on.
func (r *Registry) SetToken(token string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.token = token
}

// SetGUIDs makes it a registry of that kind; the first one is what New makes.
func (r *Registry) SetGUIDs(g GUIDs) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.guids = g
}

// Requests returns how many requests came for a method and path.
func (r *Registry) Requests(methodAndPath string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.requests[methodAndPath]
}

type failure struct {
	status, Code int
	Message      string
}

func fail(code int, format string, args ...any) *failure {
	status := code
	for status > 999 {
		status /= 10
	}
	return &failure{status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// ServeHTTP implements http.Handler.
func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) { r.mux.ServeHTTP(w, req) }

// answer holds the lock while a request is served.
func (r *Registry) answer(w http.ResponseWriter, req *http.Request, h func(*http.Request) (any, *failure)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests[req.Method+" "+req.URL.Path]++
	w.Header().Set("Content-Type", "application/vnd.schemaregistry.v1+json")
	var out any
	var f *failure
	user, password, _ := req.BasicAuth()
	switch {
	case r.down:
		f = fail(503, "down")
	case r.user != "" && (user != r.user || password != r.password), r.token != "" && req.Header.Get("Authorization") != "Bearer "+r.token:
		f = fail(401, "Unauthorized")
	default:
		out, f = h(req)
	}
	if f != nil {
		w.WriteHeader(f.status)
		out = map[string]any{"error_code": f.Code, "message": f.Message}
	}
	_ = json.NewEncoder(w).Encode(out) // the client sees what is missing
}

func (r *Registry) list(*http.Request) (any, *failure) {
	names := []string{}
	for s := range r.subjects {
		names = append(names, s)
	}
	slices.Sort(names)
	return names, nil
}

func (r *Registry) versions(req *http.Request) (any, *failure) {
	ids := r.subjects[req.PathValue("subject")]
	if len(ids) == 0 {
		return nil, noSubject(req)
	}
	out := make([]int, len(ids))
	for i := range ids {
		out[i] = i + 1
	}
	return out, nil
}

func noSubject(req *http.Request) *failure {
	return fail(40401, "Subject '%s' not found.", req.PathValue("subject"))
}

// read takes the schema of a request, in the form in which texts are compared.
func (r *Registry) read(req *http.Request) (schema, *failure) {
	var s schema
	if err := json.NewDecoder(req.Body).Decode(&s); err != nil {
		return s, fail(42201, "%v", err)
	}
	if s.SchemaType == "AVRO" {
		s.SchemaType = ""
	}
	if s.SchemaType == "" {
		parsed, err := r.parse(s)
		if err != nil {
			return s, fail(42201, "Invalid schema: %v", err)
		}
		s.Schema = parsed.Text()
	}
	var err error
	switch s.SchemaType {
	case "JSON":
		_, err = r.parseJSON(s)
	case "PROTOBUF":
		_, err = r.parseProtobuf(s)
	}
	if err != nil {
		return s, fail(42201, "Invalid schema: %v", err)
	}
	return s, nil
}

// parse reads an Avro schema with what it refers to.
func (r *Registry) parse(s schema) (*avro.Schema, error) {
	var refs []*avro.Schema
	for _, ref := range s.References {
		ids := r.subjects[ref.Subject]
		if ref.Version < 1 || ref.Version > len(ids) {
			return nil, fmt.Errorf("no version %d of %s", ref.Version, ref.Subject)
		}
		inner, err := r.parse(r.schemas[ids[ref.Version-1]-1])
		if err != nil {
			return nil, err
		}
		refs = append(refs, inner)
	}
	return avro.Parse([]byte(s.Schema), refs...)
}

func (r *Registry) find(s schema) int {
	for i := range r.schemas {
		if r.schemas[i].Schema == s.Schema && r.schemas[i].SchemaType == s.SchemaType && slices.Equal(r.schemas[i].References, s.References) {
			return i + 1
		}
	}
	return 0
}

func (r *Registry) register(req *http.Request) (any, *failure) {
	s, f := r.read(req)
	if f != nil {
		return nil, f
	}
	subject := req.PathValue("subject")
	id := r.find(s)
	if id == 0 || !slices.Contains(r.subjects[subject], id) {
		if reasons := r.incompatible(subject, s); len(reasons) > 0 {
			return nil, fail(409, "Schema being registered is incompatible with an earlier schema for subject %q, details: %v", subject, reasons)
		}
		if id == 0 {
			r.schemas = append(r.schemas, s)
			id = len(r.schemas)
		}
		r.subjects[subject] = append(r.subjects[subject], id)
	}
	out := map[string]any{"id": id}
	if r.guids != NoGUIDs {
		out["guid"] = r.guid(id)
	}
	return out, nil
}

// guid is made of the content, so that it is the same in every registry.
func (r *Registry) guid(id int) string {
	s := r.schemas[id-1]
	sum := md5.Sum([]byte(s.SchemaType + s.Schema)) //nolint:gosec // see the import
	h := fmt.Sprintf("%x", sum)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func (r *Registry) levelOf(subject string) string {
	if l := r.levels[subject]; l != "" {
		return l
	}
	return r.levels[""]
}

// incompatible says why s may not become a version of the subject.
func (r *Registry) incompatible(subject string, s schema) []string {
	level := r.levelOf(subject)
	ids := r.subjects[subject]
	if level == "NONE" || len(ids) == 0 {
		return nil
	}
	if !strings.HasSuffix(level, "_TRANSITIVE") {
		ids = ids[len(ids)-1:]
	}
	var reasons []string
	for _, id := range ids {
		old := r.schemas[id-1]
		if old.SchemaType != s.SchemaType {
			return []string{"the types of schemas differ"}
		}
		if !strings.HasPrefix(level, "FORWARD") {
			reasons = append(reasons, r.unreadable(old, s)...)
		}
		if !strings.HasPrefix(level, "BACKWARD") {
			reasons = append(reasons, r.unreadable(s, old)...)
		}
	}
	return reasons
}

// unreadable says why data of one schema cannot be read as the other.
func (r *Registry) unreadable(writer, reader schema) []string {
	var reasons []string
	if writer.SchemaType == "PROTOBUF" {
		w, err1 := r.parseProtobuf(writer)
		d, err2 := r.parseProtobuf(reader)
		if err := errors.Join(err1, err2); err != nil {
			return []string{err.Error()}
		}
		for _, m := range w.Messages {
			for _, n := range d.Messages {
				if m.Name == n.Name {
					reasons = append(reasons, protobuf.Compatible(m, n)...)
				}
			}
		}
		return reasons
	}
	if writer.SchemaType == "JSON" {
		w, err1 := r.parseJSON(writer)
		d, err2 := r.parseJSON(reader)
		if err := errors.Join(err1, err2); err != nil {
			return []string{err.Error()}
		}
		for _, e := range jsonschema.Compatible(d, w) {
			reasons = append(reasons, e.Error())
		}
		return reasons
	}
	w, err1 := r.parse(writer)
	d, err2 := r.parse(reader)
	if err := errors.Join(err1, err2); err != nil {
		return []string{err.Error()}
	}
	for _, i := range avro.Compatible(w, d) {
		reasons = append(reasons, i.String())
	}
	return reasons
}

func (r *Registry) parseJSON(s schema) (*flowschema.Schema, error) {
	return jsonschema.Parse([]byte(s.Schema), func(name string) ([]byte, error) {
		for _, ref := range s.References {
			if ids := r.subjects[ref.Subject]; ref.Name == name && ref.Version >= 1 && ref.Version <= len(ids) {
				return []byte(r.schemas[ids[ref.Version-1]-1].Schema), nil
			}
		}
		return nil, fmt.Errorf("no reference %s", name)
	})
}

// parseProtobuf compiles a file with what it refers to.
func (r *Registry) parseProtobuf(s schema) (*protobuf.File, error) {
	texts := map[string]string{}
	var add func(refs []reference)
	add = func(refs []reference) {
		for _, ref := range refs {
			if ids := r.subjects[ref.Subject]; texts[ref.Name] == "" && ref.Version >= 1 && ref.Version <= len(ids) {
				used := r.schemas[ids[ref.Version-1]-1]
				texts[ref.Name] = used.Schema
				add(used.References)
			}
		}
	}
	add(s.References)
	return protosource.Compile("", s.Schema, func(path string) (string, error) {
		if text := texts[path]; text != "" {
			return text, nil
		}
		return "", fs.ErrNotExist
	})
}

func (r *Registry) lookup(req *http.Request) (any, *failure) {
	s, f := r.read(req)
	if f != nil {
		return nil, f
	}
	subject := req.PathValue("subject")
	ids := r.subjects[subject]
	if len(ids) == 0 {
		return nil, noSubject(req)
	}
	at := slices.Index(ids, r.find(s))
	if at < 0 {
		return nil, fail(40403, "Schema not found")
	}
	return r.shown(subject, at), nil
}

// shown is version at+1 of a subject.
func (r *Registry) shown(subject string, at int) map[string]any {
	id := r.subjects[subject][at]
	s := r.schemas[id-1]
	out := map[string]any{"subject": subject, "version": at + 1, "id": id, "schema": s.Schema}
	if r.guids != NoGUIDs {
		out["guid"] = r.guid(id)
	}
	if s.SchemaType != "" {
		out["schemaType"] = s.SchemaType
	}
	if len(s.References) > 0 {
		out["references"] = s.References
	}
	return out
}

func (r *Registry) version(req *http.Request) (any, *failure) {
	subject, text := req.PathValue("subject"), req.PathValue("version")
	ids := r.subjects[subject]
	if len(ids) == 0 {
		return nil, noSubject(req)
	}
	v := len(ids)
	if text != "latest" {
		var err error
		if v, err = strconv.Atoi(text); err != nil || v == 0 || v < -1 {
			return nil, fail(42202, "The specified version '%s' is not a valid version id.", text)
		}
		if v == -1 {
			v = len(ids)
		}
	}
	if v > len(ids) {
		return nil, fail(40402, "Version %d not found.", v)
	}
	return r.shown(subject, v-1), nil
}

// idOf reads the id of a path.
func (r *Registry) idOf(req *http.Request) (int, *failure) {
	id, err := strconv.Atoi(req.PathValue("id"))
	if err != nil || id < 1 || id > len(r.schemas) {
		return 0, fail(40403, "Schema %s not found", req.PathValue("id"))
	}
	return id, nil
}

func (r *Registry) byID(req *http.Request) (any, *failure) {
	id, f := r.idOf(req)
	if f != nil {
		return nil, f
	}
	out := struct {
		schema
		GUID string `json:"guid,omitempty"`
	}{schema: r.schemas[id-1]}
	if r.guids == GUIDsEverywhere {
		out.GUID = r.guid(id)
	}
	return out, nil
}

func (r *Registry) versionsOf(req *http.Request) (any, *failure) {
	id, f := r.idOf(req)
	if f != nil {
		return nil, f
	}
	out := []map[string]any{}
	for _, subject := range slices.Sorted(maps.Keys(r.subjects)) {
		if at := slices.Index(r.subjects[subject], id); at >= 0 {
			out = append(out, map[string]any{"subject": subject, "version": at + 1})
		}
	}
	return out, nil
}

func (r *Registry) byGUID(req *http.Request) (any, *failure) {
	for i := range r.schemas {
		if r.guids != NoGUIDs && r.guid(i+1) == req.PathValue("guid") {
			return map[string]any{"schema": r.schemas[i].Schema, "schemaType": r.schemas[i].SchemaType, "references": r.schemas[i].References, "guid": r.guid(i + 1)}, nil
		}
	}
	return nil, fail(40403, "Schema %s not found", req.PathValue("guid"))
}

func (r *Registry) compatibility(req *http.Request) (any, *failure) {
	s, f := r.read(req)
	if f != nil {
		return nil, f
	}
	subject := req.PathValue("subject")
	if len(r.subjects[subject]) == 0 {
		return nil, noSubject(req)
	}
	reasons := r.incompatible(subject, s)
	return map[string]any{"is_compatible": len(reasons) == 0, "messages": reasons}, nil
}

func (r *Registry) level(req *http.Request) (any, *failure) {
	return map[string]any{"compatibilityLevel": r.levelOf(req.PathValue("subject"))}, nil
}

var levels = []string{"NONE", "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE"}

func (r *Registry) setLevel(req *http.Request) (any, *failure) {
	var in struct {
		Compatibility string `json:"compatibility"`
	}
	if json.NewDecoder(req.Body).Decode(&in) != nil || !slices.Contains(levels, in.Compatibility) {
		return nil, fail(42203, "Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, forward_transitive, and full_transitive")
	}
	r.levels[req.PathValue("subject")] = in.Compatibility
	return in, nil
}
