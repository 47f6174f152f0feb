// The logs of a store by number, for all who send there or read: a number is given when a log is first heard of, at any
// time, and is the same log's as long as the store is open.
//
// Threads  Any. A set of them is never changed; a new log makes a new set (Store::logs()).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace yushi::storage {

struct KnownLog {
  explicit KnownLog(std::string log) : name(std::move(log)) {}
  const std::string name;
  std::atomic<uint64_t> records{0};  // that are durable
  // How long its next blocks are kept; 0: nobody has said so in this run, and the longest of all holds.
  std::atomic<uint32_t> retention_days{0};
};

// By LogId: `default`, `_audit`, those that the store had, then each as it was asked for.
using KnownLogs = std::vector<std::shared_ptr<KnownLog>>;

}  // namespace yushi::storage
