// flood: lifelike syslog load on loopback, or the same corpus into a file.
//
//   flood --port 5514 --count 2500000                          octet-counted TCP, eight connections
//   flood --udp --port 5514 --rate 100000 --count 1000000
//   flood --write corpus.log --bytes 100MB --seed 7
//   flood --port 5514 --file corpus.log --framing newline
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flood/mix.h"
#include "flood/sender.h"

namespace yushi::flood {
namespace {

constexpr std::string_view kUsage =
    R"(usage: flood [options]

what is sent
  --count N            messages (default 100000 unless --bytes is given)
  --bytes N[kB|MB|GB|KiB|MiB|GiB]   until this many bytes of messages are made
  --seed N             the same seed gives the same traffic (default 1)
  --format 5424|3164   how the lifelike mix writes its headers (default 5424)
  --start SECONDS      Unix time of the first message, or `now` (default 2026-11-01)
  --needle N TEXT      plants N messages that name TEXT, spread evenly; may be given again
  --file FILE          the lines of FILE instead of the mix
  --write FILE         writes the messages there, one a line, instead of sending
where to
  --host ADDRESS       an address of 127.0.0.0/8 (default 127.0.0.1), no other is taken
  --port N             (default 5514)
  --udp                datagrams instead of TCP
  --tls                TLS over TCP; the server's certificate is not looked at
  --relp               RELP over TCP, with at most 1,024 frames that are not answered
  --unix PATH          datagrams to a unix socket
  --connections N      (default 8; 1 for --unix)
  --framing octet|newline           of TCP (default octet)
  --tenants N          connection c speaks for tenant t = 1 + c mod N from 127.<t / 256>.<t mod 256>.<1 + c / N>
                       (default 20)
  --spread             a host's messages keep to one connection; otherwise they are dealt in turn
  --rate N             messages a second (default: as fast as it goes)
  --max-seconds N      gives up then (default 120)
)";

struct Needle {
  uint64_t count;
  std::string text;
  uint64_t planted = 0;
};

struct Options {
  MixOptions mix;
  SendOptions send;
  uint64_t count = 0, bytes = 0;
  std::string file, write;
  std::vector<Needle> needles;
  bool spread = false;
  std::optional<uint32_t> connections;
};

[[noreturn]] void wrong(const std::string& what) {
  std::fprintf(stderr, "flood: %s\nflood --help tells the options\n", what.c_str());
  std::exit(2);
}

uint64_t number_of(const std::string& option, const std::string& text, bool with_unit = false) {
  size_t used = 0;
  unsigned long long value = 0;
  try {
    value = std::stoull(text, &used);
  } catch (const std::exception&) {
    wrong(option + ": `" + text + "` is no number");
  }
  auto unit = text.substr(used);
  static constexpr std::pair<std::string_view, uint64_t> kUnits[] = {
      {"", 1},           {"kB", 1'000},     {"MB", 1'000'000}, {"GB", 1'000'000'000},
      {"KiB", 1u << 10}, {"MiB", 1u << 20}, {"GiB", 1u << 30}};
  for (auto [name, factor] : kUnits)
    if (unit == name && (with_unit || name.empty()) && text[0] != '-') return value * factor;
  wrong(option + ": `" + text + "` is no number");
}

Options read_options(int argc, char** argv) {
  Options options;
  int at = 1;
  auto value = [&](const std::string& option) -> std::string {
    if (at >= argc) wrong(option + " wants a value");
    return argv[at++];
  };
  while (at < argc) {
    std::string o = argv[at++];
    if (o == "--help") {
      std::fputs(kUsage.data(), stdout);
      std::exit(0);
    }
    auto count = [&] { return number_of(o, value(o)); };
    if (o == "--count")
      options.count = count();
    else if (o == "--bytes")
      options.bytes = number_of(o, value(o), true);
    else if (o == "--seed")
      options.mix.seed = count();
    else if (o == "--format") {
      auto format = value(o);
      if (format != "5424" && format != "3164") wrong("--format: 5424 or 3164");
      options.mix.rfc3164 = format == "3164";
    } else if (o == "--start") {
      auto start = value(o);
      auto now = static_cast<uint64_t>(time(nullptr));
      options.mix.start_unix_us = (start == "now" ? now : number_of(o, start)) * 1'000'000;
    } else if (o == "--needle") {
      auto n = count();
      options.needles.push_back({n, value(o)});
    } else if (o == "--file")
      options.file = value(o);
    else if (o == "--write")
      options.write = value(o);
    else if (o == "--host")
      options.send.host = value(o);
    else if (o == "--port")
      options.send.port = static_cast<uint16_t>(count());
    else if (o == "--udp")
      options.send.transport = SendOptions::Transport::udp;
    else if (o == "--tls")
      options.send.tls = true;
    else if (o == "--relp")
      options.send.relp = true;
    else if (o == "--unix") {
      options.send.transport = SendOptions::Transport::unix_datagram;
      options.send.unix_path = value(o);
    } else if (o == "--connections")
      options.connections = static_cast<uint32_t>(count());
    else if (o == "--framing") {
      auto framing = value(o);
      if (framing != "octet" && framing != "newline") wrong("--framing: octet or newline");
      options.send.framing = framing == "octet" ? Framing::octet_counted : Framing::newline;
    } else if (o == "--tenants")
      options.send.tenants = static_cast<uint32_t>(count());
    else if (o == "--spread")
      options.spread = true;
    else if (o == "--rate")
      options.send.rate = static_cast<double>(count());
    else if (o == "--max-seconds")
      options.send.seconds_max = static_cast<uint32_t>(count());
    else
      wrong("unknown option " + o);
  }
  bool is_unix = options.send.transport == SendOptions::Transport::unix_datagram;
  options.send.connections = options.connections.value_or(is_unix ? 1 : 8);
  if (options.send.connections < 1 || options.send.connections > 1024) wrong("--connections: 1 to 1024");
  if (options.send.tenants < 1 || options.send.tenants > 60'000) wrong("--tenants: 1 to 60000");
  if (options.send.seconds_max > 86'400) wrong("--max-seconds: at most 86400");
  if (options.count == 0 && options.bytes == 0) options.count = 100'000;
  if (options.send.transport != SendOptions::Transport::tcp) options.send.framing = Framing::newline;
  return options;
}

// Calls take(host, line) for each message of the mix.
template <class Take>
void make(Options& options, Take&& take) {
  Mix mix(options.mix);
  std::string text;
  std::vector<Mix::Line> lines;
  uint64_t made = 0, bytes = 0;
  auto left = [&] {
    return (options.count == 0 || made < options.count) && (options.bytes == 0 || bytes < options.bytes);
  };
  auto part_done = [&] {
    double by_count = options.count == 0 ? 0 : static_cast<double>(made) / static_cast<double>(options.count);
    double by_bytes = options.bytes == 0 ? 0 : static_cast<double>(bytes) / static_cast<double>(options.bytes);
    return std::max(by_count, by_bytes);
  };
  while (left()) {
    text.clear();
    lines.clear();
    for (auto& needle : options.needles)
      // The k-th of N stands at (k + 1/2) / N of the way.
      if (needle.planted < needle.count &&
          part_done() * static_cast<double>(needle.count) >= static_cast<double>(needle.planted) + 0.5) {
        mix.needle(needle.text, text, lines);
        ++needle.planted;
      }
    mix.next_event(text, lines);
    for (const auto& line : lines) {
      if (!left()) break;
      take(line.host, std::string_view(text).substr(line.begin, line.length));
      ++made;
      bytes += line.length;
    }
  }
}

int run(Options options) {
  if (!options.write.empty()) {
    std::ofstream out(options.write, std::ios::binary | std::ios::trunc);
    uint64_t messages = 0, bytes = 0;
    make(options, [&](uint32_t, std::string_view line) {
      out.write(line.data(), static_cast<std::streamsize>(line.size())).put('\n');
      ++messages;
      bytes += line.size();
    });
    out.close();
    if (!out) {
      std::fprintf(stderr, "flood: writing %s failed\n", options.write.c_str());
      return 2;
    }
    std::printf("messages=%lu message_bytes=%lu\n", messages, bytes);
    return 0;
  }
  uint32_t lanes = options.send.connections;
  Traffic traffic(lanes, options.send.framing);
  if (!options.file.empty()) {
    if (auto added = traffic.add_file(options.file); !added) {
      std::fprintf(stderr, "flood: %s\n", added.error().message.c_str());
      return 2;
    }
  } else {
    uint64_t turn = 0;
    make(options, [&](uint32_t host, std::string_view line) {
      traffic.add(static_cast<uint32_t>((options.spread ? host : turn++) % lanes), line);
    });
  }
  traffic.finish();
  auto sent = send(traffic, options.send);
  if (!sent) {
    std::fprintf(stderr, "flood: %s\n", sent.error().message.c_str());
    return 2;
  }
  std::printf(
      "messages=%lu message_bytes=%lu wire_bytes=%lu seconds=%.3f drained_seconds=%.3f messages_per_second=%.0f "
      "cpu_seconds=%.3f prepared=%lu\n",
      sent->messages, sent->complete ? traffic.message_bytes() : 0, sent->wire_bytes, sent->seconds,
      sent->drained_seconds, static_cast<double>(sent->messages) / std::max(sent->seconds, 1e-9), sent->cpu_seconds,
      traffic.messages());
  if (!sent->complete) {
    std::fprintf(stderr, "flood: stopped early: %s\n", sent->trouble.c_str());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace yushi::flood

int main(int argc, char** argv) { return yushi::flood::run(yushi::flood::read_options(argc, argv)); }
