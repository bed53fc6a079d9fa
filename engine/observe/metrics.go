package observe

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// The metrics. Labels hold names from the config and of source partitions, and
// fixed words, never anything from a record.
var (
	elementLabels = []string{"pipeline", "element"}

	recordsIn = prometheus.NewDesc("flow_records_in_total",
		"Records that the element has taken; for an input, has read.", elementLabels, nil)
	recordsOut = prometheus.NewDesc("flow_records_out_total",
		"Records that the element has passed on, once for each port; for an output, that its system has confirmed.", elementLabels, nil)
	dropped = prometheus.NewDesc("flow_dropped_total",
		"Records that ended at the element on purpose, by reason.", append(elementLabels[:2:2], "reason"), nil)
	failed = prometheus.NewDesc("flow_errors_total",
		"Records that the element has refused for good.", elementLabels, nil)
	bytesTotal = prometheus.NewDesc("flow_bytes_total",
		"Bytes of keys and values that an input has read or an output has had confirmed.", elementLabels, nil)
	retries = prometheus.NewDesc("flow_retries_total",
		"Tries that failed for a reason that passes and were made again.", elementLabels, nil)
	busy = prometheus.NewDesc("flow_busy_seconds_total",
		"Time spent working. Processors that run as one stage count at the first one. For an input it includes waiting for its system.", elementLabels, nil)
	blocked = prometheus.NewDesc("flow_blocked_seconds_total",
		"Time spent waiting for room downstream.", elementLabels, nil)
	up = prometheus.NewDesc("flow_element_up",
		"1 while the input or output runs, 0 while it starts, waits to try again, or has ended.", elementLabels, nil)
	edgeBatches = prometheus.NewDesc("flow_edge_batches",
		"Batches that wait before the element.", elementLabels, nil)
	inFlightRecords = prometheus.NewDesc("flow_in_flight_records",
		"Records that are read and not yet confirmed.", elementLabels[:1], nil)
	inFlightBytes = prometheus.NewDesc("flow_in_flight_bytes",
		"Source bytes that are read and not yet confirmed.", elementLabels[:1], nil)
	progressBytes = prometheus.NewDesc("flow_input_done_bytes",
		"How far a bounded input has come.", elementLabels, nil)
	lagRecords = prometheus.NewDesc("flow_input_lag_records",
		"Records that are in the partition and not confirmed.", append(elementLabels[:2:2], "topic", "partition"), nil)
	lagSeconds = prometheus.NewDesc("flow_input_lag_seconds",
		"How long the oldest of them has been there.", append(elementLabels[:2:2], "topic", "partition"), nil)
	sentRequests = prometheus.NewDesc("flow_output_requests_total",
		"Requests with records that the output has sent, repeats among them.", elementLabels, nil)
	sentFailed = prometheus.NewDesc("flow_output_requests_failed_total",
		"Those that got no answer; their records are sent again.", elementLabels, nil)
	sentSeconds = prometheus.NewDesc("flow_output_request_seconds_total",
		"Time from writing a request to its answer, of all that were answered.", elementLabels, nil)
	sentBatches = prometheus.NewDesc("flow_output_batches_total",
		"Batches of records in these requests.", elementLabels, nil)
	sentBytes = prometheus.NewDesc("flow_output_batch_bytes_total",
		"Bytes of these batches before compression.", elementLabels, nil)
	sentCompressed = prometheus.NewDesc("flow_output_sent_bytes_total",
		"Bytes of these batches as they were sent.", elementLabels, nil)
	sentWaiting = prometheus.NewDesc("flow_output_waiting_bytes",
		"Bytes that the output has taken and that are not confirmed.", elementLabels, nil)
	sizeBytes = prometheus.NewDesc("flow_input_size_bytes",
		"How much a bounded input has to read, where that is known.", elementLabels, nil)
)

// Collector shows pipelines as Prometheus metrics. It reads counters only when
// it is asked.
type Collector struct {
	// Pipelines returns those to show; any goroutine may call it.
	Pipelines func() []Pipeline
}

// Describe implements prometheus.Collector.
func (c Collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		recordsIn, recordsOut, dropped, failed, bytesTotal, retries, busy, blocked, up, edgeBatches,
		inFlightRecords, inFlightBytes, progressBytes, sizeBytes, lagRecords, lagSeconds,
		sentRequests, sentFailed, sentSeconds, sentBatches, sentBytes, sentCompressed, sentWaiting,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c Collector) Collect(ch chan<- prometheus.Metric) {
	for _, p := range c.Pipelines() {
		collect(ch, p)
	}
}

const nanos = 1e9

func collect(ch chan<- prometheus.Metric, p Pipeline) {
	count := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, append([]string{p.Name()}, labels...)...)
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, append([]string{p.Name()}, labels...)...)
	}
	for _, e := range p.Elements() {
		count(recordsIn, float64(e.In.Load()), e.Address)
		count(recordsOut, float64(e.Out.Load()), e.Address)
		count(failed, float64(e.Errors.Load()), e.Address)
		count(bytesTotal, float64(e.Bytes.Load()), e.Address)
		count(retries, float64(e.Retries.Load()), e.Address)
		count(busy, float64(e.BusyNanos.Load())/nanos, e.Address)
		count(blocked, float64(e.BlockedNanos.Load())/nanos, e.Address)
		if reason := e.Reason(); reason != "" {
			count(dropped, float64(e.Dropped.Load()), e.Address, reason)
		}
	}
	for _, h := range p.Health() {
		v := 0.0
		if h.State == Running {
			v = 1
		}
		gauge(up, v, h.Element)
	}
	for _, e := range p.Edges() {
		gauge(edgeBatches, float64(e.Batches), e.To)
	}
	f := p.InFlight()
	gauge(inFlightRecords, float64(f.Records))
	gauge(inFlightBytes, float64(f.Bytes))
	if l, ok := p.(Lagging); ok {
		for addr, list := range l.Lag() {
			for _, lag := range list {
				partition := strconv.Itoa(int(lag.Partition))
				gauge(lagRecords, float64(lag.Records), addr, lag.Topic, partition)
				gauge(lagSeconds, lag.Age.Seconds(), addr, lag.Topic, partition)
			}
		}
	}
	if s, ok := p.(Sending); ok {
		for addr, x := range s.Sending() {
			count(sentRequests, float64(x.Requests), addr)
			count(sentFailed, float64(x.Failed), addr)
			count(sentSeconds, x.Took.Seconds(), addr)
			count(sentBatches, float64(x.Batches), addr)
			count(sentBytes, float64(x.Bytes), addr)
			count(sentCompressed, float64(x.Compressed), addr)
			gauge(sentWaiting, float64(x.Waiting), addr)
		}
	}
	for addr, done := range p.Progress() {
		gauge(progressBytes, float64(done.Done), addr)
		if done.Total > 0 {
			gauge(sizeBytes, float64(done.Total), addr)
		}
	}
}
