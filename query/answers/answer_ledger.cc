// Checkpoints and proofs: what ties an answer to a signed root.
#include <charconv>

#include "core/base/bytes.h"
#include "core/ledger/entry.h"
#include "core/ledger/key_ring.h"
#include "core/ledger/log_roots.h"
#include "core/ledger/merkle.h"
#include "query/answers/answer.h"
#include "query/answers/tree_reader.h"
#include "storage/tail/leaf.h"

namespace yushi::query {
namespace {

// `log` must be there, and the asker's to see; its size.
Result<uint64_t> size_of(const Permit& permit, const Asked& asked, std::string_view log) {
  YUSHI_TRY(permit.see_log(log));
  auto head = YUSHI_TRY(asked.view.head(std::string(log)));
  return head.size;
}

nlohmann::ordered_json base64_list(const std::vector<Hash>& hashes) {
  auto list = nlohmann::ordered_json::array();
  for (auto& hash : hashes) list.push_back(to_base64(as_bytes(hash)));
  return list;
}

}  // namespace

Result<AnswerEnd> answer_checkpoint(const Permit& permit, const Asked& asked) {
  const auto& parameters = asked.parameters;
  std::string log(parameters.text("log"));
  if (!log.empty()) {
    YUSHI_TRY(size_of(permit, asked, log));
  }
  auto logs = YUSHI_TRY(parameters.logs(permit, asked.view, true));
  auto key = YUSHI_TRY(asked.view.public_key());
  auto rotations = YUSHI_TRY(asked.view.key_rotations());
  auto ring = YUSHI_TRY(KeyRing::make(asked.view.node(), key, rotations));
  AnswerEnd end;
  for (auto& name : logs) {
    if (!log.empty() && name != log) continue;
    auto note = YUSHI_TRY(asked.view.newest_checkpoint(name));
    if (!note) continue;  // an empty log has none
    auto checkpoint = Checkpoint::parse_body(*note);
    if (!checkpoint) {
      return fail(Code::corrupt, "the newest checkpoint of log " + name + ": " + checkpoint.error().message);
    }
    nlohmann::ordered_json line = {{"log", name},
                                   {"origin", checkpoint->origin},
                                   {"size", checkpoint->size},
                                   {"root", to_base64(as_bytes(checkpoint->root))},
                                   {"note", *note}};
    if (!rotations.empty()) line["rotations"] = rotations;
    // What has not grown since a rotation is signed by the key of before.
    size_t by = 0;
    (void)ring.open(*note, checkpoint->origin, &by);
    if (!ring.empty()) line["verifier"] = make_verifier_line(checkpoint->origin, ring.keys()[by]);
    if (!asked.say(line)) return asked.so_far();
    ++end.records;
  }
  end.node = asked.view.node();
  return end;
}

Result<AnswerEnd> answer_consistency(const Permit& permit, const Asked& asked) {
  const auto& parameters = asked.parameters;
  std::string log(parameters.text("log"));
  auto size = YUSHI_TRY(size_of(permit, asked, log));
  auto from = *YUSHI_TRY(parameters.number("from"));
  auto to = *YUSHI_TRY(parameters.number("to"));
  if (from > to || to > size) {
    return fail(Code::invalid, "consistency: log " + log + " has " + std::to_string(size) +
                                   " records; it cannot be proved from " + std::to_string(from) + " to " +
                                   std::to_string(to));
  }
  std::vector<Hash> hashes;
  if (from > 0 && from < to) {
    TreeReader tree(asked.view, log);
    auto proof = YUSHI_TRY(prove_consistency(from, to, tree.as_function()));
    hashes = std::move(proof);
  }
  AnswerEnd end;
  end.records = 1;
  asked.say({{"log", log}, {"from", from}, {"to", to}, {"hashes", base64_list(hashes)}});
  return end;
}

Result<AnswerEnd> answer_proof(const Permit& permit, const Asked& asked) {
  const auto& parameters = asked.parameters;
  std::string id(parameters.text("id"));
  auto slash = id.rfind('/');
  uint64_t index = 0;
  const auto digits = slash == id.npos ? std::string_view() : std::string_view(id).substr(slash + 1);
  const auto [digits_end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  if (digits.empty() || error != std::errc() || digits_end != digits.data() + digits.size())
    return fail(Code::invalid, "proof: `id` is \"" + id + "\", but an id is LOG/INDEX, as event.id has it");
  auto log = id.substr(0, slash);
  auto size = YUSHI_TRY(size_of(permit, asked, log));
  auto wanted = YUSHI_TRY(parameters.number("size"));
  uint64_t tree_size = wanted.value_or(size);
  if (index >= tree_size || tree_size > size) {
    return fail(Code::not_found, "proof: log " + log + " has " + std::to_string(size) +
                                     " records; there is no record " + std::to_string(index) + " in the first " +
                                     std::to_string(tree_size));
  }
  TreeReader tree(asked.view, log);
  auto leaf = YUSHI_TRY(tree.subtree(0, index));
  auto proof = YUSHI_TRY(prove_inclusion(index, tree_size, tree.as_function()));
  AnswerEnd end;
  end.records = 1;
  asked.say({{"log", log},
             {"index", index},
             {"tree_size", tree_size},
             {"leaf", to_base64(as_bytes(leaf))},
             {"hashes", base64_list(proof)}});
  return end;
}

// That a log is among those that were signed together, without the names of the others.
Result<AnswerEnd> answer_bound(const Permit& permit, const Asked& asked) {
  const auto& parameters = asked.parameters;
  const std::string log(parameters.text("log"));
  YUSHI_TRY(size_of(permit, asked, log));
  if (log == kAuditLog) return fail(Code::invalid, "bound: log _audit binds the others; ask for one of them");
  LogRootMap logs;
  std::string note, audit_note;
  for (auto& name : YUSHI_TRY(asked.view.logs())) {
    auto newest = YUSHI_TRY(asked.view.newest_checkpoint(name));
    if (!newest) continue;
    auto checkpoint = YUSHI_TRY(Checkpoint::parse_body(*newest));
    if (name != kAuditLog) logs[name] = {checkpoint.size, checkpoint.root};
    if (name == log) note = *newest;
    if (name == kAuditLog) audit_note = *newest;
  }
  if (note.empty() || audit_note.empty()) return fail(Code::not_found, "bound: log " + log + " is not signed yet");
  auto audit = YUSHI_TRY(Checkpoint::parse_body(audit_note));
  const auto index = audit.size - 1;  // the last record under it says the root
  auto segment = YUSHI_TRY(asked.view.segment_at(kAuditLog, index));
  if (!segment) return fail(Code::corrupt, "record _audit/" + std::to_string(index) + " is gone");
  auto batch = YUSHI_TRY(asked.view.read(*segment));
  if (index - segment->summary.first_index >= batch->records.size())
    return fail(Code::corrupt, "record _audit/" + std::to_string(index) + " is gone");
  auto& record = batch->records[index - segment->summary.first_index];
  std::string entry;
  make_entry_head(storage::entry_head_of(record), entry);
  append_digest(sha256(record.raw), entry);
  auto [place, path] = prove_log(logs, log);
  TreeReader tree(asked.view, kAuditLog);
  auto proof = YUSHI_TRY(prove_inclusion(index, audit.size, tree.as_function()));
  AnswerEnd end;
  end.records = 1;
  asked.say({{"log", log},
             {"note", note},
             {"leaf", log_leaf(log, logs[log])},
             {"place", place},
             {"logs", logs.size()},
             {"hashes", base64_list(path)},
             {"record",
              {{"id", std::string(kAuditLog) + "/" + std::to_string(index)},
               {"raw", std::string(record.raw)},
               {"entry", entry},
               {"hashes", base64_list(proof)},
               {"note", audit_note}}}});
  return end;
}

}  // namespace yushi::query
