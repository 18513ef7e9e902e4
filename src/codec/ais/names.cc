#include "codec/ais/names.h"

#include <array>

namespace ficus::ais {
namespace {

// M.1371-5, annex 8, table 48.
constexpr std::array<Name, 16> kNavigationStatus{{
    {"Under way using engine", "机动航行"},
    {"At anchor", "锚泊"},
    {"Not under command", "失控"},
    {"Restricted maneuverability", "操纵能力受限"},
    {"Constrained by her draught", "吃水受限"},
    {"Moored", "系泊"},
    {"Aground", "搁浅"},
    {"Engaged in fishing", "从事捕捞"},
    {"Under way sailing", "驶帆航行"},
    {"Reserved for high-speed craft", "保留（高速船）"},
    {"Reserved for wing-in-ground craft", "保留（地效翼船）"},
    {"Power-driven vessel towing astern", "机动船尾拖作业"},
    {"Power-driven vessel pushing ahead or towing alongside", "机动船顶推或旁拖作业"},
    {"Reserved", "保留"},
    {"AIS-SART, MOB-AIS or EPIRB-AIS active", "搜救发射器、人员落水或应急示位标报警"},
    {"Not defined", "未定义"},
}};

// M.1371-5, annex 8, table 53: 30 to 39 and 50 to 59 have a meaning each.
constexpr std::array<Name, 10> kThirties{{
    {"Fishing", "渔船"},
    {"Towing", "拖带作业"},
    {"Towing, length over 200 m or breadth over 25 m", "拖带作业（长逾200米或宽逾25米）"},
    {"Dredging or underwater operations", "疏浚或水下作业"},
    {"Diving operations", "潜水作业"},
    {"Military operations", "军事行动"},
    {"Sailing", "帆船"},
    {"Pleasure craft", "游艇"},
    {"Reserved", "保留"},
    {"Reserved", "保留"},
}};
constexpr std::array<Name, 10> kFifties{{
    {"Pilot vessel", "引航船"},
    {"Search and rescue vessel", "搜救船"},
    {"Tug", "拖轮"},
    {"Port tender", "港口补给船"},
    {"Anti-pollution equipment", "防污染船"},
    {"Law enforcement", "执法船"},
    {"Local vessel", "当地船舶"},
    {"Local vessel", "当地船舶"},
    {"Medical transport", "医疗运输船"},
    {"Ship not party to an armed conflict", "非武装冲突方船舶"},
}};

// The other tens are a kind of ship with a second digit that says what it carries.
using Tens = std::array<Name, 10>;
constexpr Tens kWingInGround{{
    {"Wing in ground", "地效翼船"},
    {"Wing in ground, hazardous category A", "地效翼船（危险类别A）"},
    {"Wing in ground, hazardous category B", "地效翼船（危险类别B）"},
    {"Wing in ground, hazardous category C", "地效翼船（危险类别C）"},
    {"Wing in ground, hazardous category D", "地效翼船（危险类别D）"},
    {"Wing in ground, reserved", "地效翼船（保留）"},
    {"Wing in ground, reserved", "地效翼船（保留）"},
    {"Wing in ground, reserved", "地效翼船（保留）"},
    {"Wing in ground, reserved", "地效翼船（保留）"},
    {"Wing in ground, no additional information", "地效翼船（无附加信息）"},
}};
constexpr Tens kHighSpeed{{
    {"High-speed craft", "高速船"},
    {"High-speed craft, hazardous category A", "高速船（危险类别A）"},
    {"High-speed craft, hazardous category B", "高速船（危险类别B）"},
    {"High-speed craft, hazardous category C", "高速船（危险类别C）"},
    {"High-speed craft, hazardous category D", "高速船（危险类别D）"},
    {"High-speed craft, reserved", "高速船（保留）"},
    {"High-speed craft, reserved", "高速船（保留）"},
    {"High-speed craft, reserved", "高速船（保留）"},
    {"High-speed craft, reserved", "高速船（保留）"},
    {"High-speed craft, no additional information", "高速船（无附加信息）"},
}};
constexpr Tens kPassenger{{
    {"Passenger", "客船"},
    {"Passenger, hazardous category A", "客船（危险类别A）"},
    {"Passenger, hazardous category B", "客船（危险类别B）"},
    {"Passenger, hazardous category C", "客船（危险类别C）"},
    {"Passenger, hazardous category D", "客船（危险类别D）"},
    {"Passenger, reserved", "客船（保留）"},
    {"Passenger, reserved", "客船（保留）"},
    {"Passenger, reserved", "客船（保留）"},
    {"Passenger, reserved", "客船（保留）"},
    {"Passenger, no additional information", "客船（无附加信息）"},
}};
constexpr Tens kCargo{{
    {"Cargo", "货船"},
    {"Cargo, hazardous category A", "货船（危险类别A）"},
    {"Cargo, hazardous category B", "货船（危险类别B）"},
    {"Cargo, hazardous category C", "货船（危险类别C）"},
    {"Cargo, hazardous category D", "货船（危险类别D）"},
    {"Cargo, reserved", "货船（保留）"},
    {"Cargo, reserved", "货船（保留）"},
    {"Cargo, reserved", "货船（保留）"},
    {"Cargo, reserved", "货船（保留）"},
    {"Cargo, no additional information", "货船（无附加信息）"},
}};
constexpr Tens kTanker{{
    {"Tanker", "液货船"},
    {"Tanker, hazardous category A", "液货船（危险类别A）"},
    {"Tanker, hazardous category B", "液货船（危险类别B）"},
    {"Tanker, hazardous category C", "液货船（危险类别C）"},
    {"Tanker, hazardous category D", "液货船（危险类别D）"},
    {"Tanker, reserved", "液货船（保留）"},
    {"Tanker, reserved", "液货船（保留）"},
    {"Tanker, reserved", "液货船（保留）"},
    {"Tanker, reserved", "液货船（保留）"},
    {"Tanker, no additional information", "液货船（无附加信息）"},
}};
constexpr Tens kOther{{
    {"Other type", "其他船舶"},
    {"Other type, hazardous category A", "其他船舶（危险类别A）"},
    {"Other type, hazardous category B", "其他船舶（危险类别B）"},
    {"Other type, hazardous category C", "其他船舶（危险类别C）"},
    {"Other type, hazardous category D", "其他船舶（危险类别D）"},
    {"Other type, reserved", "其他船舶（保留）"},
    {"Other type, reserved", "其他船舶（保留）"},
    {"Other type, reserved", "其他船舶（保留）"},
    {"Other type, reserved", "其他船舶（保留）"},
    {"Other type, no additional information", "其他船舶（无附加信息）"},
}};

// M.1371-5, annex 8, table 74; 5 to 19 are fixed, 20 to 31 floating.
constexpr std::array<Name, 32> kAidType{{
    {"Not specified", "未指定"},
    {"Reference point", "参考点"},
    {"RACON", "雷达应答器"},
    {"Fixed structure off shore", "近海固定设施"},
    {"Emergency wreck marking buoy", "应急沉船示位标"},
    {"Light, without sectors", "无光弧灯标"},
    {"Light, with sectors", "有光弧灯标"},
    {"Leading light front", "前导灯"},
    {"Leading light rear", "后导灯"},
    {"Beacon, cardinal N", "北方位立标"},
    {"Beacon, cardinal E", "东方位立标"},
    {"Beacon, cardinal S", "南方位立标"},
    {"Beacon, cardinal W", "西方位立标"},
    {"Beacon, port hand", "左侧立标"},
    {"Beacon, starboard hand", "右侧立标"},
    {"Beacon, preferred channel port hand", "推荐航道左侧立标"},
    {"Beacon, preferred channel starboard hand", "推荐航道右侧立标"},
    {"Beacon, isolated danger", "孤立危险物立标"},
    {"Beacon, safe water", "安全水域立标"},
    {"Beacon, special mark", "专用立标"},
    {"Cardinal mark N", "北方位浮标"},
    {"Cardinal mark E", "东方位浮标"},
    {"Cardinal mark S", "南方位浮标"},
    {"Cardinal mark W", "西方位浮标"},
    {"Port hand mark", "左侧浮标"},
    {"Starboard hand mark", "右侧浮标"},
    {"Preferred channel port hand", "推荐航道左侧浮标"},
    {"Preferred channel starboard hand", "推荐航道右侧浮标"},
    {"Isolated danger", "孤立危险物浮标"},
    {"Safe water", "安全水域浮标"},
    {"Special mark", "专用浮标"},
    {"Light vessel, LANBY or rig", "灯船、大型助航浮标或平台"},
}};

// M.1371-5, annex 8, table 50.
constexpr std::array<Name, 9> kPositionDevice{{
    {"Undefined", "未定义"},
    {"GPS", "GPS"},
    {"GLONASS", "格洛纳斯"},
    {"Combined GPS/GLONASS", "GPS/格洛纳斯组合"},
    {"Loran-C", "罗兰C"},
    {"Chayka", "恰卡"},
    {"Integrated navigation system", "组合导航系统"},
    {"Surveyed", "实测"},
    {"Galileo", "伽利略"},
}};

// M.1371-5, annex 8, table 46.
constexpr std::array<Name, 27> kMessageType{{
    {"Position report", "船位报告"},
    {"Position report, assigned", "船位报告（指配）"},
    {"Position report, response to interrogation", "船位报告（应答询问）"},
    {"Base station report", "基站报告"},
    {"Static and voyage related data", "静态及航次数据"},
    {"Addressed binary message", "寻址二进制电文"},
    {"Binary acknowledgement", "二进制电文确认"},
    {"Binary broadcast message", "广播二进制电文"},
    {"Search and rescue aircraft position", "搜救飞机位置报告"},
    {"UTC and date inquiry", "世界时及日期询问"},
    {"UTC and date response", "世界时及日期应答"},
    {"Addressed safety message", "寻址安全电文"},
    {"Safety acknowledgement", "安全电文确认"},
    {"Safety broadcast message", "广播安全电文"},
    {"Interrogation", "询问"},
    {"Assignment mode command", "指配模式指令"},
    {"GNSS broadcast binary message", "卫星导航差分广播"},
    {"Class B position report", "B类船位报告"},
    {"Extended class B position report", "B类扩展船位报告"},
    {"Data link management", "数据链路管理"},
    {"Aid-to-navigation report", "航标报告"},
    {"Channel management", "信道管理"},
    {"Group assignment command", "群组指配指令"},
    {"Static data report", "静态数据报告"},
    {"Single slot binary message", "单时隙二进制电文"},
    {"Multiple slot binary message", "多时隙二进制电文"},
    {"Long-range position report", "远程船位报告"},
}};

constexpr Name kReserved{"Reserved", "保留"};
constexpr Name kUnknown{"Unknown", "未知"};

}  // namespace

Name navigation_status_name(std::uint8_t status) {
  return status < kNavigationStatus.size() ? kNavigationStatus[status] : kUnknown;
}

Name ship_type_name(std::uint8_t ship_type) {
  const std::size_t last_digit = ship_type % 10U;
  switch (ship_type / 10) {
    case 0:
      return ship_type == 0 ? Name{"Not available", "未提供"} : kReserved;
    case 2:
      return kWingInGround[last_digit];
    case 3:
      return kThirties[last_digit];
    case 4:
      return kHighSpeed[last_digit];
    case 5:
      return kFifties[last_digit];
    case 6:
      return kPassenger[last_digit];
    case 7:
      return kCargo[last_digit];
    case 8:
      return kTanker[last_digit];
    case 9:
      return kOther[last_digit];
    default:
      return kReserved;
  }
}

Name aid_type_name(std::uint8_t aid_type) {
  return aid_type < kAidType.size() ? kAidType[aid_type] : kUnknown;
}

Name position_device_name(std::uint8_t device) {
  if (device == 15) return {"Internal GNSS", "内置卫星导航"};
  if (device < kPositionDevice.size()) return kPositionDevice[device];
  return device < 15 ? kReserved : kUnknown;
}

Name message_type_name(std::uint8_t type) {
  return type >= 1 && type <= kMessageType.size() ? kMessageType[type - 1U] : kUnknown;
}

}  // namespace ficus::ais
