#include "daemon/api_sources.h"

#include "daemon/canaries.h"
#include "daemon/listings.h"
#include "judge/recheck.h"

namespace yushi::daemon {
namespace {

// On the committer's thread, so that all of the copy is signed: what is committed meanwhile waits.
Result<uint64_t> back_up(storage::Store& store, Pipeline& pipeline, const std::string& folder) {
  std::optional<Result<void>> made;
  YUSHI_TRY(pipeline.sign_all([&] { made = store.backup(folder); }));
  if (!made) return fail(Code::unavailable, "the daemon is stopping");
  YUSHI_TRY(*made);
  uint64_t records = 0;
  auto view = store.view();
  for (auto& log : YUSHI_TRY(view->logs()))
    if (auto head = view->head(log)) records += head->size;
  return records;
}

// The parsers of now, and the zone of each tenant.
query::EventReading event_reading(const Pipeline& pipeline) {
  auto loaded = pipeline.loaded();
  return {loaded->parsers, pipeline.zones_of(*loaded)};
}

}  // namespace

serve::Api::Sources api_sources(storage::Store& store, Pipeline& pipeline, std::function<Watched()> watched) {
  serve::Api::Sources out;
  out.view = [&] { return store.view(); };
  out.heads = [&] { return storage::read_heads(store.options().data_dir + "/heads"); };
  out.wait_judged = [&] { pipeline.wait_judged(); };
  out.sign_now = [&] { return pipeline.sign_now(); };
  out.sign_all = [&](std::function<void()> at_signed) { return pipeline.sign_all(std::move(at_signed)); };
  out.newest_commit = [&] { return pipeline.wait_commit(UINT64_MAX, 0); };
  out.is_full = [&] { return pipeline.counters().disk_full.load(); };
  out.tell_durably = [&](OwnRecord record) { return pipeline.tell_durably(std::move(record)); };
  out.tell = [&](OwnRecord record) { pipeline.tell(std::move(record)); };
  out.means = [&store, &pipeline, watched] {
    query::Means means;
    means.secrets = pipeline.loaded()->secrets;
    means.events = [&pipeline] { return event_reading(pipeline); };
    means.recheck = [&pipeline](auto& seen, auto& alert, uint64_t audit_index, auto& over) {
      const auto loaded = pipeline.loaded();
      return judge::recheck(
          seen, alert, audit_index,
          {loaded->parsers, loaded->rules, pipeline.zones_of(*loaded), pipeline.detect_options(), loaded->lists}, over);
    };
    means.remembered = [&pipeline](const std::string& account, auto sees) {
      return pipeline.detector_bytes_of(account, std::move(sees));
    };
    means.status = [watched] { return status_json(watched()); };
    means.rules = [&pipeline, watched] { return query::Listing{rule_lines(pipeline), watched().started_ns}; };
    means.parsers = [&pipeline, watched] { return query::Listing{parser_lines(pipeline), watched().started_ns}; };
    means.canaries = [&pipeline] { return release_canaries(pipeline); };
    means.back_up = [&store, &pipeline](const std::string& folder) { return back_up(store, pipeline, folder); };
    return means;
  };
  out.metrics = [watched](auto& questions) { return prometheus_text(watched(), questions); };
  return out;
}

}  // namespace yushi::daemon
