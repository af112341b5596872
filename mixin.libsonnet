// The dashboards and rules for those who build their monitoring from mixins.
{
  grafanaDashboards+:: {
    'binance-multi-assets-haircut-spreads.json': import 'dashboards/haircut_spreads.json',
    'binance-multi-assets-asset.json': import 'dashboards/asset.json',
    'binance-multi-assets-pegs-and-drops.json': import 'dashboards/pegs_and_drops.json',
    'binance-multi-assets-collateral.json': import 'dashboards/collateral.json',
    'binance-multi-assets-exporter-and-api.json': import 'dashboards/exporter_and_api.json',
  },
  prometheusRules+:: {
    groups+: std.parseYaml(importstr 'rules/recording.yaml').groups,
  },
  prometheusAlerts+:: {
    groups+: std.parseYaml(importstr 'rules/alerts.yaml').groups,
  },
}
