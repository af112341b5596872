// A rival: the plain way to write this exporter in Go, with client_golang.
//
//	go_exporter PORT BASE_URL
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

type row struct {
	Symbol                string `json:"symbol"`
	Time                  int64  `json:"time"`
	Index                 string `json:"index"`
	BidRate               string `json:"bidRate"`
	AskRate               string `json:"askRate"`
	BidBuffer             string `json:"bidBuffer"`
	AskBuffer             string `json:"askBuffer"`
	AutoExchangeBidRate   string `json:"autoExchangeBidRate"`
	AutoExchangeAskRate   string `json:"autoExchangeAskRate"`
	AutoExchangeBidBuffer string `json:"autoExchangeBidBuffer"`
	AutoExchangeAskBuffer string `json:"autoExchangeAskBuffer"`
}

type gauge struct {
	desc  *prometheus.Desc
	value func(*row) string
}

func newGauge(name, field string, value func(*row) string) gauge {
	help := "API field " + field + "."
	return gauge{prometheus.NewDesc("binance_"+name, help, []string{"symbol"}, nil), value}
}

type collector struct {
	url    string
	client http.Client
	gauges []gauge
	time   gauge
}

func newCollector(baseURL string) *collector {
	return &collector{
		url:    baseURL + "/fapi/v1/assetIndex",
		client: http.Client{Timeout: 5 * time.Second},
		gauges: []gauge{
			newGauge("price_usd", "index", func(r *row) string { return r.Index }),
			newGauge("bid_rate_usd", "bidRate", func(r *row) string { return r.BidRate }),
			newGauge("ask_rate_usd", "askRate", func(r *row) string { return r.AskRate }),
			newGauge("bid_buffer_ratio", "bidBuffer", func(r *row) string { return r.BidBuffer }),
			newGauge("ask_buffer_ratio", "askBuffer", func(r *row) string { return r.AskBuffer }),
			newGauge("auto_exchange_bid_rate_usd", "autoExchangeBidRate", func(r *row) string { return r.AutoExchangeBidRate }),
			newGauge("auto_exchange_ask_rate_usd", "autoExchangeAskRate", func(r *row) string { return r.AutoExchangeAskRate }),
			newGauge("auto_exchange_bid_buffer_ratio", "autoExchangeBidBuffer", func(r *row) string { return r.AutoExchangeBidBuffer }),
			newGauge("auto_exchange_ask_buffer_ratio", "autoExchangeAskBuffer", func(r *row) string { return r.AutoExchangeAskBuffer }),
		},
		time: newGauge("time_seconds", "time", nil),
	}
}

func (c *collector) Describe(descs chan<- *prometheus.Desc) {
	for _, g := range append(c.gauges, c.time) {
		descs <- g.desc
	}
}

func (c *collector) Collect(metrics chan<- prometheus.Metric) {
	rows, err := c.fetch()
	if err != nil {
		metrics <- prometheus.NewInvalidMetric(c.time.desc, err)
		return
	}
	for i := range rows {
		r := &rows[i]
		for _, g := range c.gauges {
			value, err := strconv.ParseFloat(g.value(r), 64)
			if err != nil {
				metrics <- prometheus.NewInvalidMetric(g.desc, err)
				continue
			}
			metrics <- prometheus.MustNewConstMetric(g.desc, prometheus.GaugeValue, value, r.Symbol)
		}
		seconds := float64(r.Time) / 1000
		metrics <- prometheus.MustNewConstMetric(c.time.desc, prometheus.GaugeValue, seconds, r.Symbol)
	}
}

func (c *collector) fetch() ([]row, error) {
	response, err := c.client.Get(c.url)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var rows []row
	err = json.NewDecoder(response.Body).Decode(&rows)
	return rows, err
}

func main() {
	prometheus.MustRegister(newCollector(os.Args[2]))
	http.Handle("/metrics", promhttp.Handler())
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
