// Every word the page shows, in both languages. Places in braces are filled by `text`.

export type Lang = 'zh' | 'en';

export const table = {
  app_title: { zh: '城市运行中心', en: 'City operations centre' },
  simulated: { zh: '模拟数据', en: 'Simulated data' },
  simulated_hint: {
    zh: '部分或全部数据来自模拟器，不代表真实城市',
    en: 'Some or all data come from a simulator and say nothing about a real city',
  },
  objects: { zh: '对象', en: 'Objects' },
  open_alerts: { zh: '未办结告警', en: 'Open alerts' },
  operator: { zh: '值班员', en: 'Operator' },
  operator_none: { zh: '未登记', en: 'not named' },
  switch_language: { zh: 'Switch to English', en: '切换到中文' },
  switch_language_short: { zh: 'EN', en: '中' },
  theme_dark: { zh: '切换到深色', en: 'Switch to dark' },
  theme_light: { zh: '切换到浅色', en: 'Switch to light' },

  connection_live: { zh: '实时', en: 'Live' },
  connection_connecting: { zh: '正在连接', en: 'Connecting' },
  connection_loading: { zh: '正在载入', en: 'Loading' },
  connection_waiting: { zh: '已断开，{seconds} 秒后重连', en: 'Offline, retry in {seconds} s' },
  loading_failed: { zh: '载入数据失败：{reason}', en: 'Loading failed: {reason}' },

  view_map: { zh: '地图', en: 'Map' },
  view_alerts: { zh: '告警', en: 'Alerts' },
  view_layers: { zh: '图层', en: 'Layers' },
  view_sources: { zh: '数据源', en: 'Sources' },
  views: { zh: '视图', en: 'Views' },

  layers: { zh: '图层', en: 'Layers' },
  layer_zones: { zh: '区域', en: 'Zones' },
  layer_alerts: { zh: '告警位置', en: 'Alert places' },
  layer_show: { zh: '显示{name}', en: 'Show {name}' },
  layer_objects: { zh: '列出{name}', en: 'List {name}' },
  layers_none: { zh: '还没有对象', en: 'No objects yet' },

  search: { zh: '搜索对象', en: 'Find objects' },
  search_hint: { zh: '名称或编号', en: 'Name or id' },
  all_types: { zh: '全部类型', en: 'All types' },
  only_unlocated: { zh: '只看无位置', en: 'Without location' },
  no_location: { zh: '无位置', en: 'no location' },
  more_results: { zh: '还有 {n} 个，请缩小范围', en: '{n} more: narrow the search' },
  no_results: { zh: '没有符合的对象', en: 'Nothing found' },

  map: { zh: '实时地图', en: 'Live map' },
  zoom_in: { zh: '放大', en: 'Zoom in' },
  zoom_out: { zh: '缩小', en: 'Zoom out' },
  fit: { zh: '显示全部', en: 'Show everything' },
  map_failed: {
    zh: '此浏览器无法显示地图（需要 WebGL）。其余功能可正常使用。',
    en: 'This browser cannot show the map (it needs WebGL). Everything else works.',
  },
  licences: { zh: '开源许可', en: 'Licences' },

  entity: { zh: '对象详情', en: 'Object' },
  entity_close: { zh: '关闭对象详情', en: 'Close object' },
  entity_locate: { zh: '在地图上定位', en: 'Show on map' },
  entity_follow: { zh: '跟随', en: 'Follow' },
  entity_alerts: { zh: '该对象的未办结告警：{n}', en: 'Open alerts of this object: {n}' },
  attribute: { zh: '属性', en: 'Attribute' },
  value: { zh: '数值', en: 'Value' },
  age: { zh: '更新', en: 'Age' },
  yes: { zh: '是', en: 'yes' },
  no: { zh: '否', en: 'no' },
  chart: { zh: '历史曲线', en: 'History' },
  chart_attribute: { zh: '属性', en: 'Attribute' },
  range: { zh: '时间范围', en: 'Range' },
  range_1h: { zh: '1 小时', en: '1 h' },
  range_24h: { zh: '24 小时', en: '24 h' },
  range_7d: { zh: '7 天', en: '7 d' },
  range_all: { zh: '全部', en: 'All' },
  chart_none: { zh: '没有可画曲线的数值属性', en: 'No numeric attribute to chart' },
  chart_empty: { zh: '此时间范围内没有记录', en: 'Nothing recorded in this range' },
  chart_loading: { zh: '正在读取历史…', en: 'Reading history…' },
  chart_failed: { zh: '读取历史失败：{reason}', en: 'Reading history failed: {reason}' },
  chart_downsampled: { zh: '均值及最小～最大范围', en: 'mean, and range from least to greatest' },

  alerts: { zh: '告警', en: 'Alerts' },
  alert_filter: { zh: '状态', en: 'State' },
  state_open: { zh: '未办结', en: 'Open' },
  state_raised: { zh: '待确认', en: 'Raised' },
  state_acknowledged: { zh: '已确认', en: 'Acknowledged' },
  state_assigned: { zh: '已指派', en: 'Assigned' },
  state_cleared: { zh: '已解除', en: 'Cleared' },
  state_closed: { zh: '已关闭', en: 'Closed' },
  state_all: { zh: '全部', en: 'All' },
  severity_informational: { zh: '提示', en: 'Info' },
  severity_low: { zh: '低', en: 'Low' },
  severity_medium: { zh: '中', en: 'Medium' },
  severity_high: { zh: '高', en: 'High' },
  severity_critical: { zh: '紧急', en: 'Critical' },
  alerts_none: { zh: '没有告警', en: 'No alerts' },
  alerts_more: { zh: '另有 {n} 条更早的告警未列出', en: '{n} older alerts not listed' },
  reloaded: { zh: '配置已更新', en: 'The configuration has changed' },
  alert_new: { zh: '新告警：{what}', en: 'New alert: {what}' },
  alert_show: { zh: '查看告警：{what}', en: 'Show alert: {what}' },
  department_none: { zh: '未指派', en: 'no department' },
  acknowledge: { zh: '确认', en: 'Acknowledge' },
  assign: { zh: '指派', en: 'Assign' },
  close: { zh: '关闭', en: 'Close' },
  assign_title: { zh: '指派给哪个部门？', en: 'Assign to which department?' },
  departments_none: { zh: '没有登记任何部门', en: 'No departments are declared' },
  operator_title: { zh: '请输入值班员姓名', en: 'Your name as operator' },
  operator_why: {
    zh: '姓名会记入告警的处置记录，并保存在本浏览器中。',
    en: 'It is written into the record of the alerts you handle, and remembered in this browser.',
  },
  login: { zh: '登录', en: 'Log in' },
  login_title: { zh: '请登录', en: 'Please log in' },
  login_user: { zh: '用户名', en: 'User name' },
  login_password: { zh: '密码', en: 'Password' },
  login_wrong: { zh: '用户名或密码不正确', en: 'Wrong user name or password' },
  login_wait: { zh: '失败次数过多，请稍候再试', en: 'Too many failed attempts: wait a little' },
  logout: { zh: '退出登录', en: 'Log out' },
  logout_title: { zh: '{user}，要退出登录吗？', en: 'Log {user} out?' },
  ok: { zh: '确定', en: 'OK' },
  cancel: { zh: '取消', en: 'Cancel' },
  dismiss: { zh: '关闭提示', en: 'Dismiss' },

  sources: { zh: '数据源账目', en: 'Source books' },
  sources_none: { zh: '没有登记任何数据源', en: 'No sources are declared' },
  received: { zh: '收到', en: 'received' },
  applied: { zh: '采用', en: 'applied' },
  late: { zh: '迟到', en: 'late' },
  duplicate: { zh: '重复', en: 'duplicate' },
  quarantined: { zh: '隔离', en: 'quarantined' },
  refused: { zh: '拒收', en: 'refused' },
  balanced: {
    zh: '账目平衡：收到的每一条都有去向',
    en: 'Balanced: every message received is accounted for',
  },
  unbalanced: { zh: '账目不平：相差 {n} 条', en: 'Not balanced: {n} unaccounted for' },
  per_second: { zh: '{n}/秒', en: '{n}/s' },
  last_heard: { zh: '最近收到', en: 'last heard' },
  never: { zh: '从未', en: 'never' },
  link_connecting: { zh: '正在连接', en: 'connecting' },
  link_connected: { zh: '已连接', en: 'connected' },
  link_waiting: { zh: '连接失败，等待重试', en: 'failed, will try again' },
  link_stopped: { zh: '已停止', en: 'stopped' },

  seconds_ago: { zh: '{n} 秒前', en: '{n} s ago' },
  minutes_ago: { zh: '{n} 分钟前', en: '{n} min ago' },
  hours_ago: { zh: '{n} 小时前', en: '{n} h ago' },
  days_ago: { zh: '{n} 天前', en: '{n} d ago' },
  just_now: { zh: '刚刚', en: 'just now' },

  error_network: { zh: '无法连接服务器', en: 'The server cannot be reached' },
  error_status: { zh: '服务器答复 {status}', en: 'The server answered {status}' },
  action_failed: { zh: '操作未成功：{reason}', en: 'Not done: {reason}' },
} as const satisfies Record<string, Record<Lang, string>>;

export type Key = keyof typeof table;

let current: Lang = 'zh';

export function setLang(lang: Lang): void {
  current = lang;
}

export function lang(): Lang {
  return current;
}

export function defaultLang(languages: readonly string[]): Lang {
  return (languages[0] ?? '').toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

export function text(key: Key, places: Readonly<Record<string, string | number>> = {}): string {
  return table[key][current].replace(/\{(\w+)\}/g, (whole, name: string) =>
    name in places ? String(places[name]) : whole,
  );
}

// A label that a pack declares; `name` where it declares none.
export function label(given: { zh?: string; en?: string } | undefined, name: string): string {
  const other = current === 'zh' ? 'en' : 'zh';
  return given?.[current] || given?.[other] || name;
}

const isKey = (key: string): key is Key => key in table;

// Words for a value that the server names, such as an alert's state; a name unknown here stays as it is.
export function word(prefix: string, name: string): string {
  const key = `${prefix}_${name}`;
  return isKey(key) ? text(key) : name;
}
