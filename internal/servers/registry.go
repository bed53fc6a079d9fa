package servers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// RegistryServer is a running schema registry (Apicurio), whose data are in a
// file of its own and outlive Kill. Its compatibility level is BACKWARD. Beside
// plain HTTP it speaks TLS.
//
// It differs from Confluent's: schemas have no GUID; the level NONE of a subject
// does not override that of all; it asks nobody for a password.
type RegistryServer struct {
	dir       string
	jar       string
	java      jdk
	dog       *watchdog
	port, tls int
	ca        *CA

	mu      sync.Mutex // guards process
	process *process
}

// Registry starts a schema registry for one test, which may break it, and
// removes it with the test. If the test fails, the last lines of its log are
// printed. With -short the test is skipped; without a fetched server it fails.
func Registry(t testing.TB) *RegistryServer {
	t.Helper()
	skipShort(t)
	r, err := StartRegistry(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(r.Logs(failureLines))
		}
		r.Close()
	})
	return r
}

// StartRegistry starts a schema registry and waits until it serves. Close it.
// Tests call Registry.
func StartRegistry(ctx context.Context) (*RegistryServer, error) {
	r, err := startRegistry(ctx)
	if err != nil {
		return nil, fmt.Errorf("starting a schema registry: %w", err)
	}
	return r, nil
}

func startRegistry(ctx context.Context) (*RegistryServer, error) {
	java, err := findJDK(ctx)
	if err != nil {
		return nil, fmt.Errorf("no usable Java, run make servers: %w", err)
	}
	store, err := find("registry", java)
	if err != nil {
		return nil, err
	}
	jar, err := registryJar(store)
	if err != nil {
		return nil, err
	}
	dog, err := theWatchdog()
	if err != nil {
		return nil, err
	}
	var errs []error
	for range startTries {
		r := &RegistryServer{jar: jar, java: java, dog: dog}
		if err := r.prepare(); err != nil {
			return nil, err
		}
		if err = r.Start(ctx); err == nil {
			return r, nil
		}
		clash := strings.Contains(r.Logs(math.MaxInt), "already in use")
		err = fmt.Errorf("%w\n%s", err, r.Logs(30))
		r.Close()
		if !clash {
			return nil, err
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// The files of a registry's folder.
const (
	registryLog  = "log"
	registryCert = "cert.pem"
	registryKey  = "key.pem"
)

func (r *RegistryServer) prepare() (err error) {
	if r.dir, err = os.MkdirTemp(r.dog.dir, "registry-"); err != nil {
		return err
	}
	if r.port, err = thePorts.free(); err != nil {
		return err
	}
	if r.tls, err = thePorts.free(); err != nil {
		return err
	}
	if r.ca, err = NewCA(r.dir); err != nil {
		return err
	}
	cert, key, err := r.ca.Issue("localhost", time.Now().Add(time.Hour))
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(r.dir, registryCert), cert, 0o600),
		os.WriteFile(filepath.Join(r.dir, registryKey), key, 0o600),
	)
}

// Start starts a registry that was killed, with the same ports and data, and
// returns when it serves.
func (r *RegistryServer) Start(ctx context.Context) error {
	p, err := r.launch()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, errNotReady)
	defer cancel()
	err = poll(ctx, func(ctx context.Context) error {
		if !p.running() {
			cancel()
			return fmt.Errorf("the process ended: %w", p.err)
		}
		return r.request(ctx, http.MethodGet, "/health/ready", "")
	})
	if err != nil {
		return err
	}
	return r.request(ctx, http.MethodPut, registryPath+"/config", `{"compatibility":"BACKWARD"}`)
}

func (r *RegistryServer) launch() (*process, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.process != nil && r.process.running() {
		return nil, errors.New("it runs")
	}
	p, err := startProcess(r.dog, r.dir, filepath.Join(r.dir, registryLog), r.java.tool("java"),
		"-Xmx192m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Djava.io.tmpdir="+r.dir,
		"-Dquarkus.http.host=127.0.0.1", "-Dquarkus.http.port="+strconv.Itoa(r.port),
		"-Dquarkus.http.ssl-port="+strconv.Itoa(r.tls),
		"-Dquarkus.http.ssl.certificate.files="+filepath.Join(r.dir, registryCert),
		"-Dquarkus.http.ssl.certificate.key-files="+filepath.Join(r.dir, registryKey),
		// What was answered is on the disk, whatever ends the process then.
		"-Dquarkus.datasource.jdbc.url=jdbc:h2:file:"+filepath.Join(r.dir, "data")+";WRITE_DELAY=0",
		"-Dquarkus.http.access-log.enabled=false", "-Dquarkus.log.level=WARN",
		"-jar", r.jar)
	r.process = p
	return p, err
}

// request asks the registry for what must succeed.
func (r *RegistryServer) request(ctx context.Context, method, path, body string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+loopback(r.port)+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/vnd.schemaregistry.v1+json")
	transport := &http.Transport{DisableKeepAlives: true} // nothing is left of it
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, text)
	}
	return err
}

// registryPath is where the registry speaks as Confluent's does.
const registryPath = "/apis/ccompat/v7"

// URL is the base URL for clients of Confluent's Schema Registry.
func (r *RegistryServer) URL() string { return "http://" + loopback(r.port) + registryPath }

// TLSURL is URL with TLS; File of the CA is the certificate to trust.
func (r *RegistryServer) TLSURL() string { return "https://" + loopback(r.tls) + registryPath }

// CA signed the certificate of TLSURL.
func (r *RegistryServer) CA() *CA { return r.ca }

// Kill ends the registry by SIGKILL and returns when it is gone. That it ran is
// part of the contract: an error means that nothing was killed.
func (r *RegistryServer) Kill() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.process == nil || !r.process.running() {
		return errors.New("killing: the registry does not run")
	}
	r.process.kill()
	return nil
}

// Close kills the registry and removes its data.
func (r *RegistryServer) Close() {
	_ = r.Kill()            // it may be dead
	_ = os.RemoveAll(r.dir) // the watchdog tries again
}

// Logs returns the last lines that the registry logged.
func (r *RegistryServer) Logs(lines int) string {
	data, err := os.ReadFile(filepath.Join(r.dir, registryLog))
	if err != nil {
		return err.Error()
	}
	return "the registry logged last:\n" + tail(string(data), lines)
}
