#include "query/scan/parser_versions.h"

#include "core/base/bytes.h"
#include "core/base/name.h"
#include "parsers/engine_version.h"
#include "parsers/understand.h"
#include "storage/db/keys.h"

namespace yushi::query {

std::string encode_parser_files(const parsers::ParserSet& set) {
  std::string out;
  put_varint(out, set.files().size());
  for (auto& file : set.files()) {
    put_text(out, file.name);
    put_text(out, file.text);
  }
  return out;
}

Result<std::vector<parsers::ParserFile>> decode_parser_files(std::string_view bytes) {
  Reader in(bytes);
  std::vector<parsers::ParserFile> files;
  auto count = in.varint();
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    parsers::ParserFile file;
    file.name = in.text();
    file.path = file.name;
    file.text = in.text();
    files.push_back(std::move(file));
  }
  if (!in.ok() || in.left() != 0) return fail(Code::corrupt, "the stored parser files are damaged");
  return files;
}

void ParserVersions::add(std::shared_ptr<const parsers::ParserSet> set) {
  MutexLock lock(mutex_);
  sets_[set->digest()] = std::move(set);
}

void ParserVersions::read_from(std::weak_ptr<const storage::Database> database) {
  MutexLock lock(mutex_);
  database_ = std::move(database);
}

Result<std::shared_ptr<const parsers::ParserSet>> ParserVersions::find(const std::string& digest) {
  MutexLock lock(mutex_);
  if (auto it = sets_.find(digest); it != sets_.end()) return it->second;
  auto database = database_.lock();
  if (!database) return fail(Code::unavailable, "the store is closing");
  auto bytes = YUSHI_TRY(database->get(database->families().meta, storage::keys::parsers(digest)));
  if (!bytes) return fail(Code::corrupt, "the store does not hold parser version " + digest);
  auto files = YUSHI_TRY(decode_parser_files(*bytes));
  auto set = YUSHI_TRY(parsers::ParserSet::load(std::move(files), parsers::ReadTests::none));
  if (set->digest() != digest)
    return fail(Code::corrupt, "parser version " + digest + " in the store has another digest");
  return sets_[digest] = std::move(set);
}

Result<std::shared_ptr<const parsers::ParserSet>> ParserVersions::newest(const storage::StoreView& view) {
  auto newest = YUSHI_TRY(view.newest_segment(kAuditLog));
  if (!newest) return fail(Code::unavailable, "the store has no records, and so no parsers");
  auto whole = YUSHI_TRY(view.read_whole(*newest));
  return find(whole.context.parsed.contexts.back().parser_digest);
}

Result<void> ParserVersions::parse(Batch& batch, const storage::ParseContext& context) {
  auto set = YUSHI_TRY(find(context.parser_digest));
  auto zone = YUSHI_TRY(Zone::find(context.timezone));
  auto charset = find_charset(context.charset);
  if (!charset) return fail(Code::corrupt, "the charset `" + context.charset + "` is none that this version knows");
  parsers::Understander understander(set);
  understander.understand(batch, {zone, *charset}, /*with_digest=*/false);
  batch.keep.push_back(set);
  return {};
}

storage::Reparse ParserVersions::as_function() {
  return {parsers::kParserEngine, [self = shared_from_this()](Batch& batch, const storage::ParseContext& context) {
            return self->parse(batch, context);
          }};
}

}  // namespace yushi::query
