// The dashboards and rules for those who build their monitoring from mixins.
local configured = import 'rules/configured.libsonnet';

local defaults = {
  // For every metric that is scraped, such as 'environment="production"'.
  selector: '',
  // Whether to value accounts, too: rules/collateral.yaml, which needs their holdings as series.
  collateral: false,
  // Where the links of alerts begin.
  runbookUrl: 'https://github.com/binance-asset-index-exporter/binance-asset-index-exporter/blob/main/docs/runbooks.md',
  dashboardUrl: 'http://localhost:3000/d',
  // By alert and severity, in the order of the expression; texts, so that they stay as they are written.
  limits: {
    BinanceAssetIndexStale: { warning: ['30'], critical: ['120'] },  // seconds
    BinanceHaircutIncreased: { critical: ['0.01'] },
    BinanceHaircutSpreadUnusual: { warning: ['0.1'] },  // share of the median
    BinanceStablecoinDepegged: { warning: ['0.003', '0.005'], critical: ['0.01', '0.015'] },  // the second is for FDUSD
    BinanceUsdtOffParity: { warning: ['0.005'], critical: ['0.015'] },
    BinanceYieldTokenDrawdown: { warning: ['0.003'], critical: ['0.01'] },
    BinanceIndexDropped: { warning: ['0.05', '0.1'], critical: ['0.1', '0.2'] },  // in 5 minutes, in an hour
    BinanceApiWeightHigh: { warning: ['0.5'], critical: ['0.8'] },
    BinanceApiRequestsFailing: { warning: ['0.1'] },
  },
};

{
  _config+:: defaults,
  grafanaDashboards+:: {
    'binance-multi-assets-haircut-spreads.json': import 'dashboards/haircut_spreads.json',
    'binance-multi-assets-asset.json': import 'dashboards/asset.json',
    'binance-multi-assets-pegs-and-drops.json': import 'dashboards/pegs_and_drops.json',
    'binance-multi-assets-collateral.json': import 'dashboards/collateral.json',
    'binance-multi-assets-exporter-and-api.json': import 'dashboards/exporter_and_api.json',
  },
  local this = self,
  prometheusRules+:: {
    groups+: configured(std.parseYaml(importstr 'rules/recording.yaml').groups, this._config, defaults)
             + (if this._config.collateral then std.parseYaml(importstr 'rules/collateral.yaml').groups else []),
  },
  prometheusAlerts+:: {
    groups+: configured(std.parseYaml(importstr 'rules/alerts.yaml').groups, this._config, defaults),
  },
}
