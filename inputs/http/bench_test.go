package http

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
)

// BenchmarkRequests: 16 senders over loopback, each request confirmed at once.
// bare is the same server without an input behind it.
func BenchmarkRequests(b *testing.B) {
	for _, lines := range []int{1, 100} {
		body := bytes.Repeat([]byte(fmt.Sprintf("{\"id\":1,\"pad\":%q}\n", bytes.Repeat([]byte("x"), 280))), lines)
		b.Run(fmt.Sprintf("bare/%d records", lines), func(b *testing.B) {
			c := Defaults().(*Config)
			c.Address = "127.0.0.1:0"
			s := newServer(c, enginetest.Env(b, "x"))
			if err := s.listen(b.Context()); err != nil {
				b.Fatal(err)
			}
			defer s.close(context.Background())
			s.http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				s.confirm(w, 1)
			})
			load(b, "http://"+s.address, body, lines)
		})
		b.Run(fmt.Sprintf("input/%d records", lines), func(b *testing.B) {
			c := Defaults().(*Config)
			c.Address = "127.0.0.1:0"
			made, err := newInput(c, enginetest.Env(b, "x"))
			if err != nil {
				b.Fatal(err)
			}
			in := made.(*input)
			host := enginetest.NewHost(engine.BatchLimits{})
			if err := in.Open(b.Context(), host); err != nil {
				b.Fatal(err)
			}
			ctx, stop := context.WithCancel(b.Context())
			var pump sync.WaitGroup
			pump.Go(func() {
				for {
					batch, err := in.Read(ctx)
					if err != nil {
						return
					}
					src := batch.Source()
					batch.Done()
					batch.Release()
					_ = in.Commit(ctx, []*engine.Source{src})
				}
			})
			load(b, "http://"+in.srv.address, body, lines)
			stop()
			pump.Wait()
			_ = in.Close(context.Background())
		})
	}
}

func load(b *testing.B, url string, body []byte, lines int) {
	const senders = 16
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: senders}}
	defer client.CloseIdleConnections()
	var wg sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(b.N))
	b.ReportAllocs()
	b.ResetTimer()
	for range senders {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				resp, err := client.Post(url, lineType, bytes.NewReader(body))
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					b.Errorf("status %d", resp.StatusCode)
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N*lines)/b.Elapsed().Seconds(), "records/s")
}
