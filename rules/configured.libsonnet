// Rules with another selector, other limits and other links, as mixin.libsonnet's `_config` asks for.

local isNameChar(c) = (c >= 'a' && c <= 'z') || (c >= '0' && c <= ':') || c == '_';  // ':' follows '9'

local nameLength(text, at=0) =
  if at < std.length(text) && isNameChar(text[at]) then nameLength(text, at + 1) else at;

// `binance_x` and `binance_x{...}` become `binance_x{SELECTOR}` and `binance_x{SELECTOR, ...}`. What rules record
// (`symbol:binance_x`) and what stands in a string stay.
local withSelector(expr, selector) =
  local parts = std.split(std.strReplace(expr, 'binance_', '\u0001'), '\u0001');  // older ones split at a character only
  local selected(before, part) =
    local last = if before == '' then ' ' else before[std.length(before) - 1];
    local length = nameLength(part);
    local name = std.substr(part, 0, length);
    local rest = std.substr(part, length, std.length(part));
    if last == '"' || last == '.' || isNameChar(last) then part
    else if std.startsWith(rest, '{') then name + '{' + selector + ', ' + std.substr(rest, 1, std.length(rest))
    else name + '{' + selector + '}' + rest;
  local joined = std.foldl(
    function(done, part) done + 'binance_' + selected(done, part), parts[1:], parts[0]
  );
  local replaced = [
    ['{__name__=~', '{' + selector + ', __name__=~'],
    ['(up{', '(up{' + selector + ', '],
    ['(up ', '(up{' + selector + '} '],
  ];
  std.foldl(function(text, pair) std.strReplace(text, pair[0], pair[1]), replaced, joined);

// Each limit is a number after `>` or `>=`; `defaults` are those in the file. By way of a mark, since a new limit may
// be the default of the next one.
local withLimits(expr, defaults, limits) =
  local pairs = std.makeArray(
    std.length(defaults), function(i) [defaults[i], '@' + i + '@', limits[i]]
  );
  local replace(text, from, to) = std.foldl(
    function(done, operator) std.foldl(
      function(each, after) std.strReplace(each, operator + from + after, operator + to + after),
      [' ', '\n', ')'],
      done,
    ),
    ['> ', '>= '],
    text,
  );
  local marked = std.foldl(function(text, pair) replace(text, pair[0], pair[1]), pairs, expr + '\n');
  std.stripChars(std.foldl(function(text, pair) replace(text, pair[1], pair[2]), pairs, marked), '\n');

local limitsOf(limits, rule) =
  if std.objectHas(rule, 'alert') && std.objectHas(limits, rule.alert)
  then std.get(limits[rule.alert], rule.labels.severity, [])
  else [];

function(groups, config, defaults) [
  group {
    rules: [
      rule {
        local limited = withLimits(
          rule.expr, limitsOf(defaults.limits, rule), limitsOf(config.limits, rule)
        ),
        expr: if config.selector == '' then limited else withSelector(limited, config.selector),
      } + (
        if std.objectHas(rule, 'annotations') then {
          annotations: {
            [key]: std.foldl(
              function(text, link) std.strReplace(text, defaults[link], config[link]),
              ['runbookUrl', 'dashboardUrl'],
              rule.annotations[key],
            )
            for key in std.objectFields(rule.annotations)
          },
        } else {}
      )
      for rule in group.rules
    ],
  }
  for group in groups
]
