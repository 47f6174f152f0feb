// A record, an alert or a text as it may leave: with `[masked]` in the place of each secret.
//
// The record's raw is rewritten and its captures moved along, so that whatever is made of it afterwards (message,
// fields, lists, JSON, CSV, protobuf, rows of a pipe) shows the same: no output has a way of its own to forget. A
// capture is looked at as what it stands for too: by its name, unescaped, from hex, and the arguments of a command
// together.
//
// Every secret becomes the same text. Two that are equal cannot be told from two that differ, nor long ones from short
// ones: a mark made of the secret would let whoever can send a line try passwords until the marks are alike.
//
// Threads  One owner. Memory: what mask() gives lives until its next call.
// Cost     Some 100 ns for a record without a candidate; 1 to 5 µs where one has to be looked at.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/filter/secrets.h"
#include "core/record/record.h"

namespace yushi {

constexpr std::string_view kMasked = "[masked]";

class SecretMask {
 public:
  // None masks nothing.
  explicit SecretMask(std::shared_ptr<const SecretRules> rules) : rules_(std::move(rules)) {}
  const std::shared_ptr<const SecretRules>& rules() const { return rules_; }

  // The record itself where nothing is masked; else another with Mark kMaskedSecrets, whose digest is still that of the
  // whole raw.
  const Record& mask(const Record& record);
  // JSON stays JSON. The text itself where nothing is masked.
  std::string_view mask(std::string_view text);

 private:
  using Span = SecretRules::Span;
  void find_in_captures(const Record& record);
  void find_in_arguments(const Record& record);
  void find_in_lines(const Record& event);
  bool is_secret_name(const Field& field);
  void settle_spans();
  void rewrite(std::string_view text);
  uint32_t moved(uint32_t at, bool is_begin) const;

  std::shared_ptr<const SecretRules> rules_;
  std::vector<Span> spans_;  // of secrets in the text, ascending once settled
  std::vector<Span> inner_;  // in what a capture stands for
  std::string text_;         // what goes out in its place
  std::string joined_;
  Record record_;
  std::vector<Capture> captures_;
  Scratch scratch_;
  std::vector<char> names_;  // by FieldId: 0 not looked at yet, 1 no secret, 2 secret
};

}  // namespace yushi
