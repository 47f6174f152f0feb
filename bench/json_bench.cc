// A record as ECS JSON: one sshd line of 15 fields beside the derived ones.
#include <benchmark/benchmark.h>

#include "core/record/ecs_json.h"

namespace yushi {
namespace {

struct SshdRecord {
  std::string raw =
      "<86>1 2026-11-01T08:00:00.123456+08:00 web-1.finance.example sshd 812 ID47 - Failed password for invalid user "
      "oracle "
      "from 192.0.2.9 port 4242 ssh2 [preauth] tty=ssh res=failed uid=0 auid=4294967295 ses=12 exe=/usr/sbin/sshd";
  Origin origin;
  MessageKind kind{"sshd", "failed-password", "sshd", {}};
  std::vector<Capture> captures;
  Record record;

  SshdRecord() {
    origin.received_ns = 1793491200'123456789;
    origin.address = "192.0.2.1";
    origin.log = "finance";
    origin.node = "log-01";
    for (auto [name, text] : {std::pair{"host.name", "web-1.finance.example"},
                              {"process.name", "sshd"},
                              {"process.pid", "812"},
                              {"log.syslog.msgid", "ID47"},
                              {"user.name", "oracle"},
                              {"source.ip", "192.0.2.9"},
                              {"source.port", "4242"},
                              {"user.id", "0"},
                              {"process.executable", "/usr/sbin/sshd"}}) {
      std::string_view value(text);
      size_t from = captures.empty() ? 0 : captures.back().end();
      captures.push_back({static_cast<uint32_t>(raw.find(value, from)), static_cast<uint32_t>(value.size()) & 0xffffff,
                          0, find_field(name)});
    }
    for (auto [name, text] : {std::pair{"event.category", "authentication"},
                              {"event.type", "info"},
                              {"event.action", "ssh_login"},
                              {"event.outcome", "failure"}})
      kind.constants.push_back({find_field(name), text});
    record.raw = raw;
    record.origin = &origin;
    record.event_ns = 1793491200'123456000;
    record.event_digits = 6;
    record.priority = 86;
    record.message_begin = static_cast<uint32_t>(raw.find("Failed"));
    record.message_length = static_cast<uint32_t>(raw.size()) - record.message_begin;
    record.captures = captures;
    record.kind = &kind;
  }
};

void record_to_json(benchmark::State& state) {
  SshdRecord sshd;
  EcsJsonWriter writer;
  std::string out;
  for (auto _ : state) {
    out.clear();
    writer.write(sshd.record, {}, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(out.size()));
}
BENCHMARK(record_to_json);

void all_fields(benchmark::State& state) {
  SshdRecord sshd;
  Scratch scratch;
  for (auto _ : state) {
    scratch.clear();
    size_t bytes = 0;
    for_each_field(sshd.record, scratch, [&](const Field&, const Value& value) { bytes += value.text.size(); });
    benchmark::DoNotOptimize(bytes);
  }
}
BENCHMARK(all_fields);

void one_field(benchmark::State& state) {
  SshdRecord sshd;
  Scratch scratch;
  Value value;
  for (auto _ : state) {
    scratch.clear();
    benchmark::DoNotOptimize(first_value(sshd.record, ecs::source_ip, scratch, &value));
  }
}
BENCHMARK(one_field);

void find_name(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(find_field("http.response.status_code"));
}
BENCHMARK(find_name);

void plain_string(benchmark::State& state) {
  SshdRecord sshd;
  std::string out;
  for (auto _ : state) {
    out.clear();
    append_json_string(out, sshd.raw);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(plain_string);

}  // namespace
}  // namespace yushi
