// What `parsers unknown` answers with, of a store or of a file: the forms of what no product's parser understood.
//
// Records without a dataset are not understood at all; those of a generic parser (JSON, key=value …) have fields by
// their form alone, and are counted apart, by that dataset.
//
// Threads  One owner. Memory: that of LineTemplates.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "core/record/record.h"
#include "parsers/authoring/line_templates.h"

namespace yushi::query {

// A filter for the records that UnknownLines takes, in KQL.
std::string unknown_filter();

// "none", or the dataset of a generic parser; empty: a product's parser knew the record.
std::string_view unknown_dataset(const Record& record);

class UnknownLines {
 public:
  void add(const Record& record);  // passes over what was understood
  // {"count":…,"dataset":…,"program":…,"host":…,"template":…,"example":…}, most frequent first.
  std::vector<nlohmann::ordered_json> rows(size_t most) const;
  uint64_t lines() const { return templates_.lines(); }
  uint64_t rare() const { return templates_.others(); }  // lines of forms too rare to be kept

 private:
  parsers::LineTemplates templates_;
  Scratch scratch_;
};

}  // namespace yushi::query
