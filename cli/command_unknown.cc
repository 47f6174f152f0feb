// parsers unknown: the forms of what no product's parser understood, of the store or of a file.
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/file_commands.h"
#include "cli/output.h"
#include "core/base/clock.h"
#include "parsers/file/share_directory.h"
#include "parsers/understand.h"
#include "query/answers/unknown_lines.h"

namespace yushi::cli {
namespace {

constexpr size_t kFormsByDefault = 100;
constexpr size_t kLineBytesMax = (16 << 20) - 1;  // a capture's length has 24 bits
constexpr size_t kPaddingBytes = 64;              // simdjson reads beyond the text it parses

struct UnknownOptions : Options {
  std::string file;
  std::vector<std::string> parsers;
};

class FormPrinter {
 public:
  explicit FormPrinter(const UnknownOptions& options)
      : kind_(output_kind(options.output, OutputKind::columns)),
        rows_(out_, kind_, {"count", "dataset", "program", "host", "template", "example"}) {}

  void row(const nlohmann::ordered_json& said) {
    ++count_;
    auto text = [&](const char* name) { return said.value(name, std::string()); };
    rows_.row({std::to_string(said.value("count", uint64_t{0})), text("dataset"), text("program"), text("host"),
               text("template"), text("example")});
  }
  void line(const nlohmann::ordered_json& said) {
    if (kind_ != OutputKind::json) return row(said);
    ++count_;
    out_.json(json_of(said));
  }
  Out& out() { return out_; }
  OutputKind kind() const { return kind_; }
  int finish() {
    rows_.finish();
    out_.flush();
    return count_ ? kExitFound : kExitNothing;
  }
  void counted() { ++count_; }

 private:
  Out out_;
  OutputKind kind_;
  RowPrinter rows_;
  size_t count_ = 0;
};

int unknown_of_file(const UnknownOptions& options) {
  auto set = load_parsers(options.parsers);
  if (!set) return report(set.error());
  std::ifstream in(options.file, std::ios::binary);
  if (!in) return report(Error{Code::io, "opening " + options.file + ": " + std::strerror(errno)});

  parsers::Understander understander(*set);
  query::UnknownLines lines;
  Origin origin;
  origin.received_ns = realtime_ns();
  origin.transport = Transport::file;
  for (std::string line; std::getline(in, line);) {
    if (line.empty()) continue;
    line.resize(std::min(line.size(), kLineBytesMax));
    const auto size = line.size();
    line.resize(size + kPaddingBytes);
    Batch batch;
    Record record;
    record.raw = {line.data(), size};
    record.origin = &origin;
    record.marks = kByRelay;
    batch.records.push_back(record);
    understander.understand(batch, {}, false);
    lines.add(batch.records[0]);
  }
  if (in.bad()) return report(Error{Code::io, "reading " + options.file + " failed"});
  FormPrinter printer(options);
  for (auto& row :
       lines.rows(options.flag("limit") ? std::strtoull(options.text("limit").c_str(), nullptr, 10) : kFormsByDefault))
    printer.line(row);
  if (lines.rare()) say_notes({std::to_string(lines.rare()) + " lines of rare forms are not shown"});
  return printer.finish();
}

int unknown(const UnknownOptions& options) {
  if (!options.file.empty()) return unknown_of_file(options);
  FormPrinter printer(options);
  return ask_store(
      options, question_of("parsers/unknown", options),
      [&](std::string_view line) {
        if (printer.kind() == OutputKind::json) {
          printer.counted();
          printer.out().json(line);
        } else if (auto said = nlohmann::ordered_json::parse(line, nullptr, false); said.is_object()) {
          printer.row(said);
        }
        return printer.out().good();
      },
      [&](const AnswerEnd&) { return printer.finish(); });
}

}  // namespace

void add_unknown(CLI::App& parsers, Chosen& chosen) {
  auto options = std::make_shared<UnknownOptions>();
  auto* command = add_question(parsers, *options, "parsers/unknown");
  command->footer(
      "Examples: yushi parsers unknown --since 7d -n 20\n"
      "          yushi parsers unknown /var/log/vpn.log");
  command->add_option("file", options->file, "lines of a file, in place of the store's");
  command->add_option("--parsers", options->parsers, "folder of more parsers, with FILE; may be repeated")
      ->type_name("DIR")
      ->allow_extra_args(false);
  add_output_option(*command, *options);
  add_place_options(*command, *options);
  command->callback([options, &chosen] { chosen = [options] { return unknown(*options); }; });
}

}  // namespace yushi::cli
