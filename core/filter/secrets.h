// What in a text is a secret: passwords, tokens and keys, by data files (config/secrets/common.yaml is the first).
//
// Two ways. A key (`password`, `token`, `密码`) behind which an `=`, `:` or, where it is an option, a blank stands
// names its value, up to the quote or sign that ends it, in whatever quotes and escapes the text is. A pattern finds
// what has a form of its own (a JWT, a key's block, `-p` of mysql): RE2, asked only where one of its texts stands.
//
// It errs towards yes: to show too little is mended by asking again with the right to; to show a secret is not.
//
// Cost     A text that none of the texts stands in takes some 50 to 100 ns for 300 bytes (core/filter/literal_scan.h).
// Threads  Immutable after load().
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/charset.h"
#include "core/base/data_file.h"
#include "core/base/result.h"

namespace yushi {

struct SecretFile {
  std::string name, path, text;
};

// Every *.yaml of each directory, by name; later directories win. Errors and `left_out` as read_parser_directories().
Result<std::vector<SecretFile>> read_secret_directories(const std::vector<std::string>& directories,
                                                        std::vector<FileLeftOut>* left_out = nullptr);

class SecretRules {
 public:
  struct Span {
    uint32_t begin = 0, end = 0;
  };

  // invalid: every problem as file:line:column: what, one a line.
  static Result<std::shared_ptr<const SecretRules>> load(std::vector<SecretFile> files);
  ~SecretRules();
  const std::vector<SecretFile>& files() const;

  // Appends the places of secrets, in no order; they may overlap. None cuts an escape (`\"`) in two, so that JSON with
  // another text in the place of each is JSON.
  void find(std::string_view text, Charset charset, std::vector<Span>& out) const;
  // Whether a field of this name holds one, whatever its value: its last part is a key (`json.db_password`).
  bool is_secret_name(std::string_view field) const;
  // Whether the value is worth hiding: not when it is empty, `null`, or was masked before.
  bool is_worth_hiding(std::string_view value) const;

 private:
  struct State;
  SecretRules();
  std::unique_ptr<State> state_;
};

}  // namespace yushi
