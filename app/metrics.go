package app

import (
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
)

var requests = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "lobstead_http_request_seconds",
	Help: "How long answers took, by route pattern.", Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, 1, 5}}, []string{"method", "route", "status"})

// Register gives Prometheus the figures of a web side. Routes are patterns, never paths: ids are not labels.
func Register(a *App) {
	prometheus.MustRegister(requests, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "lobstead_event_streams",
		Help: "Open event streams."}, func() float64 { return float64(a.live.count()) }))
}

func observe(f *fiber.Ctx, r *Route, began time.Time) {
	requests.WithLabelValues(r.Method, r.Path, strconv.Itoa(f.Response().StatusCode())).Observe(time.Since(began).Seconds())
}
