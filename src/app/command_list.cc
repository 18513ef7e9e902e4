#include "app/command_list.h"

namespace ficus::app {

std::vector<Command> command_list() {
  const OptionInfo config{"config", "FILE", "configuration (default: ficus.yaml if it is there)"};
  const OptionInfo ca{"ca", "FILE",
                      "with TLS, the authority to trust, PEM (default: the system's)"};
  std::vector<Command> list{
      {.name = "serve",
       .usage = "serve [--config FILE]",
       .summary = "run the brain until SIGTERM",
       .summary_zh = "运行城市大脑，直到收到 SIGTERM",
       .options = {config},
       .run = run_serve},
      {.name = "check",
       .usage = "check [--config FILE]",
       .summary = "check the configuration, packs, mappings and rules; start nothing",
       .summary_zh = "检查配置、数据包、映射和规则，不启动服务",
       .options = {config},
       .run = run_check},
      {.name = "demo",
       .usage = "demo [--data DIR] [--http ADDRESS] [--mqtt ADDRESS] [--speed N]",
       .summary = "run the brain with a simulated city",
       .summary_zh = "运行城市大脑并接入一座模拟城市",
       .options = {{"data", "DIR", "where the data is kept (default: ./demo-data)"},
                   {"http", "ADDRESS", "default: 127.0.0.1:8080"},
                   {"mqtt", "ADDRESS", "default: 127.0.0.1:1883"},
                   {"speed", "N", "simulated seconds a second (default: 1)"},
                   {"seed", "N", "of the city's randomness (default: 1)"},
                   {"scale", "N", "size of the city (default: 1)"}},
       .run = run_demo},
      {.name = "simulate",
       .usage = "simulate [--mqtt HOST:PORT] [--http HOST:PORT] [--ais HOST:PORT] [options]",
       .summary = "send a simulated city to a running brain over MQTT, HTTP and NMEA",
       .summary_zh = "通过 MQTT、HTTP 和 NMEA 向运行中的城市大脑发送模拟城市数据",
       .options = {{"mqtt", "HOST:PORT", "default: 127.0.0.1:1883; with TLS mqtts://HOST:PORT"},
                   {"http", "HOST:PORT", "default: 127.0.0.1:8080; with TLS https://HOST:PORT"},
                   ca,
                   {"ais", "HOST:PORT", "NMEA over UDP (default: 127.0.0.1:10110)"},
                   {"speed", "N", "simulated seconds a second (default: 1)"},
                   {"seed", "N", "of the city's randomness (default: 1)"},
                   {"scale", "N", "size of the city (default: 1)"},
                   {"seconds", "N", "stop after so many simulated seconds (default: never)"},
                   {"truth", "FILE", "write the injected incidents there, one JSON object a line"}},
       .run = run_simulate},
      {.name = "replay",
       .usage = "replay FILE|FOLDER --to TARGET [--speed N]",
       .summary = "send recorded data to a running brain at its own times, or faster",
       .summary_zh = "按原时间（或加速）向运行中的城市大脑重放录制的数据",
       .options =
           {{"to", "TARGET",
             "mqtt://HOST:PORT/TOPIC, http://HOST:PORT/ingest/SOURCE (with TLS mqtts, https), "
             "udp://HOST:PORT or tcp://HOST:PORT (for NMEA); {column} in TOPIC stands for a CSV "
             "column"},
            ca,
            {"speed", "N", "times faster than recorded; 0: as fast as possible (default: 1)"},
            {"time", "COLUMN", "the CSV column with the time (default: none, no pauses)"},
            {"limit", "N", "stop after so many records"}},
       .run = run_replay},
      {.name = "sql",
       .usage = "sql \"SELECT ...\" [--url URL] [--format FORMAT]",
       .summary = "ask a running brain's history",
       .summary_zh = "查询运行中的城市大脑的历史数据",
       .options = {{"url", "URL", "default: http://127.0.0.1:8080"},
                   ca,
                   {"format", "FORMAT",
                    "table, json, csv, arrow or parquet (default: table; the last two are for a "
                    "file or a pipe)"}},
       .run = run_sql},
      {.name = "source try",
       .usage = "source try NAME [--config FILE] [--topic TOPIC] < sample",
       .summary = "show what a payload on standard input would become",
       .summary_zh = "显示标准输入中的报文会被映射成什么",
       .options = {config, {"topic", "TOPIC", "the MQTT topic it would come in on"}},
       .run = run_source_try},
      {.name = "tls self-signed",
       .usage = "tls self-signed DIR [--host NAME]",
       .summary = "make a key and a certificate signed by itself, for trials of encryption",
       .summary_zh = "生成私钥和自签名证书，用于试用加密连接",
       .options = {{"host", "NAME", "a name or address beside localhost"}},
       .run = run_tls_self_signed},
      {.name = "log check",
       .usage = "log check [DIR] [--config FILE]",
       .summary = "read the whole log and report damage; changes nothing",
       .summary_zh = "通读日志并报告损坏，不做任何修改",
       .options = {config},
       .run = run_log_check},
  };
  add_user_commands(list);
  return list;
}

}  // namespace ficus::app
